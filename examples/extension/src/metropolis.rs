//! Random walk Metropolis (Metropolis et al., *J. Chem. Phys.* 21, 1087, 1953).

use numpy::{AllowTypeChange, PyArrayLikeDyn};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use ringback::Error;

use crate::chains::workers as threads;
use crate::density::{At, LogDensity, OnError, at_start, judge};
use crate::draws::{Chain, Draws, Plan, Step, accepts};

struct Metropolis<'a> {
    density: &'a LogDensity,
    step: f64,
    on_error: OnError,
    x: Vec<f64>,
    logp: f64,
    proposal: Vec<f64>,
}

impl Chain for Metropolis<'_> {
    fn step(&mut self, generator: &mut ChaCha8Rng) -> Result<Step, Error> {
        for (new, x) in self.proposal.iter_mut().zip(&self.x) {
            let normal: f64 = generator.sample(StandardNormal);
            *new = x + self.step * normal;
        }
        // Too large a step leaves the numbers; there is no density there.
        if !self.proposal.iter().all(|x| x.is_finite()) {
            return Ok(Step::Rejected);
        }
        let logp = match judge(self.density.call(&self.proposal), &self.proposal, self.on_error)? {
            At::Value(logp) => logp,
            At::Zero => return Ok(Step::Rejected),
            At::Raised => return Ok(Step::Raised),
        };
        if !accepts(generator, logp - self.logp) {
            return Ok(Step::Rejected);
        }
        std::mem::swap(&mut self.x, &mut self.proposal);
        self.logp = logp;
        Ok(Step::Accepted)
    }

    fn here(&self) -> (&[f64], f64) {
        (&self.x, self.logp)
    }
}

/// Draw from a density by a random walk.
///
/// Parameters
/// ----------
/// logp
///     Log density, up to a constant: a plain function `logp(x)` of an array, or another callback `f64([f64])`. It returns
///     -inf where the density is zero; NaN and +inf are errors.
/// start
///     Where chains start: a point, or a row for each chain.
/// draws, warmup
///     How many draws of each chain are kept, after how many that are not.
/// step
///     Standard deviation of a proposal, in each direction.
/// chains, workers, seed
///     The number of chains, of threads that run them (default: one for each core), and where their generators begin.
///     The same seed gives the same draws, with any number of threads.
/// on_error
///     `"raise"`: an exception in `logp` ends the run, and is raised. `"reject"`: the proposal is rejected, and counted.
#[pyfunction]
#[pyo3(signature = (logp, start, *, draws=1000, warmup=1000, step=1.0, chains=4, seed=0, on_error="raise", workers=None))]
#[expect(clippy::too_many_arguments, reason = "they are named in Python")]
pub(crate) fn metropolis(
    py: Python<'_>,
    logp: LogDensity,
    start: PyArrayLikeDyn<'_, f64, AllowTypeChange>,
    draws: usize,
    warmup: usize,
    step: f64,
    chains: usize,
    seed: u64,
    on_error: &str,
    workers: Option<usize>,
) -> PyResult<Draws> {
    let on_error = OnError::new(on_error)?;
    check_step(step)?;
    let plan = Plan::new(start.as_array().to_owned(), chains, draws, warmup, seed)?;
    plan.run(py, threads(workers)?, |x| {
        let here = at_start(logp.call(&x), &x)?;
        Ok(Metropolis { density: &logp, step, on_error, logp: here, proposal: vec![0.0; x.len()], x })
    })
}

/// An error unless `step` is a positive number.
pub(crate) fn check_step(step: f64) -> PyResult<()> {
    if step > 0.0 && step.is_finite() {
        Ok(())
    } else {
        Err(PyValueError::new_err(format!("step must be a positive number, found {step}")))
    }
}
