//! What passes between the server and a vendor: a request that was routed, and its answer.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::Value;

use crate::operation::Operation;
use crate::webhook::Delivery;

const JSON: &str = "application/json; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// A request that found its operation.
pub(crate) struct Call<'a> {
    pub(crate) operation: Operation,
    /// The one path parameter, decoded; empty where the template has none.
    pub(crate) id: &'a str,
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
        id: String,
    },
    /// A known route whose id is not valid percent-encoded UTF-8.
    BadId(Operation),
    Nowhere,
}

/// Decodes one path segment and pairs it with its operation.
pub(crate) fn routed_to(operation: Operation, id: &str) -> Routed {
    match percent_decode_str(id).decode_utf8() {
        Ok(id) => Routed::To {
            operation,
            id: id.into_owned(),
        },
        Err(_) => Routed::BadId(operation),
    }
}

/// An answer, before the headers that every answer carries.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) body: Bytes,
    /// Seconds for a `Retry-After` header.
    pub(crate) retry_after: Option<u64>,
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
            },
            Err(error) => Self {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                content_type: Some("text/plain; charset=utf-8"),
                body: format!("the sandbox cannot write its answer: {error}").into(),
                retry_after: None,
            },
        }
    }

    pub(crate) fn html(status: StatusCode, page: &'static str) -> Self {
        Self {
            status,
            content_type: Some(HTML),
            body: Bytes::from_static(page.as_bytes()),
            retry_after: None,
        }
    }

    pub(crate) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            content_type: None,
            body: Bytes::new(),
            retry_after: None,
        }
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
