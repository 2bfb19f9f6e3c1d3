//! Why a call failed, and whether one may go on.

use std::borrow::Cow;
use std::ffi::{c_char, c_void};
use std::fmt;
use std::sync::Arc;

use crate::place::{Parts, Place};
use crate::raw::Shared;

/// Who failed: the function that was called, or the bridge to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The function raised an exception (or a Rust closure returned an error). Its user may have said that
    /// such errors are to be survived: a sampler can reject the step and go on.
    Raised,
    /// The call itself went wrong: a panic, arrays that overlap, a callee that breaks the convention; or something is to end the
    /// program, such as `KeyboardInterrupt` in an interpreted function. Going on is not sensible.
    Bridge,
}

/// The failure of a call.
///
/// Holds what the callee left, exactly once: turned into a Python exception (`PyErr::from`, feature `pyo3`) it
/// is the exception that was raised, with its class, arguments and place; dropped, it is discarded. Neither
/// asking it nor dropping it needs the GIL.
pub struct Error(Box<Inner>);

enum Inner {
    Raised {
        class: Cow<'static, str>,
        message: String,
    },
    Bridge(String),
    Foreign(Foreign),
    #[cfg(feature = "pyo3")]
    Python(pyo3::PyErr),
}

/// An error that only the producer of the callee understands.
struct Foreign {
    kind: ErrorKind,
    shared: Arc<Shared>,
    error: *mut c_void,
}

// SAFETY: the record's contract: an error may be described and discarded on any thread; raising it needs the
// GIL, which `into_py` holds.
unsafe impl Send for Foreign {}
// SAFETY: as above; `describe` is the only thing done through a shared reference.
unsafe impl Sync for Foreign {}

impl Drop for Foreign {
    fn drop(&mut self) {
        if !self.error.is_null() {
            // SAFETY: not null, so not consumed yet, and given to us by this record's code.
            unsafe { self.shared.discard(self.error) }
        }
    }
}

impl Error {
    /// An error of the function, for closures in Rust. In Python it becomes the built-in exception `class`
    /// (`"ValueError"`, …) with `message`, or a `RuntimeError` that names the class if there is none such, or none that is made
    /// from a text.
    pub fn raised(class: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Error(Box::new(Inner::Raised { class: class.into(), message: message.into() }))
    }

    /// A failure of the bridge; in Python a `RuntimeError`.
    pub fn bridge(message: impl Into<String>) -> Self {
        Error(Box::new(Inner::Bridge(message.into())))
    }

    /// Two lengths that a signature ties together differ: a `ValueError`.
    #[cold]
    pub fn lengths(first: &str, first_length: usize, second: &str, second_length: usize) -> Self {
        Self::raised(
            "ValueError",
            format!("`{first}` and `{second}` must have the same length, found {first_length} and {second_length}"),
        )
    }

    pub(crate) fn foreign(status: i32, shared: Arc<Shared>, error: *mut c_void) -> Self {
        let kind = if status > 0 { ErrorKind::Raised } else { ErrorKind::Bridge };
        if error.is_null() {
            return Self::bridge(format!("the callback failed with status {status} and did not say why"));
        }
        Error(Box::new(Inner::Foreign(Foreign { kind, shared, error })))
    }

    /// Who failed. Needs no GIL.
    pub fn kind(&self) -> ErrorKind {
        match &*self.0 {
            Inner::Raised { .. } => ErrorKind::Raised,
            Inner::Bridge(_) => ErrorKind::Bridge,
            Inner::Foreign(foreign) => foreign.kind,
            #[cfg(feature = "pyo3")]
            Inner::Python(_) => ErrorKind::Raised,
        }
    }

    /// True if the function itself raised, so that its user may want to go on.
    pub fn is_raised(&self) -> bool {
        self.kind() == ErrorKind::Raised
    }

    /// One line of text, such as `ValueError: negative start (in logp, model.py:12)`. Needs no GIL; arguments
    /// that are known only at run time may be missing from it.
    pub fn message(&self) -> String {
        match &*self.0 {
            Inner::Raised { class, message } => format!("{class}: {message}"),
            Inner::Bridge(message) => message.clone(),
            Inner::Foreign(foreign) => {
                // SAFETY: the error is this record's and not consumed.
                unsafe { foreign.shared.describe(foreign.error) }
                    .unwrap_or_else(|| "an exception raised by the callback".to_owned())
            }
            #[cfg(feature = "pyo3")]
            Inner::Python(_) => "a Python exception".to_owned(),
        }
    }

    /// The name of the exception's class, if the error can tell without Python: `Some("ValueError")`.
    pub fn class(&self) -> Option<String> {
        self.parts(|parts| parts.class.map(str::to_owned))
    }

    /// What was said, without class and place: `negative start`. Values that the exception was raised with stand in it as
    /// Python's `repr` writes them, if they are known without Python: in an exported library they are, elsewhere those that
    /// the compiler did not know are `…`. Needs no GIL.
    pub fn text(&self) -> String {
        self.parts(|parts| Some(parts.text.to_owned())).unwrap_or_else(|| self.message())
    }

    /// Function, file and line that raised, if the error can tell without Python. Needs no GIL.
    pub fn place(&self) -> Option<Place> {
        self.parts(|parts| parts.place)
    }

    /// The file that raised, without its folder: `Some("model.py")`. See [`Error::place`].
    pub fn file(&self) -> Option<String> {
        self.place().map(|place| place.file)
    }

    /// The line that raised, from 1 on. See [`Error::place`].
    pub fn line(&self) -> Option<u32> {
        self.place().map(|place| place.line)
    }

    /// The parts of what a function raised; None for a failure of the bridge, which has none.
    fn parts<T>(&self, of: impl FnOnce(Parts<'_>) -> Option<T>) -> Option<T> {
        self.is_raised().then(|| self.message()).and_then(|message| of(Parts::of(&message)))
    }

    pub(crate) fn status(&self) -> i32 {
        match self.kind() {
            ErrorKind::Raised => 1,
            ErrorKind::Bridge => -1,
        }
    }

    /// For the C side; [`Error::from_raw`] takes it back.
    pub(crate) fn into_raw(self) -> *mut c_void {
        Box::into_raw(self.0).cast()
    }

    /// # Safety
    /// `error` came from [`Error::into_raw`] of this very build, and is not used again.
    pub(crate) unsafe fn from_raw(error: *mut c_void) -> Self {
        // SAFETY: the caller's promise.
        Error(unsafe { Box::from_raw(error.cast()) })
    }

    /// # Safety
    /// `error` came from [`Error::into_raw`] of this very build, and outlives the call.
    pub(crate) unsafe fn describe_raw(error: *const c_void, buffer: *mut c_char, size: usize) -> usize {
        // SAFETY: the caller's promise; `ManuallyDrop` leaves the error with its owner.
        let error = std::mem::ManuallyDrop::new(unsafe { Self::from_raw(error.cast_mut()) });
        // SAFETY: the caller's promise about the buffer.
        unsafe { crate::raw::write_text(&error.message(), buffer, size) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("kind", &self.kind()).field("message", &self.message()).finish()
    }
}

impl std::error::Error for Error {}

#[cfg(feature = "pyo3")]
mod python {
    use std::ptr::null_mut;

    use super::{Error, Inner};
    use pyo3::exceptions::{PyException, PyRuntimeError};
    use pyo3::ffi;
    use pyo3::prelude::*;
    use pyo3::types::PyType;

    /// A Python exception as the failure of a closure: kept as it is, with its traceback.
    impl From<PyErr> for Error {
        fn from(error: PyErr) -> Self {
            Error(Box::new(Inner::Python(error)))
        }
    }

    /// The exception that was raised; attaches to the interpreter to restore it.
    impl From<Error> for PyErr {
        fn from(error: Error) -> PyErr {
            match *error.0 {
                Inner::Python(error) => error,
                Inner::Bridge(message) => PyRuntimeError::new_err(message),
                Inner::Raised { class, message } => Python::attach(|py| built_in(py, &class, message)),
                Inner::Foreign(mut foreign) => Python::attach(|py| {
                    let error = std::mem::replace(&mut foreign.error, null_mut());
                    // SAFETY: the interpreter is attached, and the error, now nulled, is raised this once.
                    unsafe { foreign.shared.raise(error) };
                    // Taken before `foreign` goes, and with it perhaps the record: a release that runs Python code had
                    // better not find an exception set.
                    take(py).unwrap_or_else(|| {
                        PyRuntimeError::new_err("a callback failed, but its producer raised no exception")
                    })
                }),
            }
        }
    }

    /// The current exception, as itself. (`PyErr::take` starts to panic if it is PyO3's `PanicException`: where Python
    /// code called Rust code that panicked. Here it is an exception like any other; and a record's `raise` calls this,
    /// which must not unwind.)
    #[allow(deprecated, reason = "what came instead of it is not in Python 3.10")]
    fn take(py: Python<'_>) -> Option<PyErr> {
        let (mut class, mut value, mut traceback) = (null_mut(), null_mut(), null_mut());
        // SAFETY: attached; each of the three is owned by us afterwards, or null.
        let (value, _class, traceback) = unsafe {
            ffi::PyErr_Fetch(&mut class, &mut value, &mut traceback);
            ffi::PyErr_NormalizeException(&mut class, &mut value, &mut traceback);
            (
                Bound::from_owned_ptr_or_opt(py, value),
                Bound::from_owned_ptr_or_opt(py, class),
                Bound::from_owned_ptr_or_opt(py, traceback),
            )
        };
        let value = value?;
        if let Some(traceback) = traceback {
            // SAFETY: an exception, normalized above, and its own traceback.
            unsafe { ffi::PyException_SetTraceback(value.as_ptr(), traceback.as_ptr()) };
        }
        Some(PyErr::from_value(value))
    }

    fn built_in(py: Python<'_>, class: &str, message: String) -> PyErr {
        let found = py.import("builtins").and_then(|builtins| builtins.getattr(class)).ok();
        match found.as_ref().map(|found| found.cast::<PyType>()) {
            Some(Ok(found)) if found.is_subclass_of::<PyException>().unwrap_or(false) => {
                // Some classes want more than a text (UnicodeDecodeError).
                match found.call1((&message,)) {
                    Ok(exception) => PyErr::from_value(exception),
                    Err(_) => PyRuntimeError::new_err(format!("{class}: {message}")),
                }
            }
            _ => PyRuntimeError::new_err(format!("{class}: {message}")),
        }
    }
}
