//! Answers that refuse: `success` is false, and a message says why. The status codes are the
//! vendor's; no text of its own is known but that two clients look for "already exists".

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::exchange::Reply;
use crate::suitedash::rules::Rules;
use crate::vendor::Refusal;

const BAD_GATEWAY: &str = "<html><body><h1>502 Bad Gateway</h1></body></html>\n";
const NOT_FOUND: &str = "<html><body><h1>404 Not Found</h1></body></html>\n";

/// A call that is refused.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    message: String,
    /// What is wrong, by attribute.
    errors: Vec<(String, String)>,
}

impl Refused {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            errors: Vec::new(),
        }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("{what} not found"))
    }

    /// A duplicate: 422 and no more than a message.
    pub(super) fn duplicate(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    pub(super) fn invalid(errors: Vec<(String, String)>) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            message: "Validation failed".to_owned(),
            errors,
        }
    }

    /// Says in one line what is wrong, for whoever seeds a record.
    pub(super) fn summary(&self) -> String {
        match self.errors.first() {
            Some((attribute, text)) => format!("{attribute}: {text}"),
            None => self.message.clone(),
        }
    }

    pub(super) fn reply(self, rules: &Rules) -> Reply {
        let mut body = json!({ "success": false, "message": self.message });
        if rules.options.errors_by_attribute
            && !self.errors.is_empty()
            && let Value::Object(body) = &mut body
        {
            let mut errors: Map<String, Value> = Map::new();
            for (attribute, text) in self.errors {
                let texts = errors.entry(attribute).or_insert_with(|| json!([]));
                if let Value::Array(texts) = texts {
                    texts.push(text.into());
                }
            }
            body.insert("errors".to_owned(), errors.into());
        }
        Reply::json(self.status, &body)
    }
}

/// Refuses for what stands before the operations.
pub(super) fn refuse(refusal: Refusal, rules: &Rules, of_month: Option<u64>) -> Reply {
    let (status, message) = match refusal {
        Refusal::NoPage => return Reply::html(StatusCode::NOT_FOUND, NOT_FOUND),
        Refusal::HtmlErrorPage => return Reply::html(StatusCode::BAD_GATEWAY, BAD_GATEWAY),
        Refusal::UnknownRoute | Refusal::WrongVersion => {
            (StatusCode::NOT_FOUND, "Not Found".to_owned())
        }
        Refusal::WrongMethod => (
            StatusCode::METHOD_NOT_ALLOWED,
            "Method Not Allowed".to_owned(),
        ),
        Refusal::MissingKey | Refusal::WrongKey => {
            (StatusCode::UNAUTHORIZED, "Unauthorized".to_owned())
        }
        Refusal::TooManyRequests => (StatusCode::TOO_MANY_REQUESTS, spent(of_month)),
        Refusal::BodyTooLarge => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "Payload Too Large".to_owned(),
        ),
        Refusal::UnreadableId => (StatusCode::NOT_FOUND, "Not Found".to_owned()),
        Refusal::ServerError(status) => (
            status,
            status.canonical_reason().unwrap_or("Error").to_owned(),
        ),
        Refusal::Unsuccessful => (StatusCode::OK, "The request was not processed".to_owned()),
    };
    Refused::new(status, message).reply(rules)
}

/// The vendor's text is not known; it names a number of requests and the page to look at.
fn spent(of_month: Option<u64>) -> String {
    let calls = of_month.map_or_else(String::new, |calls| format!(" of {calls}"));
    format!(
        "Too many requests: the maximum{calls} API requests per month is reached. \
         See Integrations > Secure API."
    )
}
