//! A delivery without a signature, and the keys to give it one.

use std::fmt;
use std::io;

use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderValue};
use integration_core::webhook::{HmacKey, WebhookError, sign_base64, sign_standard};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::webhooks::verifier::LEGACY;
use crate::webhooks::{Generation, Verifier};

/// The id of a dated delivery that was recorded without one.
const NO_ID: &str = "msg_replayed";

/// A delivery that is yet to be signed: a [sample](super::sample()), or one that was [recorded](super::Recorder).
///
/// `Debug` shows nothing of the body but its length.
#[derive(Clone, PartialEq)]
pub struct UnsignedDelivery {
    pub(super) scheme: Option<Scheme>,
    pub(super) id: Option<String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// How a delivery was signed.
#[derive(Copy, Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Scheme {
    #[serde(rename = "openphone-signature")]
    Legacy,
    #[serde(rename = "webhook-signature")]
    Standard,
}

impl UnsignedDelivery {
    /// Takes a body of the test's own, to be signed as payloads of that generation are; one that is not known counts as
    /// one of the app or API v1.
    pub fn new(generation: &Generation, body: impl Into<Vec<u8>>) -> Self {
        let scheme = match generation {
            Generation::Dated => Scheme::Standard,
            _ => Scheme::Legacy,
        };
        let json = HeaderValue::from_static("application/json");
        Self {
            scheme: Some(scheme),
            id: None,
            headers: [(http::header::CONTENT_TYPE, json)].into_iter().collect(),
            body: body.into(),
        }
    }

    /// Returns the body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Changes the id of a dated delivery, the header `webhook-id`: the same twice is a repeated delivery. The id that
    /// tells repeated deliveries of the app and API v1 stands in the body: [`set`](Self::set) `/id`.
    pub fn with_delivery_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Changes one value of the body, at a JSON pointer like `/data/object/text`. A member that is not there is added.
    ///
    /// # Errors
    ///
    /// [`NotJson`](ReplayError::NotJson) if the body is none, [`NoSuchPlace`](ReplayError::NoSuchPlace) if there is
    /// nothing at the pointer and no object that could have it.
    pub fn set(
        mut self,
        pointer: &str,
        value: impl Into<serde_json::Value>,
    ) -> Result<Self, ReplayError> {
        let mut body: serde_json::Value =
            serde_json::from_slice(&self.body).map_err(|_| ReplayError::NotJson)?;
        if let Some(place) = body.pointer_mut(pointer) {
            *place = value.into();
        } else {
            let (parent, key) = pointer.rsplit_once('/').ok_or(ReplayError::NoSuchPlace)?;
            let parent = body
                .pointer_mut(parent)
                .and_then(serde_json::Value::as_object_mut)
                .ok_or(ReplayError::NoSuchPlace)?;
            parent.insert(key.replace("~1", "/").replace("~0", "~"), value.into());
        }
        self.body = body.to_string().into_bytes();
        Ok(self)
    }

    /// Signs it, by the scheme it came in, as if the vendor had sent it at that time. One that was recorded without a
    /// signature stays without one.
    ///
    /// # Errors
    ///
    /// [`Signing`](ReplayError::Signing) for a [delivery id](Self::with_delivery_id) that no receiver takes, such as one
    /// with a dot.
    pub fn sign(&self, keys: &TestKeys, at: DateTime<Utc>) -> Result<SignedDelivery, ReplayError> {
        let mut headers = self.headers.clone();
        match self.scheme {
            Some(Scheme::Standard) => {
                let id = self.id.as_deref().unwrap_or(NO_ID);
                headers.extend(sign_standard(&keys.standard, id, at, &self.body)?);
            }
            Some(Scheme::Legacy) => {
                let time = at.timestamp_millis().to_string();
                let mac = sign_base64(&keys.legacy, &[time.as_bytes(), b"."], &self.body);
                let signature = HeaderValue::from_str(&format!("hmac;1;{time};{mac}"))
                    .map_err(|_| WebhookError::malformed(&LEGACY))?;
                headers.insert(LEGACY.clone(), signature);
            }
            None => {}
        }
        Ok(SignedDelivery {
            headers,
            body: self.body.clone(),
        })
    }
}

impl fmt::Debug for UnsignedDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnsignedDelivery")
            .field("scheme", &self.scheme)
            .field("id", &self.id)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What a receiver gets.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct SignedDelivery {
    /// The headers, with the signature.
    pub headers: HeaderMap,
    /// The raw body.
    pub body: Vec<u8>,
}

impl fmt::Debug for SignedDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedDelivery")
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The keys that a test signs with, one of each kind.
///
/// [`default`](Self::default) has the keys of [`SECRETS`](Self::SECRETS).
#[derive(Clone, Debug)]
pub struct TestKeys {
    legacy: HmacKey,
    standard: HmacKey,
}

const LEGACY_SECRET: &str = "cHVibGljIGtleSwgZm9yIHRlc3RzIG9ubHkgKGxlZ2FjeSk=";
const STANDARD_SECRET: &str = "whsec_cHVibGljIGtleSwgZm9yIHRlc3RzIG9ubHkgKGRhdGVkKQ==";

impl TestKeys {
    /// Two secrets as [`Verifier`] takes them, for app and API v1, and for dated webhooks. **Everybody knows them**: with
    /// these configured, a receiver believes anybody.
    pub const SECRETS: [&'static str; 2] = [LEGACY_SECRET, STANDARD_SECRET];

    /// Signs with these secrets: bare base64 for the app and API v1, `whsec_…` for dated webhooks.
    ///
    /// # Errors
    ///
    /// [`MalformedKey`](crate::webhooks::WebhookErrorKind::MalformedKey) if one cannot be used.
    pub fn new(legacy: &SecretString, dated: &SecretString) -> Result<Self, WebhookError> {
        Ok(Self {
            legacy: HmacKey::from_base64(legacy)?,
            standard: HmacKey::from_whsec(dated)?,
        })
    }

    /// Returns a verifier that takes what these keys sign. A host that tests its own configuration configures the
    /// secrets instead.
    pub fn verifier(&self) -> Verifier {
        Verifier::of_keys(self.legacy.clone(), self.standard.clone())
    }
}

impl Default for TestKeys {
    #[expect(clippy::expect_used, reason = "the secrets are constants")]
    fn default() -> Self {
        let [legacy, dated] = Self::SECRETS.map(SecretString::from);
        Self::new(&legacy, &dated).expect("both are base64")
    }
}

/// Why a delivery could not be recorded, read, changed or signed.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReplayError {
    /// The body is no JSON object, so nobody can say what of it is personal.
    NotJson,
    /// There is nothing at that place of the body.
    NoSuchPlace,
    /// A line of a recording is none, or of a later version.
    Line(usize),
    /// Reading or writing failed.
    Io(io::Error),
    /// It cannot be signed.
    Signing(WebhookError),
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson => f.write_str("the body is no JSON object"),
            Self::NoSuchPlace => f.write_str("the body has no such place"),
            Self::Line(number) => write!(f, "line {number} is no recorded delivery"),
            Self::Io(_) => f.write_str("reading or writing a recording failed"),
            Self::Signing(_) => f.write_str("the delivery cannot be signed"),
        }
    }
}

impl std::error::Error for ReplayError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Signing(error) => Some(error),
            Self::NotJson | Self::NoSuchPlace | Self::Line(_) => None,
        }
    }
}

impl From<WebhookError> for ReplayError {
    fn from(error: WebhookError) -> Self {
        Self::Signing(error)
    }
}

impl From<io::Error> for ReplayError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
