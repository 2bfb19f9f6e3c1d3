//! What a log density costs a call, in nanoseconds: for `benches/per_call.py`.

use std::hint::black_box;
use std::time::Instant;

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;

use crate::density::LogDensityGrad;
use crate::normal::Normal;

fn time(n: usize, mut call: impl FnMut() -> PyResult<f64>) -> PyResult<f64> {
    let start = Instant::now();
    for _ in 0..n {
        black_box(call()?);
    }
    Ok(start.elapsed().as_nanos() as f64 / n as f64)
}

/// Through the handle, whatever is behind it.
#[pyfunction]
pub(crate) fn time_handle(py: Python<'_>, logp: LogDensityGrad, x: Vec<f64>, n: usize) -> PyResult<f64> {
    let mut grad = vec![0.0; x.len()];
    py.detach(|| time(n, || Ok(logp.call(black_box(&x), black_box(&mut grad))?)))
}

/// Written in Rust, known to the compiler and inlined.
#[pyfunction]
pub(crate) fn time_inlined(
    py: Python<'_>,
    mean: Vec<f64>,
    precision: Vec<f64>,
    x: Vec<f64>,
    n: usize,
) -> PyResult<f64> {
    let normal = Normal::new(mean, precision)?;
    let mut grad = vec![0.0; x.len()];
    py.detach(|| time(n, || Ok(normal.with_gradient(black_box(&x), black_box(&mut grad))?)))
}

/// The function in the interpreter, called through PyO3 with arrays that were made before.
#[pyfunction]
pub(crate) fn time_python(logp: &Bound<'_, PyAny>, x: Vec<f64>, n: usize) -> PyResult<f64> {
    let py = logp.py();
    let grad = PyArray1::<f64>::zeros(py, x.len(), false);
    let x = x.into_pyarray(py);
    time(n, || logp.call1((&x, &grad))?.extract())
}
