//! Stratified sampling: the unit cube is cut into equal cubes, and those where the integrand varies most get most points.
//!
//! G. P. Lepage, *Adaptive multidimensional integration: VEGAS enhanced*, J. Comput. Phys. 439 (2021) 110386.

/// How fast points follow the variation that was seen; Lepage's β.
const DAMPING: f64 = 0.75;
/// With more cubes than this, memory rather than accuracy would grow.
const MOST_CUBES: usize = 1 << 20;
/// Every cube needs two points, to show its variance.
const LEAST: usize = 2;

/// What was seen of the integrand in one cube (Welford's sums, which do not cancel).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Seen {
    pub(crate) count: usize,
    pub(crate) mean: f64,
    /// Sum of the squared deviations from the mean.
    pub(crate) squares: f64,
}

impl Seen {
    #[inline]
    pub(crate) fn add(&mut self, x: f64) {
        self.count += 1;
        let before = x - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (x - self.mean);
    }

    /// Both together (Chan, Golub and LeVeque, 1979).
    pub(crate) fn join(&mut self, other: Seen) {
        if self.count == 0 {
            *self = other;
        } else if other.count > 0 {
            let (mine, its) = (self.count as f64, other.count as f64);
            let apart = other.mean - self.mean;
            self.count += other.count;
            self.mean += apart * (its / (mine + its));
            self.squares += other.squares + apart * apart * (mine * its / (mine + its));
        }
    }

    /// Estimate of the variance of one value; from two values on.
    pub(crate) fn variance(self) -> f64 {
        self.squares / (self.count as f64 - 1.0)
    }
}

/// The cubes, and how many points each of them is to get.
#[derive(Debug, Clone)]
pub(crate) struct Strata {
    /// Into how many parts each axis is cut.
    pub(crate) cuts: usize,
    /// The number of the first point of each cube, and last how many points there are.
    pub(crate) starts: Vec<usize>,
    budget: usize,
}

impl Strata {
    /// As many cubes as leave four points for each, with equally many points.
    pub(crate) fn new(dims: usize, budget: usize) -> Self {
        let most = (budget / 4).clamp(1, MOST_CUBES);
        let cubes = |cuts: usize| {
            let dims = u32::try_from(dims).unwrap_or(u32::MAX);
            cuts.checked_pow(dims).filter(|cubes| *cubes <= most)
        };
        let mut cuts = 1;
        while cubes(cuts + 1).is_some() {
            cuts += 1;
        }
        let count = cubes(cuts).unwrap_or(1);
        let mut strata = Self { cuts, starts: vec![0; count + 1], budget };
        strata.share(&vec![0.0; count]);
        strata
    }

    pub(crate) fn cubes(&self) -> usize {
        self.starts.len() - 1
    }

    /// How many points there are.
    pub(crate) fn points(&self) -> usize {
        self.starts[self.cubes()]
    }

    /// The cube that a point belongs to.
    pub(crate) fn cube_of(&self, point: usize) -> usize {
        self.starts.partition_point(|start| *start <= point) - 1
    }

    pub(crate) fn count(&self, cube: usize) -> usize {
        self.starts[cube + 1] - self.starts[cube]
    }

    /// Shares the points out anew, by the variances seen in the cubes.
    pub(crate) fn share(&mut self, variances: &[f64]) {
        let wishes: Vec<f64> = variances.iter().map(|variance| variance.powf(DAMPING / 2.0)).collect();
        let total: f64 = wishes.iter().sum();
        let cubes = self.cubes();
        let free = (self.budget - LEAST * cubes) as f64;
        // What all cubes so far are to get, so that what is rounded off one goes to the next.
        let mut part = 0.0;
        for (cube, wish) in wishes.iter().enumerate() {
            part += if total > 0.0 { wish / total } else { 1.0 / cubes as f64 };
            self.starts[cube + 1] = LEAST * (cube + 1) + (free * part).min(free) as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_points_for_each_cube() {
        for (dims, budget, cuts) in [(1, 1000, 250), (2, 1000, 15), (5, 100_000, 7), (30, 100_000, 1), (64, 16, 1)] {
            let strata = Strata::new(dims, budget);
            assert_eq!(strata.cuts, cuts);
            assert_eq!(strata.cubes(), cuts.pow(dims as u32));
            assert!(strata.points() <= budget && strata.points() + 2 > budget);
        }
        assert_eq!(Strata::new(1, 1 << 24).cubes(), MOST_CUBES);
    }

    #[test]
    fn points_go_where_the_variance_is() {
        let mut strata = Strata::new(1, 400);
        let mut variances = vec![0.0; 100];
        variances[17] = 1.0;
        strata.share(&variances);
        assert_eq!((strata.count(16), strata.count(17), strata.count(18)), (2, 202, 2));
        assert_eq!(strata.points(), 400);
        assert_eq!(
            [strata.cube_of(33), strata.cube_of(34), strata.cube_of(235), strata.cube_of(236)],
            [16, 17, 17, 18]
        );
    }

    #[test]
    fn sums_join() {
        let values = [3.0, 1e8 + 1.0, 1e8 + 2.0, 1e8 + 4.0, -7.0];
        let mut all = Seen::default();
        values.iter().for_each(|x| all.add(*x));
        let (mut first, mut second) = (Seen::default(), Seen::default());
        values[..2].iter().for_each(|x| first.add(*x));
        values[2..].iter().for_each(|x| second.add(*x));
        first.join(second);
        assert_eq!(first.count, all.count);
        assert!((first.mean / all.mean - 1.0).abs() < 1e-15);
        assert!((first.variance() / all.variance() - 1.0).abs() < 1e-15);
        let mut close = Seen::default();
        [1e8 + 1.0, 1e8 + 2.0, 1e8 + 3.0].iter().for_each(|x| close.add(*x));
        assert_eq!(close.variance(), 1.0);
    }
}
