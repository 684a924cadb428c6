//! Verifying and parsing a webhook, against the bare HMAC and the bare decode.

use std::hint::black_box;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use http::{HeaderMap, HeaderValue};
use openphone_client::webhooks::{Event, Verifier};

use crate::harness;

const SECRET: &[u8] = b"a signing key of thirty-two byte";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const TIMESTAMP: &str = "1790000000";
const ROUNDS: usize = 40_000;

/// `webhook_hmac_ratio` and `webhook_parse_ratio`.
pub(crate) fn print_ratios() {
    let body = body();
    assert_eq!(body.len(), 2048);
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
    let tag = mac(&key, &body);
    let headers = headers(tag.as_ref());
    let now = DateTime::from_timestamp(1_790_000_010, 0).expect("in range");
    let secret = format!("whsec_{}", STANDARD.encode(SECRET));
    let verifier = Verifier::new([secret.into()]).expect("a verifier");

    let hmac_alone = || {
        harness::cpu_of(|| {
            for _ in 0..ROUNDS {
                let tag = mac(black_box(&key), black_box(&body));
                black_box(tag);
            }
        })
    };
    let verify = || {
        harness::cpu_of(|| {
            for _ in 0..ROUNDS {
                let delivery = verifier.verify(black_box(&headers), black_box(&body), now);
                black_box(delivery.is_ok());
            }
        })
    };
    assert!(verifier.verify(&headers, &body, now).is_ok());
    harness::print(
        "webhook_hmac_ratio",
        harness::ratio(hmac_alone, verify),
        "at most 1.08",
    );

    let hmac_and_serde = || {
        harness::cpu_of(|| {
            for _ in 0..ROUNDS {
                black_box(mac(black_box(&key), black_box(&body)));
                black_box(bare::decode(black_box(&body)));
            }
        })
    };
    let verify_and_parse = || {
        harness::cpu_of(|| {
            for _ in 0..ROUNDS {
                let delivery = verifier
                    .verify(black_box(&headers), black_box(&body), now)
                    .expect("verifies");
                black_box(Event::parse(&delivery).expect("parses"));
            }
        })
    };
    harness::print(
        "webhook_parse_ratio",
        harness::ratio(hmac_and_serde, verify_and_parse),
        "at most 1.10",
    );
}

/// What the header says is signed: id, timestamp and body.
fn mac(key: &hmac::Key, body: &[u8]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    context.update(ID.as_bytes());
    context.update(b".");
    context.update(TIMESTAMP.as_bytes());
    context.update(b".");
    context.update(body);
    context.sign()
}

fn headers(mac: &[u8]) -> HeaderMap {
    let value = |text: &str| HeaderValue::from_str(text).expect("a header value");
    // What a real delivery carries besides.
    [
        ("host", "hooks.example.com"),
        ("user-agent", "vendor/1"),
        ("content-type", "application/json"),
        ("content-length", "2048"),
        ("accept", "*/*"),
        ("webhook-id", ID),
        ("webhook-timestamp", TIMESTAMP),
        ("webhook-signature", &format!("v1,{}", STANDARD.encode(mac))),
    ]
    .into_iter()
    .map(|(name, text)| {
        (
            name.parse::<http::HeaderName>().expect("a name"),
            value(text),
        )
    })
    .collect()
}

/// An inbound text of the dated generation, filled up to 2 KiB.
fn body() -> Vec<u8> {
    let with = |text: &str| {
        format!(
            r#"{{"id":"EV123","apiVersion":"2026-03-30","createdAt":"2026-04-13T12:00:00.000Z","type":"message.received","data":{{"resource":{{"id":"AC123","direction":"incoming","status":"received","text":"{text}","createdAt":"2026-04-13T11:59:55.000Z","updatedAt":"2026-04-13T11:59:55.000Z"}},"context":{{"orgId":"OR123","phoneNumberId":"PN123","conversationId":"CN123","phoneNumberType":"shared","userId":"US123","contacts":{{"ids":["CT123"],"lookupStatus":"matched"}},"participants":{{"workspace":["+12025550101"],"external":["+12025550102"],"resolution":"available"}}}},"links":{{"quo":"https://my.quo.com/inbox/PN123/c/CN123"}}}}}}"#
        )
    };
    let rest = 2048 - with("").len();
    with(&"a".repeat(rest)).into_bytes()
}

/// The decode a host would write for itself: the same fields as the typed event, as serde derives them.
mod bare {
    use chrono::{DateTime, Utc};
    use serde::Deserialize;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    #[expect(dead_code, reason = "decoded for its cost")]
    pub(super) struct Envelope {
        id: String,
        api_version: String,
        created_at: DateTime<Utc>,
        #[serde(rename = "type")]
        kind: String,
        data: Data,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "decoded for its cost")]
    struct Data {
        resource: Message,
        context: Context,
        links: Option<Links>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    #[expect(dead_code, reason = "decoded for its cost")]
    struct Message {
        id: String,
        direction: String,
        status: String,
        text: Option<String>,
        created_at: DateTime<Utc>,
        updated_at: Option<DateTime<Utc>>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    #[expect(dead_code, reason = "decoded for its cost")]
    struct Context {
        org_id: Option<String>,
        phone_number_id: Option<String>,
        conversation_id: Option<String>,
        phone_number_type: Option<String>,
        user_id: Option<String>,
        contacts: Contacts,
        participants: Participants,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    #[expect(dead_code, reason = "decoded for its cost")]
    struct Contacts {
        ids: Vec<String>,
        lookup_status: Option<String>,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "decoded for its cost")]
    struct Participants {
        workspace: Vec<String>,
        external: Vec<String>,
        resolution: Option<String>,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "decoded for its cost")]
    struct Links {
        quo: Option<String>,
    }

    pub(super) fn decode(body: &[u8]) -> Envelope {
        serde_json::from_slice(body).expect("decodes")
    }
}
