//! Numbers as Python's `repr` writes them, and the texts of errors.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::null_mut;

use ringback_runtime::memory::{NRT_Allocate, NRT_Free};
use ringback_runtime::record::{Excinfo, ringback_describe, ringback_discard};
use ringback_runtime::text::{
    ringback_text_bool, ringback_text_complex, ringback_text_float, ringback_text_signed, ringback_text_tuple,
    ringback_text_unsigned,
};

fn read(text: *mut c_char) -> String {
    // SAFETY: the functions under test return texts.
    unsafe {
        let read = CStr::from_ptr(text).to_str().unwrap().to_owned();
        NRT_Free(text.cast());
        read
    }
}

#[test]
fn floats_are_written_as_repr_writes_them() {
    // The right column is what CPython prints.
    let table = [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (-2.5, "-2.5"),
        (0.1, "0.1"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1.0 / 3.0, "0.3333333333333333"),
        (100.0, "100.0"),
        (123456789.125, "123456789.125"),
        (1e15, "1000000000000000.0"),
        (9007199254740993.0, "9007199254740992.0"),
        (1e16, "1e+16"),
        (1.5e16, "1.5e+16"),
        (1e22, "1e+22"),
        (1e23, "1e+23"),
        (1e-4, "0.0001"),
        (0.00012345, "0.00012345"),
        (1e-5, "1e-05"),
        (1.25e-7, "1.25e-07"),
        (5e-324, "5e-324"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (f64::NAN, "nan"),
    ];
    for (value, text) in table {
        assert_eq!(read(ringback_text_float(value)), text);
    }
}

#[test]
fn floats_read_back_as_themselves() {
    let mut state = 1u64;
    for _ in 0..2000 {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let value = f64::from_bits(state);
        if value.is_finite() {
            let text = read(ringback_text_float(value));
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits(), "{text}");
            // As short as Rust's own shortest text.
            let digits = |text: &str| {
                let mantissa = text.split(['e', 'E']).next().unwrap().trim_start_matches('-');
                mantissa.chars().filter(char::is_ascii_digit).collect::<String>().trim_matches('0').len()
            };
            assert_eq!(digits(&text), digits(&format!("{value:e}")), "{text}");
        }
    }
}

#[test]
fn other_numbers_are_written_as_repr_writes_them() {
    assert_eq!(read(ringback_text_signed(0)), "0");
    assert_eq!(read(ringback_text_signed(-10)), "-10");
    assert_eq!(read(ringback_text_signed(i64::MIN)), "-9223372036854775808");
    assert_eq!(read(ringback_text_unsigned(u64::MAX)), "18446744073709551615");
    assert_eq!(read(ringback_text_bool(0)), "False");
    assert_eq!(read(ringback_text_bool(1)), "True");
    assert_eq!(read(ringback_text_complex(1.0, -2.5)), "(1-2.5j)");
    assert_eq!(read(ringback_text_complex(0.0, 2.0)), "2j");
    assert_eq!(read(ringback_text_complex(-0.0, 2.0)), "(-0+2j)");
    assert_eq!(read(ringback_text_complex(1.5, f64::NAN)), "(1.5+nanj)");
    assert_eq!(
        read(ringback_text_complex(-f64::MAX, -f64::MAX)),
        "(-1.7976931348623157e+308-1.7976931348623157e+308j)"
    );
}

unsafe extern "C" fn two_numbers(arguments: *mut c_void, _: c_int) -> *mut *mut c_char {
    // SAFETY: the test passes a number.
    let value = unsafe { *arguments.cast::<f64>() };
    let items = [ringback_text_float(value), ringback_text_signed(7)];
    // SAFETY: two texts.
    unsafe { ringback_text_tuple(2, items.as_ptr()) }
}

fn described(error: &Excinfo, size: usize) -> (String, usize) {
    let mut buffer = vec![0x55u8; size + 1];
    // SAFETY: a buffer of `size` bytes, and one more to see that it stays.
    let length = unsafe { ringback_describe(null_mut(), error, buffer.as_mut_ptr().cast(), size) };
    assert_eq!(buffer[size], 0x55);
    (CStr::from_bytes_until_nul(&buffer).map_or(String::new(), |text| text.to_str().unwrap().to_owned()), length)
}

#[test]
fn a_constant_error_is_its_text() {
    let error = Excinfo { text: c"ValueError: naïve".as_ptr(), size: 0, arguments: null_mut(), texts: None, count: 0 };
    assert_eq!(described(&error, 100), ("ValueError: naïve".to_owned(), 18));
    // Cut between characters, never inside of one.
    assert_eq!(described(&error, 18), ("ValueError: naïv".to_owned(), 18));
    assert_eq!(described(&error, 16), ("ValueError: na".to_owned(), 18));
    assert_eq!(described(&error, 17), ("ValueError: naï".to_owned(), 18));
    assert_eq!(described(&error, 1), (String::new(), 18));
    assert_eq!(described(&error, 0).1, 18);
}

#[test]
fn values_stand_in_the_text_of_an_error_as_often_as_it_is_asked() {
    // SAFETY: memory for one number.
    let arguments = unsafe {
        let memory = NRT_Allocate(8);
        memory.cast::<f64>().write(-0.5);
        memory
    };
    // SAFETY: memory for the struct, filled at once.
    let error = unsafe {
        let memory = NRT_Allocate(size_of::<Excinfo>()).cast::<Excinfo>();
        let text = c"ValueError: start, \x01, \x01 (in f, model.py:3)".as_ptr();
        memory.write(Excinfo { text, size: 0, arguments, texts: Some(two_numbers), count: 2 });
        memory
    };
    for _ in 0..3 {
        // SAFETY: not discarded yet.
        assert_eq!(described(unsafe { &*error }, 100).0, "ValueError: start, -0.5, 7 (in f, model.py:3)");
    }
    // SAFETY: discarded once.
    unsafe { ringback_discard(null_mut(), error) };
}
