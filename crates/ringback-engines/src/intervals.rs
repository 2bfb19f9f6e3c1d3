//! The intervals of an adaptive integration, and the order in which they are to be bisected.

use crate::estimate::Estimate;
use crate::rule::midpoint;

/// One interval with what is known about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Interval {
    pub(crate) a: f64,
    pub(crate) b: f64,
    pub(crate) value: f64,
    pub(crate) error: f64,
    /// How many bisections led to it. A whole word, like the others, so that none of it is padding that is copied.
    pub(crate) level: usize,
}

impl Interval {
    #[inline]
    pub(crate) fn new(a: f64, b: f64, level: usize, estimate: &Estimate) -> Self {
        Self { a, b, value: estimate.value, error: estimate.error, level }
    }

    #[inline]
    pub(crate) fn width(&self) -> f64 {
        (self.b - self.a).abs()
    }

    #[inline]
    pub(crate) fn midpoint(&self) -> f64 {
        midpoint(self.a, self.b)
    }

    /// Width and level.
    #[inline]
    pub(crate) fn size(&self) -> (f64, usize) {
        (self.width(), self.level)
    }

    /// The ends of both halves.
    #[inline]
    pub(crate) fn halves(&self) -> [(f64, f64); 2] {
        let middle = self.midpoint();
        [(self.a, middle), (middle, self.b)]
    }
}

/// All intervals, in the order of their making, with an index sorted by descending error.
///
/// One interval is *selected*: the next to be bisected. It is the one with the largest error, unless the larger
/// intervals are being refined before an extrapolation ([`select_where`](Self::select_where)).
///
/// Only as many ranks are kept in order as there are bisections left (QUADPACK's `qpsrt`): the others can never be
/// selected again. Vectors only grow, so that a list used again allocates nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Intervals {
    list: Vec<Interval>,
    order: Vec<usize>,
    rank: usize,
    limit: usize,
}

/// Larger limits than this do not reserve all their memory in advance.
const RESERVE_AT_MOST: usize = 4096;

impl Intervals {
    /// Forgets everything and makes room for at most `limit` intervals.
    pub(crate) fn reset(&mut self, limit: usize) {
        self.list.clear();
        self.order.clear();
        self.rank = 0;
        self.limit = limit;
        let room = limit.min(RESERVE_AT_MOST);
        self.list.reserve(room);
        self.order.reserve(room);
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// Adds an interval of the initial partition; [`sort`](Self::sort) is to follow.
    #[inline]
    pub(crate) fn push(&mut self, interval: Interval) {
        self.order.push(self.list.len());
        self.list.push(interval);
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Interval> {
        self.list.iter_mut()
    }

    /// The sums of all values and of all errors, in the order in which the intervals were made.
    ///
    /// What is kept up to date from bisection to bisection has the rounding errors of the largest numbers there ever were: an
    /// error may come to nothing, or to less. The larger of both sums is the one to be told.
    pub(crate) fn totals(&self) -> (f64, f64) {
        self.list.iter().fold((0.0, 0.0), |(value, error), interval| (value + interval.value, error + interval.error))
    }

    /// The interval to be bisected next.
    #[inline]
    pub(crate) fn selected(&self) -> &Interval {
        &self.list[self.order[self.rank]]
    }

    /// Selects the interval with the largest error.
    #[inline]
    pub(crate) fn select_worst(&mut self) {
        self.rank = 0;
    }

    /// Selects the first interval, from the `rank`-th in the order (0 is the worst), that fulfils `wanted`.
    ///
    /// False if there is none; the selection is then meaningless until [`select_worst`](Self::select_worst).
    pub(crate) fn select_where(&mut self, rank: usize, wanted: impl Fn(&Interval) -> bool) -> bool {
        let found = self.order[..self.ranks()].iter().skip(rank).position(|i| wanted(&self.list[*i]));
        self.rank = rank + found.unwrap_or(0);
        found.is_some()
    }

    /// The rank from which a search for a large interval goes on.
    #[inline]
    pub(crate) fn rank(&self) -> usize {
        self.rank
    }

    /// How many ranks are kept in order: all of them in the first half of the work, then one less with every split.
    #[inline]
    fn ranks(&self) -> usize {
        let len = self.list.len();
        if len > self.limit / 2 + 2 { self.limit + 3 - len } else { len }
    }

    /// Sorts the initial partition by descending error; of equal ones the later comes first, as in QUADPACK.
    pub(crate) fn sort(&mut self) {
        let (list, order) = (&self.list, &mut self.order);
        for place in 0..order.len().saturating_sub(1) {
            let mut worst = place;
            for other in place + 1..order.len() {
                if list[order[other]].error >= list[order[worst]].error {
                    worst = other;
                }
            }
            order.swap(place, worst);
        }
        self.rank = 0;
    }

    /// Replaces the selected interval by its halves and selects the one that now has the same rank.
    ///
    /// The half with the larger error takes its place in the list, the other is appended.
    #[inline]
    pub(crate) fn split(&mut self, left: Interval, right: Interval) {
        if right.error > left.error { self.replace(right, left) } else { self.replace(left, right) }
    }

    #[inline(always)]
    fn replace(&mut self, larger: Interval, smaller: Interval) {
        let replaced = self.order[self.rank];
        let appended = self.list.len();
        self.list[replaced] = larger;
        self.list.push(smaller);
        self.order.push(appended);
        self.sift(replaced, appended, larger.error, smaller.error);
    }

    /// Finds the new places of both in the order.
    fn sift(&mut self, replaced: usize, appended: usize, larger: f64, smaller: f64) {
        let (list, order) = (&self.list, &mut self.order);
        // A difficult integrand: bisection made the error larger, so its interval moves up.
        let mut place = self.rank;
        while place > 0 && larger > list[order[place - 1]].error {
            order[place] = order[place - 1];
            place -= 1;
        }
        self.rank = place;

        let last = if list.len() > self.limit / 2 + 2 { self.limit + 2 - list.len() } else { list.len() - 1 };
        // The larger error sinks from its place, the smaller one rises from the end.
        let mut next = (place + 1).min(last);
        while next < last && larger < list[order[next]].error {
            order[next - 1] = order[next];
            next += 1;
        }
        order[next - 1] = replaced;
        let mut free = last;
        while free > next && smaller >= list[order[free - 1]].error {
            order[free] = order[free - 1];
            free -= 1;
        }
        order[free] = appended;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(error: f64) -> Interval {
        Interval { a: 0.0, b: 1.0, value: error, error, level: 0 }
    }

    fn with_errors(limit: usize, errors: &[f64]) -> Intervals {
        let mut intervals = Intervals::default();
        intervals.reset(limit);
        errors.iter().for_each(|e| intervals.push(interval(*e)));
        intervals.sort();
        intervals
    }

    fn errors_in_order(intervals: &Intervals) -> Vec<f64> {
        intervals.order[..intervals.ranks()].iter().map(|i| intervals.list[*i].error).collect()
    }

    #[test]
    fn the_initial_partition_is_sorted_and_the_later_of_equals_comes_first() {
        let intervals = with_errors(50, &[1.0, 3.0, 2.0, 3.0]);
        assert_eq!(intervals.order, [3, 1, 2, 0]);
        assert_eq!(intervals.selected().error, 3.0);
    }

    #[test]
    fn halves_find_their_places() {
        let mut intervals = with_errors(50, &[8.0, 4.0, 2.0, 1.0]);
        intervals.split(interval(0.5), interval(3.0));
        assert_eq!(errors_in_order(&intervals), [4.0, 3.0, 2.0, 1.0, 0.5]);
        assert_eq!(intervals.selected().error, 4.0);
        assert_eq!(intervals.list[0].error, 3.0, "the worse half takes the place of its parent");
    }

    #[test]
    fn a_half_that_is_worse_than_its_parent_moves_up() {
        let mut intervals = with_errors(50, &[8.0, 4.0, 2.0]);
        assert!(intervals.select_where(1, |i| i.error < 3.0));
        intervals.split(interval(9.0), interval(1.0));
        assert_eq!(errors_in_order(&intervals), [9.0, 8.0, 4.0, 1.0]);
        assert_eq!(intervals.rank(), 0);
    }

    #[test]
    fn select_where_looks_from_the_given_rank_on() {
        let mut intervals = with_errors(50, &[8.0, 4.0, 2.0]);
        assert!(intervals.select_where(1, |_| true));
        assert_eq!(intervals.selected().error, 4.0);
        assert!(!intervals.select_where(1, |i| i.error > 5.0));
        intervals.select_worst();
        assert_eq!(intervals.selected().error, 8.0);
    }

    #[test]
    fn random_splits_keep_the_ranks_that_matter_in_order() {
        let mut seed = 7_u64;
        let mut random = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 11) as f64 / (1_u64 << 53) as f64
        };
        for limit in [1, 2, 3, 4, 5, 6, 7, 10, 33, 200] {
            let mut intervals = with_errors(limit, &[1.0]);
            while intervals.len() < limit {
                let parent = intervals.selected().error;
                let worst = intervals.list.iter().map(|i| i.error).fold(0.0, f64::max);
                assert_eq!(parent, worst, "limit {limit}, {} intervals", intervals.len());
                intervals.split(interval(parent * random()), interval(parent * random() * 1.1));
                assert!(errors_in_order(&intervals).is_sorted_by(|a, b| a >= b));
            }
        }
    }
}
