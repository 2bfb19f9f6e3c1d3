//! One callback type for each kind of parameter, layout and result.

use ndarray::{ArrayView1, ArrayView2, ArrayView3, ArrayView4, ArrayViewMut2};
use num_complex::Complex;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use ringback::view::{C, F, Strided, View, ViewMut};

macro_rules! kinds {
    ($($name:ident($($p:ident: $t:ty),*) $(-> $r:ty)?;)*) => {
        $(ringback::callback! {
            /// One row of the table.
            pub struct $name($($p: $t),*) $(-> $r)?;
        })*

        /// The canonical signature of every Rust type that `takes` knows.
        #[pyfunction]
        pub(crate) fn kinds() -> Vec<String> {
            vec![$($name::signature().text.clone()),*]
        }

        /// Extracts a callback as the Rust type of that signature; only the extraction is of interest.
        #[pyfunction]
        pub(crate) fn takes(signature: &str, callback: &Bound<'_, PyAny>) -> PyResult<()> {
            $(if signature == $name::signature().text {
                return callback.extract::<$name>().map(drop);
            })*
            Err(PyValueError::new_err(format!("no such kind: {signature}")))
        }
    };
}

kinds! {
    TakesF64(x: f64) -> f64;
    TakesF32(x: f32) -> f64;
    TakesI32(x: i32) -> f64;
    TakesI64(x: i64) -> f64;
    TakesU32(x: u32) -> f64;
    TakesUsize(x: usize) -> f64;
    TakesBool(x: bool) -> f64;
    TakesComplex(x: Complex<f64>) -> f64;
    ReturnsF32(x: f64) -> f32;
    ReturnsI64(x: f64) -> i64;
    ReturnsVoid(x: f64);
    Returns3(x: f64) -> [f64; 3];
    TakesTwo(x: f64, y: f64) -> f64;
    TakesNone() -> f64;
    TakesSlice(x: &[f64]) -> f64;
    TakesMutSlice(x: &mut [f64]) -> f64;
    TakesSliceF32(x: &[f32]) -> f64;
    TakesView2(x: View<'_, f64, 2, C>) -> f64;
    TakesViewF(x: View<'_, f64, 2, F>) -> f64;
    TakesStrided(x: View<'_, f64, 2, Strided>) -> f64;
    TakesMutView2(x: ViewMut<'_, f64, 2, C>) -> f64;
    TakesArray1(x: ArrayView1<'_, f64>) -> f64;
    TakesArray3(x: ArrayView3<'_, f64>) -> f64;
}

ringback::callback! {
    /// A weight for each row of a matrix.
    pub struct Weights(m: ArrayView2<'_, f64>, out: &mut [f64]) where dim(m, 0) == len(out);
}
ringback::callback! {
    /// A matrix to a matrix.
    pub struct MatrixMap(input: View<'_, f64, 2, C>, output: ViewMut<'_, f64, 2, C>);
}
ringback::callback! {
    /// Strided in, strided out.
    pub struct StridedMap(input: ArrayView2<'_, f64>, output: ArrayViewMut2<'_, f64>);
}
ringback::callback! {
    /// Four dimensions.
    pub struct Array4(x: ArrayView4<'_, f64>) -> f64;
}
ringback::callback! {
    /// Complex in, complex out.
    pub struct ComplexMap(z: Complex<f64>, a: &[Complex<f64>], small: Complex<f32>) -> Complex<f64>;
}
ringback::callback! {
    /// Flags.
    pub struct Flags(flag: bool, flags: &[bool]) -> bool;
}
ringback::callback! {
    /// Log density and gradient.
    pub struct Tied(x: &[f64], grad: &mut [f64]) -> f64 where len(x) == len(grad);
}

/// Weights of the rows of an `m` by `n` matrix that holds 0, 1, 2, …, seen transposed if asked.
#[pyfunction]
pub(crate) fn call_weights(f: Weights, m: usize, n: usize, transposed: bool, out: usize) -> PyResult<Vec<f64>> {
    let data: Vec<f64> = (0..m * n).map(|i| i as f64).collect();
    let matrix = ArrayView2::from_shape((m, n), &data).map_err(|e| PyValueError::new_err(e.to_string()))?;
    let mut result = vec![0.0; out];
    f.call(if transposed { matrix.reversed_axes() } else { matrix }, &mut result)?;
    Ok(result)
}

/// The result of a matrix map.
#[pyfunction]
pub(crate) fn call_matrix(f: MatrixMap, data: Vec<f64>, m: usize, n: usize) -> PyResult<Vec<f64>> {
    let mut out = vec![0.0; m * n];
    let shape = |e: ringback::view::ShapeError| PyValueError::new_err(e.to_string());
    f.call(
        View::<f64, 2, C>::new(&data, [m, n]).map_err(shape)?,
        ViewMut::<f64, 2, C>::new(&mut out, [m, n]).map_err(shape)?,
    )?;
    Ok(out)
}

/// A strided map, in and out reversed along both axes.
#[pyfunction]
pub(crate) fn call_strided(f: StridedMap, data: Vec<f64>, m: usize, n: usize) -> PyResult<Vec<f64>> {
    let mut out = vec![0.0; m * n];
    let shape = |e: ndarray::ShapeError| PyValueError::new_err(e.to_string());
    let mut input = ArrayView2::from_shape((m, n), &data).map_err(shape)?;
    let mut output = ArrayViewMut2::from_shape((m, n), &mut out).map_err(shape)?;
    for axis in [ndarray::Axis(0), ndarray::Axis(1)] {
        input.invert_axis(axis);
        output.invert_axis(axis);
    }
    f.call(input, output)?;
    Ok(out)
}

/// A function of an array of shape (2, 1, 3, 2) that holds 0, 1, 2, ….
#[pyfunction]
pub(crate) fn call_array4(f: Array4) -> PyResult<f64> {
    let data: Vec<f64> = (0..12).map(f64::from).collect();
    let array = ArrayView4::from_shape((2, 1, 3, 2), &data).map_err(|e| PyValueError::new_err(e.to_string()))?;
    Ok(f.call(array)?)
}

/// A function of complex numbers.
#[pyfunction]
pub(crate) fn call_complex(f: ComplexMap, re: f64, im: f64) -> PyResult<(f64, f64)> {
    let z = Complex::new(re, im);
    let result = f.call(z, &[z, z * 2.0], Complex::new(0.5, -0.5))?;
    Ok((result.re, result.im))
}

/// A function of flags.
#[pyfunction]
pub(crate) fn call_bools(f: Flags, flag: bool, flags: Vec<bool>) -> PyResult<bool> {
    Ok(f.call(flag, &flags)?)
}

/// A function that returns nothing.
#[pyfunction]
pub(crate) fn call_void(f: ReturnsVoid, x: f64) -> PyResult<()> {
    Ok(f.call(x)?)
}

/// A function that returns three values.
#[pyfunction]
pub(crate) fn call_result3(f: Returns3, x: f64) -> PyResult<[f64; 3]> {
    Ok(f.call(x)?)
}

/// Value and gradient; the lengths are tied by the type.
#[pyfunction]
pub(crate) fn call_tied(f: Tied, x: Vec<f64>, gradient: usize) -> PyResult<(f64, Vec<f64>)> {
    let mut grad = vec![0.0; gradient];
    let value = f.call(&x, &mut grad)?;
    Ok((value, grad))
}
