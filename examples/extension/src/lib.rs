//! Monte Carlo in Rust threads, of functions written in Python.
//!
//! `density` has the types of the functions that are asked for; `metropolis`, `hmc` and `particles` call them;
//! `chains` runs chains in threads while Python's main thread waits for results and for Ctrl-C.

#![forbid(unsafe_code)]

mod chains;
mod density;
mod draws;
mod hmc;
mod metropolis;
mod normal;
mod particles;
mod timing;

use pyo3::prelude::*;

/// The Rust side of `ergodic`.
#[pymodule]
mod _ergodic {
    #[pymodule_export]
    use super::draws::Draws;
    #[pymodule_export]
    use super::hmc::hmc;
    #[pymodule_export]
    use super::metropolis::metropolis;
    #[pymodule_export]
    use super::normal::{gaussian, gaussian_with_gradient};
    #[pymodule_export]
    use super::particles::{Filtered, particle_filter};
    #[pymodule_export]
    use super::timing::{time_handle, time_inlined, time_python};
}
