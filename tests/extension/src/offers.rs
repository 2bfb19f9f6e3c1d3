//! Callbacks that Rust offers to Python.

use pyo3::prelude::*;
use ringback::Error;

use crate::threads::Scalar;

ringback::callback! {
    /// Log density at `x`; writes its gradient.
    pub struct LogDensity(x: &[f64], grad: &mut [f64]) -> f64;
}

/// `x` times `factor`; a ValueError where `x` is negative.
#[pyfunction]
pub(crate) fn offer_scaled(factor: f64) -> Scalar {
    Scalar::from_fn(move |x| if x < 0.0 { Err(Error::raised("ValueError", "negative")) } else { Ok(factor * x) })
}

/// Raises an exception of a built-in class, of which only the name is known.
#[pyfunction]
pub(crate) fn offer_raising(class: String) -> Scalar {
    Scalar::from_fn(move |_| Err(Error::raised(class.clone(), "what it said")))
}

/// A normal log density.
#[pyfunction]
pub(crate) fn offer_normal() -> LogDensity {
    LogDensity::from_fn(|x, grad| {
        for (g, x) in grad.iter_mut().zip(x) {
            *g = -x;
        }
        Ok(-0.5 * x.iter().map(|x| x * x).sum::<f64>())
    })
}

/// What was taken, offered again.
#[pyfunction]
pub(crate) fn pass_on(callback: Scalar) -> Scalar {
    callback
}

/// The value and the gradient at `x`.
#[pyfunction]
pub(crate) fn log_density(callback: LogDensity, x: Vec<f64>) -> PyResult<(f64, Vec<f64>)> {
    let mut grad = vec![0.0; x.len()];
    let value = callback.call(&x, &mut grad)?;
    Ok((value, grad))
}

/// A closure that calls what was taken, and passes its failures on.
#[pyfunction]
pub(crate) fn relay(callback: Scalar) -> Scalar {
    Scalar::from_fn(move |x| callback.call(x))
}

/// The bridge's own failure, not the function's: a panic in a closure.
#[pyfunction]
pub(crate) fn offer_panic() -> Scalar {
    Scalar::from_fn(|x| panic!("no value at {x}"))
}
