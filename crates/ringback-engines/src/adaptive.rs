//! Adaptive bisection with extrapolation: the algorithm of QUADPACK's QAGS, QAGI and QAGP, over any rule.

use crate::acceleration::{Acceleration, Bisection, Next};
use crate::intervals::{Interval, Intervals};
use crate::rule::{Estimate, MAX_POINTS, Rule};
use crate::{Integrand, Options, Quadrature, Status};

/// Why an integration ended before its time.
pub(crate) enum Halt<E> {
    /// The integrand failed.
    Integrand(E),
    /// It returned this value here, in the user's variable.
    NonFinite { at: f64, value: f64 },
    /// All values were finite, a sum of them was not.
    Overflow,
}

/// Room for both halves of a bisection, padded.
pub(crate) const BLOCK: usize = 64;
const _: () = assert!(BLOCK >= 2 * MAX_POINTS);

/// The integrand and the rule, with the block they exchange and the count of evaluations.
struct Sampler<'a, I, R> {
    integrand: &'a mut I,
    rule: &'a R,
    x: [f64; BLOCK],
    y: [f64; BLOCK],
    neval: usize,
}

impl<'a, I: Integrand, R: Rule> Sampler<'a, I, R> {
    #[inline]
    fn new(integrand: &'a mut I, rule: &'a R) -> Self {
        Self { integrand, rule, x: [0.0; BLOCK], y: [0.0; BLOCK], neval: 0 }
    }

    #[inline]
    fn estimate(&mut self, a: f64, b: f64) -> Result<Estimate, Halt<I::Error>> {
        self.place(0, a, b);
        self.evaluate(R::POINTS)?;
        self.judge(0, a, b)
    }

    /// Both halves of an interval, in one call of the integrand.
    #[inline]
    fn estimate_halves(&mut self, a: f64, middle: f64, b: f64) -> Result<(Estimate, Estimate), Halt<I::Error>> {
        self.place(0, a, middle);
        self.place(R::POINTS, middle, b);
        self.evaluate(2 * R::POINTS)?;
        Ok((self.judge(0, a, middle)?, self.judge(R::POINTS, middle, b)?))
    }

    /// Writes the points for an interval into the block, from `first` on.
    #[inline]
    fn place(&mut self, first: usize, a: f64, b: f64) {
        if let Some(x) = self.x[first..].first_chunk_mut() {
            self.rule.abscissas(a, b, x);
        }
    }

    #[inline]
    fn evaluate(&mut self, points: usize) -> Result<(), Halt<I::Error>> {
        let padded = points.next_multiple_of(self.integrand.lanes().max(1));
        let n = if padded <= BLOCK { padded } else { points };
        let last = self.x[points - 1];
        self.x[points..n].fill(last);
        self.integrand.eval(&self.x[..n], &mut self.y[..n]).map_err(Halt::Integrand)?;
        self.neval += points;
        Ok(())
    }

    #[inline]
    fn judge(&self, first: usize, a: f64, b: f64) -> Result<Estimate, Halt<I::Error>> {
        let estimate = match self.y[first..].first_chunk() {
            Some(y) => self.rule.reduce(a, b, y),
            None => return Err(Halt::Overflow),
        };
        if estimate.is_finite() { Ok(estimate) } else { Err(self.culprit(first)) }
    }

    #[cold]
    fn culprit(&self, first: usize) -> Halt<I::Error> {
        let points = self.x.iter().zip(&self.y).skip(first).take(R::POINTS);
        match points.into_iter().find(|(_, y)| !y.is_finite()) {
            Some((x, y)) => Halt::NonFinite { at: *x, value: *y },
            None => Halt::Overflow,
        }
    }
}

/// What is known of the integral before the first bisection.
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

/// Integrates over one interval of the rule's variable (QAGS, QAGI).
#[inline]
pub(crate) fn over_range<I: Integrand, R: Rule>(
    integrand: &mut I,
    rule: &R,
    (a, b): (f64, f64),
    options: &Options,
    intervals: &mut Intervals,
) -> Result<Quadrature, I::Error> {
    let mut sampler = Sampler::new(integrand, rule);
    intervals.reset(0);
    let outcome = range(&mut sampler, (a, b), options, intervals);
    report(outcome, sampler.neval, intervals.len())
}

fn range<I: Integrand, R: Rule>(
    sampler: &mut Sampler<'_, I, R>,
    (a, b): (f64, f64),
    options: &Options,
    intervals: &mut Intervals,
) -> Result<Outcome, Halt<I::Error>> {
    let first = sampler.estimate(a, b)?;
    let tolerance = options.tolerance(first.value);
    let trouble = first_trouble(first.error, first.magnitude, tolerance, 1, options);
    // An error as large as the variation is a first guess that was cut off, no reason to be content.
    let content = first.error <= tolerance && first.error != first.variation;
    if trouble.is_some() || content || first.error == 0.0 {
        return Ok(Outcome::of(first.value, first.error, trouble));
    }
    // Many integrals do not come this far, and need no memory.
    intervals.reset(options.limit);
    intervals.push(Interval::new(a, b, 0, &first));
    let start = Start { value: first.value, error_sum: first.error, magnitude: first.magnitude };
    refine(sampler, &start, Acceleration::of_range(first.value, b - a), options, intervals)
}

/// Integrates over the adjacent intervals between successive `cuts`, two at least (QAGP).
#[inline]
pub(crate) fn over_partition<I: Integrand, R: Rule>(
    integrand: &mut I,
    rule: &R,
    cuts: &[f64],
    options: &Options,
    intervals: &mut Intervals,
) -> Result<Quadrature, I::Error> {
    let mut sampler = Sampler::new(integrand, rule);
    intervals.reset(options.limit);
    let outcome = partition(&mut sampler, cuts, options, intervals);
    report(outcome, sampler.neval, intervals.len())
}

fn partition<I: Integrand, R: Rule>(
    sampler: &mut Sampler<'_, I, R>,
    cuts: &[f64],
    options: &Options,
    intervals: &mut Intervals,
) -> Result<Outcome, Halt<I::Error>> {
    let (mut value, mut error, mut magnitude) = (0.0, 0.0, 0.0);
    for ends in cuts.windows(2) {
        let mut estimate = sampler.estimate(ends[0], ends[1])?;
        error += estimate.error;
        value += estimate.value;
        magnitude += estimate.magnitude;
        if estimate.error == estimate.variation && estimate.error != 0.0 {
            // The estimate was cut off: the interval is to come first, see below.
            estimate.error = f64::INFINITY;
        }
        intervals.push(Interval::new(ends[0], ends[1], 0, &estimate));
    }
    let mut error_sum = 0.0;
    for interval in intervals.iter_mut() {
        if interval.error == f64::INFINITY {
            interval.error = error;
        }
        error_sum += interval.error;
    }
    if !(value.is_finite() && error_sum.is_finite() && magnitude.is_finite()) {
        return Err(Halt::Overflow);
    }

    let tolerance = options.tolerance(value);
    let trouble = first_trouble(error, magnitude, tolerance, intervals.len(), options);
    if trouble.is_some() || error <= tolerance {
        return Ok(Outcome::of(value, error, trouble));
    }
    intervals.sort();
    let start = Start { value, error_sum, magnitude };
    refine(sampler, &start, Acceleration::of_partition(value, error_sum, tolerance), options, intervals)
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
#[derive(Default)]
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

fn refine<I: Integrand, R: Rule>(
    sampler: &mut Sampler<'_, I, R>,
    start: &Start,
    mut acceleration: Acceleration,
    options: &Options,
    intervals: &mut Intervals,
) -> Result<Outcome, Halt<I::Error>> {
    let mut area = start.value;
    let mut error_sum = start.error_sum;
    let mut roundoff = Roundoff::default();
    let mut trouble = None;
    while intervals.len() < options.limit {
        let parent = *intervals.selected();
        let middle = parent.midpoint();
        let (left, right) = sampler.estimate_halves(parent.a, middle, parent.b)?;

        let error_after = left.error + right.error;
        error_sum = error_sum + error_after - parent.error;
        area = area + (left.value + right.value) - parent.value;
        if !(area.is_finite() && error_sum.is_finite()) {
            return Err(Halt::Overflow);
        }
        roundoff.observe(&parent, &left, &right, intervals.len() > 9, acceleration.refining);

        let left = Interval::new(parent.a, middle, parent.level + 1, &left);
        intervals.split(left, Interval::new(middle, parent.b, parent.level + 1, &right));

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
        let tolerance = options.tolerance(area);
        if error_sum <= tolerance {
            return Ok(Outcome::of(intervals.total(), error_sum, trouble));
        }
        if trouble.is_some() {
            break;
        }
        let bisection = Bisection {
            half: &left,
            error_before: parent.error,
            error_after,
            area,
            error_sum,
            tolerance,
            refinement_is_useless: roundoff.spoils_extrapolation(),
        };
        match acceleration.after(&bisection, intervals, options) {
            Next::Bisect => {}
            Next::Accept => break,
            Next::GiveUp => {
                trouble = Some(Status::RoundoffInExtrapolation);
                break;
            }
        }
    }
    let spoilt = roundoff.spoils_extrapolation();
    Ok(conclude(start, &acceleration, (area, error_sum), (trouble, spoilt), intervals))
}

/// True if the ends of an interval can hardly be told from its middle.
pub(crate) fn is_too_narrow(interval: &Interval, middle: f64) -> bool {
    let outermost = f64::max(interval.a.abs(), interval.b.abs());
    outermost <= (1.0 + 100.0 * f64::EPSILON) * (middle.abs() + 1000.0 * f64::MIN_POSITIVE)
}

/// Chooses between the best limit and the plain sum, and judges whether the integral exists at all.
fn conclude(
    start: &Start,
    acceleration: &Acceleration,
    (area, error_sum): (f64, f64),
    (mut trouble, spoilt): (Option<Status>, bool),
    intervals: &Intervals,
) -> Outcome {
    let sum = |trouble| Outcome::of(intervals.total(), error_sum, trouble);
    let Some(best) = acceleration.best else {
        return sum(trouble);
    };
    let value = best.value;
    let mut error = best.error;
    if trouble.is_some() || spoilt {
        if spoilt {
            error += best.correction;
        }
        trouble = trouble.or(Some(Status::RoundoffDetected));
        let sum_is_better =
            if value != 0.0 && area != 0.0 { error / value.abs() > error_sum / area.abs() } else { error > error_sum };
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
        if !(0.01..=100.0).contains(&ratio) || error_sum > area.abs() {
            trouble = Some(Status::Divergent);
        }
    }
    Outcome::of(value, error, trouble)
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
