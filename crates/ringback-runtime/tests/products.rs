//! Plain products, against sums in the order in which one would write them; with whole numbers, so that they are exact.

use std::ffi::c_void;

use ringback_runtime::products::*;

type Matrix = Vec<[f64; 2]>;

/// Whole numbers, also negative ones, as complex numbers.
fn numbers(count: usize, seed: u64) -> Matrix {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((state >> 33) % 19) as f64 - 9.0
    };
    (0..count).map(|_| [next(), next()]).collect()
}

fn times(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]]
}

fn plus(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    [a[0] + b[0], a[1] + b[1]]
}

fn element(letter: u8, a: &Matrix, ld: usize, i: usize, j: usize) -> [f64; 2] {
    let [re, im] = if letter == b'n' { a[i + j * ld] } else { a[j + i * ld] };
    [re, if letter == b'c' { -im } else { im }]
}

/// Numbers of a kind in memory.
fn packed(kind: u8, values: &Matrix) -> Vec<u8> {
    let parts = values.iter().flat_map(|v| if matches!(kind, b's' | b'd') { v[..1].to_vec() } else { v.to_vec() });
    parts
        .flat_map(|v| {
            if matches!(kind, b's' | b'c') { (v as f32).to_ne_bytes().to_vec() } else { v.to_ne_bytes().to_vec() }
        })
        .collect()
}

fn pointer(bytes: &[u8]) -> *const c_void {
    bytes.as_ptr().cast()
}

const SIZES: [i64; 8] = [0, 1, 2, 7, 16, 17, 64, 131];

#[test]
fn products_of_matrices_are_exact() {
    for kind in *b"sdcz" {
        let gemm = match kind {
            b's' => ringback_sgemm,
            b'd' => ringback_dgemm,
            b'c' => ringback_cgemm,
            _ => ringback_zgemm,
        };
        let real = |v: Matrix| -> Matrix {
            if matches!(kind, b's' | b'd') { v.iter().map(|v| [v[0], 0.0]).collect() } else { v }
        };
        for (round, &m) in SIZES.iter().enumerate() {
            let (n, k) = (SIZES[(round + 3) % 8].min(20), SIZES[(round * 5 + 2) % 8]);
            for (letter_a, letter_b, beta) in
                [(b'n', b'n', 0.0), (b't', b'n', 1.0), (b'n', b'T', 0.0), (b'c', b'c', 2.0)]
            {
                let ld = 133usize;
                let (a, b) = (real(numbers(ld * 133, 1)), real(numbers(ld * 133, 2)));
                let before = real(numbers(ld * 20, 3));
                let (alpha, beta) = (real(vec![[2.0, 1.0]]), real(vec![[beta, 0.0]]));
                let mut wanted = before.clone();
                for i in 0..m as usize {
                    for j in 0..n as usize {
                        let sum = (0..k as usize).fold([0.0; 2], |sum, p| {
                            let right = element(letter_b.to_ascii_lowercase(), &b, ld, p, j);
                            plus(sum, times(element(letter_a, &a, ld, i, p), right))
                        });
                        let place = &mut wanted[i + j * ld];
                        *place = plus(times(beta[0], *place), times(alpha[0], sum));
                    }
                }
                let mut c = packed(kind, &before);
                // SAFETY: as many numbers as the lengths say.
                unsafe {
                    gemm(
                        &letter_a,
                        &letter_b,
                        &m,
                        &n,
                        &k,
                        pointer(&packed(kind, &alpha)),
                        pointer(&packed(kind, &a)),
                        &(ld as i64),
                        pointer(&packed(kind, &b)),
                        &(ld as i64),
                        pointer(&packed(kind, &beta)),
                        c.as_mut_ptr().cast(),
                        &(ld as i64),
                        1,
                        1,
                    );
                }
                // A zero may have either sign.
                assert!(
                    numbers_of(kind, &c) == numbers_of(kind, &packed(kind, &wanted)),
                    "{} {m} {n} {k}",
                    kind as char
                );
            }
        }
    }
}

fn numbers_of(kind: u8, bytes: &[u8]) -> Vec<f64> {
    if matches!(kind, b's' | b'c') {
        bytes.as_chunks().0.iter().map(|&b| f64::from(f32::from_ne_bytes(b))).collect()
    } else {
        bytes.as_chunks().0.iter().map(|&b| f64::from_ne_bytes(b)).collect()
    }
}

#[test]
fn products_with_vectors_are_exact_and_do_not_read_what_is_overwritten() {
    let one = 1i64;
    for &m in &SIZES {
        for (n, letter) in [(1i64, b'n'), (5, b't'), (3, b'c')] {
            let (a, x) = (numbers((m * n) as usize, 4), numbers(m.max(n) as usize, 5));
            let length = if letter == b'n' { m } else { n } as usize;
            let wanted: Matrix = (0..length)
                .map(|i| {
                    let inner = if letter == b'n' { n } else { m } as usize;
                    (0..inner).fold([0.0; 2], |sum, j| plus(sum, times(element(letter, &a, m as usize, i, j), x[j])))
                })
                .collect();
            let mut y = packed(b'z', &vec![[f64::NAN; 2]; length]);
            let (a, x) = (packed(b'z', &a), packed(b'z', &x));
            let (alpha, beta) = (packed(b'z', &vec![[1.0, 0.0]]), packed(b'z', &vec![[0.0, 0.0]]));
            let (alpha, beta) = (pointer(&alpha), pointer(&beta));
            let ld = m.max(1);
            // SAFETY: as many numbers as the lengths say.
            unsafe {
                ringback_zgemv(
                    &letter,
                    &m,
                    &n,
                    alpha,
                    pointer(&a),
                    &ld,
                    pointer(&x),
                    &one,
                    beta,
                    y.as_mut_ptr().cast(),
                    &one,
                    1,
                );
            }
            assert_eq!(numbers_of(b'z', &y), numbers_of(b'z', &packed(b'z', &wanted)), "{m} {n}");
        }
        let (x, y) = (numbers(m as usize, 6), numbers(m as usize, 7));
        let wanted: f64 = x.iter().zip(&y).map(|(x, y)| x[0] * y[0]).sum();
        let (dx, dy, sx, sy) = (packed(b'd', &x), packed(b'd', &y), packed(b's', &x), packed(b's', &y));
        // SAFETY: as many numbers as the lengths say.
        unsafe {
            assert_eq!(ringback_ddot(&m, pointer(&dx), &one, pointer(&dy), &one), wanted);
            assert_eq!(f64::from(ringback_sdot(&m, pointer(&sx), &one, pointer(&sy), &one)), wanted);
        }
    }
}

#[test]
fn norms_neither_overflow_nor_vanish() {
    let norm = |values: &[f64]| {
        // SAFETY: as many numbers as the lengths say.
        unsafe { ringback_dnrm2(&(values.len() as i64), values.as_ptr().cast(), &1) }
    };
    assert_eq!(norm(&[3.0, 4.0]), 5.0);
    assert_eq!(norm(&[3e300, -4e300]), 5e300);
    assert_eq!(norm(&[3e-300, 4e-300]), 5e-300);
    assert_eq!(norm(&[5e-324]), 5e-324);
    assert_eq!(norm(&[]), 0.0);
    assert_eq!(norm(&[0.0, -0.0]), 0.0);
    assert_eq!(norm(&[1.0, f64::NEG_INFINITY]), f64::INFINITY);
    assert!(norm(&[1.0, f64::NAN, f64::INFINITY]).is_nan());
    let single = [3e30f32, 4e30];
    let complex = [3.0f64, 9.0, 4.0, 9.0, 12.0, 84.0];
    // SAFETY: as many numbers as the lengths say; every second number.
    unsafe {
        assert_eq!(ringback_snrm2(&2, single.as_ptr().cast(), &1), 5e30);
        assert_eq!(ringback_scnrm2(&1, single.as_ptr().cast(), &1), 5e30);
        assert_eq!(ringback_dnrm2(&3, complex.as_ptr().cast(), &2), 13.0);
        assert_eq!(ringback_dznrm2(&2, complex.as_ptr().cast(), &2), (9.0 + 81.0 + 144.0 + 84.0f64 * 84.0).sqrt());
    }
}
