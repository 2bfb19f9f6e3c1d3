//! The integrand and the rule: one interval, or both halves of one, in one call of the integrand.

use crate::Integrand;
use crate::eight::{EIGHT, Processor, Simd, WithSimd};
use crate::estimate::Estimate;
use crate::rule::{MOST, Rule, Slopes};

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
pub(crate) const BLOCK: usize = 2 * MOST;

/// Aligned to lines of the cache: a vector that lies across two of them takes twice the time.
#[repr(align(64))]
struct Aligned<T>(T);

type Places = [[f64; EIGHT]; BLOCK / EIGHT];

/// The integrand and the rule, with the block they exchange and the count of evaluations.
pub(crate) struct Sampler<'a, I, R> {
    processor: Processor,
    integrand: &'a mut I,
    rule: R,
    x: Aligned<Places>,
    y: Aligned<Places>,
    slopes: Aligned<[Slopes; 2]>,
    pub(crate) neval: usize,
}

impl<'a, I: Integrand, R: Rule> Sampler<'a, I, R> {
    #[inline]
    pub(crate) fn new(integrand: &'a mut I, rule: R) -> Self {
        const { assert!(R::PLACES <= MOST) }
        let nothing = [[0.0; EIGHT]; BLOCK / EIGHT];
        let slopes = [[[0.0; EIGHT]; 2]; 2];
        Self {
            processor: Processor::new(),
            integrand,
            rule,
            x: Aligned(nothing),
            y: Aligned(nothing),
            slopes: Aligned(slopes),
            neval: 0,
        }
    }

    #[inline]
    pub(crate) fn estimate(&mut self, a: f64, b: f64) -> Result<Estimate, Halt<I::Error>> {
        let [estimate] = self.estimates([(a, b)])?;
        Ok(estimate)
    }

    /// Both halves of an interval, in one call of the integrand.
    #[inline]
    pub(crate) fn estimate_halves(&mut self, a: f64, middle: f64, b: f64) -> Result<[Estimate; 2], Halt<I::Error>> {
        self.estimates([(a, middle), (middle, b)])
    }

    #[inline]
    fn estimates<const N: usize>(&mut self, ends: [(f64, f64); N]) -> Result<[Estimate; N], Halt<I::Error>> {
        let Self { processor, ref rule, x: Aligned(ref mut x), slopes: Aligned(ref mut slopes), .. } = *self;
        processor.run(Place { rule, ends, x, slopes });
        self.evaluate(N)?;
        let Self { ref rule, y: Aligned(ref y), slopes: Aligned(ref slopes), .. } = *self;
        let estimates = processor.run(Reduce { rule, ends, y, slopes });
        if estimates.iter().all(Estimate::is_finite) { Ok(estimates) } else { Err(self.culprit(N)) }
    }

    /// Evaluates the integrand at the points for so many intervals.
    #[inline]
    fn evaluate(&mut self, intervals: usize) -> Result<(), Halt<I::Error>> {
        self.neval += intervals * R::POINTS;
        let places = intervals * R::PLACES;
        let lanes = self.integrand.lanes();
        let padded = places.next_multiple_of(lanes.max(1));
        if lanes < 2 || padded > BLOCK {
            return self.evaluate_compactly(intervals);
        }
        let x = self.x.0.as_flattened_mut();
        if padded > places {
            let last = x[places - 1];
            x[places..padded].fill(last);
        }
        self.integrand.eval(&x[..padded], &mut self.y.0.as_flattened_mut()[..padded]).map_err(Halt::Integrand)
    }

    /// The same without the places that do not count, for integrands that are called once for each point.
    #[inline]
    fn evaluate_compactly(&mut self, intervals: usize) -> Result<(), Halt<I::Error>> {
        let width = R::VECTORS * EIGHT;
        let (x, y) = (self.x.0.as_flattened_mut(), self.y.0.as_flattened_mut());
        let rows = intervals * R::ROWS;
        for row in 1..rows {
            x.copy_within(row * width..row * width + R::COLUMNS, row * R::COLUMNS);
        }
        let points = rows * R::COLUMNS;
        self.integrand.eval(&x[..points], &mut y[..points]).map_err(Halt::Integrand)?;
        for row in (0..rows).rev() {
            for values in [&mut *x, &mut *y] {
                values.copy_within(row * R::COLUMNS..(row + 1) * R::COLUMNS, row * width);
                // Without a weight, but it is to be a number.
                values[row * width + R::COLUMNS..(row + 1) * width].fill(0.0);
            }
        }
        Ok(())
    }

    /// Why the sums are not finite.
    #[cold]
    fn culprit(&self, intervals: usize) -> Halt<I::Error> {
        let points = self.x.0.as_flattened().iter().zip(self.y.0.as_flattened()).take(intervals * R::PLACES);
        match points.into_iter().find(|(_, y)| !y.is_finite()) {
            Some((x, y)) => Halt::NonFinite { at: *x, value: *y },
            None => Halt::Overflow,
        }
    }
}

/// Writes the points of a rule for `N` intervals.
struct Place<'a, R, const N: usize> {
    rule: &'a R,
    ends: [(f64, f64); N],
    x: &'a mut Places,
    slopes: &'a mut [Slopes; 2],
}

impl<R: Rule, const N: usize> WithSimd for Place<'_, R, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { rule, ends, x, slopes } = self;
        for (i, (a, b)) in ends.into_iter().enumerate() {
            let first = i * R::PLACES / EIGHT;
            rule.abscissas(simd, a, b, &mut x[first..first + R::PLACES / EIGHT], &mut slopes[i]);
        }
    }
}

/// Turns the values into an estimate for each of them.
struct Reduce<'a, R, const N: usize> {
    rule: &'a R,
    ends: [(f64, f64); N],
    y: &'a Places,
    slopes: &'a [Slopes; 2],
}

impl<R: Rule, const N: usize> WithSimd for Reduce<'_, R, N> {
    type Output = [Estimate; N];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> [Estimate; N] {
        let Self { rule, ends, y, slopes } = self;
        let mut estimates = [Estimate::NOTHING; N];
        for (i, (a, b)) in ends.into_iter().enumerate() {
            let first = i * R::PLACES / EIGHT;
            estimates[i] = rule.reduce(simd, a, b, &y[first..first + R::PLACES / EIGHT], &slopes[i]);
        }
        estimates
    }
}
