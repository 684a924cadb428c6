//! Which secret checks which header.

use std::env::VarError;

use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderName};
use integration_core::webhook::{
    DEFAULT_MAX_BODY, HmacKey, HmacKeys, StandardWebhooks, Timestamp, Tolerance, Verified,
    WebhookError, WebhookErrorKind, base64_array, single_header,
};
use secrecy::{ExposeSecret, SecretString};

const SECRETS: &str = "OPENPHONE_WEBHOOK_SECRET";

/// The header of app and API v1 webhooks.
pub(super) static LEGACY: HeaderName = HeaderName::from_static("openphone-signature");
/// The header of dated webhooks.
pub(super) static STANDARD: HeaderName = HeaderName::from_static("webhook-signature");

/// The most entries of one `openphone-signature` that are checked. Each names its own time and so costs a pass over
/// the body; the vendor sends one and foresees "several".
const MAX_ENTRIES: usize = 8;

/// Verifies deliveries of every webhook system of the vendor.
///
/// # Secrets
///
/// The form of a secret says what it is for:
///
/// | Secret | Where the vendor shows it | Checks |
/// |---|---|---|
/// | `whsec_…` | `key` in the answer to creating or rotating a dated webhook | `webhook-signature` (Standard Webhooks) |
/// | bare base64 | "reveal signing secret" in the app; `key` in the answer of API v1 | `openphone-signature` |
///
/// Several may be given, in any mixture, newest first: of different webhooks, or the old and the new one while a secret
/// is rotated. A delivery that fits one of them is accepted. A delivery of a system for which there is no secret is
/// refused with [`NoKey`](WebhookErrorKind::NoKey).
#[derive(Clone, Debug)]
pub struct Verifier {
    legacy: Option<HmacKeys>,
    standard: Option<StandardWebhooks>,
    tolerance: Tolerance,
    max_body: usize,
}

impl Verifier {
    /// Accepts what is signed with one of these secrets, newest first.
    ///
    /// # Errors
    ///
    /// [`NoKey`](WebhookErrorKind::NoKey) if there is none, [`MalformedKey`](WebhookErrorKind::MalformedKey) if one is
    /// in neither form.
    pub fn new(secrets: impl IntoIterator<Item = SecretString>) -> Result<Self, WebhookError> {
        let (standard, legacy): (Vec<_>, Vec<_>) = secrets.into_iter().partition(is_standard);
        if standard.is_empty() && legacy.is_empty() {
            return Err(WebhookError::new(WebhookErrorKind::NoKey));
        }
        let legacy: Vec<_> = legacy
            .iter()
            .map(HmacKey::from_base64)
            .collect::<Result<_, _>>()?;
        let standard = (!standard.is_empty())
            .then(|| StandardWebhooks::from_secrets(&standard))
            .transpose()?;
        Ok(Self {
            legacy: (!legacy.is_empty())
                .then(|| HmacKeys::new(legacy))
                .transpose()?,
            standard,
            tolerance: Tolerance::DEFAULT,
            max_body: DEFAULT_MAX_BODY,
        })
    }

    /// Accepts what is signed with one of these two keys.
    #[cfg(feature = "webhook-replay")]
    pub(super) fn of_keys(legacy: HmacKey, standard: HmacKey) -> Self {
        Self {
            legacy: Some(legacy.into()),
            standard: Some(StandardWebhooks::new(standard)),
            tolerance: Tolerance::DEFAULT,
            max_body: DEFAULT_MAX_BODY,
        }
    }

    /// Takes the secrets from `OPENPHONE_WEBHOOK_SECRET`: one, or several with commas between them, newest first.
    ///
    /// Blanks around a secret and empty places between commas are ignored.
    ///
    /// # Errors
    ///
    /// [`NoKey`](WebhookErrorKind::NoKey) if the variable is not set or holds nothing,
    /// [`MalformedKey`](WebhookErrorKind::MalformedKey) if a secret is in neither form.
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

    /// Changes how far the time of signing may lie from now, five minutes both ways by default.
    pub fn tolerance(mut self, tolerance: impl Into<Tolerance>) -> Self {
        self.tolerance = tolerance.into();
        self.standard = self
            .standard
            .map(|standard| standard.tolerance(self.tolerance));
        self
    }

    /// Changes the largest body that is verified, 1 MiB by default.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self.standard = self.standard.map(|standard| standard.max_body(bytes));
        self
    }

    /// Verifies one delivery over the bytes that arrived.
    ///
    /// `body` must be what came over the wire, before any decoding: a body that was parsed and written again, as the
    /// vendor's own sample does, has another signature as soon as a key moves or a number is spelt differently.
    ///
    /// # Errors
    ///
    /// [`MissingHeader`](WebhookErrorKind::MissingHeader) (not from the vendor, or a webhook that is not signed),
    /// [`MalformedHeader`](WebhookErrorKind::MalformedHeader), [`WrongSignature`](WebhookErrorKind::WrongSignature),
    /// [`StaleTimestamp`](WebhookErrorKind::StaleTimestamp), [`BodyTooLarge`](WebhookErrorKind::BodyTooLarge), or
    /// [`NoKey`](WebhookErrorKind::NoKey) if only secrets of another webhook system are configured: its
    /// [`header`](WebhookError::header) says which kind is missing, bare base64 for `openphone-signature`, `whsec_…` for
    /// `webhook-signature`.
    pub fn verify<'a>(
        &self,
        headers: &'a HeaderMap,
        body: &'a [u8],
        now: DateTime<Utc>,
    ) -> Result<Verified<'a>, WebhookError> {
        if let Some(standard) = &self.standard {
            let verdict = standard.verify(headers, body, now);
            let missing = |error: &WebhookError| error.kind() == WebhookErrorKind::MissingHeader;
            if !verdict.as_ref().is_err_and(missing) || headers.contains_key(&STANDARD) {
                return verdict;
            }
        }
        self.verify_legacy(headers, body, now)
    }

    /// Checks `openphone-signature: hmac;1;<time>;<base64>`, or several such entries with commas between them.
    ///
    /// Signed is `<time>.<body>`. The time is in milliseconds, 13 digits; the vendor does not say so in words, so 10
    /// digits are taken for seconds.
    fn verify_legacy<'a>(
        &self,
        headers: &HeaderMap,
        body: &'a [u8],
        now: DateTime<Utc>,
    ) -> Result<Verified<'a>, WebhookError> {
        let header = match single_header(headers, &LEGACY) {
            Err(missing) if missing.kind() == WebhookErrorKind::MissingHeader => {
                return Err(self.explain_missing(headers));
            }
            header => header?.as_bytes(),
        };
        let Some(keys) = &self.legacy else {
            return Err(WebhookError::new(WebhookErrorKind::NoKey).with_header(&LEGACY));
        };
        if body.len() > self.max_body {
            return Err(WebhookError::new(WebhookErrorKind::BodyTooLarge));
        }
        // Nearly every delivery has one entry: no list to take apart.
        let whole = Entry::read(header);
        if let Entry::Signed { .. } = whole {
            return self.check(keys, &whole, body, now).map_err(refused);
        }
        let mut refusal = WebhookErrorKind::MalformedHeader;
        for text in header.split(|byte| *byte == b',').take(MAX_ENTRIES) {
            match self.check(keys, &Entry::read(text), body, now) {
                Ok(verified) => return Ok(verified),
                Err(kind) => refusal = more_telling(refusal, kind),
            }
        }
        Err(refused(refusal))
    }

    fn check<'a>(
        &self,
        keys: &HmacKeys,
        entry: &Entry<'_>,
        body: &'a [u8],
        now: DateTime<Utc>,
    ) -> Result<Verified<'a>, WebhookErrorKind> {
        match *entry {
            Entry::Signed {
                time,
                signed_at,
                mac,
            } => {
                let verified = keys
                    .verify(&[time, b"."], body, [mac])
                    .map_err(|wrong| wrong.kind())?;
                if !self.tolerance.allows(signed_at, now) {
                    return Err(WebhookErrorKind::StaleTimestamp);
                }
                Ok(verified
                    .with_timestamp(signed_at)
                    .with_scheme("openphone-signature"))
            }
            Entry::Foreign => Err(WebhookErrorKind::WrongSignature),
            Entry::Malformed => Err(WebhookErrorKind::MalformedHeader),
        }
    }

    /// Tells a delivery without any signature from one whose webhook system has no secret here.
    fn explain_missing(&self, headers: &HeaderMap) -> WebhookError {
        if self.standard.is_none() && headers.contains_key(&STANDARD) {
            return WebhookError::new(WebhookErrorKind::NoKey).with_header(&STANDARD);
        }
        let dated = self.legacy.is_none() || headers.contains_key("webhook-id");
        WebhookError::missing(if dated { &STANDARD } else { &LEGACY })
    }
}

/// One entry of an `openphone-signature`.
enum Entry<'h> {
    Signed {
        time: &'h [u8],
        signed_at: Timestamp,
        mac: [u8; 32],
    },
    /// Of a scheme or version that came later; it may stand beside one that is known.
    Foreign,
    Malformed,
}

impl<'h> Entry<'h> {
    fn read(text: &'h [u8]) -> Self {
        let text = text.trim_ascii();
        if let Some(rest) = text.strip_prefix(b"hmac;1;") {
            return Self::read_known(rest).unwrap_or(Self::Malformed);
        }
        let mut fields = text.split(|byte| *byte == b';');
        match [fields.next(), fields.next(), fields.next()] {
            [Some([_, ..]), Some([_, ..]), Some(_)] => Self::Foreign,
            _ => Self::Malformed,
        }
    }

    /// `<time>;<base64>`, where the base64 of a MAC is always as long.
    fn read_known(text: &'h [u8]) -> Option<Self> {
        let (time, base64) = text.split_last_chunk::<44>()?;
        let time = time.strip_suffix(b";")?;
        let (signed_at, mac) = (signing_time(time)?, base64_array(base64)?);
        Some(Self::Signed {
            time,
            signed_at,
            mac,
        })
    }
}

fn refused(kind: WebhookErrorKind) -> WebhookError {
    WebhookError::new(kind).with_header(&LEGACY)
}

/// Of several entries' refusals, what tells the receiver most.
fn more_telling(one: WebhookErrorKind, other: WebhookErrorKind) -> WebhookErrorKind {
    use WebhookErrorKind::{MalformedHeader, StaleTimestamp, WrongSignature};
    [StaleTimestamp, WrongSignature]
        .into_iter()
        .find(|kind| *kind == one || *kind == other)
        .unwrap_or(MalformedHeader)
}

fn signing_time(text: &[u8]) -> Option<Timestamp> {
    match text.len() {
        13 => Timestamp::from_millis(text),
        10 => Timestamp::from_seconds(text),
        _ => None,
    }
}

fn is_standard(secret: &SecretString) -> bool {
    let text = secret.expose_secret().trim_start();
    text.starts_with("whsec_") || text.starts_with("whpk_")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::legacy("c2VjcmV0", (true, false))]
    #[case::dated("whsec_c2VjcmV0", (false, true))]
    #[case::public_key("whpk_Ty28TbJzQ9i7KLwixawyoTIph2fB8ylXWltkksV9pug=", (false, true))]
    #[case::mixture(" whsec_c2VjcmV0 ,c2VjcmV0,, b2xk\n,", (true, true))]
    fn the_form_of_a_secret_says_what_it_is_for(
        #[case] list: &str,
        #[case] (legacy, standard): (bool, bool),
    ) {
        let verifier = Verifier::from_var(Ok(list.to_owned())).unwrap();
        assert_eq!(
            (verifier.legacy.is_some(), verifier.standard.is_some()),
            (legacy, standard)
        );
    }

    #[rstest]
    #[case::not_set(Err(VarError::NotPresent), WebhookErrorKind::NoKey)]
    #[case::empty(Ok(""), WebhookErrorKind::NoKey)]
    #[case::only_commas(Ok(" , ,"), WebhookErrorKind::NoKey)]
    #[case::no_text(Err(VarError::NotUnicode("c2VjcmV0".into())), WebhookErrorKind::MalformedKey)]
    #[case::not_base64(Ok("se-cret"), WebhookErrorKind::MalformedKey)]
    #[case::dated_not_base64(Ok("whsec_se-cret"), WebhookErrorKind::MalformedKey)]
    #[case::empty_after_the_prefix(Ok("whsec_"), WebhookErrorKind::MalformedKey)]
    #[case::one_of_two(Ok("c2VjcmV0,se-cret"), WebhookErrorKind::MalformedKey)]
    fn a_list_without_a_usable_secret_is_refused(
        #[case] value: Result<&str, VarError>,
        #[case] kind: WebhookErrorKind,
    ) {
        let refused = Verifier::from_var(value.map(str::to_owned)).unwrap_err();
        assert_eq!(refused.kind(), kind);
        assert!(!format!("{refused} {refused:?}").contains("se-cret"));
    }

    #[test]
    fn debug_shows_no_secret() {
        let verifier =
            Verifier::new(["whsec_c2VjcmV0", "c2VjcmV0"].map(SecretString::from)).unwrap();
        assert!(!format!("{verifier:?}").contains("c2VjcmV0"));
    }
}
