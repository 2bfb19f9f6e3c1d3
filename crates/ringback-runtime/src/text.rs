//! The numbers that an exception was raised with, as text.
//!
//! Numba's code makes Python objects of them. At export the calls that do so become calls of the functions here, which
//! make texts: bytes with a NUL behind them, from [`NRT_Allocate`]. Null stands for no memory.

use core::ffi::{c_char, c_int};
use core::ptr::null_mut;

use crate::memory::{NRT_Allocate, NRT_Free};

unsafe extern "C" {
    fn snprintf(buffer: *mut c_char, size: usize, format: *const c_char, ...) -> c_int;
    fn strtod(text: *const c_char, end: *mut *mut c_char) -> f64;
    fn strlen(text: *const c_char) -> usize;
}

/// A text that is being written; what does not fit is cut. It has a NUL behind it.
struct Buffer {
    bytes: [u8; 96],
    length: usize,
}

impl Buffer {
    fn new() -> Self {
        Buffer { bytes: [0; 96], length: 0 }
    }

    fn push(&mut self, byte: u8) {
        if self.length + 1 < self.bytes.len() {
            // SAFETY: the index was compared just now.
            unsafe { *self.bytes.as_mut_ptr().add(self.length) = byte };
            self.length += 1;
        }
    }

    fn extend(&mut self, text: &str) {
        text.bytes().for_each(|byte| self.push(byte));
    }

    fn integer(&mut self, mut value: u64, least_digits: usize) {
        let mut reversed = [b'0'; 20];
        let mut count = 0;
        while value > 0 || count < least_digits {
            // SAFETY: a number of 64 bits has at most 20 digits, and no caller asks for more.
            unsafe { *reversed.as_mut_ptr().add(count) = b'0' + (value % 10) as u8 };
            value /= 10;
            count += 1;
        }
        // SAFETY: as many as were written.
        (0..count).rev().for_each(|i| self.push(unsafe { *reversed.as_ptr().add(i) }));
    }

    /// As `repr` writes a float; `integral` says whether a whole number gets its `.0`.
    fn float(&mut self, value: f64, integral: &str) {
        if value.is_nan() {
            return self.extend("nan");
        }
        if value.is_sign_negative() {
            self.push(b'-');
        }
        let value = value.abs();
        if value.is_infinite() {
            return self.extend("inf");
        }
        let (digits, count, exponent) = shortest(value);
        let digit = |i: i32| {
            // SAFETY: `count` digits are there, of which none is behind the end of the array.
            if i >= 0 && i < count { unsafe { *digits.as_ptr().add(i as usize) } } else { b'0' }
        };
        if (-4..0).contains(&exponent) {
            self.extend("0.");
            (exponent + 1..0).for_each(|_| self.push(b'0'));
            (0..count).for_each(|i| self.push(digit(i)));
        } else if (0..16).contains(&exponent) {
            (0..=exponent).for_each(|i| self.push(digit(i)));
            if count > exponent + 1 {
                self.push(b'.');
                (exponent + 1..count).for_each(|i| self.push(digit(i)));
            } else {
                self.extend(integral);
            }
        } else {
            self.push(digit(0));
            if count > 1 {
                self.push(b'.');
                (1..count).for_each(|i| self.push(digit(i)));
            }
            self.push(b'e');
            self.push(if exponent < 0 { b'-' } else { b'+' });
            self.integer(u64::from(exponent.unsigned_abs()), 2);
        }
    }

    fn text(&self) -> *mut c_char {
        // SAFETY: the bytes up to `length` are there, and room for them and the NUL is asked for.
        unsafe {
            let text = NRT_Allocate(self.length + 1).cast::<u8>();
            if !text.is_null() {
                text.copy_from_nonoverlapping(self.bytes.as_ptr(), self.length);
                text.add(self.length).write(0);
            }
            text.cast()
        }
    }
}

/// The fewest digits that read back as the very number, how many, and the power of ten of the first. The nearest
/// decimal of each length is tried, the shortest first; it is what `repr` shows.
fn shortest(value: f64) -> ([u8; 17], i32, i32) {
    let mut digits = [b'0'; 17];
    let mut count = 0;
    let mut exponent = 0;
    for precision in 0..17 {
        let mut buffer = [0u8; 40];
        let text = buffer.as_mut_ptr();
        // SAFETY: the buffer is longer than a number of 17 digits; the text ends with a NUL.
        unsafe {
            snprintf(text.cast(), 40, c"%.*e".as_ptr(), precision as c_int, value);
            // Digits, with whatever the locale takes for a point after the first, `e`, the sign, and the exponent.
            let mut at = text;
            count = 0;
            while *at != b'e' && *at != 0 {
                if (*at).is_ascii_digit() && count < 17 {
                    *digits.as_mut_ptr().add(count as usize) = *at;
                    count += 1;
                }
                at = at.add(1);
            }
            exponent = 0;
            let negative = *at == b'e' && *at.add(1) == b'-';
            while *at != 0 {
                if (*at).is_ascii_digit() {
                    exponent = exponent * 10 + i32::from(*at - b'0');
                }
                at = at.add(1);
            }
            if negative {
                exponent = -exponent;
            }
            if strtod(text.cast(), null_mut()) == value {
                break;
            }
        }
    }
    (digits, count, exponent)
}

/// For `PyFloat_FromDouble`.
#[unsafe(no_mangle)]
pub extern "C" fn ringback_text_float(value: f64) -> *mut c_char {
    let mut buffer = Buffer::new();
    buffer.float(value, ".0");
    buffer.text()
}

/// For `PyLong_FromLongLong` and its like.
#[unsafe(no_mangle)]
pub extern "C" fn ringback_text_signed(value: i64) -> *mut c_char {
    let mut buffer = Buffer::new();
    if value < 0 {
        buffer.push(b'-');
    }
    buffer.integer(value.unsigned_abs(), 1);
    buffer.text()
}

/// For `PyLong_FromUnsignedLongLong`.
#[unsafe(no_mangle)]
pub extern "C" fn ringback_text_unsigned(value: u64) -> *mut c_char {
    let mut buffer = Buffer::new();
    buffer.integer(value, 1);
    buffer.text()
}

/// For `PyBool_FromLong`.
#[unsafe(no_mangle)]
pub extern "C" fn ringback_text_bool(value: i64) -> *mut c_char {
    let mut buffer = Buffer::new();
    buffer.extend(if value == 0 { "False" } else { "True" });
    buffer.text()
}

/// For `PyComplex_FromDoubles`.
#[unsafe(no_mangle)]
pub extern "C" fn ringback_text_complex(real: f64, imaginary: f64) -> *mut c_char {
    let mut buffer = Buffer::new();
    if real == 0.0 && real.is_sign_positive() {
        buffer.float(imaginary, "");
        buffer.push(b'j');
    } else {
        buffer.push(b'(');
        buffer.float(real, "");
        if imaginary.is_nan() || imaginary.is_sign_positive() {
            buffer.push(b'+');
        }
        buffer.float(imaginary, "");
        buffer.extend("j)");
    }
    buffer.text()
}

/// For `PyTuple_Pack`: texts, owned, one after another, and null behind the last.
///
/// # Safety
/// `items` points to `count` texts, which this takes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringback_text_tuple(count: usize, items: *const *mut c_char) -> *mut *mut c_char {
    // SAFETY: the caller's promise, and room for one more.
    unsafe {
        let texts = NRT_Allocate((count + 1) * size_of::<*mut c_char>()).cast::<*mut c_char>();
        for i in 0..count {
            let item = *items.add(i);
            if texts.is_null() {
                NRT_Free(item.cast());
            } else {
                texts.add(i).write(item);
            }
        }
        if !texts.is_null() {
            texts.add(count).write(null_mut());
        }
        texts
    }
}

/// Writes into a foreign buffer what fits, and counts what all would have taken.
pub(crate) struct Output {
    buffer: *mut u8,
    size: usize,
    length: usize,
}

impl Output {
    /// # Safety
    /// `buffer` has `size` writable bytes as long as the output lives; it may be null if `size` is 0.
    pub(crate) unsafe fn new(buffer: *mut c_char, size: usize) -> Self {
        Output { buffer: buffer.cast(), size, length: 0 }
    }

    pub(crate) fn push(&mut self, byte: u8) {
        if self.length + 1 < self.size {
            // SAFETY: inside of the buffer, by the promise of `new`.
            unsafe { *self.buffer.add(self.length) = byte };
        }
        self.length += 1;
    }

    /// # Safety
    /// `text` is null, or ends with a NUL.
    pub(crate) unsafe fn text(&mut self, text: *const c_char) {
        if text.is_null() {
            self.push(b'?');
            return;
        }
        // SAFETY: the caller's promise.
        unsafe { (0..strlen(text)).for_each(|i| self.push(*text.add(i) as u8)) }
    }

    /// The NUL, between characters; the length of the whole text.
    pub(crate) fn end(self) -> usize {
        if self.size > 0 {
            let mut end = if self.length < self.size { self.length } else { self.size - 1 };
            // SAFETY: inside of the buffer. A byte 10xxxxxx was not written as the first of a character: where the text
            // was cut inside of one, the cut goes before it.
            unsafe {
                if self.length >= self.size {
                    let mut start = end;
                    while start > 0 && *self.buffer.add(start - 1) & 0xC0 == 0x80 {
                        start -= 1;
                    }
                    if start > 0 {
                        let lead = *self.buffer.add(start - 1);
                        let wanted = match lead {
                            0xF0..=0xFF => 4,
                            0xE0..=0xEF => 3,
                            0xC0..=0xDF => 2,
                            _ => 1,
                        };
                        if end - (start - 1) < wanted {
                            end = start - 1;
                        }
                    }
                }
                *self.buffer.add(end) = 0;
            }
        }
        self.length
    }
}
