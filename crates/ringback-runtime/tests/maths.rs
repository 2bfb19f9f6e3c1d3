//! `frexp` and `ldexp` as Python's `math` has them.

use ringback_runtime::maths::{numba_frexp, numba_ldexp};

fn frexp(value: f64) -> (f64, i32) {
    let mut exponent = 77;
    // SAFETY: the exponent is ours.
    let mantissa = unsafe { numba_frexp(value, &mut exponent) };
    (mantissa, exponent)
}

#[test]
fn mantissa_and_exponent() {
    assert_eq!(frexp(8.0), (0.5, 4));
    assert_eq!(frexp(-3.0), (-0.75, 2));
    assert_eq!(frexp(0.0), (0.0, 0));
    assert_eq!(frexp(f64::INFINITY), (f64::INFINITY, 0));
    assert_eq!(frexp(f64::NAN).1, 0);
    assert_eq!(frexp(5e-324), (0.5, -1073));
    assert_eq!(numba_ldexp(0.75, 3), 6.0);
    assert_eq!(numba_ldexp(1.0, 2000), f64::INFINITY);
    assert_eq!(numba_ldexp(0.0, 5), 0.0);
}
