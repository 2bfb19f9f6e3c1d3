//! The weights as they are asked for, and what makes sense of them.

use super::cycles;
use crate::rule::half_width;
use crate::{InvalidInput, Options};

/// A weight, by which the integrand is multiplied.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Weight {
    /// `cos(omega x)`, over a range with at most one infinite end.
    Cos {
        /// The frequency, of any sign.
        omega: f64,
    },
    /// `sin(omega x)`, over a range with at most one infinite end.
    Sin {
        /// The frequency, of any sign.
        omega: f64,
    },
    /// `(x - a)^alpha (b - x)^beta`, times the logarithms that are asked for, over a finite range from `a` to `b > a`.
    Algebraic {
        /// The exponent at the lower end, above -1.
        alpha: f64,
        /// The exponent at the upper end, above -1.
        beta: f64,
        /// Times `log(x - a)`.
        log_lower: bool,
        /// Times `log(b - x)`.
        log_upper: bool,
    },
    /// `1 / (x - c)`, over a finite range: the integral is the principal value.
    Cauchy {
        /// The pole, inside the range or outside of it, not at an end.
        c: f64,
    },
}

/// How accurate a result is to be, and how much work may go into it. The default is that of SciPy's `quad`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightedOptions {
    /// Tolerances and the largest number of intervals: at least 2 of them for [`Weight::Algebraic`], and for infinite
    /// ranges so many a cycle.
    pub quad: Options,
    /// For sine and cosine: for how many sizes of intervals the moments are kept, at least 1. Those of smaller
    /// intervals are computed again for each bisection; the results are the same.
    pub maxp1: usize,
    /// For sine and cosine over an infinite range: the largest number of cycles, at least 3.
    pub limlst: usize,
}

impl Default for WeightedOptions {
    fn default() -> Self {
        Self { quad: Options::default(), maxp1: 50, limlst: 50 }
    }
}

/// Phases beyond this overflow in the recurrences of the moments.
const LARGEST_PHASE: f64 = 1e70;

/// A range that is not empty, from the smaller end to the larger one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Range {
    Finite { low: f64, high: f64 },
    Upward { low: f64 },
    Downward { high: f64 },
}

impl Range {
    pub(crate) fn ends(&self) -> (f64, f64) {
        match *self {
            Self::Finite { low, high } => (low, high),
            Self::Upward { low } => (low, f64::INFINITY),
            Self::Downward { high } => (f64::NEG_INFINITY, high),
        }
    }
}

impl Weight {
    /// Checks the weight, and that it can be integrated over the range.
    pub(crate) fn range(&self, a: f64, b: f64) -> Result<Range, InvalidInput> {
        let (low, high) = if b < a { (b, a) } else { (a, b) };
        let range = match (low.is_finite(), high.is_finite()) {
            (true, true) => Some(Range::Finite { low, high }),
            (true, false) => Some(Range::Upward { low }),
            (false, true) => Some(Range::Downward { high }),
            (false, false) => None,
        };
        match *self {
            Self::Cos { omega } | Self::Sin { omega } => {
                if !omega.is_finite() {
                    return Err(InvalidInput::Frequency { omega });
                }
                range.ok_or(InvalidInput::OscillatingOverWholeLine)
            }
            Self::Algebraic { alpha, beta, .. } => {
                if !(alpha > -1.0 && beta > -1.0 && alpha.is_finite() && beta.is_finite()) {
                    return Err(InvalidInput::Exponents { alpha, beta });
                }
                match range {
                    Some(range @ Range::Finite { .. }) => Ok(range),
                    _ => Err(InvalidInput::WeightWithInfiniteRange { a, b }),
                }
            }
            Self::Cauchy { c } => {
                if !c.is_finite() || c == a || c == b {
                    return Err(InvalidInput::Pole { c, a, b });
                }
                match range {
                    Some(range @ Range::Finite { .. }) => Ok(range),
                    _ => Err(InvalidInput::WeightWithInfiniteRange { a, b }),
                }
            }
        }
    }
}

impl WeightedOptions {
    pub(crate) fn check(&self, weight: &Weight, range: &Range) -> Result<(), InvalidInput> {
        let Self { quad, maxp1, limlst } = *self;
        match (*weight, range) {
            (Weight::Cos { omega } | Weight::Sin { omega }, _) => {
                let out_of_reach = Err(InvalidInput::FrequencyOutOfReach { omega });
                if let Range::Finite { low, high } = *range {
                    quad.check()?;
                    if omega.abs() * half_width(low, high) > LARGEST_PHASE {
                        return out_of_reach;
                    }
                } else {
                    if quad.epsabs <= 0.0 {
                        return Err(InvalidInput::OscillatingTolerance { epsabs: quad.epsabs });
                    }
                    quad.check()?;
                    if limlst < 3 {
                        return Err(InvalidInput::TooFewCycles { limlst });
                    }
                    let start = match *range {
                        Range::Downward { high } => -high,
                        _ => range.ends().0,
                    };
                    let cycle = cycles::length(omega);
                    let end = start + cycle * limlst as f64;
                    let resolved = start + cycle > start && end.is_finite() && omega.abs() <= LARGEST_PHASE;
                    if omega != 0.0 && !resolved {
                        return out_of_reach;
                    }
                }
                if maxp1 < 1 { Err(InvalidInput::NoMoments) } else { Ok(()) }
            }
            (Weight::Algebraic { .. }, _) => {
                quad.check()?;
                if quad.limit < 2 { Err(InvalidInput::TooFewIntervals { limit: quad.limit }) } else { Ok(()) }
            }
            (Weight::Cauchy { .. }, _) => quad.check(),
        }
    }
}
