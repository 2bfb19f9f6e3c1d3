//! The demo's Rust side: an integrator and a matrix function, as any Rust library might have them.

mod integral;
mod matrix;

use pyo3::prelude::*;

/// The demo's Rust side.
#[pymodule]
mod ringback_demo {
    #[pymodule_export]
    use super::integral::{quad_interpreter, quad_rust, time_quad, time_quad_rust};
    #[pymodule_export]
    use super::matrix::{map_with_arrays, map_with_pointers};
}
