//! Why a delivery was refused.

use std::fmt;

use http::{HeaderName, StatusCode};

/// A webhook that was refused, or a key that cannot be used.
///
/// [`Display`](fmt::Display) says *that* verification failed and no more, so that an answer built from it tells a
/// forger nothing. [`kind`](Self::kind) says why, for logs and metrics; it holds no key, no signature and nothing of the
/// body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookError {
    kind: WebhookErrorKind,
    header: Option<HeaderName>,
    position: Option<(usize, usize)>,
}

impl WebhookError {
    /// Makes an error of this kind, for vendor schemes built on the primitives.
    pub fn new(kind: WebhookErrorKind) -> Self {
        Self {
            kind,
            header: None,
            position: None,
        }
    }

    /// Makes a [`MissingHeader`](WebhookErrorKind::MissingHeader) error.
    pub fn missing(header: &HeaderName) -> Self {
        Self::new(WebhookErrorKind::MissingHeader).with_header(header)
    }

    /// Makes a [`MalformedHeader`](WebhookErrorKind::MalformedHeader) error.
    pub fn malformed(header: &HeaderName) -> Self {
        Self::new(WebhookErrorKind::MalformedHeader).with_header(header)
    }

    /// Names the header that the error is about.
    pub fn with_header(mut self, header: &HeaderName) -> Self {
        self.header = Some(header.clone());
        self
    }

    /// Notes where in a verified body reading stopped, as line and column, both from 1.
    pub fn with_position(mut self, line: usize, column: usize) -> Self {
        self.position = Some((line, column));
        self
    }

    /// Returns why the delivery was refused.
    pub fn kind(&self) -> WebhookErrorKind {
        self.kind
    }

    /// Returns the name of the header that is missing, malformed, stale or does not match.
    pub fn header(&self) -> Option<&str> {
        self.header.as_ref().map(HeaderName::as_str)
    }

    /// Returns line and column where an [`UnreadableBody`](WebhookErrorKind::UnreadableBody) stopped making sense.
    pub fn position(&self) -> Option<(usize, usize)> {
        self.position
    }
}

impl fmt::Display for WebhookError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (WebhookErrorKind::NoKey, Some(header)) = (self.kind, &self.header) {
            return write!(f, "no webhook key is configured for {header}");
        }
        f.write_str(match self.kind {
            WebhookErrorKind::MissingHeader
            | WebhookErrorKind::MalformedHeader
            | WebhookErrorKind::WrongSignature
            | WebhookErrorKind::WrongSecret
            | WebhookErrorKind::StaleTimestamp
            | WebhookErrorKind::BodyTooLarge => "webhook verification failed",
            WebhookErrorKind::NoKey => "no webhook key is configured",
            WebhookErrorKind::MalformedKey => "webhook key cannot be used",
            WebhookErrorKind::UnreadableBody => "body of a verified webhook cannot be read",
        })
    }
}

impl std::error::Error for WebhookError {}

/// Why a webhook was refused.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WebhookErrorKind {
    /// A header that the scheme needs is absent: the request is not from the vendor, the webhook was set up without
    /// signing, or a proxy removed the header.
    MissingHeader,
    /// A header is there but does not have the scheme's form, or occurs more than once.
    MalformedHeader,
    /// No signature matches any configured key: forged, altered on the way, or signed with a key that is not
    /// configured. Many at once usually mean that the vendor's secret was changed.
    WrongSignature,
    /// The address holds no configured secret, of a vendor that signs nothing: somebody guessed, or the address that the
    /// vendor has is older than the secrets here.
    WrongSecret,
    /// The signature is right but the delivery was signed outside the tolerance: a replay, or a clock that is wrong.
    StaleTimestamp,
    /// The body is larger than the cap; it was not hashed.
    BodyTooLarge,
    /// No key was given. Nothing is ever accepted without one.
    NoKey,
    /// A key is empty, not in the expected encoding, or of a kind or size that is refused.
    MalformedKey,
    /// The delivery is genuine, but its body is not what the vendor documents.
    UnreadableBody,
}

impl WebhookErrorKind {
    /// Returns the status to answer the sender with.
    ///
    /// 401 for whatever is not proven genuine, and also when there is no usable key to prove it with; 413 for a body
    /// over the cap; 400 for a genuine body that cannot be read.
    pub fn suggested_status(self) -> StatusCode {
        match self {
            Self::MissingHeader
            | Self::MalformedHeader
            | Self::WrongSignature
            | Self::WrongSecret
            | Self::StaleTimestamp
            | Self::NoKey
            | Self::MalformedKey => StatusCode::UNAUTHORIZED,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnreadableBody => StatusCode::BAD_REQUEST,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_never_says_why_a_delivery_was_refused() {
        let header = HeaderName::from_static("webhook-signature");
        let refusals = [
            WebhookError::missing(&header),
            WebhookError::malformed(&header),
            WebhookError::new(WebhookErrorKind::WrongSignature).with_header(&header),
            WebhookError::new(WebhookErrorKind::StaleTimestamp).with_header(&header),
            WebhookError::new(WebhookErrorKind::WrongSecret),
            WebhookError::new(WebhookErrorKind::BodyTooLarge),
        ];
        for refusal in refusals {
            assert_eq!(
                refusal.to_string(),
                "webhook verification failed",
                "{:?}",
                refusal.kind()
            );
        }
    }

    #[test]
    fn errors_name_their_header_and_position() {
        let header = HeaderName::from_static("webhook-id");
        assert_eq!(WebhookError::missing(&header).header(), Some("webhook-id"));
        let other_system = WebhookError::new(WebhookErrorKind::NoKey).with_header(&header);
        assert_eq!(
            other_system.to_string(),
            "no webhook key is configured for webhook-id"
        );
        let unreadable = WebhookError::new(WebhookErrorKind::UnreadableBody).with_position(3, 14);
        assert_eq!(
            (unreadable.header(), unreadable.position()),
            (None, Some((3, 14)))
        );
    }
}
