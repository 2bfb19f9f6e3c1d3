//! Adaptive cubature over boxes of 2 to 8 dimensions.

use crate::block::Block;
use crate::field::Field;
use crate::genz_malik::GenzMalik;
use crate::outcome::{BoxError, CubatureStatus, Halt, InvalidBox, MAX_OUTPUTS};
use crate::range::Range;
use crate::regions::{Batch, Layout, Place, Regions, Totals};
use crate::team::Team;

/// How accurate a cubature is to be, and how much work may go into it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CubatureOptions {
    /// The error aimed at in units of the result.
    pub rtol: f64,
    /// The absolute error aimed at; the sum of both tolerances counts, as in SciPy's `cubature`.
    pub atol: f64,
    /// How often some part of the box may be halved. (SciPy divides a part into 2ⁿ and counts that as one.)
    pub max_subdivisions: usize,
    /// How many threads may work, the calling one included, and never more than 256. Their number changes no bit of
    /// the result.
    pub workers: usize,
}

impl Default for CubatureOptions {
    fn default() -> Self {
        Self { rtol: 1e-8, atol: 0.0, max_subdivisions: 100_000, workers: 1 }
    }
}

impl CubatureOptions {
    fn check(&self) -> Result<(), InvalidBox> {
        let Self { rtol, atol, workers, .. } = *self;
        // So that NaN is refused too.
        let sensible = rtol >= 0.0 && atol >= 0.0;
        if !sensible || (atol == 0.0 && rtol < crate::Options::SMALLEST_EPSREL) {
            return Err(InvalidBox::Tolerance { rtol, atol });
        }
        if workers < 1 { Err(InvalidBox::NoWorkers) } else { Ok(()) }
    }

    fn tolerance(&self, value: f64) -> f64 {
        self.atol + self.rtol * value.abs()
    }
}

/// The result of a cubature.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "the status tells whether the values can be relied on"]
pub struct Cubature {
    /// The integral of each result of the integrand.
    pub value: Vec<f64>,
    /// Estimate of the absolute error of each, meant to be an upper bound.
    pub error: Vec<f64>,
    /// How often the integrand was evaluated.
    pub neval: usize,
    /// How often some part of the box was halved; `points` do not count.
    pub subdivisions: usize,
    /// Whether the values have the accuracy asked for, and if not, why.
    pub status: CubatureStatus,
}

/// How many regions are halved at once at most.
const BATCH: usize = 16_384;
/// How many points a block should have at least, for its call to pay.
const BLOCK: usize = 256;
/// Into how many tasks a round of many regions is cut, and how many regions a task has at most.
const TASKS: usize = 64;
const TASK: usize = 256;
/// An error of so many times the noise is noise.
const NOISE: f64 = 16.0;

/// Integrates a function of 2 to 8 variables over the box between `a` and `b`, of which any side may be infinite.
///
/// The box is divided where the error is largest, along the side where the integrand bends most. Each part is
/// integrated by the rule of Genz and Malik (1980), of degree 7, whose error is what it differs by from a rule of degree
/// 5 at the same points: mostly far too large, seldom too small. It is raised where two halves do not add up to what
/// they are the halves of (Berntsen, Espelid and Genz 1991). A part has 17, 33, 57, 93, 149, 241 or 401 points, in 2
/// to 8 dimensions.
///
/// An infinite side is mapped by `x = t / (1 - t²)`, one that is infinite at one end by `x = a + t / (1 - t)`. A side with
/// `b < a` changes the sign; one of no length makes the result 0, and the integrand is not evaluated.
///
/// `points` are places inside the box where the integrand is singular, each as many coordinates as there are
/// dimensions, in a row. The box is divided so that they become corners of parts, where the integrand is never
/// evaluated; points outside of it are left out.
///
/// The work is divided into tasks by rules that do not depend on the number of workers, and neither does the result.
///
/// # Values that are not finite
///
/// The first NaN or infinity that the integrand returns ends the integration with [`CubatureStatus::NonFinite`].
///
/// # Limits
///
/// The error is an estimate from a finite number of samples: a peak that falls between all of them is missed. The
/// rule is of low degree. High accuracy in many dimensions, and jumps that are not along sides, need very many parts.
/// Memory is needed for all parts, and at times for as many that were divided: 8 bytes for each result thrice, for each
/// dimension twice, and once more.
///
/// # Errors
///
/// [`BoxError::InvalidInput`] if the arguments make no sense, before the integrand is evaluated;
/// [`BoxError::Integrand`] with the integrand's own error.
///
/// ```
/// use std::convert::Infallible;
/// use ringback_engines::{CubatureOptions, CubatureStatus, cubature, field};
///
/// let inf = f64::INFINITY;
/// let bell = field(1, |x: &[f64], y: &mut [f64]| {
///     y[0] = (-x[0] * x[0] - x[1] * x[1]).exp();
///     Ok::<_, Infallible>(())
/// });
/// let options = CubatureOptions { rtol: 1e-7, ..Default::default() };
/// let result = cubature(&bell, &[-inf, -inf], &[inf, inf], &[], &options).unwrap();
/// assert_eq!(result.status, CubatureStatus::Converged);
/// assert!((result.value[0] - std::f64::consts::PI).abs() <= result.error[0]);
/// ```
pub fn cubature<F: Field>(
    f: &F,
    a: &[f64],
    b: &[f64],
    points: &[f64],
    options: &CubatureOptions,
) -> Result<Cubature, BoxError<F::Error>> {
    let dims = a.len();
    let outputs = f.outputs();
    if a.len() == b.len() && !(2..=8).contains(&dims) {
        return Err(InvalidBox::CubatureDims { found: dims }.into());
    }
    let range = Range::new(a, b)?;
    options.check()?;
    if !(1..=MAX_OUTPUTS).contains(&outputs) {
        return Err(InvalidBox::Outputs { found: outputs }.into());
    }
    if range.empty {
        let (value, error) = (vec![0.0; outputs], vec![0.0; outputs]);
        return Ok(Cubature { value, error, neval: 0, subdivisions: 0, status: CubatureStatus::Converged });
    }
    let layout = Layout { dims, outputs };
    let boxes = parts(&range, points, layout, options.max_subdivisions)?;
    let whole = (0..dims).map(|dim| range.high[dim] / 2.0 - range.low[dim] / 2.0).collect();
    let rule = GenzMalik::new(dims);
    let sampler = Sampler { field: f, range: &range, rule, layout, whole };
    let mut run =
        Run { sampler, team: Team::new(options.workers), regions: Regions::new(layout), subdivisions: 0, neval: 0 };
    let status = match run.integrate(boxes, options) {
        Ok(status) => status,
        Err(Halt::Integrand(error)) => return Err(BoxError::Integrand(error)),
        Err(Halt::NonFinite { at, value }) => return Ok(run.stopped(CubatureStatus::NonFinite { at, value })),
        Err(Halt::Overflow) => return Ok(run.stopped(CubatureStatus::BadIntegrand)),
    };
    if status != CubatureStatus::Converged {
        run.regions.sum();
    }
    let (value, error) = (run.regions.values(), run.regions.errors());
    if !value.iter().chain(&error).all(|x| x.is_finite()) {
        return Ok(run.stopped(CubatureStatus::BadIntegrand));
    }
    let value = value.iter().map(|value| range.sign * value).collect();
    Ok(Cubature { value, error, neval: run.neval, subdivisions: run.subdivisions, status })
}

/// Records of the parts that the box has at the beginning: `points` are corners of them.
fn parts(range: &Range, points: &[f64], layout: Layout, max_subdivisions: usize) -> Result<Vec<f64>, InvalidBox> {
    let dims = layout.dims;
    let mut boxes = vec![(range.low.clone(), range.high.clone())];
    for (index, point) in points.chunks(dims).enumerate() {
        if point.len() != dims || point.iter().any(|x| x.is_nan()) {
            return Err(InvalidBox::Point { index, point: point.to_vec(), dims });
        }
        let corner = range.inverse(point);
        let inside = |(low, high): &(Vec<f64>, Vec<f64>)| (0..dims).all(|d| low[d] < corner[d] && corner[d] < high[d]);
        let Some(place) = boxes.iter().position(inside) else { continue };
        let (low, high) = boxes.swap_remove(place);
        for which in 0..1_usize << dims {
            let upper = |d: usize| which >> d & 1 == 1;
            let from = (0..dims).map(|d| if upper(d) { corner[d] } else { low[d] }).collect();
            let to = (0..dims).map(|d| if upper(d) { high[d] } else { corner[d] }).collect();
            boxes.push((from, to));
        }
        if boxes.len() - 1 > max_subdivisions {
            return Err(InvalidBox::TooManyPoints { max_subdivisions });
        }
    }
    let mut records = vec![0.0; boxes.len() * layout.len()];
    for (record, (low, high)) in records.chunks_exact_mut(layout.len()).zip(&boxes) {
        for dim in 0..dims {
            // Written so that nothing overflows.
            record[dim] = low[dim] / 2.0 + high[dim] / 2.0;
            record[dims + dim] = high[dim] / 2.0 - low[dim] / 2.0;
        }
    }
    Ok(records)
}

/// What every thread needs to estimate regions.
struct Sampler<'a, F> {
    field: &'a F,
    range: &'a Range,
    rule: GenzMalik,
    layout: Layout,
    /// Half the sides of the whole box.
    whole: Vec<f64>,
}

/// Regions to be halved by one thread, and what it made of them. Without any, `made` are regions to be estimated.
struct Task<'a> {
    parents: &'a [Place],
    made: Batch,
}

impl<F: Field> Sampler<'_, F> {
    /// How many regions are evaluated at once. It depends on the dimensions only, and so do the bits of the results.
    fn block(&self) -> usize {
        BLOCK.div_ceil(self.rule.points)
    }

    /// Cuts the regions to be halved in a round into tasks, by a rule that does not depend on who is to do them.
    fn tasks<'a>(&self, parents: &'a [Place]) -> Vec<Task<'a>> {
        let least = self.block().div_ceil(2);
        let size = parents.len().div_ceil(TASKS).clamp(least, TASK);
        parents.chunks(size).map(|parents| Task { parents, made: Batch::default() }).collect()
    }

    /// Halves regions and estimates their halves.
    fn work(&self, block: &mut Block, task: &mut Task<'_>, regions: &Regions) -> Result<(), Halt<F::Error>> {
        let layout = self.layout;
        let Task { parents, made } = task;
        made.records.reserve_exact(2 * parents.len() * layout.len());
        for parent in *parents {
            self.halve(regions.record(*parent), &mut made.records);
        }
        for records in made.records.chunks_mut(self.block() * layout.len()) {
            self.estimate(block, records, regions.scales())?;
        }
        let pairs = made.records.chunks_exact_mut(2 * layout.len());
        parents.iter().zip(pairs).for_each(|(parent, halves)| doubt(layout, regions.record(*parent), halves));
        made.totals = vec![Totals::default(); layout.outputs];
        let mut count = |record: &[f64], sign: f64| {
            for (k, total) in made.totals.iter_mut().enumerate() {
                total.value.add(sign * layout.values(record)[k]);
                total.error.add(sign * layout.errors(record)[k]);
            }
        };
        parents.iter().for_each(|parent| count(regions.record(*parent), -1.0));
        made.records.chunks_exact(layout.len()).for_each(|record| count(record, 1.0));
        let key = |record| (regions.key(record), self.is_narrow(record));
        made.keys = made.records.chunks_exact(layout.len()).map(key).collect();
        Ok(())
    }

    /// Whether a region is too narrow to be halved: the outermost points would round to the ends.
    fn is_narrow(&self, record: &[f64]) -> bool {
        let layout = self.layout;
        let axis = layout.axis(record);
        let half = layout.half(record)[axis] / 2.0;
        half <= 64.0 * f64::EPSILON * (layout.center(record)[axis].abs() + half)
    }

    /// Writes the records of a region's halves behind the others.
    fn halve(&self, whole: &[f64], halves: &mut Vec<f64>) {
        let layout = self.layout;
        let axis = layout.axis(whole);
        let half = whole[layout.dims + axis] / 2.0;
        for offset in [-half, half] {
            let first = halves.len();
            halves.extend_from_slice(whole);
            halves[first + axis] += offset;
            halves[first + layout.dims + axis] = half;
        }
    }

    /// Fills in the records of regions whose place is known, in one block.
    fn estimate(&self, block: &mut Block, records: &mut [f64], scales: &[f64]) -> Result<(), Halt<F::Error>> {
        let Self { rule, layout, .. } = self;
        let Layout { dims, outputs } = *layout;
        let count = records.len() / layout.len();
        let (columns, len) = block.columns(self.field, dims, count * rule.points);
        for (i, record) in records.chunks_exact(layout.len()).enumerate() {
            rule.place(layout.center(record), layout.half(record), columns, len, i * rule.points);
        }
        block.eval(self.field, self.range, count * rule.points)?;
        let mut differences = [0.0; 8];
        for (i, record) in records.chunks_exact_mut(layout.len()).enumerate() {
            let first = i * rule.points;
            let volume = layout.half(record).iter().map(|half| 2.0 * half).product();
            differences.fill(0.0);
            for k in 0..outputs {
                let values = &block.values(k)[first..][..rule.points];
                let estimate = rule.reduce(values, volume, 1.0 / scales[k], &mut differences[..dims]);
                if !(estimate.value.is_finite() && estimate.error.is_finite()) {
                    return Err(block.culprit(first, rule.points));
                }
                record[2 * dims + k] = estimate.value;
                record[2 * dims + outputs + k] = estimate.error;
                record[2 * dims + 2 * outputs + k] = estimate.noise;
            }
            let axis = self.axis(layout.half(record), &differences);
            record[layout.len() - 1] = axis as f64;
        }
        Ok(())
    }

    /// The side along which the integrand bends most; of sides alike, the longest beside that of the whole box.
    fn axis(&self, half: &[f64], differences: &[f64; 8]) -> usize {
        let mut best = 0;
        for dim in 1..half.len() {
            let longer = half[dim] / self.whole[dim] > half[best] / self.whole[best];
            if differences[dim] > differences[best] || (differences[dim] == differences[best] && longer) {
                best = dim;
            }
        }
        best
    }
}

/// Raises the errors of two halves where they do not explain how much their sum differs from the value of the whole:
/// J. Berntsen, T. O. Espelid and A. Genz, *An adaptive algorithm for the approximate calculation of multiple integrals*,
/// ACM Trans. Math. Softw. 17 (1991) 437–451.
fn doubt(layout: Layout, whole: &[f64], halves: &mut [f64]) {
    let (first, second) = halves.split_at_mut(layout.len());
    for k in 0..layout.outputs {
        let sum = layout.values(first)[k] + layout.values(second)[k];
        let quarter = (layout.values(whole)[k] - sum).abs() / 4.0;
        let error = layout.errors(first)[k] + layout.errors(second)[k];
        for half in [&mut *first, &mut *second] {
            let own = &mut half[2 * layout.dims + layout.outputs + k];
            if error > 0.0 {
                *own += 2.0 * quarter * (*own / error);
            }
            *own += quarter;
        }
    }
}

/// One integration.
struct Run<'a, F> {
    sampler: Sampler<'a, F>,
    team: Team,
    regions: Regions,
    subdivisions: usize,
    neval: usize,
}

impl<F: Field> Run<'_, F> {
    /// Does one round of work, in tasks that threads share, and puts the new regions into the queue.
    fn round(&mut self, mut tasks: Vec<Task<'_>>, count: usize) -> Result<(), Halt<F::Error>> {
        let Self { sampler, team, regions, .. } = self;
        let points = count * sampler.rule.points;
        self.neval += points;
        let known = &*regions;
        team.run(
            &mut tasks,
            points,
            Block::default,
            |block, task| sampler.work(block, task, known),
            || sampler.field.pause().map_err(Halt::Integrand),
        )?;
        tasks.into_iter().for_each(|task| regions.add(task.made));
        Ok(())
    }

    fn integrate(&mut self, boxes: Vec<f64>, options: &CubatureOptions) -> Result<CubatureStatus, Halt<F::Error>> {
        let layout = self.sampler.layout;
        let part =
            |records: &[f64]| Task { parents: &[], made: Batch { records: records.to_vec(), ..Batch::default() } };
        let tasks = boxes.chunks(self.sampler.block() * layout.len()).map(part).collect();
        self.round(tasks, boxes.len() / layout.len())?;
        let tolerance = |value: f64| options.tolerance(value);
        let mut taken = vec![];
        self.regions.queue(tolerance);
        loop {
            if self.converged(options) {
                // Sums that were kept up to date have errors of their own.
                self.regions.sum();
                if self.converged(options) {
                    return Ok(CubatureStatus::Converged);
                }
            }
            if self.regions.outgrown() {
                self.regions.queue(tolerance);
            }
            let most = options.max_subdivisions - self.subdivisions;
            if most == 0 {
                return Ok(CubatureStatus::LimitReached);
            }
            let tolerances: Vec<f64> = self.regions.values().into_iter().map(tolerance).collect();
            if !tolerances.iter().all(|tolerance| tolerance.is_finite()) {
                return Err(Halt::Overflow);
            }
            self.regions.take_worst(most.min(BATCH), &tolerances, &mut taken);
            if self.is_noise(taken[0]) {
                self.regions.restore(&taken);
                return Ok(CubatureStatus::RoundoffDetected);
            }
            if taken.iter().any(|place| place.narrow) {
                self.regions.restore(&taken);
                return Ok(CubatureStatus::BadIntegrand);
            }
            let tasks = self.sampler.tasks(&taken);
            self.round(tasks, 2 * taken.len())?;
            self.subdivisions += taken.len();
            self.regions.forget(&taken);
        }
    }

    fn converged(&self, options: &CubatureOptions) -> bool {
        let errors = self.regions.errors().into_iter();
        let pairs = errors.zip(self.regions.values()).map(|(error, value)| (error, options.tolerance(value)));
        let (mut converged, mut farthest) = (true, (0.0, 0.0));
        for (error, tolerance) in pairs {
            let beside: f64 = farthest.0 / farthest.1;
            // The first in any case, since nothing compares with 0 / 0.
            if beside.is_nan() || error / tolerance > beside {
                farthest = (error, tolerance);
            }
            converged &= error <= tolerance;
        }
        self.sampler.field.reached(farthest.0, farthest.1);
        converged
    }

    /// Whether all that the region's errors tell is how its values were rounded.
    fn is_noise(&self, place: Place) -> bool {
        let layout = self.sampler.layout;
        let record = self.regions.record(place);
        layout.errors(record).iter().zip(layout.noises(record)).all(|(error, noise)| *error <= NOISE * noise)
    }

    fn stopped(&self, status: CubatureStatus) -> Cubature {
        let outputs = self.sampler.layout.outputs;
        let (value, error) = (vec![f64::NAN; outputs], vec![f64::INFINITY; outputs]);
        Cubature { value, error, neval: self.neval, subdivisions: self.subdivisions, status }
    }
}
