//! The strict road on disk: whatever ends a create, and wherever, in the end both sides have the contact or neither.
//!
//! [`vendor`] is a vendor on loopback that misbehaves on demand. [`flows`] takes one end of an insert after the other,
//! [`roads`] what else may be at work on the same person, [`rough`] what goes wrong around it, [`calls`] the calls of
//! the port one by one. [`kills`] kills real processes: this binary, started again for the one test [`process`], which
//! runs one create on the database of the test that started it, and waits at the step that it is to die at.

#![cfg(all(feature = "contacts", any(feature = "sqlite", feature = "postgres")))]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests; a panic is a failed test"
)]

mod calls;
mod flows;
mod host;
mod kills;
mod place;
#[cfg(feature = "postgres")]
#[path = "../support/postgres.rs"]
#[allow(dead_code, reason = "other tests use the rest of it")]
mod postgres;
mod roads;
mod rough;
mod vendor;
mod victim;

/// What a process that is to be killed runs. Started by hand, or with the other tests, it does nothing.
#[test]
fn process() {
    victim::run();
}
