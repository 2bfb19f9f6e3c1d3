//! The callback record in a `PyCapsule`: the hand-over between extension modules built apart.

use std::ffi::CStr;

use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyCapsuleMethods};

use crate::abi::CallbackRecord;
use crate::raw::Shared;

/// The name of the capsule; the version is part of it.
pub const CAPSULE_NAME: &CStr = c"ringback.callback.v1";

/// Puts a record into a capsule, which releases it unless a consumer moves it out.
///
/// # Errors
/// If Python is out of memory; the record is then released.
///
/// # Safety
/// The record follows the specification, and nobody else releases it.
pub unsafe fn to_capsule<'py>(py: Python<'py>, record: CallbackRecord) -> PyResult<Bound<'py, PyAny>> {
    let record = Box::into_raw(Box::new(record));
    // SAFETY: a valid pointer, a static name, and a destructor that frees just what was allocated above.
    unsafe {
        let capsule = ffi::PyCapsule_New(record.cast(), CAPSULE_NAME.as_ptr(), Some(destroy));
        if capsule.is_null() {
            release(record);
        }
        Bound::from_owned_ptr_or_err(py, capsule)
    }
}

unsafe extern "C" fn destroy(capsule: *mut ffi::PyObject) {
    // SAFETY: only called on capsules made by `to_capsule`, once.
    unsafe {
        // If somebody renamed the capsule, better a leak than a guess. (`PyCapsule_GetPointer` alone would set an
        // exception then, and a destructor may run while another one is on its way.)
        if ffi::PyCapsule_IsValid(capsule, CAPSULE_NAME.as_ptr()) != 0 {
            release(ffi::PyCapsule_GetPointer(capsule, CAPSULE_NAME.as_ptr()).cast());
        }
    }
}

/// # Safety
/// `record` came from `Box::into_raw` and is not used again.
unsafe fn release(record: *mut CallbackRecord) {
    // SAFETY: the caller's promise; a record whose `release` is null was moved out.
    unsafe {
        let mut record = Box::from_raw(record);
        if let Some(release) = record.release {
            release(&mut *record);
        }
    }
}

/// The name of an object's class, which a metaclass may have made unreadable.
pub(super) fn type_name(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or("unknown".to_owned(), |name| shorten(&name.to_string_lossy()))
}

fn shorten(text: &str) -> String {
    const SHOWN: usize = 80;
    if text.chars().count() <= SHOWN {
        text.to_owned()
    } else {
        text.chars().take(SHOWN - 3).chain("...".chars()).collect()
    }
}

/// Moves the record out of a capsule.
///
/// # Errors
/// A `TypeError` if the object is no capsule of that name, or its record cannot be used.
pub fn take(object: &Bound<'_, PyAny>) -> PyResult<Shared> {
    let Ok(capsule) = object.cast::<PyCapsule>() else {
        return Err(PyTypeError::new_err(format!(
            "__ringback_callback__ must return a PyCapsule named {CAPSULE_NAME:?}, found an object of type {}",
            type_name(object)
        )));
    };
    let pointer = capsule.pointer_checked(Some(CAPSULE_NAME)).map_err(|_| {
        // SAFETY: only read here and now, while the capsule is borrowed.
        let name = capsule.name().ok().flatten().map(|name| shorten(&unsafe { name.as_cstr() }.to_string_lossy()));
        let name = name.map_or("nothing".to_owned(), |name| format!("{name:?}"));
        PyTypeError::new_err(format!(
            "expected a PyCapsule named {CAPSULE_NAME:?}, found one named {name}: its producer speaks another \
             protocol, or another version of this one"
        ))
    })?;
    // SAFETY: a capsule of this name holds a record that follows the specification; the GIL keeps others
    // from moving it at the same time.
    unsafe { Shared::take(pointer.as_ptr().cast()) }.map_err(|error| PyTypeError::new_err(error.to_string()))
}
