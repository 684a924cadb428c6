use std::io;

use thiserror::Error;

/// What can go wrong with the sandbox itself, as opposed to what it answers as a vendor.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The port asked for belongs to somebody else already.
    #[error("port {port} is already in use on 127.0.0.1")]
    PortInUse {
        /// The port that was asked for.
        port: u16,
    },
    /// The listening socket could not be opened for another reason.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// The port that was asked for, 0 for any.
        port: u16,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The API key cannot stand in a header: it is empty, or not printable ASCII without blanks.
    #[error("the sandbox's API key must be printable ASCII without blanks, and not empty")]
    UnusableApiKey,
    /// A webhook URL that is not `http` to a loopback address; deliveries never leave the machine.
    #[error("webhooks go to http on loopback only: {reason}")]
    NotLoopback {
        /// Why the URL was refused.
        reason: &'static str,
    },
    /// A seeded record that the vendor's own rules refuse.
    #[error("the seeded record is not valid: {reason}")]
    InvalidSeed {
        /// The first rule that was broken, with its path in the record.
        reason: String,
    },
    /// An inbound text that could not have happened.
    #[error("the inbound text is not possible: {reason}")]
    InvalidText {
        /// What is wrong with it.
        reason: String,
    },
    /// A call that could not have happened.
    #[error("the call is not possible: {reason}")]
    InvalidCall {
        /// What is wrong with it.
        reason: String,
    },
    /// The id names nothing here.
    #[error("the sandbox has no {what} with this id")]
    Unknown {
        /// The kind of thing that was looked for.
        what: &'static str,
    },
}
