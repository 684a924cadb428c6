//! The vendors that contacts go to, each behind its own cargo feature.

#[cfg(feature = "openphone")]
pub mod openphone;
#[cfg(feature = "suitedash")]
pub mod suitedash;
