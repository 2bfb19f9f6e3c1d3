//! Adaptive bisection without extrapolation, for weights whose singularities are known: QUADPACK's QAWS and QAWC.

use super::algebraic::Algebraic;
use super::cauchy::Cauchy;
use super::sampler::{Sampler, WeightedRule};
use crate::adaptive::{Outcome, is_too_narrow};
use crate::estimate::Estimate;
use crate::intervals::{Interval, Intervals};
use crate::panel::Halt;
use crate::rule::midpoint;
use crate::running::Running;
use crate::{Integrand, Options, Status};

/// Counts the bisections after which rounding errors must be suspected.
#[derive(Default)]
struct Roundoff {
    /// The value stayed, the error did not get smaller.
    idle: u32,
    /// The error grew.
    growing: u32,
}

impl Roundoff {
    fn observe(&mut self, parent: &Interval, value: f64, error: f64, late: bool) {
        if (parent.value - value).abs() < 1e-5 * value.abs() && error >= 0.99 * parent.error {
            self.idle += 1;
        }
        if late && error > parent.error {
            self.growing += 1;
        }
    }
}

/// Where the algorithms for the two kinds of weights differ.
trait Strategy: WeightedRule {
    /// Where to divide an interval.
    fn cut(&self, interval: &Interval) -> f64 {
        interval.midpoint()
    }

    /// Whether both parts of an interval tell something about rounding errors.
    fn is_telling(&self, parent: &Interval, left: &Estimate, right: &Estimate) -> bool;

    /// The trouble after a bisection that did not meet the tolerance, of which the gravest counts.
    fn trouble(&self, roundoff: &Roundoff, limit_reached: bool) -> Option<Status>;
}

impl Strategy for Algebraic {
    /// Next to an end of the range there is no measure of the variation.
    fn is_telling(&self, parent: &Interval, left: &Estimate, right: &Estimate) -> bool {
        let (a, b) = self.ends();
        parent.a != a && parent.b != b && left.variation != left.error && right.variation != right.error
    }

    fn trouble(&self, roundoff: &Roundoff, limit_reached: bool) -> Option<Status> {
        if roundoff.idle >= 6 || roundoff.growing >= 20 {
            Some(Status::RoundoffDetected)
        } else {
            limit_reached.then_some(Status::LimitReached)
        }
    }
}

impl Strategy for Cauchy {
    /// The pole must not become an end of an interval: the integral would no longer exist.
    fn cut(&self, interval: &Interval) -> f64 {
        let Interval { a, b, .. } = *interval;
        let middle = interval.midpoint();
        if a < self.c && self.c <= middle {
            midpoint(self.c, b)
        } else if middle < self.c && self.c < b {
            midpoint(a, self.c)
        } else {
            middle
        }
    }

    fn is_telling(&self, _: &Interval, left: &Estimate, right: &Estimate) -> bool {
        left.variation != left.error && right.variation != right.error
    }

    fn trouble(&self, roundoff: &Roundoff, limit_reached: bool) -> Option<Status> {
        if limit_reached {
            Some(Status::LimitReached)
        } else {
            (roundoff.idle >= 6 && roundoff.growing > 20).then_some(Status::RoundoffDetected)
        }
    }
}

/// Integrates with an algebraic weight (QAWS). The range is divided at once, so that no interval has two singular
/// ends; `options.limit` is at least 2.
pub(crate) fn algebraic<I: Integrand>(
    sampler: &mut Sampler<'_, I, Algebraic>,
    (a, b): (f64, f64),
    options: &Options,
    intervals: &mut Intervals,
) -> Result<Outcome, Halt<I::Error>> {
    let middle = midpoint(a, b);
    intervals.reset(0);
    let (left, right) = sampler.estimate_halves(a, middle, b, 1)?;
    let value = left.value + right.value;
    let error = left.error + right.error;

    intervals.reset(options.limit);
    let (lower, upper) = (Interval::new(a, middle, 1, &left), Interval::new(middle, b, 1, &right));
    let (larger, smaller) = if right.error > left.error { (upper, lower) } else { (lower, upper) };
    intervals.push(larger);
    intervals.push(smaller);
    if options.limit == 2 {
        return Ok(Outcome::of(value, error, Some(Status::LimitReached)));
    }
    if error <= options.tolerance(value) {
        return Ok(Outcome::of(value, error, None));
    }
    refine(sampler, Running::new(value, error), options, intervals)
}

/// Computes a principal value (QAWC).
pub(crate) fn cauchy<I: Integrand>(
    sampler: &mut Sampler<'_, I, Cauchy>,
    (a, b): (f64, f64),
    options: &Options,
    intervals: &mut Intervals,
) -> Result<Outcome, Halt<I::Error>> {
    intervals.reset(0);
    let first = sampler.estimate(a, b)?;
    if options.limit == 1 {
        return Ok(Outcome::of(first.value, first.error, Some(Status::LimitReached)));
    }
    if first.error < f64::min(0.01 * first.value.abs(), options.tolerance(first.value)) {
        return Ok(Outcome::of(first.value, first.error, None));
    }
    intervals.reset(options.limit);
    intervals.push(Interval::new(a, b, 0, &first));
    refine(sampler, Running::new(first.value, first.error), options, intervals)
}

fn refine<I: Integrand, S: Strategy>(
    sampler: &mut Sampler<'_, I, S>,
    mut sums: Running,
    options: &Options,
    intervals: &mut Intervals,
) -> Result<Outcome, Halt<I::Error>> {
    let mut roundoff = Roundoff::default();
    let mut trouble = None;
    while intervals.len() < options.limit {
        let parent = *intervals.selected();
        let middle = sampler.rule.cut(&parent);
        let level = parent.level + 1;
        let (left, right) = sampler.estimate_halves(parent.a, middle, parent.b, level)?;

        let (value, error) = (left.value + right.value, left.error + right.error);
        sums.error_sum = sums.error_sum + error - parent.error;
        sums.area = sums.area + value - parent.value;
        if !(sums.area.is_finite() && sums.error_sum.is_finite()) {
            return Err(Halt::Overflow);
        }
        if sampler.rule.is_telling(&parent, &left, &right) {
            roundoff.observe(&parent, value, error, intervals.len() > 9);
        }
        let halves = (Interval::new(parent.a, middle, level, &left), Interval::new(middle, parent.b, level, &right));
        intervals.split(halves.0, halves.1);

        if sums.within(options, intervals).is_some() {
            break;
        }
        trouble = sampler.rule.trouble(&roundoff, intervals.len() == options.limit);
        if is_too_narrow(&parent, middle) {
            trouble = Some(Status::BadIntegrand);
        }
        if trouble.is_some() {
            break;
        }
    }
    let (value, error) = intervals.totals();
    Ok(Outcome::of(value, error.max(sums.error_sum), trouble))
}
