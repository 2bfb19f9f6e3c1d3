//! What ctypes calls in place of an interpreted function.
//!
//! A signal's handler (Ctrl-C) may raise wherever the interpreter begins to run a Python function, also before the first
//! statement of one, where no `try` catches it. ctypes would print that exception, and leave in the status whatever
//! was in the register: the interrupt would be lost, and the result a number that nobody computed. Compiled code has no
//! such place.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use pyo3::{PyTraverseError, PyVisit};

/// How many exceptions may be raised one after another while one is being kept.
const TRIES: usize = 100;

/// A function for ctypes that always has a status: that of `run(result, error, ...)`, or, after `keep(error, exception)` has
/// kept the exception that escaped from it, 1 for an `Exception` and -1 for what is to end the program (`KeyboardInterrupt`).
#[pyclass(frozen, module = "ringback._ringback")]
#[derive(Debug)]
pub struct Guard {
    run: Py<PyAny>,
    keep: Py<PyAny>,
}

#[pymethods]
impl Guard {
    #[new]
    fn new(run: Py<PyAny>, keep: Py<PyAny>) -> Self {
        Guard { run, keep }
    }

    #[pyo3(signature = (*passed))]
    fn __call__(&self, py: Python<'_>, passed: &Bound<'_, PyTuple>) -> i32 {
        let mut escaped = match self.run.bind(py).call1(passed).and_then(|status| status.extract()) {
            Ok(status) => return status,
            Err(escaped) => escaped,
        };
        let status = if escaped.is_instance_of::<PyException>(py) { 1 } else { -1 };
        // A second Ctrl-C may come while the first is being kept.
        for _ in 0..TRIES {
            let kept = passed.get_item(1).and_then(|error| self.keep.bind(py).call1((error, escaped.into_value(py))));
            match kept {
                Ok(_) => break,
                Err(another) => escaped = another,
            }
        }
        status
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.run)?;
        visit.call(&self.keep)
    }
}
