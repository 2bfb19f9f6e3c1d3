//! `quad` for Python: extracts the callback, detaches, integrates.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyTuple};
use ringback_engines::{Integrand, Options, QuadError, Weight, WeightedOptions};

use crate::arguments;
use crate::patience::Patience;
use crate::producer;
use crate::quad_complex::quad_complex;
use crate::quad_result::QuadResult;
use crate::quad_weight::{weight_of, without_weight};
use crate::recipe::{self, Ready, Target};

type Handle = producer::Scalar;

/// Of functions that do not say theirs: division by zero gives inf or nan, which the engine judges.
const ERROR_MODEL: &str = "numpy";

/// The widest vectors that compiled code works on.
pub(crate) const LANES: usize = 8;

/// A callback as an integrand: each block of the engine is one call, where the code has a block form.
struct Blocks<'a> {
    handle: &'a Handle,
    patience: Patience,
}

impl<'a> Blocks<'a> {
    #[inline]
    fn new(handle: &'a Handle) -> Self {
        Blocks { patience: Patience::new(handle.has_block()), handle }
    }
}

impl Integrand for Blocks<'_> {
    type Error = ringback::Error;
    #[inline]
    fn eval(&mut self, x: &[f64], y: &mut [f64]) -> Result<(), ringback::Error> {
        let handle = self.handle;
        self.patience
            .block(x.len(), handle.has_block(), |part| Ok(handle.call_block((&x[part.clone()],), &mut y[part])?))
    }
    #[inline]
    fn lanes(&self) -> usize {
        if self.handle.has_block() { LANES } else { 1 }
    }
}

/// Integrate a function of one variable from `a` to `b`.
///
/// The integrand runs as compiled code, in Rust, without the interpreter and without the GIL. The method is QUADPACK's
/// (Piessens, de Doncker-Kapenga, Überhuber, Kahaner, *QUADPACK*, Springer 1983): QAGS on finite ranges, QAGI on
/// infinite ones, QAGP with break points, and with a weight QAWO, QAWF, QAWS or QAWC. Numbers of evaluations and status are
/// those of `scipy.integrate.quad`, values and error estimates up to rounding; where rounding is all that is left to
/// decide upon, counts may differ too.
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
///     Break points inside a finite range: where the integrand has singularities, jumps or kinks; numbers in any order, or
///     one. Not with a weight.
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
///     Unpacks as `(value, error)`; also `.neval`, `.intervals`, `.status`, `.message`, `.success`. Where `.status` is
///     not 0, an `IntegrationWarning` is issued too. With `complex_func` a `ComplexQuadResult`, of complex numbers, which
///     has the results for both parts as `.real` and `.imag`.
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
/// Ctrl-C is seen within 0.1 s of the end of the current call, if `quad` was called on Python's main thread.
///
/// An integrand that returns nan or inf anywhere stops the integration: status 7, value nan, error inf, and the message
/// says where. It is never passed over.
#[pyfunction]
#[pyo3(signature = (
    func, a, b, args=None, *, epsabs=1.49e-8, epsrel=1.49e-8, limit=50, points=None, weight=None, wvar=None, maxp1=50,
    limlst=50, complex_func=false, full_output=None, wopts=None
))]
#[pyo3(
    text_signature = "(func, a, b, args=(), *, epsabs=1.49e-08, epsrel=1.49e-08, limit=50, points=None, weight=None, wvar=None, maxp1=50, limlst=50, complex_func=False)"
)]
#[allow(clippy::too_many_arguments, reason = "the parameters of SciPy's function")]
pub(crate) fn quad(
    py: Python<'_>,
    func: &Bound<'_, PyAny>,
    a: &Bound<'_, PyAny>,
    b: &Bound<'_, PyAny>,
    args: Option<Bound<'_, PyAny>>,
    epsabs: f64,
    epsrel: f64,
    #[pyo3(from_py_with = arguments::limit)] limit: usize,
    #[pyo3(from_py_with = arguments::points)] points: Option<Vec<f64>>,
    weight: Option<Bound<'_, PyAny>>,
    wvar: Option<Bound<'_, PyAny>>,
    #[pyo3(from_py_with = arguments::maxp1)] maxp1: usize,
    #[pyo3(from_py_with = arguments::limlst)] limlst: usize,
    complex_func: bool,
    full_output: Option<&Bound<'_, PyAny>>,
    wopts: Option<&Bound<'_, PyAny>>,
) -> PyResult<Py<PyAny>> {
    if full_output.is_some() || wopts.is_some() {
        return Err(not_here(full_output.is_some()));
    }
    let a = a.extract().map_err(|error| arguments::no_limit("a", a, error))?;
    let b = b.extract().map_err(|error| arguments::no_limit("b", b, error))?;
    let options = Options { epsabs, epsrel, limit };
    // No break points are another method than none asked for: an end of the range is one that will be left out.
    let points = points.map_or_else(Vec::new, |points| if points.is_empty() { vec![a] } else { points });
    if weight.is_some() || wvar.is_some() || complex_func {
        let weight = weight_of(weight.as_ref(), wvar.as_ref(), &points)?;
        let options = WeightedOptions { quad: options, maxp1, limlst };
        return match weight {
            _ if complex_func => quad_complex(func, args, &Problem { a, b, points, weight, options }),
            Some(weight) => quad_weighted(func, args, (a, b), weight, &options),
            None => Err(without_weight()),
        };
    }
    if args.is_none()
        && let Ok(callback) = func.cast::<producer::Callback>()
    {
        // Lent: counting its owners takes as long as some short integrals.
        return quad_plain(py, callback.get().scalar()?, (a, b), &points, &options);
    }
    integrand(func, args)?.lend(|function| quad_plain(py, function, (a, b), &points, &options))
}

/// Refuses what SciPy's `quad` takes, with a word about what there is in its place. These are parameters that no signature shows: to
/// take arguments of any name would cost each call a dictionary and a tuple, a fifth of its time.
#[cold]
fn not_here(full_output: bool) -> PyErr {
    let (name, text) = if full_output {
        ("full_output", "the result always has .neval, .intervals, .status and .message, so leave it out")
    } else {
        ("wopts", "moments are computed anew in less than a microsecond, so leave it out")
    };
    PyTypeError::new_err(format!("quad() got an unexpected keyword argument '{name}': {text}"))
}

fn quad_plain(
    py: Python<'_>,
    function: &Handle,
    (a, b): (f64, f64),
    points: &[f64],
    options: &Options,
) -> PyResult<Py<PyAny>> {
    let result = py.detach(|| ringback_engines::quad(Blocks::new(function), a, b, points, options));
    finish(py, QuadResult { quadrature: result.map_err(raise)?, weighted: false })
}

/// An integral but for the integrand, with all that is rarely asked for.
pub(crate) struct Problem {
    a: f64,
    b: f64,
    points: Vec<f64>,
    weight: Option<Weight>,
    options: WeightedOptions,
}

impl Problem {
    pub(crate) fn solve<I: Integrand<Error = ringback::Error>>(&self, f: I) -> PyResult<QuadResult> {
        let Self { a, b, ref points, weight, ref options } = *self;
        let result = match weight {
            None => ringback_engines::quad(f, a, b, points, &options.quad),
            Some(weight) => ringback_engines::quad_weighted(f, a, b, weight, options),
        };
        Ok(QuadResult { quadrature: result.map_err(raise)?, weighted: weight.is_some() })
    }
}

fn quad_weighted(
    func: &Bound<'_, PyAny>,
    args: Option<Bound<'_, PyAny>>,
    (a, b): (f64, f64),
    weight: Weight,
    options: &WeightedOptions,
) -> PyResult<Py<PyAny>> {
    let py = func.py();
    integrand(func, args)?.lend(|function| {
        let result = py.detach(|| ringback_engines::quad_weighted(Blocks::new(function), a, b, weight, options));
        finish(py, QuadResult { quadrature: result.map_err(raise)?, weighted: true })
    })
}

/// Gives the result to Python, with a warning if it is not as accurate as requested.
#[inline]
fn finish(py: Python<'_>, result: QuadResult) -> PyResult<Py<PyAny>> {
    if !result.success() {
        warn(py, &result.message())?;
    }
    Ok(Py::new(py, result)?.into_any())
}

/// What the integrand raised, or a `ValueError` for arguments that make no sense.
fn raise(error: QuadError<ringback::Error>) -> PyErr {
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

/// The handle on an integrand, for the time of an integral.
enum Lent {
    /// That of a function which has been compiled before.
    Ready(Ready),
    Owned(Handle),
}

impl Lent {
    #[inline]
    fn lend<T>(self, integral: impl FnOnce(&Handle) -> T) -> T {
        match self {
            Lent::Ready(ready) => {
                let result = integral(ready.handle());
                ready.give_back();
                result
            }
            Lent::Owned(handle) => integral(&handle),
        }
    }
}

/// The handle on the integrand: of a function by its recipe, of anything else through the package's door.
fn integrand(func: &Bound<'_, PyAny>, args: Option<Bound<'_, PyAny>>) -> PyResult<Lent> {
    let args = args.map(further).transpose()?;
    // What a class derived from tuple has in it only its own code can tell.
    let readable = args.as_ref().is_none_or(|args| args.is_exact_instance_of::<PyTuple>());
    let target = if readable { Target::of(func)? } else { None };
    if let Some(target) = &target
        && let Some(ready) = recipe::find(target, args.as_ref())?
    {
        return Ok(Lent::Ready(ready));
    }
    let found = accepted(func, args.as_ref(), intern!(func.py(), "f64(f64)"))?;
    if let Some(target) = &target {
        recipe::learn(target, args.as_ref(), intern!(func.py(), ERROR_MODEL), &found)?;
    }
    match found.cast::<producer::Callback>() {
        Ok(callback) => callback.get().scalar().cloned().map(Lent::Owned),
        Err(_) => found.extract().map(Lent::Owned),
    }
}

/// The handle on an integrand of any result: `signature` is the text for it.
pub(crate) fn handle<R: ringback::Ret>(
    func: &Bound<'_, PyAny>,
    args: Option<Bound<'_, PyAny>>,
    signature: &Bound<'_, PyString>,
) -> PyResult<ringback::Callback<(f64,), R>> {
    let args = args.map(further).transpose()?;
    let found = match func.cast::<producer::Callback>() {
        Ok(_) if args.as_ref().is_none_or(|args| args.is_empty()) => func.clone(),
        _ => accepted(func, args.as_ref(), signature)?,
    };
    match found.cast::<producer::Callback>() {
        Ok(callback) => callback.get().handle(),
        Err(_) => found.extract(),
    }
}

/// Further arguments: as SciPy has it, one need not be in a tuple.
fn further(args: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyTuple>> {
    args.cast_into::<PyTuple>().or_else(|error| {
        let one = error.into_inner();
        PyTuple::new(one.py(), [&one])
    })
}

/// What the package's door makes of an object.
fn accepted<'py>(
    func: &Bound<'py, PyAny>,
    args: Option<&Bound<'py, PyTuple>>,
    signature: &Bound<'py, PyString>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = func.py();
    static DOOR: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let door = DOOR.import(py, "ringback.accept", "callback_for")?;
    let args = args.map_or_else(|| PyTuple::empty(py), Bound::clone);
    door.call1((func, signature, intern!(py, ERROR_MODEL), args)).map_err(|error| arguments::at_the_call(py, error))
}
