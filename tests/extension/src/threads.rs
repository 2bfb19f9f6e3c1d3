//! Handles on other threads, and handles that outlive everything in Python.

use std::sync::Mutex;
use std::thread;

use pyo3::prelude::*;

ringback::callback! {
    /// A function of one number.
    pub struct Scalar(x: f64) -> f64;
}

/// Calls `f` on 0, 1, …, n - 1, shared out to threads, with the GIL released; the sum.
#[pyfunction]
pub(crate) fn sum_over_threads(py: Python<'_>, f: Scalar, n: usize, threads: usize) -> PyResult<f64> {
    Ok(py.detach(|| sum(&f, n, threads))?)
}

pub(crate) fn sum(f: &Scalar, n: usize, threads: usize) -> Result<f64, ringback::Error> {
    thread::scope(|scope| {
        let chunk = |t: usize| (t * n / threads)..((t + 1) * n / threads);
        let work: Vec<_> = (0..threads)
            .map(|t| {
                let f = f.clone();
                scope.spawn(move || chunk(t).map(|i| f.call(i as f64)).sum::<Result<f64, _>>())
            })
            .collect();
        // Every thread is joined before the first error is returned; the others are dropped with their results.
        let results: Vec<_> = work.into_iter().map(|w| w.join().unwrap_or(Ok(f64::NAN))).collect();
        results.into_iter().sum()
    })
}

/// A handle that Python can hold on to, and that can be dropped where the GIL is not held.
#[pyclass(frozen)]
#[derive(Debug)]
pub struct Handle(Mutex<Option<Scalar>>);

#[pymethods]
impl Handle {
    #[new]
    fn new(f: Scalar) -> Self {
        Handle(Mutex::new(Some(f)))
    }

    /// The sum of `f` over 0, 1, …, n - 1.
    fn sum(&self, py: Python<'_>, n: usize, threads: usize) -> PyResult<f64> {
        let f = self.0.lock().ok().and_then(|f| f.clone());
        Ok(f.map_or(Ok(f64::NAN), |f| py.detach(|| sum(&f, n, threads)))?)
    }

    /// Drops the handle on another thread, while this one holds the GIL or has released it.
    fn drop_elsewhere(&self, py: Python<'_>, with_gil: bool) {
        let f = self.0.lock().ok().and_then(|mut f| f.take());
        let drop_it = move || thread::spawn(move || drop(f)).join().is_ok();
        if with_gil {
            drop_it()
        } else {
            py.detach(drop_it)
        };
    }
}
