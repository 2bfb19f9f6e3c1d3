//! A queue that hands out the largest first, as nearly as it matters, at a cost that does not grow with its length.

use std::collections::VecDeque;

/// What waits in the queue, and how much it matters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Entry<T> {
    /// At least 0, and a number.
    pub(crate) key: f64,
    pub(crate) item: T,
}

/// So many leading bits of a number tell its bin: sign, exponent and three bits more. Keys of one bin differ by an eighth
/// at most.
const SHIFT: u32 = 64 - 12 - 3;

/// Entries by bins of equal leading bits; in a bin, the last comes first. A heap would need as many steps for each as its
/// length has bits, nearly all of them away from the cache.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    /// From the largest keys down.
    bins: VecDeque<Vec<Entry<T>>>,
    /// The leading bits of the first bin.
    first: u64,
    /// Those with key 0, which would be many bins below all others.
    zeros: Vec<Entry<T>>,
}

impl<T: Copy> Queue<T> {
    pub(crate) fn new() -> Self {
        Self { bins: VecDeque::new(), first: 0, zeros: vec![] }
    }

    #[inline]
    pub(crate) fn push(&mut self, entry: Entry<T>) {
        if entry.key <= 0.0 {
            self.zeros.push(entry);
            return;
        }
        let bits = entry.key.to_bits() >> SHIFT;
        if self.bins.is_empty() {
            self.first = bits;
        }
        while bits > self.first {
            self.bins.push_front(vec![]);
            self.first += 1;
        }
        let place = (self.first - bits) as usize;
        if place >= self.bins.len() {
            self.bins.resize_with(place + 1, Vec::new);
        }
        self.bins[place].push(entry);
    }

    /// One of those that matter most.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<Entry<T>> {
        while let Some(bin) = self.bins.front() {
            if let Some(entry) = bin.last() {
                return Some(*entry);
            }
            self.bins.pop_front();
            self.first = self.first.wrapping_sub(1);
        }
        self.zeros.last().copied()
    }

    /// Takes out what `peek` shows.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Entry<T>> {
        let entry = self.peek()?;
        match self.bins.front_mut() {
            Some(bin) => bin.pop(),
            None => self.zeros.pop(),
        };
        Some(entry)
    }

    /// All entries, from the largest down.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry<T>> {
        self.bins.iter().flatten().chain(&self.zeros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained(mut queue: Queue<usize>) -> Vec<f64> {
        std::iter::from_fn(|| queue.pop()).map(|entry| entry.key).collect()
    }

    #[test]
    fn the_largest_come_first_but_for_an_eighth() {
        let mut queue = Queue::new();
        let keys: Vec<f64> = (0..5000_u32).map(|i| f64::from(i.wrapping_mul(2_654_435_761) % 4096) * 1e-7).collect();
        for (item, key) in keys.iter().enumerate() {
            queue.push(Entry { key: *key, item });
        }
        assert_eq!(queue.iter().count(), keys.len());
        let order = drained(queue);
        assert_eq!(order.len(), keys.len());
        assert!(order.windows(2).all(|pair| pair[1] <= pair[0] * 1.125));
        let (mut order, mut keys) = (order, keys);
        order.sort_by(f64::total_cmp);
        keys.sort_by(f64::total_cmp);
        assert_eq!(order, keys);
    }

    #[test]
    fn larger_ones_may_come_later_and_the_smallest_and_zero_have_a_place() {
        let mut queue = Queue::new();
        let keys = [1.0, 0.0, 1e300, f64::MIN_POSITIVE / 8.0, 3.0, f64::MAX, 0.0];
        for (item, key) in keys.into_iter().enumerate() {
            queue.push(Entry { key, item });
        }
        assert_eq!(queue.pop().map(|entry| entry.item), Some(5));
        queue.push(Entry { key: 1e308, item: 9 });
        assert_eq!(drained(queue), [1e308, 1e300, 3.0, 1.0, f64::MIN_POSITIVE / 8.0, 0.0, 0.0]);
    }
}
