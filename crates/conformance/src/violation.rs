//! What the proxy says was broken, brought into a form that can be compared.

use http::HeaderMap;
use serde::Deserialize;
use serde_json::Value;

/// Where the proxy lists what it found when it lets an answer pass.
const HEADER: &str = "sl-violations";
/// How the type of every error of the proxy's own begins.
const ERRORS: &str = "https://stoplight.io/prism/errors#";

/// One breach of the specification.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    /// Where: `request.query.maxResults`, `response.200.body.data.*.userId`; every item of a list is `*`.
    pub(crate) place: String,
    /// The rule: the keyword of JSON Schema and, where the proxy names a property, that. Where there is no keyword,
    /// its words up to the first colon.
    pub(crate) rule: String,
    /// The proxy's words.
    pub(crate) says: String,
}

/// An error that the proxy answered in the place of the vendor.
#[derive(Deserialize)]
pub(crate) struct Refusal {
    r#type: String,
    title: String,
    #[serde(default)]
    validation: Vec<Told>,
}

/// One breach in the proxy's form.
#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    location: Vec<Value>,
    code: Option<Value>,
    message: String,
}

impl Refusal {
    /// Reads the proxy's own error; `None` for an answer of the vendor's.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let refusal: Self = serde_json::from_slice(body).ok()?;
        refusal.r#type.starts_with(ERRORS).then_some(refusal)
    }

    /// What was broken: by the answer, which had this status, or by the request, which then never got further.
    pub(crate) fn violations(&self, headers: &HeaderMap, status: Option<u16>) -> Vec<Violation> {
        // The body names the errors; the header, if it is not too long, warnings too.
        let mut found = in_header(headers, status.unwrap_or_default());
        let listed = self.validation.iter().map(|told| told.violation(status));
        for violation in listed {
            if !found.contains(&violation) {
                found.push(violation);
            }
        }
        if self.validation.is_empty() {
            let kind = self.r#type.trim_start_matches(ERRORS);
            found.push(Violation {
                place: "request".to_owned(),
                rule: kind.to_owned(),
                says: self.title.clone(),
            });
        }
        found
    }
}

/// What the proxy noted in the header of an answer with this status.
pub(crate) fn in_header(headers: &HeaderMap, status: u16) -> Vec<Violation> {
    let mut found = Vec::new();
    for value in headers.get_all(HEADER) {
        match serde_json::from_slice::<Vec<Told>>(value.as_bytes()) {
            Ok(told) => found.extend(told.iter().map(|told| told.violation(Some(status)))),
            // The header is cut when it grows too long.
            Err(_) => found.push(Violation {
                place: format!("response.{status}"),
                rule: "unreadable list of violations".to_owned(),
                says: String::from_utf8_lossy(value.as_bytes()).into_owned(),
            }),
        }
    }
    found
}

impl Told {
    fn violation(&self, status: Option<u16>) -> Violation {
        let mut segments = self.location.iter().map(segment).peekable();
        let mut place = match (segments.peek().map(String::as_str), status) {
            (Some("request"), _) => {
                segments.next();
                "request".to_owned()
            }
            (Some("response"), Some(status)) => {
                segments.next();
                format!("response.{status}")
            }
            // A request that is refused is described without saying that it is one.
            (_, None) => "request".to_owned(),
            (_, Some(status)) => format!("response.{status}"),
        };
        for segment in segments {
            place.push('.');
            place.push_str(&segment);
        }
        let words = self.message.split(':').next().unwrap_or_default();
        let property = self.message.split('\'').nth(1);
        let rule = match (&self.code, property) {
            (Some(Value::String(code)), Some(property)) => format!("{code} {property}"),
            (Some(Value::String(code)), None) => code.clone(),
            (Some(code), _) if !code.is_null() => code.to_string(),
            _ => words.to_owned(),
        };
        Violation {
            place,
            rule,
            says: self.message.clone(),
        }
    }
}

fn segment(segment: &Value) -> String {
    let text = match segment {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        "*".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_header_of_an_answer_is_read() {
        let text = r#"[{"location":["response","body","data","3","userId"],"severity":"Error","code":"type","message":"Response body property data.3.userId must be string"},
            {"location":["request","query","maxresults"],"severity":"Error","code":"required","message":"Request query parameter must have required property 'maxresults'"},
            {"location":["response"],"severity":"Warning","message":"Unable to match the returned status code with those defined in the document: 200,400"}]"#;
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(&text.replace('\n', " ")).unwrap();
        headers.insert(HEADER, value);
        let found = in_header(&headers, 429);
        let found: Vec<_> = found
            .iter()
            .map(|it| (it.place.as_str(), it.rule.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("response.429.body.data.*.userId", "type"),
                ("request.query.maxresults", "required maxresults"),
                (
                    "response.429",
                    "Unable to match the returned status code with those defined in the document"
                ),
            ]
        );
    }

    #[test]
    fn a_list_that_was_cut_is_a_violation() {
        let mut headers = HeaderMap::new();
        headers.insert(
            HEADER,
            HeaderValue::from_static("Too many violations! [{\"loc"),
        );
        assert_eq!(
            in_header(&headers, 200)[0].rule,
            "unreadable list of violations"
        );
    }

    #[test]
    fn a_refused_request_is_told_from_an_answer() {
        let body = br#"{"type":"https://stoplight.io/prism/errors#UNPROCESSABLE_ENTITY","title":"Invalid request","status":422,"detail":"","validation":[{"location":["body","to"],"severity":"Error","code":"minItems","message":"Request body property to must NOT have fewer than 1 items"}]}"#;
        let refusal = Refusal::read(body).unwrap();
        let found = refusal.violations(&HeaderMap::new(), None);
        assert_eq!(
            (found[0].place.as_str(), found[0].rule.as_str()),
            ("request.body.to", "minItems")
        );
        let body = br#"{"type":"https://stoplight.io/prism/errors#NO_PATH_MATCHED_ERROR","title":"Route not resolved, no path matched","status":404,"detail":""}"#;
        let found = Refusal::read(body)
            .unwrap()
            .violations(&HeaderMap::new(), None);
        assert_eq!(found[0].rule, "NO_PATH_MATCHED_ERROR");
        assert!(Refusal::read(br#"{"type":"about:blank","title":"Not Found"}"#).is_none());
        assert!(Refusal::read(b"<html>").is_none());
    }
}
