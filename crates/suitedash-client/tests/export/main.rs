//! Import mode: what is in a file, when there is one, and what the history says about it.

#![cfg(feature = "export")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

mod contacts;
mod crash;
mod csv_text;
mod failure;
mod files;
mod history;
mod model;
