//! Call functions that were written in Python, and compiled by Numba, from Rust at native speed.
//!
//! A library that takes a user's function declares its type once:
//!
//! ```
//! ringback::callback! {
//!     /// The integrand at `t`.
//!     pub struct Integrand(t: f64) -> f64;
//! }
//!
//! fn midpoint(f: &Integrand, n: usize) -> Result<f64, ringback::Error> {
//!     let h = 1.0 / n as f64;
//!     (0..n).map(|i| f.call((i as f64 + 0.5) * h)).sum::<Result<f64, _>>().map(|sum| sum * h)
//! }
//!
//! let f = Integrand::from_fn(|t| Ok(t * t));
//! assert!((midpoint(&f, 100)? - 1.0 / 3.0).abs() < 1e-4);
//! # Ok::<(), ringback::Error>(())
//! ```
//!
//! With feature `pyo3` such a type may stand in the signature of a `#[pyfunction]`, and whoever calls that from
//! Python passes a plain Python function: it is compiled for the very signature that the Rust type asks for.
//!
//! ```ignore
//! #[pyfunction]
//! fn integrate(py: Python<'_>, f: Integrand) -> PyResult<f64> {
//!     Ok(py.detach(|| midpoint(&f, 1000))?)       // no GIL on any call; `?` restores the Python exception
//! }
//! ```
//!
//! # Concepts
//!
//! - A **signature** ([`signature::Signature`]) is the type of a callback, by width and kind: `f64([f64], mut [f64])`.
//!   The Rust type *is* the signature; whatever is passed is checked against it once.
//! - A **handle** ([`Callback`], or a type made by [`callback!`]) owns the compiled code, its bound data and all they
//!   need. It is `Clone + Send + Sync + 'static`, and may be dropped on any thread.
//! - An [`Error`] is what a failed call left: whether the function raised or the bridge broke can be asked without
//!   Python, and turned into a `PyErr` it is the very exception that was raised.
//! - The **callback record** ([`abi::CallbackRecord`]) is the C struct underneath, open to other producers and consumers.
//!
//! # Features
//!
//! None is on by default, and without any the crate has no dependencies: `pyo3` (extraction from Python objects,
//! errors as exceptions), `ndarray` (its views as parameters), `complex` (`num_complex::Complex` as scalars), `loader`
//! ([`Library`](https://docs.rs/ringback/latest/ringback/struct.Library.html): callbacks exported to files, in programs
//! without Python).
//!
//! # Limits
//!
//! Bound NumPy arrays are shared with Python by reference: as with NumPy's own threads, whoever writes to one while a
//! callback reads it may see it half-written. On free-threaded CPython nothing was tested: say
//! `#[pymodule(gil_used = true)]`, which pyo3 does not do by itself, and CPython takes its GIL back. Array parameters that a callback writes cannot have `bool` elements.

pub mod abi;
pub mod block;
mod callback;
mod define;
mod error;
#[cfg(feature = "loader")]
mod library;
#[cfg(feature = "ndarray")]
mod ndarray;
mod place;
#[cfg(feature = "pyo3")]
pub mod python;
pub mod raw;
mod reach;
pub mod signature;
pub mod view;

pub use abi::{Element, In, InView, Mut, MutView, Param, Plain, Ret};
pub use block::{BlockError, Points};
pub use callback::{Callback, Expected, FromRecordError, Function, Handle, Params, SafeParams};
#[doc(hidden)]
pub use define::{__by_ref, __checked, __tied};
pub use error::{Error, ErrorKind};
#[cfg(feature = "loader")]
pub use library::{Library, LibraryError, Manifest, ManifestFunction};
pub use place::Place;

#[cfg(feature = "pyo3")]
#[doc(hidden)]
pub use ::pyo3;

/// The crate's own front page; the others are not in its package.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct FrontPage;

/// The pages of the documentation whose Rust blocks are compiled as tests: `make test-rust`.
#[cfg(all(doctest, feature = "pyo3", feature = "ndarray"))]
mod pages {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/guide.md")]
    struct Guide;
}
