//! What the benchmarks compare with: integrands written in Rust, and loops in Rust that time callbacks.

#![forbid(unsafe_code)]

mod arrays;
mod integrals;
mod many;
mod spectrum;

use pyo3::prelude::*;

/// Peers written in Rust.
#[pymodule]
mod ringback_peers {
    #[pymodule_export]
    use super::arrays::{time_density, time_gradient};
    #[pymodule_export]
    use super::integrals::{quad_rust, time_quad, time_quad_rust};
    #[pymodule_export]
    use super::many::{many_rayon, many_rust};
}
