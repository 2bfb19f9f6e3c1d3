//! A table of integrals with weights, compared with what SciPy's `quad` says about them and with their exact values.
//!
//! The table is `golden/weighted.csv`, written by `golden/weighted.py`; what `problems.rs` says about platforms holds
//! here too.

mod families;

use std::collections::HashSet;
use std::convert::Infallible;

use families::{Family, family};
use ringback_engines::{
    Options, Quadrature, Status, Weight, WeightedOptions, Workspace, pointwise, quad_weighted_with,
};

const TABLE: &str = include_str!("golden/weighted.csv");

/// The integrands that only this table has.
const MORE: &[(&str, Family)] = &[
    ("log_or_zero", |x, p| if x > 0.0 { (p * x).ln() } else { 0.0 }),
    ("power_or_zero", |x, p| if x > 0.0 { x.powf(p) } else { 0.0 }),
    ("log_squared", |x, p| if x > 0.0 { (p + x.ln() * x.ln()).powf(-2.0) } else { 0.0 }),
    ("inverse_cubic", |x, p| 1.0 / (5.0 * x * x * x + p)),
    ("book_peak", |x, p| 2_f64.powf(-p) / ((x - 1.0) * (x - 1.0) + 4_f64.powf(-p))),
    ("book_exp", |x, _| (20.0 * (x - 1.0)).exp()),
    ("book_gamma", |x, p| x * x * (-2_f64.powf(-p) * x).exp()),
    ("reciprocal", |x, p| 1.0 / (x + p)),
    ("cosine", |x, p| (p * x).cos()),
];

/// One line of the table.
#[derive(Debug, Clone)]
struct Problem {
    family: &'static str,
    p: f64,
    a: f64,
    b: f64,
    weight: Weight,
    /// NaN if it is unknown or does not exist.
    exact: f64,
    options: WeightedOptions,
    scipy: Quadrature,
    status: u8,
}

fn weight(name: &str, w1: f64, w2: f64) -> Weight {
    let algebraic = |log_lower, log_upper| Weight::Algebraic { alpha: w1, beta: w2, log_lower, log_upper };
    match name {
        "cos" => Weight::Cos { omega: w1 },
        "sin" => Weight::Sin { omega: w1 },
        "alg" => algebraic(false, false),
        "alg-loga" => algebraic(true, false),
        "alg-logb" => algebraic(false, true),
        "alg-log" => algebraic(true, true),
        "cauchy" => Weight::Cauchy { c: w1 },
        other => panic!("the table has a weight {other:?} that is not known here"),
    }
}

fn parse(line: &'static str) -> Problem {
    let fields: Vec<&'static str> = line.split(',').collect();
    let float = |i: usize| fields[i].parse::<f64>().unwrap_or_else(|e| panic!("{e} in {line}"));
    let count = |i: usize| fields[i].parse::<usize>().unwrap_or_else(|e| panic!("{e} in {line}"));
    let neval = count(15);
    Problem {
        family: fields[0],
        p: float(1),
        a: float(2),
        b: float(3),
        weight: weight(fields[4], float(5), float(6)),
        exact: float(7),
        options: WeightedOptions {
            quad: Options { epsabs: float(8), epsrel: float(9), limit: count(10) },
            maxp1: count(11),
            limlst: count(12),
        },
        scipy: Quadrature {
            value: float(13),
            error: float(14),
            neval,
            // QAWO does not count an interval that is never divided.
            intervals: if neval > 0 { count(16).max(1) } else { count(16) },
            status: Status::Converged,
        },
        status: u8::try_from(count(17)).unwrap(),
    }
}

fn problems() -> impl Iterator<Item = Problem> {
    TABLE.lines().filter(|line| !line.starts_with('#')).skip(1).map(parse)
}

fn solve(problem: &Problem, workspace: &mut Workspace) -> Quadrature {
    let more = MORE.iter().find(|(name, _)| *name == problem.family);
    let (f, p) = (more.map_or_else(|| family(problem.family), |(_, f)| *f), problem.p);
    let integrand = pointwise(|x| Ok::<f64, Infallible>(f(x, p)));
    quad_weighted_with(workspace, integrand, problem.a, problem.b, problem.weight, &problem.options).unwrap()
}

/// Within a part of the larger of the two.
fn close(found: f64, expected: f64, tolerance: f64) -> bool {
    found == expected || (found - expected).abs() <= tolerance * found.abs().max(expected.abs())
}

/// Away from the platform of the table only problems that leave rounding some room have comparable counts.
fn is_platform_dependent(problem: &Problem) -> bool {
    let same_library = cfg!(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"));
    !same_library && (problem.status != 0 || problem.options.quad.epsabs < 1e-8)
}

/// In SciPy 1.17, QAWO takes intervals for too narrow when they are 1000 rounding errors of 1 wide. In QUADPACK it is 1000
/// times the smallest number, which counts around zero only.
fn scipy_gives_up_early(problem: &Problem) -> bool {
    matches!(problem.weight, Weight::Cos { .. } | Weight::Sin { .. }) && problem.status == 3
}

#[test]
fn agrees_with_scipy() {
    let mut workspace = Workspace::new();
    let mut failures = Vec::new();
    let (mut equal, mut early) = (0, 0);
    for problem in problems().filter(|problem| !is_platform_dependent(problem)) {
        let found = solve(&problem, &mut workspace);
        let scipy = &problem.scipy;
        // A value that cancels to nothing agrees if it is nothing beside its own error.
        let same_value =
            close(found.value, scipy.value, 1e-13) || (found.value - scipy.value).abs() <= 1e-3 * scipy.error;
        // Nothing but rounding.
        let no_error = (found.error - scipy.error).abs() <= f64::EPSILON * scipy.value.abs();
        let same = same_value
            && (no_error || close(found.error, scipy.error, 1e-4))
            && found.neval == scipy.neval
            && found.intervals == scipy.intervals
            && found.status.code() == problem.status;
        if scipy_gives_up_early(&problem) && found.intervals > scipy.intervals {
            early += 1;
        } else if !same {
            failures.push(format!("{problem:?}\n  found {found:?}"));
        }
        // The sum of the errors is taken anew at the end, where SciPy only keeps it up to date.
        equal += usize::from(found.value == scipy.value && close(found.error, scipy.error, 1e-13));
    }
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
    if cfg!(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")) {
        assert!(equal >= 200, "only {equal} agree to the last bit");
        assert_eq!(early, 5);
    }
}

#[test]
fn the_error_is_a_bound_wherever_it_claims_to_be_one() {
    let mut workspace = Workspace::new();
    let mut checked = 0;
    for problem in problems().filter(|problem| !problem.exact.is_nan()) {
        let found = solve(&problem, &mut workspace);
        if found.status == Status::Converged {
            let actual = (found.value - problem.exact).abs();
            // The moments for many oscillations lose some digits, and so do the exact values; the terms of a series
            // may be much larger than its sum.
            let rounding = if problem.b.is_finite() { 1e-13 } else { 2e-12 } * (1.0 + problem.exact.abs());
            assert!(actual <= found.error + rounding, "{problem:?}\n  found {found:?}, wrong by {actual:e}");
            checked += 1;
        }
    }
    assert!(checked >= 100, "only {checked} problems have an exact value and converge");
}

#[test]
fn the_table_has_every_weight_family_and_status() {
    for (name, _) in MORE {
        assert!(problems().any(|problem| problem.family == *name), "{name}");
    }
    let weights: HashSet<&str> = TABLE.lines().skip(2).filter_map(|line| line.split(',').nth(4)).collect();
    assert_eq!(weights, HashSet::from(["cos", "sin", "alg", "alg-loga", "alg-logb", "alg-log", "cauchy"]));
    let statuses: HashSet<u8> = problems().map(|problem| problem.status).collect();
    assert!(statuses.is_superset(&HashSet::from([0, 1, 2, 3, 5, 8])), "{statuses:?}");
    assert!(problems().count() >= 300);
}

#[test]
fn a_used_workspace_changes_nothing() {
    let mut used = Workspace::new();
    for problem in problems() {
        let fresh = solve(&problem, &mut Workspace::new());
        let again = solve(&problem, &mut used);
        assert_eq!(fresh, again, "{problem:?}");
    }
}

#[test]
fn how_many_moments_are_kept_changes_nothing() {
    // SciPy takes those of the whole range for right halves that are deeper than `maxp1`.
    let mut workspace = Workspace::new();
    for problem in problems().filter(|problem| matches!(problem.weight, Weight::Cos { .. } | Weight::Sin { .. })) {
        // Over an infinite range the kept moments are those of the first cycle, whose length is rounded another way.
        if problem.a.is_finite() && problem.b.is_finite() {
            let expected = solve(&problem, &mut workspace);
            for maxp1 in [1, 2, 3] {
                let options = WeightedOptions { maxp1, ..problem.options };
                let found = solve(&Problem { options, ..problem.clone() }, &mut workspace);
                assert_eq!((found.neval, found.status), (expected.neval, expected.status), "{problem:?}, {maxp1}");
                assert!(close(found.value, expected.value, 1e-12) || found.value.abs() < 1e-12, "{problem:?}, {maxp1}");
            }
        }
    }
}
