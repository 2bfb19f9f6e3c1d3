//! What the callback records of an exported library do with errors.

use core::ffi::{c_char, c_int, c_void};

use crate::memory::NRT_Free;
use crate::text::Output;

/// Stands in the text of an error for an argument that is known only at run time.
pub const PLACEHOLDER: u8 = 1;

/// Numba's `excinfo`, which the export fills otherwise: with a text where Numba has a pickle, and a function that makes
/// texts of the arguments, again at each call, where Numba's makes Python objects, once.
#[derive(Debug)]
#[repr(C)]
pub struct Excinfo {
    /// UTF-8 with a NUL behind it; [`PLACEHOLDER`] where an argument goes.
    pub text: *const c_char,
    /// Of no concern here.
    pub size: i32,
    /// The arguments, from `NRT_Allocate`, if there are any.
    pub arguments: *mut c_void,
    /// The texts of the arguments; if its second argument is not 0, it also gives back what the arguments hold.
    pub texts: Option<unsafe extern "C" fn(*mut c_void, c_int) -> *mut *mut c_char>,
    /// How many arguments there are. If there are none, the whole is a constant.
    pub count: i32,
}

/// A record's `describe`.
///
/// # Safety
/// `error` was left by code of this library, and is not discarded; `buffer` has `size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringback_describe(
    _record: *const c_void,
    error: *const Excinfo,
    buffer: *mut c_char,
    size: usize,
) -> usize {
    // SAFETY: the caller's promise; a constant of the library, or what its code filled.
    unsafe {
        let mut output = Output::new(buffer, size);
        let mut texts = core::ptr::null_mut();
        if (*error).count > 0
            && let Some(make) = (*error).texts
        {
            texts = make((*error).arguments, 0);
        }
        let mut next = texts;
        let mut at = (*error).text;
        while *at != 0 {
            if *at as u8 != PLACEHOLDER {
                output.push(*at as u8);
            } else if next.is_null() || (*next).is_null() {
                output.push(b'?');
            } else {
                output.text(*next);
                next = next.add(1);
            }
            at = at.add(1);
        }
        free_texts(texts);
        output.end()
    }
}

/// # Safety
/// `texts` is null, or was made by a function that makes texts, and is not used again.
unsafe fn free_texts(texts: *mut *mut c_char) {
    // SAFETY: the caller's promise: each has its own memory, and null is behind the last.
    unsafe {
        if !texts.is_null() {
            let mut text = texts;
            while !(*text).is_null() {
                NRT_Free((*text).cast());
                text = text.add(1);
            }
            NRT_Free(texts.cast());
        }
    }
}

/// A record's `discard`.
///
/// # Safety
/// `error` was left by code of this library, and is not discarded.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringback_discard(_record: *const c_void, error: *mut Excinfo) {
    // SAFETY: the caller's promise: with arguments, the code allocated both.
    unsafe {
        if (*error).count > 0 {
            if let Some(make) = (*error).texts {
                free_texts(make((*error).arguments, 1));
            }
            NRT_Free((*error).arguments);
            NRT_Free(error.cast());
        }
    }
}

/// The part of a callback record that is written to.
#[derive(Debug)]
#[repr(C)]
pub struct Released {
    _before: [usize; 8],
    release: *const c_void,
}

/// A record's `release`: the library's code and data go when the library is unloaded.
///
/// # Safety
/// `record` is a callback record.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringback_release(record: *mut Released) {
    // SAFETY: the caller's promise.
    unsafe { (*record).release = core::ptr::null() };
}
