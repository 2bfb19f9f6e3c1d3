//! The functions that samplers ask for, and what is made of their values.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use ringback::Error;

ringback::callback! {
    /// Log density at `x`, up to a constant; -inf where the density is zero.
    pub struct LogDensity(x: &[f64]) -> f64;
}

ringback::callback! {
    /// Log density at `x`, up to a constant; writes its gradient.
    pub struct LogDensityGrad(x: &[f64], grad: &mut [f64]) -> f64 where len(x) == len(grad);
}

/// What to do where the function raises an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnError {
    /// End the run with that exception.
    Raise,
    /// Reject the proposal, and count it.
    Reject,
}

impl OnError {
    /// From Python's argument `on_error`.
    pub(crate) fn new(text: &str) -> PyResult<Self> {
        match text {
            "raise" => Ok(OnError::Raise),
            "reject" => Ok(OnError::Reject),
            _ => Err(PyValueError::new_err(format!("on_error is 'raise' or 'reject', found '{text}'"))),
        }
    }
}

/// A log density at one point.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At {
    /// Finite.
    Value(f64),
    /// The density is zero.
    Zero,
    /// The function raised an exception, and its user wants to go on.
    Raised,
}

/// Tells the values of a log density apart. NaN and +inf are errors: no sampler can go on from there.
#[inline]
pub(crate) fn judge(result: Result<f64, Error>, x: &[f64], on_error: OnError) -> Result<At, Error> {
    match result {
        Ok(value) if value.is_finite() => Ok(At::Value(value)),
        Ok(f64::NEG_INFINITY) => Ok(At::Zero),
        Ok(value) => Err(not_a_density(value, x)),
        Err(error) if on_error == OnError::Reject && error.is_raised() => Ok(At::Raised),
        Err(error) => Err(error),
    }
}

/// The log density at the start of a chain, where nothing can be rejected.
pub(crate) fn at_start(result: Result<f64, Error>, x: &[f64]) -> Result<f64, Error> {
    match judge(result, x, OnError::Raise)? {
        At::Value(value) => Ok(value),
        At::Zero | At::Raised => Err(value_error(format!(
            "the density at the start {} is zero: start where the log density is finite",
            shown(x)
        ))),
    }
}

/// An error unless each component of the gradient is a number.
#[inline]
pub(crate) fn check_gradient(grad: &[f64], x: &[f64]) -> Result<(), Error> {
    if grad.iter().all(|g| g.is_finite()) { Ok(()) } else { Err(no_gradient(grad, x)) }
}

#[cold]
fn not_a_density(value: f64, x: &[f64]) -> Error {
    value_error(format!(
        "the log density at {} is {value}: it must be a number, or -inf where the density is zero",
        shown(x)
    ))
}

#[cold]
fn no_gradient(grad: &[f64], x: &[f64]) -> Error {
    value_error(format!(
        "the gradient at {} is {}: where the log density is finite, its gradient must be too",
        shown(x),
        shown(grad)
    ))
}

/// A `ValueError` of the sampler's own.
pub(crate) fn value_error(text: String) -> Error {
    Error::raised("ValueError", text)
}

/// A point in an error message.
pub(crate) fn shown(x: &[f64]) -> String {
    const FIRST: usize = 6;
    if x.len() <= FIRST {
        return format!("{x:?}");
    }
    let first: Vec<String> = x[..FIRST].iter().map(|x| format!("{x:?}")).collect();
    format!("[{}, ... {} numbers]", first.join(", "), x.len())
}
