//! What `quad` returns.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyTuple};
use ringback_engines::Quadrature;

use crate::pickled;

/// The result of an integration; unpacks as `(value, error)`.
#[pyclass(frozen, eq, sequence, module = "ringback.integrate")]
#[derive(Clone, Debug, PartialEq)]
pub struct QuadResult {
    pub(crate) quadrature: Quadrature,
    /// Integrals with weights have other advice in their messages.
    pub(crate) weighted: bool,
}

#[pymethods]
impl QuadResult {
    /// The integral.
    #[getter]
    fn value(&self) -> f64 {
        self.quadrature.value
    }

    /// Estimate of the absolute error.
    #[getter]
    fn error(&self) -> f64 {
        self.quadrature.error
    }

    /// How often the integrand was evaluated.
    #[getter]
    fn neval(&self) -> usize {
        self.quadrature.neval
    }

    /// How many subintervals the range was cut into; with a weight and an infinite range, how many cycles.
    #[getter]
    fn intervals(&self) -> usize {
        self.quadrature.intervals
    }

    /// 0 if the requested accuracy was reached; 1 to 5 as QUADPACK's `ier`; 7 if the integrand was not finite; 8 if a cycle
    /// of an infinite range was not accurate enough.
    #[getter]
    pub(crate) fn status(&self) -> u8 {
        self.quadrature.status.code()
    }

    /// What the status means, in a sentence.
    #[getter]
    pub(crate) fn message(&self) -> String {
        let status = &self.quadrature.status;
        if self.weighted { status.message_with_weight() } else { status.message() }.into_owned()
    }

    /// True if the requested accuracy was reached.
    #[getter]
    pub(crate) fn success(&self) -> bool {
        self.quadrature.status.is_success()
    }

    fn __len__(&self) -> usize {
        2
    }

    fn __getitem__<'py>(&self, py: Python<'py>, index: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        PyTuple::new(py, [self.quadrature.value, self.quadrature.error])?.as_any().get_item(index)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyTuple::new(py, [self.quadrature.value, self.quadrature.error])?.try_iter()?.into_any())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let Quadrature { value, error, neval, intervals, ref status } = self.quadrature;
        let parts = (value, error, neval, intervals, pickled::status_parts(status), self.weighted);
        pickled::reduced(py, "restored_quad", parts)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let q = &self.quadrature;
        Ok(format!(
            "QuadResult(value={}, error={}, neval={}, intervals={}, status={}: {})",
            PyFloat::new(py, q.value).repr()?,
            short(py, q.error)?,
            q.neval,
            q.intervals,
            q.status.code(),
            self.message()
        ))
    }
}

/// The result of `quad` that was in a pickle.
#[pyfunction]
pub(crate) fn restored_quad(
    value: f64,
    error: f64,
    neval: usize,
    intervals: usize,
    status: (String, Vec<f64>),
    weighted: bool,
) -> PyResult<QuadResult> {
    let status = pickled::status(&status.0, &status.1)?;
    Ok(QuadResult { quadrature: Quadrature { value, error, neval, intervals, status }, weighted })
}

/// A number as Python's format `.3e` has it.
pub(crate) fn short(py: Python<'_>, number: f64) -> PyResult<String> {
    PyFloat::new(py, number).call_method1(intern!(py, "__format__"), (".3e",))?.extract()
}
