//! Monte Carlo integration over boxes of any number of dimensions.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::block::Block;
use crate::field::{Field, MAX_DIMS};
use crate::importance::Map;
use crate::outcome::{BoxError, Halt, InvalidBox, MonteCarloStatus};
use crate::range::Range;
use crate::strata::{Seen, Strata};
use crate::team::Team;

/// How much work goes into a Monte Carlo integration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MonteCarloOptions {
    /// How often the integrand is evaluated in one iteration, but for one or two that rounding may take.
    pub n: usize,
    /// How many iterations count.
    pub iterations: usize,
    /// How many iterations are done before, only to learn where to sample.
    pub warmup: usize,
    /// Iterations end early if the error is this small in units of the result. With both tolerances 0, all are done.
    pub rtol: f64,
    /// The same for the absolute error; the sum of both tolerances counts.
    pub atol: f64,
    /// Another seed gives another sample.
    pub seed: u64,
    /// How many threads may work, the calling one included, and never more than 256. Their number changes no bit of
    /// the result.
    pub workers: usize,
}

impl Default for MonteCarloOptions {
    fn default() -> Self {
        Self { n: 100_000, iterations: 10, warmup: 5, rtol: 0.0, atol: 0.0, seed: 0, workers: 1 }
    }
}

impl MonteCarloOptions {
    fn check(&self) -> Result<(), InvalidBox> {
        let Self { n, iterations, rtol, atol, workers, .. } = *self;
        // So that NaN is refused too.
        let sensible = rtol >= 0.0 && atol >= 0.0;
        if !sensible {
            return Err(InvalidBox::NegativeTolerance { rtol, atol });
        }
        if n < 16 || iterations < 2 {
            return Err(InvalidBox::Samples { n, iterations });
        }
        if workers < 1 { Err(InvalidBox::NoWorkers) } else { Ok(()) }
    }
}

/// The result of a Monte Carlo integration.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "the status tells whether the value can be relied on"]
pub struct MonteCarlo {
    /// The integral: the average over the iterations that count.
    pub value: f64,
    /// Its standard deviation: in about a third of all cases the true error is larger.
    pub error: f64,
    /// Sum of the squared deviations of the iterations from `value`, in units of their mean variance.
    pub chi2: f64,
    /// What `chi2` should be about: the iterations that counted, less one.
    pub dof: usize,
    /// How often the integrand was evaluated, to warm up included.
    pub neval: usize,
    /// How it ended.
    pub status: MonteCarloStatus,
}

/// Into how many parts an iteration is cut for threads to share, at most, and how many points each has at least.
const PARTS: usize = 32;
const PART: usize = 2048;
/// How many points are evaluated at once.
const BLOCK: usize = 256;
/// How many pieces an axis of the map has at most, and how many points there are for each.
const PIECES: usize = 512;
const POINTS_A_PIECE: usize = 50;
/// `chi2` is that of iterations which agree, but for a chance of 1 in 30 000 (four standard deviations).
const DEVIATIONS: f64 = 4.0;

/// Integrates a function over the box between `a` and `b`, of 1 to 64 dimensions, of which any side may be infinite.
///
/// The method is VEGAS+ (Lepage 1978 and 2021): a map, learnt as it goes on, puts points where the integrand is large
/// (importance sampling); the mapped cube is cut into equal ones, and those where it varies most get most points
/// (stratified sampling). The map has one factor for each axis: it is at its best for peaks along axes, and little
/// help for ridges that run along diagonals.
///
/// Infinite sides are mapped and signs chosen as in [`cubature`](fn@crate::cubature). The integrand is never evaluated at
/// the ends of a side.
///
/// Random numbers are ChaCha8's, which counts: each part of each iteration has a stream of its own, so that the same
/// seed gives the same result, bit for bit, with any number of workers.
///
/// # Values that are not finite
///
/// The first NaN or infinity that the integrand returns ends the integration with [`MonteCarloStatus::NonFinite`].
///
/// # Limits
///
/// The error is statistical. It falls as the square root of the number of points. A peak that no point of the first
/// iterations hits is missed. Where the integrand's square is not integrable there is no standard deviation, and the
/// error is too small. [`MonteCarloStatus::Inconsistent`] is for functions that do not always return the same.
///
/// # Errors
///
/// [`BoxError::InvalidInput`] if the arguments make no sense, before the integrand is evaluated;
/// [`BoxError::Integrand`] with the integrand's own error.
///
/// ```
/// use std::convert::Infallible;
/// use ringback_engines::{MonteCarloOptions, field, monte_carlo};
///
/// let f = field(1, |x: &[f64], y: &mut [f64]| {
///     y[0] = x.iter().map(|x| 2.0 * x).product();
///     Ok::<_, Infallible>(())
/// });
/// let options = MonteCarloOptions { n: 20_000, ..Default::default() };
/// let result = monte_carlo(&f, &[0.0; 10], &[1.0; 10], &options).unwrap();
/// assert!((result.value - 1.0).abs() < 5.0 * result.error);
/// assert!(result.error < 0.005);
/// ```
pub fn monte_carlo<F: Field>(
    f: &F,
    a: &[f64],
    b: &[f64],
    options: &MonteCarloOptions,
) -> Result<MonteCarlo, BoxError<F::Error>> {
    if a.len() == b.len() && !(1..=MAX_DIMS).contains(&a.len()) {
        return Err(InvalidBox::MonteCarloDims { found: a.len() }.into());
    }
    let range = Range::new(a, b)?;
    options.check()?;
    if f.outputs() != 1 {
        return Err(InvalidBox::OneOutput { found: f.outputs() }.into());
    }
    if range.empty {
        let status = MonteCarloStatus::Finished;
        return Ok(MonteCarlo { value: 0.0, error: 0.0, chi2: 0.0, dof: 0, neval: 0, status });
    }
    let mut run = Run { field: f, range: &range, options, team: Team::new(options.workers), neval: 0 };
    let status = match run.integrate() {
        Ok(result) => return Ok(result),
        Err(Halt::Integrand(error)) => return Err(BoxError::Integrand(error)),
        Err(Halt::NonFinite { at, value }) => MonteCarloStatus::NonFinite { at, value },
        Err(Halt::Overflow) => MonteCarloStatus::Overflow,
    };
    let (value, error) = (f64::NAN, f64::INFINITY);
    Ok(MonteCarlo { value, error, chi2: f64::NAN, dof: 0, neval: run.neval, status })
}

/// One integration.
struct Run<'a, F> {
    field: &'a F,
    range: &'a Range,
    options: &'a MonteCarloOptions,
    team: Team,
    neval: usize,
}

/// What one iteration samples with.
struct Plan<'a> {
    map: &'a Map,
    strata: &'a Strata,
    /// The number of the iteration.
    iteration: u64,
    /// What values are multiplied with, so that their squares are numbers.
    scale: f64,
}

/// One part of an iteration: a run of its points.
struct Part {
    number: u64,
    points: std::ops::Range<usize>,
    /// What was seen in the cubes from that of the first point on.
    seen: Vec<Seen>,
    /// Integrals of the squared integrand over the pieces of the map.
    weights: Vec<f64>,
    /// The largest value.
    largest: f64,
}

/// What one iteration found.
struct Found {
    value: f64,
    variance: f64,
    variances: Vec<f64>,
    weights: Vec<f64>,
    largest: f64,
}

/// Memory for the points of a block.
#[derive(Default)]
struct Scratch {
    block: Block,
    /// Slope of the map at each point, and the piece of each coordinate of each point.
    slopes: Vec<f64>,
    pieces: Vec<usize>,
}

impl<F: Field> Run<'_, F> {
    fn integrate(&mut self) -> Result<MonteCarlo, Halt<F::Error>> {
        let options = self.options;
        let dims = self.range.dims();
        let mut map = Map::new(&self.range.low, &self.range.high, (options.n / POINTS_A_PIECE).clamp(1, PIECES));
        let mut strata = Strata::new(dims, options.n);
        let mut variances = vec![0.0; strata.cubes()];
        let mut scale = 1.0;
        let mut average = Average::default();
        let mut iteration = 0;
        while iteration < options.warmup.saturating_add(options.iterations) {
            let found = self.iterate(&Plan { map: &map, strata: &strata, iteration: iteration as u64, scale })?;
            // Squares of such values are not numbers, or lose digits: once more, in other units.
            if iteration == 0 && scale == 1.0 && found.largest > 0.0 && !(1e-100..1e100).contains(&found.largest) {
                // A power of two, so that it costs no digits; halved twice lest it overflow.
                scale = (-found.largest.log2().round()).clamp(-1000.0, 1000.0).exp2();
                continue;
            }
            if !(found.value.is_finite() && found.variance.is_finite()) {
                return Err(Halt::Overflow);
            }
            if iteration >= options.warmup {
                average.add(found.value, found.variance);
                self.field
                    .reached(average.error() / scale, options.atol + options.rtol * average.value().abs() / scale);
                if average.count() > 1 && average.within(options, scale) && average.agrees() {
                    break;
                }
            }
            map.refine(&found.weights);
            // The variance of a few values is a poor guess: half of it is what was guessed before.
            variances.iter_mut().zip(&found.variances).for_each(|(all, new)| *all = (*all + new) / 2.0);
            strata.share(&variances);
            iteration += 1;
        }
        let asked = options.rtol > 0.0 || options.atol > 0.0;
        let status = if !average.agrees() {
            MonteCarloStatus::Inconsistent
        } else if asked && !average.within(options, scale) {
            MonteCarloStatus::LimitReached
        } else {
            MonteCarloStatus::Finished
        };
        let value = self.range.sign * average.value() / scale;
        let error = average.error() / scale;
        if !(value.is_finite() && error.is_finite()) {
            return Err(Halt::Overflow);
        }
        Ok(MonteCarlo { value, error, chi2: average.chi2(), dof: average.count() - 1, neval: self.neval, status })
    }

    fn iterate(&mut self, plan: &Plan<'_>) -> Result<Found, Halt<F::Error>> {
        let Plan { map, strata, .. } = plan;
        let total = strata.points();
        let count = (total / PART).clamp(1, PARTS);
        let size = self.range.dims() * map.pieces;
        let part = |i: usize| Part {
            number: i as u64,
            points: i * total / count..(i + 1) * total / count,
            seen: vec![],
            weights: vec![0.0; size],
            largest: 0.0,
        };
        let mut parts: Vec<Part> = (0..count).map(part).collect();
        self.neval += total;
        let (field, range, seed) = (self.field, self.range, self.options.seed);
        self.team.run(
            &mut parts,
            total,
            Scratch::default,
            |scratch, part| sample(field, range, seed, plan, scratch, part),
            || field.pause().map_err(Halt::Integrand),
        )?;
        // In the order of the parts, so that the sums are the same whoever did them.
        let mut seen = vec![Seen::default(); strata.cubes()];
        let mut found = Found { value: 0.0, variance: 0.0, variances: vec![], weights: vec![0.0; size], largest: 0.0 };
        for part in &parts {
            let first = strata.cube_of(part.points.start);
            seen[first..].iter_mut().zip(&part.seen).for_each(|(all, part)| all.join(*part));
            found.weights.iter_mut().zip(&part.weights).for_each(|(all, part)| *all += part);
            found.largest = found.largest.max(part.largest);
        }
        let cubes = strata.cubes() as f64;
        for cube in &seen {
            found.value += cube.mean / cubes;
            found.variance += cube.variance() / (cubes * cubes * cube.count as f64);
        }
        found.variances = seen.into_iter().map(Seen::variance).collect();
        Ok(found)
    }
}

/// Samples one part of an iteration.
fn sample<F: Field>(
    field: &F,
    range: &Range,
    seed: u64,
    plan: &Plan<'_>,
    scratch: &mut Scratch,
    part: &mut Part,
) -> Result<(), Halt<F::Error>> {
    let Plan { map, strata, iteration, scale } = plan;
    let dims = range.dims();
    let mut random = stream(seed, iteration << 32 | part.number);
    let first = strata.cube_of(part.points.start);
    let last = strata.cube_of(part.points.end - 1);
    part.seen = vec![Seen::default(); last - first + 1];
    let (mut cube, side) = (first, 1.0 / strata.cuts as f64);
    let mut corner = [0.0; MAX_DIMS];
    place(cube, strata.cuts, &mut corner[..dims]);
    // The volume that a point stands for.
    let share = |cube: usize| 1.0 / (strata.cubes() as f64 * strata.count(cube) as f64);
    let mut volume = share(cube);
    let mut start = part.points.start;
    while start < part.points.end {
        let count = BLOCK.min(part.points.end - start);
        let Scratch { block, slopes, pieces } = &mut *scratch;
        slopes.clear();
        pieces.clear();
        let (columns, len) = block.columns(field, dims, count);
        let mut ahead = cube;
        for i in 0..count {
            while strata.starts[ahead + 1] <= start + i {
                ahead += 1;
                place(ahead, strata.cuts, &mut corner[..dims]);
            }
            let mut slope = 1.0;
            for dim in 0..dims {
                let (x, along, piece) = map.at(dim, (corner[dim] + unit(&mut random)) * side);
                columns[dim * len + i] = x;
                slope *= along;
                pieces.push(piece);
            }
            slopes.push(slope);
        }
        block.eval(field, range, count)?;
        for (i, (y, slope)) in block.values(0)[..count].iter().zip(&*slopes).enumerate() {
            while strata.starts[cube + 1] <= start + i {
                cube += 1;
                volume = share(cube);
            }
            if !y.is_finite() {
                return Err(block.culprit(i, 1));
            }
            let value = (y * scale) * slope;
            part.seen[cube - first].add(value);
            part.largest = part.largest.max(value.abs());
            let weight = value * value * volume;
            for (dim, piece) in pieces[i * dims..][..dims].iter().enumerate() {
                part.weights[dim * map.pieces + piece] += weight;
            }
        }
        start += count;
    }
    Ok(())
}

/// The random numbers of one part of one iteration.
fn stream(seed: u64, number: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    let mut random = ChaCha8Rng::from_seed(key);
    random.set_stream(number);
    random
}

/// A number between 0 and 1, neither of which it ever is: one of 2⁵² in the middle of as many equal intervals.
#[inline]
fn unit(random: &mut ChaCha8Rng) -> f64 {
    const STEP: f64 = f64::EPSILON;
    ((random.next_u64() >> 12) as f64 + 0.5) * STEP
}

/// The coordinates of a cube's lower corner, in units of its side.
fn place(mut cube: usize, cuts: usize, corner: &mut [f64]) {
    for x in corner {
        *x = (cube % cuts) as f64;
        cube /= cuts;
    }
}

/// The average of iterations.
///
/// Weighted with their inverse variances, as Lepage has it, it would be biased: an iteration whose points miss what is
/// large is low, and believes to be precise. With equal weights the expectation is the integral.
#[derive(Debug, Default)]
struct Average {
    /// The value of each.
    values: Vec<f64>,
    /// The sum of their variances.
    variances: f64,
}

impl Average {
    fn add(&mut self, value: f64, variance: f64) {
        // Rounding leaves this much of values without variance.
        let rounding = 8.0 * f64::EPSILON * value.abs();
        self.values.push(value);
        self.variances += variance.max(rounding * rounding);
    }

    fn count(&self) -> usize {
        self.values.len()
    }

    fn value(&self) -> f64 {
        self.values.iter().sum::<f64>() / self.count() as f64
    }

    fn error(&self) -> f64 {
        self.variances.sqrt() / self.count() as f64
    }

    fn chi2(&self) -> f64 {
        let (value, variance) = (self.value(), self.variances / self.count() as f64);
        if variance == 0.0 {
            return 0.0;
        }
        self.values.iter().map(|x| (x - value) * (x - value) / variance).sum()
    }

    /// Whether the error is within the tolerance that was asked for.
    fn within(&self, options: &MonteCarloOptions, scale: f64) -> bool {
        self.error() <= options.atol * scale + options.rtol * self.value().abs()
    }

    /// Whether the iterations differ by no more than their errors: the cube root of chi2 over dof is nearly normal
    /// (Wilson and Hilferty, Proc. Natl. Acad. Sci. 17 (1931) 684–688).
    fn agrees(&self) -> bool {
        let dof = self.count() as f64 - 1.0;
        let spread = 2.0 / (9.0 * dof);
        (self.chi2() / dof).cbrt() <= 1.0 - spread + DEVIATIONS * spread.sqrt()
    }
}
