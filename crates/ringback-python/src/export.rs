//! What the export of callbacks puts into and beside a library.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// The object file of `ringback-runtime`, which `build.rs` made.
#[pyfunction]
pub(crate) fn runtime(py: Python<'_>) -> Bound<'_, PyBytes> {
    PyBytes::new(py, include_bytes!(concat!(env!("OUT_DIR"), "/runtime.o")))
}

/// The text of `ringback.h`.
#[pyfunction]
pub(crate) fn header() -> &'static str {
    include_str!("../../../include/ringback.h")
}
