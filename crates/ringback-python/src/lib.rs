//! The extension module `ringback._ringback`: reads arguments, detaches from the interpreter, runs, returns.
//!
//! It joins the two crates that know nothing of each other: `ringback` (the bridge) and `ringback-engines`.
//! Everything here is private to the Python package; users see what `python/ringback` makes of it.

#![deny(unsafe_code)]

use pyo3::prelude::*;

mod arguments;
mod cubature;
mod errors;
mod export;
mod fields;
mod guard;
#[allow(unsafe_code, reason = "the one place where plain C functions find the callback that they stand for")]
mod lent;
mod monte_carlo;
#[allow(unsafe_code, reason = "the one place that reads what NumPy says of an array's memory")]
mod ndarray;
mod patience;
mod pickled;
#[allow(unsafe_code, reason = "the one producer of callback records for code that Numba compiled")]
mod producer;
mod quad;
mod quad_complex;
mod quad_many;
mod quad_result;
mod quad_weight;
mod recipe;
mod signature;
#[allow(
    unsafe_code,
    reason = "the one place where operands and results of a sweep are read and written in NumPy's memory"
)]
mod strided;
mod watch;

/// Native parts of the package `ringback`.
///
/// A free-threaded CPython takes its GIL back, and says so, when this is imported: nothing was tested without.
#[pymodule(gil_used = true)]
mod _ringback {
    #[pymodule_export]
    use super::cubature::{CubatureResult, cubature, restored_cubature};
    #[pymodule_export]
    use super::errors::Errors;
    #[pymodule_export]
    use super::export::{header, runtime};
    #[pymodule_export]
    use super::guard::Guard;
    #[pymodule_export]
    use super::lent::{Lent, c_function};
    #[pymodule_export]
    use super::monte_carlo::{MonteCarloResult, monte_carlo, restored_monte_carlo};
    #[pymodule_export]
    use super::producer::{Callback, Code};
    #[pymodule_export]
    use super::quad::quad;
    #[pymodule_export]
    use super::quad_complex::{ComplexQuadResult, restored_complex_quad};
    #[pymodule_export]
    use super::quad_many::quad_many;
    #[pymodule_export]
    use super::quad_result::{QuadResult, restored_quad};
    #[pymodule_export]
    use super::signature::{Parameter, Return, Signature, SignatureError};
}
