#![doc = include_str!("../README.md")]

mod auth;
mod base_url;
mod call;
mod classify;
mod client;
mod clock;
mod decode;
mod download;
mod endpoint;
mod error;
mod gate;
mod hints;
mod limits;
mod model;
mod observer;
mod page;
mod pipeline;
mod polling;
mod quota;
mod request;
mod retry;
mod sequence;
mod spans;
#[cfg(feature = "testing")]
pub mod testing;
mod token_store;
mod transport;

pub use self::auth::{
    AuthError, AuthErrorKind, AuthHeaders, Authenticate, InvalidCredential, NoAuth, StaticHeaders,
    TokenId,
};
pub use self::call::{Call, CallWithResponse, Response};
pub use self::client::{Client, ClientBuilder, HttpBuilder};
pub use self::clock::{Timer, TokioTimer};
pub use self::download::Download;
pub use self::endpoint::{Endpoint, Idempotency, Method, RateClass};
pub use self::error::{
    Delivery, Error, ErrorDecoder, ErrorKind, FieldError, Throttle, VendorError,
};
pub use self::gate::{AttemptGate, AttemptInfo, Refusal};
pub use self::hints::{Hints, RateHints};
pub use self::limits::{Lane, Rate, SharedLimits};
pub use self::model::{Mask, Maskable, Patch, lenient};
pub use self::observer::{Attempt, AttemptOutcome, Body, CallOutcome, Observer};
pub use self::page::{Cursor, InvalidCursor, Items, Page, Pages, Paginator};
pub use self::request::Request;
pub use self::retry::RetryPolicy;
pub use self::sequence::{CallOptions, CallSequence};
pub use self::token_store::{
    Fingerprint, LeaseOwner, Saved, StoredToken, TokenSet, TokenStore, TokenStoreError,
    TokenStoreErrorKind,
};
pub use self::transport::{
    BodyError, BodyErrorKind, BodyStream, BoxFuture, ReqwestTransport, ReqwestTransportBuilder,
    Transport, TransportError, TransportErrorKind, WireRequest, WireResponse, WireStream,
};

/// What the macros of this crate need to reach from elsewhere. Not part of the API.
#[doc(hidden)]
pub mod __private {
    pub use serde;
}
