//! Random polynomials: the 21-point rule is exact for them, whatever the range.

use std::convert::Infallible;

use ringback_engines::{Options, Status, pointwise, quad};

/// A linear congruential generator (Knuth's MMIX constants): enough randomness for a test, and the same every time.
struct Random(u64);

impl Random {
    /// The next number, in `[0, 1)`.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }
}

/// Horner's scheme, from the highest coefficient down.
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

#[test]
fn polynomials_up_to_degree_20_are_exact_at_the_first_attempt() {
    let mut random = Random(2);
    for round in 0..2000 {
        let degree = round % 21;
        let coefficients: Vec<f64> = (0..=degree).map(|_| random.between(-1.0, 1.0)).collect();
        let primitive: Vec<f64> =
            std::iter::once(0.0).chain((1..).zip(&coefficients).map(|(k, c)| c / f64::from(k))).collect();
        let magnitudes: Vec<f64> = primitive.iter().map(|c| c.abs()).collect();
        let (a, b) = (random.between(-2.0, 2.0), random.between(-2.0, 2.0));
        let exact = polynomial(&primitive, b) - polynomial(&primitive, a);
        // What rounding may cost in the exact value, let alone in the sum.
        let scale = polynomial(&magnitudes, a.abs()) + polynomial(&magnitudes, b.abs());

        let integrand = pointwise(|x| Ok::<_, Infallible>(polynomial(&coefficients, x)));
        // The rule's own error bound compares with the 10-point rule, exact to degree 19 only: leave it some room.
        let options = Options { epsabs: 1e-3 * scale, ..Options::default() };
        let result = quad(integrand, a, b, &[], &options).unwrap();
        assert_eq!((result.neval, result.intervals, result.status), (21, 1, Status::Converged));
        let actual = (result.value - exact).abs();
        assert!(actual <= 100.0 * f64::EPSILON * scale, "degree {degree}: wrong by {actual:e} of {scale:e}");
    }
}

#[test]
fn pieces_add_up_to_the_whole() {
    let mut random = Random(3);
    let f = |x: f64| (3.0 * x).sin() + (0.5 * x).exp() / (1.0 + 4.0 * x * x);
    for _ in 0..200 {
        let (a, b) = (random.between(-3.0, 0.0), random.between(0.0, 3.0));
        let middle = random.between(a, b);
        let run = |a, b| quad(pointwise(|x| Ok::<_, Infallible>(f(x))), a, b, &[], &Options::default()).unwrap();
        let (whole, left, right) = (run(a, b), run(a, middle), run(middle, b));
        let difference = (whole.value - left.value - right.value).abs();
        assert!(difference <= whole.error + left.error + right.error, "{difference:e} on [{a}, {b}]");
    }
}
