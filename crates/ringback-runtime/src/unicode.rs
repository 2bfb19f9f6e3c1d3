//! The texts that an exception was raised with and that were made at run time.

use core::ffi::{c_char, c_int, c_void};
use core::sync::atomic::Ordering::AcqRel;

use crate::memory::{MemInfo, NRT_Allocate, NRT_MemInfo_call_dtor};

/// For `PyUnicode_FromKindAndData`: UTF-8 of a text whose characters have `kind` bytes (1, 2 or 4) each. What would end
/// the line, or the text, becomes a space; what is no character becomes U+FFFD.
///
/// # Safety
/// `data` has `length` characters of `kind` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringback_text_unicode(kind: c_int, data: *const c_void, length: isize) -> *mut c_char {
    let length = length.max(0) as usize;
    // SAFETY: by the caller's promise, of characters before the end; a character takes at most 4 bytes.
    unsafe {
        let text = NRT_Allocate(4 * length + 1).cast::<u8>();
        if text.is_null() {
            return text.cast();
        }
        let mut end = text;
        for i in 0..length {
            let code = match kind {
                1 => u32::from(*data.cast::<u8>().add(i)),
                2 => u32::from(*data.cast::<u16>().add(i)),
                _ => *data.cast::<u32>().add(i),
            };
            let character = match char::from_u32(code) {
                Some('\0' | '\n') => ' ',
                Some(character) => character,
                None => char::REPLACEMENT_CHARACTER,
            };
            end = write(end, character as u32);
        }
        end.write(0);
        text.cast()
    }
}

/// Writes a character, and gives the place behind it.
///
/// # Safety
/// There is room for 4 bytes.
unsafe fn write(place: *mut u8, code: u32) -> *mut u8 {
    let byte = |shift: u32| 0x80 | (code >> shift & 0x3F) as u8;
    let (bytes, count) = match code {
        0..=0x7F => ([code as u8, 0, 0, 0], 1),
        0x80..=0x7FF => ([0xC0 | (code >> 6) as u8, byte(0), 0, 0], 2),
        0x800..=0xFFFF => ([0xE0 | (code >> 12) as u8, byte(6), byte(0), 0], 3),
        _ => ([0xF0 | (code >> 18) as u8, byte(12), byte(6), byte(0)], 4),
    };
    // SAFETY: the caller's promise.
    unsafe {
        place.cast::<[u8; 4]>().write_unaligned(bytes);
        place.add(count)
    }
}

/// For `PyObject_Hash`, which Numba calls so that the hash is kept in the object.
#[unsafe(no_mangle)]
pub extern "C" fn ringback_text_hash(_text: *mut c_char) -> isize {
    0
}

/// For `NRT_decref`, where an error gives back what it was raised with: only when it is discarded.
///
/// # Safety
/// `info` is null, or the error has a reference to it, which it loses if `release` is not 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringback_text_release(info: *mut MemInfo, release: c_int) {
    // SAFETY: the caller's promise; who takes the last reference destroys.
    unsafe {
        if release != 0 && !info.is_null() && (*info).references.fetch_sub(1, AcqRel) == 1 {
            NRT_MemInfo_call_dtor(info);
        }
    }
}
