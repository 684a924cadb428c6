//! What must not compile: a delivery that nobody verified.

#![cfg(feature = "webhook")]

#[test]
fn unverified_deliveries_do_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
}
