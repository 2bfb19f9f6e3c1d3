//! What a NumPy array says of its memory at present, without the interpreter.
//!
//! By `__array_struct__` of `numpy.ndarray` itself, a documented interface: the promise that its capsule holds such a struct is
//! NumPy's. NumPy itself relies on it.

use std::ffi::{c_char, c_int, c_void};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyCapsule, PyCapsuleMethods, PyType};

/// Views of more dimensions are passed to no compiled code.
pub(crate) const DIMENSIONS: usize = 4;

const C_CONTIGUOUS: c_int = 0x1;
const F_CONTIGUOUS: c_int = 0x2;
const ALIGNED: c_int = 0x100;
const NATIVE: c_int = 0x200;

/// `PyArrayInterface` of NumPy's documentation.
#[repr(C)]
struct Interface {
    two: c_int,
    dimensions: c_int,
    kind: c_char,
    item_size: c_int,
    flags: c_int,
    shape: *const isize,
    strides: *const isize,
    data: *const c_void,
    // Followed by a description of structured types.
}

/// Type and place of an array's elements; it keeps the array.
#[derive(Debug)]
pub(crate) struct Memory {
    array: Py<PyAny>,
    /// The letter of the kind (`f`, `i`, …) and the bytes of an element.
    pub(crate) element: (u8, usize),
    pub(crate) layout: Layout,
    dimensions: usize,
    /// The address, then lengths, then strides in bytes.
    words: [u64; 1 + 2 * DIMENSIONS],
}

/// How elements follow each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Layout {
    C,
    F,
    Any,
}

impl Memory {
    /// Of an array of numbers in the machine's byte order, aligned, with 1 to 4 dimensions; None for all else.
    ///
    /// # Errors
    /// A lack of memory.
    #[inline]
    pub(crate) fn of(value: &Bound<'_, PyAny>) -> PyResult<Option<Memory>> {
        let py = value.py();
        static ARRAY: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        // Classes derived from it may say anything.
        if !value.get_type().is(ARRAY.import(py, "numpy", "ndarray")?) {
            return Ok(None);
        }
        let Ok(capsule) = value.getattr(intern!(py, "__array_struct__"))?.cast_into::<PyCapsule>() else {
            return Ok(None);
        };
        let interface = capsule.pointer_checked(None)?.cast::<Interface>();
        // SAFETY: the capsule is alive, and what it holds is not written to.
        let interface = unsafe { interface.as_ref() };
        let dimensions = interface.dimensions as usize;
        let fits = interface.two == 2 && (1..=DIMENSIONS).contains(&dimensions);
        if !fits || interface.flags & (ALIGNED | NATIVE) != ALIGNED | NATIVE {
            return Ok(None);
        }
        let mut words = [0; 1 + 2 * DIMENSIONS];
        words[0] = interface.data as u64;
        for i in 0..dimensions {
            // SAFETY: both have as many entries as the array has dimensions.
            let (length, stride) = unsafe { (*interface.shape.add(i), *interface.strides.add(i)) };
            words[1 + i] = length as u64;
            words[1 + dimensions + i] = stride as u64;
        }
        let layout = match interface.flags {
            flags if flags & C_CONTIGUOUS != 0 => Layout::C,
            flags if flags & F_CONTIGUOUS != 0 => Layout::F,
            _ => Layout::Any,
        };
        let element = (interface.kind as u8, interface.item_size as usize);
        Ok(Some(Memory { array: value.clone().unbind(), element, layout, dimensions, words }))
    }

    /// How many dimensions it has.
    pub(crate) fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The view that compiled code is passed: the address, lengths, strides.
    #[inline]
    pub(crate) fn view(&self) -> &[u64] {
        &self.words[..1 + 2 * self.dimensions]
    }

    /// The array, which whoever keeps the view has to keep.
    pub(crate) fn into_array(self) -> Py<PyAny> {
        self.array
    }
}
