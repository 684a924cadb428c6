//! What passes between the server and a vendor: a request that was routed, and its answer.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::Value;

use crate::operation::Operation;
use crate::vendor::Refusal;
use crate::webhook::Delivery;

const JSON: &str = "application/json; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// A request that found its operation.
pub(crate) struct Call<'a> {
    pub(crate) operation: Operation,
    /// The first path parameter, decoded; empty where the template has none.
    pub(crate) id: &'a str,
    /// The second path parameter, likewise.
    pub(crate) second_id: &'a str,
    pub(crate) query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a Bytes,
    pub(crate) now: DateTime<Utc>,
}

impl Call<'_> {
    /// Reads the query: `+` is a blank and keys may repeat, as in a form.
    pub(crate) fn query_pairs(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.query.as_bytes())
            .into_owned()
            .collect()
    }

    /// Reads the body as JSON. A body that is not declared as JSON counts as absent, as it does
    /// for the frameworks that vendors use.
    pub(crate) fn json(&self) -> Result<Option<Value>, serde_json::Error> {
        let declared = self
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"));
        if !declared || self.body.is_empty() {
            return Ok(None);
        }
        serde_json::from_slice(self.body).map(Some)
    }
}

/// The place a request was routed to.
pub(crate) enum Routed {
    To {
        operation: Operation,
        /// The path parameters, decoded, in their order.
        ids: Vec<String>,
    },
    /// A known route whose id is not valid percent-encoded UTF-8.
    BadId(Operation),
    /// A known route that was asked for in a version that does not exist, or in none.
    WrongVersion(Operation),
    /// No operation, for a reason of the vendor's own.
    Refused(Refusal),
    Nowhere,
}

/// An answer, before the headers that every answer carries.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) body: Bytes,
    /// Seconds for a `Retry-After` header.
    pub(crate) retry_after: Option<u64>,
    /// What only some answers carry.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

impl Reply {
    /// Answers with JSON. What the sandbox builds itself always serialises; should it not, the
    /// answer is a plain 500 that says so.
    pub(crate) fn json<T: Serialize + ?Sized>(status: StatusCode, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self {
                status,
                content_type: Some(JSON),
                body: body.into(),
                retry_after: None,
                headers: Vec::new(),
            },
            Err(error) => Self {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                content_type: Some("text/plain; charset=utf-8"),
                body: format!("the sandbox cannot write its answer: {error}").into(),
                retry_after: None,
                headers: Vec::new(),
            },
        }
    }

    pub(crate) fn html(status: StatusCode, page: &'static str) -> Self {
        Self {
            status,
            content_type: Some(HTML),
            body: Bytes::from_static(page.as_bytes()),
            retry_after: None,
            headers: Vec::new(),
        }
    }

    pub(crate) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            content_type: None,
            body: Bytes::new(),
            retry_after: None,
            headers: Vec::new(),
        }
    }

    /// Answers with bytes of some type.
    pub(crate) fn bytes(status: StatusCode, content_type: &'static str, body: Bytes) -> Self {
        Self {
            content_type: Some(content_type),
            body,
            ..Self::empty(status)
        }
    }

    /// Adds a header; a value that cannot stand in one is left out.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    pub(crate) fn retry_after(mut self, seconds: Option<u64>) -> Self {
        self.retry_after = seconds;
        self
    }
}

/// What a vendor does with a call: its answer, and the webhooks that follow from it.
pub(crate) struct Outcome {
    pub(crate) reply: Reply,
    pub(crate) deliveries: Vec<Delivery>,
}

impl From<Reply> for Outcome {
    fn from(reply: Reply) -> Self {
        Self {
            reply,
            deliveries: Vec::new(),
        }
    }
}
