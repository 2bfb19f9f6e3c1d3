//! What code that Numba compiled needs in a library without Python.
//!
//! - `memory` has the `NRT_*` functions: counted allocations, as Numba's own runtime makes them.
//! - `maths` has the functions of `math` and NumPy that Numba does not take from the C library.
//! - `random` is the generator behind `np.random` and `random`.
//! - `text` writes the numbers that an exception was raised with, as Python's `repr` does; `unicode` the texts.
//! - `linear` has Numba's linear algebra, by the routines of a BLAS and LAPACK library, and `products` plain products in the
//!   place of such a library.
//! - `reshape` finds strides for another shape of an array.
//! - `record` is what the callback records of an exported library point to: `describe`, `discard`, `release`.
//!
//! The crate uses the C library and nothing else, has no `std`, and cannot panic when it is optimised: the
//! extension module carries it as one object file, and every exported library has its own copy of that, hidden. A
//! symbol that is missing there fails the link, so an accidental panic is found by any export.
//!
//! All functions may be called from any thread.

#![no_std]

#[cfg(feature = "linear")]
pub mod linear;
pub mod maths;
pub mod memory;
pub mod products;
pub mod random;
pub mod record;
pub mod reshape;
pub mod text;
pub mod unicode;
