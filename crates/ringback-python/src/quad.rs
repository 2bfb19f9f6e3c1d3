//! `quad` for Python: extracts the callback, detaches, integrates.

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyTuple};
use ringback_engines::{Integrand, Options, QuadError, Quadrature, WeightedOptions};

use crate::quad_complex::quad_complex;
use crate::quad_result::QuadResult;
use crate::quad_weight::weight_of;

type Handle = ringback::Callback<(f64,), f64>;

/// The widest vectors that compiled code works on.
const LANES: usize = 8;

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

/// Integrate a function of one variable from `a` to `b`.
///
/// The integrand runs as compiled code, in Rust, without the interpreter and without the GIL. The method is QUADPACK's
/// (Piessens, de Doncker-Kapenga, Überhuber, Kahaner, *QUADPACK*, Springer 1983): QAGS on finite ranges, QAGI on
/// infinite ones, QAGP with break points, and with a weight QAWO, QAWF, QAWS or QAWC. Results, error estimates, numbers
/// of evaluations and status are those of `scipy.integrate.quad`.
///
/// Parameters
/// ----------
/// func
///     What is to be integrated: a plain Python function `func(t, *args)` of floats (compiled once, on demand; in it,
///     division by zero gives inf or nan, as in NumPy), or any other callback of signature `f64(f64)`: `rb.cfunc`,
///     `rb.bind`, `functools.partial`, `numba.njit` functions, `rb.interpreted`.
/// a, b
///     Limits of the range; either may be `-np.inf` or `np.inf`. `b < a` changes the sign; `a == b` gives 0.
/// args
///     Further arguments of `func`, as a tuple; another value does not recompile.
/// epsabs, epsrel
///     Requested absolute and relative accuracy: the integration stops when the error estimate is below the larger.
/// limit
///     Upper bound on the number of subintervals.
/// points
///     Break points inside a finite range: where the integrand has singularities, jumps or kinks. Not with a weight.
/// weight, wvar
///     Integrate `func` times a weight that oscillates or is singular, and is part of the method:
///
///     ==========  =====================================================  =============
///     weight      integrand                                              wvar
///     ==========  =====================================================  =============
///     'cos'       func(x) cos(w x)                                       w
///     'sin'       func(x) sin(w x)                                       w
///     'alg'       func(x) (x - a)**alpha (b - x)**beta                   (alpha, beta)
///     'alg-loga'  the same, times log(x - a)                             (alpha, beta)
///     'alg-logb'  the same, times log(b - x)                             (alpha, beta)
///     'alg-log'   the same, times log(x - a) log(b - x)                  (alpha, beta)
///     'cauchy'    func(x) / (x - c), the principal value                 c
///     ==========  =====================================================  =============
///
///     `a` and `b` mean the smaller and the larger limit. One limit may be infinite with 'cos' and 'sin': then only
///     `epsabs` counts, and `.intervals` is the number of cycles. With a weight `func` is evaluated at the limits too.
/// maxp1
///     For 'cos' and 'sin': for how many sizes of subintervals Chebyshev moments are kept.
/// limlst
///     For 'cos' and 'sin' over an infinite range: upper bound on the number of cycles, at least 3.
/// complex_func
///     `func` returns complex numbers: real and imaginary part are integrated one after the other.
///
/// Returns
/// -------
/// QuadResult
///     (`ComplexQuadResult` with `complex_func`.) Unpacks as `(value, error)`; also `.neval`, `.intervals`, `.status`, `.message`, `.success`. Where `.status` is
///     not 0, an `IntegrationWarning` is issued too.
///
/// Raises
/// ------
/// ValueError
///     If no result could meet the tolerances, `limit` is too small, break points come with an infinite range or a
///     weight, or the weight makes no sense.
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
#[pyo3(signature = (
    func, a, b, args=None, *, epsabs=1.49e-8, epsrel=1.49e-8, limit=50, points=None, weight=None, wvar=None, maxp1=50,
    limlst=50, complex_func=false
))]
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
    weight: Option<&str>,
    wvar: Option<Bound<'_, PyAny>>,
    maxp1: i64,
    limlst: i64,
    complex_func: bool,
) -> PyResult<Py<PyAny>> {
    let count = |n: i64| usize::try_from(n).unwrap_or(0);
    let points = points.unwrap_or_default();
    let problem = Problem {
        a,
        b,
        weight: weight_of(weight, wvar.as_ref(), &points)?,
        points,
        options: WeightedOptions {
            quad: Options { epsabs, epsrel, limit: count(limit) },
            maxp1: count(maxp1),
            limlst: count(limlst),
        },
    };
    if complex_func {
        return quad_complex(func, args, &problem);
    }
    let function = integrand(func, args)?;
    let result = py.detach(|| problem.solve(Blocks(function)));
    let result = QuadResult { quadrature: result.map_err(raise)?, weighted: problem.weight.is_some() };
    if !result.success() {
        warn(py, &result.message())?;
    }
    Ok(Py::new(py, result)?.into_any())
}

/// An integral but for the integrand.
pub(crate) struct Problem {
    a: f64,
    b: f64,
    points: Vec<f64>,
    pub(crate) weight: Option<ringback_engines::Weight>,
    options: WeightedOptions,
}

impl Problem {
    #[inline]
    pub(crate) fn solve<I: Integrand>(&self, f: I) -> Result<Quadrature, QuadError<I::Error>> {
        let Self { a, b, ref points, weight, ref options } = *self;
        match weight {
            None => ringback_engines::quad(f, a, b, points, &options.quad),
            Some(weight) => ringback_engines::quad_weighted(f, a, b, weight, options),
        }
    }
}

/// What the integrand raised, or a `ValueError` for arguments that make no sense.
pub(crate) fn raise(error: QuadError<ringback::Error>) -> PyErr {
    match error {
        QuadError::Integrand(error) => error.into(),
        QuadError::InvalidInput(error) => PyValueError::new_err(error.to_string()),
    }
}

/// Issues an `IntegrationWarning`.
#[cold]
pub(crate) fn warn(py: Python<'_>, message: &str) -> PyResult<()> {
    let category = py.import("ringback.integrate")?.getattr("IntegrationWarning")?;
    PyErr::warn(py, &category, &std::ffi::CString::new(message)?, 1)
}

/// The handle on the integrand: a callback as it is, anything else through the package's door.
fn integrand(func: &Bound<'_, PyAny>, args: Option<Bound<'_, PyAny>>) -> PyResult<Handle> {
    handle(func, args, intern!(func.py(), "f64(f64)"))
}

/// The same for any result; `signature` is the text for it.
pub(crate) fn handle<R: ringback::Ret>(
    func: &Bound<'_, PyAny>,
    args: Option<Bound<'_, PyAny>>,
    signature: &Bound<'_, PyString>,
) -> PyResult<ringback::Callback<(f64,), R>> {
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
    let found = door.call1((func, signature, intern!(py, "numpy"), args))?;
    match found.cast::<crate::producer::Callback>() {
        Ok(callback) => callback.get().handle(),
        Err(_) => found.extract(),
    }
}
