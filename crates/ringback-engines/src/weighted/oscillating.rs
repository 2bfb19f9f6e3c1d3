//! Finite ranges with the weight `cos(ω x)` or `sin(ω x)`: adaptive bisection with extrapolation, QUADPACK's QAWO.
//!
//! The strategy is that of [`acceleration`](crate::acceleration), with one more condition: as long as intervals hold
//! many oscillations, the error has nothing of a geometric series. Extrapolation begins with intervals so short that the
//! Kronrod rule is used for them.

use super::fourier::Oscillating;
use super::sampler::Sampler;
use crate::acceleration::Limit;
use crate::adaptive::{Ending, Outcome, Roundoff, Start, first_trouble, is_narrower, is_too_narrow};
use crate::epsilon::EpsilonTable;
use crate::intervals::{Interval, Intervals};
use crate::panel::Halt;
use crate::running::Running;
use crate::{Integrand, Options, Status};

/// What is to be done after a bisection.
#[derive(PartialEq)]
enum Next {
    Bisect,
    /// The limit is good enough.
    Accept,
    /// Extrapolation gets nowhere; it may all the same have met the tolerance just now.
    GiveUp,
}

/// Sums and errors after a bisection.
struct Bisection {
    width: f64,
    error_before: f64,
    error_after: f64,
    area: f64,
    error_sum: f64,
    tolerance: f64,
    refinement_is_useless: bool,
}

/// The state of the extrapolation.
struct Acceleration {
    omega: f64,
    table: Option<EpsilonTable>,
    /// Intervals wider than this are to be refined before an extrapolation.
    small: f64,
    /// Intervals are short enough beside the oscillations.
    allowed: bool,
    started: bool,
    refining: bool,
    exhausted: bool,
    large_error: f64,
    target: f64,
    stalled: u32,
    best: Option<Limit>,
}

impl Acceleration {
    fn new(value: f64, width: f64, omega: f64) -> Self {
        let table = (0.5 * width * omega <= 2.0).then(|| EpsilonTable::new(value));
        Self {
            omega,
            allowed: table.is_some() || 0.25 * width * omega <= 2.0,
            table,
            small: width * 0.75,
            started: false,
            refining: false,
            exhausted: false,
            large_error: 0.0,
            target: 0.0,
            stalled: 0,
            best: None,
        }
    }

    /// Appends a total; returns how many there are.
    fn push(&mut self, area: f64) -> usize {
        match &mut self.table {
            Some(table) => {
                table.push(area);
                table.len()
            }
            None => {
                self.table = Some(EpsilonTable::new(area));
                1
            }
        }
    }

    fn begin(&mut self, done: &Bisection) {
        self.target = done.tolerance;
        self.large_error = done.error_sum;
    }

    /// Takes note of a bisection, extrapolates if the time has come, and selects the interval to be bisected next.
    fn after(&mut self, done: &Bisection, intervals: &mut Intervals, options: &Options) -> Next {
        let first = !std::mem::replace(&mut self.started, true);
        if first && self.allowed {
            self.small *= 0.5;
            self.push(done.area);
            self.begin(done);
            return Next::Bisect;
        }
        if self.exhausted {
            return Next::Bisect;
        }
        if self.allowed {
            self.large_error -= done.error_before;
            if done.width > self.small {
                self.large_error += done.error_after;
            }
        }

        let mut rank = intervals.rank();
        if !self.refining {
            let width = intervals.selected().width();
            if width > self.small {
                return Next::Bisect;
            }
            if !self.allowed {
                self.small *= 0.5;
                if 0.25 * width * self.omega <= 2.0 {
                    self.allowed = true;
                    self.begin(done);
                }
                return Next::Bisect;
            }
            self.refining = true;
            // The worst interval is a smallest one: leave it for later and look at the others.
            rank = 1;
        }
        let small = self.small;
        if !done.refinement_is_useless
            && self.large_error > self.target
            && intervals.select_where(rank, |interval| interval.width() > small)
        {
            return Next::Bisect;
        }

        let next = self.extrapolate(done, options);
        if next == Next::Bisect {
            intervals.select_worst();
            self.refining = false;
            self.small *= 0.5;
            self.large_error = done.error_sum;
        }
        next
    }

    fn extrapolate(&mut self, done: &Bisection, options: &Options) -> Next {
        if self.push(done.area) < 3 {
            return Next::Bisect;
        }
        let Some(table) = &mut self.table else {
            return Next::Bisect;
        };
        let found = table.extrapolate();
        let best_error = self.best.map_or(f64::MAX, |best| best.error);
        self.stalled += 1;
        let hopeless = self.stalled > 5 && best_error < 1e-3 * done.error_sum;
        self.exhausted = table.len() == 1;
        if found.error < best_error {
            self.stalled = 0;
            self.best = Some(Limit { value: found.value, error: found.error, correction: self.large_error });
            self.target = options.tolerance(found.value);
            if found.error <= self.target {
                return if hopeless { Next::GiveUp } else { Next::Accept };
            }
        }
        if hopeless { Next::GiveUp } else { Next::Bisect }
    }
}

/// Integrates over `[a, b]`, without the sign of a negative frequency.
pub(crate) fn over_range<I: Integrand>(
    sampler: &mut Sampler<'_, I, Oscillating>,
    (a, b): (f64, f64),
    options: &Options,
    intervals: &mut Intervals,
) -> Result<Outcome, Halt<I::Error>> {
    intervals.reset(0);
    let first = sampler.estimate(a, b)?;
    let tolerance = options.tolerance(first.value);
    let trouble = first_trouble(first.error, first.magnitude, tolerance, 1, options);
    if trouble.is_some() || first.error <= tolerance {
        return Ok(Outcome::of(first.value, first.error, trouble));
    }
    intervals.reset(options.limit);
    intervals.push(Interval::new(a, b, 0, &first));
    let start = Start { value: first.value, error_sum: first.error, magnitude: first.magnitude };
    refine(sampler, &start, b - a, options, intervals)
}

fn refine<I: Integrand>(
    sampler: &mut Sampler<'_, I, Oscillating>,
    start: &Start,
    width: f64,
    options: &Options,
    intervals: &mut Intervals,
) -> Result<Outcome, Halt<I::Error>> {
    let mut acceleration = Acceleration::new(start.value, width, sampler.rule.omega());
    let mut sums = Running::new(start.value, start.error_sum);
    let mut roundoff = Roundoff::default();
    let mut trouble = None;
    while intervals.len() < options.limit {
        let parent = *intervals.selected();
        let middle = parent.midpoint();
        let level = parent.level + 1;
        let (left, right) = match sampler.estimate_halves(parent.a, middle, parent.b, level) {
            // The rule has points at the ends. Bisection has come as close to a singularity as it can.
            Err(Halt::NonFinite { .. }) if is_narrower(&parent, middle, 1000.0 * f64::EPSILON) => {
                trouble = Some(Status::BadIntegrand);
                break;
            }
            other => other?,
        };

        let error_after = left.error + right.error;
        sums.error_sum = sums.error_sum + error_after - parent.error;
        sums.area = sums.area + (left.value + right.value) - parent.value;
        if !(sums.area.is_finite() && sums.error_sum.is_finite()) {
            return Err(Halt::Overflow);
        }
        roundoff.observe(&parent, &left, &right, intervals.len() > 9, acceleration.refining);
        let left = Interval::new(parent.a, middle, level, &left);
        intervals.split(left, Interval::new(middle, parent.b, level, &right));

        // The later ones are the graver ones.
        if roundoff.detected() {
            trouble = Some(Status::RoundoffDetected);
        }
        if intervals.len() == options.limit {
            trouble = Some(Status::LimitReached);
        }
        if is_too_narrow(&parent, middle) {
            trouble = Some(Status::BadIntegrand);
        }
        if let Some((value, error)) = sums.within(options, intervals) {
            return Ok(Outcome::of(value, error, trouble));
        }
        if trouble.is_some() {
            break;
        }
        let done = Bisection {
            width: left.width(),
            error_before: parent.error,
            error_after,
            area: sums.area,
            error_sum: sums.error_sum,
            tolerance: options.tolerance(sums.area),
            refinement_is_useless: roundoff.spoils_extrapolation(),
        };
        match acceleration.after(&done, intervals, options) {
            Next::Bisect => {}
            Next::Accept => break,
            Next::GiveUp => {
                trouble = Some(Status::RoundoffInExtrapolation);
                break;
            }
        }
    }
    let spoilt = roundoff.spoils_extrapolation();
    let ending = Ending { start, sums, trouble, spoilt, best: acceleration.best };
    Ok(ending.conclude(options, intervals, |error, value| error >= value))
}
