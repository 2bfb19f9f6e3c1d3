//! What the export of callbacks puts into and beside a library.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// The object file of `ringback-runtime`, which `build.rs` made; with or without linear algebra.
#[pyfunction]
pub(crate) fn runtime(py: Python<'_>, linear: bool) -> Bound<'_, PyBytes> {
    if linear {
        PyBytes::new(py, include_bytes!(concat!(env!("OUT_DIR"), "/runtime_linear.o")))
    } else {
        PyBytes::new(py, include_bytes!(concat!(env!("OUT_DIR"), "/runtime.o")))
    }
}

/// The text of `ringback.h`.
#[pyfunction]
pub(crate) fn header() -> &'static str {
    include_str!("../../../include/ringback.h")
}
