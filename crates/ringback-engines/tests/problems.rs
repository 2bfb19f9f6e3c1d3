//! A table of integrals, compared with what SciPy's `quad` says about them and with their exact values.
//!
//! The table is `golden/quad.csv`, written by `golden/quad.py`. Its counts and statuses depend on comparisons with
//! rounding errors. Both sides call the C library's elementary functions, and on the platform on which the table was
//! made agree to the last bit; a library that rounds `exp` or `pow` another way can change a count where a problem
//! is as hard as the arithmetic, so there the counts of those problems (`is_platform_dependent`) are not compared.

mod families;

use std::convert::Infallible;

use families::family;
use ringback_engines::{Options, Quadrature, Status, Workspace, pointwise, quad_with};

const TABLE: &str = include_str!("golden/quad.csv");

/// One line of the table.
#[derive(Debug)]
struct Problem {
    family: &'static str,
    p: f64,
    a: f64,
    b: f64,
    /// NaN if it is unknown or does not exist, or if no sample can find it.
    exact: f64,
    points: Vec<f64>,
    options: Options,
    scipy: Golden,
}

#[derive(Debug)]
struct Golden {
    value: f64,
    error: f64,
    neval: usize,
    intervals: usize,
    status: u8,
}

fn parse(line: &'static str) -> Problem {
    let fields: Vec<&'static str> = line.split(',').collect();
    let float = |i: usize| fields[i].parse::<f64>().unwrap_or_else(|e| panic!("{e} in {line}"));
    let count = |i: usize| fields[i].parse::<usize>().unwrap_or_else(|e| panic!("{e} in {line}"));
    Problem {
        family: fields[0],
        p: float(1),
        a: float(2),
        b: float(3),
        exact: float(4),
        points: fields[5].split_whitespace().map(|point| point.parse().unwrap()).collect(),
        options: Options { epsabs: float(6), epsrel: float(7), limit: count(8) },
        scipy: Golden {
            value: float(9),
            error: float(10),
            neval: count(11),
            intervals: count(12),
            status: u8::try_from(count(13)).unwrap(),
        },
    }
}

fn problems() -> impl Iterator<Item = Problem> {
    TABLE.lines().filter(|line| !line.starts_with('#')).skip(1).map(parse)
}

fn solve(problem: &Problem, workspace: &mut Workspace) -> Quadrature {
    let (f, p) = (family(problem.family), problem.p);
    let integrand = pointwise(|x| Ok::<f64, Infallible>(f(x, p)));
    quad_with(workspace, integrand, problem.a, problem.b, &problem.points, &problem.options).unwrap()
}

/// Within a part of the larger of the two; infinities and NaN only match themselves.
fn close(found: f64, expected: f64, tolerance: f64) -> bool {
    found == expected || (found - expected).abs() <= tolerance * found.abs().max(expected.abs())
}

/// Away from the platform of the table only problems that leave rounding some room have comparable counts.
fn is_platform_dependent(problem: &Problem) -> bool {
    let same_library = cfg!(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"));
    !same_library && (problem.scipy.status != 0 || problem.options.epsabs < 1e-8)
}

/// Whether so much is asked for that rounding decides when to stop.
fn is_at_the_limit_of_arithmetic(problem: &Problem) -> bool {
    let Options { epsabs, epsrel, .. } = problem.options;
    f64::max(epsabs, epsrel * problem.scipy.value.abs()) < 1e-13 * problem.scipy.value.abs()
}

/// Sums are taken in another order than QUADPACK's. That does not show in any decision, unless all that is left are
/// rounding errors; in error estimates it shows where these are differences of nearly equal numbers, and in what is
/// extrapolated from such numbers.
#[test]
fn agrees_with_scipy() {
    let mut workspace = Workspace::new();
    let mut failures = Vec::new();
    let (mut equal, mut hard) = (0, 0);
    for problem in problems().filter(|problem| !is_platform_dependent(problem)) {
        let found = solve(&problem, &mut workspace);
        let scipy = &problem.scipy;
        let same_value =
            close(found.value, scipy.value, 1e-13) || (found.value - scipy.value).abs() <= 0.5 * scipy.error;
        let rounding = 1e-8 * scipy.value.abs();
        // SciPy keeps the sum of the errors up to date, and so it has lost its digits where it has become very much smaller.
        let Options { epsabs, epsrel, .. } = problem.options;
        let nothing = 1e-9 * f64::max(epsabs, epsrel * scipy.value.abs());
        let same_error = close(found.error, scipy.error, 0.05)
            || (found.error - scipy.error).abs() <= rounding
            || found.error.max(scipy.error) <= nothing;
        let same_work = found.neval == scipy.neval && found.intervals == scipy.intervals;
        let is_hard = is_at_the_limit_of_arithmetic(&problem);
        let similar_work = is_hard && found.neval < 2 * scipy.neval && scipy.neval < 2 * found.neval;
        if !(same_value && same_error && (same_work || similar_work) && found.status.code() == scipy.status) {
            failures.push(format!("{problem:?}\n  found {found:?}"));
        }
        hard += usize::from(is_hard);
        equal += usize::from(same_work);
    }
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
    let count = problems().count();
    assert!(hard <= count / 10 && equal + 5 >= count, "{hard} hard ones, {equal} equal ones of {count}");
}

#[test]
fn the_error_is_a_bound_wherever_it_claims_to_be_one() {
    let mut workspace = Workspace::new();
    let mut checked = 0;
    for problem in problems().filter(|problem| !problem.exact.is_nan()) {
        let found = solve(&problem, &mut workspace);
        if found.status == Status::Converged {
            let actual = (found.value - problem.exact).abs();
            let ulps = 10.0 * f64::EPSILON * problem.exact.abs();
            assert!(actual <= found.error + ulps, "{problem:?}\n  found {found:?}, wrong by {actual:e}");
            checked += 1;
        }
    }
    assert!(checked >= 100, "only {checked} problems have an exact value and converge");
}

#[test]
fn the_table_has_every_family_and_every_status() {
    for (name, _) in families::FAMILIES {
        assert!(problems().any(|problem| problem.family == *name), "{name}");
    }
    for status in 0..=5 {
        let count = problems().filter(|problem| problem.scipy.status == status).count();
        assert!(count >= 2, "{count} problems with status {status}");
    }
    assert!(problems().count() >= 60);
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
