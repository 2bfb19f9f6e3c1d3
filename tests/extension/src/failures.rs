//! Callbacks that fail: on which thread, with the GIL held or not, and what an engine may ask.

use std::thread;

use pyo3::prelude::*;

use crate::threads::{Scalar, sum};

/// Several threads fail while this one holds the GIL: must not deadlock.
#[pyfunction]
pub(crate) fn fail_with_gil_held(f: Scalar, threads: usize) -> PyResult<f64> {
    Ok(sum(&f, 1000 * threads, threads)?)
}

/// The first failure of several threads; the others are discarded.
#[pyfunction]
pub(crate) fn first_failure(py: Python<'_>, f: Scalar, n: usize, threads: usize) -> PyResult<f64> {
    Ok(py.detach(|| sum(&f, n, threads))?)
}

/// What an engine can ask without the GIL: `(raised?, class, message)`.
#[pyfunction]
pub(crate) fn classify(py: Python<'_>, f: Scalar, x: f64) -> Option<(bool, Option<String>, String)> {
    py.detach(|| f.call(x).err().map(|error| (error.is_raised(), error.class(), error.to_string())))
}

/// The parts that an engine can read without the GIL: `(class, text, function, file, line)`.
#[pyfunction]
pub(crate) fn parts(py: Python<'_>, f: Scalar, x: f64) -> Option<Said> {
    py.detach(|| {
        f.call(x).err().map(|error| {
            let function = error.place().map(|place| place.function);
            (error.class(), error.text(), function, error.file(), error.line())
        })
    })
}

type Said = (Option<String>, String, Option<String>, Option<String>, Option<u32>);

/// Calls and drops the error, n times, on a thread without the GIL; how many there were.
#[pyfunction]
pub(crate) fn discard_many(py: Python<'_>, f: Scalar, n: usize) -> usize {
    py.detach(|| {
        thread::scope(|scope| scope.spawn(|| (0..n).filter(|&i| f.call(i as f64).is_err()).count()).join().unwrap_or(0))
    })
}

/// Takes n steps; those on which the function raises are rejected, any other failure ends it.
#[pyfunction]
pub(crate) fn rejecting_sampler(py: Python<'_>, f: Scalar, n: usize) -> PyResult<(usize, usize)> {
    py.detach(|| {
        let (mut accepted, mut rejected) = (0, 0);
        for i in 0..n {
            match f.call(i as f64) {
                Ok(_) => accepted += 1,
                Err(error) if error.is_raised() => rejected += 1,
                Err(error) => return Err(error.into()),
            }
        }
        Ok((accepted, rejected))
    })
}

/// Calls until the function fails, or returns something else than 5.
#[pyfunction]
pub(crate) fn call_forever(f: Scalar) -> PyResult<f64> {
    loop {
        let value = f.call(1.0)?;
        if value != 5.0 {
            return Ok(value);
        }
    }
}

/// Calls until there is a failure other than that the function raises.
#[pyfunction]
pub(crate) fn reject_forever(f: Scalar) -> PyResult<f64> {
    loop {
        match f.call(1.0) {
            Err(error) if error.is_raised() => {}
            other => return Ok(other?),
        }
    }
}

/// An engine with a bug.
#[pyfunction]
pub(crate) fn panics_in_engine(py: Python<'_>, f: Scalar) -> PyResult<f64> {
    let value = py.detach(|| f.call(1.0))?;
    assert!(value.is_nan(), "the engine broke its own invariant");
    Ok(value)
}
