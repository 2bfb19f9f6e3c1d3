//! The points for one interval, or for both halves of one, and the integrand's values there: one call of the integrand.

use crate::eight::{EIGHT, Eight, Processor, Simd, WithSimd};
use crate::estimate::{Estimate, Estimates, Sums};
use crate::rule::{MOST, Rule, Slopes, half_width, midpoint};

/// Why an integration ended before its time.
#[derive(Debug)]
pub(crate) enum Halt<E> {
    /// The integrand failed.
    Integrand(E),
    /// It returned this value here, in the user's variable.
    NonFinite { at: f64, value: f64 },
    /// All values were finite, a sum of them was not.
    Overflow,
}

/// Room for both halves of a bisection, padded.
pub(crate) const BLOCK: usize = 2 * MOST;

type Places = [[f64; EIGHT]; BLOCK / EIGHT];

/// The points and the values. What earlier integrals left there has no influence.
///
/// Aligned to lines of the cache: a vector that lies across two of them takes twice the time.
#[derive(Debug, Clone, Default)]
#[repr(align(64))]
pub(crate) struct Panel {
    x: Places,
    y: Places,
    slopes: [Slopes; 2],
    /// Widths of the intervals. Where there is one interval, the second is that of an earlier one: its sums are 0.
    widths: [f64; 2],
    estimates: Estimates,
}

impl Panel {
    /// Writes the points for these intervals.
    #[inline]
    pub(crate) fn place<R: Rule, const N: usize>(&mut self, processor: Processor, rule: &R, ends: [(f64, f64); N]) {
        const { assert!(R::PLACES <= MOST && N <= 2) }
        processor.run(Place { rule, ends, panel: self });
    }

    /// Evaluates the integrand at the points for so many intervals. It is asked for a multiple of `lanes` points, of which
    /// some repeat others; for just those that count if it does one at a time.
    ///
    /// # Errors
    /// The integrand's own.
    #[inline]
    pub(crate) fn evaluate<R: Rule, E>(
        &mut self,
        intervals: usize,
        lanes: usize,
        integrand: impl FnOnce(&[f64], &mut [f64]) -> Result<(), E>,
    ) -> Result<(), E> {
        let places = intervals * R::PLACES;
        let padded = places.next_multiple_of(lanes.max(1));
        if lanes < 2 || padded > BLOCK {
            return self.evaluate_compactly::<R, E>(intervals, integrand);
        }
        let x = self.x.as_flattened_mut();
        if padded > places {
            let last = x[places - 1];
            x[places..padded].fill(last);
        }
        integrand(&x[..padded], &mut self.y.as_flattened_mut()[..padded])
    }

    #[inline]
    fn evaluate_compactly<R: Rule, E>(
        &mut self,
        intervals: usize,
        integrand: impl FnOnce(&[f64], &mut [f64]) -> Result<(), E>,
    ) -> Result<(), E> {
        let width = R::VECTORS * EIGHT;
        let (x, y) = (self.x.as_flattened_mut(), self.y.as_flattened_mut());
        let rows = intervals * R::ROWS;
        for row in 1..rows {
            x.copy_within(row * width..row * width + R::COLUMNS, row * R::COLUMNS);
        }
        let points = rows * R::COLUMNS;
        integrand(&x[..points], &mut y[..points])?;
        for row in (0..rows).rev() {
            for values in [&mut *x, &mut *y] {
                values.copy_within(row * R::COLUMNS..(row + 1) * R::COLUMNS, row * width);
                // As if it had been asked for: without a weight, but zeros have signs.
                let centre = values[row * width + R::CENTRE];
                values[row * width + R::COLUMNS..(row + 1) * width].fill(centre);
            }
        }
        Ok(())
    }

    /// Turns the values into an estimate for each of `N` intervals: see [`estimates`](Self::estimates).
    #[inline]
    pub(crate) fn reduce<R: Rule, const N: usize>(&mut self, processor: Processor, rule: &R) {
        processor.run(Reduce::<R, N> { rule, panel: self });
    }

    /// The estimates for so many intervals.
    ///
    /// # Errors
    /// What a sum that is not finite is due to.
    #[inline]
    pub(crate) fn estimates<R: Rule, E>(&self, intervals: usize) -> Result<&Estimates, Halt<E>> {
        if self.estimates.are_finite() { Ok(&self.estimates) } else { Err(self.culprit(intervals * R::PLACES)) }
    }

    /// The estimate for one interval, which ends here.
    ///
    /// # Errors
    /// Those of [`estimates`](Self::estimates).
    #[inline]
    pub(crate) fn estimate<R: Rule, E>(&mut self, rule: &R, ends: (f64, f64)) -> Result<Estimate, Halt<E>> {
        if !self.estimates.are_finite() {
            self.reduce_widest(rule, ends);
        }
        Ok(self.estimates::<R, E>(1)?.of(0))
    }

    /// Takes the sums again if the width of the interval is out of range, where half of it is not.
    #[cold]
    fn reduce_widest<R: Rule>(&mut self, rule: &R, (a, b): (f64, f64)) {
        if self.widths[0] == f64::INFINITY {
            self.widths[0] = half_width(a, b);
            self.reduce::<R, 1>(Processor::new(), rule);
            self.estimates.0.iter_mut().for_each(|number| *number *= 2.0);
        }
    }

    #[cold]
    fn culprit<E>(&self, places: usize) -> Halt<E> {
        let mut points = self.x.as_flattened().iter().zip(self.y.as_flattened()).take(places);
        match points.find(|(_, y)| !y.is_finite()) {
            Some((x, y)) => Halt::NonFinite { at: *x, value: *y },
            None => Halt::Overflow,
        }
    }
}

struct Place<'a, R, const N: usize> {
    rule: &'a R,
    ends: [(f64, f64); N],
    panel: &'a mut Panel,
}

impl<R: Rule, const N: usize> WithSimd for Place<'_, R, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { rule, ends, panel } = self;
        #[allow(clippy::needless_range_loop, reason = "what of an iterator is not inlined has no vectors")]
        for i in 0..N {
            let first = i * R::PLACES / EIGHT;
            let x = &mut panel.x[first..first + R::PLACES / EIGHT];
            let (a, b) = ends[i];
            // Intervals on both sides of zero get mirror images of each other's points, each in the same place: what an odd
            // function has on one side cancels what it has on the other to the last bit.
            let half = half_width(a, b).copysign(a + b);
            rule.abscissas(simd, midpoint(a, b), half, x, &mut panel.slopes[i]);
            panel.widths[i] = b - a;
        }
    }
}

struct Reduce<'a, R, const N: usize> {
    rule: &'a R,
    panel: &'a mut Panel,
}

impl<R: Rule, const N: usize> WithSimd for Reduce<'_, R, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { rule, panel } = self;
        let widths = panel.widths;
        let mut sums = Sums { widths: if R::SCALES { [1.0; 2] } else { widths }, ..Sums::default() };
        #[allow(clippy::needless_range_loop, reason = "what of an iterator is not inlined has no vectors")]
        for i in 0..N {
            let first = i * R::PLACES / EIGHT;
            let y = &panel.y[first..first + R::PLACES / EIGHT];
            rule.reduce(simd, y, &panel.slopes[i], widths[i], &mut sums, i);
        }
        Eight::load(simd, &sums.judge()).store(&mut panel.estimates.0);
    }
}
