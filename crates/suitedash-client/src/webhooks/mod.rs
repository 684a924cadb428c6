//! Webhooks: a receiver behind a secret address, and events that are hints.
//!
//! SuiteDash sends webhooks that are set up in its user interface (Projects, Billing, and an automation's *Webhook
//! Notification*). **No signature is known of them**, and neither is a name of the event in the payload, a retry rule or
//! a field list: one receiver in public shows two keys of a "Project Updated", and that is all. So nothing here claims
//! to verify. What a delivery proves is that its sender knew the address, which is why it is an
//! [`UnsignedDelivery`], and what is read from it an [`EventHint`]: a reason to read the record through the API, never
//! a fact to act on.
//!
//! ```
//! use suitedash_client::webhooks::{EventHint, EventName, HintKind, Receiver, WebhookError};
//!
//! /// The route `/hooks/suitedash/{event}/{secret}`, one address per event, as entered in SuiteDash.
//! fn receive(receiver: &Receiver, event: &str, secret: &str, body: &[u8]) -> Result<(), WebhookError> {
//!     let delivery = receiver.receive(secret, body)?; // refused: answer error.kind().suggested_status()
//!     let hint = EventHint::read(&delivery, EventName::from(event))?;
//!     // Store it under hint.dedup_key and answer 200; then, in a job of its own, ask the API what is true.
//!     match hint.kind {
//!         HintKind::Project(project) => println!("{} custom fields to look at", project.custom_fields.len()),
//!         HintKind::Billing | HintKind::Automation => println!("about {:?}", hint.client_uid),
//!         _ => println!("kept for later: {}", hint.event),
//!     }
//!     Ok(())
//! }
//!
//! let receiver = Receiver::new(["Jq0cV7yZr2m4uXb8nTf6Wg".into()])?; // or Receiver::from_env()
//! let body = br#"{"client":{"uid":"11111111-1111-4111-8111-111111111111"},"project_custom_fields":{}}"#;
//! receive(&receiver, "project-updated", "Jq0cV7yZr2m4uXb8nTf6Wg", body)?;
//! assert!(receive(&receiver, "project-updated", "a guess", body).is_err());
//! # Ok::<(), WebhookError>(())
//! ```
//!
//! # What the host sees to
//!
//! Serve the route over https only, keep its path out of access logs, and give every endpoint in SuiteDash the address
//! of its event, since the payload is not known to say which it is. Forget dedup keys after some hours: nothing in a
//! body is known to differ between two equal events.
//!
//! Vendor's page: <https://help.suitedash.com/article/581-webhooks> (cited by others; payloads not documented there,
//! 2026-11-21).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod hint;
mod receiver;

pub use integration_core::webhook::{UnsignedDelivery, WebhookError, WebhookErrorKind};

pub use hint::{EventHint, EventName, HintKind, ProjectHint};
pub use receiver::{DEFAULT_MAX_BODY, Receiver};
