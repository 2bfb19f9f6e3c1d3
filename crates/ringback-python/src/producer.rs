//! The producer side of the callback record, for code that the Python package compiled.
//!
//! Addresses come in as integers, from the package's own modules beside the installed Numba: that is the one
//! promise which nothing here can check. All else is checked or owned.

use std::collections::{HashMap, HashSet};
use std::ffi::{CString, c_char, c_int, c_void};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use ringback::abi::{ABI_VERSION, CallbackRecord, RawView};
use ringback::python::to_capsule;
use ringback::raw::{Shared, write_text};
use ringback::{Params, Ret};

use crate::errors::{Errors, Garbage, Hooks, drain, later};
use crate::signature::Signature;

mod rebound;
pub(crate) use rebound::{Rebindable, Rebound};

/// Compiled code for one signature and one list of bound slots. Lives as long as any callback made from it.
#[pyclass(frozen, module = "ringback._ringback")]
#[derive(Debug)]
pub struct Code(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    signature: ringback::signature::Signature,
    text: CString,
    slots: Vec<Slot>,
    entry: usize,
    /// The block form, or 0.
    block: usize,
    hooks: Arc<Hooks>,
    /// One line for each exception that the code can raise, by the bytes of its pickle.
    describe: HashMap<Vec<u8>, String>,
    /// What the code needs: never looked at, kept alive.
    _owner: Py<PyAny>,
}

/// A bound leaf.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Slot {
    Bool,
    Int(u8),
    Unsigned(u8),
    F32,
    F64,
    C64,
    C128,
    Array(usize),
    Function,
    /// An address that the code only passes on or calls, and the object that keeps it valid.
    Address,
}

impl Slot {
    fn parse(name: &str) -> Option<Slot> {
        Some(match name {
            "bool" => Slot::Bool,
            "i8" | "i16" | "i32" | "i64" => Slot::Int(name[1..].parse().ok()?),
            "u8" | "u16" | "u32" | "u64" => Slot::Unsigned(name[1..].parse().ok()?),
            "f32" => Slot::F32,
            "f64" => Slot::F64,
            "c64" => Slot::C64,
            "c128" => Slot::C128,
            "function" => Slot::Function,
            "address" => Slot::Address,
            _ => Slot::Array(name.strip_prefix("array")?.parse().ok().filter(|n| (1..=4).contains(n))?),
        })
    }
}

#[pymethods]
impl Code {
    #[new]
    #[pyo3(signature = (signature, slots, entry, errors, describe, owner, block=0))]
    fn new(
        signature: &Signature,
        slots: Vec<String>,
        entry: usize,
        errors: &Errors,
        describe: HashMap<Vec<u8>, String>,
        owner: Py<PyAny>,
        block: usize,
    ) -> PyResult<Self> {
        if entry == 0 {
            return Err(PyValueError::new_err("the entry point is null"));
        }
        let slots = slots
            .iter()
            .map(|name| Slot::parse(name).ok_or_else(|| PyValueError::new_err(format!("no slot kind: {name:?}"))))
            .collect::<PyResult<_>>()?;
        Ok(Code(Arc::new(Compiled {
            text: CString::new(signature.0.to_string())?,
            signature: signature.0.clone(),
            slots,
            entry,
            block,
            hooks: Arc::clone(&errors.0),
            describe,
            _owner: owner,
        })))
    }

    /// The signature of callbacks made from this code.
    #[getter]
    fn signature(&self) -> Signature {
        Signature(self.0.signature.clone())
    }

    /// How many slots bound data have.
    #[getter]
    fn slot_count(&self) -> usize {
        self.0.slots.len()
    }
}

/// Code together with the data bound to it: what a callback record is made of.
#[allow(clippy::vec_box, reason = "`env` points into the boxes, which must not move when the vector grows")]
#[derive(Debug)]
pub(crate) struct Produced {
    code: Arc<Compiled>,
    /// 8 bytes a slot: the scalar itself, or a pointer into `_parts`, `_views` or `functions`.
    env: Box<[u64]>,
    _parts: Vec<Box<[f64; 2]>>,
    _views: Vec<Box<RawView<8>>>,
    /// Callbacks that are called: entry and bound data, and who owns these.
    functions: Vec<(Box<[usize; 2]>, Arc<Produced>)>,
    /// The arrays that the views point into, and what keeps addresses valid.
    _owners: Vec<Py<PyAny>>,
}

// SAFETY: the pointers inside lead to boxes that are owned here and not written after construction, and to the
// memory of arrays that are kept alive here.
unsafe impl Send for Produced {}
// SAFETY: as above.
unsafe impl Sync for Produced {}

/// A compiled function with its bound data; `ringback.Callback` derives from it.
#[pyclass(frozen, subclass, weakref, module = "ringback._ringback", name = "Callback")]
#[derive(Debug)]
pub struct Callback {
    /// The handle of `f64(f64)`, made when it is first asked for. Dropped before `bound`, which then is the last owner.
    scalar: OnceLock<Scalar>,
    bound: Arc<Produced>,
    code: Py<Code>,
}

/// The handle on a function of one number.
pub(crate) type Scalar = ringback::Callback<(f64,), f64>;

#[pymethods]
impl Callback {
    #[new]
    fn new(code: Bound<'_, Code>, values: &Bound<'_, PyTuple>) -> PyResult<Self> {
        drain(code.py())?;
        let compiled = Arc::clone(&code.get().0);
        if values.len() != compiled.slots.len() {
            return Err(PyTypeError::new_err(format!(
                "{} bound values expected, found {}",
                compiled.slots.len(),
                values.len()
            )));
        }
        let mut bound = Produced {
            env: vec![0; compiled.slots.len().max(1)].into_boxed_slice(),
            _parts: Vec::new(),
            _views: Vec::new(),
            functions: Vec::new(),
            _owners: Vec::new(),
            code: compiled,
        };
        let code_ref = Arc::clone(&bound.code);
        for (i, (slot, value)) in code_ref.slots.iter().zip(values.iter()).enumerate() {
            bound.env[i] = bound.fill(*slot, &value)?;
        }
        Ok(Callback { scalar: OnceLock::new(), bound: Arc::new(bound), code: code.unbind() })
    }

    /// The signature of the callback; bound parameters are not part of it.
    #[getter]
    fn signature(&self) -> Signature {
        Signature(self.bound.code.signature.clone())
    }

    /// The code, which other callbacks with other bound data may share.
    #[getter]
    fn code(&self, py: Python<'_>) -> Py<Code> {
        self.code.clone_ref(py)
    }

    /// Address of the code, by Ringback's calling convention.
    #[getter]
    fn entry(&self) -> usize {
        self.bound.code.entry
    }

    /// Address of the bound data.
    #[getter]
    fn env(&self) -> usize {
        self.bound.env.as_ptr() as usize
    }

    /// A capsule with the callback record, if its signature is the requested one. The record then says what was
    /// requested, byte for byte: names of lengths do not decide, and a consumer need not know the grammar.
    #[pyo3(signature = (signature=None))]
    fn __ringback_callback__<'py>(&self, py: Python<'py>, signature: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        let code = &self.bound.code;
        let mut requested_text = None;
        if let Some(text) = signature
            && text.as_bytes() != code.text.to_bytes()
        {
            let requested: ringback::signature::Signature =
                text.parse().map_err(|e| PyTypeError::new_err(format!("the requested signature {text:?}: {e}")))?;
            requested.matches(&code.signature).map_err(|e| PyTypeError::new_err(e.to_string()))?;
            requested_text = Some(CString::new(text)?);
        }
        let record = record_of(&self.bound, requested_text, None);
        // SAFETY: the record is complete, and owns what it points to through `private_data`.
        unsafe { to_capsule(py, record) }
    }

    /// Raises what a failed native call left, and consumes it.
    fn _raise(&self, py: Python<'_>, status: i32, error: usize) -> PyErr {
        if error == 0 {
            return PyErr::from(ringback::Error::bridge(format!(
                "the callback failed with status {status} and did not say why"
            )));
        }
        self.bound.code.hooks.restore(py, error)
    }
}

/// What one record owns.
struct Share {
    bound: Arc<Produced>,
    /// The text that the record shows, where it is not the code's own.
    _requested: Option<CString>,
    /// The slots, where they are not those of `bound`.
    _env: Option<Arc<[AtomicU64]>>,
}

/// A new record: the consumer's share of the code and of the bound data; the signature text and the slots if they are
/// others.
fn record_of(bound: &Arc<Produced>, requested: Option<CString>, env: Option<Arc<[AtomicU64]>>) -> CallbackRecord {
    let code = &bound.code;
    let signature = requested.as_ref().unwrap_or(&code.text).as_ptr();
    // The slots stay where they are when the share moves.
    let slots = env.as_ref().map_or(bound.env.as_ptr().cast::<c_void>(), |env| env.as_ptr().cast());
    let share = Box::new(Share { bound: Arc::clone(bound), _requested: requested, _env: env });
    CallbackRecord {
        abi_version: ABI_VERSION,
        size: size_of::<CallbackRecord>() as u32,
        signature,
        entry: code.entry as *const c_void,
        block: code.block as *const c_void,
        env: slots,
        raise: Some(raise),
        describe: Some(describe),
        discard: Some(discard),
        release: Some(release),
        private_data: Box::into_raw(share).cast(),
    }
}

/// The typed handle: the record without the capsule round it.
fn handle_of<P: Params, R: Ret>(
    bound: &Arc<Produced>,
    env: Option<Arc<[AtomicU64]>>,
) -> PyResult<ringback::Callback<P, R>> {
    let mut record = record_of(bound, None, env);
    // SAFETY: the record is complete, and nobody else has it.
    let shared = unsafe { Shared::take(&mut record) }.map_err(|e| PyTypeError::new_err(e.to_string()))?;
    ringback::Callback::from_shared(shared, ringback::Callback::<P, R>::signature())
        .map_err(|e| PyTypeError::new_err(e.to_string()))
}

impl Callback {
    /// The handle on a function of one number: made once, since a short integral takes little longer than to make it.
    pub(crate) fn scalar(&self) -> PyResult<&Scalar> {
        if let Some(known) = self.scalar.get() {
            return Ok(known);
        }
        let made = self.handle()?;
        Ok(self.scalar.get_or_init(|| made))
    }

    /// The typed handle, for engines in this very module.
    pub(crate) fn handle<P: Params, R: Ret>(&self) -> PyResult<ringback::Callback<P, R>> {
        handle_of(&self.bound, None)
    }
}

impl Drop for Produced {
    /// Callbacks that are called go one after the other: a chain of them may be longer than the stack is deep.
    fn drop(&mut self) {
        let mut left = std::mem::take(&mut self.functions);
        while let Some((_, called)) = left.pop() {
            if let Some(mut last) = Arc::into_inner(called) {
                left.append(&mut last.functions);
            }
        }
    }
}

impl Produced {
    fn fill(&mut self, slot: Slot, value: &Bound<'_, PyAny>) -> PyResult<u64> {
        Ok(match slot {
            Slot::Bool => u64::from(value.is_truthy()?),
            // Slots are little-endian words on all platforms that Numba supports: the low bytes come first.
            Slot::Int(bits) => {
                let number: i64 = value.extract()?;
                let unused = 64 - u32::from(bits);
                if number << unused >> unused != number {
                    return Err(PyValueError::new_err(format!("{number} does not fit into i{bits}")));
                }
                number as u64
            }
            Slot::Unsigned(bits) => {
                let number: u64 = value.extract()?;
                let unused = 64 - u32::from(bits);
                if number << unused >> unused != number {
                    return Err(PyValueError::new_err(format!("{number} does not fit into u{bits}")));
                }
                number
            }
            Slot::F32 => u64::from((value.extract::<f64>()? as f32).to_bits()),
            Slot::F64 => value.extract::<f64>()?.to_bits(),
            Slot::C64 | Slot::C128 => {
                let re: f64 = value.getattr("real")?.extract()?;
                let im: f64 = value.getattr("imag")?.extract()?;
                let parts = match slot {
                    Slot::C128 => [re, im],
                    _ => {
                        let both = u64::from((re as f32).to_bits()) | u64::from((im as f32).to_bits()) << 32;
                        [f64::from_bits(both), 0.0]
                    }
                };
                let parts = Box::new(parts);
                let address = (&raw const *parts) as u64;
                self._parts.push(parts);
                address
            }
            Slot::Function => {
                let called = value.cast::<Callback>()?.get();
                let both = Box::new([called.entry(), called.env()]);
                let address = (&raw const *both) as u64;
                self.functions.push((both, Arc::clone(&called.bound)));
                address
            }
            Slot::Address => {
                let (address, owner): (u64, Py<PyAny>) = value.extract()?;
                self._owners.push(owner);
                address
            }
            Slot::Array(rank) => {
                let (owner, data, shape, strides): (Py<PyAny>, usize, Vec<isize>, Vec<isize>) = value.extract()?;
                if shape.len() != rank || strides.len() != rank {
                    return Err(PyTypeError::new_err(format!(
                        "an array of {rank} dimensions expected, found shape {shape:?}"
                    )));
                }
                // One buffer for every rank: `shape` and `strides` follow each other at once.
                let mut view = Box::new(RawView::<8> { data: data as *mut c_void, shape: [0; 8], strides: [0; 8] });
                view.shape[..rank].copy_from_slice(&shape);
                view.shape[rank..2 * rank].copy_from_slice(&strides);
                let address = (&raw const *view) as u64;
                self._views.push(view);
                self._owners.push(owner);
                address
            }
        })
    }

    /// The text of an exception by its pickle: of the code itself, or of a callback that it calls, each asked once.
    fn text(&self, pickle: &[u8]) -> Option<&String> {
        let mut left = vec![self];
        let mut seen = HashSet::new();
        while let Some(next) = left.pop() {
            if let Some(text) = next.code.describe.get(pickle) {
                return Some(text);
            }
            let called = next.functions.iter().map(|(_, called)| &**called);
            left.extend(called.filter(|called| seen.insert(std::ptr::from_ref::<Produced>(called))));
        }
        None
    }

    /// # Safety
    /// `record` was made by `Callback::__ringback_callback__` and is not released.
    unsafe fn of<'a>(record: *const CallbackRecord) -> &'a Produced {
        // SAFETY: `private_data` owns a share until `release`.
        unsafe { &(*(*record).private_data.cast::<Share>()).bound }
    }
}

unsafe extern "C" fn release(record: *mut CallbackRecord) {
    // SAFETY: called once, with a record of ours.
    let share = unsafe {
        (*record).release = None;
        Box::from_raw((*record).private_data.cast::<Share>())
    };
    // Arrays may go with the last reference, and whether this thread holds the GIL is known to nobody here.
    if let Some(last) = Arc::into_inner(share.bound) {
        later(Garbage::Data(last));
    }
}

unsafe extern "C" fn raise(record: *const CallbackRecord, error: *mut c_void) {
    // SAFETY: a record of ours; the consumer holds the GIL.
    let (bound, py) = unsafe { (Produced::of(record), Python::assume_attached()) };
    bound.code.hooks.restore(py, error as usize).restore(py);
}

unsafe extern "C" fn describe(
    record: *const CallbackRecord,
    error: *const c_void,
    buffer: *mut c_char,
    size: usize,
) -> usize {
    // SAFETY: a record of ours, an error of its code that is not consumed, and the consumer's buffer.
    unsafe {
        let produced = Produced::of(record);
        let text = match produced.code.hooks.excinfo {
            None => None,
            Some((data, length, _)) => {
                let pickle = error.byte_add(data).cast::<*const u8>().read_unaligned();
                let length = error.byte_add(length).cast::<i32>().read_unaligned();
                if pickle.is_null() {
                    return write_text("an exception raised by the callback", buffer, size);
                }
                produced.text(std::slice::from_raw_parts(pickle, length.max(0) as usize))
            }
        };
        write_text(text.map_or("an exception raised by the callback", String::as_str), buffer, size)
    }
}

unsafe extern "C" fn discard(record: *const CallbackRecord, error: *mut c_void) {
    // SAFETY: a record of ours and an error of its code.
    unsafe {
        let hooks = &Produced::of(record).code.hooks;
        if let Some((_, _, dynamic)) = hooks.excinfo
            && error.byte_add(dynamic).cast::<i32>().read_unaligned() <= 0
        {
            // A constant of the code: nothing was allocated for it.
            return;
        }
        hooks.discard_later(error as usize);
    }
}

/// Asks the interpreter to run `work` on its main thread, which raises what `work` fails with; false if there is no interpreter
/// or too much to do.
pub(crate) fn schedule(work: fn(Python<'_>) -> PyResult<()>) -> bool {
    extern "C" fn pending(work: *mut c_void) -> c_int {
        // SAFETY: `work` is the function below, and pending calls run with the GIL held.
        unsafe {
            let work = std::mem::transmute::<*mut c_void, fn(Python<'_>) -> PyResult<()>>(work);
            // Attached to in PyO3's own books too, so that references are dropped at once.
            Python::attach(|py| work(py).map_err(|raised| raised.restore(py)).map_or(-1, |()| 0))
        }
    }
    // SAFETY: both may be called from any thread without the GIL.
    unsafe { ffi::Py_IsInitialized() != 0 && ffi::Py_AddPendingCall(Some(pending), work as *mut c_void) == 0 }
}
