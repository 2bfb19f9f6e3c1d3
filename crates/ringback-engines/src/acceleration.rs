//! When to extrapolate, and what to bisect in between.
//!
//! Near an end-point singularity bisection converges like a geometric series, one term a bisection of the smallest
//! interval. The epsilon algorithm sums such a series, provided that the errors of the larger intervals are small
//! beside the term: so before the smallest interval is bisected, the larger ones are refined, and then the total is
//! the next element of the sequence (de Doncker 1978; QUADPACK's QAGS, QAGI and QAGP).

use crate::Options;
use crate::epsilon::EpsilonTable;
use crate::intervals::Intervals;

/// Which intervals count as larger than the smallest ones.
#[derive(Debug, Clone, Copy)]
enum Scale {
    /// Not decided before the first bisection of a range of this width.
    Undecided(f64),
    /// Those wider than this: for one range.
    Width(f64),
    /// Those bisected less often than this: for several initial intervals, whose widths have nothing in common.
    Level(usize),
}

impl Scale {
    #[inline]
    fn is_large(self, (width, level): (f64, usize)) -> bool {
        match self {
            Self::Undecided(_) => true,
            Self::Width(smallest) => width > smallest,
            Self::Level(deepest) => level < deepest,
        }
    }

    fn finer(self) -> Self {
        match self {
            Self::Undecided(range) => Self::Width(range * 0.375),
            Self::Width(width) => Self::Width(width * 0.5),
            Self::Level(level) => Self::Level(level + 1),
        }
    }
}

/// The best limit found so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) value: f64,
    pub(crate) error: f64,
    /// What the larger intervals contributed to the error when it was found: to be added if rounding spoiled them.
    pub(crate) correction: f64,
}

/// What a bisection changed, as far as extrapolation is concerned.
#[derive(Debug)]
pub(crate) struct Bisection {
    /// Width and level of one of the halves; the other is of the same size.
    pub(crate) half: (f64, usize),
    pub(crate) error_before: f64,
    pub(crate) error_after: f64,
    /// Sum of all values now.
    pub(crate) area: f64,
    /// Sum of all errors now.
    pub(crate) error_sum: f64,
    /// What is asked of the error at present.
    pub(crate) tolerance: f64,
    /// Rounding has kept the larger intervals from getting better: extrapolate without refining them.
    pub(crate) refinement_is_useless: bool,
}

/// What is to be done next.
#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    /// Bisect the selected interval.
    Bisect,
    /// The limit is good enough.
    Accept,
    /// Extrapolation gets nowhere; it may all the same have met the tolerance just now.
    GiveUp,
}

/// The state of the extrapolation.
#[derive(Debug)]
pub(crate) struct Acceleration {
    scale: Scale,
    /// The larger intervals are being refined before the next extrapolation.
    pub(crate) refining: bool,
    /// Nothing was left in the table: no more extrapolation.
    exhausted: bool,
    /// Sum of the errors of the larger intervals, and what it should be for the next extrapolation.
    large_error: f64,
    target: f64,
    /// Extrapolations since the last better one.
    stalled: u32,
    pub(crate) best: Option<Limit>,
}

impl Acceleration {
    /// For a single range of the given width.
    pub(crate) fn of_range(width: f64) -> Self {
        Self::new(Scale::Undecided(width), 0.0, 0.0)
    }

    /// For an initial partition with this sum of errors.
    pub(crate) fn of_partition(error_sum: f64, tolerance: f64) -> Self {
        Self::new(Scale::Level(1), error_sum, tolerance)
    }

    fn new(scale: Scale, large_error: f64, target: f64) -> Self {
        Self { scale, refining: false, exhausted: false, large_error, target, stalled: 0, best: None }
    }

    /// Takes note of a bisection, extrapolates if the time has come, and selects the interval to be bisected next.
    ///
    /// `table` holds the sequence of the totals, of which the first is that before any bisection.
    pub(crate) fn after(
        &mut self,
        done: &Bisection,
        table: &mut EpsilonTable,
        intervals: &mut Intervals,
        options: &Options,
    ) -> Next {
        if let Scale::Undecided(_) = self.scale {
            table.push(done.area);
            self.scale = self.scale.finer();
            self.large_error = done.error_sum;
            self.target = done.tolerance;
            return Next::Bisect;
        }
        if self.exhausted {
            return Next::Bisect;
        }
        self.large_error -= done.error_before;
        if self.scale.is_large(done.half) {
            self.large_error += done.error_after;
        }

        let mut rank = intervals.rank();
        if !self.refining {
            if self.scale.is_large(intervals.selected().size()) {
                return Next::Bisect;
            }
            self.refining = true;
            // The worst interval is a smallest one: leave it for later and look at the others.
            rank = 1;
        }
        let scale = self.scale;
        if !done.refinement_is_useless
            && self.large_error > self.target
            && intervals.select_where(rank, |interval| scale.is_large(interval.size()))
        {
            return Next::Bisect;
        }

        let next = self.extrapolate(done, table, options);
        if next == Next::Bisect {
            intervals.select_worst();
            self.refining = false;
            self.scale = self.scale.finer();
            self.large_error = done.error_sum;
        }
        next
    }

    fn extrapolate(&mut self, done: &Bisection, table: &mut EpsilonTable, options: &Options) -> Next {
        table.push(done.area);
        if table.len() < 3 {
            return Next::Bisect;
        }
        let found = table.extrapolate();
        let best_error = self.best.map_or(f64::MAX, |best| best.error);
        self.stalled += 1;
        let hopeless = self.stalled > 5 && best_error < 1e-3 * done.error_sum;
        if found.error < best_error {
            self.stalled = 0;
            self.best = Some(Limit { value: found.value, error: found.error, correction: self.large_error });
            self.target = options.tolerance(found.value);
            if self.meets_target(found.error) {
                return if hopeless { Next::GiveUp } else { Next::Accept };
            }
        }
        self.exhausted = table.len() == 1;
        if hopeless { Next::GiveUp } else { Next::Bisect }
    }

    /// QAGP wants the error below the tolerance, QAGS and QAGI are content with equality.
    #[inline]
    fn meets_target(&self, error: f64) -> bool {
        match self.scale {
            Scale::Level(_) => error < self.target,
            Scale::Undecided(_) | Scale::Width(_) => error <= self.target,
        }
    }
}
