//! Webhooks: verify, then parse, then match on what happened.
//!
//! [`Verifier`] checks a delivery over its raw bytes and gives [`Verified`]; [`Event::parse`] takes nothing else, so an
//! unverified body cannot be read by mistake.
//!
//! ```
//! use chrono::DateTime;
//! use http::HeaderMap;
//! use openphone_client::webhooks::{Event, EventKind, Verifier, WebhookError};
//!
//! /// What a route does with a delivery: headers and raw body as they arrived, and the host's clock.
//! fn receive(verifier: &Verifier, headers: &HeaderMap, body: &[u8]) -> Result<(), WebhookError> {
//!     let now = DateTime::from_timestamp(1_639_710_060, 0).unwrap_or_default();
//!     let verified = verifier.verify(headers, body, now)?;
//!     let event = Event::parse(&verified)?;
//!     match event.kind {
//!         EventKind::MessageReceived(message) => println!("a text, {:?} characters", message.text.map(|text| text.len())),
//!         EventKind::CallCompleted(call) if call.was_missed() => println!("a missed call, {}", call.id),
//!         EventKind::Unknown { kind, .. } => println!("kept for later: {kind}"),
//!         _ => {}
//!     }
//!     Ok(())
//! }
//!
//! let verifier = Verifier::new(["c3ludGhldGljLW9wZW5waG9uZS13ZWJob29rLXNlY3JldA==".into()])?;
//! let mut headers = HeaderMap::new();
//! headers.insert(
//!     "openphone-signature",
//!     "hmac;1;1639710054089;EO8E8BFAJcteyyUzAqNSUVhlmuzlbKUS8Fhej3UtszA=".parse()?,
//! );
//! let body = br#"{"id":"EVsyntheticdelivered01","object":"event","type":"message.delivered","data":{"object":{"id":"ACsyntheticmessage0001","object":"message","status":"delivered"}}}"#;
//! receive(&verifier, &headers, body)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Three systems, one shape
//!
//! The vendor runs three webhook systems side by side, and a delivery looks after how its subscription was made: in the
//! app (payload `v2` and `v3`), over API v1 (`v4`), or over the dated API (`2026-03-30`). The first two are signed with
//! `openphone-signature`, the third by Standard Webhooks. One [`Verifier`] with both kinds of secret takes them all, and
//! [`Event`] has one shape for all of them, with [`Event::generation`] telling where it came from.
//!
//! What a payload does not say is `None`, or [`Lookup::NotReported`]; what the vendor could not find out is
//! [`Lookup::Unavailable`]. Neither means "there is none".
//!
//! All 28 events that the vendor documents have a type, under one name each ([`EventName`]) whatever a generation calls
//! them. What a host fetches from the API has the same type in an event where the vendor sends the same:
//! [`CallSummary`](crate::CallSummary), [`Transcript`](crate::Transcript). `integration.created`, `.updated` and
//! `.deleted`, whose payloads the vendor does not document, are kept as [`EventKind::Unknown`].
//!
//! # What to do with a delivery
//!
//! Answer 2xx within some seconds, after storing it under [`Event::replay_id`]: the vendor tries a dated delivery up to
//! eight times in about 28 hours and promises no order. Fetch the contact or the call where its current state matters.
//!
//! # Tests of a host
//!
//! The feature `webhook-replay` adds `webhooks::replay`: a sample of every event, and deliveries recorded where they
//! arrive, both signed with a key of the host's tests, so that its own route with its own [`Verifier`] takes them.
//!
//! Vendor's pages: <https://www.quo.com/docs/mdx/guides/webhooks>,
//! <https://support.quo.com/core-concepts/integrations/webhooks> (read 2026-11-21).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod call;
mod contact;
mod context;
mod envelope;
mod event;
mod lenient;
mod message;
#[cfg(feature = "webhook-replay")]
pub mod replay;
mod summary;
mod task;
mod transcript;
mod verifier;

pub use integration_core::webhook::{Tolerance, Verified, WebhookError, WebhookErrorKind};

pub use call::{CallEvent, CallEventStatus, Recording, Voicemail};
pub use contact::{ContactEvent, ContactEventField, ContactFieldKind, ContactNote};
pub use context::{Direction, Lookup, Participants};
pub use event::{Event, EventId, EventKind, EventName, Generation, replay_id};
pub use message::{MessageEvent, MessageEventStatus};
pub use summary::CallSummaryEvent;
pub use task::TaskEvent;
pub use transcript::CallTranscriptEvent;
pub use verifier::Verifier;
