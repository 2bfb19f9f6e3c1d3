//! Nanoseconds for a call with arrays.

use std::hint::black_box;
use std::time::Instant;

use pyo3::prelude::*;

ringback::callback! {
    /// Log density at `x`, given data.
    pub struct Density(x: &[f64], data: &[f64]) -> f64;
}
ringback::callback! {
    /// Log density at `x`; writes its gradient.
    pub struct Gradient(x: &[f64], grad: &mut [f64]) -> f64;
}

/// `(nanoseconds a call, the result)`.
#[pyfunction]
pub(crate) fn time_density(py: Python<'_>, f: Density, x: Vec<f64>, data: Vec<f64>, n: usize) -> PyResult<(f64, f64)> {
    Ok(py.detach(|| time(n, || f.call(black_box(&x), &data)))?)
}

/// `(nanoseconds a call, the result)`.
#[pyfunction]
pub(crate) fn time_gradient(py: Python<'_>, f: Gradient, x: Vec<f64>, n: usize) -> PyResult<(f64, f64)> {
    let mut grad = vec![0.0; x.len()];
    Ok(py.detach(|| time(n, || f.call(black_box(&x), &mut grad)))?)
}

fn time(n: usize, mut run: impl FnMut() -> Result<f64, ringback::Error>) -> Result<(f64, f64), ringback::Error> {
    let mut result = 0.0;
    let start = Instant::now();
    for _ in 0..n {
        result = black_box(run()?);
    }
    Ok((start.elapsed().as_nanos() as f64 / n as f64, result))
}
