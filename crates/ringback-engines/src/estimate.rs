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

/// Magnitudes above this are so large that 50 rounding errors of them are normal numbers.
const HAS_FLOOR: f64 = f64::MIN_POSITIVE / (50.0 * f64::EPSILON);

impl Estimate {
    /// Of the function 0.
    pub(crate) const NOTHING: Self = Self { value: 0.0, error: 0.0, magnitude: 0.0, variation: 0.0 };

    /// Scales the sums of a rule on `[-1, 1]` to an interval of half-width `half` and judges the error.
    ///
    /// The error is the difference of the two sums, made smaller where it is small beside the variation of the
    /// integrand (the Kronrod sum is then much better than the difference tells: power 3/2 is QUADPACK's
    /// experience), and never below what rounding alone may cost.
    ///
    /// The power is taken by a square root: the general one takes longer than all the sums of a rule, for a result that
    /// differs in the last place.
    #[inline(always)]
    pub(crate) fn from_sums(kronrod: f64, gauss: f64, magnitude: f64, variation: f64, half: f64) -> Self {
        let magnitude = magnitude * half;
        let variation = variation * half;
        let distance = ((kronrod - gauss) * half).abs();
        let ratio = 200.0 * distance / variation;
        let power = ratio * ratio.sqrt();
        // False for NaN too.
        let sharpened = if power < 1.0 { variation * power } else { variation };
        // Nothing to compare with, if either is 0.
        let judged = if (variation != 0.0) & (distance != 0.0) { sharpened } else { distance };
        let floor = f64::EPSILON * 50.0 * magnitude;
        let error = if magnitude > HAS_FLOOR && floor > judged { floor } else { judged };
        Self { value: kronrod * half, error, magnitude, variation }
    }

    /// False if a value was not finite, or if finite values were too large for the sums.
    #[inline]
    pub(crate) fn is_finite(&self) -> bool {
        self.value.is_finite() && self.error.is_finite() && self.magnitude.is_finite()
    }
}
