//! What must not compile does not, and the compiler says why.
//!
//! Without features only: they add to the lists of candidates that the compiler prints.
#![cfg(not(any(feature = "ndarray", feature = "complex")))]

use std::process::Command;

/// The compiler whose messages `tests/ui/*.stderr` hold; `TRYBUILD=overwrite cargo test` renews them.
const KNOWN: &str = "rustc 1.95.";

#[test]
#[cfg_attr(miri, ignore = "starts the compiler")]
fn refusals() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/forbid_unsafe.rs");
    cases.pass("tests/ui/hygiene.rs");
    let version = Command::new("rustc").arg("--version").output().expect("rustc starts");
    if String::from_utf8_lossy(&version.stdout).starts_with(KNOWN) {
        cases.compile_fail("tests/ui/fail_*.rs");
    }
}
