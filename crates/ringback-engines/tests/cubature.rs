//! `cubature` against exact integrals, and at its limits.

#[allow(unreachable_pub, reason = "shared by two test programs")]
mod genz;

use std::convert::Infallible;
use std::f64::consts::PI;
use std::sync::atomic::{AtomicUsize, Ordering};

use genz::{FAMILIES, parameters};
use ringback_engines::{
    BoxError, Cubature, CubatureOptions, CubatureStatus, Field, InvalidBox, Points, cubature, field,
};

const INF: f64 = f64::INFINITY;

fn one(f: impl Fn(&[f64]) -> f64 + Sync) -> impl Field<Error = Infallible> {
    field(1, move |x: &[f64], y: &mut [f64]| {
        y[0] = f(x);
        Ok(())
    })
}

fn with(rtol: f64) -> CubatureOptions {
    CubatureOptions { rtol, ..Default::default() }
}

fn run(f: impl Fn(&[f64]) -> f64 + Sync, a: &[f64], b: &[f64], options: &CubatureOptions) -> Cubature {
    cubature(&one(f), a, b, &[], options).unwrap()
}

#[test]
fn polynomials_of_degree_seven_are_exact() {
    for dims in 2..=8 {
        // The rule is exact, and the rule of degree 5 beside it is not: the value is right whatever the error says.
        let f = |x: &[f64]| x[0].powi(4) * x[1].powi(3) - 2.0 * x[dims - 1].powi(7) + x.iter().sum::<f64>();
        let options = CubatureOptions { max_subdivisions: 0, ..Default::default() };
        let result = run(f, &vec![-1.0; dims], &vec![2.0; dims], &options);
        let side = 3.0_f64;
        let volume = side.powi(dims as i32);
        let first = 33.0 / 5.0 * 15.0 / 4.0;
        let exact = first * side.powi(dims as i32 - 2) - 2.0 * 255.0 / 8.0 * side.powi(dims as i32 - 1)
            + volume * dims as f64 * 0.5;
        assert!((result.value[0] - exact).abs() < 1e-11 * volume * 128.0, "{dims}: {} {exact}", result.value[0]);
        let linear = run(|x| x.iter().sum(), &vec![-1.0; dims], &vec![2.0; dims], &Default::default());
        assert_eq!((linear.status, linear.subdivisions), (CubatureStatus::Converged, 0));
    }
}

#[test]
fn the_families_of_genz_have_the_integrals_they_should_and_honest_errors() {
    for family in &FAMILIES {
        for dims in [2, 3, 4, 5, 6] {
            for number in 0..3 {
                let p = parameters(family, dims, number);
                let exact = (family.exact)(&p);
                let rough = matches!(family.name, "continuous" | "discontinuous");
                // A jump may be missed where it runs between all samples: see below.
                let missed = if family.name == "discontinuous" && dims > 3 { 3.0 } else { 1.0 };
                let options = CubatureOptions { max_subdivisions: 20_000, ..with(if rough { 1e-2 } else { 1e-4 }) };
                let result = run(|x| (family.f)(&p, x), &vec![0.0; dims], &vec![1.0; dims], &options);
                let (value, error) = (result.value[0], result.error[0]);
                let label = format!("{} {dims} {number}: {value} {error:e}, exact {exact}", family.name);
                assert!((value - exact).abs() <= missed * error + 1e-13 * exact.abs(), "{label}");
                if result.status == CubatureStatus::Converged {
                    assert!(error <= options.rtol * value.abs(), "{label}");
                } else {
                    assert_eq!(result.status, CubatureStatus::LimitReached, "{label}");
                    assert!(rough && dims > 3, "{label} after {}", result.subdivisions);
                }
            }
        }
    }
}

/// Jumps in many dimensions are where a rule with few points must sometimes be wrong: all samples of a region may be on
/// one side. What can be asked for is that it is rare and not by much.
#[test]
fn errors_of_jumps_are_seldom_too_small_and_not_by_much() {
    let family = FAMILIES.iter().find(|family| family.name == "discontinuous").unwrap();
    let mut small = 0;
    for dims in [2, 3, 4, 5, 6] {
        for number in 0..12 {
            let p = parameters(family, dims, number);
            let result = run(|x| (family.f)(&p, x), &vec![0.0; dims], &vec![1.0; dims], &with(1e-2));
            let ratio = (result.value[0] - (family.exact)(&p)).abs() / result.error[0];
            assert_eq!(result.status, CubatureStatus::Converged);
            assert!(ratio <= if dims < 4 { 1.0 } else { 3.0 }, "{dims} {number}: {ratio}");
            small += usize::from(ratio > 1.0);
        }
    }
    assert!(small <= 6, "{small} of 60");
}

#[test]
fn infinite_sides() {
    let bell = |x: &[f64]| (-x.iter().map(|x| x * x).sum::<f64>()).exp();
    for (dims, rtol) in [(2, 1e-8), (3, 1e-6), (4, 1e-4)] {
        let exact = PI.powf(dims as f64 / 2.0);
        let whole = run(bell, &vec![-INF; dims], &vec![INF; dims], &with(rtol));
        assert_eq!(whole.status, CubatureStatus::Converged);
        assert!((whole.value[0] - exact).abs() <= whole.error[0], "{dims}: {whole:?}");
        let mut low = vec![0.0; dims];
        low[0] = -INF;
        let mut high = vec![INF; dims];
        high[0] = 0.0;
        let part = run(bell, &low, &high, &with(rtol));
        assert!((part.value[0] - exact / f64::from(1 << dims)).abs() <= part.error[0], "{dims}: {part:?}");
    }
    // One finite side, one that decays slowly, and backwards: ∫₁^∞ ∫_0^2 y / x³ dy dx = 1, with both sides swapped.
    let result = run(|x| x[1] * x[0].powi(-3), &[INF, 2.0], &[1.0, 0.0], &with(1e-9));
    assert!((result.value[0] - 1.0).abs() <= result.error[0]);
    let result = run(|x| x[1] * x[0].powi(-3), &[INF, 0.0], &[1.0, 2.0], &with(1e-9));
    assert!((result.value[0] + 1.0).abs() <= result.error[0]);
}

#[test]
fn singular_corners_and_points() {
    // ∫∫ 1/√(x y) = 4, singular along two sides.
    let result = run(|x| 1.0 / (x[0] * x[1]).sqrt(), &[0.0, 0.0], &[1.0, 1.0], &with(1e-4));
    assert_eq!(result.status, CubatureStatus::Converged);
    assert!((result.value[0] - 4.0).abs() <= result.error[0]);
    // ∫∫ ln(x² + y²) over [-1, 1]² = 4 ln 2 - 12 + 2π, singular inside; its centre is the first point that is sampled.
    let f = one(|x| (x[0] * x[0] + x[1] * x[1]).ln());
    let exact = 4.0 * 2.0_f64.ln() - 12.0 + 2.0 * PI;
    let stopped = cubature(&f, &[-1.0; 2], &[1.0; 2], &[], &with(1e-6)).unwrap();
    assert_eq!(stopped.status, CubatureStatus::NonFinite { at: vec![0.0, 0.0], value: -INF });
    assert!(stopped.value[0].is_nan() && stopped.error[0] == INF);
    // Points outside change nothing.
    let points = [0.0, 0.0, 3.0, 0.0, -1.0, 0.5];
    let result = cubature(&f, &[-1.0; 2], &[1.0; 2], &points, &with(1e-6)).unwrap();
    assert_eq!(result.status, CubatureStatus::Converged);
    assert!((result.value[0] - exact).abs() <= result.error[0]);
    assert_eq!(result, cubature(&f, &[-1.0; 2], &[1.0; 2], &points[..2], &with(1e-6)).unwrap());
    // Also where sides are mapped.
    let f = one(|x| ((x[0] - 1.0).powi(2) + x[1] * x[1]).ln() * (-(x[0] - 1.0).powi(2) - x[1] * x[1]).exp());
    let result = cubature(&f, &[-INF; 2], &[INF; 2], &[1.0, 0.0], &with(1e-5)).unwrap();
    // In polar coordinates: π ∫ ln(s) e^(-s) ds = -π γ.
    assert!((result.value[0] + PI * 0.577_215_664_901_532_9).abs() <= result.error[0]);
}

#[test]
fn several_results_at_once() {
    let f = field(3, |x: &[f64], y: &mut [f64]| {
        y[0] = 1e6 * (x[0] + x[1]).exp();
        y[1] = (10.0 * x[0]).cos() * x[1];
        y[2] = 0.0;
        Ok::<_, Infallible>(())
    });
    let options = CubatureOptions { atol: 1e-12, ..with(1e-8) };
    let result = cubature(&f, &[0.0; 2], &[1.0; 2], &[], &options).unwrap();
    assert_eq!(result.status, CubatureStatus::Converged);
    let exact = [1e6 * 1.0_f64.exp_m1().powi(2), 10.0_f64.sin() / 20.0, 0.0];
    for (k, exact) in exact.iter().enumerate() {
        assert!((result.value[k] - exact).abs() <= result.error[k] + 1e-13 * exact.abs());
        assert!(result.error[k] <= 1e-12 + 1e-8 * exact.abs());
    }
    // A single one of them, over 8 dimensions.
    let f = field(2, |x: &[f64], y: &mut [f64]| {
        y[0] = x.iter().sum();
        y[1] = x.iter().map(|x| x * x).sum();
        Ok::<_, Infallible>(())
    });
    let result = cubature(&f, &[0.0; 8], &[1.0; 8], &[], &options).unwrap();
    assert!((result.value[0] - 4.0).abs() < 1e-12 && (result.value[1] - 8.0 / 3.0).abs() < 1e-12);
    assert_eq!(result.neval, 401);
}

/// Pads blocks and counts points and calls.
struct Counted {
    calls: AtomicUsize,
    points: AtomicUsize,
}

impl Field for Counted {
    type Error = Infallible;
    fn eval(&self, x: Points<'_>, y: &mut [f64]) -> Result<(), Infallible> {
        assert_eq!(x.len() % 8, 0);
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.points.fetch_add(x.len(), Ordering::Relaxed);
        for (i, y) in y.iter_mut().enumerate() {
            *y = (-3.0 * x.column(0)[i] - 5.0 * (x.column(1)[i] - 0.3).abs() * x.column(2)[i]).exp();
        }
        Ok(())
    }
    fn lanes(&self) -> usize {
        8
    }
}

#[test]
fn any_number_of_workers_gives_the_same_bits_and_counts() {
    let results: Vec<_> = (1..=4)
        .map(|workers| {
            let f = Counted { calls: AtomicUsize::new(0), points: AtomicUsize::new(0) };
            let options = CubatureOptions { workers, ..with(1e-9) };
            let result = cubature(&f, &[0.0; 3], &[1.0; 3], &[], &options).unwrap();
            assert_eq!(result.neval, 33 * (1 + 2 * result.subdivisions));
            let (calls, points) = (f.calls.into_inner(), f.points.into_inner());
            assert!(points >= result.neval && points < result.neval + 8 * calls);
            assert!(calls < result.neval / 60, "{calls} calls for {} points", result.neval);
            (result, calls, points)
        })
        .collect();
    assert_eq!(results[0].0.status, CubatureStatus::Converged);
    assert!(results[0].0.subdivisions > 1000);
    assert!(results.iter().all(|result| *result == results[0]));
}

#[test]
fn failures_come_out_whoever_meets_them() {
    for workers in [1, 3] {
        let calls = AtomicUsize::new(0);
        let f = field(1, |x: &[f64], y: &mut [f64]| {
            calls.fetch_add(1, Ordering::Relaxed);
            y[0] = (x[0] - 0.3).abs() + (x[1] - 0.7).abs();
            if (x[0] - 0.3).abs() < 1e-3 { Err("close") } else { Ok(()) }
        });
        let options = CubatureOptions { workers, ..with(1e-10) };
        assert_eq!(cubature(&f, &[0.0; 2], &[1.0; 2], &[], &options), Err(BoxError::Integrand("close")));
        assert!(calls.into_inner() > 100);
    }
}

#[test]
fn values_that_are_not_finite_are_never_passed_over() {
    for bad in [f64::NAN, INF, -INF] {
        for b in [1.0, INF] {
            let result = run(|x| if x[0] > 0.9 { bad } else { x[1] }, &[0.0; 3], &[b; 3], &Default::default());
            let CubatureStatus::NonFinite { at, value } = &result.status else { panic!("{result:?}") };
            assert!(at[0] > 0.9 && value.to_bits() == bad.to_bits(), "{at:?} {value}");
            assert!(result.value[0].is_nan() && result.error[0] == INF);
        }
    }
    let result = run(|_| f64::MAX, &[0.0; 2], &[10.0; 2], &Default::default());
    assert_eq!(result.status, CubatureStatus::BadIntegrand);
    assert!(result.value[0].is_nan());
}

#[test]
fn what_cannot_be_reached_is_said() {
    let kink = |x: &[f64]| (x[0] + x[1] - 0.7).abs();
    let limited = run(kink, &[0.0; 2], &[1.0; 2], &CubatureOptions { max_subdivisions: 7, ..with(1e-9) });
    assert_eq!((limited.status, limited.subdivisions, limited.neval), (CubatureStatus::LimitReached, 7, 17 * 15));
    let rounded = run(|x| 1.0 + 1e-9 * (1e6 * x[0]).sin(), &[0.0; 2], &[1.0; 2], &with(2e-14));
    assert_eq!(rounded.status, CubatureStatus::LimitReached);
    // Of the square of length 2π a whole wave is left, as rounding leaves it.
    let side = [2.0 * PI; 2];
    let cancelled = run(|x| 1e10 * x[0].sin() + x[1], &[0.0; 2], &side, &CubatureOptions::default());
    assert_eq!(cancelled.status, CubatureStatus::RoundoffDetected);
    let steep = run(|x| 1.0 / (x[0] * x[0] * x[1]), &[0.0; 2], &[1.0; 2], &with(1e-6));
    assert_ne!(steep.status, CubatureStatus::Converged);
}

#[test]
fn empty_boxes_are_not_sampled() {
    let f = one(|_| panic!("sampled"));
    let result = cubature(&f, &[0.0, 1.0], &[2.0, 1.0], &[], &Default::default()).unwrap();
    assert_eq!((result.value[0], result.error[0], result.neval), (0.0, 0.0, 0));
    let result = cubature(&f, &[0.0, INF], &[2.0, INF], &[], &Default::default()).unwrap();
    assert_eq!(result.status, CubatureStatus::Converged);
}

#[test]
fn bad_input_is_refused_before_anything_is_sampled() {
    let f = one(|_| panic!("sampled"));
    let refused =
        |a: &[f64], b: &[f64], points: &[f64], options: &CubatureOptions| match cubature(&f, a, b, points, options) {
            Err(BoxError::InvalidInput(error)) => error.to_string(),
            other => panic!("{other:?}"),
        };
    let unit = ([0.0; 2], [1.0; 2]);
    let fine = CubatureOptions::default();
    for (text, expected) in [
        (
            refused(&[0.0], &[1.0], &[], &fine),
            "cubature is for boxes of 2 to 8 dimensions, found 1; use `quad` for one, and `monte_carlo` for more",
        ),
        (
            refused(&[0.0; 9], &[1.0; 9], &[], &fine),
            "cubature is for boxes of 2 to 8 dimensions, found 9; use `quad` for one, and `monte_carlo` for more",
        ),
        (
            refused(&[0.0; 2], &[1.0; 3], &[], &fine),
            "expected as many lower as upper limits, found 2 in `a` and 3 in `b`; give both for every dimension",
        ),
        (
            refused(&[0.0, f64::NAN], &unit.1, &[], &fine),
            "expected limits of integration that are numbers or infinite, found a[1] = NaN, b[1] = 1; look where the NaN \
             comes from",
        ),
        (
            refused(&unit.0, &unit.1, &[0.5, 0.5, f64::NAN, 0.5], &fine),
            "expected break points of 2 coordinates that are numbers, found points[1] = [NaN, 0.5]; leave it out",
        ),
        (
            refused(&unit.0, &unit.1, &[0.5, 0.5, 0.1], &fine),
            "expected break points of 2 coordinates that are numbers, found points[1] = [0.1]; leave it out",
        ),
        (
            refused(&unit.0, &unit.1, &[], &with(1e-15)),
            "expected tolerances of 0 or more, with atol > 0 or rtol >= 1.1102230246251565e-14 (50 times the rounding \
             error), found rtol = 1e-15, atol = 0.0; raise one of them",
        ),
        (
            refused(&unit.0, &unit.1, &[0.5, 0.5], &CubatureOptions { max_subdivisions: 2, ..fine }),
            "the break points divide the box more often than max_subdivisions = 2 allows; raise it, or leave some out",
        ),
        (
            refused(&unit.0, &unit.1, &[], &CubatureOptions { workers: 0, ..fine }),
            "expected `workers` of at least 1, found 0; leave it out to use all cores",
        ),
    ] {
        assert_eq!(text, expected);
    }
    for (rtol, atol) in [(f64::NAN, 0.0), (-1.0, 1.0), (1.0, f64::NAN), (1.0, -1.0)] {
        refused(&unit.0, &unit.1, &[], &CubatureOptions { rtol, atol, ..fine });
    }
    for outputs in [0, 1001, usize::MAX] {
        let none = field(outputs, |_: &[f64], _: &mut [f64]| Ok::<_, Infallible>(()));
        let result = cubature(&none, &unit.0, &unit.1, &[], &fine);
        assert_eq!(result, Err(BoxError::InvalidInput(InvalidBox::Outputs { found: outputs })));
    }
}
