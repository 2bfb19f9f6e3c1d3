//! Chains of draws: how they start, run, and come back to Python.

use ndarray::{Array2, Array3, ArrayD, Axis};
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArray3};
use pyo3::exceptions::{PyMemoryError, PyValueError};
use pyo3::prelude::*;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use ringback::Error;

use crate::chains::{Going, generator, run};

/// How one step of a chain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Accepted,
    Rejected,
    /// The function raised an exception there, so the proposal was rejected.
    Raised,
}

/// A Markov chain: a point, and how to get to the next one.
pub(crate) trait Chain {
    /// Moves on, or stays.
    fn step(&mut self, generator: &mut ChaCha8Rng) -> Result<Step, Error>;
    /// Where the chain is, and the log density there.
    fn here(&self) -> (&[f64], f64);
}

/// Metropolis' rule: whether to accept a proposal whose log density is higher by `gain`. Not if that is NaN.
#[inline]
pub(crate) fn accepts(generator: &mut ChaCha8Rng, gain: f64) -> bool {
    generator.random::<f64>().ln() < gain
}

/// How much to run, and from where.
#[derive(Debug)]
pub(crate) struct Plan {
    /// One point, or a row for each chain.
    start: ArrayD<f64>,
    dim: usize,
    chains: usize,
    draws: usize,
    warmup: usize,
    seed: u64,
}

impl Plan {
    /// Checks what Python passed. `start` is one point for all chains, or a row for each.
    pub(crate) fn new(start: ArrayD<f64>, chains: usize, draws: usize, warmup: usize, seed: u64) -> PyResult<Self> {
        let shape = start.shape().to_vec();
        let fits = match shape[..] {
            [dim] => dim > 0,
            [rows, dim] => rows == chains && dim > 0,
            _ => false,
        };
        if !fits || chains == 0 {
            return Err(PyValueError::new_err(format!(
                "start is one point or one row for each of the {chains} chains, found an array of shape {shape:?}"
            )));
        }
        if let Some(odd) = start.iter().find(|x| !x.is_finite()) {
            return Err(PyValueError::new_err(format!("start must be finite, found {odd}")));
        }
        Ok(Plan { start, dim: shape[shape.len() - 1], chains, draws, warmup, seed })
    }

    /// Where a chain starts.
    fn start_of(&self, number: usize) -> Vec<f64> {
        let row = if self.start.ndim() == 1 { self.start.view() } else { self.start.index_axis(Axis(0), number) };
        row.iter().copied().collect()
    }

    /// Runs all chains; `begin` makes one from its start.
    pub(crate) fn run<C: Chain>(
        &self,
        py: Python<'_>,
        workers: usize,
        begin: impl Fn(Vec<f64>) -> Result<C, Error> + Sync,
    ) -> PyResult<Draws> {
        let Plan { chains, dim, .. } = *self;
        let mut x = reserved(chains.saturating_mul(self.draws).saturating_mul(dim))?;
        let mut logp = reserved(chains.saturating_mul(self.draws))?;
        let traces = run(py, chains, workers, |number, going| {
            let chain = begin(self.start_of(number))?;
            self.trace(chain, &mut generator(self.seed, number), going)
        })?;
        let (mut accepted, mut raised) = (Vec::new(), Vec::new());
        for trace in traces {
            x.extend(trace.x);
            logp.extend(trace.logp);
            accepted.push(trace.accepted as f64 / self.draws.max(1) as f64);
            raised.push(trace.raised);
        }
        let odd = |error: ndarray::ShapeError| PyValueError::new_err(error.to_string());
        let x = Array3::from_shape_vec((chains, self.draws, dim), x).map_err(odd)?;
        let logp = Array2::from_shape_vec((chains, self.draws), logp).map_err(odd)?;
        Ok(Draws {
            x: x.into_pyarray(py).unbind(),
            logp: logp.into_pyarray(py).unbind(),
            accepted: accepted.into_pyarray(py).unbind(),
            raised: raised.into_pyarray(py).unbind(),
        })
    }

    fn trace(
        &self,
        mut chain: impl Chain,
        generator: &mut ChaCha8Rng,
        going: &Going<'_>,
    ) -> Result<Option<Trace>, Error> {
        let (mut raised, mut accepted) = (0, 0);
        let mut trace = Trace { x: Vec::new(), logp: Vec::new(), accepted: 0, raised: 0 };
        let room = trace.x.try_reserve_exact(self.draws * self.dim).and(trace.logp.try_reserve_exact(self.draws));
        room.map_err(|error| Error::raised("MemoryError", error.to_string()))?;
        for turn in 0..self.warmup.saturating_add(self.draws) {
            if !going.on() {
                return Ok(None);
            }
            let step = chain.step(generator)?;
            raised += u64::from(step == Step::Raised);
            if turn >= self.warmup {
                accepted += u64::from(step == Step::Accepted);
                let (x, logp) = chain.here();
                trace.x.extend_from_slice(x);
                trace.logp.push(logp);
            }
        }
        Ok(Some(Trace { accepted, raised, ..trace }))
    }
}

/// What one chain left.
struct Trace {
    x: Vec<f64>,
    logp: Vec<f64>,
    accepted: u64,
    raised: u64,
}

fn reserved(numbers: usize) -> PyResult<Vec<f64>> {
    let mut room = Vec::new();
    room.try_reserve_exact(numbers).map_err(|error| PyMemoryError::new_err(error.to_string()))?;
    Ok(room)
}

/// Draws of all chains.
#[pyclass(frozen, module = "ergodic")]
#[derive(Debug)]
pub struct Draws {
    /// The draws, `(chains, draws, dim)`.
    #[pyo3(get)]
    x: Py<PyArray3<f64>>,
    /// The log density at each draw, `(chains, draws)`.
    #[pyo3(get)]
    logp: Py<PyArray2<f64>>,
    /// The share of proposals that were accepted after warming up, for each chain.
    #[pyo3(get)]
    accepted: Py<PyArray1<f64>>,
    /// How many proposals were rejected because the function raised an exception, for each chain.
    #[pyo3(get)]
    raised: Py<PyArray1<u64>>,
}

#[pymethods]
impl Draws {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let shape: (usize, usize, usize) = self.x.bind(py).getattr("shape")?.extract()?;
        let accepted: f64 = self.accepted.bind(py).call_method0("mean")?.extract()?;
        let raised: u64 = self.raised.bind(py).call_method0("sum")?.extract()?;
        let (chains, draws, dim) = shape;
        Ok(format!("Draws(chains={chains}, draws={draws}, dim={dim}, accepted={accepted:.2}, raised={raised})"))
    }
}
