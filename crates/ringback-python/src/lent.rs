//! Callbacks lent to C: what a plain C function reaches through its `void *user_data`, and what becomes of an
//! exception there.
//!
//! The C functions themselves are compiled by the Python package (`adapters.py`). They read the first three fields
//! of [`Loan`], and call [`failed`] if the call fails. Their convention has no place for an exception. So it is
//! made Python's current one if the thread that called holds the GIL, and else reported by `sys.unraisablehook`.
//! Nothing here waits for the GIL.
//!
//! The C side may go on calling while an exception is current. Nothing must run then, least of all the
//! interpreter: such calls fail at once.

use std::ffi::{CString, c_char, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use pyo3::ffi;
use pyo3::prelude::*;
use ringback::raw::Shared;

use crate::errors::{Garbage, later};

/// What `user_data` points to.
#[derive(Debug)]
#[repr(C)]
struct Loan {
    entry: *const c_void,
    env: *const c_void,
    /// An exception was made current, and may still be.
    raised: AtomicBool,
    /// Keeps both alive, and knows what to do with errors.
    shared: Arc<Shared>,
    name: Arc<str>,
    /// An error is waiting to be reported; further ones are dropped until then.
    reported: Arc<AtomicBool>,
}

// SAFETY: the pointers are those of `shared`, whose contract allows calls from any thread; nothing is written
// after construction.
unsafe impl Send for Loan {}
// SAFETY: as above.
unsafe impl Sync for Loan {}

/// A callback that plain C functions call. Its address stays as long as the object lives.
#[pyclass(frozen, weakref, module = "ringback._ringback")]
#[derive(Debug)]
pub struct Lent(Box<Loan>, Option<Py<PyAny>>);

type ThreadState = unsafe extern "C" fn() -> *mut ffi::PyThreadState;

/// Python's function that gives the current thread state or null, and needs no GIL. It is no part of the stable
/// ABI, so the Python package looks it up.
static THREAD_STATE: OnceLock<ThreadState> = OnceLock::new();

#[pymethods]
impl Lent {
    /// Moves the record out of a capsule. `thread_state` is the address of `PyThreadState_GetUnchecked`, or 0
    /// where Python has none. `origin` is the callback as an object, for `callback`; it must not hold this one.
    #[new]
    #[pyo3(signature = (capsule, name, thread_state, origin=None))]
    fn new(capsule: &Bound<'_, PyAny>, name: &str, thread_state: usize, origin: Option<Py<PyAny>>) -> PyResult<Self> {
        if thread_state != 0 {
            THREAD_STATE.get_or_init(|| {
                // SAFETY: the package passes the address of that very function.
                unsafe { std::mem::transmute::<usize, ThreadState>(thread_state) }
            });
        }
        let shared = Arc::new(ringback::python::take(capsule)?);
        let (entry, _block, env) = shared.parts();
        let raised = AtomicBool::new(false);
        let loan = Loan { entry, env, raised, shared, name: name.into(), reported: Arc::default() };
        Ok(Lent(Box::new(loan), origin))
    }

    /// The callback, for those who take callbacks: to them it can report its errors.
    fn callback<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match &self.1 {
            Some(origin) => Ok(origin.bind(py).clone()),
            None => ringback::python::offer(py, Arc::clone(&self.0.shared)),
        }
    }

    /// Address of `{entry, env, raised}`, for compiled code.
    #[getter]
    fn address(&self) -> usize {
        (&raw const *self.0) as usize
    }

    /// The address as user data: a capsule that keeps this object alive.
    fn user_data<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        // SAFETY: a valid pointer and a static name; the context is a reference that the destructor drops.
        unsafe {
            let capsule = ffi::PyCapsule_New(slf.get().address() as *mut c_void, USER_DATA.as_ptr(), Some(forget));
            let capsule = Bound::from_owned_ptr_or_err(py, capsule)?;
            if ffi::PyCapsule_SetContext(capsule.as_ptr(), slf.clone().into_ptr().cast()) != 0 {
                return Err(PyErr::fetch(py));
            }
            Ok(capsule)
        }
    }

    /// Addresses of [`failed`], [`wrong_count`] and [`must_stop`].
    #[staticmethod]
    fn hooks() -> (usize, usize, usize) {
        (failed as *const () as usize, wrong_count as *const () as usize, must_stop as *const () as usize)
    }
}

/// Not the name of a callback record: whoever takes those must not take this.
const USER_DATA: &std::ffi::CStr = c"ringback.user_data.v1";

unsafe extern "C" fn forget(capsule: *mut ffi::PyObject) {
    // SAFETY: a capsule made by `user_data`; its context is null or a reference of its own. The GIL is held.
    unsafe { ffi::Py_XDECREF(ffi::PyCapsule_GetContext(capsule).cast()) }
}

/// A C function as SciPy takes it: a capsule whose name is the C signature.
///
/// The address is that of code which is never unloaded. The name is leaked: there are as many as such functions.
#[pyfunction]
pub(crate) fn c_function<'py>(py: Python<'py>, address: usize, signature: &str) -> PyResult<Bound<'py, PyAny>> {
    let name: *const c_char = CString::new(signature)?.into_raw();
    // SAFETY: the name lives for ever; there is nothing to destroy.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyCapsule_New(address as *mut c_void, name, None)) }
}

/// Takes what a failed call left. Called by compiled code, on any thread.
unsafe extern "C" fn failed(loan: *const Loan, status: i32, error: *mut c_void) {
    // SAFETY: null, or the address of a loan that its user keeps alive during the call.
    let loan = unsafe { loan.as_ref() };
    let error = match loan {
        // SAFETY: compiled code passes what the entry left in `*error`, once.
        Some(loan) => unsafe { loan.shared.error(status, error) },
        None => ringback::Error::bridge(
            "a C function made by low_level_callable was called without its user data: pass the LowLevelCallable \
             itself, not its parts",
        ),
    };
    report(loan, error);
}

/// The C side passed another number of coordinates than the function has parameters.
unsafe extern "C" fn wrong_count(loan: *const Loan, expected: i64, found: i64) {
    // SAFETY: as in `failed`.
    let loan = unsafe { loan.as_ref() };
    let name = loan.map_or("a callback", |loan| &loan.name);
    report(loan, ringback::Error::raised("TypeError", format!("{name} takes {expected} numbers, found {found}")));
}

/// Whether an exception is current in this thread, so that nothing may be called. Asked only if `raised` is set.
unsafe extern "C" fn must_stop(loan: *const Loan) -> i32 {
    // SAFETY: as in `failed`.
    let Some(loan) = (unsafe { loan.as_ref() }) else { return 0 };
    if !holds_gil() {
        return 0;
    }
    // SAFETY: this thread holds the GIL.
    let current = unsafe { !ffi::PyErr_Occurred().is_null() };
    if !current {
        loan.raised.store(false, Ordering::Relaxed);
    }
    i32::from(current)
}

fn report(loan: Option<&Loan>, error: ringback::Error) {
    if holds_gil() {
        // SAFETY: this thread holds the GIL.
        unsafe {
            let py = Python::assume_attached();
            // The first one is the one to tell; the caller may go on calling before it looks.
            if ffi::PyErr_Occurred().is_null() {
                PyErr::from(error).restore(py);
            }
            if let Some(loan) = loan {
                loan.raised.store(true, Ordering::Relaxed);
            }
        }
        return;
    }
    let (name, reported) = match loan {
        Some(loan) => (Arc::clone(&loan.name), Arc::clone(&loan.reported)),
        None => ("a C function".into(), Arc::default()),
    };
    if !reported.swap(true, Ordering::AcqRel) {
        later(Garbage::Report(error, name, reported));
    }
}

/// Whether the thread that runs this holds the GIL. (`PyGILState_Check` says yes to all once there was a
/// subinterpreter.)
fn holds_gil() -> bool {
    // SAFETY: both may be called from any thread, with or without the GIL, while there is an interpreter.
    unsafe {
        let Some(current) = THREAD_STATE.get().filter(|_| ffi::Py_IsInitialized() != 0) else { return false };
        let current = current();
        !current.is_null() && current == ffi::PyGILState_GetThisThreadState()
    }
}
