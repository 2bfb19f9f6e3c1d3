//! Integrals with weights where numbers end, where digits are lost, and where SciPy goes wrong.

use std::convert::Infallible;

use ringback_engines::{Options, Quadrature, Status, Weight, WeightedOptions, pointwise, quad_weighted};

const INF: f64 = f64::INFINITY;

fn algebraic(alpha: f64, beta: f64) -> Weight {
    Weight::Algebraic { alpha, beta, log_lower: false, log_upper: false }
}

fn integrate(f: impl Fn(f64) -> f64, a: f64, b: f64, weight: Weight) -> Quadrature {
    quad_weighted(pointwise(|x| Ok::<_, Infallible>(f(x))), a, b, weight, &WeightedOptions::default()).unwrap()
}

#[test]
fn no_wave_at_all_begins_where_the_range_begins() {
    // SciPy begins at zero.
    let f = |x: f64| (-x.abs()).exp();
    let result = integrate(f, 2.0, INF, Weight::Cos { omega: 0.0 });
    assert!((result.value - (-2_f64).exp()).abs() <= result.error);
    let result = integrate(f, -INF, -1.0, Weight::Cos { omega: 0.0 });
    assert!((result.value - (-1_f64).exp()).abs() <= result.error);
    assert_eq!(integrate(f, 2.0, INF, Weight::Sin { omega: 0.0 }).value, 0.0);
}

#[test]
fn a_pole_next_to_an_end_keeps_its_digits() {
    // SciPy's value is wrong by 2.7e-8 with c = 1e-9, and its error is 0.
    for c in [1e-3_f64, 1e-9, 1e-15, 1e-300] {
        let exact = ((1.0 - c) / c).ln();
        let result = integrate(|_| 1.0, 0.0, 1.0, Weight::Cauchy { c });
        assert!((result.value - exact).abs() <= 1e-15 * exact, "{c:e}: {result:?}, exact {exact}");
        assert_eq!(result.status, Status::Converged);
    }
}

#[test]
fn finite_values_that_overflow_are_no_success() {
    for (weight, a, b) in [
        (Weight::Cos { omega: 0.5 }, 0.0, 1.0),
        (Weight::Sin { omega: 40.0 }, 0.0, 1.0),
        (Weight::Cos { omega: 2.0 }, 0.0, INF),
        (Weight::Sin { omega: 2.0 }, -INF, 0.5),
        (algebraic(-0.5, 0.3), 0.0, 1.0),
        (Weight::Cauchy { c: 0.3 }, 0.0, 1.0),
    ] {
        for height in [f64::MAX, -f64::MAX, 1e308] {
            let result = integrate(|_| height, a, b, weight);
            assert!(result.status != Status::Converged || result.value.is_finite(), "{weight:?}: {result:?}");
        }
    }
    let result = integrate(|_| f64::MAX, 0.0, 1.0, Weight::Cos { omega: 1e3 });
    assert!(result.value.is_nan() && result.error == INF && result.status == Status::BadIntegrand, "{result:?}");
}

#[test]
fn ranges_at_the_end_of_the_numbers_ask_for_finite_points_only() {
    let max = f64::MAX;
    for (a, b) in [(-max, max), (0.9 * max, max), (1.0, 1.0 + f64::EPSILON), (0.0, 5e-324), (-5e-324, 5e-324)] {
        for weight in [Weight::Cos { omega: 1e-300 }, algebraic(-0.5, 0.5), Weight::Cauchy { c: 0.1 }] {
            let f = |x: f64| {
                assert!(x.is_finite(), "asked for {x} in [{a}, {b}]");
                1e-300
            };
            let result = integrate(f, a, b, weight);
            assert!(!result.value.is_infinite(), "{weight:?} over [{a}, {b}]: {result:?}");
            assert!(result.status != Status::Converged || result.value.is_finite());
        }
    }
}

#[test]
fn a_pole_at_the_end_of_the_numbers_is_seen() {
    let max = f64::MAX;
    for (a, b, c) in [(-max, max, 0.9 * max), (0.5 * max, max, 0.6 * max), (-max, -0.1 * max, -0.7 * max)] {
        let scale = b / 2.0 - a / 2.0;
        let result = integrate(|x| (x / scale) * (x / scale), a, b, Weight::Cauchy { c });
        // x² / (x - c) = x + c + c² / (x - c)
        let (a, b, c) = (a / scale, b / scale, c / scale);
        let exact = 0.5 * (b * b - a * a) + c * (b - a) + c * c * ((b - c) / (c - a)).ln();
        assert!((result.value - exact).abs() < 1e-13 && result.status == Status::Converged, "{result:?}, {exact}");
    }
}

#[test]
fn no_point_is_outside_the_range() {
    // SciPy asks for the ends as middle plus half, which may be rounded to a number outside.
    for k in 0..50 {
        let (a, b) = (0.1 * f64::from(k), 0.1 * f64::from(k) + 0.7);
        for weight in [Weight::Cos { omega: 40.0 }, algebraic(-0.5, 0.5), Weight::Cauchy { c: 0.5 * (a + b) }] {
            let f = |x: f64| (b - x).sqrt() + (x - a).sqrt();
            let result = integrate(f, a, b, weight);
            assert!(result.value.is_finite(), "{weight:?} over [{a}, {b}]: {result:?}");
        }
    }
}

#[test]
fn a_narrow_range_is_as_good_as_a_wide_one() {
    // SciPy 1.17 takes whatever is narrower than 2e-13 around zero for too narrow to be divided, with sine and cosine.
    let solve = |width: f64| {
        let f = |x: f64| (x / width - 1.0 / 3.0).abs().sqrt();
        let options = Options { epsabs: 0.0, epsrel: 1e-8, limit: 100 };
        let options = WeightedOptions { quad: options, ..WeightedOptions::default() };
        let integrand = pointwise(|x| Ok::<_, Infallible>(f(x)));
        quad_weighted(integrand, 0.0, width, Weight::Cos { omega: 10.0 / width }, &options).unwrap()
    };
    let wide = solve(1.0);
    assert_eq!(wide.status, Status::Converged, "{wide:?}");
    for exponent in [-30, -43, -50, -200, -900] {
        let width = 2_f64.powi(exponent);
        let narrow = solve(width);
        assert_eq!((narrow.status, narrow.neval), (wide.status, wide.neval), "2^{exponent}: {narrow:?}");
        assert!((narrow.value / width / wide.value - 1.0).abs() < 1e-12, "2^{exponent}: {narrow:?}");
    }
}

#[test]
fn bisection_that_has_come_as_close_to_a_singularity_as_it_can_has_a_value() {
    // The points of this rule are also at the ends of intervals, one of which is at last 0.3 itself.
    let f = |x: f64| (x - 0.3).abs().powf(-0.5) + x;
    let quad = Options { epsabs: 0.0, epsrel: 3.813459426101328e-8, limit: 100 };
    let options = WeightedOptions { quad, ..WeightedOptions::default() };
    let (a, b, omega) = (-0.29205153749871626, 1.5782334894168346, 5.978524117981423);
    let f = pointwise(|x| Ok::<_, Infallible>(f(x)));
    let result = quad_weighted(f, a, b, Weight::Cos { omega }, &options).unwrap();
    assert_eq!(result.status, Status::BadIntegrand, "{result:?}");
    assert!((result.value - -0.0832419).abs() <= 1e-6, "{result:?}");
    assert!(result.error < 1e-5, "{result:?}");
}
