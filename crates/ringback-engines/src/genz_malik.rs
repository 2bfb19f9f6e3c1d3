//! The rule of Genz and Malik: from a box to points, and from values to an estimate with its error.
//!
//! A. C. Genz and A. A. Malik, *Remarks on algorithm 006: an adaptive algorithm for numerical integration over an
//! N-dimensional rectangular region*, J. Comput. Appl. Math. 6 (1980) 295–302. Degree 7, with a rule of degree 5 at the
//! same points; what both differ by is the error. The side along which the fourth difference is largest is the next to
//! be halved.

/// Distances of the points from the centre, in units of half a side.
const NEAR: f64 = 0.358_568_582_800_318_1; // √(9/70)
const FAR: f64 = 0.948_683_298_050_513_8; // √(9/10)
const CORNER: f64 = 0.688_247_201_611_685_3; // √(9/19)

/// (NEAR / FAR)²
const RATIO: f64 = 1.0 / 7.0;

/// Weights of the centre, of points near and far on the axes, far on diagonals of two axes, and in the corners; they
/// sum to 1.
type Weights = [f64; 5];

/// The rule for boxes of some number of dimensions.
#[derive(Debug)]
pub(crate) struct GenzMalik {
    dims: usize,
    /// How many points.
    pub(crate) points: usize,
    /// Offsets of the points from the centre: a run of `points` numbers for each dimension. First the centre, then four on
    /// each axis (near, far, both ways), then those on diagonals, then the corners.
    offsets: Vec<f64>,
    seventh: Weights,
    fifth: Weights,
}

/// What one application of the rule says of one result of the integrand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) value: f64,
    pub(crate) error: f64,
    /// About how much of the error rounding may be.
    pub(crate) noise: f64,
}

impl GenzMalik {
    /// Dimensions from 2 on; the number of points grows as 2 to their power.
    pub(crate) fn new(dims: usize) -> Self {
        let mut nodes: Vec<Vec<f64>> = vec![vec![0.0; dims]];
        let mut add = |places: &[(usize, f64)]| {
            let mut node = vec![0.0; dims];
            places.iter().for_each(|&(dim, offset)| node[dim] = offset);
            nodes.push(node);
        };
        for i in 0..dims {
            [NEAR, -NEAR, FAR, -FAR].into_iter().for_each(|offset| add(&[(i, offset)]));
        }
        for i in 0..dims {
            for j in i + 1..dims {
                for (u, v) in [(FAR, FAR), (FAR, -FAR), (-FAR, FAR), (-FAR, -FAR)] {
                    add(&[(i, u), (j, v)]);
                }
            }
        }
        for corner in 0..1_usize << dims {
            let place = |dim| (dim, if corner >> dim & 1 == 0 { CORNER } else { -CORNER });
            add(&(0..dims).map(place).collect::<Vec<_>>());
        }
        let points = nodes.len();
        let offsets = (0..dims).flat_map(|dim| nodes.iter().map(move |node| node[dim])).collect();
        let n = dims as f64;
        Self {
            dims,
            points,
            offsets,
            seventh: [
                (12824.0 - 9120.0 * n + 400.0 * n * n) / 19683.0,
                980.0 / 6561.0,
                (1820.0 - 400.0 * n) / 19683.0,
                200.0 / 19683.0,
                6859.0 / 19683.0 / n.exp2(),
            ],
            fifth: [
                (729.0 - 950.0 * n + 50.0 * n * n) / 729.0,
                245.0 / 486.0,
                (265.0 - 100.0 * n) / 1458.0,
                25.0 / 729.0,
                0.0,
            ],
        }
    }

    /// Writes the points for a box into a block of `len` points, from `first` on.
    #[inline]
    pub(crate) fn place(&self, center: &[f64], half: &[f64], block: &mut [f64], len: usize, first: usize) {
        for (dim, (center, half)) in center.iter().zip(half).enumerate() {
            let offsets = &self.offsets[dim * self.points..][..self.points];
            let column = &mut block[dim * len + first..][..self.points];
            for (x, offset) in column.iter_mut().zip(offsets) {
                *x = center + half * offset;
            }
        }
    }

    /// The estimate from the values at the points. Adds to `differences` the fourth difference along each side, in units
    /// of `scale`.
    #[inline]
    pub(crate) fn reduce(&self, values: &[f64], volume: f64, scale: f64, differences: &mut [f64]) -> Estimate {
        let center = values[0];
        let (axes, rest) = values[1..].split_at(4 * self.dims);
        let (diagonals, corners) = rest.split_at(2 * self.dims * (self.dims - 1));
        let mut sums = [center, 0.0, 0.0, 0.0, 0.0];
        let mut sizes = [center.abs(), 0.0, 0.0, 0.0, 0.0];
        for (axis, difference) in axes.chunks_exact(4).zip(differences) {
            let (near, far) = (axis[0] + axis[1], axis[2] + axis[3]);
            sums[1] += near;
            sums[2] += far;
            sizes[1] += axis[0].abs() + axis[1].abs();
            sizes[2] += axis[2].abs() + axis[3].abs();
            let fourth = ((near - 2.0 * center) - RATIO * (far - 2.0 * center)).abs();
            // What rounding makes of equal values is no difference.
            if fourth > 16.0 * f64::EPSILON * (center.abs() + near.abs() + far.abs()) {
                *difference += fourth * scale;
            }
        }
        (sums[3], sizes[3]) = sum(diagonals);
        (sums[4], sizes[4]) = sum(corners);
        let apply = |weights: &Weights, sums: &[f64; 5]| weights.iter().zip(sums).map(|(w, s)| w * s).sum::<f64>();
        let value = apply(&self.seventh, &sums);
        let size = apply(&self.seventh.map(f64::abs), &sizes) + apply(&self.fifth.map(f64::abs), &sizes);
        Estimate {
            value: volume * value,
            error: volume * (value - apply(&self.fifth, &sums)).abs(),
            noise: volume * f64::EPSILON * size,
        }
    }
}

/// The sum of the values and that of their absolute values, by four accumulators each: four times as fast as one.
#[inline]
fn sum(values: &[f64]) -> (f64, f64) {
    let (mut sums, mut sizes) = ([0.0; 4], [0.0; 4]);
    // Their number is a multiple of four in each dimension.
    for four in values.chunks_exact(4) {
        for lane in 0..4 {
            sums[lane] += four[lane];
            sizes[lane] += four[lane].abs();
        }
    }
    let total = |x: [f64; 4]| (x[0] + x[1]) + (x[2] + x[3]);
    (total(sums), total(sizes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(rule: &GenzMalik, center: &[f64], half: &[f64], f: impl Fn(&[f64]) -> f64) -> (Estimate, Vec<f64>) {
        let dims = center.len();
        let mut block = vec![0.0; dims * rule.points];
        rule.place(center, half, &mut block, rule.points, 0);
        let point = |i| (0..dims).map(|dim| block[dim * rule.points + i]).collect::<Vec<_>>();
        let values: Vec<f64> = (0..rule.points).map(|i| f(&point(i))).collect();
        let volume = half.iter().map(|half| 2.0 * half).product();
        let mut differences = vec![0.0; dims];
        (rule.reduce(&values, volume, 1.0, &mut differences), differences)
    }

    #[test]
    fn as_many_points_as_published() {
        let counts: Vec<usize> = (2..=8).map(|dims| GenzMalik::new(dims).points).collect();
        assert_eq!(counts, [17, 33, 57, 93, 149, 241, 401]);
    }

    #[test]
    fn points_lie_where_they_were_published() {
        assert!((NEAR * NEAR - 9.0 / 70.0).abs() < 1e-16);
        assert!((FAR * FAR - 0.9).abs() < 1e-15);
        assert!((CORNER * CORNER - 9.0 / 19.0).abs() < 1e-16);
        for dims in 2..=8 {
            // Symmetric: with each point its mirror image in every coordinate.
            let rule = GenzMalik::new(dims);
            for dim in 0..dims {
                let column = &rule.offsets[dim * rule.points..][..rule.points];
                let many = |x: f64| column.iter().filter(|y| **y == x).count();
                assert!(column.iter().all(|x| many(*x) == many(-x)));
            }
        }
    }

    #[test]
    fn weights_sum_to_one() {
        for dims in 2..=8 {
            let rule = GenzMalik::new(dims);
            let n = dims as f64;
            let counts = [1.0, 2.0 * n, 2.0 * n, 2.0 * n * (n - 1.0), n.exp2()];
            for weights in [rule.seventh, rule.fifth] {
                let total: f64 = weights.iter().zip(counts).map(|(w, count)| w * count).sum();
                assert!((total - 1.0).abs() < 1e-14, "{dims}: {total}");
            }
        }
    }

    /// All exponents of monomials in `dims` variables up to a total degree.
    fn exponents(dims: usize, degree: u32) -> Vec<Vec<u32>> {
        if dims == 0 {
            return vec![vec![]];
        }
        let mut all = vec![];
        for first in 0..=degree {
            for mut rest in exponents(dims - 1, degree - first) {
                rest.push(first);
                all.push(rest);
            }
        }
        all
    }

    #[test]
    fn every_monomial_up_to_degree_seven_is_exact_and_up_to_degree_five_without_error() {
        for dims in 2..=8 {
            let rule = GenzMalik::new(dims);
            // An odd box, so that nothing is exact by symmetry alone.
            let center: Vec<f64> = (0..dims).map(|i| 0.3 + 0.1 * i as f64).collect();
            let half: Vec<f64> = (0..dims).map(|i| 0.5 + 0.05 * i as f64).collect();
            for powers in exponents(dims, 7) {
                let monomial = |x: &[f64]| x.iter().zip(&powers).map(|(x, p)| x.powi(*p as i32)).product::<f64>();
                let side = |i: usize| {
                    let p = powers[i] as i32 + 1;
                    ((center[i] + half[i]).powi(p) - (center[i] - half[i]).powi(p)) / f64::from(p)
                };
                let exact: f64 = (0..dims).map(side).product();
                let (estimate, _) = apply(&rule, &center, &half, monomial);
                let scale = 1e-13 * (1.0 + exact.abs() + estimate.noise / f64::EPSILON);
                assert!((estimate.value - exact).abs() < scale, "{powers:?}: {} {exact}", estimate.value);
                if powers.iter().sum::<u32>() <= 5 {
                    assert!(estimate.error < scale, "{powers:?}: error {}", estimate.error);
                }
            }
        }
    }

    #[test]
    fn of_degree_eight_some_monomial_is_not_exact() {
        let rule = GenzMalik::new(2);
        let (estimate, _) = apply(&rule, &[0.0, 0.0], &[1.0, 1.0], |x| x[0].powi(8));
        assert!((estimate.value - 4.0 / 9.0).abs() > 1e-3);
        assert!(estimate.error > (estimate.value - 4.0 / 9.0).abs());
    }

    #[test]
    fn the_fourth_difference_shows_the_side_that_matters() {
        let rule = GenzMalik::new(3);
        let (_, differences) = apply(&rule, &[0.5; 3], &[0.5; 3], |x| (5.0 * x[1]).sin() + x[0] * x[0] * x[0] + x[2]);
        assert_eq!((differences[0], differences[2]), (0.0, 0.0));
        assert!(differences[1] > 0.1);
    }

    #[test]
    fn a_value_that_is_not_finite_shows_in_the_estimate() {
        for dims in 2..=8 {
            let rule = GenzMalik::new(dims);
            for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                for place in 0..rule.points {
                    let mut values = vec![1.0; rule.points];
                    values[place] = bad;
                    let estimate = rule.reduce(&values, 1.0, 1.0, &mut vec![0.0; dims]);
                    assert!(!estimate.value.is_finite(), "{dims} {place}");
                }
            }
        }
    }
}
