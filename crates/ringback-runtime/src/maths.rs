//! The functions of `math` for which Numba has its own: as the C library's, and defined where that leaves it open.

use core::ffi::c_int;

unsafe extern "C" {
    fn frexp(value: f64, exponent: *mut c_int) -> f64;
    fn ldexp(value: f64, exponent: c_int) -> f64;
}

/// `math.frexp`: mantissa and exponent; the exponent of zero, infinity and NaN is 0.
///
/// # Safety
/// `exponent` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn numba_frexp(value: f64, exponent: *mut c_int) -> f64 {
    // SAFETY: the caller's promise.
    unsafe {
        if value == 0.0 || !value.is_finite() {
            *exponent = 0;
            return value;
        }
        frexp(value, exponent)
    }
}

/// `math.ldexp`: the value times a power of two.
#[unsafe(no_mangle)]
pub extern "C" fn numba_ldexp(value: f64, exponent: c_int) -> f64 {
    // SAFETY: a function of numbers.
    unsafe { ldexp(value, exponent) }
}
