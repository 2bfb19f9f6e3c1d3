//! One integral, step by step: places its points, takes the values, decides what is next.

use std::convert::Infallible;

use crate::acceleration::Acceleration;
use crate::adaptive::{Outcome, Refinement, Start, first_trouble, report};
use crate::eight::Processor;
use crate::epsilon::EpsilonTable;
use crate::intervals::{Interval, Intervals};
use crate::panel::{Halt, Panel};
use crate::rule::Rule;
use crate::{Integrand, Options, Quadrature};

/// Memory for one integral.
#[derive(Debug, Clone, Default)]
pub(crate) struct Room {
    pub(crate) panel: Panel,
    pub(crate) table: EpsilonTable,
    pub(crate) intervals: Intervals,
}

/// Integrates over one interval of the rule's variable (QAGS, QAGI).
#[inline]
pub(crate) fn over_range<I: Integrand, R: Rule>(
    integrand: &mut I,
    rule: R,
    range: (f64, f64),
    options: &Options,
    room: &mut Room,
) -> Result<Quadrature, I::Error> {
    let mut integral = Integral::new(rule, range, room);
    integral.solve(integrand, options, room)
}

/// Integrates over the adjacent intervals between successive `cuts`, two at least (QAGP).
pub(crate) fn over_partition<I: Integrand, R: Rule>(
    integrand: &mut I,
    rule: R,
    cuts: &[f64],
    options: &Options,
    room: &mut Room,
) -> Result<Quadrature, I::Error> {
    let mut integral = Integral::new(rule, (cuts[0], cuts[cuts.len() - 1]), room);
    match integral.begin_partition(integrand, cuts, options, room) {
        Ok(None) => integral.solve(integrand, options, room),
        Ok(Some(outcome)) => report(Ok(outcome), integral.neval, room.intervals.len()),
        Err(halt) => report(Err(halt), integral.neval, room.intervals.len()),
    }
}

/// An integral under way, whose memory is elsewhere. Who drives it has it place its points, evaluates the integrand
/// there, and has it draw its conclusions, until it has a result.
#[derive(Debug)]
pub(crate) struct Integral<R> {
    rule: R,
    /// In the rule's variable.
    range: (f64, f64),
    neval: usize,
    /// None before the first estimate.
    refinement: Option<Refinement>,
}

impl<R: Rule> Integral<R> {
    pub(crate) fn new(rule: R, range: (f64, f64), room: &mut Room) -> Self {
        // Many integrals need no more than one estimate, and no memory for intervals.
        room.intervals.reset(0);
        Self { rule, range, neval: 0, refinement: None }
    }

    /// Writes the points at which values are wanted next.
    #[inline]
    pub(crate) fn place(&self, processor: Processor, room: &mut Room) {
        if self.refinement.is_none() {
            room.panel.place(processor, &self.rule, [self.range]);
        } else {
            room.panel.place(processor, &self.rule, room.intervals.selected().halves());
        }
    }

    /// Gets the values there.
    ///
    /// # Errors
    /// The integrand's own.
    #[inline]
    pub(crate) fn evaluate<E>(
        &mut self,
        room: &mut Room,
        lanes: usize,
        integrand: impl FnOnce(&[f64], &mut [f64]) -> Result<(), E>,
    ) -> Result<(), E> {
        let intervals = if self.refinement.is_none() { 1 } else { 2 };
        self.neval += intervals * R::POINTS;
        room.panel.evaluate::<R, E>(intervals, lanes, integrand)
    }

    /// Turns the values into estimates. A step of its own, since many integrals can take it side by side.
    #[inline]
    pub(crate) fn reduce(&self, processor: Processor, room: &mut Room) {
        if self.refinement.is_none() {
            room.panel.reduce::<R, 1>(processor, &self.rule);
        } else {
            room.panel.reduce::<R, 2>(processor, &self.rule);
        }
    }

    /// Draws the conclusions: the result, if there is one.
    #[inline]
    pub(crate) fn settle(&mut self, options: &Options, room: &mut Room) -> Option<Quadrature> {
        let Room { panel, table, intervals } = room;
        let ended: Result<Outcome, Halt<Infallible>> = match &mut self.refinement {
            None => match panel.estimate(&self.rule, self.range) {
                Ok(first) => match Refinement::of_range(self.range, &first, options, table, intervals) {
                    Ok(refinement) => {
                        self.refinement = Some(refinement);
                        return None;
                    }
                    Err(outcome) => Ok(outcome),
                },
                Err(halt) => Err(halt),
            },
            Some(refinement) => match panel.estimates::<R, _>(2) {
                Ok(halves) => match refinement.absorb(halves, options, table, intervals) {
                    Ok(None) => return None,
                    Ok(Some(outcome)) => Ok(outcome),
                    Err(halt) => Err(halt),
                },
                Err(halt) => match halt {
                    Halt::NonFinite { at, .. } => {
                        refinement.stuck(|t| self.rule.is_place(t, at), options, intervals).ok_or(halt)
                    }
                    _ => Err(halt),
                },
            },
        };
        match report(ended, self.neval, intervals.len()) {
            Ok(result) => Some(result),
            Err(never) => match never {},
        }
    }

    fn solve<I: Integrand>(
        &mut self,
        integrand: &mut I,
        options: &Options,
        room: &mut Room,
    ) -> Result<Quadrature, I::Error> {
        let processor = Processor::new();
        let lanes = integrand.lanes();
        loop {
            self.place(processor, room);
            self.evaluate(room, lanes, |x, y| integrand.eval(x, y))?;
            self.reduce(processor, room);
            if let Some(result) = self.settle(options, room) {
                return Ok(result);
            }
        }
    }

    /// The estimates for a given partition: a result, if they will do.
    fn begin_partition<I: Integrand>(
        &mut self,
        integrand: &mut I,
        cuts: &[f64],
        options: &Options,
        room: &mut Room,
    ) -> Result<Option<Outcome>, Halt<I::Error>> {
        let processor = Processor::new();
        let Room { panel, table, intervals } = room;
        intervals.reset(options.limit);
        let (mut value, mut error, mut magnitude) = (0.0, 0.0, 0.0);
        for ends in cuts.windows(2) {
            let ends = (ends[0], ends[1]);
            panel.place(processor, &self.rule, [ends]);
            self.neval += R::POINTS;
            let lanes = integrand.lanes();
            panel.evaluate::<R, _>(1, lanes, |x, y| integrand.eval(x, y)).map_err(Halt::Integrand)?;
            panel.reduce::<R, 1>(processor, &self.rule);
            let mut estimate = panel.estimate(&self.rule, ends)?;
            error += estimate.error;
            value += estimate.value;
            magnitude += estimate.magnitude;
            if estimate.error == estimate.variation && estimate.error != 0.0 {
                // The estimate was cut off: the interval is to come first, see below.
                estimate.error = f64::INFINITY;
            }
            intervals.push(Interval::new(ends.0, ends.1, 0, &estimate));
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
            return Ok(Some(Outcome::of(value, error, trouble)));
        }
        intervals.sort();
        table.restart(value);
        let start = Start { value, error_sum, magnitude };
        self.refinement = Some(Refinement::new(start, Acceleration::of_partition(error_sum, tolerance)));
        Ok(None)
    }
}
