//! What a call is about, for the log entry that is written of it.
//!
//! A client does not know for which contact of the host's it is called. Whoever does, says so around the call:
//!
//! ```
//! use integration_core::http::log_context;
//!
//! # async fn create_at_vendor() {}
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! log_context::related("contact", "c-17", create_at_vendor()).await;
//! # }
//! ```
//!
//! It holds for the calls that are polled within the future, also through `join!` and the like. It does not hold for
//! a task that the future spawns: say it there again.

use std::future::Future;

/// The longest kind or id that is kept, in characters; the rest is cut off.
const LONGEST: usize = 128;

tokio::task_local! {
    static RELATED: Related;
}

#[derive(Clone, Debug)]
pub(super) struct Related {
    pub(super) kind: String,
    pub(super) id: String,
}

/// Runs a future whose calls are about this thing of the host's: `"contact"` and the host's own id of it.
///
/// Both are stored readable with every log entry. Take an id, not a name or an address. The innermost one holds.
pub async fn related<F: Future>(
    kind: impl Into<String>,
    id: impl Into<String>,
    future: F,
) -> F::Output {
    let cut = |text: String| text.chars().take(LONGEST).collect();
    let related = Related {
        kind: cut(kind.into()),
        id: cut(id.into()),
    };
    RELATED.scope(related, future).await
}

pub(super) fn current() -> Option<Related> {
    RELATED.try_with(Clone::clone).ok()
}
