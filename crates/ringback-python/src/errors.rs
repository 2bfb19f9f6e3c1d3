//! What to do with the errors of one kind of producer (Numba's code, interpreted functions).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyException;
use pyo3::prelude::*;

use crate::producer::Produced;

/// How `*error` is turned into an exception, or dropped.
///
/// `restore(address)` consumes an error and returns the exception; `discard(address)` consumes it. `excinfo`
/// holds the offsets of the pickle's address, its size and the count of run-time arguments in Numba's struct.
#[pyclass(frozen, module = "ringback._ringback")]
#[derive(Debug)]
pub struct Errors(pub(crate) Arc<Hooks>);

#[derive(Debug)]
pub(crate) struct Hooks {
    restore: Py<PyAny>,
    discard: Py<PyAny>,
    pub(crate) excinfo: Option<(usize, usize, usize)>,
}

#[pymethods]
impl Errors {
    #[new]
    #[pyo3(signature = (restore, discard, excinfo=None))]
    fn new(restore: Py<PyAny>, discard: Py<PyAny>, excinfo: Option<(usize, usize, usize)>) -> Self {
        Errors(Arc::new(Hooks { restore, discard, excinfo }))
    }
}

impl Hooks {
    /// The exception for an error, which is consumed.
    pub(crate) fn restore(&self, py: Python<'_>, error: usize) -> PyErr {
        let interrupt = drain(py).err();
        let exception = match self.restore.bind(py).call1((error,)) {
            Ok(exception) => PyErr::from_value(exception),
            Err(failure) => failure,
        };
        interrupt.unwrap_or(exception)
    }

    /// Consumes an error as soon as some thread holds the GIL: this one may not.
    pub(crate) fn discard_later(self: &Arc<Self>, error: usize) {
        later(Garbage::Error(Arc::clone(self), error));
    }
}

/// What was dropped, or could not be raised, where nobody knew whether the GIL was held.
pub(crate) enum Garbage {
    /// An error that nobody will raise.
    Error(Arc<Hooks>, usize),
    /// The last reference to bound data and code.
    Data(Produced),
    /// An error in a plain C function that had no way to raise it, and the flag that one is on its way.
    Report(ringback::Error, Arc<str>, Arc<AtomicBool>),
}

/// Drops (or reports) it on the main thread, as soon as that runs Python.
pub(crate) fn later(garbage: Garbage) {
    DISCARDED.lock().unwrap_or_else(PoisonError::into_inner).push(garbage);
    if !SCHEDULED.swap(true, Ordering::AcqRel) && !super::producer::schedule(drain) {
        SCHEDULED.store(false, Ordering::Release);
    }
}

static DISCARDED: Mutex<Vec<Garbage>> = Mutex::new(Vec::new());
static SCHEDULED: AtomicBool = AtomicBool::new(false);

/// Consumes what threads without the GIL have dropped. (CPython runs pending calls only when the main thread next takes
/// the GIL, so whoever passes here with it helps.)
///
/// # Errors
/// What a signal's handler raised meanwhile, such as `KeyboardInterrupt`: it is meant for whoever runs.
pub(crate) fn drain(py: Python<'_>) -> PyResult<()> {
    let mut interrupt = None;
    if !SCHEDULED.swap(false, Ordering::AcqRel) {
        return Ok(());
    }
    let garbage = std::mem::take(&mut *DISCARDED.lock().unwrap_or_else(PoisonError::into_inner));
    for item in garbage {
        match item {
            Garbage::Error(hooks, error) => match hooks.discard.bind(py).call1((error,)) {
                Ok(_) => {}
                Err(failure) if failure.is_instance_of::<PyException>(py) => failure.write_unraisable(py, None),
                Err(raised) => interrupt = Some(raised),
            },
            Garbage::Data(data) => drop(data),
            Garbage::Report(error, name, reported) => {
                reported.store(false, Ordering::Release);
                PyErr::from(error).write_unraisable(py, Some(pyo3::types::PyString::new(py, &name).as_any()));
            }
        }
    }
    interrupt.map_or(Ok(()), Err)
}
