//! A bootstrap particle filter (N. Gordon, D. Salmond, A. Smith, *IEE Proc. F* 140, 107, 1993), over functions of matrices.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2, Axis};
use numpy::{AllowTypeChange, IntoPyArray, PyArray1, PyArray2, PyArrayLike2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use ringback::Error;

use crate::chains::{Going, generator, run};
use crate::density::{shown, value_error};

ringback::callback! {
    /// Advances particles, a row each, one step on. `noise` has a standard normal number for each number of `particles`.
    pub struct Advance(particles: ArrayView2<'_, f64>, noise: ArrayView2<'_, f64>, moved: ArrayViewMut2<'_, f64>)
        where dim(particles, 0) == dim(noise, 0), dim(particles, 1) == dim(noise, 1),
              dim(particles, 0) == dim(moved, 0), dim(particles, 1) == dim(moved, 1);
}

ringback::callback! {
    /// Writes the log weight of each particle: the log density of the observation, given that particle.
    pub struct Weigh(particles: ArrayView2<'_, f64>, observation: ArrayView1<'_, f64>, log_weights: ArrayViewMut1<'_, f64>)
        where dim(particles, 0) == len(log_weights);
}

/// What a filter found.
#[pyclass(frozen, module = "ergodic")]
#[derive(Debug)]
pub struct Filtered {
    /// Mean of the particles after each observation, `(observations, dim)`.
    #[pyo3(get)]
    mean: Py<PyArray2<f64>>,
    /// Effective number of particles at each observation: 1 / sum of squared weights.
    #[pyo3(get)]
    effective: Py<PyArray1<f64>>,
    /// Log of the estimated density of all observations.
    #[pyo3(get)]
    evidence: f64,
}

#[pymethods]
impl Filtered {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (steps, dim): (usize, usize) = self.mean.bind(py).getattr("shape")?.extract()?;
        Ok(format!("Filtered(observations={steps}, dim={dim}, evidence={:.6})", self.evidence))
    }
}

/// Follow a hidden state through observations with weighted particles.
///
/// Parameters
/// ----------
/// advance
///     `advance(particles, noise, moved)`: writes to `moved` where each particle, a row, is one step later. `noise` is a
///     matrix of standard normal numbers of the same shape. Or another callback
///     `void([f64; n, m; any], [f64; n, m; any], mut [f64; n, m; any])`.
/// weigh
///     `weigh(particles, observation, log_weights)`: writes the log density of the observation for each particle, -inf
///     where it is zero. Or another callback `void([f64; n, :; any], [f64; :; any], mut [f64; n; any])`.
/// start
///     The particles before the first step, a row each.
/// observations
///     A row for each step.
/// seed
///     The same seed gives the same result.
#[pyfunction]
#[pyo3(signature = (advance, weigh, start, observations, *, seed=0))]
pub(crate) fn particle_filter(
    py: Python<'_>,
    advance: Advance,
    weigh: Weigh,
    start: PyArrayLike2<'_, f64, AllowTypeChange>,
    observations: PyArrayLike2<'_, f64, AllowTypeChange>,
    seed: u64,
) -> PyResult<Filtered> {
    let (start, observations) = (start.as_array().to_owned(), observations.as_array().to_owned());
    if start.is_empty() {
        let text = format!("start has a row for each particle, found an array of shape {:?}", start.shape());
        return Err(PyValueError::new_err(text));
    }
    // One job, in a thread of its own, so that this one can look for Ctrl-C.
    let mut found = run(py, 1, 1, |_, going| {
        let filter = Filter { advance: &advance, weigh: &weigh, particles: start.clone(), evidence: 0.0 };
        filter.run(observations.view(), &mut generator(seed, 0), going)
    })?;
    let Found { mean, effective, evidence } =
        found.pop().ok_or_else(|| PyValueError::new_err("the filter did not run"))?;
    Ok(Filtered { mean: mean.into_pyarray(py).unbind(), effective: effective.into_pyarray(py).unbind(), evidence })
}

/// The same before it is Python's.
struct Found {
    mean: Array2<f64>,
    effective: Array1<f64>,
    evidence: f64,
}

struct Filter<'a> {
    advance: &'a Advance,
    weigh: &'a Weigh,
    particles: Array2<f64>,
    evidence: f64,
}

impl Filter<'_> {
    fn run(
        mut self,
        observations: ArrayView2<'_, f64>,
        generator: &mut ChaCha8Rng,
        going: &Going<'_>,
    ) -> Result<Option<Found>, Error> {
        let (count, dim) = self.particles.dim();
        let mut noise = Array2::zeros((count, dim));
        let mut other = Array2::zeros((count, dim));
        let mut weights = Array1::zeros(count);
        let mut mean = Array2::zeros((observations.nrows(), dim));
        let mut effective = Array1::zeros(observations.nrows());
        for (step, observation) in observations.outer_iter().enumerate() {
            if !going.on() {
                return Ok(None);
            }
            noise.mapv_inplace(|_| generator.sample(StandardNormal));
            // What a function forgot to write is then seen, and is not what an earlier call wrote.
            other.fill(f64::NAN);
            weights.fill(f64::NAN);
            self.advance.call(self.particles.view(), noise.view(), other.view_mut())?;
            std::mem::swap(&mut self.particles, &mut other);
            check_moved(&self.particles, step)?;
            self.weigh.call(self.particles.view(), observation, weights.view_mut())?;
            self.evidence += normalise(&mut weights, step)?;
            mean.row_mut(step).assign(&weights.dot(&self.particles));
            effective[step] = 1.0 / weights.dot(&weights);
            resample(&self.particles, &weights, generator.random(), &mut other);
            std::mem::swap(&mut self.particles, &mut other);
        }
        Ok(Some(Found { mean, effective, evidence: self.evidence }))
    }
}

/// An error unless each particle is somewhere.
fn check_moved(particles: &Array2<f64>, step: usize) -> Result<(), Error> {
    match particles.outer_iter().enumerate().find(|(_, particle)| !particle.iter().all(|x| x.is_finite())) {
        None => Ok(()),
        Some((row, particle)) => Err(value_error(format!(
            "particle {row} moved to {} at observation {step}: advance must write a number to each element of moved",
            shown(&particle.to_vec())
        ))),
    }
}

/// Log weights become weights whose sum is 1; returns the log of their mean.
fn normalise(weights: &mut Array1<f64>, step: usize) -> Result<f64, Error> {
    if let Some((row, odd)) = weights.iter().enumerate().find(|(_, w)| w.is_nan() || **w == f64::INFINITY) {
        return Err(value_error(format!(
            "the log weight of particle {row} at observation {step} is {odd}: it must be a number, or -inf for weight zero"
        )));
    }
    let largest = weights.fold(f64::NEG_INFINITY, |a, &b| a.max(b));
    if largest == f64::NEG_INFINITY {
        return Err(value_error(format!(
            "every particle has weight zero at observation {step}: use more particles, or a model that allows for it"
        )));
    }
    weights.mapv_inplace(|w| (w - largest).exp());
    let sum = weights.sum();
    *weights /= sum;
    Ok(largest + (sum / weights.len() as f64).ln())
}

/// Systematic resampling (G. Kitagawa, *J. Comput. Graph. Stat.* 5, 1, 1996): one uniform number for all particles.
fn resample(particles: &Array2<f64>, weights: &Array1<f64>, uniform: f64, chosen: &mut Array2<f64>) {
    let count = weights.len();
    let (mut row, mut reached) = (0, weights[0]);
    for (i, mut target) in chosen.axis_iter_mut(Axis(0)).enumerate() {
        let at = (i as f64 + uniform) / count as f64;
        // Sums of weights may end a little below 1.
        while reached <= at && row + 1 < count {
            row += 1;
            reached += weights[row];
        }
        target.assign(&particles.row(row));
    }
}
