//! NumPy arrays as operands and results of a sweep: read by strides, in their own types, and never copied.
//!
//! Addresses come in as integers, from the package's own modules, which take them from the arrays that they pass along:
//! the same promise as in `producer.rs`. All else is checked or owned.

use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

/// What an element is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Bool,
    Int(u8),
    Unsigned(u8),
    F32,
    F64,
    C64,
    C128,
}

impl Kind {
    fn parse(name: &str) -> Option<Kind> {
        Some(match name {
            "bool" => Kind::Bool,
            "i8" | "i16" | "i32" | "i64" => Kind::Int(name[1..].parse().ok()?),
            "u8" | "u16" | "u32" | "u64" => Kind::Unsigned(name[1..].parse().ok()?),
            "f32" => Kind::F32,
            "f64" => Kind::F64,
            "c64" => Kind::C64,
            "c128" => Kind::C128,
            _ => return None,
        })
    }

    fn size(self) -> usize {
        match self {
            Kind::Bool => 1,
            Kind::Int(bits) | Kind::Unsigned(bits) => usize::from(bits / 8),
            Kind::F32 => 4,
            Kind::F64 | Kind::C64 => 8,
            Kind::C128 => 16,
        }
    }
}

/// What all operands are broadcast to.
#[derive(Debug)]
pub(crate) struct Shape(Box<[usize]>);

impl Shape {
    pub(crate) fn new(lengths: Vec<usize>) -> PyResult<Self> {
        let size = lengths.iter().try_fold(1_usize, |size, n| size.checked_mul(*n));
        match size {
            Some(size) if isize::try_from(size).is_ok() => Ok(Shape(lengths.into_boxed_slice())),
            _ => Err(PyValueError::new_err("there are more problems than can be counted")),
        }
    }

    pub(crate) fn size(&self) -> usize {
        self.0.iter().product()
    }

    pub(crate) fn rank(&self) -> usize {
        self.0.len()
    }

    /// The place of the element that has this index in C order.
    #[inline]
    pub(crate) fn place(&self, mut index: usize, at: &mut [usize]) {
        for (at, length) in at.iter_mut().zip(&self.0).rev() {
            // The first axis needs no division, and one axis is the usual case.
            if index < *length {
                *at = index;
                index = 0;
            } else {
                *at = index % length;
                index /= length;
            }
        }
    }
}

/// As Python passes it: the array that owns the memory, the address of its first element, kind, strides in bytes.
pub(crate) type Passed = (Py<PyAny>, usize, String, Vec<isize>);

/// An array broadcast to a shape, to be read.
#[derive(Debug)]
pub(crate) struct Operand {
    data: *const u8,
    kind: Kind,
    shape: Box<[usize]>,
    strides: Box<[isize]>,
    _owner: Py<PyAny>,
}

// SAFETY: memory that is kept alive here, and only read.
unsafe impl Send for Operand {}
// SAFETY: as above.
unsafe impl Sync for Operand {}

impl Operand {
    pub(crate) fn new((owner, data, kind, strides): Passed, shape: &Shape) -> PyResult<Self> {
        let kind = Kind::parse(&kind).ok_or_else(|| PyTypeError::new_err(format!("no kind of number: {kind:?}")))?;
        if strides.len() != shape.rank() {
            return Err(PyTypeError::new_err("as many strides as axes expected"));
        }
        Ok(Operand { data: data as *const u8, kind, shape: shape.0.clone(), strides: strides.into(), _owner: owner })
    }

    /// The bytes of the element at a place, with zeros behind them.
    #[inline]
    pub(crate) fn words(&self, at: &[usize]) -> [u64; 2] {
        assert!(at.len() == self.shape.len() && at.iter().zip(&self.shape).all(|(at, length)| at < length));
        let offset: isize = at.iter().zip(&self.strides).map(|(at, stride)| *at as isize * stride).sum();
        // SAFETY: the place is inside the array, whose memory `_owner` keeps; an element has at most 16 bytes.
        unsafe {
            let from = self.data.offset(offset);
            // Whole words are loaded as such: put together from bytes, they would be waited for.
            match self.kind.size() {
                8 => [from.cast::<u64>().read_unaligned(), 0],
                4 => [from.cast::<u32>().read_unaligned().into(), 0],
                size => {
                    let mut words = [0_u64; 2];
                    words.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(from, size);
                    words
                }
            }
        }
    }

    /// The element at a place as a real number; the real part of a complex one.
    #[inline]
    pub(crate) fn real(&self, at: &[usize]) -> f64 {
        let word = self.words(at)[0];
        match self.kind {
            Kind::F64 | Kind::C128 => f64::from_bits(word),
            Kind::F32 | Kind::C64 => f64::from(f32::from_bits(word as u32)),
            Kind::Bool => f64::from(u8::from(word != 0)),
            Kind::Unsigned(_) => word as f64,
            Kind::Int(bits) => {
                let unused = 64 - u32::from(bits);
                ((word << unused) as i64 >> unused) as f64
            }
        }
    }
}

/// A C-contiguous array of 8-byte numbers, to be written.
#[derive(Debug)]
pub(crate) struct Column {
    data: *const AtomicU64,
    length: usize,
    _owner: Py<PyAny>,
}

// SAFETY: memory that is kept alive here, and only written through atomics.
unsafe impl Send for Column {}
// SAFETY: as above.
unsafe impl Sync for Column {}

impl Column {
    pub(crate) fn new((owner, data): (Py<PyAny>, usize), length: usize) -> PyResult<Self> {
        if data % align_of::<AtomicU64>() != 0 || data == 0 {
            return Err(PyValueError::new_err("an aligned array expected for results"));
        }
        Ok(Column { data: data as *const AtomicU64, length, _owner: owner })
    }

    #[inline]
    pub(crate) fn set(&self, index: usize, word: u64) {
        assert!(index < self.length);
        // SAFETY: inside the array; it was allocated for just this.
        unsafe { &*self.data.add(index) }.store(word, Ordering::Relaxed);
    }
}
