//! Python functions of several variables as what the engines for boxes integrate.

use std::sync::OnceLock;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;
use ringback::{Callback, In, Mut, Params, Ret};
use ringback_engines::{BoxError, Field, Points};

use crate::arguments;
use crate::quad::LANES;
use crate::watch::Watch;

/// The most coordinates of a point in an array.
const MAX_DIMS: usize = 64;

/// A function of separate coordinates, of as many as there are fields of the tuple.
macro_rules! separate {
    ($($name:ident $count:literal ($($T:ident $dim:literal),*)),*) => {
        /// The handle, by the form of the function.
        enum Handle {
            $($name(Callback<($($T,)*), f64>),)*
            Array(Callback<(In<f64>,), f64>),
            Written(Callback<(In<f64>, Mut<f64>), ()>),
            /// A function of either kind, with the loop over the points compiled.
            Looped(Loop),
        }

        impl Handle {
            fn separate(found: &Bound<'_, PyAny>, dims: usize) -> PyResult<Self> {
                match dims {
                    $($count => Ok(Handle::$name(typed(found)?)),)*
                    _ => Err(PyValueError::new_err("separate coordinates are at most 8")),
                }
            }

            /// Whether several points are done at once, which only quick functions are.
            fn vectorised(&self) -> bool {
                match self {
                    $(Handle::$name(f) => f.has_block(),)*
                    Handle::Looped(f) => f.vectorised,
                    Handle::Array(_) | Handle::Written(_) => false,
                }
            }

            #[inline]
            fn call(&self, x: Points<'_>, range: std::ops::Range<usize>, y: &mut [f64]) -> Result<(), ringback::Error> {
                match self {
                    $(Handle::$name(f) => {
                        Ok(f.call_block(($(&x.column($dim)[range.clone()],)*), &mut y[range])?)
                    })*
                    Handle::Looped(f) => f.handle.call((range.start as u64, range.end as u64, x.columns(), y)),
                    Handle::Array(f) => {
                        let mut point = [0.0; MAX_DIMS];
                        let point = &mut point[..x.dims()];
                        for i in range {
                            x.point(i, point);
                            y[i] = f.call((&*point,))?;
                        }
                        Ok(())
                    }
                    Handle::Written(f) => {
                        let mut point = [0.0; MAX_DIMS];
                        let point = &mut point[..x.dims()];
                        // NaN, so that a result that is not written does not pass for one.
                        let mut results = vec![f64::NAN; y.len() / x.len()];
                        for i in range {
                            x.point(i, point);
                            results.fill(f64::NAN);
                            f.call((&*point, &mut results))?;
                            for (k, result) in results.iter().enumerate() {
                                y[k * x.len() + i] = *result;
                            }
                        }
                        Ok(())
                    }
                }
            }
        }
    };
}

/// The loop over points that `backend/points.py` writes: from which point, to which, coordinates by column, results.
struct Loop {
    handle: Callback<(u64, u64, In<f64>, Mut<f64>), ()>,
    vectorised: bool,
}

type F = f64;
separate!(
    One 1 (F 0),
    Two 2 (F 0, F 1),
    Three 3 (F 0, F 1, F 2),
    Four 4 (F 0, F 1, F 2, F 3),
    Five 5 (F 0, F 1, F 2, F 3, F 4),
    Six 6 (F 0, F 1, F 2, F 3, F 4, F 5),
    Seven 7 (F 0, F 1, F 2, F 3, F 4, F 5, F 6),
    Eight 8 (F 0, F 1, F 2, F 3, F 4, F 5, F 6, F 7)
);

/// A handle of one type: on a callback of this package at once, on anything else by way of its record.
fn typed<P: Params, R: Ret>(found: &Bound<'_, PyAny>) -> PyResult<Callback<P, R>> {
    match found.cast::<crate::producer::Callback>() {
        Ok(callback) => callback.get().handle(),
        Err(_) => found.extract(),
    }
}

/// A Python function as a field, and the watch over its evaluation.
pub(crate) struct Function {
    handle: Handle,
    outputs: usize,
    watch: Watch,
    /// "all", "one", or the name of the bound array that the function writes to.
    threads: String,
}

impl Function {
    /// Compiles or adapts what stands for a function of `dims` variables; with `outputs`, one that writes its results.
    pub(crate) fn new(
        f: &Bound<'_, PyAny>,
        dims: usize,
        outputs: Option<usize>,
        args: Option<Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let py = f.py();
        static DOOR: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let door = DOOR.import(py, "ringback.integrate._fields", "field")?;
        let args = args.unwrap_or_else(|| PyTuple::empty(py).into_any());
        type Found<'py> = (Bound<'py, PyAny>, String, String, Option<(Bound<'py, PyAny>, bool)>);
        let found = door.call1((f, dims, outputs, args)).map_err(|error| arguments::at_the_call(py, error))?;
        let (found, form, threads, block): Found<'_> = found.extract()?;
        let handle = match (form.as_str(), block) {
            (_, Some((block, vectorised))) => Handle::Looped(Loop { handle: typed(&block)?, vectorised }),
            ("written", None) => Handle::Written(typed(&found)?),
            ("array", None) => Handle::Array(typed(&found)?),
            _ => Handle::separate(&found, dims)?,
        };
        Ok(Function { handle, outputs: outputs.unwrap_or(1), watch: Watch::new(), threads })
    }

    /// How many threads: all cores unless said otherwise, but only one where others would be in its way.
    pub(crate) fn workers(&self, workers: Option<i64>) -> PyResult<usize> {
        // Asking costs as much as a small integral.
        static CORES: OnceLock<usize> = OnceLock::new();
        let all = || *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from));
        let asked = workers.map(|workers| count("workers", workers, 1)).transpose()?;
        match self.threads.as_str() {
            "all" => Ok(asked.unwrap_or_else(all)),
            "one" => Ok(asked.unwrap_or(1)),
            array => match asked {
                None | Some(1) => Ok(1),
                Some(asked) => Err(PyValueError::new_err(format!(
                    "the function writes to the array bound to its parameter {array:?}, so that threads would be in each \
                     other's way: expected workers=1, found {asked}"
                ))),
            },
        }
    }

    /// Runs an engine without the GIL; with `progress`, under a bar that counts points, up to `total` if that is known.
    /// `neval` says how many points a result has taken.
    pub(crate) fn run<T: Send>(
        mut self,
        py: Python<'_>,
        progress: bool,
        total: Option<usize>,
        engine: impl FnOnce(&Self) -> Result<T, BoxError<ringback::Error>> + Send,
        neval: impl FnOnce(&T) -> usize,
    ) -> PyResult<T> {
        if progress {
            self.watch.show(py, total)?;
        }
        let result = py.detach(|| engine(&self));
        let closed = self.watch.close(py, result.as_ref().ok().map(neval));
        match result {
            Ok(result) => closed.map(|()| result),
            Err(BoxError::Integrand(error)) => Err(self.watch.raise(error)),
            Err(BoxError::InvalidInput(error)) => Err(PyValueError::new_err(error.to_string())),
        }
    }
}

impl Field for Function {
    type Error = ringback::Error;

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn eval(&self, x: Points<'_>, y: &mut [f64]) -> Result<(), ringback::Error> {
        self.watch.pieces(x.len(), self.handle.vectorised(), |range| self.handle.call(x, range, y))
    }

    fn lanes(&self) -> usize {
        if self.handle.vectorised() { LANES } else { 1 }
    }

    fn reached(&self, error: f64, tolerance: f64) {
        self.watch.reached(error, tolerance);
    }

    fn pause(&self) -> Result<(), ringback::Error> {
        self.watch.poll()
    }
}

/// The limits of a box, as Python gives them.
pub(crate) fn limits(name: &str, given: &Bound<'_, PyAny>) -> PyResult<Vec<f64>> {
    match given.extract() {
        Ok(limits) => Ok(limits),
        Err(error) if error.is_instance_of::<PyTypeError>(given.py()) => Err(PyTypeError::new_err(format!(
            "expected `{name}` as a sequence of real numbers, one for each dimension, found {}",
            given.repr()?
        ))),
        Err(error) => Err(error),
    }
}

/// A number of things, as Python gives it.
pub(crate) fn count(name: &str, number: i64, least: usize) -> PyResult<usize> {
    match usize::try_from(number) {
        Ok(count) if count >= least => Ok(count),
        _ => Err(PyValueError::new_err(format!("expected `{name}` of at least {least}, found {number}"))),
    }
}

/// Issues an `IntegrationWarning`.
pub(crate) fn warn(py: Python<'_>, message: String) -> PyResult<()> {
    let category = py.import(intern!(py, "ringback.integrate"))?.getattr(intern!(py, "IntegrationWarning"))?;
    PyErr::warn(py, &category, &std::ffi::CString::new(message)?, 1)
}
