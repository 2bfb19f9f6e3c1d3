//! How routines of LAPACK are called, by routines that only look at what they are given. Whole numbers have 32 bits here; real
//! libraries, of either kind, are in `tests/test_export_blas.py`.

use std::ffi::c_void;

use ringback_runtime::linear::lapack::{
    numba_ez_gelsd, numba_ez_xxgetri, numba_fatal_error, numba_xgesv, numba_xxgetrf,
};
use ringback_runtime::linear::ringback_xxdot;

type Any = *const c_void;

const NONE: Any = std::ptr::null();

macro_rules! table {
    ($name:ident, $count:literal: [$($entry:expr),*]) => {
        #[unsafe(no_mangle)]
        #[allow(non_upper_case_globals)]
        static $name: Table<$count> = Table([$($entry),*]);
    };
}

/// Addresses of routines.
#[repr(transparent)]
struct Table<const N: usize>([Any; N]);

// SAFETY: addresses of functions and nulls, which nobody changes.
unsafe impl<const N: usize> Sync for Table<N> {}

table!(ringback_blas_sdot, 1: [NONE]);
table!(ringback_blas_ddot, 1: [NONE]);
table!(ringback_blas_snrm2, 2: [NONE, NONE]);
table!(ringback_blas_dnrm2, 2: [NONE, NONE]);
table!(ringback_blas_gemv, 4: [NONE, NONE, NONE, NONE]);
table!(ringback_blas_gemm, 4: [NONE, NONE, NONE, NONE]);
table!(ringback_blas_getrf, 4: [NONE, getrf as Any, NONE, getrf as Any]);
table!(ringback_blas_getri, 4: [NONE, getri as Any, NONE, NONE]);
table!(ringback_blas_potrf, 4: [NONE, NONE, NONE, NONE]);
table!(ringback_blas_geqrf, 4: [NONE, NONE, NONE, NONE]);
table!(ringback_blas_gqr, 4: [NONE, NONE, NONE, NONE]);
table!(ringback_blas_gesv, 4: [NONE, gesv as Any, NONE, NONE]);
table!(ringback_blas_rgeev, 2: [NONE, NONE]);
table!(ringback_blas_cgeev, 2: [NONE, NONE]);
table!(ringback_blas_syevd, 2: [NONE, NONE]);
table!(ringback_blas_heevd, 2: [NONE, NONE]);
table!(ringback_blas_rgesdd, 2: [NONE, NONE]);
table!(ringback_blas_cgesdd, 2: [NONE, NONE]);
table!(ringback_blas_rgelsd, 2: [NONE, NONE]);
table!(ringback_blas_cgelsd, 2: [gelsd as Any, NONE]);

/// The pivots are 1, 2, ...; the status is the first row of the matrix.
unsafe extern "C" fn getrf(_: *const i32, n: *const i32, a: *const f64, _: Any, pivots: *mut i32, info: *mut i32) {
    // SAFETY: the caller's numbers.
    unsafe {
        (0..*n).for_each(|i| *pivots.add(i as usize) = i + 1);
        *info = *a as i32;
    }
}

/// Wants 77 numbers, and checks that it gets them and the pivots.
unsafe extern "C" fn getri(
    n: *const i32,
    _: Any,
    _: Any,
    pivots: *const i32,
    work: *mut f64,
    size: *const i32,
    info: *mut i32,
) {
    // SAFETY: the caller's numbers.
    unsafe {
        let right = (0..*n).all(|i| *pivots.add(i as usize) == i + 1);
        *info = 0;
        if *size == -1 {
            *work = 77.0;
        } else {
            (0..*size as usize).for_each(|i| *work.add(i) = 1.0);
            *info = i32::from(!right || *size != 77);
        }
    }
}

/// Fills the pivots; the status is the first element of the right side.
unsafe extern "C" fn gesv(
    n: *const i32,
    _: Any,
    _: Any,
    _: Any,
    pivots: *mut i32,
    b: *const f64,
    ldb: *const i32,
    info: *mut i32,
) {
    // SAFETY: the caller's numbers.
    unsafe {
        (0..*n as usize).for_each(|i| *pivots.add(i) = 1);
        *info = *b as i32 + *ldb;
    }
}

/// Of single precision: wants 2²⁴ + 1 numbers, which it cannot say; 5 real and 7 whole ones. The status says what it got.
unsafe extern "C" fn gelsd(
    _: Any,
    _: Any,
    _: Any,
    _: Any,
    _: Any,
    _: Any,
    _: Any,
    _: Any,
    rcond: *const f32,
    rank: *mut i32,
    work: *mut f32,
    size: *const i32,
    reals: *mut f32,
    wholes: *mut i32,
    info: *mut i32,
) {
    // SAFETY: the caller's numbers.
    unsafe {
        *rank = 3;
        *info = 0;
        if *size == -1 {
            (*work, *reals, *wholes) = (16_777_216.0, 5.0, 7);
        } else {
            (0..5).for_each(|i| *reals.add(i) = 0.0);
            (0..7).for_each(|i| *wholes.add(i) = 0);
            *info = i32::from(*size > 16_777_216) + 2 * i32::from(*rcond == 0.5);
        }
    }
}

#[test]
fn pivots_are_passed_on() {
    let mut matrix = [0.0f64; 9];
    let mut pivots = [0i32; 3];
    // SAFETY: as many numbers as the lengths say.
    unsafe {
        assert_eq!(numba_xxgetrf(b'd', 3, 3, matrix.as_mut_ptr().cast(), 3, pivots.as_mut_ptr()), 0);
        assert_eq!(pivots, [1, 2, 3]);
        assert_eq!(numba_ez_xxgetri(b'd', 3, matrix.as_mut_ptr().cast(), 3, pivots.as_ptr()), 0);
        pivots[2] = 1;
        assert_eq!(numba_ez_xxgetri(b'd', 3, matrix.as_mut_ptr().cast(), 3, pivots.as_ptr()), 1);
        // A status of the routine's own, and an argument that it refuses.
        matrix[0] = 2.0;
        assert_eq!(numba_xxgetrf(b'd', 3, 3, matrix.as_mut_ptr().cast(), 3, pivots.as_mut_ptr()), 2);
        matrix[0] = -4.0;
        assert_eq!(numba_xxgetrf(b'd', 3, 3, matrix.as_mut_ptr().cast(), 3, pivots.as_mut_ptr()), -1);
        // No routine for this kind.
        assert_eq!(numba_xxgetrf(b's', 3, 3, matrix.as_mut_ptr().cast(), 3, pivots.as_mut_ptr()), -1);
    }
    assert_eq!(numba_fatal_error(), 0);
}

#[test]
fn distances_are_at_least_one_and_the_callers_pivots_are_left_alone() {
    let (mut a, mut b, mut pivots) = ([0.0f64; 4], [0.0f64; 2], [9i32]);
    // SAFETY: as many numbers as the lengths say.
    unsafe {
        let (a, b) = (a.as_mut_ptr().cast(), b.as_mut_ptr().cast());
        assert_eq!(numba_xgesv(b'd', 2, 1, a, 2, pivots.as_mut_ptr(), b, 2), 2);
        assert_eq!(numba_xgesv(b'd', 0, 1, a, 0, pivots.as_mut_ptr(), b, 0), 1);
    }
    assert_eq!(pivots, [9]);
}

#[test]
fn routines_get_the_memory_that_they_ask_for() {
    let mut rank = [0i32, 9];
    let nothing = std::ptr::null_mut();
    // SAFETY: the routine looks at nothing else.
    let status = unsafe { numba_ez_gelsd(b'c', 2, 2, 1, nothing, 2, nothing, 2, nothing, 0.5, rank.as_mut_ptr()) };
    assert_eq!((status, rank), (3, [3, 9]));
}

#[test]
fn an_inner_product_of_nothing_is_zero() {
    let mut result = [1.0f64, 1.0, 1.0];
    let nothing = std::ptr::null_mut();
    // SAFETY: there are no elements.
    unsafe { ringback_xxdot(b'z', 1, 0, nothing, nothing, result.as_mut_ptr().cast()) };
    assert_eq!(result, [0.0, 0.0, 1.0]);
}
