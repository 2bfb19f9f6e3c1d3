//! The weight `1 / (x - c)` on one interval, as a principal value: QUADPACK's `qc25c`.

use super::chebyshev::{Degrees, Expansion, POINTS_25};
use super::sampler::{Cell, Scheme, WeightedRule};
use crate::estimate::Estimate;
use crate::rule::{half_width, midpoint};

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
        let (twice, width) = (2.0 * self.c, cell.b - cell.a);
        if twice.is_finite() && width.is_finite() {
            (twice - cell.b - cell.a) / width
        } else {
            (self.c - midpoint(cell.a, cell.b)) / half_width(cell.a, cell.b)
        }
    }

    /// The principal values over `[-1, 1]` of `T_k(t) / (t - pole)`, by forward recurrence.
    fn moments(&self, cell: &Cell) -> Degrees {
        let pole = self.relative(cell);
        let mut m = [0.0; POINTS_25];
        // Not from the relative pole: next to an end that has lost its last digits, and `qc25c` with it.
        let (above, below) = (cell.b - self.c, self.c - cell.a);
        let ratio = if above.is_finite() && below.is_finite() {
            above / below
        } else {
            half_width(self.c, cell.b) / half_width(cell.a, self.c)
        };
        m[0] = ratio.abs().ln();
        m[1] = 2.0 + pole * m[0];
        for k in 2..POINTS_25 {
            m[k] = 2.0 * pole * m[k - 1] - m[k - 2];
            if k % 2 == 1 {
                let square = ((k - 1) * (k - 1)) as f64;
                m[k] -= 4.0 / (square - 1.0);
            }
        }
        m
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
        let (coarse, fine) = Expansion::of(y).integrals(&self.moments(cell));
        let error = (fine - coarse).abs();
        // Variation and error are equal: a sign that neither says anything about rounding.
        Estimate { value: fine, error, magnitude: fine.abs(), variation: error }
    }
}
