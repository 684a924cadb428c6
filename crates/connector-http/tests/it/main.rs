//! What a caller sees, on the scripted transport and paused time: nothing here sleeps or opens a socket.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets the unexpected has to fail"
)]

mod cancellation;
mod describing;
mod downloading;
mod failing;
mod limiting;
mod paging;
mod polling;
mod retrying;
mod signing_in;
mod support;
mod watching;
