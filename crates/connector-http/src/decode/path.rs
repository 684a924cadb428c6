//! From a place in JSON text to the path of the value there.
//!
//! serde says at which line and column a decode failed. Decoding once more with a deserializer that keeps track of
//! the path would say where that is, but every model of every vendor would be compiled a second time for it; this
//! walks the text instead, and is compiled once.

use crate::error::is_plain_key;

/// Returns the path of the innermost value that the byte at `offset` belongs to: `data.1.id`. Keys that may be data
/// are shown as `*`. An offset past the end means what is still open there.
///
/// Up to that byte the text is taken to be JSON; what follows is not looked at.
pub(super) fn at(body: &[u8], offset: usize) -> String {
    path(&still_open(body, offset))
}

/// Returns what has begun and not ended at the byte at `offset`, the outermost first.
fn still_open(body: &[u8], offset: usize) -> Vec<Frame<'_>> {
    let mut open: Vec<Frame<'_>> = Vec::new();
    // Levels below the deepest that is shown are only counted: a body of ten million brackets, which a decoder that
    // skips an unknown field does read to its end, must not become ten million frames.
    let mut below = 0_usize;
    let mut next = 0;
    while let Some(&byte) = body.get(next) {
        let start = next;
        let end = match byte {
            b'"' => string_end(body, start),
            b'{' | b'[' | b'}' | b']' | b',' | b':' => start,
            _ if byte.is_ascii_whitespace() => start,
            _ => literal_end(body, start),
        };
        next = end.saturating_add(1);
        // serde stops behind the last byte of a value it refuses, or before the first one of a value whose kind
        // alone is wrong: so a value is counted as begun with the byte that announces it.
        match byte {
            _ if below > 0 => {}
            b'}' | b']' => inside(&mut open, false),
            b',' => next_value(&mut open),
            b':' => inside(&mut open, true),
            _ => {}
        }
        if end >= offset {
            break;
        }
        match byte {
            b'{' | b'[' if open.len() >= MAX_DEPTH => below = below.saturating_add(1),
            b'}' | b']' if below > 0 => below -= 1,
            _ if below > 0 => {}
            b'{' | b'[' => open.push(Frame::new(byte == b'{')),
            b'}' | b']' => {
                open.pop();
                inside(&mut open, false);
            }
            b',' | b':' => {}
            b'"' if open.last().is_some_and(Frame::expects_key) => {
                let key = body.get(start.saturating_add(1)..end);
                if let Some(frame) = open.last_mut() {
                    frame.key = key.unwrap_or_default();
                }
            }
            _ if byte.is_ascii_whitespace() => {}
            _ => inside(&mut open, false),
        }
    }
    open
}

/// Returns the offset of the byte at `line` and `column`, both from 1, as serde counts.
pub(super) fn offset(body: &[u8], line: usize, column: usize) -> usize {
    let before: usize = body
        .split_inclusive(|byte| *byte == b'\n')
        .take(line.saturating_sub(1))
        .map(<[u8]>::len)
        .sum();
    before.saturating_add(column).saturating_sub(1)
}

/// An object or an array that has begun and not ended.
struct Frame<'a> {
    is_object: bool,
    /// The last key of an object, as it stands in the text.
    key: &'a [u8],
    /// The number of the element of an array.
    index: usize,
    /// Whether a value of it has been announced (by a colon, a comma, a bracket) and has not ended.
    inside: bool,
}

impl Frame<'_> {
    fn new(is_object: bool) -> Self {
        Self {
            is_object,
            key: b"",
            index: 0,
            inside: !is_object,
        }
    }

    fn expects_key(&self) -> bool {
        self.is_object && !self.inside
    }
}

fn inside(open: &mut [Frame<'_>], inside: bool) {
    if let Some(frame) = open.last_mut() {
        frame.inside = inside;
    }
}

fn next_value(open: &mut [Frame<'_>]) {
    if let Some(frame) = open.last_mut() {
        frame.inside = !frame.is_object;
        frame.index = frame.index.saturating_add(1);
    }
}

/// Returns where the closing quote stands, or the end of a text without one.
fn string_end(body: &[u8], start: usize) -> usize {
    let mut at = start.saturating_add(1);
    loop {
        match body.get(at) {
            Some(b'\\') => at = at.saturating_add(2),
            Some(b'"') | None => return at,
            Some(_) => at = at.saturating_add(1),
        }
    }
}

/// Returns where the last byte of a number or a word stands.
fn literal_end(body: &[u8], start: usize) -> usize {
    let rest = body.get(start..).unwrap_or_default();
    let length = rest
        .iter()
        .position(|byte| byte.is_ascii_whitespace() || b",:]}[{\"".contains(byte))
        .unwrap_or(rest.len());
    start.saturating_add(length.max(1)).saturating_sub(1)
}

/// A path for a person to read: deeper than this, it would only fill the log.
const MAX_DEPTH: usize = 32;

fn path(open: &[Frame<'_>]) -> String {
    let mut path = String::new();
    for frame in open.iter().take_while(|frame| frame.inside) {
        if !path.is_empty() {
            path.push('.');
        }
        if frame.is_object {
            let key = str::from_utf8(frame.key)
                .ok()
                .filter(|key| is_plain_key(key));
            path.push_str(key.unwrap_or("*"));
        } else {
            path.push_str(&frame.index.to_string());
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Model {
        #[serde(rename = "data")]
        _data: Vec<Item>,
        #[serde(rename = "next")]
        _next: Option<String>,
    }

    #[derive(Debug, Deserialize)]
    struct Item {
        #[serde(rename = "id")]
        _id: u32,
        #[serde(rename = "name")]
        _name: String,
        #[serde(rename = "flags", default)]
        _flags: BTreeMap<String, bool>,
        #[serde(rename = "pair", default)]
        _pair: Option<(u8, Vec<u8>)>,
    }

    /// What a decoder that keeps track of the path says.
    fn tracked(body: &[u8]) -> Option<(String, serde_json::Error)> {
        let mut json = serde_json::Deserializer::from_slice(body);
        let error = serde_path_to_error::deserialize::<_, Model>(&mut json).err()?;
        let path = error.path().to_string();
        let path = path.replace('[', ".").replace(']', "");
        let path = path.trim_start_matches('.').to_owned();
        Some((
            if path == "." { String::new() } else { path },
            error.into_inner(),
        ))
    }

    fn walked(body: &[u8], error: &serde_json::Error) -> String {
        at(body, offset(body, error.line(), error.column()))
    }

    fn item() -> impl Strategy<Value = Value> {
        let odd = prop_oneof![
            Just(json!(null)),
            Just(json!(-1)),
            Just(json!(300)),
            Just(json!("text, with \" : ] } in it \\")),
            Just(json!([])),
            Just(json!([1, [2, 3]])),
            Just(json!([1, [2, "x"]])),
            Just(json!({})),
            Just(json!({"on": true, "off": 7})),
            Just(json!({"on": true})),
        ];
        proptest::collection::btree_map("id|name|flags|pair|more", odd, 0..6)
            .prop_map(|map| Value::Object(map.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn it_finds_what_a_tracking_decoder_finds(
            items in proptest::collection::vec(item(), 0..4),
            pretty: bool,
        ) {
            let value = json!({"data": items, "next": "page"});
            let text = if pretty { format!("{value:#}") } else { value.to_string() };
            if let Some((expected, error)) = tracked(text.as_bytes()) {
                prop_assert_eq!(walked(text.as_bytes(), &error), expected, "{}: {}", text, error);
            }
        }

        #[test]
        fn no_bytes_make_it_fail(body: Vec<u8>, offset in 0_usize..64) {
            let path = at(&body, offset);
            prop_assert!(path.len() <= 64 + body.len());
        }
    }

    #[test]
    fn depth_costs_neither_stack_nor_memory() {
        let deep = "[".repeat(200_000);
        let open = still_open(deep.as_bytes(), deep.len());
        assert!(open.capacity() <= 2 * MAX_DEPTH, "{}", open.capacity());
        assert_eq!(path(&open), vec!["0"; MAX_DEPTH].join("."));
        assert_eq!(at(deep.as_bytes(), 2), "0.0");
    }

    #[test]
    fn what_lies_too_deep_to_show_does_not_disturb_what_is_shown() {
        let deep = format!(
            "{}{{\"a\":[1,2,{{\"b\":3}}]}}{}",
            "[".repeat(40),
            "]".repeat(40)
        );
        let text = format!(r#"{{"first":[{deep},7],"second":"canary"}}"#);
        let seven = text.find(",7").unwrap() + 1;
        assert_eq!(at(text.as_bytes(), seven), "first.1");
        let second = text.find("\"canary").unwrap() + 1;
        assert_eq!(at(text.as_bytes(), second), "second");
    }
}
