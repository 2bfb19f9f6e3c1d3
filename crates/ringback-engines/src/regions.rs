//! All boxes that the integrand's box was divided into so far, and which are the next to be divided.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Where the parts of a region's record lie. A record is `dims` numbers for the centre, as many for half the sides, and
/// value, error and noise of each result.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) dims: usize,
    pub(crate) outputs: usize,
}

impl Layout {
    pub(crate) fn len(self) -> usize {
        2 * self.dims + 3 * self.outputs
    }
    pub(crate) fn center(self, record: &[f64]) -> &[f64] {
        &record[..self.dims]
    }
    pub(crate) fn half(self, record: &[f64]) -> &[f64] {
        &record[self.dims..2 * self.dims]
    }
    pub(crate) fn values(self, record: &[f64]) -> &[f64] {
        &record[2 * self.dims..][..self.outputs]
    }
    pub(crate) fn errors(self, record: &[f64]) -> &[f64] {
        &record[2 * self.dims + self.outputs..][..self.outputs]
    }
    pub(crate) fn noises(self, record: &[f64]) -> &[f64] {
        &record[2 * self.dims + 2 * self.outputs..]
    }
}

/// A region's place in the queue.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Its error, in units of what matters.
    key: f64,
    index: usize,
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        // Of two alike, the older one first.
        self.key.total_cmp(&other.key).then(other.index.cmp(&self.index))
    }
}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Entry {}

/// A sum that does not lose what is small beside it (Neumaier, Z. Angew. Math. Mech. 54 (1974) 39–51).
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    fn add(&mut self, x: f64) {
        let sum = self.sum + x;
        let lost = if self.sum.abs() >= x.abs() { (self.sum - sum) + x } else { (x - sum) + self.sum };
        *self = Sum { sum, lost: self.lost + lost };
    }
    fn total(self) -> f64 {
        self.sum + self.lost
    }
}

/// The regions, their totals and their queue.
#[derive(Debug)]
pub(crate) struct Regions {
    layout: Layout,
    records: Vec<f64>,
    /// Along which side each region is to be halved.
    axes: Vec<u8>,
    queue: BinaryHeap<Entry>,
    /// What an error of each result is divided by in the queue.
    scales: Vec<f64>,
    values: Vec<Sum>,
    errors: Vec<Sum>,
    /// How many regions there were when all was last summed anew.
    summed: usize,
}

impl Regions {
    pub(crate) fn new(layout: Layout) -> Self {
        Self {
            layout,
            records: vec![],
            axes: vec![],
            queue: BinaryHeap::new(),
            scales: vec![1.0; layout.outputs],
            values: vec![],
            errors: vec![],
            summed: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.axes.len()
    }

    pub(crate) fn record(&self, index: usize) -> &[f64] {
        let len = self.layout.len();
        &self.records[index * len..][..len]
    }

    pub(crate) fn axis(&self, index: usize) -> usize {
        usize::from(self.axes[index])
    }

    /// What an error of each result is divided by in the queue.
    pub(crate) fn scales(&self) -> &[f64] {
        &self.scales
    }

    /// A further region; [`sum`](Self::sum) counts it in.
    pub(crate) fn push(&mut self, record: &[f64], axis: u8) {
        self.records.extend_from_slice(record);
        self.axes.push(axis);
    }

    /// Puts the two halves of a region, which is no longer in the queue, in its place.
    pub(crate) fn replace(&mut self, index: usize, halves: &[f64], axes: [u8; 2]) {
        let len = self.layout.len();
        let (first, second) = halves.split_at(len);
        for k in 0..self.layout.outputs {
            let (old_value, old_error) = {
                let old = self.record(index);
                (self.layout.values(old)[k], self.layout.errors(old)[k])
            };
            self.values[k].add(-old_value);
            self.errors[k].add(-old_error);
            for half in [first, second] {
                self.values[k].add(self.layout.values(half)[k]);
                self.errors[k].add(self.layout.errors(half)[k]);
            }
        }
        self.records[index * len..][..len].copy_from_slice(first);
        self.axes[index] = axes[0];
        self.push(second, axes[1]);
        for index in [index, self.len() - 1] {
            let key = self.key(index);
            self.queue.push(Entry { key, index });
        }
    }

    fn key(&self, index: usize) -> f64 {
        let errors = self.layout.errors(self.record(index));
        errors.iter().zip(&self.scales).map(|(error, scale)| error / scale).fold(0.0, f64::max)
    }

    /// Sums all regions anew.
    pub(crate) fn sum(&mut self) {
        let mut values = vec![Sum::default(); self.layout.outputs];
        let mut errors = values.clone();
        for record in self.records.chunks_exact(self.layout.len()) {
            for k in 0..self.layout.outputs {
                values[k].add(self.layout.values(record)[k]);
                errors[k].add(self.layout.errors(record)[k]);
            }
        }
        (self.values, self.errors, self.summed) = (values, errors, self.len());
    }

    /// Whether there are so many more regions by now that they should be summed and queued anew.
    pub(crate) fn outgrown(&self) -> bool {
        self.len() >= 2 * self.summed
    }

    /// Queues all regions anew. With more than one result, an error counts in units of the tolerance for that result.
    pub(crate) fn queue(&mut self, tolerance: impl Fn(f64) -> f64) {
        if self.layout.outputs > 1 {
            self.scales = self.values().into_iter().map(|value| tolerance(value).max(f64::MIN_POSITIVE)).collect();
        }
        self.queue = (0..self.len()).map(|index| Entry { key: self.key(index), index }).collect();
    }

    /// Takes regions out of the queue that are to be divided now, the worst first: all those that must be divided anyway
    /// if the errors are what they seem, since those of the others alone are too large (I. Gladwell, *Vectorisation of
    /// one dimensional quadrature codes*, in *Numerical Integration*, ed. Keast and Fairweather, Reidel 1987, 230–238), but
    /// none whose error is small beside the worst.
    pub(crate) fn take_worst(&mut self, most: usize, tolerances: &[f64], taken: &mut Vec<usize>) {
        taken.clear();
        let mut left: Vec<f64> = self.errors.iter().map(|error| error.total()).collect();
        let least = self.queue.peek().map_or(0.0, |worst| worst.key * SMALL);
        while taken.len() < most && self.queue.peek().is_some_and(|entry| entry.key >= least) {
            if !taken.is_empty() && left.iter().zip(tolerances).all(|(error, tolerance)| error <= tolerance) {
                break;
            }
            let Some(entry) = self.queue.pop() else { break };
            let errors = self.layout.errors(self.record(entry.index));
            left.iter_mut().zip(errors).for_each(|(left, error)| *left -= error);
            taken.push(entry.index);
        }
    }

    pub(crate) fn values(&self) -> Vec<f64> {
        self.values.iter().map(|value| value.total()).collect()
    }

    pub(crate) fn errors(&self) -> Vec<f64> {
        self.errors.iter().map(|error| error.total().max(0.0)).collect()
    }
}

/// While the value is still far off, so is the tolerance, and only the worst regions are sure to matter.
const SMALL: f64 = 1.0 / 16.0;

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: Layout = Layout { dims: 2, outputs: 1 };

    fn region(value: f64, error: f64) -> Vec<f64> {
        vec![0.0, 0.0, 1.0, 1.0, value, error, 0.0]
    }

    fn some(errors: &[f64]) -> Regions {
        let mut regions = Regions::new(LAYOUT);
        errors.iter().for_each(|error| regions.push(&region(1.0, *error), 0));
        regions.sum();
        regions.queue(|_| 1.0);
        regions
    }

    #[test]
    fn just_those_are_taken_that_must_be() {
        let mut taken = vec![];
        some(&[1.0, 4.0, 2.0, 3.0]).take_worst(10, &[3.0], &mut taken);
        assert_eq!(taken, [1, 3]);
        some(&[1.0, 4.0, 2.0, 3.0]).take_worst(10, &[2.9], &mut taken);
        assert_eq!(taken, [1, 3, 2]);
        some(&[1.0, 4.0, 2.0, 3.0]).take_worst(1, &[0.0], &mut taken);
        assert_eq!(taken, [1]);
        some(&[1.0, 100.0, 2.0, 7.0]).take_worst(10, &[0.0], &mut taken);
        assert_eq!(taken, [1, 3]);
        some(&[1.0, 1.0]).take_worst(10, &[9.0], &mut taken);
        assert_eq!(taken, [0]);
    }

    #[test]
    fn totals_do_not_lose_what_is_small() {
        let mut regions = some(&[1e10, 1e-9]);
        regions.replace(0, &[region(0.25, 1e-10), region(0.5, 1e-10)].concat(), [0, 1]);
        assert_eq!(regions.values(), [1.75]);
        assert!((regions.errors()[0] / 1.2e-9 - 1.0).abs() < 1e-6);
        assert_eq!((regions.len(), regions.axis(2)), (3, 1));
        regions.sum();
        assert_eq!(regions.values(), [1.75]);
    }
}
