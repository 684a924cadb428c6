//! The vendor's limits, checked before anything is sent.
//!
//! A request the vendor would refuse costs a call of a scarce budget and answers late; a request it
//! would *misread* (an empty filter that lists everything) does damage. Both end here, as
//! [`ErrorKind::Validation`](connector_http::ErrorKind::Validation) with
//! [`Delivery::NotSent`](connector_http::Delivery::NotSent). The messages give the rule and never
//! the value. Paths are JSON pointers into the request, as in the vendor's own `errors` list.

use chrono::{DateTime, Utc};
use connector_http::{Error, FieldError, Request};

use crate::client::VENDOR;

/// Collects what is wrong with one request.
#[derive(Default)]
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

    /// A text of `min` to `max` characters that is not only blanks.
    pub(crate) fn text(&mut self, value: &str, max: usize, path: impl Into<String>) {
        let length = value.chars().count();
        let holds = !value.trim().is_empty() && length <= max;
        self.require(
            holds,
            path,
            &format!("must have 1 to {max} characters, one of them no blank"),
        );
    }

    /// A page size within the vendor's bounds.
    pub(crate) fn page_size(&mut self, value: u32, max: u32) {
        let message = format!("must be 1 to {max}");
        self.require((1..=max).contains(&value), "/maxResults", &message);
    }

    /// An id that goes into a query or a body, where an empty one would be no filter at all.
    pub(crate) fn id(&mut self, id: &str, path: impl Into<String>) {
        self.require(!id.trim().is_empty(), path, "must not be empty");
    }

    /// A time span, of two filters named `{what}After` and `{what}Before`, that ends after it begins.
    pub(crate) fn span(
        &mut self,
        what: &str,
        after: Option<DateTime<Utc>>,
        before: Option<DateTime<Utc>>,
    ) {
        if let (Some(after), Some(before)) = (after, before) {
            let message = format!("must be later than {what}After");
            self.require(after < before, format!("/{what}Before"), &message);
        }
    }

    /// The error, if anything was noted.
    pub(crate) fn finish(self, operation: &'static str) -> Option<Error> {
        (!self.is_clean()).then(|| self.into_error(operation))
    }

    /// Tells whether nothing was noted.
    pub(crate) fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// The error, of at least one note.
    pub(crate) fn into_error(self, operation: &'static str) -> Error {
        Error::validation(VENDOR, operation, self.errors)
    }

    /// Lets the request fail, unsent, if anything was noted.
    pub(crate) fn guard(self, request: Request, operation: &'static str) -> Request {
        match self.finish(operation) {
            Some(error) => request.invalid(error),
            None => request,
        }
    }
}

/// Tells whether a text is a number in E.164 form: the vendor's pattern `^\+[1-9]\d{1,14}$`.
pub(crate) fn is_e164(text: &str) -> bool {
    let Some(digits) = text.strip_prefix('+') else {
        return false;
    };
    (2..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0')
}

/// Tells whether a text names one of the workspace's numbers: by its id, or in E.164 form.
pub(crate) fn is_number_or_id(text: &str) -> bool {
    is_e164(text) || text.len() > 2 && text.starts_with("PN")
}

/// Tells whether a text is a short code, which carriers give to services: 3 to 8 digits.
pub(crate) fn is_short_code(text: &str) -> bool {
    (3..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", false)]
    #[case("   ", false)]
    #[case("a", true)]
    #[case("äöü", true)]
    #[case("abcd", false)]
    fn a_text_counts_characters_not_bytes(#[case] value: &str, #[case] holds: bool) {
        let mut check = Check::new();
        check.text(value, 3, "/text");
        assert_eq!(check.finish("test").is_none(), holds);
    }

    #[rstest]
    #[case("+12", true)]
    #[case("+12025550143", true)]
    #[case("+1", false)]
    #[case("12025550143", false)]
    #[case("+02025550143", false)]
    #[case("+1202555014a", false)]
    #[case("+1234567890123456", false)]
    fn knows_e164(#[case] text: &str, #[case] holds: bool) {
        assert_eq!(is_e164(text), holds);
    }

    #[rstest]
    #[case("123", true)]
    #[case("72645", true)]
    #[case("12345678", true)]
    #[case("12", false)]
    #[case("123456789", false)]
    #[case("7264a", false)]
    #[case("SALE", false)]
    #[case("726 45", false)]
    #[case("٧٢٦٤", false)]
    #[case("", false)]
    fn a_short_code_is_digits(#[case] text: &str, #[case] holds: bool) {
        assert_eq!(is_short_code(text), holds);
    }
}
