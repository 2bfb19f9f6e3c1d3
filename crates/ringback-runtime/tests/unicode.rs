//! Texts of every width become UTF-8, and an error gives back what it holds once, when it is discarded.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::null_mut;
use std::sync::atomic::Ordering::Relaxed;

use ringback_runtime::memory::{MemInfo, NRT_Allocate, NRT_Free, NRT_MemInfo_alloc, NRT_MemInfo_call_dtor};
use ringback_runtime::record::{Excinfo, ringback_describe, ringback_discard};
use ringback_runtime::text::ringback_text_tuple;
use ringback_runtime::unicode::{ringback_text_hash, ringback_text_release, ringback_text_unicode};

fn text<T>(kind: c_int, characters: &[T]) -> String {
    // SAFETY: as many characters as are said; the text is ours, and freed.
    unsafe {
        let text = ringback_text_unicode(kind, characters.as_ptr().cast(), characters.len() as isize);
        let copy = CStr::from_ptr(text).to_str().map(str::to_owned);
        NRT_Free(text.cast());
        copy.expect("UTF-8")
    }
}

#[test]
fn characters_of_every_width() {
    assert_eq!(text(1, b"plain"), "plain");
    assert_eq!(text(1, b"gr\xF6\xDFer"), "größer");
    assert_eq!(text::<u8>(1, &[]), "");
    assert_eq!(text(2, &"aß€\u{FFFF}".encode_utf16().collect::<Vec<_>>()), "aß€\u{FFFF}");
    assert_eq!(text(4, &"a🙂\u{10FFFF}".chars().collect::<Vec<_>>()), "a🙂\u{10FFFF}");
}

#[test]
fn what_no_line_may_have_is_replaced() {
    assert_eq!(text(1, b"two\nlines\0end"), "two lines end");
    assert_eq!(text(2, &[0xD800u16, 0x61]), "\u{FFFD}a");
    assert_eq!(text(4, &[0x11_0000u32, 0xFFFF_FFFF]), "\u{FFFD}\u{FFFD}");
    assert_eq!(ringback_text_hash(null_mut()), 0);
}

/// As an export writes it for an error with one text, whose memory is counted.
unsafe extern "C" fn one_text(arguments: *mut c_void, release: c_int) -> *mut *mut c_char {
    // SAFETY: the test passes a counted text of two characters.
    unsafe {
        let info = *arguments.cast::<*mut MemInfo>();
        let item = ringback_text_unicode(1, (*info).data, 2);
        ringback_text_release(info, release);
        ringback_text_tuple(1, &item)
    }
}

#[test]
fn an_error_gives_back_its_text_when_it_is_discarded() {
    // SAFETY: memory is filled before it is read, and each is freed once.
    unsafe {
        let info = NRT_MemInfo_alloc(2);
        (*info).data.cast::<[u8; 2]>().write(*b"no");
        // A reference for the test, beside that of the error.
        (*info).references.fetch_add(1, Relaxed);
        let arguments = NRT_Allocate(8);
        arguments.cast::<*mut MemInfo>().write(info);
        let error = NRT_Allocate(size_of::<Excinfo>()).cast::<Excinfo>();
        let text = c"ValueError: \x01 (in f, m.py:3)".as_ptr();
        error.write(Excinfo { text, size: 0, arguments, texts: Some(one_text), count: 1 });
        let mut buffer = [0u8; 100];
        for _ in 0..2 {
            ringback_describe(null_mut(), error, buffer.as_mut_ptr().cast(), buffer.len());
            assert_eq!(CStr::from_bytes_until_nul(&buffer), Ok(c"ValueError: no (in f, m.py:3)"));
            assert_eq!((*info).references.load(Relaxed), 2);
        }
        ringback_discard(null_mut(), error);
        assert_eq!((*info).references.load(Relaxed), 1);
        NRT_MemInfo_call_dtor(info);
        ringback_text_release(null_mut(), 1);
    }
}
