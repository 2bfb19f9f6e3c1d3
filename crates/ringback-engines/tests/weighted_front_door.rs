//! What integrals with weights do with arguments at the edge of sense, and with integrands that fail.

use std::convert::Infallible;

use ringback_engines::{
    Integrand, Options, QuadError, Quadrature, Status, Weight, WeightedOptions, Workspace, pointwise, quad_weighted,
    quad_weighted_with,
};

const INF: f64 = f64::INFINITY;
const DEFAULT: WeightedOptions =
    WeightedOptions { quad: Options { epsabs: 1.49e-8, epsrel: 1.49e-8, limit: 50 }, maxp1: 50, limlst: 50 };

fn algebraic(alpha: f64, beta: f64) -> Weight {
    Weight::Algebraic { alpha, beta, log_lower: false, log_upper: false }
}

fn integrate(f: impl Fn(f64) -> f64, a: f64, b: f64, weight: Weight) -> Quadrature {
    quad_weighted(pointwise(|x| Ok::<_, Infallible>(f(x))), a, b, weight, &DEFAULT).unwrap()
}

/// Every kind of weight, with ranges for it.
fn everything() -> [(Weight, f64, f64); 9] {
    [
        (Weight::Cos { omega: 0.5 }, 0.0, 1.0),
        (Weight::Cos { omega: 40.0 }, 0.0, 1.0),
        (Weight::Sin { omega: 40.0 }, 0.0, 1.0),
        (Weight::Cos { omega: 2.0 }, 0.0, INF),
        (Weight::Sin { omega: 2.0 }, -INF, 0.5),
        (Weight::Cos { omega: 0.0 }, 0.0, INF),
        (algebraic(-0.5, 0.3), 0.0, 1.0),
        (Weight::Algebraic { alpha: -0.5, beta: 0.0, log_lower: true, log_upper: true }, 0.0, 1.0),
        (Weight::Cauchy { c: 0.3 }, 0.0, 1.0),
    ]
}

#[test]
fn invalid_input_is_refused_in_words() {
    let (cos, sin) = (Weight::Cos { omega: 1.0 }, Weight::Sin { omega: 1.0 });
    let options = |epsabs, epsrel, limit| WeightedOptions { quad: Options { epsabs, epsrel, limit }, ..DEFAULT };
    let cases: &[(f64, f64, Weight, WeightedOptions, &str)] = &[
        (
            f64::NAN,
            1.0,
            cos,
            DEFAULT,
            "expected limits of integration that are numbers or infinite, found a = NaN, b = 1; look where the NaN \
             comes from",
        ),
        (
            0.0,
            1.0,
            Weight::Cos { omega: f64::NAN },
            DEFAULT,
            "expected a finite frequency for the weight, found NaN; look where it comes from",
        ),
        (
            0.0,
            1.0,
            Weight::Sin { omega: -INF },
            DEFAULT,
            "expected a finite frequency for the weight, found -inf; look where it comes from",
        ),
        (
            0.0,
            1.0,
            Weight::Sin { omega: 1e200 },
            DEFAULT,
            "the frequency 1e200 of the weight is out of reach for this range: its oscillations cannot be told apart in \
             double precision, or the cycles go beyond its largest number; substitute another unit for x",
        ),
        (
            -INF,
            INF,
            cos,
            DEFAULT,
            "expected at least one finite limit with the weight sin or cos, found a range from -inf to inf; integrate \
             both halves and add the results",
        ),
        (
            0.0,
            INF,
            sin,
            options(0.0, 1e-8, 50),
            "expected epsabs > 0 with the weight sin or cos and an infinite range, where epsrel is not used, found \
             epsabs = 0.0; give an absolute tolerance",
        ),
        (
            0.0,
            INF,
            sin,
            WeightedOptions { limlst: 2, ..DEFAULT },
            "expected `limlst` of at least 3, found 2; 50 is the default",
        ),
        (
            0.0,
            1.0,
            sin,
            WeightedOptions { maxp1: 0, ..DEFAULT },
            "expected `maxp1` of at least 1, found 0; 50 is the default",
        ),
        (
            0.0,
            INF,
            sin,
            WeightedOptions { maxp1: 0, ..DEFAULT },
            "expected `maxp1` of at least 1, found 0; 50 is the default",
        ),
        (0.0, 1.0, cos, options(1e-8, 0.0, 0), "expected `limit` of at least 1, found 0; 50 is the default"),
        (0.0, INF, cos, options(1e-8, 0.0, 0), "expected `limit` of at least 1, found 0; 50 is the default"),
        (
            0.0,
            1.0,
            algebraic(-1.0, 0.0),
            DEFAULT,
            "expected finite exponents alpha > -1 and beta > -1 for the weight, found alpha = -1.0, beta = 0.0; with \
             smaller ones the integral does not exist",
        ),
        (
            0.0,
            1.0,
            algebraic(0.0, f64::NAN),
            DEFAULT,
            "expected finite exponents alpha > -1 and beta > -1 for the weight, found alpha = 0.0, beta = NaN; with \
             smaller ones the integral does not exist",
        ),
        (
            0.0,
            1.0,
            algebraic(0.0, 0.0),
            options(1e-8, 0.0, 1),
            "expected `limit` of at least 2 with an algebraic weight, found 1; 50 is the default",
        ),
        (
            0.0,
            1.0,
            algebraic(0.0, 0.0),
            options(-1.0, 0.0, 50),
            "expected epsabs > 0 or epsrel >= 1.1102230246251565e-14 (50 times the rounding error), found epsabs = \
             -1.0, epsrel = 0.0; raise one of them",
        ),
        (
            0.0,
            INF,
            algebraic(0.0, 0.0),
            DEFAULT,
            "this weight needs a finite range, found a = 0, b = inf; integrate a finite part with the weight and the \
             rest with it written into the integrand",
        ),
        (
            -INF,
            1.0,
            Weight::Cauchy { c: 0.0 },
            DEFAULT,
            "this weight needs a finite range, found a = -inf, b = 1; integrate a finite part with the weight and the \
             rest with it written into the integrand",
        ),
        (
            0.0,
            1.0,
            Weight::Cauchy { c: 1.0 },
            DEFAULT,
            "expected a finite pole that is no end of the range, found c = 1.0 with a = 0.0, b = 1.0; the principal \
             value does not exist otherwise",
        ),
        (
            0.0,
            1.0,
            Weight::Cauchy { c: INF },
            DEFAULT,
            "expected a finite pole that is no end of the range, found c = inf with a = 0.0, b = 1.0; the principal \
             value does not exist otherwise",
        ),
    ];
    for (a, b, weight, options, text) in cases {
        let integrand = pointwise(|_| -> Result<f64, Infallible> { panic!("evaluated with invalid input") });
        match quad_weighted(integrand, *a, *b, *weight, options) {
            Err(QuadError::InvalidInput(input)) => assert_eq!(input.to_string(), *text),
            other => panic!("{weight:?} over [{a}, {b}] was not refused: {other:?}"),
        }
    }
}

#[test]
fn frequencies_whose_cycles_cannot_be_told_apart_or_counted_are_refused() {
    for (omega, a, b) in
        [(1.0, 1e20, INF), (1e-308, 0.0, INF), (5e-324, 0.0, INF), (1e80, 0.0, INF), (1.0, -INF, -1e20)]
    {
        let never = pointwise(|_| -> Result<f64, Infallible> { panic!("evaluated") });
        let result = quad_weighted(never, a, b, Weight::Cos { omega }, &DEFAULT);
        let Err(QuadError::InvalidInput(input)) = result else { panic!("{omega} from {a} to {b}: {result:?}") };
        assert!(input.to_string().starts_with(&format!("the frequency {omega:?} of the weight is out of reach")));
    }
}

#[test]
fn an_empty_range_is_zero_and_evaluates_nothing() {
    for (weight, a, b) in everything() {
        for end in [a, b] {
            let never = pointwise(|_| -> Result<f64, Infallible> { panic!("evaluated") });
            let Quadrature { value, error, neval, intervals, status } =
                quad_weighted(never, end, end, weight, &DEFAULT).unwrap();
            assert_eq!((value, error, neval, intervals, status), (0.0, 0.0, 0, 0, Status::Converged));
        }
    }
}

#[test]
fn a_range_the_other_way_round_changes_the_sign_and_nothing_else() {
    for (weight, a, b) in everything() {
        let f = |x: f64| (-x * x).exp() + 0.1 * (-x.abs()).exp();
        let there = integrate(f, a, b, weight);
        let back = integrate(f, b, a, weight);
        assert_eq!(Quadrature { value: -there.value, ..there }, back);
        assert!(there.value != 0.0);
    }
}

#[test]
fn the_first_value_that_is_not_finite_stops_the_integration() {
    for bad in [f64::NAN, INF, -INF] {
        for (weight, a, b) in everything() {
            let f = |x: f64| if x.abs() > 0.4 { bad } else { 1.0 };
            let result = integrate(f, a, b, weight);
            let Status::NonFinite { at, value } = result.status else { panic!("{weight:?}: {result:?}") };
            assert!(at.abs() > 0.4 && (a..=b).contains(&at), "{at} in [{a}, {b}]");
            assert!(value == bad || value.is_nan() && bad.is_nan());
            assert!(result.value.is_nan() && result.error == INF);
            assert!((15..=50).contains(&result.neval));
        }
    }
    let result = integrate(|x| 1.0 / x, 0.0, 1.0, Weight::Cos { omega: 10.0 });
    assert_eq!(
        result.status.message_with_weight(),
        "the integrand returned inf at x = 0.0, and the integration was stopped there; make the integrand finite \
         there: with a weight, it is evaluated at the ends of the range too"
    );
}

#[test]
fn what_was_integrated_before_is_not_counted() {
    let mut workspace = Workspace::new();
    for (weight, a, b) in everything() {
        let rough = pointwise(|x: f64| Ok::<_, Infallible>((40.0 * x).sin().abs() / (1.0 + x * x)));
        let before = quad_weighted_with(&mut workspace, rough, a, b, weight, &DEFAULT).unwrap();
        assert!(before.intervals > 1 || b == INF, "{weight:?}: {before:?}");
        let bad = pointwise(|_| Ok::<_, Infallible>(f64::NAN));
        let after = quad_weighted_with(&mut workspace, bad, a, b, weight, &DEFAULT).unwrap();
        assert_eq!(after.intervals, 1, "{weight:?}: {after:?}");
    }
}

#[test]
fn a_failing_integrand_ends_the_integration_with_its_own_error() {
    #[derive(Debug, PartialEq)]
    struct TooFar(f64);

    for (weight, a, b) in everything() {
        let mut calls = 0;
        let mut after_failure = 0;
        let result = quad_weighted(
            pointwise(|x: f64| {
                calls += 1;
                if calls > 60 {
                    after_failure += 1;
                    return Err(TooFar(x));
                }
                Ok((70.0 * x).sin().abs() / (1.0 + x * x))
            }),
            a,
            b,
            weight,
            &DEFAULT,
        );
        assert!(matches!(result, Err(QuadError::Integrand(TooFar(x))) if (a..=b).contains(&x)), "{result:?}");
        assert_eq!((calls, after_failure), (61, 1));
    }
}

/// Notes the sizes of the blocks that it is asked for.
struct Blocks {
    lanes: usize,
    sizes: Vec<usize>,
}

impl Integrand for Blocks {
    type Error = Infallible;

    fn eval(&mut self, x: &[f64], y: &mut [f64]) -> Result<(), Infallible> {
        assert_eq!(x.len(), y.len());
        self.sizes.push(x.len());
        y.iter_mut().zip(x).for_each(|(y, x)| *y = (-x.abs()).exp() * (x - 0.2).abs().sqrt());
        Ok(())
    }

    fn lanes(&self) -> usize {
        self.lanes
    }
}

#[test]
fn blocks_are_whole_rules_or_two_halves_padded_and_nothing_else_changes() {
    for (weight, a, b) in everything() {
        let mut plain = Blocks { lanes: 1, sizes: Vec::new() };
        let expected = quad_weighted(&mut plain, a, b, weight, &DEFAULT).unwrap();
        assert!(plain.sizes.iter().all(|n| [15, 25, 30, 40, 50].contains(n)), "{weight:?}: {:?}", plain.sizes);
        assert_eq!(plain.sizes.iter().sum::<usize>(), expected.neval);
        let mut padded = Blocks { lanes: 8, sizes: Vec::new() };
        assert_eq!(quad_weighted(&mut padded, a, b, weight, &DEFAULT).unwrap(), expected);
        let sizes: Vec<usize> = plain.sizes.iter().map(|n| n.next_multiple_of(8)).collect();
        assert_eq!(padded.sizes, sizes);
    }
}

#[test]
fn every_status_has_its_code_and_says_what_to_do() {
    let statuses = [Status::CycleLimitReached, Status::CyclesDoNotConverge, Status::BadCycle { from: 0.5, to: 7.25 }];
    assert_eq!(statuses.map(|status| status.code()), [1, 4, 8]);
    assert_eq!(
        statuses.map(|status| status.message_with_weight().into_owned()),
        [
            "the largest allowed number of cycles was reached before the tolerance; raise `limlst`, or ask for less \
             accuracy",
            "the series of the integrals over the cycles does not converge to the tolerance; check that the integral \
             exists, or ask for less accuracy",
            "the integral over the cycle from 0.5 to 7.25 could not be computed accurately enough; raise `limit`, or \
             integrate the part of the range where the integrand is difficult by itself",
        ]
    );
    assert!(statuses.iter().all(|status| status.message() == status.message_with_weight()));
    for status in [Status::LimitReached, Status::BadIntegrand, Status::RoundoffInExtrapolation] {
        assert!(status.message().contains("`points`"));
        assert!(!status.message_with_weight().contains("`points`"), "{}", status.message_with_weight());
    }
}

#[test]
fn a_bad_cycle_of_a_range_from_minus_infinity_is_named_as_it_is() {
    let spike = |x: f64| if (x + 3.0).abs() < 1.0 { (x + 3.0).abs().powf(-0.99).min(1e9) } else { 0.0 };
    let options = WeightedOptions { quad: Options { limit: 3, ..Options::default() }, ..DEFAULT };
    let f = pointwise(|x| Ok::<_, Infallible>(spike(x)));
    let result = quad_weighted(f, -INF, 0.0, Weight::Cos { omega: 1.0 }, &options).unwrap();
    let Status::BadCycle { from, to } = result.status else { panic!("{result:?}") };
    assert!((to - from - 3.0 * std::f64::consts::PI).abs() < 1e-12 && to == 0.0, "{from} to {to}");
}
