//! Numba's functions for LAPACK: memory is allocated here, at the size that the routine asks for.
//!
//! All return 0, a positive status of the routine (such as: the matrix is singular), of which Numba's code makes an exception,
//! or -1: there is no memory, or the routine refuses an argument. For the last Numba's code calls [`numba_fatal_error`] and
//! then raises an `AssertionError`.

use core::ffi::c_void;
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

use super::work::{Answer, Work, Written, bytes, real_bytes};
use super::{Letter, Numbers, ONE, Whole, distance, routine};

type Info = *mut i64;
type Getrf = unsafe extern "C" fn(Whole, Whole, Numbers, Whole, Numbers, Info);
type Getri = unsafe extern "C" fn(Whole, Numbers, Whole, Numbers, Numbers, Whole, Info);
type Potrf = unsafe extern "C" fn(Letter, Whole, Numbers, Whole, Info, usize);
type Geqrf = unsafe extern "C" fn(Whole, Whole, Numbers, Whole, Numbers, Numbers, Whole, Info);
type Gqr = unsafe extern "C" fn(Whole, Whole, Whole, Numbers, Whole, Numbers, Numbers, Whole, Info);
type Gesv = unsafe extern "C" fn(Whole, Whole, Numbers, Whole, Numbers, Numbers, Whole, Info);
type RealGeev = unsafe extern "C" fn(
    Letter,
    Letter,
    Whole,
    Numbers,
    Whole,
    Numbers,
    Numbers,
    Numbers,
    Whole,
    Numbers,
    Whole,
    Numbers,
    Whole,
    Info,
    usize,
    usize,
);
type ComplexGeev = unsafe extern "C" fn(
    Letter,
    Letter,
    Whole,
    Numbers,
    Whole,
    Numbers,
    Numbers,
    Whole,
    Numbers,
    Whole,
    Numbers,
    Whole,
    Numbers,
    Info,
    usize,
    usize,
);
type Syevd = unsafe extern "C" fn(
    Letter,
    Letter,
    Whole,
    Numbers,
    Whole,
    Numbers,
    Numbers,
    Whole,
    Numbers,
    Whole,
    Info,
    usize,
    usize,
);
type Heevd = unsafe extern "C" fn(
    Letter,
    Letter,
    Whole,
    Numbers,
    Whole,
    Numbers,
    Numbers,
    Whole,
    Numbers,
    Whole,
    Numbers,
    Whole,
    Info,
    usize,
    usize,
);
type RealGesdd = unsafe extern "C" fn(
    Letter,
    Whole,
    Whole,
    Numbers,
    Whole,
    Numbers,
    Numbers,
    Whole,
    Numbers,
    Whole,
    Numbers,
    Whole,
    Numbers,
    Info,
    usize,
);
type ComplexGesdd = unsafe extern "C" fn(
    Letter,
    Whole,
    Whole,
    Numbers,
    Whole,
    Numbers,
    Numbers,
    Whole,
    Numbers,
    Whole,
    Numbers,
    Whole,
    Numbers,
    Numbers,
    Info,
    usize,
);
type RealGelsd = unsafe extern "C" fn(
    Whole,
    Whole,
    Whole,
    Numbers,
    Whole,
    Numbers,
    Whole,
    Numbers,
    Numbers,
    Info,
    Numbers,
    Whole,
    Numbers,
    Info,
);
type ComplexGelsd = unsafe extern "C" fn(
    Whole,
    Whole,
    Whole,
    Numbers,
    Whole,
    Numbers,
    Whole,
    Numbers,
    Numbers,
    Info,
    Numbers,
    Whole,
    Numbers,
    Numbers,
    Info,
);

unsafe extern "C" {
    static ringback_blas_getrf: [Option<Getrf>; 4];
    static ringback_blas_getri: [Option<Getri>; 4];
    static ringback_blas_potrf: [Option<Potrf>; 4];
    static ringback_blas_geqrf: [Option<Geqrf>; 4];
    static ringback_blas_gqr: [Option<Gqr>; 4];
    static ringback_blas_gesv: [Option<Gesv>; 4];
    static ringback_blas_rgeev: [Option<RealGeev>; 2];
    static ringback_blas_cgeev: [Option<ComplexGeev>; 2];
    static ringback_blas_syevd: [Option<Syevd>; 2];
    static ringback_blas_heevd: [Option<Heevd>; 2];
    static ringback_blas_rgesdd: [Option<RealGesdd>; 2];
    static ringback_blas_cgesdd: [Option<ComplexGesdd>; 2];
    static ringback_blas_rgelsd: [Option<RealGelsd>; 2];
    static ringback_blas_cgelsd: [Option<ComplexGelsd>; 2];
}

const FAILED: i32 = -1;
/// Asks a routine how much memory it wants.
const ASK: i64 = -1;

fn status(info: &Written) -> i32 {
    if info.value() < 0 { FAILED } else { info.value() }
}

/// What Numba's code calls before it raises an `AssertionError`.
#[unsafe(no_mangle)]
pub extern "C" fn numba_fatal_error() -> i32 {
    0
}

/// Runs a routine twice: it says how much memory it wants, and then gets it.
fn twice(kind: u8, mut run: impl FnMut(*mut c_void, i64, Info)) -> i32 {
    let (mut answer, mut info) = (Answer::NONE, Written::new());
    run(answer.place(), ASK, info.place());
    if info.value() != 0 {
        return status(&info);
    }
    let size = answer.size(kind).max(1);
    let Some(work) = Work::new(size, bytes(kind)) else { return FAILED };
    run(work.memory(), size as i64, info.place());
    status(&info)
}

/// Whether the library's whole numbers have 64 bits, by the pivots `1, 2` of a matrix of two rows.
fn wide() -> Option<bool> {
    static FOUND: AtomicU8 = AtomicU8::new(0);
    if FOUND.load(Relaxed) == 0 {
        let (mut matrix, two) = ([1f64, 0.0, 0.0, 1.0], 2);
        let (mut pivots, mut info) = ([0i64; 2], Written::new());
        // SAFETY: as the routine asks for; the pivots have room for either kind of number.
        unsafe {
            let getrf = routine(&ringback_blas_getrf, b'd')?;
            getrf(&two, &two, matrix.as_mut_ptr().cast(), &two, pivots.as_mut_ptr().cast(), info.place());
        }
        FOUND.store(if pivots == [1, 2] { 2 } else { 1 }, Relaxed);
    }
    Some(FOUND.load(Relaxed) == 2)
}

/// A matrix as the product of two triangular ones; the pivots, in 32 bits.
///
/// # Safety
/// As LAPACK's routine asks for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn numba_xxgetrf(kind: u8, m: isize, n: isize, a: Numbers, lda: isize, pivots: *mut i32) -> i32 {
    let count = if m < n { m } else { n };
    // SAFETY: the caller's promise.
    unsafe {
        let Some(getrf) = routine(&ringback_blas_getrf, kind) else { return FAILED };
        let (Some(found), Some(wide)) = (Work::new(count as usize, 8), wide()) else { return FAILED };
        let mut info = Written::new();
        getrf(&(m as i64), &(n as i64), a, &distance(lda), found.memory(), info.place());
        let found = found.memory().cast::<i32>();
        for i in 0..count as usize {
            *pivots.add(i) = *found.add(if wide { 2 * i } else { i });
        }
        status(&info)
    }
}

/// The inverse of a matrix that [`numba_xxgetrf`] factorised.
///
/// # Safety
/// As LAPACK's routine asks for; there are `n` pivots.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn numba_ez_xxgetri(kind: u8, n: isize, a: Numbers, lda: isize, pivots: *const i32) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        let Some(getri) = routine(&ringback_blas_getri, kind) else { return FAILED };
        let (Some(passed), Some(wide)) = (Work::new(n as usize, 8), wide()) else { return FAILED };
        for i in 0..n as usize {
            // The upper halves are zero already.
            *passed.memory().cast::<i32>().add(if wide { 2 * i } else { i }) = *pivots.add(i);
        }
        twice(kind, |work, size, info| {
            getri(&(n as i64), a, &distance(lda), passed.memory(), work, &size, info);
        })
    }
}

/// Cholesky's factor.
///
/// # Safety
/// As LAPACK's routine asks for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn numba_xxpotrf(kind: u8, uplo: u8, n: isize, a: Numbers, lda: isize) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        let Some(potrf) = routine(&ringback_blas_potrf, kind) else { return FAILED };
        let mut info = Written::new();
        potrf(&uplo, &(n as i64), a, &distance(lda), info.place(), ONE);
        status(&info)
    }
}

/// Eigenvalues and vectors of a real matrix.
///
/// # Safety
/// As LAPACK's routine asks for.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "Numba's own")]
pub unsafe extern "C" fn numba_ez_rgeev(
    kind: u8,
    left: u8,
    right: u8,
    n: isize,
    a: Numbers,
    lda: isize,
    real: Numbers,
    imaginary: Numbers,
    vl: Numbers,
    ldvl: isize,
    vr: Numbers,
    ldvr: isize,
) -> i32 {
    let (n, lda, ldvl, ldvr) = (n as i64, distance(lda), distance(ldvl), distance(ldvr));
    // SAFETY: the caller's promise.
    unsafe {
        let Some(geev) = routine(&ringback_blas_rgeev, kind) else { return FAILED };
        twice(kind, |work, size, info| {
            geev(&left, &right, &n, a, &lda, real, imaginary, vl, &ldvl, vr, &ldvr, work, &size, info, ONE, ONE);
        })
    }
}

/// Eigenvalues and vectors of a complex matrix.
///
/// # Safety
/// As LAPACK's routine asks for.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "Numba's own")]
pub unsafe extern "C" fn numba_ez_cgeev(
    kind: u8,
    left: u8,
    right: u8,
    n: isize,
    a: Numbers,
    lda: isize,
    values: Numbers,
    vl: Numbers,
    ldvl: isize,
    vr: Numbers,
    ldvr: isize,
) -> i32 {
    let (length, lda, ldvl, ldvr) = (n as i64, distance(lda), distance(ldvl), distance(ldvr));
    // SAFETY: the caller's promise.
    unsafe {
        let Some(geev) = routine(&ringback_blas_cgeev, kind) else { return FAILED };
        let Some(reals) = Work::new(2 * n as usize, real_bytes(kind)) else { return FAILED };
        let reals = reals.memory();
        twice(kind, |work, size, info| {
            geev(&left, &right, &length, a, &lda, values, vl, &ldvl, vr, &ldvr, work, &size, reals, info, ONE, ONE);
        })
    }
}

/// Eigenvalues and vectors of a symmetric or Hermitian matrix.
///
/// # Safety
/// As LAPACK's routine asks for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn numba_ez_xxxevd(
    kind: u8,
    jobz: u8,
    uplo: u8,
    n: isize,
    a: Numbers,
    lda: isize,
    values: Numbers,
) -> i32 {
    let (n, lda) = (n as i64, distance(lda));
    let complex = matches!(kind, b'c' | b'z');
    // SAFETY: the caller's promise.
    unsafe {
        let real = if complex { None } else { routine(&ringback_blas_syevd, kind) };
        let hermitian = if complex { routine(&ringback_blas_heevd, kind) } else { None };
        let run = |work, size: i64, reals, reals_size: i64, wholes, wholes_size: i64, info| match (real, hermitian) {
            (Some(syevd), _) => {
                syevd(&jobz, &uplo, &n, a, &lda, values, work, &size, wholes, &wholes_size, info, ONE, ONE);
            }
            (None, Some(heevd)) => heevd(
                &jobz,
                &uplo,
                &n,
                a,
                &lda,
                values,
                work,
                &size,
                reals,
                &reals_size,
                wholes,
                &wholes_size,
                info,
                ONE,
                ONE,
            ),
            (None, None) => *info = ASK,
        };
        let (mut answer, mut reals, mut wholes) = (Answer::NONE, Answer::NONE, Written::new());
        let mut info = Written::new();
        run(answer.place(), ASK, reals.place(), ASK, wholes.place().cast(), ASK, info.place());
        if info.value() != 0 {
            return status(&info);
        }
        let (size, reals_size) = (answer.size(kind).max(1), reals.size(kind).max(1));
        let wholes_size = wholes.value().max(1);
        let (Some(work), Some(reals), Some(wholes)) =
            (Work::new(size, bytes(kind)), Work::new(reals_size, real_bytes(kind)), Work::new(wholes_size as usize, 8))
        else {
            return FAILED;
        };
        run(
            work.memory(),
            size as i64,
            reals.memory(),
            reals_size as i64,
            wholes.memory(),
            i64::from(wholes_size),
            info.place(),
        );
        status(&info)
    }
}

/// Singular values and vectors.
///
/// # Safety
/// As LAPACK's routine asks for.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "Numba's own")]
pub unsafe extern "C" fn numba_ez_gesdd(
    kind: u8,
    jobz: u8,
    m: isize,
    n: isize,
    a: Numbers,
    lda: isize,
    s: Numbers,
    u: Numbers,
    ldu: isize,
    vt: Numbers,
    ldvt: isize,
) -> i32 {
    let (least, most) = if m < n { (m as usize, n as usize) } else { (n as usize, m as usize) };
    let (m, n, lda, ldu, ldvt) = (m as i64, n as i64, distance(lda), distance(ldu), distance(ldvt));
    let Some(wholes) = Work::new(8 * least, 8) else { return FAILED };
    let wholes = wholes.memory();
    // SAFETY: the caller's promise; as many real numbers as LAPACK's description of `rwork` asks for at most.
    unsafe {
        if matches!(kind, b's' | b'd') {
            let Some(gesdd) = routine(&ringback_blas_rgesdd, kind) else { return FAILED };
            return twice(kind, |work, size, info| {
                gesdd(&jobz, &m, &n, a, &lda, s, u, &ldu, vt, &ldvt, work, &size, wholes, info, ONE);
            });
        }
        let Some(gesdd) = routine(&ringback_blas_cgesdd, kind) else { return FAILED };
        let reals = least * (5 * least + 7).max(2 * most + 2 * least + 1);
        let Some(reals) = Work::new(reals, real_bytes(kind)) else { return FAILED };
        let reals = reals.memory();
        twice(kind, |work, size, info| {
            gesdd(&jobz, &m, &n, a, &lda, s, u, &ldu, vt, &ldvt, work, &size, reals, wholes, info, ONE);
        })
    }
}

/// The first half of a QR factorisation.
///
/// # Safety
/// As LAPACK's routine asks for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn numba_ez_geqrf(kind: u8, m: isize, n: isize, a: Numbers, lda: isize, tau: Numbers) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        let Some(geqrf) = routine(&ringback_blas_geqrf, kind) else { return FAILED };
        twice(kind, |work, size, info| {
            geqrf(&(m as i64), &(n as i64), a, &distance(lda), tau, work, &size, info);
        })
    }
}

/// The second half: the matrix Q.
///
/// # Safety
/// As LAPACK's routine asks for.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "Numba's own")]
pub unsafe extern "C" fn numba_ez_xxgqr(
    kind: u8,
    m: isize,
    n: isize,
    k: isize,
    a: Numbers,
    lda: isize,
    tau: Numbers,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        let Some(gqr) = routine(&ringback_blas_gqr, kind) else { return FAILED };
        twice(kind, |work, size, info| {
            gqr(&(m as i64), &(n as i64), &(k as i64), a, &distance(lda), tau, work, &size, info);
        })
    }
}

/// Least squares.
///
/// # Safety
/// As LAPACK's routine asks for.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "Numba's own")]
pub unsafe extern "C" fn numba_ez_gelsd(
    kind: u8,
    m: isize,
    n: isize,
    count: isize,
    a: Numbers,
    lda: isize,
    b: Numbers,
    ldb: isize,
    s: Numbers,
    rcond: f64,
    rank: *mut i32,
) -> i32 {
    let (m, n, count, lda, ldb) = (m as i64, n as i64, count as i64, distance(lda), distance(ldb));
    let complex = matches!(kind, b'c' | b'z');
    let single = rcond as f32;
    let rcond = if real_bytes(kind) == 4 { (&raw const single).cast() } else { (&raw const rcond).cast::<c_void>() };
    let (mut found, mut info) = (Written::new(), Written::new());
    let rank_found = found.place();
    // SAFETY: the caller's promise.
    unsafe {
        let real = if complex { None } else { routine(&ringback_blas_rgelsd, kind) };
        let other = if complex { routine(&ringback_blas_cgelsd, kind) } else { None };
        let run = |work, size: i64, reals, wholes, info: Info| match (real, other) {
            (Some(gelsd), _) => {
                gelsd(&m, &n, &count, a, &lda, b, &ldb, s, rcond.cast_mut(), rank_found, work, &size, wholes, info)
            }
            (None, Some(gelsd)) => gelsd(
                &m,
                &n,
                &count,
                a,
                &lda,
                b,
                &ldb,
                s,
                rcond.cast_mut(),
                rank_found,
                work,
                &size,
                reals,
                wholes,
                info,
            ),
            (None, None) => *info = ASK,
        };
        let (mut answer, mut reals, mut wholes) = (Answer::NONE, Answer::NONE, Written::new());
        run(answer.place(), ASK, reals.place(), wholes.place().cast(), info.place());
        if info.value() != 0 {
            return status(&info);
        }
        let size = answer.size(kind).max(1);
        let (Some(work), Some(reals), Some(wholes)) = (
            Work::new(size, bytes(kind)),
            Work::new(reals.size(kind), real_bytes(kind)),
            Work::new(wholes.value().max(1) as usize, 8),
        ) else {
            return FAILED;
        };
        run(work.memory(), size as i64, reals.memory(), wholes.memory(), info.place());
        *rank = found.value();
        status(&info)
    }
}

/// Solves systems of linear equations.
///
/// # Safety
/// As LAPACK's routine asks for. The pivots are not filled: Numba's code does not look at them.
#[unsafe(no_mangle)]
#[allow(clippy::too_many_arguments, reason = "Numba's own")]
pub unsafe extern "C" fn numba_xgesv(
    kind: u8,
    n: isize,
    count: isize,
    a: Numbers,
    lda: isize,
    _pivots: *mut i32,
    b: Numbers,
    ldb: isize,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe {
        let Some(gesv) = routine(&ringback_blas_gesv, kind) else { return FAILED };
        let Some(pivots) = Work::new(n as usize, 8) else { return FAILED };
        let mut info = Written::new();
        gesv(&(n as i64), &(count as i64), a, &distance(lda), pivots.memory(), b, &distance(ldb), info.place());
        status(&info)
    }
}
