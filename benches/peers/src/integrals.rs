//! The integrands of `benches/integrands.py`, written in Rust and inlined into the integrator; and callbacks in its place.

use std::hint::black_box;
use std::time::Instant;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use ringback_engines::{Options, QuadError, Quadrature, pointwise, quad};

use crate::spectrum::spectrum;

ringback::callback! {
    /// The integrand at `t`.
    pub struct Integrand(t: f64) -> f64;
}

/// The callback as the integrator wants it: each block of points is one call.
struct Blocks<'a>(&'a Integrand);

impl ringback_engines::Integrand for Blocks<'_> {
    type Error = ringback::Error;

    fn eval(&mut self, x: &[f64], y: &mut [f64]) -> Result<(), ringback::Error> {
        Ok(self.0.call_block(x, y)?)
    }

    fn lanes(&self) -> usize {
        8
    }
}

pub(crate) fn value<E: Into<PyErr>>(result: Result<Quadrature, QuadError<E>>) -> PyResult<f64> {
    match result {
        Ok(q) => Ok(q.value),
        Err(QuadError::Integrand(error)) => Err(error.into()),
        Err(QuadError::InvalidInput(error)) => Err(PyValueError::new_err(error.to_string())),
    }
}

/// `n` integrals, one after the other: nanoseconds for each, and the value.
fn time(n: usize, mut run: impl FnMut() -> PyResult<f64>) -> PyResult<(f64, f64)> {
    let mut result = 0.0;
    let start = Instant::now();
    for _ in 0..n {
        result = black_box(run()?);
    }
    Ok((start.elapsed().as_nanos() as f64 / n as f64, result))
}

fn time_closure(f: impl Fn(f64) -> f64, a: f64, b: f64, n: usize) -> PyResult<(f64, f64)> {
    time(n, || value(quad(pointwise(|t| Ok::<_, PyErr>(f(t))), black_box(a), b, &[], &Options::default())))
}

fn gaussian(t: f64) -> f64 {
    let u = (t - 0.3) / 0.01;
    (-0.5 * u * u).exp()
}

/// `(nanoseconds an integral, the value)` with the integrand of that name, by a loop in Rust.
#[pyfunction]
pub(crate) fn time_quad_rust(py: Python<'_>, name: &str, a: f64, b: f64, n: usize) -> PyResult<(f64, f64)> {
    py.detach(|| match name {
        "polynomial" => time_closure(|t| 1.0 + t * (2.0 + t * (3.0 + t * (4.0 + t))), a, b, n),
        "exponential" => time_closure(|t| (-t).exp() / (t * t), a, b, n),
        "trigonometric" => time_closure(|t| (10.0 * t).sin() * (3.0 * t).cos(), a, b, n),
        "gaussian" => time_closure(gaussian, a, b, n),
        "rational" => time_closure(|t| 1.0 / (1.0 + 25.0 * t * t), a, b, n),
        "spectrum" => time_closure(spectrum, a, b, n),
        _ => Err(PyValueError::new_err(format!("no integrand is named {name:?}"))),
    })
}

/// One integral with the integrand of that name: what a hand-written extension would offer to Python.
#[pyfunction]
pub(crate) fn quad_rust(py: Python<'_>, name: &str, a: f64, b: f64) -> PyResult<f64> {
    Ok(time_quad_rust(py, name, a, b, 1)?.1)
}

/// `(nanoseconds an integral, the value)` with the compiled Python function, by a loop in Rust.
#[pyfunction]
pub(crate) fn time_quad(py: Python<'_>, f: Integrand, a: f64, b: f64, n: usize) -> PyResult<(f64, f64)> {
    py.detach(|| time(n, || value(quad(Blocks(&f), black_box(a), b, &[], &Options::default()))))
}
