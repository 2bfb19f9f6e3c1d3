//! Many integrals of exp(-k t)/t² from 1 to ∞: a loop, and the same with rayon.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rayon::prelude::*;
use ringback_engines::{Options, Workspace, pointwise, quad_with};

use crate::integrals::value;

fn one(workspace: &mut Workspace, k: f64, options: &Options) -> PyResult<f64> {
    let f = pointwise(|t: f64| Ok::<_, PyErr>((-k * t).exp() / (t * t)));
    value(quad_with(workspace, f, 1.0, f64::INFINITY, &[], options))
}

/// The integrals for each `k`, by a loop.
#[pyfunction]
pub(crate) fn many_rust(py: Python<'_>, ks: Vec<f64>) -> PyResult<Vec<f64>> {
    let options = Options::default();
    let mut workspace = Workspace::new();
    py.detach(|| ks.iter().map(|&k| one(&mut workspace, k, &options)).collect())
}

/// The integrals for each `k`, on `workers` threads.
#[pyfunction]
pub(crate) fn many_rayon(py: Python<'_>, ks: Vec<f64>, workers: usize) -> PyResult<Vec<f64>> {
    let options = Options::default();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(workers)
        .build()
        .map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    py.detach(|| {
        pool.install(|| ks.par_iter().map_init(Workspace::new, |workspace, &k| one(workspace, k, &options)).collect())
    })
}
