//! What one application of a rule says about an integral, and how its error is judged.

/// What one application of a rule says about the integral over one interval.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Estimate {
    /// The Kronrod sum.
    pub(crate) value: f64,
    /// Bound on the error of `value`, judged from the distance to the Gauss sum.
    pub(crate) error: f64,
    /// The integral of the absolute value.
    pub(crate) magnitude: f64,
    /// The integral of the distance from the mean: how much the integrand varies.
    pub(crate) variation: f64,
}

impl Estimate {
    /// [`Sums::judge`] for one interval.
    #[inline]
    pub(crate) fn from_sums(kronrod: f64, gauss: f64, magnitude: f64, variation: f64, half: f64) -> Self {
        let (kronrod, gauss, magnitude, variation) = ([kronrod], [gauss], [magnitude], [variation]);
        Sums { kronrod, gauss, magnitude, variation, half: [half] }.judge().of(0)
    }

    /// False if a value was not finite, or if finite values were too large for the sums.
    #[inline]
    pub(crate) fn is_finite(&self) -> bool {
        self.value.is_finite() && self.error.is_finite() && self.magnitude.is_finite()
    }
}

/// Those for `N` intervals, side by side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Estimates<const N: usize> {
    pub(crate) value: [f64; N],
    pub(crate) error: [f64; N],
    pub(crate) magnitude: [f64; N],
    pub(crate) variation: [f64; N],
}

impl<const N: usize> Estimates<N> {
    #[inline]
    pub(crate) fn of(&self, i: usize) -> Estimate {
        let (value, error) = (self.value[i], self.error[i]);
        Estimate { value, error, magnitude: self.magnitude[i], variation: self.variation[i] }
    }

    /// See [`Estimate::is_finite`].
    #[inline]
    pub(crate) fn are_finite(&self) -> bool {
        // One comparison for all, unless they are so large that finite numbers have no sum.
        let all = (0..N).fold(0.0, |sum, i| sum + (self.value[i].abs() + self.error[i] + self.magnitude[i]));
        all.is_finite() || (0..N).all(|i| self.of(i).is_finite())
    }
}

/// The sums of a rule on `[-1, 1]` for `N` intervals, side by side.
#[derive(Debug)]
pub(crate) struct Sums<const N: usize> {
    pub(crate) kronrod: [f64; N],
    pub(crate) gauss: [f64; N],
    /// Of the absolute values.
    pub(crate) magnitude: [f64; N],
    /// Of the distances from the mean.
    pub(crate) variation: [f64; N],
    /// The half-widths of the intervals.
    pub(crate) half: [f64; N],
}

/// Magnitudes above this are so large that 50 rounding errors of them are normal numbers.
const HAS_FLOOR: f64 = f64::MIN_POSITIVE / (50.0 * f64::EPSILON);

impl<const N: usize> Sums<N> {
    pub(crate) const ZERO: Self =
        Self { kronrod: [0.0; N], gauss: [0.0; N], magnitude: [0.0; N], variation: [0.0; N], half: [0.0; N] };

    /// Scales the sums to the intervals and judges the errors.
    ///
    /// The error is the difference of the two sums, made smaller where it is small beside the variation of the
    /// integrand (the Kronrod sum is then much better than the difference tells: power 3/2 is QUADPACK's
    /// experience), and never below what rounding alone may cost.
    ///
    /// The power is taken by a square root: the general one takes longer than all the sums of a rule, for a result that
    /// differs in the last place. Nothing branches, so that the intervals stay side by side.
    #[inline(always)]
    pub(crate) fn judge(&self) -> Estimates<N> {
        let nothing = [0.0; N];
        let mut estimates = Estimates { value: nothing, error: nothing, magnitude: nothing, variation: nothing };
        for i in 0..N {
            let half = self.half[i];
            let magnitude = self.magnitude[i] * half;
            let variation = self.variation[i] * half;
            let distance = ((self.kronrod[i] - self.gauss[i]) * half).abs();
            let ratio = 200.0 * distance / variation;
            let power = ratio * ratio.sqrt();
            // False for NaN too.
            let sharpened = if power < 1.0 { variation * power } else { variation };
            // Nothing to compare with, if either is 0.
            let judged = if (variation != 0.0) & (distance != 0.0) { sharpened } else { distance };
            let floor = f64::EPSILON * 50.0 * magnitude;
            estimates.value[i] = self.kronrod[i] * half;
            estimates.error[i] = if magnitude > HAS_FLOOR && floor > judged { floor } else { judged };
            estimates.magnitude[i] = magnitude;
            estimates.variation[i] = variation;
        }
        estimates
    }
}
