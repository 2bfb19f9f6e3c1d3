//! Memory for routines of LAPACK.

use core::ffi::c_void;

unsafe extern "C" {
    fn calloc(count: usize, size: usize) -> *mut c_void;
    fn free(memory: *mut c_void);
}

/// Memory full of zeros that is freed when this goes.
pub(crate) struct Work(*mut c_void);

impl Work {
    /// `count` elements of `size` bytes, at least one; None if there is no memory.
    pub(crate) fn new(count: usize, size: usize) -> Option<Self> {
        // SAFETY: any numbers may be asked for.
        let memory = unsafe { calloc(if count == 0 { 1 } else { count }, size) };
        if memory.is_null() { None } else { Some(Work(memory)) }
    }

    pub(crate) fn memory(&self) -> *mut c_void {
        self.0
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        // SAFETY: allocated in `new`.
        unsafe { free(self.0) }
    }
}

/// Bytes of a number of a kind.
pub(crate) fn bytes(kind: u8) -> usize {
    match kind {
        b's' => 4,
        b'd' | b'c' => 8,
        _ => 16,
    }
}

/// Bytes of a real number of a kind's precision.
pub(crate) fn real_bytes(kind: u8) -> usize {
    if matches!(kind, b's' | b'c') { 4 } else { 8 }
}

/// What a routine that is asked for the size of its memory leaves in the first element.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
pub(crate) struct Answer([u64; 2]);

impl Answer {
    pub(crate) const NONE: Answer = Answer([0; 2]);

    pub(crate) fn place(&mut self) -> *mut c_void {
        self.0.as_mut_ptr().cast()
    }

    /// The size. In single precision it may have been rounded down.
    pub(crate) fn size(&self, kind: u8) -> usize {
        let first = self.0[0];
        if matches!(kind, b's' | b'c') {
            let size = f32::from_bits(first as u32);
            (f64::from(size) * (1.0 + f64::from(f32::EPSILON))) as usize + 1
        } else {
            f64::from_bits(first) as usize
        }
    }
}

/// A whole number that a routine writes, in 32 or in 64 bits.
pub(crate) struct Written(i64);

impl Written {
    pub(crate) fn new() -> Self {
        Written(0)
    }

    pub(crate) fn place(&mut self) -> *mut i64 {
        &raw mut self.0
    }

    /// In both cases the lower half.
    pub(crate) fn value(&self) -> i32 {
        self.0 as i32
    }
}
