//! `cubature` for Python: reads arguments, detaches, integrates.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use ringback_engines::{Cubature, CubatureOptions};

use crate::fields::{Function, count, limits, warn};
use crate::pickled;

/// The result of a cubature; unpacks as `(value, error)`.
#[pyclass(frozen, eq, sequence, module = "ringback.integrate")]
#[derive(Clone, Debug, PartialEq)]
pub struct CubatureResult {
    result: Cubature,
    options: CubatureOptions,
    /// Whether the function writes several results, even if it is only one.
    several: bool,
}

impl CubatureResult {
    /// A float, or an array if the function writes its results.
    fn shaped<'py>(&self, py: Python<'py>, values: &[f64]) -> PyResult<Bound<'py, PyAny>> {
        if self.several {
            return py.import("numpy")?.call_method1("array", (values.to_vec(),));
        }
        Ok(values.first().copied().unwrap_or(f64::NAN).into_pyobject(py)?.into_any())
    }

    fn pair<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, [self.shaped(py, &self.result.value)?, self.shaped(py, &self.result.error)?])
    }
}

#[pymethods]
impl CubatureResult {
    /// The integral: a float, or an array of `outputs` of them.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.shaped(py, &self.result.value)
    }

    /// The same as `value`, by SciPy's name.
    #[getter]
    fn estimate<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.shaped(py, &self.result.value)
    }

    /// Estimate of the absolute error, of each result its own.
    #[getter]
    fn error<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.shaped(py, &self.result.error)
    }

    /// How often the integrand was evaluated.
    #[getter]
    fn neval(&self) -> usize {
        self.result.neval
    }

    /// How often some part of the box was halved.
    #[getter]
    fn subdivisions(&self) -> usize {
        self.result.subdivisions
    }

    /// The relative tolerance that was asked for.
    #[getter]
    fn rtol(&self) -> f64 {
        self.options.rtol
    }

    /// The absolute tolerance that was asked for.
    #[getter]
    fn atol(&self) -> f64 {
        self.options.atol
    }

    /// 0 if the requested accuracy was reached; 1, 2, 3 and 7 mean what they mean for `quad`.
    #[getter]
    fn status(&self) -> u8 {
        self.result.status.code()
    }

    /// What the status means, in a sentence.
    #[getter]
    fn message(&self) -> String {
        self.result.status.message().into_owned()
    }

    /// True if the requested accuracy was reached.
    #[getter]
    fn success(&self) -> bool {
        self.result.status.code() == 0
    }

    fn __len__(&self) -> usize {
        2
    }

    fn __getitem__<'py>(&self, py: Python<'py>, index: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.pair(py)?.as_any().get_item(index)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.pair(py)?.try_iter()?.into_any())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let Cubature { value, error, neval, subdivisions, status } = &self.result;
        let CubatureOptions { rtol, atol, max_subdivisions, workers } = self.options;
        let result = (value.clone(), error.clone(), *neval, *subdivisions, pickled::cubature_parts(status));
        let parts = (result, (rtol, atol, max_subdivisions, workers), self.several);
        pickled::reduced(py, "restored_cubature", parts)
    }

    fn __repr__(&self) -> String {
        let r = &self.result;
        let text = |values: Vec<String>| match (self.several, values.as_slice()) {
            (false, [one]) => one.clone(),
            _ => format!("[{}]", values.join(", ")),
        };
        format!(
            "CubatureResult(value={}, error={}, neval={}, subdivisions={}, status={}: {})",
            text(r.value.iter().map(|x| format!("{x:?}")).collect()),
            text(r.error.iter().map(|x| format!("{x:.3e}")).collect()),
            r.neval,
            r.subdivisions,
            r.status.code(),
            r.status.message()
        )
    }
}

/// Values, errors, evaluations, subdivisions, and the parts of the status.
type Pickled = (Vec<f64>, Vec<f64>, usize, usize, (String, Vec<f64>));

/// The result of `cubature` that was in a pickle.
#[pyfunction]
pub(crate) fn restored_cubature(
    result: Pickled,
    options: (f64, f64, usize, usize),
    several: bool,
) -> PyResult<CubatureResult> {
    let (value, error, neval, subdivisions, status) = result;
    let (rtol, atol, max_subdivisions, workers) = options;
    let status = pickled::cubature_status(&status.0, &status.1)?;
    let result = Cubature { value, error, neval, subdivisions, status };
    Ok(CubatureResult { result, options: CubatureOptions { rtol, atol, max_subdivisions, workers }, several })
}

/// Integrate a function of 2 to 8 variables over a box.
///
/// The integrand runs as compiled code, in Rust, without the interpreter and without the GIL. The method is that of Genz
/// and Malik (J. Comput. Appl. Math. 6 (1980) 295-302), `rule="genz-malik"` of `scipy.integrate.cubature`: the part of the
/// box with the largest error is halved, along the side where the integrand bends most.
///
/// Parameters
/// ----------
/// f
///     What is to be integrated, in one of three forms:
///
///     - `f(x, y, z, *args)`, with a number for each dimension;
///     - `f(x, *args)`, with an array of the coordinates;
///     - with `outputs=k`, `f(x, out, *args)`, which writes k results to the array `out` and returns nothing.
///
///     All are evaluated in blocks, which are vectorised where nothing in the function raises or makes arrays.
///
///     A plain Python function (compiled once, on demand; in it, division by zero gives inf or nan, as in NumPy), or any
///     other callback of signature `f64(f64, ...)`, `f64([f64])` or `void([f64], mut [f64])`.
/// a, b
///     Lower and upper limits, a number for each dimension; any of them may be `-np.inf` or `np.inf`.
/// rtol, atol
///     Requested accuracy: the integration stops when the estimated error of each result is at most
///     `atol + rtol * abs(value)`.
/// max_subdivisions
///     How often parts may be halved; without limit if None. (SciPy divides a part into 2**n parts and counts that as one.)
/// args
///     Further arguments of `f`, as a tuple; other values do not recompile.
/// workers
///     How many threads evaluate the integrand; all cores by default, but only one for `rb.interpreted`, for C functions
///     of others and for functions that write to bound arrays. Their number changes no bit of the result.
/// points
///     Points inside the box where the integrand is singular, each a sequence of coordinates. They become corners of parts,
///     where the integrand is never evaluated.
/// outputs
///     How many results a function of the third form writes, at most 1000.
/// progress
///     Whether to show a progress bar, with the number of points evaluated, the error reached and the one asked for; needs the
///     package tqdm. How many points there will be, nobody knows.
///
/// Returns
/// -------
/// CubatureResult
///     Unpacks as `(value, error)`, floats, or arrays with `outputs`; also `.estimate` (the value), `.neval`,
///     `.subdivisions`, `.rtol`, `.atol`, `.status`, `.message`, `.success`. Where `.status` is not 0, an
///     `IntegrationWarning` is issued too.
///
/// Raises
/// ------
/// ValueError
///     If the limits, tolerances or points make no sense, or the box has not 2 to 8 dimensions.
/// TypeError
///     If `f` is no such function, or does not compile (`ringback.CompileError`).
/// Exception
///     Whatever the integrand raises is raised here, as itself.
///
/// Notes
/// -----
/// An integrand that returns nan or inf anywhere stops the integration: status 7, value nan, error inf, and the message
/// says where. A result that a function does not write to `out` counts as nan. Ctrl-C stops the integration.
#[pyfunction]
#[pyo3(signature = (f, a, b, *, rtol=1e-8, atol=0.0, max_subdivisions=Some(100_000), args=None, workers=None, points=None, outputs=None, progress=false, rule=None))]
#[pyo3(
    text_signature = "(f, a, b, *, rtol=1e-08, atol=0.0, max_subdivisions=100000, args=(), workers=None, points=None, outputs=None, progress=False)"
)]
#[allow(clippy::too_many_arguments, reason = "the parameters of SciPy's function")]
pub(crate) fn cubature(
    py: Python<'_>,
    f: &Bound<'_, PyAny>,
    a: &Bound<'_, PyAny>,
    b: &Bound<'_, PyAny>,
    rtol: f64,
    atol: f64,
    max_subdivisions: Option<i64>,
    args: Option<Bound<'_, PyAny>>,
    workers: Option<i64>,
    points: Option<Vec<Vec<f64>>>,
    outputs: Option<i64>,
    progress: bool,
    rule: Option<&Bound<'_, PyAny>>,
) -> PyResult<CubatureResult> {
    if rule.is_some() {
        // SciPy's name, which the signature does not show.
        let text = "cubature() got an unexpected keyword argument 'rule': there is one rule, SciPy's 'genz-malik', so leave it out";
        return Err(PyTypeError::new_err(text));
    }
    let (a, b) = (limits("a", a)?, limits("b", b)?);
    let max_subdivisions = max_subdivisions.map_or(Ok(usize::MAX), |most| count("max_subdivisions", most, 0))?;
    let outputs = outputs.map(|outputs| count("outputs", outputs, 1)).transpose()?;
    let points = points.unwrap_or_default();
    if let Some((index, point)) = points.iter().enumerate().find(|(_, point)| point.len() != a.len()) {
        return Err(PyValueError::new_err(format!(
            "expected points of {} coordinates, found points[{index}] = {point:?}",
            a.len()
        )));
    }
    let points = points.concat();
    let function = Function::new(f, a.len(), outputs, args)?;
    let options = CubatureOptions { rtol, atol, max_subdivisions, workers: function.workers(workers)? };
    let engine = |function: &Function| ringback_engines::cubature(function, &a, &b, &points, &options);
    let result = function.run(py, progress, None, engine, |result| result.neval)?;
    let result = CubatureResult { result, options, several: outputs.is_some() };
    if !result.success() {
        warn(py, result.message())?;
    }
    Ok(result)
}
