//! Plain products of vectors and matrices, for exports without a BLAS library: called as BLAS's own routines are.
//!
//! Matrices lie in Fortran's order. A product of matrices is made of tiles of a few rows that stay in registers; the
//! order of its sums differs from that of other libraries, and so do last digits.

use core::ffi::c_void;

/// Rows of a tile.
const ROWS: usize = 16;
/// As many columns of the left matrix are taken together: with the rows of a tile they stay in the first cache.
const DEPTH: usize = 64;
/// Sums of an inner product that are made side by side.
const LANES: usize = 8;

unsafe extern "C" {
    fn sqrt(value: f64) -> f64;
}

/// What the elements of matrices can do.
trait Number: Copy {
    const ZERO: Self;
    fn plus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    fn conjugate(self) -> Self;
}

macro_rules! real {
    ($($t:ty),*) => {$(
        impl Number for $t {
            const ZERO: Self = 0.0;
            fn plus(self, other: Self) -> Self {
                self + other
            }
            fn times(self, other: Self) -> Self {
                self * other
            }
            fn conjugate(self) -> Self {
                self
            }
        }
    )*};
}
real!(f32, f64);

#[derive(Clone, Copy)]
#[repr(C)]
struct Complex<T> {
    re: T,
    im: T,
}

macro_rules! complex {
    ($($t:ty),*) => {$(
        impl Number for Complex<$t> {
            const ZERO: Self = Complex { re: 0.0, im: 0.0 };
            fn plus(self, other: Self) -> Self {
                Complex { re: self.re + other.re, im: self.im + other.im }
            }
            fn times(self, other: Self) -> Self {
                Complex {
                    re: self.re * other.re - self.im * other.im,
                    im: self.re * other.im + self.im * other.re,
                }
            }
            fn conjugate(self) -> Self {
                Complex { re: self.re, im: -self.im }
            }
        }
    )*};
}
complex!(f32, f64);

/// # Safety
/// `x` and `y` have `n` elements.
unsafe fn dot<T: Number>(n: usize, x: *const T, y: *const T, conjugate: bool) -> T {
    let mut sums = [T::ZERO; LANES];
    // SAFETY: the caller's promise; what is left after whole groups is summed by the first lane.
    unsafe {
        let element = |i: usize| if conjugate { (*x.add(i)).conjugate() } else { *x.add(i) };
        let whole = n / LANES * LANES;
        let mut i = 0;
        while i < whole {
            for (lane, sum) in sums.iter_mut().enumerate() {
                *sum = sum.plus(element(i + lane).times(*y.add(i + lane)));
            }
            i += LANES;
        }
        let mut total = T::ZERO;
        while i < n {
            total = total.plus(element(i).times(*y.add(i)));
            i += 1;
        }
        sums.iter().fold(total, |total, &sum| total.plus(sum))
    }
}

/// `beta * y`, where a `beta` of zero does not read `y`: it may have no value yet.
unsafe fn scaled<T: Number>(overwrite: bool, beta: T, y: *const T) -> T {
    // SAFETY: the caller's promise.
    if overwrite { T::ZERO } else { unsafe { beta.times(*y) } }
}

/// How a matrix is meant: as it is, transposed, or transposed and conjugated.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Plain,
    Transposed,
    Conjugated,
}

fn form(letter: u8) -> Form {
    match letter {
        b't' | b'T' => Form::Transposed,
        b'c' | b'C' => Form::Conjugated,
        _ => Form::Plain,
    }
}

/// The element `(i, j)` of a matrix that is meant in a form.
unsafe fn at<T: Number>(form: Form, a: *const T, ld: usize, i: usize, j: usize) -> T {
    // SAFETY: the caller's promise.
    unsafe {
        match form {
            Form::Plain => *a.add(i + j * ld),
            Form::Transposed => *a.add(j + i * ld),
            Form::Conjugated => (*a.add(j + i * ld)).conjugate(),
        }
    }
}

/// `y = alpha * a * x + beta * y`.
#[allow(clippy::too_many_arguments, reason = "BLAS's own")]
unsafe fn gemv<T: Number>(
    form: Form,
    m: usize,
    n: usize,
    alpha: T,
    a: *const T,
    ld: usize,
    x: *const T,
    beta: T,
    zero: bool,
    y: *mut T,
) {
    // SAFETY: the caller's promise.
    unsafe {
        if form == Form::Plain {
            for i in 0..m {
                *y.add(i) = scaled(zero, beta, y.add(i));
            }
            for j in 0..n {
                let (column, factor) = (a.add(j * ld), alpha.times(*x.add(j)));
                for i in 0..m {
                    *y.add(i) = (*y.add(i)).plus(factor.times(*column.add(i)));
                }
            }
        } else {
            for j in 0..n {
                let product = dot(m, a.add(j * ld), x, form == Form::Conjugated);
                *y.add(j) = scaled(zero, beta, y.add(j)).plus(alpha.times(product));
            }
        }
    }
}

/// `c = alpha * a * b + beta * c`, where `a` is `m` by `k`.
#[allow(clippy::too_many_arguments, reason = "BLAS's own")]
unsafe fn gemm<T: Number>(
    (form_a, form_b): (Form, Form),
    (m, n, k): (usize, usize, usize),
    alpha: T,
    (a, lda): (*const T, usize),
    (b, ldb): (*const T, usize),
    beta: T,
    zero: bool,
    (c, ldc): (*mut T, usize),
) {
    let mut packed = [[T::ZERO; ROWS]; DEPTH];
    let mut p = 0;
    while p < k || p == 0 {
        let depth = if k - p < DEPTH { k - p } else { DEPTH };
        let mut i = 0;
        while i < m {
            let rows = if m - i < ROWS { m - i } else { ROWS };
            for (q, column) in packed.iter_mut().enumerate().take(depth) {
                for (r, value) in column.iter_mut().enumerate().take(rows) {
                    // SAFETY: inside of the matrix.
                    *value = unsafe { at(form_a, a, lda, i + r, p + q) };
                }
            }
            for j in 0..n {
                let mut tile = [T::ZERO; ROWS];
                for (q, column) in packed.iter().enumerate().take(depth) {
                    // SAFETY: inside of the matrix.
                    let factor = unsafe { at(form_b, b, ldb, p + q, j) };
                    for (sum, &value) in tile.iter_mut().zip(column) {
                        *sum = sum.plus(value.times(factor));
                    }
                }
                for (r, &sum) in tile.iter().enumerate().take(rows) {
                    // SAFETY: inside of the matrix.
                    unsafe {
                        let place = c.add(i + r + j * ldc);
                        let before = if p == 0 { scaled(zero, beta, place) } else { *place };
                        *place = before.plus(alpha.times(sum));
                    }
                }
            }
            i += ROWS;
        }
        p += DEPTH;
    }
}

/// The root of the sum of squares; where that would overflow or lose digits, of numbers divided by the largest.
unsafe fn norm(n: usize, element: impl Fn(usize) -> f64) -> f64 {
    let squares = |scale: f64| {
        let mut sums = [0.0f64; LANES];
        for i in 0..n {
            let value = element(i) / scale;
            // SAFETY: the remainder is less than the length.
            unsafe { *sums.as_mut_ptr().add(i % LANES) += value * value };
        }
        sums.iter().sum::<f64>()
    };
    let plain = squares(1.0);
    // SAFETY: a function of numbers.
    let root = |value: f64| unsafe { sqrt(value) };
    if plain.is_nan() || (plain > 1e-270 && plain < f64::INFINITY) {
        return root(plain);
    }
    let largest = (0..n).fold(0.0f64, |largest, i| {
        let size = element(i).abs();
        if size > largest { size } else { largest }
    });
    if largest == 0.0 || largest.is_infinite() { largest } else { largest * root(squares(largest)) }
}

macro_rules! routines {
    ($t:ty: $gemv:ident, $gemm:ident) => {
        /// BLAS's routine of this name.
        ///
        /// # Safety
        /// As BLAS asks for, with whole numbers of 64 bits and steps of 1.
        #[unsafe(no_mangle)]
        #[allow(clippy::too_many_arguments, reason = "BLAS's own")]
        pub unsafe extern "C" fn $gemv(
            letter: *const u8,
            m: *const i64,
            n: *const i64,
            alpha: *const c_void,
            a: *const c_void,
            ld: *const i64,
            x: *const c_void,
            _: *const i64,
            beta: *const c_void,
            y: *mut c_void,
            _: *const i64,
            _: usize,
        ) {
            // SAFETY: the caller's promise.
            unsafe {
                let (beta, m, n) = (beta.cast::<$t>(), *m as usize, *n as usize);
                let (alpha, a, x) = (*alpha.cast::<$t>(), a.cast::<$t>(), x.cast::<$t>());
                gemv(form(*letter), m, n, alpha, a, *ld as usize, x, *beta, is_zero(beta), y.cast());
            }
        }

        /// BLAS's routine of this name.
        ///
        /// # Safety
        /// As BLAS asks for, with whole numbers of 64 bits.
        #[unsafe(no_mangle)]
        #[allow(clippy::too_many_arguments, reason = "BLAS's own")]
        pub unsafe extern "C" fn $gemm(
            letter_a: *const u8,
            letter_b: *const u8,
            m: *const i64,
            n: *const i64,
            k: *const i64,
            alpha: *const c_void,
            a: *const c_void,
            lda: *const i64,
            b: *const c_void,
            ldb: *const i64,
            beta: *const c_void,
            c: *mut c_void,
            ldc: *const i64,
            _: usize,
            _: usize,
        ) {
            // SAFETY: the caller's promise.
            unsafe {
                let forms = (form(*letter_a), form(*letter_b));
                let sizes = (*m as usize, *n as usize, *k as usize);
                let (a, b) = ((a.cast::<$t>(), *lda as usize), (b.cast::<$t>(), *ldb as usize));
                let (alpha, beta) = (*alpha.cast::<$t>(), beta.cast::<$t>());
                gemm(forms, sizes, alpha, a, b, *beta, is_zero(beta), (c.cast(), *ldc as usize));
            }
        }
    };
}
routines!(f32: ringback_sgemv, ringback_sgemm);
routines!(f64: ringback_dgemv, ringback_dgemm);
routines!(Complex<f32>: ringback_cgemv, ringback_cgemm);
routines!(Complex<f64>: ringback_zgemv, ringback_zgemm);

/// Whether all bytes are zero: the one `beta` for which what was there before is not read.
unsafe fn is_zero<T>(value: *const T) -> bool {
    // SAFETY: a number of any of the four kinds has no gaps.
    (0..size_of::<T>()).all(|i| unsafe { *value.cast::<u8>().add(i) } == 0)
}

macro_rules! vectors {
    ($t:ty: $dot:ident, $nrm2:ident, $complex_nrm2:ident) => {
        /// BLAS's routine of this name.
        ///
        /// # Safety
        /// As BLAS asks for, with whole numbers of 64 bits and steps of 1.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $dot(
            n: *const i64,
            x: *const c_void,
            _: *const i64,
            y: *const c_void,
            _: *const i64,
        ) -> $t {
            // SAFETY: the caller's promise.
            unsafe { dot(*n as usize, x.cast::<$t>(), y.cast::<$t>(), false) }
        }

        /// BLAS's routine of this name.
        ///
        /// # Safety
        /// As BLAS asks for, with whole numbers of 64 bits.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $nrm2(n: *const i64, x: *const c_void, step: *const i64) -> $t {
            // SAFETY: the caller's promise.
            unsafe { norm(*n as usize, |i| f64::from(*x.cast::<$t>().add(i * *step as usize))) as $t }
        }

        /// BLAS's routine of this name.
        ///
        /// # Safety
        /// As BLAS asks for, with whole numbers of 64 bits.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $complex_nrm2(n: *const i64, x: *const c_void, step: *const i64) -> $t {
            // SAFETY: the caller's promise; a complex number is its two parts.
            unsafe {
                let part = |i: usize| f64::from(*x.cast::<$t>().add(i / 2 * 2 * *step as usize + i % 2));
                norm(2 * *n as usize, part) as $t
            }
        }
    };
}
vectors!(f32: ringback_sdot, ringback_snrm2, ringback_scnrm2);
vectors!(f64: ringback_ddot, ringback_dnrm2, ringback_dznrm2);
