//! The weights `(x - a)^α (b - x)^β`, with or without logarithms of both factors, on one interval: QUADPACK's `qmomo`
//! and `qc25s`.

use super::chebyshev::{Degrees, Expansion, POINTS_25, offsets};
use super::sampler::{Cell, Scheme, WeightedRule};
use crate::estimate::Estimate;
use crate::rule::{half_width, midpoint};

/// What the weight does at one end of the range: `d^exponent`, perhaps times `log d`, at the distance `d`.
#[derive(Debug)]
struct End {
    at: f64,
    exponent: f64,
    logarithm: bool,
    /// The integrals of the Chebyshev polynomials over `[-1, 1]` with this power, and with `log(d / 2)` as well.
    moments: Degrees,
    log_moments: Degrees,
}

impl End {
    /// `parity` is the sign that the odd polynomials get: the moments are those of a lower end.
    fn new(at: f64, exponent: f64, logarithm: bool, parity: f64) -> Self {
        let mut moments = power_moments(exponent);
        let mut log_moments = if logarithm { log_moments(exponent, &moments) } else { [0.0; POINTS_25] };
        for k in (1..POINTS_25).step_by(2) {
            moments[k] *= parity;
            log_moments[k] *= parity;
        }
        Self { at, exponent, logarithm, moments, log_moments }
    }

    /// False where the weight is 1 and any rule will do.
    #[inline]
    fn is_singular(&self) -> bool {
        self.exponent != 0.0 || self.logarithm
    }

    #[inline]
    fn log(&self, distance: f64) -> f64 {
        if self.logarithm { distance.ln() } else { 1.0 }
    }
}

/// The integrals over `[-1, 1]` of `(1 + t)^exponent T_k(t)`, by forward recurrence.
fn power_moments(exponent: f64) -> Degrees {
    let (plus_1, plus_2) = (exponent + 1.0, exponent + 2.0);
    let power = 2_f64.powf(plus_1);
    let mut m = [0.0; POINTS_25];
    m[0] = power / plus_1;
    m[1] = m[0] * exponent / plus_2;
    let mut n = 2.0;
    for k in 2..POINTS_25 {
        m[k] = -(power + n * (n - plus_2) * m[k - 1]) / ((n - 1.0) * (n + plus_1));
        n += 1.0;
    }
    m
}

/// The integrals over `[-1, 1]` of `(1 + t)^exponent log((1 + t) / 2) T_k(t)`: the derivatives of the recurrence.
fn log_moments(exponent: f64, moments: &Degrees) -> Degrees {
    let (plus_1, plus_2) = (exponent + 1.0, exponent + 2.0);
    let power = 2_f64.powf(plus_1);
    let mut m = [0.0; POINTS_25];
    m[0] = -moments[0] / plus_1;
    m[1] = -(power + power) / (plus_2 * plus_2) - m[0];
    let mut n = 2.0;
    for k in 2..POINTS_25 {
        m[k] =
            -(n * (n - plus_2) * m[k - 1] - n * moments[k - 1] + (n - 1.0) * moments[k]) / ((n - 1.0) * (n + plus_1));
        n += 1.0;
    }
    m
}

/// The rule for one such weight.
#[derive(Debug)]
pub(crate) struct Algebraic {
    lower: End,
    upper: End,
}

impl Algebraic {
    /// The weight over `[a, b]`; `log_lower` and `log_upper` say which logarithms it has.
    pub(crate) fn new((a, b): (f64, f64), (alpha, beta): (f64, f64), (log_lower, log_upper): (bool, bool)) -> Self {
        Self { lower: End::new(a, alpha, log_lower, 1.0), upper: End::new(b, beta, log_upper, -1.0) }
    }

    /// The ends of the whole range.
    pub(crate) fn ends(&self) -> (f64, f64) {
        (self.lower.at, self.upper.at)
    }

    /// The singular end of the whole range that the interval reaches, if any.
    fn reaches(&self, cell: &Cell) -> Option<Side> {
        if cell.a == self.lower.at && self.lower.is_singular() {
            Some(Side::Lower)
        } else if cell.b == self.upper.at && self.upper.is_singular() {
            Some(Side::Upper)
        } else {
            None
        }
    }
}

#[derive(Clone, Copy)]
enum Side {
    Lower,
    Upper,
}

impl WeightedRule for Algebraic {
    #[inline]
    fn scheme(&self, cell: &Cell) -> Scheme {
        if self.reaches(cell).is_some() { Scheme::Expansion } else { Scheme::Kronrod }
    }

    #[inline]
    fn weight(&self, x: f64) -> f64 {
        let (from_a, to_b) = (x - self.lower.at, self.upper.at - x);
        let powers = from_a.powf(self.lower.exponent) * to_b.powf(self.upper.exponent);
        powers * self.lower.log(from_a) * self.upper.log(to_b)
    }

    /// The singular factor of the weight goes into the moments, the other one into the function.
    fn expand(&mut self, cell: &Cell, y: &Degrees) -> Estimate {
        let (half, middle) = (half_width(cell.a, cell.b), midpoint(cell.a, cell.b));
        let (near, far, direction) = match self.reaches(cell) {
            Some(Side::Upper) => (&self.upper, &self.lower, 1.0),
            _ => (&self.lower, &self.upper, -1.0),
        };
        let reference = (far.at - middle).abs();
        let mut values = [0.0; POINTS_25];
        for ((value, y), u) in values.iter_mut().zip(y).zip(offsets(half)) {
            let distance = reference + direction * u;
            *value = y * distance.powf(far.exponent) * far.log(distance);
        }
        let expansion = Expansion::of(&values);
        let (coarse, fine) = expansion.integrals(&near.moments);
        let (mut value, mut error) = (fine, (fine - coarse).abs());
        if near.logarithm {
            // log d = log(d / width) + log width
            let scale = (cell.b - cell.a).ln();
            let (log_coarse, log_fine) = expansion.integrals(&near.log_moments);
            value = fine * scale + log_fine;
            error = ((fine - coarse) * scale).abs() + (log_fine - log_coarse).abs();
        }
        let factor = half.powf(near.exponent + 1.0);
        let value = value * factor;
        Estimate { value, error: error * factor, magnitude: value.abs(), variation: f64::MAX }
    }
}
