//! Adaptive bisection with extrapolation: the algorithm of QUADPACK's QAGS, QAGI and QAGP, over any rule.

use crate::acceleration::{Acceleration, Bisection, Limit, Next};
use crate::epsilon::EpsilonTable;
use crate::estimate::{Estimate, Estimates};
use crate::intervals::{Interval, Intervals};
use crate::panel::Halt;
use crate::running::Running;
use crate::{Options, Quadrature, Status};

/// What is known of the integral before the first bisection.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) value: f64,
    pub(crate) error_sum: f64,
    /// The integral of the absolute value.
    pub(crate) magnitude: f64,
}

/// An outcome without the counts.
pub(crate) struct Outcome {
    pub(crate) value: f64,
    pub(crate) error: f64,
    pub(crate) status: Status,
}

impl Outcome {
    pub(crate) fn of(value: f64, error: f64, trouble: Option<Status>) -> Self {
        Self { value, error, status: trouble.unwrap_or(Status::Converged) }
    }
}

/// What can be wrong before any bisection.
pub(crate) fn first_trouble(
    error: f64,
    magnitude: f64,
    tolerance: f64,
    count: usize,
    options: &Options,
) -> Option<Status> {
    if options.limit == count {
        Some(Status::LimitReached)
    } else if error <= 100.0 * f64::EPSILON * magnitude && error > tolerance {
        Some(Status::RoundoffDetected)
    } else {
        None
    }
}

/// Counts the bisections that did not do what they should, a sign of rounding errors.
#[derive(Debug, Default)]
pub(crate) struct Roundoff {
    /// The value stayed, the error did not get smaller.
    idle: u32,
    /// The same while larger intervals were refined for an extrapolation.
    idle_refining: u32,
    /// The error grew.
    growing: u32,
}

impl Roundoff {
    #[inline]
    pub(crate) fn observe(&mut self, parent: &Interval, left: &Estimate, right: &Estimate, late: bool, refining: bool) {
        if left.variation == left.error || right.variation == right.error {
            return;
        }
        let value = left.value + right.value;
        let error = left.error + right.error;
        if (parent.value - value).abs() <= 1e-5 * value.abs() && error >= 0.99 * parent.error {
            *(if refining { &mut self.idle_refining } else { &mut self.idle }) += 1;
        }
        if late && error > parent.error {
            self.growing += 1;
        }
    }

    #[inline]
    pub(crate) fn detected(&self) -> bool {
        self.idle + self.idle_refining >= 10 || self.growing >= 20
    }

    /// Refining the larger intervals does not make the extrapolation any better.
    #[inline]
    pub(crate) fn spoils_extrapolation(&self) -> bool {
        self.idle_refining >= 5
    }
}

/// The state of an integration between two bisections. Who drives it has the halves of the selected interval
/// estimated.
#[derive(Debug)]
pub(crate) struct Refinement {
    start: Start,
    acceleration: Acceleration,
    sums: Running,
    roundoff: Roundoff,
    trouble: Option<Status>,
}

impl Refinement {
    pub(crate) fn new(start: Start, acceleration: Acceleration) -> Self {
        let sums = Running::new(start.value, start.error_sum);
        Self { start, acceleration, sums, roundoff: Roundoff::default(), trouble: None }
    }

    /// After the first estimate for a single range: that may do.
    #[inline]
    pub(crate) fn of_range(
        (a, b): (f64, f64),
        first: &Estimate,
        options: &Options,
        table: &mut EpsilonTable,
        intervals: &mut Intervals,
    ) -> Result<Self, Outcome> {
        let tolerance = options.tolerance(first.value);
        let trouble = first_trouble(first.error, first.magnitude, tolerance, 1, options);
        // An error as large as the variation is a first guess that was cut off, no reason to be content.
        let content = first.error <= tolerance && first.error != first.variation;
        if trouble.is_some() || content || first.error == 0.0 {
            return Err(Outcome::of(first.value, first.error, trouble));
        }
        // Many integrals do not come this far, and need no memory.
        intervals.reset(options.limit);
        intervals.push(Interval::new(a, b, 0, first));
        let start = Start { value: first.value, error_sum: first.error, magnitude: first.magnitude };
        table.restart(first.value);
        Ok(Self::new(start, Acceleration::of_range(b - a)))
    }

    /// Takes the estimates for both halves of the selected interval, and selects the next; or says how it ended.
    #[inline]
    pub(crate) fn absorb<E>(
        &mut self,
        halves: &Estimates,
        options: &Options,
        table: &mut EpsilonTable,
        intervals: &mut Intervals,
    ) -> Result<Option<Outcome>, Halt<E>> {
        let parent = *intervals.selected();
        let middle = parent.midpoint();
        let (left, right) = (halves.of(0), halves.of(1));
        let error_after = left.error + right.error;
        let value_after = left.value + right.value;
        let before = (self.sums.area, self.sums.error_sum);
        self.sums.error_sum = before.1 + error_after - parent.error;
        self.sums.area = before.0 + value_after - parent.value;
        if !(self.sums.area.is_finite() && self.sums.error_sum.is_finite()) {
            self.replace_carefully(before, &parent, (value_after, error_after))?;
        }
        self.roundoff.observe(&parent, &left, &right, intervals.len() > 9, self.acceleration.refining);

        let level = parent.level + 1;
        let half = Interval::new(parent.a, middle, level, &left);
        let size = half.size();
        intervals.split(half, Interval::new(middle, parent.b, level, &right));

        // The later ones are the graver ones.
        if self.roundoff.detected() {
            self.trouble = Some(Status::RoundoffDetected);
        }
        if intervals.len() == options.limit {
            self.trouble = Some(Status::LimitReached);
        }
        if is_too_narrow(&parent, middle) {
            self.trouble = Some(Status::BadIntegrand);
        }
        if let Some((value, error)) = self.sums.within(options, intervals) {
            return Ok(Some(Outcome::of(value, error, self.trouble)));
        }
        if self.trouble.is_none() {
            let bisection = Bisection {
                half: size,
                error_before: parent.error,
                error_after,
                area: self.sums.area,
                error_sum: self.sums.error_sum,
                tolerance: options.tolerance(self.sums.area),
                refinement_is_useless: self.roundoff.spoils_extrapolation(),
            };
            match self.acceleration.after(&bisection, table, intervals, options) {
                Next::Bisect => return Ok(None),
                Next::Accept => {}
                Next::GiveUp => self.trouble = Some(Status::RoundoffInExtrapolation),
            }
        }
        Ok(Some(self.conclude(options, intervals)))
    }

    /// Values and errors may be so large that QUADPACK's order of operations, by which twice the integral has to be in range,
    /// takes too much of them.
    #[cold]
    fn replace_carefully<E>(
        &mut self,
        (area, error_sum): (f64, f64),
        parent: &Interval,
        (value_after, error_after): (f64, f64),
    ) -> Result<(), Halt<E>> {
        self.sums.error_sum = error_sum + (error_after - parent.error);
        self.sums.area = area + (value_after - parent.value);
        if self.sums.area.is_finite() && self.sums.error_sum.is_finite() { Ok(()) } else { Err(Halt::Overflow) }
    }

    /// The outcome if one of the halves of the selected interval could not be evaluated because the integrand is not finite at
    /// its end. Rules keep away from the ends: so it is too narrow for points to be told from them.
    #[cold]
    pub(crate) fn stuck(
        &mut self,
        is_here: impl Fn(f64) -> bool,
        options: &Options,
        intervals: &Intervals,
    ) -> Option<Outcome> {
        let parent = intervals.selected();
        [parent.a, parent.midpoint(), parent.b].into_iter().any(is_here).then(|| {
            self.trouble = Some(Status::BadIntegrand);
            self.conclude(options, intervals)
        })
    }

    #[inline(never)]
    fn conclude(&self, options: &Options, intervals: &Intervals) -> Outcome {
        let Self { ref start, sums, trouble, .. } = *self;
        let spoilt = self.roundoff.spoils_extrapolation();
        Ending { start, sums, trouble, spoilt, best: self.acceleration.best }.conclude(
            options,
            intervals,
            |error, value| error > value,
        )
    }
}

/// What is known at the end of an integration with extrapolation.
pub(crate) struct Ending<'a> {
    pub(crate) start: &'a Start,
    pub(crate) sums: Running,
    pub(crate) trouble: Option<Status>,
    /// Rounding has spoilt the sums that were extrapolated.
    pub(crate) spoilt: bool,
    pub(crate) best: Option<Limit>,
}

impl Ending<'_> {
    /// Chooses between the best limit and the plain sum, and judges whether the integral exists at all.
    ///
    /// `is_hopeless` compares the sum of the errors with the size of the sum of the values. QUADPACK has two ways, and has had
    /// them since 1983: QAGS, QAGI and QAGP doubt an integral whose error is larger than its value, QAWO doubts one
    /// whose error is as large, too.
    pub(crate) fn conclude(
        self,
        options: &Options,
        intervals: &Intervals,
        is_hopeless: impl Fn(f64, f64) -> bool,
    ) -> Outcome {
        let Self { start, sums, mut trouble, spoilt, best } = self;
        let Running { area, error_sum, .. } = sums;
        let sum = |trouble| {
            let (value, error) = intervals.totals();
            Outcome::of(value, error.max(error_sum), trouble)
        };
        let Some(Limit { value, mut error, correction }) = best else {
            return sum(trouble);
        };
        if trouble.is_some() || spoilt {
            if spoilt {
                // A difference of sums that may have lost all its digits.
                error += correction.max(0.0);
            }
            trouble = trouble.or(Some(Status::RoundoffDetected));
            let sum_is_better = if value != 0.0 && area != 0.0 {
                error / value.abs() > error_sum / area.abs()
            } else {
                error > error_sum
            };
            if sum_is_better {
                return sum(trouble);
            }
            if area == 0.0 {
                return Outcome::of(value, error, trouble);
            }
        }

        // An integrand of one sign cannot have an integral that is nothing beside its absolute value; one that changes
        // sign can, and there the following comparison means nothing.
        let one_sign = start.value.abs() >= (1.0 - 50.0 * f64::EPSILON) * start.magnitude;
        if one_sign || f64::max(value.abs(), area.abs()) > start.magnitude * 0.01 {
            let ratio = value / area;
            if !(0.01..=100.0).contains(&ratio) || is_hopeless(error_sum, area.abs()) {
                trouble = Some(Status::Divergent);
            }
        }
        if trouble.is_none() {
            // The limit is one of sums that are known no better than this.
            let drift = sums.drift(intervals);
            if error + drift > options.tolerance(value) {
                error += drift;
                trouble = Some(Status::RoundoffDetected);
            }
        }
        Outcome::of(value, error, trouble)
    }
}

/// True if the ends of an interval can hardly be told from its middle.
pub(crate) fn is_too_narrow(interval: &Interval, middle: f64) -> bool {
    is_narrower(interval, middle, 1000.0 * f64::MIN_POSITIVE)
}

/// The same, but for intervals that may have about this width wherever they are.
pub(crate) fn is_narrower(interval: &Interval, middle: f64, width: f64) -> bool {
    let outermost = f64::max(interval.a.abs(), interval.b.abs());
    outermost <= (1.0 + 100.0 * f64::EPSILON) * (middle.abs() + width)
}

/// Adds the counts, and makes an outcome of what stopped the integration.
#[inline]
pub(crate) fn report<E>(outcome: Result<Outcome, Halt<E>>, neval: usize, intervals: usize) -> Result<Quadrature, E> {
    let stopped = |status| Outcome { value: f64::NAN, error: f64::INFINITY, status };
    let outcome = match outcome {
        Ok(outcome) if outcome.value.is_finite() && outcome.error.is_finite() => outcome,
        Ok(_) | Err(Halt::Overflow) => stopped(Status::BadIntegrand),
        Err(Halt::NonFinite { at, value }) => stopped(Status::NonFinite { at, value }),
        Err(Halt::Integrand(error)) => return Err(error),
    };
    let Outcome { value, error, status } = outcome;
    Ok(Quadrature { value, error, neval, intervals: intervals.max(1), status })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: Options = Options { epsabs: 1e-8, epsrel: 0.0, limit: 50 };

    /// One interval with this value.
    fn intervals(value: f64) -> Intervals {
        let mut intervals = Intervals::default();
        let estimate = Estimate { value, error: 0.0, magnitude: value.abs(), variation: 0.0 };
        intervals.push(Interval::new(0.0, 1.0, 0, &estimate));
        intervals
    }

    /// An end with these sums of values and of errors, and a limit of 1 ± 1e-9.
    fn end(area: f64, error_sum: f64, is_hopeless: impl Fn(f64, f64) -> bool) -> Outcome {
        let start = Start { value: 1.0, error_sum, magnitude: 1.0 };
        let best = Some(Limit { value: 1.0, error: 1e-9, correction: -1.0 });
        let sums = Running::new(area, error_sum);
        let ending = Ending { start: &start, sums, trouble: None, spoilt: false, best };
        ending.conclude(&OPTIONS, &intervals(area), is_hopeless)
    }

    #[test]
    fn a_limit_is_no_better_than_the_sums_that_it_is_of() {
        for (is, status, error) in [
            (1.0, Status::Converged, 1e-9),
            (1.0 + 5e-9, Status::Converged, 1e-9),
            (1.25, Status::RoundoffDetected, 0.25),
        ] {
            let start = Start { value: 1.0, error_sum: 1.0, magnitude: 1.0 };
            let best = Some(Limit { value: 1.0, error: 1e-9, correction: 0.0 });
            let ending = Ending { start: &start, sums: Running::new(1.0, 0.5), trouble: None, spoilt: false, best };
            let outcome = ending.conclude(&OPTIONS, &intervals(is), |error, value| error > value);
            assert_eq!(outcome.status, status);
            assert!((outcome.error - error).abs() < 2e-9);
        }
    }

    #[test]
    fn an_error_as_large_as_the_value_is_hopeless_with_a_wave_only() {
        let (plain, wave) = (|error: f64, value: f64| error > value, |error: f64, value: f64| error >= value);
        for (error_sum, plain_status, wave_status) in [
            (0.5, Status::Converged, Status::Converged),
            (1.0, Status::Converged, Status::Divergent),
            (1.5, Status::Divergent, Status::Divergent),
        ] {
            assert_eq!(end(1.0, error_sum, plain).status, plain_status);
            assert_eq!(end(1.0, error_sum, wave).status, wave_status);
        }
        assert_eq!(end(0.005, 1e-3, plain).status, Status::Divergent, "limit and sum have nothing in common");
    }

    #[test]
    fn a_negative_correction_makes_no_error_smaller() {
        let start = Start { value: 1.0, error_sum: 1.0, magnitude: 1.0 };
        let best = Some(Limit { value: 1.0, error: 1e-9, correction: -1e-3 });
        let ending = Ending { start: &start, sums: Running::new(1.0, 0.5), trouble: None, spoilt: true, best };
        let outcome = ending.conclude(&OPTIONS, &intervals(1.0), |error, value| error > value);
        assert_eq!((outcome.error, outcome.status), (1e-9, Status::RoundoffDetected));
    }
}
