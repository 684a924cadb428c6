//! What is found wrong before a call is spent on it.
//!
//! A request the vendor would refuse costs one of a few hundred calls a month and answers late. It ends here, as
//! [`ErrorKind::Validation`](connector_http::ErrorKind::Validation) with
//! [`Delivery::NotSent`](connector_http::Delivery::NotSent). The messages give the rule and never the value. The
//! vendor publishes no lengths; the ones here are far beyond what a form sends and far below what breaks.

use connector_http::{Error, FieldError, Request};
use serde_json::Value;

use crate::client::VENDOR;

/// The longest single line, in characters.
pub(crate) const MAX_LINE: usize = 1_000;
/// The longest free text, in characters.
pub(crate) const MAX_TEXT: usize = 100_000;
/// The most tags: each is compared with each.
const MAX_TAGS: usize = 1_000;
const MAX_EMAIL: usize = 254;
const MAX_EMAIL_LOCAL: usize = 64;

/// Collects what is wrong with one request.
#[derive(Debug, Default)]
pub(crate) struct Check {
    errors: Vec<FieldError>,
}

impl Check {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Notes `message` for `path` unless `holds`.
    pub(crate) fn require(&mut self, holds: bool, path: impl Into<String>, message: &str) {
        if !holds {
            self.errors.push(FieldError::new(path, message));
        }
    }

    /// One line: no control characters, no line breaks.
    pub(crate) fn line(&mut self, value: &str, path: &str) {
        let fits = value.chars().count() <= MAX_LINE;
        self.require(
            fits,
            path,
            &format!("must have at most {MAX_LINE} characters"),
        );
        let plain = !value.chars().any(char::is_control);
        self.require(
            plain,
            path,
            "must not contain control characters or line breaks",
        );
    }

    /// One line that says something.
    pub(crate) fn name(&mut self, value: &str, path: &str) {
        self.require(!value.trim().is_empty(), path, "must not be blank");
        self.line(value, path);
    }

    /// Free text: line breaks and tabs, but no other control characters.
    pub(crate) fn text(&mut self, value: &str, path: &str) {
        let fits = value.chars().count() <= MAX_TEXT;
        self.require(
            fits,
            path,
            &format!("must have at most {MAX_TEXT} characters"),
        );
        let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        let plain = !value.chars().any(odd);
        self.require(
            plain,
            path,
            "must not contain control characters other than line breaks",
        );
    }

    /// An e-mail address.
    pub(crate) fn email(&mut self, value: &str, path: &str) {
        self.require(is_email(value), path, "must be an e-mail address");
    }

    /// Tags, not too many.
    pub(crate) fn tag_count(&mut self, tags: &[String], path: &str) {
        let fits = tags.len() <= MAX_TAGS;
        self.require(fits, path, &format!("must be at most {MAX_TAGS}"));
    }

    /// Tags, each a line.
    pub(crate) fn tags(&mut self, tags: &[String], path: &str) {
        self.tag_count(tags, path);
        for (n, tag) in tags.iter().enumerate() {
            self.name(tag, &format!("{path}.{n}"));
        }
    }

    /// A value of a custom field: every text in it is free text.
    pub(crate) fn value(&mut self, value: &Value, path: &str) {
        match value {
            Value::String(text) => self.text(text, path),
            Value::Array(values) => {
                for (n, value) in values.iter().enumerate() {
                    self.value(value, &format!("{path}.{n}"));
                }
            }
            Value::Object(values) => {
                for (n, value) in values.values().enumerate() {
                    self.value(value, &format!("{path}.{n}"));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Tells whether nothing was noted.
    pub(crate) fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// The error, if anything was noted.
    pub(crate) fn finish(self, operation: &'static str) -> Result<(), Error> {
        if self.is_clean() {
            Ok(())
        } else {
            Err(Error::validation(VENDOR, operation, self.errors))
        }
    }

    /// Lets the request fail, unsent, if anything was noted.
    pub(crate) fn guard(self, request: Request, operation: &'static str) -> Request {
        match self.finish(operation) {
            Err(error) => request.invalid(error),
            Ok(()) => request,
        }
    }
}

/// Tells whether a text can be an e-mail address: one `@`, something before it, a domain with a dot behind it. Mail
/// alone shows whether it is one.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let odd =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '@' | '<' | '>' | ',' | ';');
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c == '-' || c.is_alphanumeric())
    };
    text.len() <= MAX_EMAIL
        && (1..=MAX_EMAIL_LOCAL).contains(&local.len())
        && !text.replacen('@', "", 1).contains(odd)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && domain.contains('.')
        && domain.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("jane.roe@example.com", true)]
    #[case("jane+tag@mail.example.com", true)]
    #[case("o'neil@example.com", true)]
    #[case("jäne@exämple.example", true)]
    #[case("", false)]
    #[case("jane", false)]
    #[case("@example.com", false)]
    #[case("jane@", false)]
    #[case("jane@example", false)]
    #[case("jane@@example.com", false)]
    #[case("jane@example.com ", false)]
    #[case("jane roe@example.com", false)]
    #[case("jane@example..com", false)]
    #[case("jane@-example.com", false)]
    #[case(".jane@example.com", false)]
    #[case("jane@example.com\r\nBcc: x@example.com", false)]
    #[case("Jane <jane@example.com>", false)]
    #[case("a@example.com,b@example.com", false)]
    fn knows_an_email(#[case] text: &str, #[case] holds: bool) {
        assert_eq!(is_email(text), holds);
    }

    #[test]
    fn an_email_has_bounds() {
        let long = format!("{}@example.com", "a".repeat(65));
        assert!(!is_email(&long));
        let long = format!("a@{}.com", "b".repeat(260));
        assert!(!is_email(&long));
    }

    #[rstest]
    #[case("plain", true, true)]
    #[case("two\nlines", false, true)]
    #[case("a\ttab", false, true)]
    #[case("nul\0", false, false)]
    #[case("bell\u{7}", false, false)]
    #[case("c1\u{85}", false, false)]
    fn a_line_is_stricter_than_a_text(#[case] value: &str, #[case] line: bool, #[case] text: bool) {
        let mut check = Check::new();
        check.line(value, "x");
        assert_eq!(check.finish("test").is_ok(), line);
        let mut check = Check::new();
        check.text(value, "x");
        assert_eq!(check.finish("test").is_ok(), text);
    }

    #[test]
    fn a_text_inside_a_custom_value_is_seen() {
        let mut check = Check::new();
        check.value(
            &serde_json::json!({"a": ["fine", "nul\0"]}),
            "custom_fields.0",
        );
        let error = check.finish("test").unwrap_err();
        assert_eq!(error.field_errors()[0].path, "custom_fields.0.0.1");
    }
}
