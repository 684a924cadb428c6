//! What may be shown of a request or an answer: its shape, and what is harmless by name and by look.

use serde_json::{Map, Value};

/// The longest text that [`redact`] makes, in bytes of JSON.
pub const MAX_BYTES: usize = 8 * 1024;
/// What lies deeper is only counted.
pub const MAX_DEPTH: usize = 6;
/// So many members of an object are shown.
pub const MAX_MEMBERS: usize = 40;
/// So many elements of an array are shown.
pub const MAX_ELEMENTS: usize = 5;

/// Makes of a request or an answer what an integration log may hold.
///
/// Keys stay, unless they look like data. A value stays only if its key is on a short list (ids of the vendor's,
/// counts, types, states, times of the record) **and** it looks like what that key promises: one short word without
/// `@`, `+` or a row of digits that could be a phone number. Every other value gives way to its type and length.
/// Numbers stay under the same keys and below a million. Whatever is cut off is counted, not shown.
///
/// What it returns is at most [`MAX_BYTES`] long as JSON.
///
/// ```
/// use integration_core::http::redact;
/// use serde_json::json;
///
/// let sent = json!({ "contactId": "CT1a2b", "name": "Ada Example", "phones": ["+12025550143"] });
/// let logged = json!({
///     "contactId": "CT1a2b",
///     "name": "<text of 11>",
///     "phones": ["<text of 12>"],
/// });
/// assert_eq!(redact(&sent), logged);
/// ```
pub fn redact(value: &Value) -> Value {
    let mut room = Room { left: MAX_BYTES };
    shape(value, None, 0, &mut room)
}

const MORE: &str = "…";

/// Keys whose values may stay, in lower case and without `_` and `-`. Names of persons, addresses, texts, free notes
/// and everything a person may have typed in do not belong here; neither do credentials, among them client ids.
const HARMLESS: &[&str] = &[
    "id",
    "ids",
    "accountid",
    "activityid",
    "callid",
    "campaignid",
    "companyid",
    "contactid",
    "contactids",
    "conversationid",
    "eventid",
    "extensionid",
    "groupid",
    "locationid",
    "messageid",
    "messageids",
    "noteid",
    "opportunityid",
    "organizationid",
    "orgid",
    "phonenumberid",
    "pipelineid",
    "projectid",
    "recordid",
    "requestid",
    "resourceid",
    "sourceid",
    "stageid",
    "subscriptionid",
    "taskid",
    "templateid",
    "threadid",
    "traceid",
    "userid",
    "userids",
    "webhookid",
    "workspaceid",
    "action",
    "apiversion",
    "category",
    "code",
    "direction",
    "event",
    "events",
    "errorcode",
    "kind",
    "method",
    "object",
    "operation",
    "priority",
    "role",
    "state",
    "status",
    "statuscode",
    "type",
    "version",
    "count",
    "duration",
    "durationms",
    "hasmore",
    "limit",
    "maxresults",
    "offset",
    "page",
    "pagesize",
    "perpage",
    "size",
    "skip",
    "total",
    "totalcount",
    "totalitems",
    "totalpages",
    "attempt",
    "attempts",
    "delivery",
    "active",
    "deleted",
    "enabled",
    "isactive",
    "isdefault",
    "ok",
    "success",
    "completedat",
    "createdat",
    "deletedat",
    "expiresat",
    "expiresin",
    "updatedat",
];

/// How much more may be written.
struct Room {
    left: usize,
}

impl Room {
    /// Takes so many bytes, or says that they are not there.
    fn take(&mut self, bytes: usize) -> bool {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

/// Every value that is written, its key and the mark of what was cut off below it, costs at most this much besides
/// its text: quotes, comma, colon, brackets, and the mark itself.
const FRAME: usize = 32;

fn shape(value: &Value, key: Option<&str>, depth: usize, room: &mut Room) -> Value {
    let shown = match value {
        Value::Null => Value::Null,
        Value::Object(map) if depth >= MAX_DEPTH => {
            Value::String(format!("<object of {}>", map.len()))
        }
        Value::Array(list) if depth >= MAX_DEPTH => {
            Value::String(format!("<array of {}>", list.len()))
        }
        Value::Object(map) => return object(map, depth, room),
        Value::Array(list) => return array(list, key, depth, room),
        Value::Bool(_) if harmless(key) => value.clone(),
        Value::Bool(_) => Value::from("<bool>"),
        Value::Number(number) if harmless(key) && small(number) => value.clone(),
        Value::Number(_) => Value::from("<number>"),
        Value::String(text) if harmless(key) && (is_word(text) || is_time(text)) => value.clone(),
        Value::String(text) => Value::String(format!("<text of {}>", text.chars().count())),
    };
    let length = shown.as_str().map_or(FRAME, str::len);
    if room.take(length.saturating_add(FRAME)) {
        shown
    } else {
        Value::from(MORE)
    }
}

fn object(map: &Map<String, Value>, depth: usize, room: &mut Room) -> Value {
    let mut shown = Map::new();
    let mut cut = 0_usize;
    for (key, value) in map {
        let name = if is_name(key) { key } else { "*" };
        let full = shown.len() >= MAX_MEMBERS || shown.contains_key(name);
        if full || !room.take(name.len().saturating_add(FRAME)) {
            cut = cut.saturating_add(1);
            continue;
        }
        let value = shape(value, Some(name), depth.saturating_add(1), room);
        shown.insert(name.to_owned(), value);
    }
    if cut > 0 {
        shown.insert(MORE.to_owned(), Value::from(cut));
    }
    Value::Object(shown)
}

/// The elements of an array are judged by the key of the array.
fn array(list: &[Value], key: Option<&str>, depth: usize, room: &mut Room) -> Value {
    let mut shown = Vec::new();
    for value in list.iter().take(MAX_ELEMENTS) {
        if !room.take(FRAME) {
            break;
        }
        shown.push(shape(value, key, depth.saturating_add(1), room));
    }
    let cut = list.len().saturating_sub(shown.len());
    if cut > 0 {
        shown.push(Value::String(format!("{MORE}{cut} more")));
    }
    Value::Array(shown)
}

fn harmless(key: Option<&str>) -> bool {
    key.is_some_and(|key| {
        let plain: String = key
            .chars()
            .filter(|letter| !matches!(letter, '_' | '-'))
            .map(|letter| letter.to_ascii_lowercase())
            .collect();
        HARMLESS.contains(&plain.as_str())
    })
}

/// A number that is no phone number.
fn small(number: &serde_json::Number) -> bool {
    number.as_f64().is_some_and(|number| number.abs() < 1e6)
}

/// One short word that is neither an address nor a number to call, nor holds one.
fn is_word(text: &str) -> bool {
    let fits = !text.is_empty() && text.len() <= 64;
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':');
    fits && text.bytes().all(plain) && !could_be_called(text)
}

/// Whether seven to fifteen digits stand in a row, with nothing but separators between them and around them. Digits
/// that letters touch belong to an id; and so do those of a UUID, which may well have some in a row.
fn could_be_called(text: &str) -> bool {
    if uuid::Uuid::try_parse(text).is_ok() {
        return false;
    }
    let mut rows = vec![0_usize];
    for part in text.split(|letter: char| !letter.is_ascii_alphanumeric()) {
        match rows.last_mut() {
            Some(row) if part.bytes().all(|byte| byte.is_ascii_digit()) => {
                *row = row.saturating_add(part.len());
            }
            _ => rows.push(0),
        }
    }
    rows.iter().any(|row| (7..=15).contains(row))
}

/// The time of a record: `2026-01-02T03:04:05.678Z`.
fn is_time(text: &str) -> bool {
    text.contains('T') && chrono::DateTime::parse_from_rfc3339(text).is_ok()
}

/// Whether a key is a name of the format rather than data: some vendors key objects by number or address.
fn is_name(key: &str) -> bool {
    let mut bytes = key.bytes();
    let named = bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || matches!(first, b'_' | b'$'));
    let digits = key.bytes().filter(u8::is_ascii_digit).count();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$');
    named && key.len() <= 64 && digits <= 4 && bytes.all(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case("id", json!("CT1a2b"))]
    #[case("contact_id", json!("670f-12"))]
    #[case("id", json!("AC1234567890"))]
    #[case("id", json!("12345678-1234-4234-8234-123456789012"))]
    #[case("createdAt", json!("2026-01-02T03:04:05.678+02:00"))]
    #[case("type", json!("message.received"))]
    #[case("total", json!(17))]
    #[case("has-more", json!(true))]
    #[case("events", json!(["message.received", "call.completed"]))]
    fn what_is_harmless_stays(#[case] key: &str, #[case] value: Value) {
        let body = json!({ key: value });
        assert_eq!(redact(&body), body);
    }

    #[rstest]
    #[case("id", json!("+12025550143"))]
    #[case("id", json!("2025550143"))]
    #[case("id", json!("202-555-0143"))]
    #[case("id", json!("tel:12025550143"))]
    #[case("userId", json!("sip:202-555-0143:canary"))]
    #[case("id", json!(2_025_550_143_u64))]
    #[case("externalId", json!("crm-canary"))]
    #[case("userId", json!("canary@example.com"))]
    #[case("status", json!("canary is ill"))]
    #[case("type", json!("x".repeat(65)))]
    #[case("clientId", json!("canary"))]
    #[case("client_secret", json!("canary"))]
    #[case("key", json!("canary"))]
    #[case("name", json!("Canary"))]
    #[case("text", json!("canary"))]
    #[case("birthday", json!("1990-01-02"))]
    #[case("smoker", json!(true))]
    #[case("age", json!(44))]
    fn everything_else_goes(#[case] key: &str, #[case] value: Value) {
        let shown = redact(&json!({ key: value.clone(), "list": [{ key: value.clone() }] }));
        assert_ne!(shown[key], value);
        assert_ne!(shown["list"][0][key], value);
        let text = shown.to_string().to_lowercase();
        assert!(!text.contains("canary") && !text.contains("0143"), "{text}");
    }

    #[test]
    fn keys_that_are_data_go_and_are_counted() {
        let body = json!({ "canary@example.com": 1, "+12025550143": 2, "2025550143": 3, "a b": 4 });
        assert_eq!(redact(&body), json!({ "*": "<number>", "…": 3 }));
    }

    #[test]
    fn depth_and_breadth_have_an_end() {
        let mut deep = json!(["canary"]);
        for _ in 0..60 {
            deep = json!({ "a": deep });
        }
        insta::assert_snapshot!(redact(&deep), @r#"{"a":{"a":{"a":{"a":{"a":{"a":"<object of 1>"}}}}}}"#);
        insta::assert_snapshot!(redact(&json!(vec![0; 9])), @r#"["<number>","<number>","<number>","<number>","<number>","…4 more"]"#);
        let wide: Map<_, _> = (0..99).map(|n| (format!("k{n}"), Value::Null)).collect();
        let shown = redact(&Value::Object(wide));
        assert_eq!(shown.as_object().unwrap().len(), MAX_MEMBERS + 1);
        assert_eq!(shown["…"], 59);
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let word = "[a-zA-Z_]{1,64}|[\\PC]{0,12}";
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[\\PC]{0,80}".prop_map(Value::from),
        ];
        let key = prop_oneof![word, Just("id".to_owned()), Just("status".to_owned())];
        leaf.prop_recursive(8, 2_000, 60, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..60).prop_map(Value::from),
                prop::collection::vec((key.clone(), inner), 0..60)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn it_never_passes_its_cap(value in json_value()) {
            prop_assert!(redact(&value).to_string().len() <= MAX_BYTES);
        }

        #[test]
        fn no_sentence_shows_whatever_its_key(key in "[a-zA-Z]{1,20}", one in "[a-z]{6,12}") {
            for text in [format!("{one} canary"), format!("{one}@canary"), format!("+{one}")] {
                let body = json!({ &key: text, "status": text, "id": [text] });
                prop_assert!(!redact(&body).to_string().contains(&text));
            }
        }
    }
}
