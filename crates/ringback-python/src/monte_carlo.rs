//! `monte_carlo` for Python: reads arguments, detaches, integrates.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use ringback_engines::{MonteCarlo, MonteCarloOptions};

use crate::fields::{Function, count, limits, warn};
use crate::pickled;

/// The result of a Monte Carlo integration; unpacks as `(value, error)`.
#[pyclass(frozen, eq, sequence, module = "ringback.integrate")]
#[derive(Clone, Debug, PartialEq)]
pub struct MonteCarloResult(MonteCarlo);

#[pymethods]
impl MonteCarloResult {
    /// The integral.
    #[getter]
    fn value(&self) -> f64 {
        self.0.value
    }

    /// The standard deviation of `value`: statistical, and no bound.
    #[getter]
    fn error(&self) -> f64 {
        self.0.error
    }

    /// How much the iterations differ, in units of their variances; about `dof` if all is well.
    #[getter]
    fn chi2(&self) -> f64 {
        self.0.chi2
    }

    /// The number of iterations that count, less one.
    #[getter]
    fn dof(&self) -> usize {
        self.0.dof
    }

    /// How often the integrand was evaluated.
    #[getter]
    fn neval(&self) -> usize {
        self.0.neval
    }

    /// 0 if all is well; 1 if the tolerance was not reached; 2 if the iterations contradict each other; 3 if values
    /// overflowed; 7 if the integrand was not finite.
    #[getter]
    fn status(&self) -> u8 {
        self.0.status.code()
    }

    /// What the status means, in a sentence.
    #[getter]
    fn message(&self) -> String {
        self.0.status.message().into_owned()
    }

    /// True if the status is 0.
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

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let MonteCarlo { value, error, chi2, dof, neval, ref status } = self.0;
        let parts = (value, error, chi2, dof, neval, pickled::monte_carlo_parts(status));
        pickled::reduced(py, "restored_monte_carlo", parts)
    }

    fn __repr__(&self) -> String {
        let r = &self.0;
        format!(
            "MonteCarloResult(value={:?}, error={:.3e}, chi2={:.1} for dof={}, neval={}, status={}: {})",
            r.value,
            r.error,
            r.chi2,
            r.dof,
            r.neval,
            r.status.code(),
            r.status.message()
        )
    }
}

/// The result of `monte_carlo` that was in a pickle.
#[pyfunction]
pub(crate) fn restored_monte_carlo(
    value: f64,
    error: f64,
    chi2: f64,
    dof: usize,
    neval: usize,
    status: (String, Vec<f64>),
) -> PyResult<MonteCarloResult> {
    let status = pickled::monte_carlo_status(&status.0, &status.1)?;
    Ok(MonteCarloResult(MonteCarlo { value, error, chi2, dof, neval, status }))
}

/// Integrate a function over a box of 1 to 64 dimensions, by VEGAS+.
///
/// The integrand runs as compiled code, in Rust, without the interpreter and without the GIL. Iterations learn where the
/// integrand is large (importance sampling) and where it varies (stratified sampling): G. P. Lepage, J. Comput. Phys. 27
/// (1978) 192-203 and 439 (2021) 110386.
///
/// Parameters
/// ----------
/// f
///     What is to be integrated: `f(x, y, z, *args)`, with a number for each dimension, up to 8, or `f(x, *args)`, with an
///     array of the coordinates; in one dimension `f(x)` takes a number. Both are evaluated in blocks.
///     A plain Python function, or any other callback of signature `f64(f64, ...)` or `f64([f64])`.
/// a, b
///     Lower and upper limits, a number for each dimension; any of them may be `-np.inf` or `np.inf`.
/// n
///     How often the integrand is evaluated in one iteration.
/// iterations
///     How many iterations count, at least 2.
/// warmup
///     How many iterations are done before, only to learn where to sample.
/// rtol, atol
///     If one of them is not 0, the integration ends as soon as the error is at most `atol + rtol * abs(value)`.
/// seed
///     The same seed gives the same result, bit for bit; another one gives another sample.
/// args
///     Further arguments of `f`, as a tuple; other values do not recompile.
/// workers
///     How many threads evaluate the integrand; all cores by default, but only one for `rb.interpreted`, for C functions
///     of others and for functions that write to bound arrays. Their number changes no bit of the result.
/// progress
///     Whether to show a progress bar, with the number of points evaluated and the error reached; needs the package tqdm.
///
/// Returns
/// -------
/// MonteCarloResult
///     Unpacks as `(value, error)`; also `.chi2`, `.dof`, `.neval`, `.status`, `.message`, `.success`. Where `.status` is not
///     0, an `IntegrationWarning` is issued too.
///
/// Raises
/// ------
/// ValueError
///     If the limits, tolerances or numbers make no sense, or the box has not 1 to 64 dimensions.
/// TypeError
///     If `f` is no such function, or does not compile (`ringback.CompileError`).
/// Exception
///     Whatever the integrand raises is raised here, as itself.
///
/// Notes
/// -----
/// The error is a standard deviation, no bound: about a third of all results are further off. A peak that no point hits
/// is missed. An integrand that returns nan or inf anywhere stops the integration: status 7, value nan, error inf.
#[pyfunction]
#[pyo3(signature = (f, a, b, *, n=100_000, iterations=10, warmup=5, rtol=0.0, atol=0.0, seed=None, args=None, workers=None, progress=false))]
#[pyo3(
    text_signature = "(f, a, b, *, n=100000, iterations=10, warmup=5, rtol=0.0, atol=0.0, seed=0, args=(), workers=None, progress=False)"
)]
#[allow(clippy::too_many_arguments, reason = "named, and most of them rarely given")]
pub(crate) fn monte_carlo(
    py: Python<'_>,
    f: &Bound<'_, PyAny>,
    a: &Bound<'_, PyAny>,
    b: &Bound<'_, PyAny>,
    n: i64,
    iterations: i64,
    warmup: i64,
    rtol: f64,
    atol: f64,
    seed: Option<&Bound<'_, PyAny>>,
    args: Option<Bound<'_, PyAny>>,
    workers: Option<i64>,
    progress: bool,
) -> PyResult<MonteCarloResult> {
    let (a, b) = (limits("a", a)?, limits("b", b)?);
    let seed = match seed.map(|seed| seed.extract::<u64>().map_err(|_| seed)) {
        None => 0,
        Some(Ok(seed)) => seed,
        Some(Err(found)) => {
            let text = format!("expected a whole number from 0 to 2**64 - 1 as seed, found {}", found.repr()?);
            return Err(PyValueError::new_err(text));
        }
    };
    let function = Function::new(f, a.len(), None, args)?;
    let options = MonteCarloOptions {
        n: count("n", n, 16)?,
        iterations: count("iterations", iterations, 2)?,
        warmup: count("warmup", warmup, 0)?,
        rtol,
        atol,
        seed,
        workers: function.workers(workers)?,
    };
    let engine = |function: &Function| ringback_engines::monte_carlo(function, &a, &b, &options);
    let total = options.n.saturating_mul(options.warmup.saturating_add(options.iterations));
    let result = MonteCarloResult(function.run(py, progress, Some(total), engine, |result| result.neval)?);
    if !result.success() {
        warn(py, result.message())?;
    }
    Ok(result)
}
