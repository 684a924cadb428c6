//! The shape of a body, without its content.
//!
//! Keys stay, because they say which vendor's error format this is; values go, because they say who it is about.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

const CAP: usize = 2048;
const MORE: &str = "…";

/// Returns the JSON of `body` with every value replaced by its type and cut at 2 KiB; `None` if it is not JSON.
pub(crate) fn snippet(body: &[u8]) -> Option<String> {
    let mut out = Out {
        text: String::new(),
        full: false,
    };
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = Shape(&mut out).deserialize(&mut json);
    let complete = read.and_then(|()| json.end());
    // Reading stops with an error once the text is full; what was read until then was JSON.
    (complete.is_ok() || out.full).then_some(out.text)
}

/// Returns whether a key is a name of the format rather than data: some vendors key objects by number or address.
pub(crate) fn is_plain_key(key: &str) -> bool {
    let mut bytes = key.bytes();
    let named = bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_' || first == b'$');
    let fits = key.len() <= 64;
    let digits = key.bytes().filter(u8::is_ascii_digit).count();
    named
        && fits
        && digits <= 4
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$'))
}

struct Out {
    text: String,
    full: bool,
}

impl Out {
    fn push(&mut self, piece: &str) {
        if self.full {
            return;
        }
        if self.text.len() + piece.len() + MORE.len() > CAP {
            self.full = true;
            self.text.push_str(MORE);
        } else {
            self.text.push_str(piece);
        }
    }
}

struct Shape<'a>(&'a mut Out);

impl<'de> DeserializeSeed<'de> for Shape<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Shape<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("json")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.push("null");
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.0.push("<bool>");
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.0.push("<number>");
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.0.push("<number>");
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.0.push("<number>");
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        self.0.push("<string>");
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.0.push("[");
        if seq.next_element_seed(Shape(self.0))?.is_some() {
            let mut more = 0_usize;
            while seq.next_element::<IgnoredAny>()?.is_some() {
                more = more.saturating_add(1);
            }
            if more > 0 {
                self.0.push(&format!(",{MORE}{more} more"));
            }
        }
        self.0.push("]");
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.0.push("{");
        let mut first = true;
        while let Some(key) = map.next_key::<String>()? {
            if self.0.full {
                return Err(A::Error::custom("enough"));
            }
            if !first {
                self.0.push(",");
            }
            first = false;
            self.0.push("\"");
            self.0.push(if is_plain_key(&key) { &key } else { "*" });
            self.0.push("\":");
            map.next_value_seed(Shape(self.0))?;
        }
        self.0.push("}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_stay_and_values_go() {
        let body = br#"{"error":{"message":"canary","n":1.5,"ok":false,"no":null},"errors":[{"path":"/canary"},{},{}],"e":[]}"#;
        insta::assert_snapshot!(snippet(body).unwrap(), @r#"{"error":{"message":<string>,"n":<number>,"ok":<bool>,"no":null},"errors":[{"path":<string>},…2 more],"e":[]}"#);
    }

    #[test]
    fn keys_that_are_data_go_too() {
        let body = br#"{"ada@example.com":1,"+12025550143":2,"2025550143":3,"a b":4,"x2025550143":5,"line2":6}"#;
        insta::assert_snapshot!(snippet(body).unwrap(), @r#"{"*":<number>,"*":<number>,"*":<number>,"*":<number>,"*":<number>,"line2":<number>}"#);
    }

    #[test]
    fn what_is_not_json_gives_nothing() {
        for body in [
            &b""[..],
            b"<html>canary</html>",
            b"{\"a\":",
            b"{} canary",
            b"\xff\xfe",
        ] {
            assert_eq!(snippet(body), None);
        }
    }

    #[test]
    fn it_is_cut_at_two_kib() {
        let many = (0..1000).map(|n| format!("\"key_{n}\":\"canary\""));
        let body = format!("{{{}}}", many.collect::<Vec<_>>().join(","));
        let text = snippet(body.as_bytes()).unwrap();
        assert!(text.len() <= CAP && text.len() > CAP - 100 && text.ends_with(MORE));
    }

    #[test]
    fn depth_does_not_overflow_the_stack() {
        let body = "[".repeat(100_000);
        assert_eq!(snippet(body.as_bytes()), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_none_pass_the_cap(body in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(snippet(&body).is_none_or(|text| text.len() <= CAP));
        }

        #[test]
        fn no_value_shows(value in "[a-zA-Z]{12,20}") {
            let body = serde_json::json!({ "a": value, "b": [{ "c": value }] }).to_string();
            prop_assert!(!snippet(body.as_bytes()).unwrap().contains(&value));
        }
    }
}
