//! Who is let in.

use std::env::VarError;

use integration_core::webhook::{
    UnsignedDelivery, UrlSecret, UrlSecrets, WebhookError, WebhookErrorKind,
};
use secrecy::{ExposeSecret, SecretString};

const SECRETS: &str = "SUITEDASH_WEBHOOK_SECRET";

/// The largest body that is taken unless a receiver is told otherwise: 64 KiB.
pub const DEFAULT_MAX_BODY: usize = 64 * 1024;

/// Takes deliveries whose address holds a secret.
///
/// The secret is a part of the path (or of the query) of the address entered in SuiteDash; the host's router cuts it
/// out. Several may be given, newest first, while one is rotated: add the new one here, change the address in SuiteDash,
/// drop the old one.
#[derive(Clone, Debug)]
pub struct Receiver {
    secrets: UrlSecrets,
    max_body: usize,
}

impl Receiver {
    /// Accepts addresses with one of these secrets, newest first.
    ///
    /// A secret is random, of 22 to 512 letters, digits, `-`, `.`, `_` and `~`; `openssl rand -hex 16` makes one.
    ///
    /// # Errors
    ///
    /// [`NoKey`](WebhookErrorKind::NoKey) if there is none: nothing is ever accepted without one.
    /// [`MalformedKey`](WebhookErrorKind::MalformedKey) if one is too short, too long or holds another character.
    pub fn new(secrets: impl IntoIterator<Item = SecretString>) -> Result<Self, WebhookError> {
        let secrets: Vec<_> = secrets
            .into_iter()
            .map(|secret| UrlSecret::new(&secret))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            secrets: UrlSecrets::new(secrets)?,
            max_body: DEFAULT_MAX_BODY,
        })
    }

    /// Takes the secrets from `SUITEDASH_WEBHOOK_SECRET`: one, or several with commas between them, newest first.
    ///
    /// Blanks around a secret and empty places between commas are ignored.
    ///
    /// # Errors
    ///
    /// [`NoKey`](WebhookErrorKind::NoKey) if the variable is not set or holds nothing,
    /// [`MalformedKey`](WebhookErrorKind::MalformedKey) if a secret cannot be one.
    #[expect(clippy::disallowed_methods, reason = "a `from_env` constructor")]
    pub fn from_env() -> Result<Self, WebhookError> {
        Self::from_var(std::env::var(SECRETS))
    }

    fn from_var(value: Result<String, VarError>) -> Result<Self, WebhookError> {
        let list = match value {
            Ok(list) => SecretString::from(list),
            Err(VarError::NotPresent) => return Err(WebhookError::new(WebhookErrorKind::NoKey)),
            // The value that the error carries may be a secret: it is dropped.
            Err(VarError::NotUnicode(_)) => {
                return Err(WebhookError::new(WebhookErrorKind::MalformedKey));
            }
        };
        let secrets = list.expose_secret().split(',').map(str::trim);
        Self::new(
            secrets
                .filter(|secret| !secret.is_empty())
                .map(SecretString::from),
        )
    }

    /// Changes the largest body that is taken, 64 KiB by default.
    ///
    /// The host's server needs a cap of its own: a body that is here has been read.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Takes one delivery: the secret part of its address and its body, both as they arrived.
    ///
    /// Secrets are compared in constant time.
    ///
    /// # Errors
    ///
    /// [`WrongSecret`](WebhookErrorKind::WrongSecret) or [`BodyTooLarge`](WebhookErrorKind::BodyTooLarge). Answer with
    /// [`suggested_status`](WebhookErrorKind::suggested_status).
    pub fn receive<'a>(
        &self,
        secret: &str,
        body: &'a [u8],
    ) -> Result<UnsignedDelivery<'a>, WebhookError> {
        self.secrets.admit(secret, body, self.max_body)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const SECRET: &str = "Jq0cV7yZr2m4uXb8nTf6Wg";
    const OTHER: &str = "5f1d2c3b4a59687786950f1e2d3c4b5a";

    #[rstest]
    #[case(
        Ok(" Jq0cV7yZr2m4uXb8nTf6Wg,,5f1d2c3b4a59687786950f1e2d3c4b5a\n"),
        None
    )]
    #[case(Ok(" , "), Some(WebhookErrorKind::NoKey))]
    #[case(
        Ok("Jq0cV7yZr2m4uXb8nTf6Wg,short"),
        Some(WebhookErrorKind::MalformedKey)
    )]
    #[case(Err(VarError::NotPresent), Some(WebhookErrorKind::NoKey))]
    #[case(Err(VarError::NotUnicode("x".into())), Some(WebhookErrorKind::MalformedKey))]
    fn reads_a_list_of_secrets(
        #[case] value: Result<&str, VarError>,
        #[case] refused: Option<WebhookErrorKind>,
    ) {
        let receiver = Receiver::from_var(value.map(str::to_owned));
        if let Some(kind) = refused {
            assert_eq!(receiver.unwrap_err().kind(), kind);
            return;
        }
        let receiver = receiver.unwrap();
        assert!(receiver.receive(SECRET, b"{}").is_ok());
        assert!(receiver.receive(OTHER, b"{}").is_ok());
    }

    #[test]
    fn nothing_is_accepted_without_a_secret() {
        assert_eq!(
            Receiver::new([]).unwrap_err().kind(),
            WebhookErrorKind::NoKey
        );
    }

    #[test]
    fn the_cap_is_64_kib_unless_changed() {
        let receiver = Receiver::new([SECRET.into()]).unwrap();
        let body = vec![b' '; DEFAULT_MAX_BODY + 1];
        assert!(receiver.receive(SECRET, &body[1..]).is_ok());
        let refused = receiver.receive(SECRET, &body).unwrap_err();
        assert_eq!(refused.kind(), WebhookErrorKind::BodyTooLarge);
        assert_eq!(refused.kind().suggested_status().as_u16(), 413);
        assert!(
            receiver
                .max_body(DEFAULT_MAX_BODY + 1)
                .receive(SECRET, &body)
                .is_ok()
        );
    }

    #[test]
    fn debug_shows_no_secret() {
        let text = format!("{:?}", Receiver::new([SECRET.into()]).unwrap());
        assert!(!text.contains("Jq0c"), "{text}");
    }
}
