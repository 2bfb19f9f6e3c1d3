//! `[a, ∞)` with the weight `cos(ω x)` or `sin(ω x)`: QUADPACK's QAWF.
//!
//! The range is cut into cycles, each an odd number of half periods long. The integrals over them are the terms of a
//! series with alternating signs, if the integrand goes to zero slowly, and the epsilon algorithm sums it.

use super::WeightedOptions;
use super::fourier::Oscillating;
use super::oscillating;
use super::sampler::Sampler;
use crate::adaptive::Outcome;
use crate::epsilon::EpsilonTable;
use crate::intervals::Intervals;
use crate::panel::Halt;
use crate::{Integrand, Options, Status};

/// The length of a cycle.
pub(crate) fn length(omega: f64) -> f64 {
    let omega = omega.abs();
    let half_periods = 2.0 * omega.floor() + 1.0;
    half_periods * std::f64::consts::PI / omega
}

/// Each cycle is allowed this part of the error that the one before it was allowed.
const NEXT_SHARE: f64 = 0.9;
/// So the first is allowed this part of the whole.
const FIRST_SHARE: f64 = 1.0 - NEXT_SHARE;

/// The terms so far, with their partial sum and the sum of their errors.
#[derive(Default)]
struct Series {
    value: f64,
    error: f64,
    /// The largest error of a term.
    worst: f64,
    /// How much more may be to come: a multiple of the last term.
    tail: f64,
}

impl Series {
    fn outcome(&self, status: Option<Status>) -> Outcome {
        Outcome::of(self.value, self.error + self.tail, status)
    }
}

/// Integrates from `a` on, without the sign of a negative frequency; returns the number of cycles too.
pub(crate) fn over_half_line<I: Integrand>(
    sampler: &mut Sampler<'_, I, Oscillating>,
    a: f64,
    options: &WeightedOptions,
    intervals: &mut Intervals,
    cycles: &mut usize,
) -> Result<Outcome, Halt<I::Error>> {
    let Options { epsabs, limit, .. } = options.quad;
    let cycle = length(sampler.rule.omega());
    let (mut lower, mut upper) = (a, cycle + a);
    let first = if epsabs > f64::MIN_POSITIVE / FIRST_SHARE { epsabs * FIRST_SHARE } else { epsabs };
    let (mut allowed, mut share) = (first, 1.0);

    let mut series = Series::default();
    let mut table: Option<EpsilonTable> = None;
    let (mut limit_value, mut limit_error) = (0.0, 0.0_f64);
    let mut stalled = 0;
    let mut bad_cycle = None;
    // Why the series as a whole is given up.
    let mut failure = None;
    for k in 0..options.limlst {
        *cycles = k + 1;
        let wanted = Options { epsabs: allowed * share, epsrel: 0.0, limit };
        let part = oscillating::over_range(sampler, (lower, upper), &wanted, intervals)?;
        share *= NEXT_SHARE;
        series.error += part.error;
        series.tail = 50.0 * part.value.abs();
        let plain_error = series.error + series.tail;
        if plain_error <= epsabs && k >= 5 {
            return Ok(series.outcome(bad_cycle));
        }
        series.worst = f64::max(series.worst, part.error);
        if !part.status.is_success() {
            allowed = f64::max(first, series.worst * FIRST_SHARE);
            bad_cycle = bad_cycle.or(Some(Status::BadCycle { from: lower, to: upper }));
        }
        if bad_cycle.is_some() && plain_error <= series.worst * 10.0 && k > 4 {
            return Ok(series.outcome(bad_cycle));
        }
        series.value += part.value;
        let sums = table.get_or_insert_with(|| EpsilonTable::new(part.value));
        if k > 0 {
            sums.push(series.value);
        }
        if k > 1 {
            if k + 1 == options.limlst {
                failure = Some(Status::CycleLimitReached);
            }
            let found = sums.extrapolate();
            stalled += 1;
            if stalled >= 15 && limit_error <= 0.001 * plain_error {
                failure = Some(Status::CyclesDoNotConverge);
            }
            if found.error <= limit_error || k == 2 {
                (limit_value, limit_error) = (found.value, found.error);
                stalled = 0;
                let correction = 10.0 * series.worst;
                if limit_error + correction <= epsabs || limit_error <= epsabs && correction >= epsabs {
                    break;
                }
            }
            if failure.is_some() {
                break;
            }
        }
        (lower, upper) = (upper, upper + cycle);
    }
    let limit = (limit_value, limit_error + 10.0 * series.worst);
    Ok(conclude(limit, &series, failure, bad_cycle))
}

/// Chooses between the limit of the series and the partial sum, where not all went well.
fn conclude(
    (value, mut error): (f64, f64),
    series: &Series,
    failure: Option<Status>,
    bad_cycle: Option<Status>,
) -> Outcome {
    let trouble = failure.or(bad_cycle);
    if trouble.is_none() {
        return Outcome::of(value, error, None);
    }
    if value == 0.0 || series.value == 0.0 {
        if error > series.error {
            return series.outcome(trouble);
        }
        if series.value == 0.0 {
            return Outcome::of(value, error, trouble);
        }
    }
    if error / value.abs() > (series.error + series.tail) / series.value.abs() {
        return series.outcome(trouble);
    }
    if failure.is_some() {
        error += series.tail;
    }
    Outcome::of(value, error, trouble)
}
