//! What the Python tests need from the Rust side: callbacks of many types, threads, failures, and timings.

#![forbid(unsafe_code)]

mod blocks;
mod failures;
mod interchange;
mod kinds;
mod offers;
mod threads;
mod timing;

use pyo3::prelude::*;

/// Consumers of callbacks for the tests.
#[pymodule]
mod ringback_testing {
    #[pymodule_export]
    use super::blocks::{block_failure, block_of_mixed, block_of_one, block_of_pairs, time_blocks};
    #[pymodule_export]
    use super::failures::{
        call_forever, classify, discard_many, fail_with_gil_held, first_failure, panics_in_engine, parts,
        reject_forever, rejecting_sampler,
    };
    #[pymodule_export]
    use super::interchange::apply;
    #[pymodule_export]
    use super::kinds::{
        call_array4, call_bools, call_complex, call_matrix, call_result3, call_strided, call_tied, call_void,
        call_weights, kinds, takes,
    };
    #[pymodule_export]
    use super::offers::{log_density, offer_normal, offer_panic, offer_raising, offer_scaled, pass_on, relay};
    #[pymodule_export]
    use super::threads::{Handle, sum_over_threads};
    #[pymodule_export]
    use super::timing::{time_handle, time_python};
}
