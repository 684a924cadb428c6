//! The API key: checked once, then sent as it is.
//!
//! OpenPhone takes the bare key in `Authorization`, without `Bearer`; with the prefix it answers
//! 401, which looks like a wrong key. The checks here turn the usual slips (an empty variable, a
//! line break from a file, a pasted header) into an error that names the slip and not the key.

use connector_http::{Error, StaticHeaders};
use http::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};

use crate::client::VENDOR;

/// Builds what signs every request.
///
/// # Errors
///
/// [`ErrorKind::Config`](connector_http::ErrorKind::Config) when the key cannot be one. The text
/// says what is wrong with it and never repeats it.
pub(crate) fn authenticate(key: SecretString) -> Result<StaticHeaders, Error> {
    if let Some(slip) = slip(key.expose_secret()) {
        return Err(Error::config(VENDOR, "client.build", slip));
    }
    StaticHeaders::new(AUTHORIZATION, key)
        .map_err(|invalid| Error::invalid_credential(VENDOR, "client.build", invalid))
}

/// Names what keeps a text from being an API key.
fn slip(key: &str) -> Option<&'static str> {
    let starts_with_bearer = key
        .trim_start()
        .get(..7)
        .is_some_and(|start| start.eq_ignore_ascii_case("bearer "));
    if key.is_empty() {
        Some("the API key is empty")
    } else if key.trim().is_empty() {
        Some("the API key is blank")
    } else if starts_with_bearer {
        Some("the API key starts with `Bearer `: OpenPhone takes the bare key")
    } else if key.contains(['\n', '\r']) {
        Some("the API key contains a line break")
    } else if !key.is_ascii() {
        Some("the API key contains a character outside ASCII")
    } else if key.contains(|c: char| c.is_ascii_whitespace() || c.is_ascii_control()) {
        Some("the API key contains a blank or a control character")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use connector_http::{Delivery, ErrorKind};
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("", "is empty")]
    #[case(" \t ", "is blank")]
    #[case("Bearer k3y", "Bearer")]
    #[case(" bearer k3y", "Bearer")]
    #[case("k3y\n", "line break")]
    #[case("k3\r\ny: z", "line break")]
    #[case("k3ÿ", "outside ASCII")]
    #[case("k3 y", "blank")]
    #[case(" k3y", "blank")]
    #[case("k3y\u{7f}", "control")]
    #[case("k3\0y", "control")]
    fn names_the_slip_and_not_the_key(#[case] key: &str, #[case] slip: &str) {
        let error = authenticate(SecretString::from(key)).err().unwrap();

        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(error.delivery(), Delivery::NotSent);
        let text = format!("{error} {error:?} {:?}", error.message());
        assert!(error.message().unwrap().contains(slip), "{text}");
        assert!(
            key.trim().is_empty() || !text.contains(key.trim()),
            "{text}"
        );
        assert!(!text.contains("k3"), "{text}");
    }

    #[rstest]
    #[case("0123456789abcdef0123456789abcdef")]
    #[case("op_live.AbC-_~+/=")]
    #[case("Bearer")]
    fn takes_what_can_be_a_key(#[case] key: &str) {
        assert!(authenticate(SecretString::from(key)).is_ok());
    }
}
