//! The signature grammar for Python.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use ringback::signature as native;

pyo3::create_exception!(
    ringback._ringback,
    SignatureError,
    pyo3::exceptions::PyValueError,
    "A text that is no signature."
);

/// A callback's signature: equal by width and kind.
#[pyclass(frozen, eq, module = "ringback._ringback")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature(pub(crate) native::Signature);

#[pymethods]
impl Signature {
    #[new]
    fn new(text: &str) -> PyResult<Self> {
        text.parse().map(Signature).map_err(|error: native::SignatureError| SignatureError::new_err(error.to_string()))
    }

    /// The canonical text.
    #[getter]
    fn text(&self) -> String {
        self.0.to_string()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("Signature('{}')", self.0)
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        hasher.finish()
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        Ok((py.get_type::<Signature>().into_any(), (self.0.to_string(),)))
    }

    /// The parameters, in order.
    #[getter]
    fn parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.parameters().iter().map(|p| Parameter(p.clone())))
    }

    /// The result.
    #[getter]
    fn result(&self) -> Return {
        Return(self.0.result().clone())
    }

    /// Groups of `(parameter, axis)` whose lengths must be equal.
    #[getter]
    fn ties<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let groups = self.0.ties();
        PyTuple::new(py, groups.iter().map(|tie| PyTuple::new(py, &tie.places)).collect::<PyResult<Vec<_>>>()?)
    }

    /// None if `found` fits where this signature is asked for, else why not.
    fn mismatch(&self, found: &Signature) -> Option<String> {
        self.0.matches(&found.0).err().map(|error| error.to_string())
    }
}

/// One parameter of a signature.
#[pyclass(frozen, eq, module = "ringback._ringback")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter(native::Parameter);

#[pymethods]
impl Parameter {
    /// "scalar", "array" or "pointer".
    #[getter]
    fn kind(&self) -> &'static str {
        match self.0 {
            native::Parameter::Scalar(_) => "scalar",
            native::Parameter::Array(_) => "array",
            native::Parameter::Pointer(_) => "pointer",
        }
    }

    /// Name of the scalar type, of the elements' type, or of what a pointer points to ("void" if untyped).
    #[getter]
    fn element(&self) -> &'static str {
        match &self.0 {
            native::Parameter::Scalar(scalar) | native::Parameter::Pointer(Some(scalar)) => scalar.name(),
            native::Parameter::Array(array) => array.element.name(),
            native::Parameter::Pointer(None) => "void",
        }
    }

    /// Dimensions of an array, 0 for all else.
    #[getter]
    fn ndim(&self) -> usize {
        self.array().map_or(0, |array| array.dims.len())
    }

    /// "C", "F" or "any"; None for all but arrays.
    #[getter]
    fn layout(&self) -> Option<&'static str> {
        self.array().map(|array| match array.layout {
            native::Layout::C => "C",
            native::Layout::F => "F",
            native::Layout::Any => "any",
        })
    }

    /// True for an array that the function may write to.
    #[getter]
    fn mutable(&self) -> bool {
        self.array().is_some_and(|array| array.mutable)
    }

    /// The canonical text.
    #[getter]
    fn text(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<parameter {}>", self.0)
    }
}

impl Parameter {
    fn array(&self) -> Option<&native::Array> {
        match &self.0 {
            native::Parameter::Array(array) => Some(array),
            _ => None,
        }
    }
}

/// The result of a signature.
#[pyclass(frozen, eq, module = "ringback._ringback")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Return(native::Return);

#[pymethods]
impl Return {
    /// "void", "scalar" or "array".
    #[getter]
    fn kind(&self) -> &'static str {
        match self.0 {
            native::Return::Void => "void",
            native::Return::Scalar(_) => "scalar",
            native::Return::Array(..) => "array",
        }
    }

    /// Name of the scalar type; None for void.
    #[getter]
    fn element(&self) -> Option<&'static str> {
        match self.0 {
            native::Return::Void => None,
            native::Return::Scalar(scalar) | native::Return::Array(scalar, _) => Some(scalar.name()),
        }
    }

    /// How many values: 0 for void, 1 for a scalar.
    #[getter]
    fn length(&self) -> usize {
        match self.0 {
            native::Return::Void => 0,
            native::Return::Scalar(_) => 1,
            native::Return::Array(_, length) => length,
        }
    }

    fn __repr__(&self) -> String {
        match self.0 {
            native::Return::Void => "<result void>".to_owned(),
            native::Return::Scalar(scalar) => format!("<result {}>", scalar.name()),
            native::Return::Array(scalar, length) => format!("<result [{}; {length}]>", scalar.name()),
        }
    }
}
