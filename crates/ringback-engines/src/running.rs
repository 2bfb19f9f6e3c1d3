//! Sums over all intervals that are kept up to date from bisection to bisection.
//!
//! They have the rounding errors of the largest numbers there ever were. QUADPACK believes them; here they are summed anew
//! before a success is claimed, and a limit that was extrapolated from such sums counts for no more than they do.

use crate::Options;
use crate::intervals::Intervals;

/// The sums of values and errors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Running {
    pub(crate) area: f64,
    pub(crate) error_sum: f64,
    /// How far rounding had taken the area when it was last replaced.
    drift: f64,
}

impl Running {
    pub(crate) fn new(area: f64, error_sum: f64) -> Self {
        Self { area, error_sum, drift: 0.0 }
    }

    /// Value and error, summed anew, if they meet the tolerance. If only the sums that were kept did, they are replaced.
    #[inline]
    pub(crate) fn within(&mut self, options: &Options, intervals: &Intervals) -> Option<(f64, f64)> {
        if self.error_sum > options.tolerance(self.area) {
            return None;
        }
        let (value, error) = intervals.totals();
        let larger = error.max(self.error_sum);
        if larger <= options.tolerance(value) {
            return Some((value, larger));
        }
        self.drift += (value - self.area).abs();
        (self.area, self.error_sum) = (value, error);
        None
    }

    /// How far rounding has taken the sums from which limits were extrapolated.
    pub(crate) fn drift(&self, intervals: &Intervals) -> f64 {
        self.drift + (intervals.totals().0 - self.area).abs()
    }
}
