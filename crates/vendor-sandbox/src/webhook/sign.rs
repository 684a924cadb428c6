use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};

/// How a delivery is signed.
#[derive(Clone, Debug)]
pub(crate) enum Signer {
    /// Not at all.
    Unsigned,
    /// OpenPhone's older scheme: one header, a timestamp in milliseconds.
    OpenPhoneLegacy { key: Arc<[u8]> },
    /// [Standard Webhooks](https://www.standardwebhooks.com): three headers, seconds.
    StandardWebhooks { key: Arc<[u8]>, message_id: String },
}

impl Signer {
    /// Returns the headers that sign `body` at the time `now`.
    pub(crate) fn headers(&self, now: DateTime<Utc>, body: &[u8]) -> Vec<(&'static str, String)> {
        match self {
            Self::Unsigned => Vec::new(),
            Self::OpenPhoneLegacy { key } => {
                let timestamp = now.timestamp_millis().to_string();
                let signature = mac(key, &[timestamp.as_bytes(), b".", body]);
                vec![(
                    "openphone-signature",
                    format!("hmac;1;{timestamp};{signature}"),
                )]
            }
            Self::StandardWebhooks { key, message_id } => {
                let timestamp = now.timestamp().to_string();
                let signed = [
                    message_id.as_bytes(),
                    b".",
                    timestamp.as_bytes(),
                    b".",
                    body,
                ];
                let signature = mac(key, &signed);
                vec![
                    ("webhook-id", message_id.clone()),
                    ("webhook-timestamp", timestamp),
                    ("webhook-signature", format!("v1,{signature}")),
                ]
            }
        }
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut context = hmac::Context::with_key(&key);
    for part in parts {
        context.update(part);
    }
    STANDARD.encode(context.sign().as_ref())
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;

    use super::*;

    fn key(base64: &str) -> Arc<[u8]> {
        STANDARD.decode(base64).unwrap().into()
    }

    /// A constant of a public integration's fixtures, recomputed with another HMAC.
    #[test]
    fn the_legacy_scheme_gives_its_known_answer() {
        let body = concat!(
            r#"{"id":"EVsyntheticdelivered01","object":"event","type":"message.delivered","#,
            r#""data":{"object":{"id":"ACsyntheticmessage0001","object":"message","#,
            r#""status":"delivered"}}}"#,
        );
        let signer = Signer::OpenPhoneLegacy {
            key: key("c3ludGhldGljLW9wZW5waG9uZS13ZWJob29rLXNlY3JldA=="),
        };
        let now = Utc.timestamp_millis_opt(1_639_710_054_089).unwrap();
        let expected = "hmac;1;1639710054089;EO8E8BFAJcteyyUzAqNSUVhlmuzlbKUS8Fhej3UtszA=";
        assert_eq!(
            signer.headers(now, body.as_bytes()),
            [("openphone-signature", expected.to_owned())],
        );
    }

    /// The vector that Standard Webhooks publishes.
    #[test]
    fn standard_webhooks_gives_its_known_answer() {
        let message_id = "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned();
        let signer = Signer::StandardWebhooks {
            key: key("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            message_id: message_id.clone(),
        };
        let now = Utc.timestamp_opt(1_614_265_330, 0).unwrap();
        let expected = [
            ("webhook-id", message_id),
            ("webhook-timestamp", "1614265330".to_owned()),
            (
                "webhook-signature",
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".to_owned(),
            ),
        ];
        assert_eq!(signer.headers(now, br#"{"test": 2432232314}"#), expected);
    }
}
