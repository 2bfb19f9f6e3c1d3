//! What `quad` does with arguments at the edge of sense, and with integrands that fail.

use std::convert::Infallible;

use ringback_engines::{
    Integrand, InvalidInput, Options, QuadError, Quadrature, Status, Workspace, pointwise, quad, quad_with,
};

const INF: f64 = f64::INFINITY;

type Outcome = Result<Quadrature, QuadError<Infallible>>;

fn integrate(f: impl Fn(f64) -> f64, a: f64, b: f64, points: &[f64], options: &Options) -> Outcome {
    quad(pointwise(|x| Ok(f(x))), a, b, points, options)
}

/// The refusal of arguments; the integrand must not have been evaluated.
fn refusal(a: f64, b: f64, points: &[f64], options: &Options) -> InvalidInput {
    let integrand = pointwise(|_| -> Result<f64, Infallible> { panic!("evaluated with invalid input") });
    match quad(integrand, a, b, points, options) {
        Err(QuadError::InvalidInput(input)) => input,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn invalid_input_is_refused_in_words() {
    let default = Options::default();
    let cases: &[(f64, f64, &[f64], Options, &str)] = &[
        (
            f64::NAN,
            1.0,
            &[],
            default,
            "expected limits of integration that are numbers or infinite, found a = NaN, b = 1; look where the \
             NaN comes from",
        ),
        (
            0.0,
            f64::NAN,
            &[],
            default,
            "expected limits of integration that are numbers or infinite, found a = 0, b = NaN; look where the \
             NaN comes from",
        ),
        (
            0.0,
            1.0,
            &[0.5, f64::NAN],
            default,
            "expected break points that are numbers, found NaN as points[1]; leave it out",
        ),
        (
            0.0,
            INF,
            &[1.0],
            default,
            "break points need a finite range, found a = 0, b = inf; integrate a finite part with `points` and \
             the rest without, and add the results",
        ),
        (
            0.0,
            1.0,
            &[0.1, 0.2, 0.2, 5.0],
            Options { limit: 2, ..default },
            "expected fewer break points than `limit`, found 2 inside the range with limit = 2; raise `limit`",
        ),
        (0.0, 1.0, &[], Options { limit: 0, ..default }, "expected `limit` of at least 1, found 0; 50 is the default"),
        (
            0.0,
            1.0,
            &[],
            Options { epsabs: 0.0, epsrel: 1e-15, ..default },
            "expected epsabs > 0 or epsrel >= 1.1102230246251565e-14 (50 times the rounding error), found epsabs \
             = 0.0, epsrel = 1e-15; raise one of them",
        ),
        (
            0.0,
            1.0,
            &[],
            Options { epsabs: f64::NAN, ..default },
            "expected epsabs > 0 or epsrel >= 1.1102230246251565e-14 (50 times the rounding error), found epsabs \
             = NaN, epsrel = 1.49e-8; raise one of them",
        ),
    ];
    for (a, b, points, options, text) in cases {
        assert_eq!(refusal(*a, *b, points, options).to_string(), *text);
    }
}

#[test]
fn an_empty_range_is_zero_and_evaluates_nothing() {
    for end in [0.0, -3.5, 1e308, INF, -INF] {
        let never = pointwise(|_| -> Result<f64, Infallible> { panic!("evaluated") });
        let result = quad(never, end, end, &[], &Options::default()).unwrap();
        let Quadrature { value, error, neval, intervals, status } = result;
        assert_eq!((value, error, neval, intervals, status), (0.0, 0.0, 0, 0, Status::Converged));
    }
}

#[test]
fn a_range_the_other_way_round_changes_the_sign_and_nothing_else() {
    let f = |x: f64| (-x * x).exp() + 0.1;
    for (a, b) in [(0.0, 2.0), (-1.0, 7.0)] {
        for points in [&[][..], &[0.5]] {
            let there = integrate(f, a, b, points, &Options::default()).unwrap();
            let back = integrate(f, b, a, points, &Options::default()).unwrap();
            assert_eq!(Quadrature { value: -there.value, ..there }, back);
        }
    }
    let bell = |x: f64| (-x * x).exp();
    for (a, b) in [(1.0, INF), (-INF, 0.5), (-INF, INF)] {
        let there = integrate(bell, a, b, &[], &Options::default()).unwrap();
        let back = integrate(bell, b, a, &[], &Options::default()).unwrap();
        assert_eq!(Quadrature { value: -there.value, ..there }, back);
    }
}

#[test]
fn with_one_interval_and_no_point_inside_the_limit_is_reached() {
    // SciPy says status 0 here and adds an interval that was never computed.
    let options = Options { limit: 1, ..Options::default() };
    let result = integrate(f64::sqrt, 0.0, 1.0, &[7.0], &options).unwrap();
    assert_eq!((result.status, result.neval, result.intervals), (Status::LimitReached, 21, 1));
    assert!((result.value - 2.0 / 3.0).abs() <= result.error);
}

#[test]
fn the_first_value_that_is_not_finite_stops_the_integration() {
    for bad in [f64::NAN, INF, -INF] {
        for (a, b, points, neval) in [
            (0.0, 1.0, &[][..], 21),
            (0.0, 1.0, &[0.25][..], 42),
            (0.0, INF, &[][..], 15),
            (-INF, 0.0, &[][..], 15),
            (-INF, INF, &[][..], 30),
        ] {
            let f = |x: f64| if x.abs() > 0.4 { bad } else { 1.0 };
            let result = integrate(f, a, b, points, &Options::default()).unwrap();
            let Status::NonFinite { at, value } = result.status else { panic!("{result:?}") };
            assert!(at.abs() > 0.4 && (a..=b).contains(&at), "{at} in [{a}, {b}]");
            assert!(value == bad || value.is_nan() && bad.is_nan());
            assert!(result.value.is_nan() && result.error == INF);
            assert_eq!(result.neval, neval);
        }
    }
}

#[test]
fn opposite_infinities_do_not_cancel() {
    let odd = |x: f64| if x.abs() < 1.0 { 0.0 } else { x.signum() * INF };
    let result = integrate(odd, -INF, INF, &[], &Options::default()).unwrap();
    assert!(matches!(result.status, Status::NonFinite { .. }), "{result:?}");
}

#[test]
fn a_value_that_is_not_finite_counts_when_it_is_reached_late() {
    let f = |x: f64| if (x - 0.3).abs() < 1e-4 { f64::NAN } else { x.sqrt() + (x - 0.3).abs().sqrt() };
    let result = integrate(f, 0.0, 1.0, &[], &Options::default()).unwrap();
    assert!(matches!(result.status, Status::NonFinite { at, .. } if (at - 0.3).abs() < 1e-4));
    assert_eq!(result.neval % 21, 0);
    assert!(result.neval > 21);
    assert!(result.status.message().contains("NaN at x = 0.3") || result.status.message().contains("NaN at x = 0.29"));
}

#[test]
fn finite_values_that_overflow_are_no_success() {
    let cases: &[(f64, f64, f64, &[f64])] = &[
        (1e308, 0.0, 10.0, &[]),
        (1e308, -1e308, 1e308, &[]),
        (f64::MAX, 0.0, 1.5, &[0.5, 1.0]),
        (f64::MAX, -5.0, 5.0, &[0.0]),
        (1e305, 0.0, INF, &[]),
        (1e308, -INF, INF, &[]),
        (-1e308, -INF, 3.0, &[]),
    ];
    for (height, a, b, points) in cases {
        for sign in [1.0, -1.0] {
            let result = integrate(|_| sign * height, *a, *b, points, &Options::default()).unwrap();
            assert_ne!(result.status, Status::Converged, "{result:?}");
            let result = integrate(|x| sign * height * x.signum(), *a, *b, points, &Options::default()).unwrap();
            assert!(result.status != Status::Converged || result.error.is_finite(), "{result:?}");
        }
    }
    let result = integrate(|_| 1e308, 0.0, 10.0, &[], &Options::default()).unwrap();
    assert!(result.value.is_nan() && result.error == INF && result.status == Status::BadIntegrand);
}

#[test]
fn ranges_at_the_end_of_the_numbers_ask_for_finite_points_only() {
    let max = f64::MAX;
    for (a, b) in [(-max, max), (0.9 * max, max), (-max, -0.5 * max), (1e308, INF), (-INF, -1e308), (-INF, INF)] {
        let f = |x: f64| {
            assert!(x.is_finite(), "asked for {x} in [{a}, {b}]");
            1e-300 / (1.0 + x.abs())
        };
        let options = Options { epsabs: 0.0, epsrel: 1e-10, limit: 3000 };
        let result = integrate(f, a, b, &[], &options).unwrap();
        assert!(!result.value.is_infinite());
    }
}

#[test]
fn tiny_ranges_and_tiny_values_work() {
    let result = integrate(|_| 1.0, 1.0, 1.0 + f64::EPSILON, &[], &Options::default()).unwrap();
    assert_eq!((result.value, result.status), (f64::EPSILON, Status::Converged));
    let result = integrate(|_| 1.0, 0.0, 5e-324, &[], &Options::default()).unwrap();
    assert_eq!(result.status, Status::Converged);
    let result = integrate(|x| 1e-310 * x, 0.0, 1.0, &[], &Options::default()).unwrap();
    assert!((result.value - 5e-311).abs() <= 1e-320);
}

#[test]
fn a_failing_integrand_ends_the_integration_with_its_own_error() {
    #[derive(Debug, PartialEq)]
    struct TooFar(f64);

    for (a, b, points) in [(0.0, 1.0, &[][..]), (0.0, 1.0, &[0.3][..]), (0.0, INF, &[][..]), (-INF, INF, &[][..])] {
        let mut calls = 0;
        let mut after_failure = 0;
        let result = quad(
            pointwise(|x: f64| {
                calls += 1;
                if calls > 100 {
                    after_failure += 1;
                    return Err(TooFar(x));
                }
                Ok((40.0 * x).sin().abs())
            }),
            a,
            b,
            points,
            &Options::default(),
        );
        assert!(matches!(result, Err(QuadError::Integrand(TooFar(x))) if (a..=b).contains(&x)));
        assert_eq!((calls, after_failure), (101, 1));
    }
}

/// Notes the sizes of the blocks that it is asked for.
struct Blocks {
    lanes: usize,
    sizes: Vec<usize>,
    /// How many different points there were.
    different: Vec<usize>,
}

impl Integrand for Blocks {
    type Error = Infallible;

    fn eval(&mut self, x: &[f64], y: &mut [f64]) -> Result<(), Infallible> {
        assert_eq!(x.len(), y.len());
        self.sizes.push(x.len());
        let mut points = x.to_vec();
        points.sort_by(f64::total_cmp);
        points.dedup();
        self.different.push(points.len());
        y.iter_mut().zip(x).for_each(|(y, x)| *y = (-x.abs()).exp());
        Ok(())
    }

    fn lanes(&self) -> usize {
        self.lanes
    }
}

const RANGES: [(f64, f64, usize); 4] = [(-1.0, 2.0, 21), (0.0, INF, 15), (-INF, 0.0, 15), (-INF, INF, 30)];

#[test]
fn blocks_have_the_size_of_the_rule_or_of_two_halves() {
    for (a, b, size) in RANGES {
        let mut blocks = Blocks { lanes: 1, sizes: Vec::new(), different: Vec::new() };
        let result = quad_with(&mut Workspace::new(), &mut blocks, a, b, &[], &Options::default()).unwrap();
        assert_eq!(blocks.sizes[0], size);
        assert!(blocks.sizes[1..].iter().all(|n| *n == 2 * size), "{:?}", blocks.sizes);
        assert_eq!(blocks.sizes.iter().sum::<usize>(), result.neval);
    }
}

#[test]
fn blocks_are_padded_to_whole_vectors_and_nothing_else_changes() {
    for (a, b, size) in RANGES {
        let mut plain = Blocks { lanes: 1, sizes: Vec::new(), different: Vec::new() };
        let expected = quad_with(&mut Workspace::new(), &mut plain, a, b, &[], &Options::default()).unwrap();
        for lanes in [2, 4, 8, 16] {
            let mut padded = Blocks { lanes, sizes: Vec::new(), different: Vec::new() };
            let result = quad_with(&mut Workspace::new(), &mut padded, a, b, &[], &Options::default()).unwrap();
            assert_eq!(result, expected);
            assert!(padded.sizes.iter().all(|n| n.is_multiple_of(lanes)), "{:?}", padded.sizes);
            // At most to the next eight, or to the next sixteen where so many are wanted.
            assert!(padded.sizes[0] - size < 8.max(lanes), "{:?}", padded.sizes);
            assert!(padded.sizes[1..].iter().all(|n| n - 2 * size < 16), "{:?}", padded.sizes);
            assert_eq!(padded.different, plain.different, "copies of points that are wanted anyway");
        }
    }
}

/// A zero that is less than nothing.
struct Nothing(usize);

impl Integrand for Nothing {
    type Error = Infallible;

    fn eval(&mut self, _: &[f64], y: &mut [f64]) -> Result<(), Infallible> {
        y.fill(-0.0);
        Ok(())
    }

    fn lanes(&self) -> usize {
        self.0
    }
}

#[test]
fn the_sign_of_zero_does_not_depend_on_vectors() {
    for (a, b, _) in RANGES {
        // The last are too many for a block.
        for lanes in [0, 1, 2, 8, 32, 100] {
            let result = quad_with(&mut Workspace::new(), Nothing(lanes), a, b, &[], &Options::default()).unwrap();
            assert_eq!(result.value.to_bits(), (-0.0_f64).to_bits(), "{a} to {b}, {lanes} at once");
        }
    }
}

#[test]
fn nothing_is_left_of_the_integral_before() {
    // Its extrapolation soon converges, though the error is still too large: what it goes on with must not be old.
    let f = |x: f64| (x * x * 3.7845704874221875).exp();
    let options = Options { epsabs: 1.306864030571279e-13, epsrel: 0.0, limit: 50 };
    let mut workspace = Workspace::new();
    let mut solve = || {
        let f = pointwise(|x| Ok::<_, Infallible>(f(x)));
        quad_with(&mut workspace, f, -0.7703213100108268, 1.9834743020797259, &[], &options).unwrap()
    };
    assert_eq!(solve(), solve());
}

#[test]
fn values_without_weight_do_not_overflow() {
    // Finite sums, in a block of points that count as well as in one that is padded.
    let f = |x: f64| 1e308 / (1.0 + x.abs().powf(4.4));
    let options = Options { epsabs: 0.0, epsrel: 1e-6, limit: 1 };
    let plain = integrate(f, 0.2853471102860623, INF, &[], &options).unwrap();
    let padded = quad_with(&mut Workspace::new(), Padded(f), 0.2853471102860623, INF, &[], &options).unwrap();
    assert_eq!(plain, padded);
}

/// Takes eight points at once.
struct Padded<F>(F);

impl<F: Fn(f64) -> f64> Integrand for Padded<F> {
    type Error = Infallible;

    fn eval(&mut self, x: &[f64], y: &mut [f64]) -> Result<(), Infallible> {
        y.iter_mut().zip(x).for_each(|(y, x)| *y = (self.0)(*x));
        Ok(())
    }

    fn lanes(&self) -> usize {
        8
    }
}

#[test]
fn large_values_are_as_good_as_small_ones() {
    // Distances from the mean add up to more than there are numbers, and so does the integral taken twice. SciPy has
    // 21 evaluations for the large one, 63 for the small one.
    let solve = |height: f64| {
        let f = |x: f64| height * (-2.872673227541681 * x * x).exp();
        let options = Options { epsabs: 0.0, epsrel: 9e-8, limit: 200 };
        integrate(f, -0.5306924331018978, 2.6506225673903714, &[], &options).unwrap()
    };
    let (large, small) = (solve(f64::MAX), solve(1.0));
    assert_eq!((large.status, large.neval), (Status::Converged, 63));
    assert_eq!((small.status, small.neval), (Status::Converged, 63));
    assert!((large.value / f64::MAX - small.value).abs() < 1e-12);
    assert!(large.error > 0.0 && large.error < 9e-8 * large.value);
}

#[test]
fn every_status_has_its_code_and_says_what_to_do() {
    let statuses = [
        Status::Converged,
        Status::LimitReached,
        Status::RoundoffDetected,
        Status::BadIntegrand,
        Status::RoundoffInExtrapolation,
        Status::Divergent,
        Status::NonFinite { at: 0.5, value: -INF },
    ];
    assert_eq!(statuses.map(|status| status.code()), [0, 1, 2, 3, 4, 5, 7]);
    assert_eq!(statuses.map(|status| status.is_success()), [true, false, false, false, false, false, false]);
    for status in statuses {
        assert_eq!(status.to_string(), status.message());
    }
    assert_eq!(
        statuses[6].message(),
        "the integrand returned -inf at x = 0.5, and the integration was stopped there; make the integrand finite \
         there, or split the range with `points` so that x is an end, where the integrand is never evaluated"
    );
}

#[test]
fn errors_print_and_have_a_source() {
    use std::error::Error;

    let failed = QuadError::Integrand(std::io::Error::other("no data"));
    assert_eq!(failed.to_string(), "the integrand failed: no data");
    assert_eq!(failed.source().unwrap().to_string(), "no data");
    let refused = QuadError::<std::io::Error>::from(InvalidInput::NoIntervals);
    assert_eq!(refused.to_string(), InvalidInput::NoIntervals.to_string());
    assert!(refused.source().is_none());
}
