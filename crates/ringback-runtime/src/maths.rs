//! The functions of `math` and NumPy for which Numba has its own: as the C library's, and defined where that leaves it open.

use core::ffi::c_int;

unsafe extern "C" {
    fn frexp(value: f64, exponent: *mut c_int) -> f64;
    fn frexpf(value: f32, exponent: *mut c_int) -> f32;
    fn ldexp(value: f64, exponent: c_int) -> f64;
    fn ldexpf(value: f32, exponent: c_int) -> f32;
    fn tgamma(value: f64) -> f64;
    fn tgammaf(value: f32) -> f32;
    fn nextafter(from: f64, to: f64) -> f64;
    fn nextafterf(from: f32, to: f32) -> f32;
    fn hypot(x: f64, y: f64) -> f64;
    fn atan2(y: f64, x: f64) -> f64;
    fn pow(base: f64, exponent: f64) -> f64;
    fn exp(value: f64) -> f64;
    fn log(value: f64) -> f64;
    fn sin(value: f64) -> f64;
    fn cos(value: f64) -> f64;
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

/// The same in single precision.
///
/// # Safety
/// `exponent` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn numba_frexpf(value: f32, exponent: *mut c_int) -> f32 {
    // SAFETY: the caller's promise.
    unsafe {
        if value == 0.0 || !value.is_finite() {
            *exponent = 0;
            return value;
        }
        frexpf(value, exponent)
    }
}

/// `math.ldexp`: the value times a power of two.
#[unsafe(no_mangle)]
pub extern "C" fn numba_ldexp(value: f64, exponent: c_int) -> f64 {
    // SAFETY: a function of numbers.
    unsafe { ldexp(value, exponent) }
}

/// The same in single precision.
#[unsafe(no_mangle)]
pub extern "C" fn numba_ldexpf(value: f32, exponent: c_int) -> f32 {
    // SAFETY: a function of numbers.
    unsafe { ldexpf(value, exponent) }
}

/// `math.gamma`.
#[unsafe(no_mangle)]
pub extern "C" fn numba_gamma(value: f64) -> f64 {
    // SAFETY: a function of numbers.
    unsafe { tgamma(value) }
}

/// The same in single precision.
#[unsafe(no_mangle)]
pub extern "C" fn numba_gammaf(value: f32) -> f32 {
    // SAFETY: a function of numbers.
    unsafe { tgammaf(value) }
}

/// `np.nextafter`, and what `np.spacing` is made of.
#[unsafe(no_mangle)]
pub extern "C" fn numba_nextafter(from: f64, to: f64) -> f64 {
    // SAFETY: a function of numbers.
    unsafe { nextafter(from, to) }
}

/// The same in single precision.
#[unsafe(no_mangle)]
pub extern "C" fn numba_nextafterf(from: f32, to: f32) -> f32 {
    // SAFETY: a function of numbers.
    unsafe { nextafterf(from, to) }
}

/// The power of complex numbers, as CPython's `_Py_c_pow` has it: by polar coordinates, 1 for the exponent 0, and 0 for the
/// base 0, where the exponent has a power.
fn power(base: [f64; 2], exponent: [f64; 2]) -> [f64; 2] {
    let undefined = [f64::NAN; 2];
    if exponent == [0.0, 0.0] {
        return [1.0, 0.0];
    }
    if base == [0.0, 0.0] {
        return if exponent[1] != 0.0 || exponent[0] < 0.0 { undefined } else { [0.0, 0.0] };
    }
    // SAFETY: functions of numbers.
    unsafe {
        let modulus = hypot(base[0], base[1]);
        let angle = atan2(base[1], base[0]);
        let mut length = pow(modulus, exponent[0]);
        let mut phase = angle * exponent[0];
        if exponent[1] != 0.0 {
            length /= exp(angle * exponent[1]);
            phase += exponent[1] * log(modulus);
        }
        // The C library says that an infinite angle is a domain error, which Numba takes for the one above.
        if phase.is_infinite() { undefined } else { [length * cos(phase), length * sin(phase)] }
    }
}

/// `a**b` of complex numbers.
///
/// # Safety
/// Pointers to real and imaginary parts: two to read, one to write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn numba_cpow(base: *const [f64; 2], exponent: *const [f64; 2], result: *mut [f64; 2]) {
    // SAFETY: the caller's promise.
    unsafe { *result = power(*base, *exponent) }
}

/// The same in single precision, computed in double precision.
///
/// # Safety
/// As for [`numba_cpow`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn numba_cpowf(base: *const [f32; 2], exponent: *const [f32; 2], result: *mut [f32; 2]) {
    // SAFETY: the caller's promise.
    unsafe { *result = power((*base).map(f64::from), (*exponent).map(f64::from)).map(|part| part as f32) }
}
