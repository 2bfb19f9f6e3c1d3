//! The functions of `math` and NumPy that Numba has its own for, at the places where they are defined by hand.

use ringback_runtime::maths::{
    numba_cpow, numba_cpowf, numba_frexp, numba_frexpf, numba_gamma, numba_gammaf, numba_ldexp, numba_ldexpf,
    numba_nextafter, numba_nextafterf,
};

fn frexp(value: f64) -> (f64, i32) {
    let mut exponent = 77;
    // SAFETY: the exponent is ours.
    let mantissa = unsafe { numba_frexp(value, &mut exponent) };
    (mantissa, exponent)
}

fn frexpf(value: f32) -> (f32, i32) {
    let mut exponent = 77;
    // SAFETY: the exponent is ours.
    let mantissa = unsafe { numba_frexpf(value, &mut exponent) };
    (mantissa, exponent)
}

fn power(base: [f64; 2], exponent: [f64; 2]) -> [f64; 2] {
    let mut result = [7.0; 2];
    // SAFETY: all three are ours.
    unsafe { numba_cpow(&base, &exponent, &mut result) };
    result
}

#[test]
fn mantissa_and_exponent() {
    assert_eq!(frexp(8.0), (0.5, 4));
    assert_eq!(frexp(-3.0), (-0.75, 2));
    assert_eq!(frexp(0.0), (0.0, 0));
    assert_eq!(frexp(f64::INFINITY), (f64::INFINITY, 0));
    assert_eq!(frexp(f64::NAN).1, 0);
    assert_eq!(frexp(5e-324), (0.5, -1073));
    assert_eq!((frexpf(-3.0), frexpf(f32::INFINITY)), ((-0.75, 2), (f32::INFINITY, 0)));
    assert_eq!(numba_ldexp(0.75, 3), 6.0);
    assert_eq!(numba_ldexp(1.0, 2000), f64::INFINITY);
    assert_eq!(numba_ldexp(0.0, 5), 0.0);
    assert_eq!(numba_ldexpf(0.75, 3), 6.0);
}

#[test]
fn gamma_and_neighbours() {
    assert_eq!((numba_gamma(5.0), numba_gammaf(5.0)), (24.0, 24.0));
    assert_eq!(numba_gamma(172.0), f64::INFINITY);
    assert_eq!(numba_nextafter(1.0, 2.0), 1.0 + f64::EPSILON);
    assert_eq!(numba_nextafterf(1.0, 2.0), 1.0 + f32::EPSILON);
    assert_eq!(numba_nextafter(0.0, -1.0), -5e-324);
}

#[test]
fn powers_of_complex_numbers() {
    assert_eq!(power([2.0, 3.0], [0.0, 0.0]), [1.0, 0.0]);
    assert_eq!(power([0.0, -0.0], [2.5, 0.0]), [0.0, 0.0]);
    assert!(power([0.0, 0.0], [-1.0, 0.0]).iter().all(|part| part.is_nan()));
    assert!(power([0.0, 0.0], [1.0, 1.0]).iter().all(|part| part.is_nan()));
    assert!(power([f64::INFINITY, 1.0], [1.0, 2.0]).iter().all(|part| part.is_nan()));
    // i**i = exp(-π/2), and (1 + i)**3 = -2 + 2i.
    let [real, imaginary] = power([0.0, 1.0], [0.0, 1.0]);
    assert!((real - (-std::f64::consts::FRAC_PI_2).exp()).abs() < 1e-16 && imaginary == 0.0);
    let [real, imaginary] = power([1.0, 1.0], [3.0, 0.0]);
    assert!((real + 2.0).abs() < 1e-14 && (imaginary - 2.0).abs() < 1e-14);
    let mut single = [7.0f32; 2];
    // SAFETY: all three are ours.
    unsafe { numba_cpowf(&[1.0, 1.0], &[3.0, 0.0], &mut single) };
    assert_eq!(single, [-2.0, 2.0]);
}
