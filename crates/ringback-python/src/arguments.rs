//! Arguments of the engines as Python gives them: limits, counts of any size, break points of any kind.

use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;

/// What does not compile, without the way through this package in its traceback, which then ends at the caller's line: the
/// message says all. Other exceptions keep their way.
#[cold]
pub(crate) fn at_the_call(py: Python<'_>, error: PyErr) -> PyErr {
    let class = py.import("ringback.errors").and_then(|module| module.getattr("CompileError"));
    if class.is_ok_and(|class| error.matches(py, class).unwrap_or(false)) {
        error.set_traceback(py, None);
    }
    error
}

/// The error for a limit of `quad` that is no number.
#[cold]
pub(crate) fn no_limit(name: &str, value: &Bound<'_, PyAny>, error: PyErr) -> PyErr {
    let py = value.py();
    // What its own `__float__` raises is not about its type, and a whole number may be too large.
    if !error.is_instance_of::<PyTypeError>(py) {
        return error;
    }
    let found = value.repr().map_or_else(|_| String::from("an object without repr"), |text| text.to_string());
    let many = value.len().is_ok() && !value.is_instance_of::<pyo3::types::PyString>();
    let advice = if many { "; `quad_many` takes arrays of limits" } else { "" };
    PyTypeError::new_err(format!("expected the limit `{name}` to be a real number, found {found}{advice}"))
}

/// Upper bound on the number of subintervals.
pub(crate) fn limit(value: &Bound<'_, PyAny>) -> PyResult<usize> {
    count("limit", 1, value)
}

/// For how many sizes of subintervals moments are kept.
pub(crate) fn maxp1(value: &Bound<'_, PyAny>) -> PyResult<usize> {
    count("maxp1", 1, value)
}

/// Upper bound on the number of cycles.
pub(crate) fn limlst(value: &Bound<'_, PyAny>) -> PyResult<usize> {
    count("limlst", 3, value)
}

/// A whole number that is not negative. Whether it is enough, the engine says: for an empty range nothing is needed.
fn count(name: &str, least: usize, value: &Bound<'_, PyAny>) -> PyResult<usize> {
    let what = match value.extract::<i64>() {
        Ok(number) => match usize::try_from(number) {
            Ok(number) => return Ok(number),
            Err(_) => format!("of at least {least}"),
        },
        Err(error) if !error.is_instance_of::<PyOverflowError>(value.py()) => {
            return Err(PyTypeError::new_err(format!(
                "expected `{name}` to be a whole number, found {}; 50 is the default",
                value.repr()?
            )));
        }
        Err(_) if value.lt(0)? => format!("of at least {least}"),
        Err(_) => "below 2**63".to_owned(),
    };
    Err(PyValueError::new_err(format!("expected `{name}` {what}, found {}; 50 is the default", value.str()?)))
}

/// Break points: None, a number, or whatever numbers can be taken from one by one.
pub(crate) fn points(value: &Bound<'_, PyAny>) -> PyResult<Option<Vec<f64>>> {
    if value.is_none() {
        return Ok(None);
    }
    if let Ok(points) = value.extract::<Vec<f64>>() {
        return Ok(Some(points));
    }
    // A NumPy array of one number is one too, so this comes second.
    if let Ok(point) = value.extract::<f64>() {
        return Ok(Some(vec![point]));
    }
    let refused = || -> PyResult<PyErr> {
        let found = value.repr()?;
        Ok(PyTypeError::new_err(format!("expected points to be a number or several, found {found}")))
    };
    let Ok(items) = value.try_iter() else { return Err(refused()?) };
    let mut points = Vec::new();
    for item in items {
        // What an iterator raises is not about points.
        match item?.extract() {
            Ok(point) => points.push(point),
            Err(_) => return Err(refused()?),
        }
    }
    Ok(Some(points))
}
