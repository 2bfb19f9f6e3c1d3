//! `quad` for Python: extracts the callback, detaches, integrates.

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;
use ringback_engines::{Integrand, Options, QuadError, Quadrature};

type Handle = ringback::Callback<(f64,), f64>;

/// The widest vectors that compiled code works on.
pub(crate) const LANES: usize = 8;

/// A callback as an integrand: each block of the engine is one call, where the code has a block form.
struct Blocks(Handle);

impl Integrand for Blocks {
    type Error = ringback::Error;
    #[inline]
    fn eval(&mut self, x: &[f64], y: &mut [f64]) -> Result<(), ringback::Error> {
        Ok(self.0.call_block((x,), y)?)
    }
    #[inline]
    fn lanes(&self) -> usize {
        if self.0.has_block() { LANES } else { 1 }
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

/// Integrate a function of one variable from `a` to `b`.
///
/// The integrand runs as compiled code, in Rust, without the interpreter and without the GIL. The method is QUADPACK's
/// (Piessens, de Doncker-Kapenga, Überhuber, Kahaner, *QUADPACK*, Springer 1983): QAGS on finite ranges, QAGI on
/// infinite ones, QAGP with break points. Results, error estimates, numbers of evaluations and status are those of
/// `scipy.integrate.quad`.
///
/// Parameters
/// ----------
/// func
///     What is to be integrated: a plain Python function `func(t, *args)` of floats (compiled once, on demand; in it,
///     division by zero gives inf or nan, as in NumPy), or any other callback of signature `f64(f64)`: `rb.cfunc`,
///     `rb.bind`, `functools.partial`, `numba.njit` functions, `rb.interpreted`.
/// a, b
///     Limits of the range; either may be `-np.inf` or `np.inf`.
/// args
///     Further arguments of `func`, as a tuple; another value does not recompile.
/// epsabs, epsrel
///     Requested absolute and relative accuracy: the integration stops when the error estimate is below the larger.
/// limit
///     Upper bound on the number of subintervals.
/// points
///     Break points inside a finite range: where the integrand has singularities, jumps or kinks.
///
/// Returns
/// -------
/// QuadResult
///     Unpacks as `(value, error)`; also `.neval`, `.intervals`, `.status`, `.message`, `.success`. Where `.status` is
///     not 0, an `IntegrationWarning` is issued too.
///
/// Raises
/// ------
/// ValueError
///     If no result could meet the tolerances, `limit` is too small, or break points come with an infinite range.
/// TypeError
///     If `func` is no function of one float, or does not compile (`ringback.CompileError`).
/// Exception
///     Whatever the integrand raises is raised here, as itself.
///
/// Notes
/// -----
/// An integrand that returns nan or inf anywhere stops the integration: status 7, value nan, error inf, and the message
/// says where. It is never passed over.
#[pyfunction]
#[pyo3(signature = (func, a, b, args=None, *, epsabs=1.49e-8, epsrel=1.49e-8, limit=50, points=None))]
#[allow(clippy::too_many_arguments, reason = "the parameters of SciPy's function")]
pub(crate) fn quad(
    py: Python<'_>,
    func: &Bound<'_, PyAny>,
    a: f64,
    b: f64,
    args: Option<Bound<'_, PyAny>>,
    epsabs: f64,
    epsrel: f64,
    limit: i64,
    points: Option<Vec<f64>>,
) -> PyResult<QuadResult> {
    let function = integrand(func, args)?;
    let options = Options { epsabs, epsrel, limit: usize::try_from(limit).unwrap_or(0) };
    let points = points.unwrap_or_default();
    let result = match py.detach(|| ringback_engines::quad(Blocks(function), a, b, &points, &options)) {
        Ok(result) => QuadResult(result),
        Err(QuadError::Integrand(error)) => return Err(error.into()),
        Err(QuadError::InvalidInput(error)) => return Err(PyValueError::new_err(error.to_string())),
    };
    if result.0.status.code() != 0 {
        let category = py.import("ringback.integrate")?.getattr("IntegrationWarning")?;
        let message = std::ffi::CString::new(result.message())?;
        PyErr::warn(py, &category, &message, 1)?;
    }
    Ok(result)
}

/// The handle on the integrand: a callback as it is, anything else through the package's door.
fn integrand(func: &Bound<'_, PyAny>, args: Option<Bound<'_, PyAny>>) -> PyResult<Handle> {
    let py = func.py();
    let args = match args {
        None => PyTuple::empty(py),
        Some(args) => match args.cast_into::<PyTuple>() {
            Ok(args) => args,
            // As SciPy does: one further argument need not be wrapped.
            Err(error) => PyTuple::new(py, [error.into_inner()])?,
        },
    };
    if args.is_empty()
        && let Ok(callback) = func.cast::<crate::producer::Callback>()
    {
        return callback.get().handle();
    }
    static DOOR: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let door = DOOR.import(py, "ringback.accept", "callback_for")?;
    let found = door.call1((func, intern!(py, "f64(f64)"), intern!(py, "numpy"), args))?;
    match found.cast::<crate::producer::Callback>() {
        Ok(callback) => callback.get().handle(),
        Err(_) => found.extract(),
    }
}
