//! The plain function behind what is passed, and what is bound to it. No Python code runs to read it.

use pyo3::exceptions::PyAttributeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use super::read::or_absent;

/// A plain function by itself, in a `functools.partial` or an `rb.bind`, decorated with `numba.njit`, or both.
pub(crate) struct Target<'py> {
    pub(super) function: Bound<'py, PyAny>,
    pub(super) code: Bound<'py, PyAny>,
    /// Values for the first parameters.
    pub(super) leading: Option<Bound<'py, PyTuple>>,
    pub(super) keywords: Option<Bound<'py, PyDict>>,
    /// What it was decorated with.
    pub(super) options: Option<Bound<'py, PyDict>>,
}

impl<'py> Target<'py> {
    /// None for anything else, and for classes derived from those.
    ///
    /// # Errors
    /// Those of Python, such as a lack of memory. What is missing is for the door to complain about.
    #[inline]
    pub(crate) fn of(func: &Bound<'py, PyAny>) -> PyResult<Option<Self>> {
        let py = func.py();
        static FUNCTION: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let plain = FUNCTION.import(py, "types", "FunctionType")?;
        let mut target =
            Target { function: func.clone(), code: func.clone(), leading: None, keywords: None, options: None };
        if !func.get_type().is(plain) {
            let unwrapped = target.unwrap()?.is_some();
            if !unwrapped || !target.function.get_type().is(plain) {
                return Ok(None);
            }
        }
        target.code = target.function.getattr(intern!(py, "__code__"))?;
        Ok(Some(target))
    }

    /// Goes on to what is called; None if there is something unusual.
    fn unwrap(&mut self) -> PyResult<Option<()>> {
        static PARTIAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        static BOUND: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let py = self.function.py();
        let outer = self.function.clone();
        let outer_type = outer.get_type();
        let names = if outer_type.is(PARTIAL.import(py, "functools", "partial")?) {
            Some((intern!(py, "func"), intern!(py, "args"), intern!(py, "keywords")))
        } else if outer_type.is(BOUND.import(py, "ringback.bind", "Bound")?) {
            Some((intern!(py, "_function"), intern!(py, "_leading"), intern!(py, "_data")))
        } else {
            None
        };
        if let Some((function, leading, keywords)) = names {
            let Some(function) = attribute(&outer, function)? else { return Ok(None) };
            self.function = function;
            self.leading = attribute(&outer, leading)?.and_then(|found| found.cast_into_exact().ok());
            self.keywords = attribute(&outer, keywords)?.and_then(|found| found.cast_into_exact().ok());
            if self.leading.is_none() || self.keywords.is_none() {
                return Ok(None);
            }
        }
        if is_jitted(&self.function)? {
            let jitted = self.function.clone();
            let Some(function) = attribute(&jitted, intern!(py, "py_func"))? else { return Ok(None) };
            self.function = function;
            self.options =
                attribute(&jitted, intern!(py, "targetoptions"))?.and_then(|found| found.cast_into_exact().ok());
            return Ok(self.options.is_some().then_some(()));
        }
        Ok(Some(()))
    }
}

fn attribute<'py>(of: &Bound<'py, PyAny>, name: &Bound<'py, PyString>) -> PyResult<Option<Bound<'py, PyAny>>> {
    or_absent::<PyAttributeError>(of.getattr(name))
}

/// Whether it is what `numba.njit` makes. Numba is not imported to find out.
fn is_jitted(function: &Bound<'_, PyAny>) -> PyResult<bool> {
    static JITTED: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let py = function.py();
    if let Some(known) = JITTED.get(py) {
        return Ok(function.get_type().is(known));
    }
    let modules = py.import("sys")?.getattr(intern!(py, "modules"))?;
    let Ok(modules) = modules.cast_into_exact::<PyDict>() else { return Ok(false) };
    let Some(registry) = modules.get_item(intern!(py, "numba.core.registry"))? else { return Ok(false) };
    let Some(found) = attribute(&registry, intern!(py, "CPUDispatcher"))? else { return Ok(false) };
    let Ok(found) = found.cast_into::<PyType>() else { return Ok(false) };
    let known = JITTED.get_or_init(py, || found.unbind());
    Ok(function.get_type().is(known))
}
