//! Numba's linear algebra by the routines of a BLAS and LAPACK library, called as Fortran's.
//!
//! The export writes tables of their addresses, `ringback_blas_*`, each with an entry for each of the kinds `s`, `d`, `c`,
//! `z` (or for some of them): so a library may name its routines as it likes. What an export does not need is null there.
//!
//! - Whole numbers are passed in 64 bits whose upper half is zero, so that a library with numbers of 32 bits reads the same
//!   from them as one of 64 bits. Where a routine writes whole numbers there is room for 64 bits each.
//! - Lengths of texts follow the arguments, as compilers of Fortran pass them.
//! - Complex inner products are products with a matrix of one column: how a complex number is returned is not agreed upon.
//!
//! This is behind the feature `linear` because who links it has to have the tables.

use core::ffi::c_void;

pub mod lapack;
mod work;

/// A whole number, by its address.
pub(crate) type Whole = *const i64;
/// Numbers of the kind at hand.
pub(crate) type Numbers = *mut c_void;
/// A letter, by its address.
pub(crate) type Letter = *const u8;
/// The length of a letter.
pub(crate) const ONE: usize = 1;
/// A step of one element.
const STEP: Whole = &1;

type Dot<T> = unsafe extern "C" fn(Whole, Numbers, Whole, Numbers, Whole) -> T;
type Norm<T> = unsafe extern "C" fn(Whole, Numbers, Whole) -> T;
type Gemv =
    unsafe extern "C" fn(Letter, Whole, Whole, Numbers, Numbers, Whole, Numbers, Whole, Numbers, Numbers, Whole, usize);
type Gemm = unsafe extern "C" fn(
    Letter,
    Letter,
    Whole,
    Whole,
    Whole,
    Numbers,
    Numbers,
    Whole,
    Numbers,
    Whole,
    Numbers,
    Numbers,
    Whole,
    usize,
    usize,
);

unsafe extern "C" {
    static ringback_blas_sdot: [Option<Dot<f32>>; 1];
    static ringback_blas_ddot: [Option<Dot<f64>>; 1];
    static ringback_blas_snrm2: [Option<Norm<f32>>; 2];
    static ringback_blas_dnrm2: [Option<Norm<f64>>; 2];
    static ringback_blas_gemv: [Option<Gemv>; 4];
    static ringback_blas_gemm: [Option<Gemm>; 4];
    fn abort() -> !;
}

/// The routine for a kind of numbers. In a table of four `s`, `d` are the first two and `c`, `z` the last two; one of two is for
/// either pair.
pub(crate) fn routine<F: Copy>(table: &[Option<F>], kind: u8) -> Option<F> {
    let second = usize::from(matches!(kind, b'd' | b'z'));
    let complex = usize::from(matches!(kind, b'c' | b'z'));
    *table.get((second + 2 * complex) % table.len().max(1))?
}

/// A routine of BLAS, where nothing can be said of its not being there. The export sees to it that it is.
fn needed<F: Copy>(table: &[Option<F>], kind: u8) -> F {
    // SAFETY: it takes nothing.
    routine(table, kind).unwrap_or_else(|| unsafe { abort() })
}

/// At least 1, as BLAS asks of the distance between columns also where there is nothing.
pub(crate) fn distance(columns: isize) -> i64 {
    if columns < 1 { 1 } else { columns as i64 }
}

/// The inner product of two vectors; of the first's conjugate if `conjugate` is not zero.
///
/// # Safety
/// `x` and `y` have `n` numbers of the kind, `result` has room for one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringback_xxdot(
    kind: u8,
    conjugate: u8,
    n: isize,
    x: Numbers,
    y: Numbers,
    result: *mut c_void,
) {
    let length = n as i64;
    // SAFETY: the caller's promise. With a `beta` of zero the result is only written to.
    unsafe {
        match kind {
            b's' => *result.cast() = needed(&ringback_blas_sdot, kind)(&length, x, STEP, y, STEP),
            b'd' => *result.cast() = needed(&ringback_blas_ddot, kind)(&length, x, STEP, y, STEP),
            _ if n < 1 => result.cast::<u8>().write_bytes(0, if kind == b'c' { 8 } else { 16 }),
            _ => {
                let letter = if conjugate == 0 { b't' } else { b'c' };
                let (single, double) = ([1f32, 0.0, 0.0, 0.0], [1f64, 0.0, 0.0, 0.0]);
                let (alpha, beta) = if kind == b'c' {
                    (single.as_ptr().cast(), single.as_ptr().add(2).cast())
                } else {
                    (double.as_ptr().cast::<c_void>(), double.as_ptr().add(2).cast::<c_void>())
                };
                needed(&ringback_blas_gemv, kind)(
                    &letter,
                    &length,
                    STEP,
                    alpha.cast_mut(),
                    x,
                    &length,
                    y,
                    STEP,
                    beta.cast_mut(),
                    result,
                    STEP,
                    ONE,
                );
            }
        }
    }
}

/// A matrix times a vector: `y = alpha * a * x + beta * y`.
///
/// # Safety
/// The numbers are of the kind, and as many as the lengths say.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "Numba's own")]
pub unsafe extern "C" fn ringback_xxgemv(
    kind: u8,
    letter: u8,
    m: isize,
    n: isize,
    alpha: Numbers,
    a: Numbers,
    lda: isize,
    x: Numbers,
    beta: Numbers,
    y: Numbers,
) {
    let (m, n, lda) = (m as i64, n as i64, distance(lda));
    // SAFETY: the caller's promise.
    unsafe {
        needed(&ringback_blas_gemv, kind)(&letter, &m, &n, alpha, a, &lda, x, STEP, beta, y, STEP, ONE);
    }
}

/// A matrix times a matrix: `c = alpha * a * b + beta * c`.
///
/// # Safety
/// The numbers are of the kind, and as many as the lengths say.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "Numba's own")]
pub unsafe extern "C" fn ringback_xxgemm(
    kind: u8,
    letter_a: u8,
    letter_b: u8,
    m: isize,
    n: isize,
    k: isize,
    alpha: Numbers,
    a: Numbers,
    lda: isize,
    b: Numbers,
    ldb: isize,
    beta: Numbers,
    c: Numbers,
    ldc: isize,
) {
    let (lda, ldb, ldc) = (distance(lda), distance(ldb), distance(ldc));
    let (m, n, k) = (m as i64, n as i64, k as i64);
    // SAFETY: the caller's promise.
    unsafe {
        needed(&ringback_blas_gemm, kind)(
            &letter_a, &letter_b, &m, &n, &k, alpha, a, &lda, b, &ldb, beta, c, &ldc, ONE, ONE,
        );
    }
}

/// The root of the sum of the squares of absolute values.
///
/// # Safety
/// There are `n` numbers of the kind, `step` apart; `result` has room for a real one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ringback_xxnrm2(kind: u8, n: isize, x: Numbers, step: isize, result: *mut c_void) {
    let (n, step) = (n as i64, step as i64);
    // SAFETY: the caller's promise.
    unsafe {
        // These tables go by what is summed, which is not what their kinds are elsewhere.
        let [single, single_complex] = ringback_blas_snrm2;
        let [double, double_complex] = ringback_blas_dnrm2;
        match kind {
            b's' => *result.cast() = needed(&[single], kind)(&n, x, &step),
            b'c' => *result.cast() = needed(&[single_complex], kind)(&n, x, &step),
            b'd' => *result.cast() = needed(&[double], kind)(&n, x, &step),
            _ => *result.cast() = needed(&[double_complex], kind)(&n, x, &step),
        }
    }
}
