//! `quad` for Python: extracts the callback, detaches, integrates.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use ringback_engines::{Integrand, Options, QuadError, Quadrature};

ringback::callback! {
    /// The integrand at `t`.
    pub struct ScalarIntegrand(t: f64) -> f64;
}

/// The engine asks for whole blocks; here each point is one call.
struct Pointwise(ScalarIntegrand);

impl Integrand for Pointwise {
    type Error = ringback::Error;
    #[inline]
    fn eval(&mut self, x: &[f64], y: &mut [f64]) -> Result<(), ringback::Error> {
        for (x, y) in x.iter().zip(y) {
            *y = self.0.call(*x)?;
        }
        Ok(())
    }
}

/// The result of an integration; unpacks as `(value, error)`.
#[pyclass(frozen, eq, module = "ringback.integrate")]
#[derive(Clone, Debug, PartialEq)]
pub struct QuadResult(Quadrature);

#[pymethods]
impl QuadResult {
    /// The integral.
    #[getter]
    fn value(&self) -> f64 {
        self.0.value
    }

    /// Estimate of the absolute error.
    #[getter]
    fn error(&self) -> f64 {
        self.0.error
    }

    /// How often the integrand was evaluated.
    #[getter]
    fn neval(&self) -> usize {
        self.0.neval
    }

    /// How many subintervals the range was cut into.
    #[getter]
    fn intervals(&self) -> usize {
        self.0.intervals
    }

    /// 0 if the requested accuracy was reached; 1 to 5 as QUADPACK's `ier`; 7 if the integrand was not finite.
    #[getter]
    fn status(&self) -> u8 {
        self.0.status.code()
    }

    /// What the status means, in a sentence.
    #[getter]
    fn message(&self) -> String {
        self.0.status.message().into_owned()
    }

    /// True if the requested accuracy was reached.
    #[getter]
    fn success(&self) -> bool {
        self.0.status.code() == 0
    }

    fn __len__(&self) -> usize {
        2
    }

    fn __getitem__<'py>(&self, py: Python<'py>, index: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        PyTuple::new(py, [self.0.value, self.0.error])?.as_any().get_item(index)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyTuple::new(py, [self.0.value, self.0.error])?.try_iter()?.into_any())
    }

    fn __repr__(&self) -> String {
        let q = &self.0;
        format!(
            "QuadResult(value={:?}, error={:.3e}, neval={}, intervals={}, status={}: {})",
            q.value,
            q.error,
            q.neval,
            q.intervals,
            q.status.code(),
            q.status.message()
        )
    }
}

/// Integrates `function` from `a` to `b`; see `ringback.integrate.quad`.
#[pyfunction]
#[pyo3(signature = (function, a, b, epsabs, epsrel, limit, points))]
#[allow(clippy::too_many_arguments, reason = "called from one place in Python, which names them")]
pub(crate) fn quad(
    py: Python<'_>,
    function: ScalarIntegrand,
    a: f64,
    b: f64,
    epsabs: f64,
    epsrel: f64,
    limit: i64,
    points: Vec<f64>,
) -> PyResult<QuadResult> {
    let options = Options { epsabs, epsrel, limit: usize::try_from(limit).unwrap_or(0) };
    match py.detach(|| ringback_engines::quad(Pointwise(function), a, b, &points, &options)) {
        Ok(result) => Ok(QuadResult(result)),
        Err(QuadError::Integrand(error)) => Err(error.into()),
        Err(QuadError::InvalidInput(error)) => Err(PyValueError::new_err(error.to_string())),
    }
}
