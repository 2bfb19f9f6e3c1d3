//! ∫₁^∞ e^(-t)/t² dt with a Rust integrator: the integrand in Rust, compiled Python, and interpreted Python.

use std::hint::black_box;
use std::time::Instant;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use ringback_engines::{Options, QuadError, Quadrature, pointwise, quad};

ringback::callback! {
    /// The integrand at `t`.
    pub struct Integrand(t: f64) -> f64;
}

type Row = (f64, f64, usize);

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

fn seed(t: f64) -> f64 {
    (-t).exp() / (t * t)
}

fn row<E: Into<PyErr>>(result: Result<Quadrature, QuadError<E>>) -> PyResult<Row> {
    match result {
        Ok(q) => Ok((q.value, q.error, q.neval)),
        Err(QuadError::Integrand(error)) => Err(error.into()),
        Err(QuadError::InvalidInput(error)) => Err(PyValueError::new_err(error.to_string())),
    }
}

/// The integrand written in Rust, inlined into the integrator.
#[pyfunction]
pub(crate) fn quad_rust(a: f64, b: f64) -> PyResult<Row> {
    row(quad(pointwise(|t| Ok::<_, PyErr>(seed(t))), a, b, &[], &Options::default()))
}

/// The integrand in the interpreter, called through PyO3 with the GIL held.
#[pyfunction]
pub(crate) fn quad_interpreter(f: &Bound<'_, PyAny>, a: f64, b: f64) -> PyResult<Row> {
    row(quad(pointwise(|t: f64| f.call1((t,))?.extract::<f64>()), a, b, &[], &Options::default()))
}

/// Nanoseconds for one integral with the compiled Python function, by a loop in Rust.
#[pyfunction]
pub(crate) fn time_quad(py: Python<'_>, f: Integrand, a: f64, b: f64, n: usize) -> PyResult<f64> {
    py.detach(|| time(n, || row(quad(Blocks(&f), black_box(a), b, &[], &Options::default()))))
}

/// Nanoseconds for one integral with the integrand written in Rust, by a loop in Rust.
#[pyfunction]
pub(crate) fn time_quad_rust(py: Python<'_>, a: f64, b: f64, n: usize) -> PyResult<f64> {
    py.detach(|| time(n, || quad_rust(black_box(a), b)))
}

fn time(n: usize, mut run: impl FnMut() -> PyResult<Row>) -> PyResult<f64> {
    let start = Instant::now();
    for _ in 0..n {
        black_box(run()?);
    }
    Ok(start.elapsed().as_nanos() as f64 / n as f64)
}
