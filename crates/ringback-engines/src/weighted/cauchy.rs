//! The weight `1 / (x - c)` on one interval, as a principal value: QUADPACK's `qc25c`.

use super::chebyshev::{Degrees, Expansion, POINTS_25};
use super::sampler::{Cell, Scheme, WeightedRule};
use crate::rule::Estimate;

/// From this distance on, in half-widths from the middle of an interval, the weight is smooth enough there to belong
/// to the integrand.
const SMOOTH_DISTANCE: f64 = 1.1;

/// The rule for the pole `c`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cauchy {
    pub(crate) c: f64,
}

impl Cauchy {
    /// The pole in the variable in which the interval is `[-1, 1]`.
    #[inline]
    fn relative(&self, cell: &Cell) -> f64 {
        (2.0 * self.c - cell.b - cell.a) / (cell.b - cell.a)
    }
}

impl WeightedRule for Cauchy {
    #[inline]
    fn scheme(&self, cell: &Cell) -> Scheme {
        if self.relative(cell).abs() >= SMOOTH_DISTANCE { Scheme::Kronrod } else { Scheme::Expansion }
    }

    #[inline]
    fn weight(&self, x: f64) -> f64 {
        1.0 / (x - self.c)
    }

    fn expand(&mut self, cell: &Cell, y: &Degrees) -> Estimate {
        let (coarse, fine) = Expansion::of(y).integrals(&moments(self.relative(cell)));
        let error = (fine - coarse).abs();
        // Variation and error are equal: a sign that neither says anything about rounding.
        Estimate { value: fine, error, magnitude: fine.abs(), variation: error }
    }
}

/// The principal values over `[-1, 1]` of `T_k(t) / (t - c)`, by forward recurrence.
fn moments(c: f64) -> Degrees {
    let mut m = [0.0; POINTS_25];
    m[0] = ((1.0 - c) / (1.0 + c)).abs().ln();
    m[1] = 2.0 + c * m[0];
    for k in 2..POINTS_25 {
        m[k] = 2.0 * c * m[k - 1] - m[k - 2];
        if k % 2 == 1 {
            let square = ((k - 1) * (k - 1)) as f64;
            m[k] -= 4.0 / (square - 1.0);
        }
    }
    m
}
