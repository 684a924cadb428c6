//! The two headers of every call, checked once.
//!
//! The checks turn the usual slips (an empty variable, a line break from a file, the stored hash in place of the key)
//! into an error that names the slip and neither of the two.

use connector_http::{Error, StaticHeaders};
use http::HeaderName;
use secrecy::{ExposeSecret, SecretString};

use crate::client::VENDOR;

const PUBLIC_ID: HeaderName = HeaderName::from_static("x-public-id");
const SECRET_KEY: HeaderName = HeaderName::from_static("x-secret-key");

/// The pair the vendor publishes for trying the reads. It belongs to no customer.
pub(crate) const DUMMY_PUBLIC_ID: &str = "00000000-0000-0000-0000-000000000000";
pub(crate) const DUMMY_SECRET_KEY: &str = "DummySecretKey";

/// Builds what signs every request.
///
/// # Errors
///
/// [`ErrorKind::Config`](connector_http::ErrorKind::Config) when one of the two cannot be what it is said to be.
pub(crate) fn authenticate(
    public_id: &SecretString,
    secret_key: &SecretString,
) -> Result<StaticHeaders, Error> {
    for (name, value) in [("public id", public_id), ("secret key", secret_key)] {
        if let Some(slip) = slip(value.expose_secret()) {
            let message = format!("the {name} {slip}");
            return Err(Error::config(VENDOR, "client.build", message));
        }
    }
    StaticHeaders::new(PUBLIC_ID, public_id.clone())
        .and_then(|headers| headers.and(SECRET_KEY, secret_key.clone()))
        .map_err(|invalid| Error::invalid_credential(VENDOR, "client.build", invalid))
}

/// Names what keeps a text from being one of the two.
fn slip(text: &str) -> Option<&'static str> {
    let starts_with_bearer = text
        .trim_start()
        .get(..7)
        .is_some_and(|start| start.eq_ignore_ascii_case("bearer "));
    if text.is_empty() {
        Some("is empty")
    } else if text.trim().is_empty() {
        Some("is blank")
    } else if starts_with_bearer {
        Some("starts with `Bearer `: SuiteDash takes two bare headers")
    } else if text.starts_with("$2y$") || text.starts_with("$2b$") {
        // One integrator's 401s came from this.
        Some("is a stored hash: SuiteDash wants the plain key, which it shows once")
    } else if text.contains(['\n', '\r']) {
        Some("contains a line break")
    } else if !text.is_ascii() {
        Some("contains a character outside ASCII")
    } else if text.contains(|c: char| c.is_ascii_whitespace() || c.is_ascii_control()) {
        Some("contains a blank or a control character")
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
    #[case("$2y$10$k3y", "hash")]
    #[case("k3y\n", "line break")]
    #[case("k3ÿ", "outside ASCII")]
    #[case(" k3y", "blank")]
    #[case("k3\0y", "control")]
    fn names_the_slip_and_not_the_text(#[case] text: &str, #[case] slip: &str) {
        for (id, key, name) in [(text, "good", "public id"), ("good", text, "secret key")] {
            let error = authenticate(&id.into(), &key.into()).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert_eq!(error.delivery(), Delivery::NotSent);
            let told = error.message().unwrap();
            assert!(told.contains(slip) && told.contains(name), "{told}");
            assert!(!format!("{error} {error:?}").contains("k3"), "{error:?}");
        }
    }

    #[test]
    fn takes_what_the_vendor_gives_out() {
        assert!(authenticate(&DUMMY_PUBLIC_ID.into(), &DUMMY_SECRET_KEY.into()).is_ok());
    }
}
