//! Block calls: many points at once.

use pyo3::prelude::*;

ringback::callback! {
    /// One number in, one out.
    pub(crate) struct OfOne(t: f64) -> f64;
}
ringback::callback! {
    /// Numbers of several types.
    pub(crate) struct OfMixed(x: f64, n: i64, single: f32, yes: bool) -> f64;
}
ringback::callback! {
    /// Two results a point.
    pub(crate) struct Pairs(x: f64) -> [f64; 2];
}

/// Whether there is a block form, and the results.
#[pyfunction]
pub(crate) fn block_of_one(py: Python<'_>, f: OfOne, points: Vec<f64>) -> PyResult<(bool, Vec<f64>)> {
    let mut results = vec![0.0; points.len()];
    py.detach(|| f.call_block(&points, &mut results))?;
    Ok((f.into_inner().has_block(), results))
}

/// The index of the first point that failed, what it failed with, and the results before it.
#[pyfunction]
pub(crate) fn block_failure(f: OfOne, points: Vec<f64>) -> Option<(usize, String, Vec<f64>)> {
    let mut results = vec![0.0; points.len()];
    let failed = f.call_block(&points, &mut results).err()?;
    results.truncate(failed.index);
    Some((failed.index, failed.error.to_string(), results))
}

/// Every parameter's own type.
#[pyfunction]
pub(crate) fn block_of_mixed(
    f: OfMixed,
    x: Vec<f64>,
    n: Vec<i64>,
    single: Vec<f32>,
    yes: Vec<bool>,
) -> PyResult<(bool, Vec<f64>)> {
    let mut results = vec![0.0; x.len()];
    f.call_block(&x, &n, &single, &yes, &mut results)?;
    Ok((f.into_inner().has_block(), results))
}

/// Results that are pairs.
#[pyfunction]
pub(crate) fn block_of_pairs(f: Pairs, x: Vec<f64>) -> PyResult<(bool, Vec<[f64; 2]>)> {
    let mut results = vec![[0.0; 2]; x.len()];
    f.call_block(&x, &mut results)?;
    Ok((f.into_inner().has_block(), results))
}

/// Nanoseconds a point, in blocks of `size` and one by one: the best of several rounds.
#[pyfunction]
pub(crate) fn time_blocks(f: OfOne, size: usize, rounds: usize) -> PyResult<(f64, f64)> {
    let points: Vec<f64> = (0..size).map(|i| 1.0 + i as f64 / size as f64).collect();
    let mut results = vec![0.0; size];
    let (mut block, mut scalar) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..rounds {
        let start = std::time::Instant::now();
        for _ in 0..100 {
            f.call_block(&points, &mut results)?;
        }
        block = block.min(start.elapsed().as_nanos() as f64 / (100 * size) as f64);
        let start = std::time::Instant::now();
        for _ in 0..100 {
            for (x, y) in points.iter().zip(&mut results) {
                *y = f.call(*x)?;
            }
        }
        scalar = scalar.min(start.elapsed().as_nanos() as f64 / (100 * size) as f64);
    }
    Ok((block, scalar))
}
