//! `monte_carlo` against exact integrals: reproducible, and statistically honest.

#[allow(unreachable_pub, reason = "shared by two test programs")]
mod genz;

use std::convert::Infallible;
use std::f64::consts::PI;
use std::sync::atomic::{AtomicUsize, Ordering};

use genz::{FAMILIES, parameters};
use ringback_engines::{BoxError, Field, MonteCarlo, MonteCarloOptions, MonteCarloStatus, field, monte_carlo};

const INF: f64 = f64::INFINITY;

fn one(f: impl Fn(&[f64]) -> f64 + Sync) -> impl Field<Error = Infallible> {
    field(1, move |x: &[f64], y: &mut [f64]| {
        y[0] = f(x);
        Ok(())
    })
}

fn points(n: usize) -> MonteCarloOptions {
    MonteCarloOptions { n, ..Default::default() }
}

fn run(f: impl Fn(&[f64]) -> f64 + Sync, a: &[f64], b: &[f64], options: &MonteCarloOptions) -> MonteCarlo {
    monte_carlo(&one(f), a, b, options).unwrap()
}

/// A peak at (0.3, 0.4, …) whose integral over the unit cube is 1 to 14 digits.
fn peak(x: &[f64]) -> f64 {
    let width = 0.04_f64;
    let factor = |(i, x): (usize, &f64)| {
        let z = (x - 0.3 - 0.1 * (i % 4) as f64) / width;
        (-0.5 * z * z).exp() / (width * (2.0 * PI).sqrt())
    };
    x.iter().enumerate().map(factor).product()
}

#[test]
fn a_peak_in_four_dimensions_is_found_and_learnt() {
    let learnt = run(peak, &[0.0; 4], &[1.0; 4], &points(10_000));
    assert_eq!(learnt.status, MonteCarloStatus::Finished);
    assert!((learnt.value - 1.0).abs() < 4.0 * learnt.error, "{learnt:?}");
    // Without adaption the standard deviation of one value is about 20 (the volume of the peak is 1/500 of the cube's).
    assert!(learnt.error < 0.1 * 20.0 / 100_000.0_f64.sqrt(), "{learnt:?}");
    assert!(learnt.neval <= 150_000 && learnt.neval > 100_000);
    assert_eq!(learnt.dof, 9);
}

#[test]
fn the_families_of_genz_are_within_the_errors() {
    let (mut all, mut one_sigma) = (0, 0);
    for family in &FAMILIES {
        for dims in [1, 2, 5, 9] {
            // The discontinuous family needs two dimensions.
            if dims == 1 && family.name == "discontinuous" {
                continue;
            }
            let p = parameters(family, dims, 7);
            let exact = (family.exact)(&p);
            let result = run(|x| (family.f)(&p, x), &vec![0.0; dims], &vec![1.0; dims], &points(4000));
            let pull = (result.value - exact) / result.error;
            assert!(pull.abs() < 4.0, "{} {dims}: {result:?}, exact {exact}", family.name);
            assert_eq!(result.status, MonteCarloStatus::Finished, "{} {dims}", family.name);
            all += 1;
            one_sigma += usize::from(pull.abs() < 1.0);
        }
    }
    assert!((all / 2..all).contains(&one_sigma), "{one_sigma} of {all}");
}

/// Of 200 seeds, how many results are within one standard deviation, within two, and all pulls.
fn pulls(f: impl Fn(&[f64]) -> f64 + Sync, a: &[f64], b: &[f64], n: usize, exact: f64) -> (usize, usize, Vec<f64>) {
    let f = one(f);
    let pull = |seed| {
        let result = monte_carlo(&f, a, b, &MonteCarloOptions { seed, iterations: 6, warmup: 4, ..points(n) }).unwrap();
        (result.value - exact) / result.error
    };
    let pulls: Vec<f64> = (0..200).map(pull).collect();
    let within = |sigmas: f64| pulls.iter().filter(|pull| pull.abs() < sigmas).count();
    (within(1.0), within(2.0), pulls)
}

#[test]
fn pulls_are_those_of_a_normal_distribution() {
    let smooth = |x: &[f64]| (x[0] + x[1] + x[2] - x[3] * x[3]).exp();
    let exact = (1.0_f64.exp_m1()).powi(3) * PI.sqrt();
    let jump = |x: &[f64]| if x[0] < 0.3 && x[1] < 0.7 && x[2] > 0.55 { 1.0 } else { 0.0 };
    for (one, two, pulls) in [
        pulls(smooth, &[0.0, 0.0, 0.0, -INF], &[1.0, 1.0, 1.0, INF], 1000, exact),
        // Where pieces of the map once had corners that no point found.
        pulls(jump, &[0.0; 3], &[1.0; 3], 1000, 0.3 * 0.7 * 0.45),
    ] {
        // 136.5 ± 6.6 and 190.9 ± 2.9 are expected of 200.
        assert!((115..=158).contains(&one), "{one}");
        assert!(two >= 178, "{two}");
        assert!(pulls.iter().all(|pull| pull.abs() < 5.0));
        let mean = pulls.iter().sum::<f64>() / 200.0;
        assert!(mean.abs() < 4.0 / 200.0_f64.sqrt(), "{mean}");
    }
}

#[test]
fn any_number_of_workers_gives_the_same_bits() {
    let runs: Vec<_> = (1..=4)
        .map(|workers| {
            let options = MonteCarloOptions { workers, seed: 5, ..points(15_000) };
            run(peak, &[0.0; 5], &[1.0; 5], &options)
        })
        .collect();
    assert!(runs.iter().all(|run| *run == runs[0]));
    let other = run(peak, &[0.0; 5], &[1.0; 5], &MonteCarloOptions { seed: 6, ..points(15_000) });
    assert_ne!(other.value, runs[0].value);
    // Many dimensions: one cube, whose points several parts share.
    let many = |workers| run(peak, &[0.0; 12], &[1.0; 12], &MonteCarloOptions { workers, ..points(20_000) });
    assert_eq!(many(1), many(3));
}

#[test]
fn many_dimensions_and_infinite_sides() {
    let bell = |x: &[f64]| (-0.5 * x.iter().map(|x| x * x).sum::<f64>()).exp() / (2.0 * PI).powf(x.len() as f64 / 2.0);
    let whole = run(bell, &[-INF; 12], &[INF; 12], &points(8000));
    assert!((whole.value - 1.0).abs() < 4.0 * whole.error && whole.error < 0.01, "{whole:?}");
    let half = run(bell, &[0.0, -INF], &[INF, 0.0], &points(10_000));
    assert!((half.value - 0.25).abs() < 4.0 * half.error, "{half:?}");
    let backwards = run(bell, &[INF, -INF], &[0.0, 0.0], &points(10_000));
    assert_eq!(backwards.value, -half.value);
    let wide = run(|x| x.iter().map(|x| 2.0 * x).product(), &[0.0; 30], &[1.0; 30], &points(20_000));
    assert!((wide.value - 1.0).abs() < 4.0 * wide.error && wide.error < 0.05, "{wide:?}");
    let most = run(|x| x.iter().sum(), &[0.0; 64], &[1.0; 64], &points(5000));
    assert!((most.value - 32.0).abs() < 4.0 * most.error, "{most:?}");
}

#[test]
fn ends_early_where_the_tolerance_is_reached() {
    let f = |x: &[f64]| x[0] + x[1];
    let all = run(f, &[0.0; 2], &[1.0; 2], &points(1000));
    let early = run(f, &[0.0; 2], &[1.0; 2], &MonteCarloOptions { rtol: 1e-2, ..points(1000) });
    assert_eq!((early.status, early.dof), (MonteCarloStatus::Finished, 1));
    assert!(early.neval < all.neval / 2 && early.error <= 1e-2);
    let never = run(f, &[0.0; 2], &[1.0; 2], &MonteCarloOptions { atol: 1e-12, ..points(1000) });
    assert_eq!(never.status, MonteCarloStatus::LimitReached);
    assert_eq!(never.value, all.value);
}

#[test]
fn constants_zeros_and_values_of_any_size() {
    let constant = run(|_| 3.0, &[0.0; 3], &[2.0; 3], &points(1000));
    // The map follows the noise of the sample: the error is not zero, but small.
    assert!((constant.value - 24.0).abs() < 4.0 * constant.error && constant.error < 0.1, "{constant:?}");
    assert_eq!(constant.status, MonteCarloStatus::Finished);
    let zero = run(|_| 0.0, &[0.0; 3], &[2.0; 3], &points(1000));
    assert_eq!((zero.value, zero.error, zero.status), (0.0, 0.0, MonteCarloStatus::Finished));
    // Their squares are no numbers. In other units the result is the same, but for a point here and there that goes to
    // another cube.
    let plain = run(|x| 1.0 + x[0], &[0.0; 3], &[1.0; 3], &points(1000));
    for exponent in [-1000, -600, 600, 1000] {
        let unit = 2.0_f64.powi(exponent);
        let scaled = run(|x| (1.0 + x[0]) * unit, &[0.0; 3], &[1.0; 3], &points(1000));
        assert!((scaled.value / unit - plain.value).abs() < plain.error, "{scaled:?}");
        assert!((scaled.error / unit / plain.error - 1.0).abs() < 0.1, "{scaled:?}");
    }
    let large = run(|_| f64::MAX, &[0.0; 2], &[10.0; 2], &points(1000));
    assert_eq!(large.status, MonteCarloStatus::Overflow);
    assert!(large.value.is_nan() && large.error == INF);
    let empty = run(|_| panic!("sampled"), &[0.0, 1.0], &[1.0, 1.0], &points(1000));
    assert_eq!((empty.value, empty.error, empty.neval), (0.0, 0.0, 0));
}

#[test]
fn iterations_that_contradict_each_other_are_told() {
    // A function that is not the same from one iteration to the next.
    let calls = AtomicUsize::new(0);
    let f = |x: &[f64]| (calls.fetch_add(1, Ordering::Relaxed) / 1000) as f64 + x[0];
    let result = run(f, &[0.0; 2], &[1.0; 2], &points(1000));
    assert_eq!(result.status, MonteCarloStatus::Inconsistent, "{result:?}");
    assert!(result.chi2 > 5.0 * result.dof as f64);
}

#[test]
fn values_that_are_not_finite_are_never_passed_over() {
    for bad in [f64::NAN, INF, -INF] {
        for b in [1.0, INF] {
            for workers in [1, 3] {
                let options = MonteCarloOptions { workers, ..points(20_000) };
                let result = run(|x| if x[1] > 0.99 { bad } else { 1.0 }, &[0.0; 3], &[b; 3], &options);
                let MonteCarloStatus::NonFinite { at, value } = &result.status else { panic!("{result:?}") };
                assert!(at.len() == 3 && at[1] > 0.99 && value.to_bits() == bad.to_bits(), "{at:?} {value}");
                assert!(result.value.is_nan() && result.error == INF);
            }
        }
    }
}

#[test]
fn failures_come_out_whoever_meets_them() {
    for workers in [1, 3] {
        let calls = AtomicUsize::new(0);
        let f = field(1, |x: &[f64], y: &mut [f64]| {
            calls.fetch_add(1, Ordering::Relaxed);
            y[0] = x[0];
            if x[0] > 0.9999 { Err("close") } else { Ok(()) }
        });
        let options = MonteCarloOptions { workers, ..points(50_000) };
        assert_eq!(monte_carlo(&f, &[0.0; 2], &[1.0; 2], &options), Err(BoxError::Integrand("close")));
        assert!(calls.into_inner() > 10);
    }
}

#[test]
fn bad_input_is_refused_before_anything_is_sampled() {
    let f = one(|_| panic!("sampled"));
    let refused = |a: &[f64], b: &[f64], options: &MonteCarloOptions| match monte_carlo(&f, a, b, options) {
        Err(BoxError::InvalidInput(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let fine = points(1000);
    for (text, expected) in [
        (
            refused(&[], &[], &fine),
            "monte_carlo is for boxes of 1 to 64 dimensions, found 0; integrate over some by hand",
        ),
        (
            refused(&[0.0; 65], &[1.0; 65], &fine),
            "monte_carlo is for boxes of 1 to 64 dimensions, found 65; integrate over some by hand",
        ),
        (
            refused(&[0.0], &[1.0, 2.0], &fine),
            "expected as many lower as upper limits, found 1 in `a` and 2 in `b`; give both for every dimension",
        ),
        (
            refused(&[0.0], &[1.0], &MonteCarloOptions { rtol: -1.0, ..fine }),
            "expected tolerances of 0 or more, found rtol = -1.0, atol = 0.0; 0 does all iterations",
        ),
        (
            refused(&[0.0], &[1.0], &MonteCarloOptions { iterations: 1, ..fine }),
            "expected at least 16 points an iteration and 2 iterations, found n = 1000, iterations = 1; raise them",
        ),
        (
            refused(&[0.0], &[1.0], &MonteCarloOptions { workers: 0, ..fine }),
            "expected `workers` of at least 1, found 0; leave it out to use all cores",
        ),
    ] {
        assert_eq!(text, expected);
    }
    let two = field(2, |_: &[f64], _: &mut [f64]| Ok::<_, Infallible>(()));
    let error = monte_carlo(&two, &[0.0], &[1.0], &fine).unwrap_err();
    assert_eq!(error.to_string(), "monte_carlo is for functions of 1 result, found 2; integrate one after the other");
}
