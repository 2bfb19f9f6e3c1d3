//! Importance sampling: a map, made of straight pieces along each axis, that puts more points where they matter.
//!
//! G. P. Lepage, *A new algorithm for adaptive multidimensional integration*, J. Comput. Phys. 27 (1978) 192–203, with
//! the smoothing and damping of *Adaptive multidimensional integration: VEGAS enhanced*, J. Comput. Phys. 439 (2021)
//! 110386.

/// How fast the map follows what was seen; Lepage's α.
const DAMPING: f64 = 0.5;
/// What part of the points is spread evenly over an axis. Without it, all of an axis where the integrand was zero would
/// become one piece; beside a jump, that piece has a corner where the integrand is not zero and hardly ever a point.
const EVEN: f64 = 0.05;

/// Maps the unit cube to a box: each axis is cut into as many pieces, which are as wide as is worth a point.
#[derive(Debug, Clone)]
pub(crate) struct Map {
    /// How many pieces an axis has.
    pub(crate) pieces: usize,
    /// Ends of the pieces: `pieces + 1` for each dimension.
    edges: Vec<f64>,
    /// The first and the last number between the ends of each axis.
    inside: Vec<(f64, f64)>,
}

impl Map {
    /// Pieces of equal width.
    pub(crate) fn new(low: &[f64], high: &[f64], pieces: usize) -> Self {
        let along = |(low, high): (&f64, &f64)| {
            let (low, high) = (*low, *high);
            // Written so that nothing overflows, with the ends exact.
            (0..=pieces).map(move |i| {
                let part = i as f64 / pieces as f64;
                low * (1.0 - part) + high * part
            })
        };
        Self {
            pieces,
            edges: low.iter().zip(high).flat_map(along).collect(),
            inside: low.iter().zip(high).map(|(low, high)| (low.next_up(), high.next_down())).collect(),
        }
    }

    fn axis(&self, dim: usize) -> &[f64] {
        &self.edges[dim * (self.pieces + 1)..][..self.pieces + 1]
    }

    /// Where `y`, between 0 and 1, is mapped to along an axis, the slope there, and the number of the piece. The ends of
    /// the axis are never reached.
    #[inline]
    pub(crate) fn at(&self, dim: usize, y: f64) -> (f64, f64, usize) {
        let axis = self.axis(dim);
        let place = y * self.pieces as f64;
        // By way of `u32`, which is a quicker conversion.
        let piece = (place as u32 as usize).min(self.pieces - 1);
        let (left, right) = (axis[piece], axis[piece + 1]);
        let width = right - left;
        let x = left + (place - piece as f64) * width;
        let (first, last) = self.inside[dim];
        (x.max(first).min(last), width * self.pieces as f64, piece)
    }

    /// Moves the ends of pieces so that each of them has an equal share of `weights`: the integrals of the squared
    /// integrand over the pieces, a run of them for each dimension.
    pub(crate) fn refine(&mut self, weights: &[f64]) {
        let pieces = self.pieces;
        for (dim, weights) in weights.chunks_exact(pieces).enumerate() {
            let mut damped = damped(weights);
            let total = damped.iter().sum::<f64>();
            // Nothing was seen: nothing is learnt.
            if total > 0.0 && total.is_finite() {
                let axis = self.axis(dim);
                let length = axis[pieces] - axis[0];
                for (weight, ends) in damped.iter_mut().zip(axis.windows(2)) {
                    *weight = (1.0 - EVEN) * *weight + EVEN * total * ((ends[1] - ends[0]) / length);
                }
                let share = total / pieces as f64;
                let moved = moved(self.axis(dim), &damped, share);
                // Pieces of no width cannot be sampled; the axis is as fine as numbers are.
                if moved.windows(2).all(|ends| ends[0] < ends[1]) {
                    self.edges[dim * (pieces + 1)..][..pieces + 1].copy_from_slice(&moved);
                }
            }
        }
    }
}

/// Weights averaged with their neighbours, and compressed so that the map does not overreact.
fn damped(weights: &[f64]) -> Vec<f64> {
    let last = weights.len() - 1;
    let smooth = |i: usize| {
        let left = weights[i.saturating_sub(1)];
        let right = weights[(i + 1).min(last)];
        (left + 6.0 * weights[i] + right) / 8.0
    };
    let smoothed: Vec<f64> = (0..=last).map(smooth).collect();
    let total: f64 = smoothed.iter().sum();
    let damp = |weight: f64| {
        let part = weight / total;
        if part <= 0.0 {
            0.0
        } else if part >= 1.0 {
            1.0
        } else {
            ((part - 1.0) / part.ln()).powf(DAMPING)
        }
    };
    smoothed.into_iter().map(damp).collect()
}

/// Ends of pieces that have an equal share of the weights of the old ones.
fn moved(old: &[f64], weights: &[f64], share: f64) -> Vec<f64> {
    let pieces = weights.len();
    let mut new = Vec::with_capacity(pieces + 1);
    new.push(old[0]);
    // The weight of old pieces up to and with `piece`, beyond the ends that were placed.
    let (mut piece, mut have) = (0, weights[0]);
    for _ in 1..pieces {
        while have < share && piece < pieces - 1 {
            piece += 1;
            have += weights[piece];
        }
        have -= share;
        let left_over = if weights[piece] > 0.0 { (have / weights[piece]).clamp(0.0, 1.0) } else { 0.0 };
        new.push(old[piece + 1] - left_over * (old[piece + 1] - old[piece]));
    }
    new.push(old[pieces]);
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_map_is_a_straight_line() {
        let map = Map::new(&[-1.0, 2.0], &[1.0, 6.0], 10);
        for (dim, y, x, slope, piece) in [(0, 0.5, 0.0, 2.0, 5), (1, 0.25, 3.0, 4.0, 2)] {
            let found = map.at(dim, y);
            assert!((found.0 - x).abs() < 1e-14 && (found.1 - slope).abs() < 1e-13, "{found:?}");
            assert_eq!(found.2, piece);
        }
    }

    #[test]
    fn the_ends_are_never_reached() {
        let map = Map::new(&[0.0], &[1.0], 7);
        assert!(map.at(0, 0.0).0 > 0.0);
        assert!(map.at(0, 1.0).0 < 1.0);
    }

    #[test]
    fn equal_weights_change_nothing() {
        let mut map = Map::new(&[0.0], &[1.0], 16);
        let before = map.edges.clone();
        map.refine(&[3.0; 16]);
        for (before, after) in before.iter().zip(&map.edges) {
            assert!((before - after).abs() < 1e-14);
        }
    }

    #[test]
    fn pieces_gather_where_the_weight_is() {
        let mut map = Map::new(&[0.0], &[1.0], 100);
        for _ in 0..20 {
            // The square of a peak of width 0.01 at 0.3, times the map's slope, is what samples would show.
            let weight = |i: usize| {
                let (x, slope, _) = map.at(0, (i as f64 + 0.5) / 100.0);
                (slope * (-((x - 0.3) / 0.01).powi(2)).exp()).powi(2)
            };
            let weights: Vec<f64> = (0..100).map(weight).collect();
            map.refine(&weights);
        }
        let inside = map.edges.iter().filter(|x| (**x - 0.3).abs() < 0.03).count();
        assert!(inside > 70, "{inside}");
        assert_eq!((map.edges[0], map.edges[100]), (0.0, 1.0));
    }

    #[test]
    fn weights_that_say_nothing_leave_the_map() {
        let mut map = Map::new(&[0.0], &[1.0], 8);
        let before = map.edges.clone();
        map.refine(&[0.0; 8]);
        assert_eq!(before, map.edges);
        let mut one = [0.0; 8];
        one[3] = 1.0;
        (0..2000).for_each(|_| map.refine(&one));
        assert!(map.edges.windows(2).all(|ends| ends[0] < ends[1]));
    }
}
