//! Ownership of a callback record, and of what a Rust closure needs to look like one.

use std::ffi::{CString, c_char, c_void};
use std::mem::MaybeUninit;
use std::sync::Arc;

use crate::abi::{ABI_VERSION, CallbackRecord, RECORD_SIZE};
use crate::error::Error;
use crate::signature::MAX_TEXT;

/// A record that was moved to us: released once, when the last handle goes.
#[derive(Debug)]
pub struct Shared {
    record: CallbackRecord,
    /// Made by this very build of the crate, so that its errors are [`Error`]s.
    local: bool,
    /// What the code lies in, where the record itself does not own it; dropped after the record was released.
    #[cfg(feature = "loader")]
    _library: Option<Arc<dyn std::any::Any + Send + Sync>>,
}

// SAFETY: the record's contract: code and env may be used from any thread at once, errors may be described
// and discarded and the record released on any thread, without the GIL.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(release) = self.record.release {
            // SAFETY: we own the record, and this is the one time it is released.
            unsafe { release(&mut self.record) }
        }
    }
}

impl Shared {
    /// Takes a record over, after checking what can be checked of it.
    ///
    /// # Safety
    /// `record` points to a record that follows the specification, or at least to memory as large as its
    /// first two fields say; nobody else uses it after this succeeded (its `release` is nulled).
    pub unsafe fn take(record: *mut CallbackRecord) -> Result<Self, RecordError> {
        if record.is_null() || !record.is_aligned() {
            return Err(RecordError(format!(
                "there is no callback record at the address {record:p}: it is null or not a multiple of {}",
                align_of::<CallbackRecord>()
            )));
        }
        // SAFETY: the first two fields are the same in every version.
        let (version, size) = unsafe { ((*record).abi_version, (*record).size) };
        if version != ABI_VERSION {
            return Err(RecordError(format!(
                "the callback record has version {version}, this library reads version {ABI_VERSION}: \
                 update the older of the two packages"
            )));
        }
        if (size as usize) < RECORD_SIZE {
            return Err(RecordError(format!(
                "the callback record says it has {size} bytes, version {ABI_VERSION} has {RECORD_SIZE}"
            )));
        }
        // Fields that were appended since this producer was built are zero, those that it knows and we do not are left.
        let mut whole = MaybeUninit::<CallbackRecord>::zeroed();
        let known = size_of::<CallbackRecord>().min(size as usize);
        // SAFETY: the size says that so many bytes are there; zero is a value of every field.
        let mut taken = unsafe {
            whole.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(record.cast::<u8>(), known);
            whole.assume_init()
        };
        taken.size = size_of::<CallbackRecord>() as u32;
        let missing = [
            (taken.release.is_none(), "it was given away or released already"),
            (taken.entry.is_null(), "it has no entry point"),
            (taken.signature.is_null(), "it has no signature"),
            (taken.describe.is_none() || taken.discard.is_none(), "it cannot describe or discard errors"),
        ];
        if let Some((_, why)) = missing.iter().find(|(missing, _)| *missing) {
            return Err(RecordError(format!("the callback record cannot be used: {why}")));
        }
        // SAFETY: we own it now; the place it came from must not release it again.
        unsafe { (*record).release = None };
        Ok(Shared {
            record: taken,
            local: false,
            #[cfg(feature = "loader")]
            _library: None,
        })
    }

    /// Keeps something alive as long as the record: the library that its code lies in.
    #[cfg(feature = "loader")]
    pub(crate) fn keeping(mut self, library: Arc<dyn std::any::Any + Send + Sync>) -> Self {
        self._library = Some(library);
        self
    }

    /// Makes a record for a Rust closure.
    ///
    /// # Safety
    /// `entry` is a function of the calling convention for `signature` whose last argument is the address
    /// of `owner`, and whose errors are `Error::into_raw`.
    pub(crate) unsafe fn local<T: Send + Sync + 'static>(signature: &str, entry: *const c_void, owner: Arc<T>) -> Self {
        let env: *const c_void = Arc::as_ptr(&owner).cast();
        let signature = CString::new(signature).unwrap_or_default();
        let text = signature.as_ptr();
        let owner: Box<Owner> = Box::new(Owner { _closure: owner, _signature: signature });
        Shared {
            record: CallbackRecord {
                abi_version: ABI_VERSION,
                size: size_of::<CallbackRecord>() as u32,
                signature: text,
                entry,
                block: std::ptr::null(),
                env,
                raise: raise_local(),
                describe: Some(describe_local),
                discard: Some(discard_local),
                release: Some(release_local),
                private_data: Box::into_raw(owner).cast(),
            },
            local: true,
            #[cfg(feature = "loader")]
            _library: None,
        }
    }

    /// Code, its block form or null, and bound data.
    pub fn parts(&self) -> (*const c_void, *const c_void, *const c_void) {
        (self.record.entry, self.record.block, self.record.env)
    }

    /// The record itself, for whoever shares it.
    #[cfg(feature = "pyo3")]
    pub(crate) fn record(&self) -> &CallbackRecord {
        &self.record
    }

    /// The signature text, if it is text.
    pub fn signature(&self) -> Result<&str, RecordError> {
        // SAFETY: not null (checked by `take`), NUL-terminated and alive by the record's contract. Where the NUL was
        // forgotten, reading stops at the greatest length that a signature may have.
        let length = (0..=MAX_TEXT).find(|&i| unsafe { *self.record.signature.add(i) } == 0).ok_or_else(|| {
            RecordError(format!(
                "the signature of the callback record does not end: a signature has at most {MAX_TEXT} bytes"
            ))
        })?;
        // SAFETY: these bytes were read just now; the record owns them as long as `self` lives.
        let text = unsafe { std::slice::from_raw_parts(self.record.signature.cast::<u8>(), length) };
        std::str::from_utf8(text).map_err(|e| {
            let shown = String::from_utf8_lossy(&text[..length.min(80)]);
            RecordError(format!(
                "the signature of the callback record is not UTF-8 at byte {}: {shown:?}",
                e.valid_up_to()
            ))
        })
    }

    /// What a failed call left.
    #[cold]
    #[inline(never)]
    pub(crate) fn failed(self: &Arc<Self>, status: i32, error: *mut c_void) -> Error {
        if self.local && !error.is_null() {
            // SAFETY: our own trampoline made it with `into_raw`, and this is its only reader.
            return unsafe { Error::from_raw(error) };
        }
        Error::foreign(status, Arc::clone(self), error)
    }

    /// What a failed call from outside of this crate left.
    ///
    /// # Safety
    /// `error` is null, or was left by this record's code, is not consumed, and is not used again.
    pub unsafe fn error(self: &Arc<Self>, status: i32, error: *mut c_void) -> Error {
        self.failed(status, error)
    }

    /// # Safety
    /// `error` was left by this record's code and is not consumed.
    pub(crate) unsafe fn discard(&self, error: *mut c_void) {
        if let Some(discard) = self.record.discard {
            // SAFETY: the caller's promise.
            unsafe { discard(&self.record, error) }
        }
    }

    /// # Safety
    /// `error` was left by this record's code and is not consumed.
    pub(crate) unsafe fn describe(&self, error: *const c_void) -> Option<String> {
        let describe = self.record.describe?;
        let mut buffer = vec![0u8; 512];
        loop {
            // SAFETY: the caller's promise, and a buffer of the size said.
            let length = unsafe { describe(&self.record, error, buffer.as_mut_ptr().cast(), buffer.len()) };
            if length < buffer.len() || buffer.len() > 1 << 16 {
                buffer.truncate(length.min(buffer.len() - 1));
                return Some(String::from_utf8_lossy(&buffer).into_owned());
            }
            buffer.resize(length.min(1 << 16) + 1, 0);
        }
    }

    /// # Safety
    /// The GIL is held; `error` was left by this record's code and is not consumed.
    #[cfg(feature = "pyo3")]
    pub(crate) unsafe fn raise(&self, error: *mut c_void) {
        match self.record.raise {
            // SAFETY: the caller's promise.
            Some(raise) => unsafe { raise(&self.record, error) },
            None => {
                // SAFETY: not consumed yet: described, then discarded.
                let text = unsafe { self.describe(error) }.unwrap_or_default();
                // SAFETY: as above.
                unsafe { self.discard(error) };
                let error = Error::raised("RuntimeError", text);
                // SAFETY: the GIL is held.
                let py = unsafe { pyo3::Python::assume_attached() };
                pyo3::PyErr::from(error).restore(py);
            }
        }
    }
}

/// A record that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError(pub String);

impl std::fmt::Display for RecordError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for RecordError {}

/// What `private_data` of a local record owns.
struct Owner {
    _closure: Arc<dyn std::any::Any + Send + Sync>,
    _signature: CString,
}

unsafe extern "C" fn release_local(record: *mut CallbackRecord) {
    // SAFETY: called once, with a record made by `Shared::local`.
    unsafe {
        (*record).release = None;
        drop(Box::from_raw((*record).private_data.cast::<Owner>()));
    }
}

unsafe extern "C" fn discard_local(_: *const CallbackRecord, error: *mut c_void) {
    // SAFETY: an error of a local record, consumed here.
    drop(unsafe { Error::from_raw(error) });
}

unsafe extern "C" fn describe_local(
    _: *const CallbackRecord,
    error: *const c_void,
    buffer: *mut c_char,
    size: usize,
) -> usize {
    // SAFETY: an error of a local record, and the consumer's buffer.
    unsafe { Error::describe_raw(error, buffer, size) }
}

type Raise = Option<unsafe extern "C" fn(*const CallbackRecord, *mut c_void)>;

#[cfg(feature = "pyo3")]
fn raise_local() -> Raise {
    unsafe extern "C" fn raise(_: *const CallbackRecord, error: *mut c_void) {
        // SAFETY: an error of a local record, consumed here; the consumer holds the GIL.
        let (error, py) = unsafe { (Error::from_raw(error), pyo3::Python::assume_attached()) };
        pyo3::PyErr::from(error).restore(py);
    }
    Some(raise)
}

#[cfg(not(feature = "pyo3"))]
fn raise_local() -> Raise {
    None
}

/// Writes text and a NUL into a foreign buffer, cut to its size; returns the length of the whole text.
///
/// # Safety
/// `buffer` has `size` writable bytes (it may be null if `size` is 0).
pub unsafe fn write_text(text: &str, buffer: *mut c_char, size: usize) -> usize {
    if size > 0 {
        let mut n = text.len().min(size - 1);
        while !text.is_char_boundary(n) {
            n -= 1;
        }
        // SAFETY: n + 1 <= size.
        unsafe {
            buffer.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), n);
            buffer.add(n).write(0);
        }
    }
    text.len()
}
