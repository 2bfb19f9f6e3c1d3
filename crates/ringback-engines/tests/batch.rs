//! Many integrals in step: each is that of `quad`, whatever runs beside it, and failures stay where they belong.

use std::collections::BTreeMap;

use ringback_engines::{
    Batch, BatchWorkspace, IN_STEP, Options, QuadError, Quadrature, Workspace, pointwise, quad_batch, quad_with,
};

/// `f(x, index)` over ranges of all kinds.
struct Ranges<F> {
    f: F,
    lanes: usize,
    slots: [usize; IN_STEP],
    limits: Vec<(f64, f64)>,
    results: BTreeMap<usize, Result<Quadrature, QuadError<usize>>>,
    record: bool,
}

impl<F: Fn(f64, usize) -> Result<f64, usize>> Batch for Ranges<F> {
    type Error = usize;

    fn limits(&mut self, index: usize) -> (f64, f64) {
        self.limits[index]
    }

    fn lanes(&self) -> usize {
        self.lanes
    }

    fn assign(&mut self, slot: usize, index: usize) {
        self.slots[slot] = index;
    }

    fn eval(&mut self, slot: usize, x: &[f64], y: &mut [f64]) -> Result<(), usize> {
        assert!(x.len() == y.len() && x.len().is_multiple_of(self.lanes));
        for (x, y) in x.iter().zip(y) {
            *y = (self.f)(*x, self.slots[slot])?;
        }
        Ok(())
    }

    fn finish(&mut self, index: usize, result: Result<Quadrature, QuadError<usize>>) -> Result<(), usize> {
        let failed = matches!(result, Err(QuadError::Integrand(_)));
        assert!(self.results.insert(index, result).is_none(), "problem {index} has two results");
        if failed && !self.record { Err(index) } else { Ok(()) }
    }
}

const INF: f64 = f64::INFINITY;

fn limits(count: usize) -> Vec<(f64, f64)> {
    let kinds =
        [(0.0, 2.0), (1.0, INF), (-INF, INF), (3.0, 0.5), (-INF, 0.0), (1.0, 1.0), (INF, -INF), (f64::NAN, 1.0)];
    (0..count).map(|i| kinds[(i * i + i / 3) % kinds.len()]).collect()
}

fn integrand(x: f64, index: usize) -> Result<f64, usize> {
    let k = 0.25 + (index % 17) as f64;
    let root = if index.is_multiple_of(5) { (x - 0.7).abs().sqrt() } else { 1.0 };
    let value = (-k * x * x).exp() * (k * x).cos() * root;
    Ok(if index % 31 == 30 && x > 1.2 { f64::NAN } else { value })
}

fn ranges<F>(f: F, count: usize, record: bool) -> Ranges<F> {
    Ranges {
        f,
        lanes: 1 + 7 * (count % 2),
        slots: [usize::MAX; IN_STEP],
        limits: limits(count),
        results: BTreeMap::new(),
        record,
    }
}

fn bits(q: &Quadrature) -> (u64, u64, usize, usize, String) {
    (q.value.to_bits(), q.error.to_bits(), q.neval, q.intervals, format!("{:?}", q.status))
}

#[test]
fn every_result_is_that_of_the_integral_alone() {
    let options = Options { epsrel: 1e-11, epsabs: 1e-13, limit: 30 };
    let mut memory = BatchWorkspace::default();
    for (first, count) in [(0, 1), (0, 7), (3, 50), (0, 400)] {
        let mut batch = ranges(integrand, first + count, false);
        quad_batch(&mut memory, &mut batch, first..first + count, &options).unwrap();
        assert_eq!(batch.results.len(), count);
        for (index, result) in &batch.results {
            let (a, b) = batch.limits[*index];
            let alone = pointwise(|x| integrand(x, *index));
            match (quad_with(&mut Workspace::new(), alone, a, b, &[], &options), result) {
                (Ok(alone), Ok(found)) => assert_eq!(bits(&alone), bits(found), "problem {index}"),
                (alone, found) => assert_eq!(format!("{alone:?}"), format!("{found:?}")),
            }
        }
    }
}

#[test]
fn a_failure_harms_no_other_problem() {
    let fails = |index: usize| index % 7 == 3;
    // In the first estimate, or only in the third bisection.
    let f = |x: f64, index: usize| {
        let late = index.is_multiple_of(2);
        if fails(index) && (!late || (x - 0.7).abs() < 0.02) { Err(index) } else { integrand(x, index) }
    };
    let options = Options { epsrel: 1e-10, epsabs: 0.0, limit: 40 };
    let mut batch = ranges(f, 200, true);
    quad_batch(&mut BatchWorkspace::default(), &mut batch, 0..200, &options).unwrap();
    assert_eq!(batch.results.len(), 200);
    let mut failed = 0;
    for (index, result) in &batch.results {
        let (a, b) = batch.limits[*index];
        let alone = quad_with(&mut Workspace::new(), pointwise(|x| f(x, *index)), a, b, &[], &options);
        if let Err(QuadError::Integrand(whose)) = result {
            assert_eq!(whose, index, "the failure is its own");
            failed += 1;
        }
        match (alone, result) {
            (Ok(alone), Ok(found)) => assert_eq!(bits(&alone), bits(found), "problem {index}"),
            (alone, found) => assert_eq!(format!("{alone:?}"), format!("{found:?}")),
        }
    }
    assert!(failed >= 15, "{failed}");
}

#[test]
fn the_failure_with_the_lowest_index_ends_it_and_those_below_are_solved() {
    for worst in [0, 5, 40, 99] {
        let f = |x: f64, index: usize| if index >= worst && x != INF { Err(index) } else { integrand(x, index) };
        let mut batch = ranges(f, 100, false);
        let kinds = batch.limits.clone();
        let empty = |i: &usize| kinds[*i].0 == kinds[*i].1 || kinds[*i].0.is_nan();
        let first = (worst..100).find(|i| !empty(i)).unwrap();
        let ended = quad_batch(&mut BatchWorkspace::default(), &mut batch, 0..100, &Options::default());
        assert_eq!(ended, Err((first, first)));
        assert!((0..first).all(|index| batch.results.contains_key(&index)), "all below {first}");
    }
}
