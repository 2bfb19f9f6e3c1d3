//! What must not compile does not, and the compiler says why.

#[test]
#[cfg_attr(miri, ignore = "starts the compiler")]
fn refusals() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/forbid_unsafe.rs");
    cases.compile_fail("tests/ui/fail_*.rs");
}
