//! Deliveries for the tests of a host: samples of every event, and recordings of what really arrived.
//!
//! Both are [`UnsignedDelivery`]s. [`sign`](UnsignedDelivery::sign)ed with the host's test keys at a time of the test's
//! choice, they pass the host's own [`Verifier`], by the scheme of the generation they came in, so that a test runs the
//! whole route: headers and raw body in, whatever the host does out.
//!
//! ```
//! use chrono::DateTime;
//! use http::HeaderMap;
//! use openphone_client::webhooks::replay::{TestKeys, sample};
//! use openphone_client::webhooks::{Event, EventKind, EventName, Generation, Verifier, WebhookError};
//!
//! // The host's route.
//! fn route(verifier: &Verifier, headers: &HeaderMap, body: &[u8], now: i64) -> Result<Event, WebhookError> {
//!     let now = DateTime::from_timestamp(now, 0).unwrap_or_default();
//!     Event::parse(&verifier.verify(headers, body, now)?)
//! }
//!
//! // Its test.
//! let keys = TestKeys::default();
//! let verifier = keys.verifier(); // or the host's own, with `TestKeys::SECRETS` in OPENPHONE_WEBHOOK_SECRET
//! let at = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
//! let delivery = sample(&EventName::MessageReceived, &Generation::V4)
//!     .ok_or("no such event in that generation")?
//!     .set("/data/object/text", "STOP")?
//!     .sign(&keys, at)?;
//!
//! let event = route(&verifier, &delivery.headers, &delivery.body, 1_790_000_010)?;
//! assert!(matches!(event.kind, EventKind::MessageReceived(message) if message.text.as_deref() == Some("STOP")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Recording
//!
//! A [`Recorder`] writes deliveries as lines of JSON, where they arrive; [`read`] reads them in a test.
//!
//! ```
//! use chrono::DateTime;
//! use openphone_client::webhooks::replay::{self, Recorder, TestKeys};
//! # use openphone_client::webhooks::{EventName, Generation};
//! # let at = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
//! # let arrived = replay::sample(&EventName::CallCompleted, &Generation::Dated).unwrap().sign(&TestKeys::default(), at)?;
//! # let (headers, body) = (arrived.headers, arrived.body);
//!
//! let mut file = Vec::new(); // a file that was opened to append
//! Recorder::new(&mut file).record(&headers, &body)?;
//!
//! for delivery in replay::read(file.as_slice())? {
//!     let delivery = delivery.sign(&TestKeys::default(), at)?;
//!     // … hand `delivery.headers` and `delivery.body` to the route
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Signatures, and headers other than `content-type`, `user-agent` and `webhook-id`, are never written, nor are the
//! links to recordings and media, which open them for anybody. Personal data is replaced too, unless the host
//! [decides otherwise](Recorder::keep_personal_data).
//!
//! # What it must not do
//!
//! Whoever has a key can make deliveries that pass for the vendor's. The secrets of [`TestKeys::default`] are public:
//! they must never be configured where real deliveries arrive. Enable this feature in `dev-dependencies`, or where
//! deliveries are recorded.

mod delivery;
mod pseudonyms;
mod recorder;
mod redact;
mod sample;

pub use delivery::{ReplayError, SignedDelivery, TestKeys, UnsignedDelivery};
pub use recorder::{Recorder, read};
pub use sample::{sample, samples};

#[cfg(doc)]
use super::Verifier;
