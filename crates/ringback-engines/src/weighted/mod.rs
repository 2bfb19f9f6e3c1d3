//! Integrals of a function times a weight that oscillates or is singular: the front door, arguments and ranges.
//!
//! | module | idea |
//! |---|---|
//! | `sampler` | rules for function times weight, and blocks |
//! | `kronrod` | the rule for intervals where the weight is smooth |
//! | `chebyshev` | expansion of the function, whose terms are integrated with the weight |
//! | `fourier`, `algebraic`, `cauchy` | the weights: their moments and their rules |
//! | `oscillating` | bisection with extrapolation, for sine and cosine over a finite range |
//! | `cycles` | sine and cosine up to infinity, as a series |
//! | `bisection` | bisection for the other weights |

mod algebraic;
mod bisection;
mod cauchy;
mod chebyshev;
mod cycles;
mod fourier;
mod kronrod;
mod options;
mod oscillating;
mod reflected;
mod sampler;

pub use options::{Weight, WeightedOptions};

use crate::adaptive::{Outcome, report};
use crate::integral::{Room, over_range};
use crate::panel::Halt;
use crate::rule::{HalfLine, half_width};
use crate::{Integrand, InvalidInput, Options, QuadError, Quadrature, Status, Workspace};
use fourier::{Oscillating, Wave};
use options::Range;
use reflected::Reflected;
use sampler::Sampler;

/// Integrates a function times a weight over the range from `a` to `b`.
///
/// The methods are those of QUADPACK for the weights (QAWO, QAWF, QAWS, QAWC), with the same decisions, so that value,
/// error, number of evaluations and status are those of SciPy's `quad` with `weight` and `wvar`: see
/// [`Weight`]. The function itself should be smooth; what is difficult is the weight, and that is integrated exactly.
///
/// `b < a` changes the sign and nothing else: the weights `(x - a)^α (b - x)^β` always count from the smaller end.
/// `a == b` gives 0, without an evaluation.
///
/// Over an infinite range (sine and cosine only) only `epsabs` counts, and [`Quadrature::intervals`] is the number of
/// cycles that were integrated, each of them adaptively.
///
/// # Limits
///
/// Unlike without a weight, the function is evaluated at the ends of the range too, and at the end of every interval;
/// it has to be finite there. Of the rounding errors of very many oscillations, some `f64::EPSILON` times the integral of
/// the absolute value, the error estimate knows nothing. For the rest, the limits of [`quad`](crate::quad) are those here,
/// and a value that is not finite stops the integration as it does there.
///
/// # Where SciPy differs
///
/// SciPy 1.17 integrates `cos(0·x)` over an infinite range from 0 instead of `a`, takes the moments of another interval
/// where more than `maxp1` sizes are needed, loses digits where a pole is next to an end of the range, and evaluates the
/// function a rounding error outside of the range. With sine and cosine it takes intervals around zero for too narrow when
/// they are 1000 rounding errors of 1 wide (QUADPACK: 1000 times the smallest number), and gives up. It cannot count more
/// than 2³¹ half periods a cycle, and may return the largest number of all where cycles are given up after their series
/// has converged to the last bit. Its error may come to nothing by rounding, and a limit that was extrapolated may be one of sums
/// that have lost their digits: that is [`Status::RoundoffDetected`] here. Here the results are right, and differ from
/// SciPy's in these cases only, and where a value is not finite.
///
/// # Errors
///
/// [`QuadError::InvalidInput`] if the arguments make no sense, before the function is evaluated;
/// [`QuadError::Integrand`] with the function's own error as soon as it fails.
///
/// ```
/// use std::convert::Infallible;
/// use ringback_engines::{Status, Weight, WeightedOptions, pointwise, quad_weighted};
///
/// // ∫₀¹ cos(1000 x) e^x dx
/// let exp = pointwise(|x: f64| Ok::<_, Infallible>(x.exp()));
/// let weight = Weight::Cos { omega: 1000.0 };
/// let result = quad_weighted(exp, 0.0, 1.0, weight, &WeightedOptions::default()).unwrap();
/// let exact = (1_f64.exp() * (1000_f64.cos() + 1000.0 * 1000_f64.sin()) - 1.0) / (1.0 + 1e6);
/// assert!((result.value - exact).abs() < 1e-12);
/// assert_eq!((result.neval, result.status), (25, Status::Converged));
/// ```
pub fn quad_weighted<I: Integrand>(
    f: I,
    a: f64,
    b: f64,
    weight: Weight,
    options: &WeightedOptions,
) -> Result<Quadrature, QuadError<I::Error>> {
    quad_weighted_with(&mut Workspace::new(), f, a, b, weight, options)
}

/// [`quad_weighted`] with memory that is kept between integrals.
///
/// Only room for the moments of sine and cosine is allocated anew for each integral, before the first evaluation.
///
/// # Errors
///
/// Those of [`quad_weighted`].
pub fn quad_weighted_with<I: Integrand>(
    workspace: &mut Workspace,
    mut f: I,
    a: f64,
    b: f64,
    weight: Weight,
    options: &WeightedOptions,
) -> Result<Quadrature, QuadError<I::Error>> {
    if a.is_nan() || b.is_nan() {
        return Err(InvalidInput::NanLimit { a, b }.into());
    }
    if a == b {
        return Ok(Quadrature { value: 0.0, error: 0.0, neval: 0, intervals: 0, status: Status::Converged });
    }
    let range = weight.range(a, b)?;
    options.check(&weight, &range)?;
    let room = workspace.room();
    let result = match weight {
        Weight::Cos { omega } => wave(&mut f, Wave::Cosine, omega, &range, options, room),
        Weight::Sin { omega } => wave(&mut f, Wave::Sine, omega, &range, options, room),
        Weight::Algebraic { alpha, beta, log_lower, log_upper } => {
            let ends = range.ends();
            let rule = algebraic::Algebraic::new(ends, (alpha, beta), (log_lower, log_upper));
            let mut sampler = Sampler::new(&mut f, rule);
            let outcome = bisection::algebraic(&mut sampler, ends, &options.quad, &mut room.intervals);
            report(outcome, sampler.neval, room.intervals.len())
        }
        Weight::Cauchy { c } => {
            let mut sampler = Sampler::new(&mut f, cauchy::Cauchy { c });
            let outcome = bisection::cauchy(&mut sampler, range.ends(), &options.quad, &mut room.intervals);
            report(outcome, sampler.neval, room.intervals.len())
        }
    };
    let mut result = result.map_err(QuadError::Integrand)?;
    if b < a {
        result.value = -result.value;
    }
    Ok(result)
}

/// Sine or cosine over any range that is not the whole line.
fn wave<I: Integrand>(
    f: &mut I,
    wave: Wave,
    omega: f64,
    range: &Range,
    options: &WeightedOptions,
    room: &mut Room,
) -> Result<Quadrature, I::Error> {
    let mut result = match *range {
        Range::Finite { low, high } => {
            let rule = Oscillating::new(wave, omega, half_width(low, high), options.maxp1);
            let mut sampler = Sampler::new(f, rule);
            let outcome = oscillating::over_range(&mut sampler, (low, high), &options.quad, &mut room.intervals);
            report(outcome, sampler.neval, room.intervals.len())?
        }
        Range::Upward { low } => half_line(f, wave, omega, low, options, room)?,
        Range::Downward { high } => {
            // With x = -y: the cosine stays what it is, the sine changes its sign.
            let sign = if wave == Wave::Sine { -1.0 } else { 1.0 };
            let mut mirrored = Reflected::new(f, sign);
            let mut result = half_line(&mut mirrored, wave, omega, -high, options, room)?;
            result.status = mirrored.status(result.status);
            result
        }
    };
    if wave == Wave::Sine && omega < 0.0 {
        result.value = -result.value;
    }
    Ok(result)
}

fn half_line<I: Integrand>(
    f: &mut I,
    wave: Wave,
    omega: f64,
    a: f64,
    options: &WeightedOptions,
    room: &mut Room,
) -> Result<Quadrature, I::Error> {
    if omega == 0.0 {
        // No wave at all.
        return match wave {
            Wave::Sine => Ok(Quadrature { value: 0.0, error: 0.0, neval: 0, intervals: 1, status: Status::Converged }),
            Wave::Cosine => {
                let rule = HalfLine { origin: a, direction: 1.0 };
                let plain = Options { epsrel: 0.0, ..options.quad };
                // One cycle without an end.
                Ok(Quadrature { intervals: 1, ..over_range(f, rule, (0.0, 1.0), &plain, room)? })
            }
        };
    }
    let rule = Oscillating::new(wave, omega, 0.5 * cycles::length(omega), options.maxp1);
    let mut sampler = Sampler::new(f, rule);
    let mut cycles = 0;
    let outcome: Result<Outcome, Halt<I::Error>> =
        cycles::over_half_line(&mut sampler, a, options, &mut room.intervals, &mut cycles);
    report(outcome, sampler.neval, cycles)
}
