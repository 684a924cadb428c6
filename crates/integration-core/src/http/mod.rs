//! What connects this crate to `connector-http`.
//!
//! A [`LogObserver`] on a client writes an entry of the integration log for every call, through a [`LogWriter`] that
//! keeps calls from waiting for the store, and tells what the call says about the connection: a [`CallResult`].
//! [`redact()`] makes of a body what a log may hold. A [`VaultTokenStore`] keeps OAuth tokens sealed.

mod call_result;
pub mod log_context;
mod log_observer;
mod log_writer;
mod redact;
mod tokens;

#[cfg(feature = "integrations")]
pub(crate) use self::call_result::event::pause_until;
pub use self::call_result::{CallResult, status_signal};
#[cfg(feature = "integrations")]
pub(crate) use self::log_observer::plain;
pub use self::log_observer::{LogObserver, sweep_logs};
pub use self::log_writer::{LogWriter, LogWriterOptions};
pub use self::redact::{MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS, MAX_MEMBERS, redact};
pub use self::tokens::VaultTokenStore;
