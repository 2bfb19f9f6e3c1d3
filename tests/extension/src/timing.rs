//! Nanoseconds a call: through the handle, a plain `extern "C"` pointer, and Python's own calls.

use std::hint::black_box;
use std::time::Instant;

use pyo3::prelude::*;

use crate::threads::Scalar;

extern "C" fn bare(ret: &mut f64, _error: &mut usize, x: f64, _env: usize) -> i32 {
    *ret = x * 0.5 + 1.0;
    0
}

/// `(through the handle given, through a bare extern "C" pointer of the same work)`, nanoseconds a call.
#[pyfunction]
pub(crate) fn time_handle(py: Python<'_>, f: Scalar, n: usize) -> PyResult<(f64, f64)> {
    py.detach(|| {
        let start = Instant::now();
        let mut x = 1.0;
        for _ in 0..n {
            x = f.call(x)?;
        }
        let handle = start.elapsed().as_nanos() as f64 / n as f64;
        black_box(x);
        let pointer: extern "C" fn(&mut f64, &mut usize, f64, usize) -> i32 = black_box(bare);
        let start = Instant::now();
        let mut x = 1.0;
        for _ in 0..n {
            let (mut ret, mut error) = (0.0, 0);
            if pointer(&mut ret, &mut error, x, 0) != 0 {
                break;
            }
            x = ret;
        }
        let raw = start.elapsed().as_nanos() as f64 / n as f64;
        black_box(x);
        Ok((handle, raw))
    })
}

/// Calling a Python object through PyO3, nanoseconds a call.
#[pyfunction]
pub(crate) fn time_python(f: &Bound<'_, PyAny>, n: usize) -> PyResult<f64> {
    let start = Instant::now();
    let mut x = 1.0;
    for _ in 0..n {
        x = f.call1((x,))?.extract::<f64>()?;
    }
    black_box(x);
    Ok(start.elapsed().as_nanos() as f64 / n as f64)
}
