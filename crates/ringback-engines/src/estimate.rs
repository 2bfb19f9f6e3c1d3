//! What one application of a rule says about an integral, and how its error is judged.

use crate::eight::EIGHT;

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
    pub(crate) fn from_means(kronrod: f64, gauss: f64, magnitude: f64, variation: f64, width: f64) -> Self {
        let two = |number| [number, 0.0];
        let (kronrod, gauss, widths) = (two(kronrod), two(gauss), two(width));
        let sums = Sums { kronrod, gauss, magnitude: two(magnitude), variation: two(variation), widths };
        Estimates(sums.judge()).of(0)
    }

    /// False if a value was not finite, or if finite values were too large for the sums.
    #[inline]
    pub(crate) fn is_finite(&self) -> bool {
        self.value.is_finite() && self.error.is_finite() && self.magnitude.is_finite()
    }
}

/// The estimates for two intervals side by side, or for one beside nothing: both values, both errors, and so on.
///
/// They are written as one vector. Processors that have to put together from two stores what one instruction loads take as
/// long for it as for half a rule, and compilers choose such instructions.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
pub(crate) struct Estimates(pub(crate) [f64; EIGHT]);

impl Estimates {
    #[inline]
    pub(crate) fn of(&self, i: usize) -> Estimate {
        let all = &self.0;
        Estimate { value: all[i], error: all[2 + i], magnitude: all[4 + i], variation: all[6 + i] }
    }

    /// See [`Estimate::is_finite`].
    #[inline]
    pub(crate) fn are_finite(&self) -> bool {
        let all = &self.0;
        // One comparison, unless they are so large that finite numbers have no sum.
        let sum = (all[0].abs() + all[1].abs()) + (all[2] + all[3]) + (all[4] + all[5]);
        sum.is_finite() || (self.of(0).is_finite() && self.of(1).is_finite())
    }
}

/// The sums of a rule on `[-1, 1]` for two intervals, side by side, with weights that add up to 1: means.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    pub(crate) kronrod: [f64; 2],
    pub(crate) gauss: [f64; 2],
    /// Of the absolute values.
    pub(crate) magnitude: [f64; 2],
    /// Of the distances from the mean.
    pub(crate) variation: [f64; 2],
    /// The widths of the intervals.
    pub(crate) widths: [f64; 2],
}

/// Magnitudes above this are so large that 50 rounding errors of them are normal numbers.
const HAS_FLOOR: f64 = f64::MIN_POSITIVE / (50.0 * f64::EPSILON);

impl Sums {
    /// Scales the sums to the intervals and judges the errors.
    ///
    /// The error is the difference of the two sums, made smaller where it is small beside the variation of the
    /// integrand (the Kronrod sum is then much better than the difference tells: power 3/2 is QUADPACK's
    /// experience), and never below what rounding alone may cost.
    ///
    /// The power is taken by a square root: the general one takes longer than all the sums of a rule, for a result that
    /// differs in the last place. Nothing branches, so that the intervals stay side by side.
    #[inline(always)]
    pub(crate) fn judge(&self) -> [f64; EIGHT] {
        let mut all = [0.0; EIGHT];
        for i in 0..2 {
            let width = self.widths[i];
            let magnitude = self.magnitude[i] * width;
            let distance = (self.kronrod[i] - self.gauss[i]).abs();
            let variation = self.variation[i];
            let ratio = 200.0 * distance / variation;
            let power = ratio * ratio.sqrt();
            // False for NaN too.
            let sharpened = if power < 1.0 { variation * power } else { variation };
            // Nothing to compare with, if either is 0.
            let judged = if (variation != 0.0) & (distance != 0.0) { sharpened } else { distance } * width;
            let floor = f64::EPSILON * 50.0 * magnitude;
            // It is NaN where nothing but the variation is out of range.
            let floored = if judged >= floor { judged } else { floor };
            all[i] = self.kronrod[i] * width;
            all[2 + i] = if magnitude > HAS_FLOOR { floored } else { judged };
            all[4 + i] = magnitude;
            all[6 + i] = variation * width;
        }
        all
    }
}
