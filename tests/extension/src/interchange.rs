//! One call of a callback of each signature in the table of docs/interchange.md.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

ringback::callback! {
    /// `f64(f64)`.
    pub struct One(x: f64) -> f64;
}
ringback::callback! {
    /// `f64(f64, f64)`.
    pub struct Two(x: f64, y: f64) -> f64;
}
ringback::callback! {
    /// `i64(i64)`.
    pub struct Whole(n: i64) -> i64;
}
ringback::callback! {
    /// `f64([f64])`.
    pub struct Array(x: &[f64]) -> f64;
}
ringback::callback! {
    /// `f64([f64], mut [f64])`.
    pub struct Gradient(x: &[f64], grad: &mut [f64]) -> f64;
}
ringback::callback! {
    /// `void([f64], mut [f64])`.
    pub struct Map(x: &[f64], y: &mut [f64]);
}

/// Calls it with the numbers, without the GIL; returns the result, then what it wrote.
#[pyfunction]
pub(crate) fn apply(
    py: Python<'_>,
    signature: &str,
    callback: &Bound<'_, PyAny>,
    numbers: Vec<f64>,
) -> PyResult<Vec<f64>> {
    let mut out = vec![0.0; numbers.len()];
    match signature {
        "f64(f64)" => {
            let f = callback.extract::<One>()?;
            Ok(vec![py.detach(|| f.call(numbers[0]))?])
        }
        "f64(f64, f64)" => {
            let f = callback.extract::<Two>()?;
            Ok(vec![py.detach(|| f.call(numbers[0], numbers[1]))?])
        }
        "i64(i64)" => {
            let f = callback.extract::<Whole>()?;
            Ok(vec![py.detach(|| f.call(numbers[0] as i64))? as f64])
        }
        "f64([f64])" => {
            let f = callback.extract::<Array>()?;
            Ok(vec![py.detach(|| f.call(&numbers))?])
        }
        "f64([f64], mut [f64])" => {
            let f = callback.extract::<Gradient>()?;
            let value = py.detach(|| f.call(&numbers, &mut out))?;
            Ok([vec![value], out].concat())
        }
        "void([f64], mut [f64])" => {
            let f = callback.extract::<Map>()?;
            py.detach(|| f.call(&numbers, &mut out))?;
            Ok(out)
        }
        other => Err(PyValueError::new_err(format!("no such signature: {other}"))),
    }
}
