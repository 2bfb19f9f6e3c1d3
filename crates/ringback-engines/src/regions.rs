//! All boxes that the integrand's box was divided into so far, and which are the next to be divided.

use crate::queue::{Entry, Queue};

/// Where the parts of a region's record lie. A record is `dims` numbers for the centre, as many for half the sides, value,
/// error and noise of each result, and along which side it is to be halved.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) dims: usize,
    pub(crate) outputs: usize,
}

impl Layout {
    pub(crate) fn len(self) -> usize {
        2 * self.dims + 3 * self.outputs + 1
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
        &record[2 * self.dims + 2 * self.outputs..][..self.outputs]
    }
    pub(crate) fn axis(self, record: &[f64]) -> usize {
        record[self.len() - 1] as usize
    }
}

/// A sum that does not lose what is small beside it (Neumaier, Z. Angew. Math. Mech. 54 (1974) 39–51).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    pub(crate) fn add(&mut self, x: f64) {
        let sum = self.sum + x;
        let lost = if self.sum.abs() >= x.abs() { (self.sum - sum) + x } else { (x - sum) + self.sum };
        *self = Sum { sum, lost: self.lost + lost };
    }
    fn join(&mut self, other: Sum) {
        self.add(other.sum);
        self.lost += other.lost;
    }
    fn total(self) -> f64 {
        self.sum + self.lost
    }
}

/// New regions, by how much they change the totals. A thread makes them, and they are not copied.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) records: Vec<f64>,
    /// How much each matters in the queue, and whether it is too narrow to be halved.
    pub(crate) keys: Vec<(f64, bool)>,
    /// For each result.
    pub(crate) totals: Vec<Totals>,
}

/// What one result's values and errors sum to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Totals {
    pub(crate) value: Sum,
    pub(crate) error: Sum,
}

/// Where a region's record is; and what is to be known of it without reading that.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    chunk: u32,
    slot: u16,
    /// It is too narrow to be halved.
    pub(crate) narrow: bool,
}

/// Records that were made together.
#[derive(Debug)]
struct Chunk {
    records: Vec<f64>,
    /// How many of its regions are not divided yet.
    live: u32,
}

/// The regions, their totals and their queue.
#[derive(Debug)]
pub(crate) struct Regions {
    layout: Layout,
    chunks: Vec<Chunk>,
    /// Chunks without a region.
    free: Vec<u32>,
    /// How many regions there are.
    len: usize,
    queue: Queue<Place>,
    /// What an error of each result is divided by in the queue.
    scales: Vec<f64>,
    totals: Vec<Totals>,
    /// How many regions there were when they were last queued anew.
    queued: usize,
}

impl Regions {
    pub(crate) fn new(layout: Layout) -> Self {
        Self {
            layout,
            chunks: vec![],
            free: vec![],
            len: 0,
            queue: Queue::new(),
            scales: vec![1.0; layout.outputs],
            totals: vec![Totals::default(); layout.outputs],
            queued: 0,
        }
    }

    #[inline]
    pub(crate) fn record(&self, place: Place) -> &[f64] {
        let len = self.layout.len();
        &self.chunks[place.chunk as usize].records[place.slot as usize * len..][..len]
    }

    /// How much a region matters in the queue.
    #[inline]
    pub(crate) fn key(&self, record: &[f64]) -> f64 {
        let errors = self.layout.errors(record);
        errors.iter().zip(&self.scales).map(|(error, scale)| error / scale).fold(0.0, f64::max)
    }

    /// What an error of each result is divided by in the queue.
    pub(crate) fn scales(&self) -> &[f64] {
        &self.scales
    }

    /// Puts new regions into the queue, fewer than 2¹⁶.
    pub(crate) fn add(&mut self, batch: Batch) {
        for (all, new) in self.totals.iter_mut().zip(&batch.totals) {
            all.value.join(new.value);
            all.error.join(new.error);
        }
        let count = batch.keys.len();
        let chunk = self.store(Chunk { records: batch.records, live: count as u32 });
        self.len += count;
        for (slot, (key, narrow)) in batch.keys.into_iter().enumerate() {
            self.queue.push(Entry { key, item: Place { chunk, slot: slot as u16, narrow } });
        }
    }

    fn store(&mut self, chunk: Chunk) -> u32 {
        match self.free.pop() {
            Some(place) => {
                self.chunks[place as usize] = chunk;
                place
            }
            None => {
                self.chunks.push(chunk);
                self.chunks.len() as u32 - 1
            }
        }
    }

    /// Forgets regions that were taken out of the queue and divided. Their memory goes with the last of those that were
    /// made together with them: at any time there is memory for less than twice as many regions as there are, since each
    /// that was divided made one more.
    pub(crate) fn forget(&mut self, taken: &[Place]) {
        self.len -= taken.len();
        for place in taken {
            let chunk = &mut self.chunks[place.chunk as usize];
            chunk.live -= 1;
            if chunk.live == 0 {
                chunk.records = vec![];
                self.free.push(place.chunk);
            }
        }
    }

    /// Puts regions back into the queue that were taken and not divided.
    pub(crate) fn restore(&mut self, taken: &[Place]) {
        for place in taken {
            let key = self.key(self.record(*place));
            self.queue.push(Entry { key, item: *place });
        }
    }

    /// Sums all regions anew.
    pub(crate) fn sum(&mut self) {
        let mut totals = vec![Totals::default(); self.layout.outputs];
        for entry in self.queue.iter() {
            let record = self.record(entry.item);
            let both = self.layout.values(record).iter().zip(self.layout.errors(record));
            for (total, (value, error)) in totals.iter_mut().zip(both) {
                total.value.add(*value);
                total.error.add(*error);
            }
        }
        self.totals = totals;
    }

    /// Whether there are so many more regions by now that they should be queued anew.
    pub(crate) fn outgrown(&self) -> bool {
        // The error of a single result counts as it is.
        self.layout.outputs > 1 && self.len >= 2 * self.queued
    }

    /// Queues all regions anew, if there is more than one result: an error then counts in units of the tolerance.
    pub(crate) fn queue(&mut self, tolerance: impl Fn(f64) -> f64) {
        if self.layout.outputs > 1 {
            self.scales = self.values().into_iter().map(|value| tolerance(value).max(f64::MIN_POSITIVE)).collect();
            let mut queue = Queue::new();
            for Entry { item, .. } in self.queue.iter() {
                queue.push(Entry { key: self.key(self.record(*item)), item: *item });
            }
            self.queue = queue;
        }
        self.queued = self.len;
    }

    /// Takes regions out of the queue that are to be divided now, the worst first: all those that must be divided anyway
    /// if the errors are what they seem, since those of the others alone are too large (I. Gladwell, *Vectorisation of
    /// one dimensional quadrature codes*, in *Numerical Integration*, ed. Keast and Fairweather, Reidel 1987, 230–238), but
    /// none whose error is small beside the worst.
    pub(crate) fn take_worst(&mut self, most: usize, tolerances: &[f64], taken: &mut Vec<Place>) {
        taken.clear();
        let mut left: Vec<f64> = self.totals.iter().map(|total| total.error.total()).collect();
        let least = self.queue.peek().map_or(0.0, |worst| worst.key * SMALL);
        while taken.len() < most {
            if !taken.is_empty() && left.iter().zip(tolerances).all(|(error, tolerance)| error <= tolerance) {
                break;
            }
            let Some(entry) = self.queue.peek().filter(|entry| entry.key >= least) else { break };
            self.queue.pop();
            if let [left] = &mut left[..] {
                // The key of a single result is its error, and the record need not be fetched.
                *left -= entry.key;
            } else {
                let errors = self.layout.errors(self.record(entry.item));
                left.iter_mut().zip(errors).for_each(|(left, error)| *left -= error);
            }
            taken.push(entry.item);
        }
    }

    pub(crate) fn values(&self) -> Vec<f64> {
        self.totals.iter().map(|total| total.value.total()).collect()
    }

    pub(crate) fn errors(&self) -> Vec<f64> {
        self.totals.iter().map(|total| total.error.total().max(0.0)).collect()
    }
}

/// While the value is still far off, so is the tolerance, and only the worst regions are sure to matter.
const SMALL: f64 = 1.0 / 16.0;

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: Layout = Layout { dims: 2, outputs: 1 };

    fn batch(regions: &[(f64, f64)]) -> Batch {
        let mut batch = Batch { totals: vec![Totals::default()], ..Default::default() };
        for &(value, error) in regions {
            batch.records.extend([0.0, 0.0, 1.0, 1.0, value, error, 0.0, 1.0]);
            batch.keys.push((error, false));
            batch.totals[0].value.add(value);
            batch.totals[0].error.add(error);
        }
        batch
    }

    fn some(errors: &[f64]) -> Regions {
        let mut regions = Regions::new(LAYOUT);
        regions.add(batch(&errors.iter().map(|error| (1.0, *error)).collect::<Vec<_>>()));
        regions.queue(|_| 1.0);
        regions
    }

    fn taken(errors: &[f64], most: usize, tolerance: f64) -> Vec<u16> {
        let mut taken = vec![];
        some(errors).take_worst(most, &[tolerance], &mut taken);
        taken.into_iter().map(|place| place.slot).collect()
    }

    #[test]
    fn just_those_are_taken_that_must_be() {
        assert_eq!(taken(&[1.0, 4.0, 2.0, 3.0], 10, 3.0), [1, 3]);
        assert_eq!(taken(&[1.0, 4.0, 2.0, 3.0], 10, 2.9), [1, 3, 2]);
        assert_eq!(taken(&[1.0, 4.0, 2.0, 3.0], 1, 0.0), [1]);
        assert_eq!(taken(&[1.0, 100.0, 2.0, 7.0], 10, 0.0), [1, 3]);
        assert_eq!(taken(&[1.0, 1.0], 10, 9.0).len(), 1);
    }

    #[test]
    fn totals_do_not_lose_what_is_small() {
        let mut regions = some(&[1e10, 1e-9]);
        let mut taken = vec![];
        regions.take_worst(1, &[1.0], &mut taken);
        let mut halves = batch(&[(0.25, 1e-10), (0.5, 1e-10)]);
        halves.totals[0].value.add(-1.0);
        halves.totals[0].error.add(-1e10);
        regions.add(halves);
        regions.forget(&taken);
        assert_eq!(regions.values(), [1.75]);
        assert!((regions.errors()[0] / 1.2e-9 - 1.0).abs() < 1e-6);
        regions.sum();
        assert_eq!(regions.values(), [1.75]);
        assert_eq!(regions.len, 3);
    }

    #[test]
    fn memory_of_what_was_divided_is_used_again() {
        let mut regions = some(&[1.0, 1.0]);
        let mut taken = vec![];
        for _ in 0..100 {
            regions.take_worst(2, &[0.0], &mut taken);
            assert_eq!(taken.len(), 2);
            regions.add(batch(&[(0.5, 1.0), (0.5, 1.0)]));
            regions.forget(&taken);
        }
        assert_eq!((regions.len, regions.chunks.len()), (2, 2));
    }
}
