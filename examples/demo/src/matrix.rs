//! A callback `(in, out, m, n)` on a matrix: once with raw pointers, as C would have it, and once with arrays.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use ringback::view::{C, View, ViewMut};

ringback::callback! {
    /// Reads the row-major `m` by `n` matrix at `input`, writes one of the same shape to `output`.
    pub unsafe struct WithPointers(input: *const f64, output: *mut f64, m: usize, n: usize);
}

ringback::callback! {
    /// Reads a matrix, writes one of the same shape.
    pub struct WithArrays(input: View<'_, f64, 2, C>, output: ViewMut<'_, f64, 2, C>)
        where dim(input, 0) == dim(output, 0), dim(input, 1) == dim(output, 1);
}

fn checked(data: &[f64], m: usize, n: usize) -> PyResult<Vec<f64>> {
    if m.checked_mul(n) == Some(data.len()) {
        return Ok(vec![0.0; data.len()]);
    }
    Err(PyValueError::new_err(format!("an {m} by {n} matrix expected, found {} numbers", data.len())))
}

/// Applies a callback that takes pointers: nothing but this line of Rust promises that they are right.
#[pyfunction]
#[allow(unsafe_code, reason = "what the other form of this function does without")]
pub(crate) fn map_with_pointers(
    py: Python<'_>,
    f: WithPointers,
    data: Vec<f64>,
    m: usize,
    n: usize,
) -> PyResult<Vec<f64>> {
    let mut out = checked(&data, m, n)?;
    // SAFETY: both buffers hold m * n numbers, as the callback expects.
    py.detach(|| unsafe { f.call(data.as_ptr(), out.as_mut_ptr(), m, n) })?;
    Ok(out)
}

/// Applies a callback that takes arrays.
#[pyfunction]
pub(crate) fn map_with_arrays(py: Python<'_>, f: WithArrays, data: Vec<f64>, m: usize, n: usize) -> PyResult<Vec<f64>> {
    let mut out = checked(&data, m, n)?;
    let shape = |error: ringback::view::ShapeError| PyValueError::new_err(error.to_string());
    let input = View::<f64, 2, C>::new(&data, [m, n]).map_err(shape)?;
    let output = ViewMut::<f64, 2, C>::new(&mut out, [m, n]).map_err(shape)?;
    py.detach(|| f.call(input, output))?;
    Ok(out)
}
