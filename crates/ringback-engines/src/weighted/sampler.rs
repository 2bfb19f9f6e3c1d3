//! Rules for a function times a weight, and the blocks in which they have the function evaluated.

use super::chebyshev::{Degrees, POINTS_25, points_25};
use super::kronrod::{POINTS_15, points_15, reduce_15};
use crate::Integrand;
use crate::estimate::Estimate;
use crate::panel::{BLOCK, Halt};

/// One interval that a rule is to be applied to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) a: f64,
    pub(crate) b: f64,
    /// How many bisections led to it.
    pub(crate) level: usize,
    /// The right one of two halves that are integrated together.
    pub(crate) second: bool,
}

/// How the integral over an interval is computed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scheme {
    /// The weight is smooth there and belongs to the integrand: the 15-point Kronrod rule.
    Kronrod,
    /// It is not: expansion of the function alone, with the moments of the weight.
    Expansion,
}

impl Scheme {
    #[inline]
    fn points(self) -> usize {
        match self {
            Self::Kronrod => POINTS_15,
            Self::Expansion => POINTS_25,
        }
    }
}

/// A weight, with its rules.
pub(crate) trait WeightedRule {
    /// The rule for an interval.
    fn scheme(&self, cell: &Cell) -> Scheme;

    /// The weight at a point, where [`Scheme::Kronrod`] needs it.
    fn weight(&self, x: f64) -> f64;

    /// Turns the values at [`points_25`] into an estimate.
    fn expand(&mut self, cell: &Cell, y: &Degrees) -> Estimate;
}

/// The integrand and the rule, with the block they exchange and the count of evaluations.
pub(crate) struct Sampler<'a, I, W> {
    integrand: &'a mut I,
    pub(crate) rule: W,
    x: [f64; BLOCK],
    y: [f64; BLOCK],
    pub(crate) neval: usize,
}

const _: () = assert!(BLOCK >= 2 * POINTS_25);

impl<'a, I: Integrand, W: WeightedRule> Sampler<'a, I, W> {
    pub(crate) fn new(integrand: &'a mut I, rule: W) -> Self {
        Self { integrand, rule, x: [0.0; BLOCK], y: [0.0; BLOCK], neval: 0 }
    }

    pub(crate) fn estimate(&mut self, a: f64, b: f64) -> Result<Estimate, Halt<I::Error>> {
        let cell = Cell { a, b, level: 0, second: false };
        let n = self.place(0, &cell);
        self.evaluate(n)?;
        self.judge(0, &cell)
    }

    /// Both parts of an interval that was divided in the middle, in one call of the integrand.
    pub(crate) fn estimate_halves(
        &mut self,
        a: f64,
        middle: f64,
        b: f64,
        level: usize,
    ) -> Result<(Estimate, Estimate), Halt<I::Error>> {
        let left = Cell { a, b: middle, level, second: false };
        let right = Cell { a: middle, b, level, second: true };
        let first = self.place(0, &left);
        let n = self.place(first, &right);
        self.evaluate(n)?;
        Ok((self.judge(0, &left)?, self.judge(first, &right)?))
    }

    /// Writes the points for an interval into the block, from `first` on; returns where the next ones go.
    fn place(&mut self, first: usize, cell: &Cell) -> usize {
        let scheme = self.rule.scheme(cell);
        let next = first + scheme.points();
        let x = &mut self.x[first..next];
        match scheme {
            Scheme::Kronrod => x.copy_from_slice(&points_15(cell.a, cell.b)),
            Scheme::Expansion => x.copy_from_slice(&points_25(cell.a, cell.b)),
        }
        next
    }

    fn evaluate(&mut self, points: usize) -> Result<(), Halt<I::Error>> {
        let padded = points.next_multiple_of(self.integrand.lanes().max(1));
        let n = if padded <= BLOCK { padded } else { points };
        let last = self.x[points - 1];
        self.x[points..n].fill(last);
        self.integrand.eval(&self.x[..n], &mut self.y[..n]).map_err(Halt::Integrand)?;
        self.neval += points;
        Ok(())
    }

    fn judge(&mut self, first: usize, cell: &Cell) -> Result<Estimate, Halt<I::Error>> {
        let scheme = self.rule.scheme(cell);
        let estimate = match scheme {
            Scheme::Kronrod => {
                let mut v = [0.0; POINTS_15];
                for (i, v) in v.iter_mut().enumerate() {
                    *v = self.y[first + i] * self.rule.weight(self.x[first + i]);
                }
                reduce_15(cell.a, cell.b, &v)
            }
            Scheme::Expansion => {
                let mut y = [0.0; POINTS_25];
                y.copy_from_slice(&self.y[first..first + POINTS_25]);
                self.rule.expand(cell, &y)
            }
        };
        if estimate.is_finite() { Ok(estimate) } else { Err(self.culprit(first, scheme.points())) }
    }

    #[cold]
    fn culprit(&self, first: usize, points: usize) -> Halt<I::Error> {
        let mut values = self.x.iter().zip(&self.y).skip(first).take(points);
        match values.find(|(_, y)| !y.is_finite()) {
            Some((x, y)) => Halt::NonFinite { at: *x, value: *y },
            None => Halt::Overflow,
        }
    }
}
