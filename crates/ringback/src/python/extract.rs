//! From any Python object that stands for a function to a typed handle.

use pyo3::exceptions::{PyImportError, PyTypeError};
use pyo3::prelude::*;
use pyo3::{Borrowed, intern};

use super::capsule;
use super::offer::Offered;
use crate::abi::Ret;
use crate::callback::{Callback, Expected, Params};

/// The handle on `object`: on its own record if it offers one, else on what the Python package compiles or
/// adapts for just the expected signature.
///
/// # Errors
/// A `TypeError` that names both signatures if it does not fit; the compile error if it does not compile;
/// an `ImportError` if the package `ringback` is needed and not installed.
pub fn extract<P: Params, R: Ret>(object: &Bound<'_, PyAny>, expected: &Expected) -> PyResult<Callback<P, R>> {
    let py = object.py();
    if let Ok(offered) = object.cast::<Offered>() {
        // One of ours: a record of a record, of a record, ... would grow with each hand-over, and overflow the stack when it
        // is released.
        return Callback::sharing(offered.get().shared(), expected)
            .map_err(|error| PyTypeError::new_err(error.to_string()));
    }
    let name = intern!(py, "__ringback_callback__");
    let offer = match object.getattr_opt(name)? {
        // A class has the attribute too, but only its instances can be called with it.
        Some(offer) if !object.is_instance_of::<pyo3::types::PyType>() => offer,
        _ => accept(object, &expected.text)?.getattr(name)?,
    };
    if !offer.is_callable() {
        return Err(PyTypeError::new_err(format!(
            "expected a callback {}, found an object of type {} whose __ringback_callback__ is no method but of type {}",
            expected.text,
            capsule::type_name(object),
            capsule::type_name(&offer)
        )));
    }
    let shared = capsule::take(&offer.call1((&expected.text,))?)?;
    Callback::from_shared(shared, expected).map_err(|error| PyTypeError::new_err(error.to_string()))
}

/// Asks the Python package for an object with `__ringback_callback__`.
fn accept<'py>(object: &Bound<'py, PyAny>, signature: &str) -> PyResult<Bound<'py, PyAny>> {
    let py = object.py();
    let package = py.import(intern!(py, "ringback")).map_err(|cause| {
        let error = PyImportError::new_err(format!(
            "a callback {signature} was asked for, and to compile a Python function for it the package `ringback` \
             is needed, which could not be imported: pip install ringback"
        ));
        error.set_cause(py, Some(cause));
        error
    })?;
    package.getattr(intern!(py, "_callback_for"))?.call1((object, signature))
}

impl<'a, 'py, P: Params, R: Ret> FromPyObject<'a, 'py> for Callback<P, R> {
    type Error = PyErr;
    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        extract(&object, Self::signature())
    }
}
