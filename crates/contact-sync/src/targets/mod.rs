//! The vendors that contacts go to, each behind its own cargo feature.

#[cfg(feature = "openphone")]
pub mod openphone;
