//! A Rust handle as a Python object: whoever takes callbacks takes it, in this extension module or in another.

use std::ffi::{CString, c_char, c_void};
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use super::capsule::to_capsule;
use crate::abi::{CallbackRecord, Ret};
use crate::callback::{Callback, Params};
use crate::raw::Shared;
use crate::signature::Signature;

/// A callback that Rust offers to Python. It has no Python function to show: pass it to what takes callbacks.
#[pyclass(frozen, module = "ringback", name = "RustCallback")]
#[derive(Debug)]
pub struct Offered {
    shared: Arc<Shared>,
    /// Canonical.
    signature: String,
}

impl Offered {
    pub(super) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }
}

#[pymethods]
impl Offered {
    /// Canonical text of the signature.
    #[getter]
    fn signature(&self) -> &str {
        &self.signature
    }

    fn __repr__(&self) -> String {
        format!("<ringback callback from Rust: {}>", self.signature)
    }

    /// The callback record in a capsule, if it has the requested signature; the record then says what was requested,
    /// byte for byte.
    #[pyo3(signature = (signature=None))]
    fn __ringback_callback__<'py>(&self, py: Python<'py>, signature: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        if let Some(text) = signature {
            let requested: Signature =
                text.parse().map_err(|e| PyTypeError::new_err(format!("the requested signature {text:?}: {e}")))?;
            let own: Signature = self.signature.parse().map_err(|e| PyTypeError::new_err(format!("{e}")))?;
            requested.matches(&own).map_err(|e| PyTypeError::new_err(e.to_string()))?;
        }
        let text = CString::new(signature.unwrap_or(&self.signature))?;
        // SAFETY: the record is complete, and owns its share through `private_data`.
        unsafe { to_capsule(py, share(&self.shared, text)) }
    }
}

impl<'py, P: Params, R: Ret> IntoPyObject<'py> for Callback<P, R> {
    type Target = Offered;
    type Output = Bound<'py, Offered>;
    type Error = PyErr;
    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        let shared = self.into_shared();
        let signature = shared.signature().map_err(|e| PyTypeError::new_err(e.to_string()))?.to_owned();
        Bound::new(py, Offered { shared, signature })
    }
}

/// A record that was taken, as an object that offers it again.
pub fn offer(py: Python<'_>, shared: Arc<Shared>) -> PyResult<Bound<'_, PyAny>> {
    let signature = shared.signature().map_err(|e| PyTypeError::new_err(e.to_string()))?.to_owned();
    Ok(Bound::new(py, Offered { shared, signature })?.into_any())
}

/// What `private_data` of a shared record owns.
struct Share {
    shared: Arc<Shared>,
    _signature: CString,
}

/// A record that shares another: its functions are those of the first, called with the first.
fn share(shared: &Arc<Shared>, signature: CString) -> CallbackRecord {
    let first = shared.record();
    let text = signature.as_ptr();
    let share = Box::new(Share { shared: Arc::clone(shared), _signature: signature });
    CallbackRecord {
        // The copy is what this crate knows of the record, however long the first one is.
        abi_version: crate::abi::ABI_VERSION,
        size: size_of::<CallbackRecord>() as u32,
        signature: text,
        raise: first.raise.map(|_| raise as _),
        describe: Some(describe),
        discard: Some(discard),
        release: Some(release),
        private_data: Box::into_raw(share).cast(),
        ..*first
    }
}

/// # Safety
/// `record` was made by `share` and is not released.
unsafe fn first<'a>(record: *const CallbackRecord) -> &'a CallbackRecord {
    // SAFETY: `private_data` owns a share until `release`.
    unsafe { (*(*record).private_data.cast::<Share>()).shared.record() }
}

unsafe extern "C" fn raise(record: *const CallbackRecord, error: *mut c_void) {
    // SAFETY: the consumer's promises are those that the first record asks for.
    unsafe {
        let first = first(record);
        if let Some(raise) = first.raise {
            raise(first, error);
        }
    }
}

unsafe extern "C" fn describe(
    record: *const CallbackRecord,
    error: *const c_void,
    buffer: *mut c_char,
    size: usize,
) -> usize {
    // SAFETY: as in `raise`.
    unsafe {
        let first = first(record);
        first.describe.map_or(0, |describe| describe(first, error, buffer, size))
    }
}

unsafe extern "C" fn discard(record: *const CallbackRecord, error: *mut c_void) {
    // SAFETY: as in `raise`.
    unsafe {
        let first = first(record);
        if let Some(discard) = first.discard {
            discard(first, error);
        }
    }
}

unsafe extern "C" fn release(record: *mut CallbackRecord) {
    // SAFETY: called once, with a record made by `share`.
    unsafe {
        (*record).release = None;
        drop(Box::from_raw((*record).private_data.cast::<Share>()));
    }
}
