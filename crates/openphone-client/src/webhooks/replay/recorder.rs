//! Deliveries as lines of JSON.

use std::fmt;
use std::io::{BufRead, Write};

use http::header::{CONTENT_TYPE, HeaderName, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};

use super::delivery::{ReplayError, Scheme, UnsignedDelivery};
use super::pseudonyms::Pseudonyms;
use super::redact::{is_word, redact};
use crate::webhooks::verifier::{LEGACY, STANDARD};

/// The version of the lines that are written.
const VERSION: u8 = 1;

static ID: HeaderName = HeaderName::from_static("webhook-id");

/// Writes deliveries for later tests, one line each.
///
/// Personal data is replaced, by a list of what is *not* personal: ids, states, kinds, times and durations stay, every
/// other value goes. Numbers and e-mail addresses become invented ones, the same for the same person as long as this
/// recorder lives, which remembers them for that; `anonymous` and its like, and words to opt out, stay, because receivers act on them; texts, names,
/// labels and links become `redacted`. Names of members stay, but for labels that people gave a contact's fields, and so
/// does their order. What is left is read as the same event about the same ids.
#[derive(Clone)]
pub struct Recorder<W> {
    writer: W,
    keep_personal_data: bool,
    pseudonyms: Pseudonyms,
}

impl<W: Write> Recorder<W> {
    /// Records to a writer, each delivery by one write that is flushed, without personal data.
    pub fn new(writer: W) -> Self {
        Self {
            writer,
            keep_personal_data: false,
            pseudonyms: Pseudonyms::default(),
        }
    }

    /// Records names, numbers and texts as they are, for tests that need them. Whoever keeps the file then keeps
    /// personal data. Signatures, other headers and the links to recordings and media are left out all the same.
    pub fn keep_personal_data(mut self) -> Self {
        self.keep_personal_data = true;
        self
    }

    /// Writes a delivery as it arrived. Hand over what was verified: recorded, it is signed again for every test.
    ///
    /// # Errors
    ///
    /// [`NotJson`](ReplayError::NotJson) if the body is no JSON object, of which nothing is written;
    /// [`Io`](ReplayError::Io) if writing fails.
    pub fn record(&mut self, headers: &HeaderMap, body: &[u8]) -> Result<(), ReplayError> {
        let body = redact(body, self.keep_personal_data, &mut self.pseudonyms)
            .ok_or(ReplayError::NotJson)?;
        let scheme = if headers.contains_key(&STANDARD) {
            Some(Scheme::Standard)
        } else {
            headers.contains_key(&LEGACY).then_some(Scheme::Legacy)
        };
        let line = Line {
            version: VERSION,
            scheme,
            id: text(headers, &ID).filter(|id| is_word(id)),
            content_type: text(headers, &CONTENT_TYPE),
            user_agent: text(headers, &USER_AGENT),
            body,
        };
        let mut line = serde_json::to_vec(&line).map_err(std::io::Error::from)?;
        line.push(b'\n');
        self.writer.write_all(&line)?;
        Ok(self.writer.flush()?)
    }
}

impl<W> fmt::Debug for Recorder<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("keep_personal_data", &self.keep_personal_data)
            .finish_non_exhaustive()
    }
}

/// Reads recorded deliveries, in the order in which they were written. Empty lines are passed over.
///
/// # Errors
///
/// [`Line`](ReplayError::Line) with the number of the first line that is none, counted from 1; [`Io`](ReplayError::Io)
/// if reading fails.
pub fn read(recording: impl BufRead) -> Result<Vec<UnsignedDelivery>, ReplayError> {
    let mut deliveries = Vec::new();
    for (index, line) in recording.lines().enumerate() {
        let line = line?;
        if !line.trim().is_empty() {
            let delivery = parse(&line).ok_or(ReplayError::Line(index.saturating_add(1)))?;
            deliveries.push(delivery);
        }
    }
    Ok(deliveries)
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Line {
    version: u8,
    /// The header that the signature stood in.
    scheme: Option<Scheme>,
    #[serde(rename = "webhook-id")]
    id: Option<String>,
    content_type: Option<String>,
    user_agent: Option<String>,
    body: String,
}

fn parse(line: &str) -> Option<UnsignedDelivery> {
    let line: Line = serde_json::from_str(line).ok()?;
    if line.version != VERSION {
        return None;
    }
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (CONTENT_TYPE, line.content_type),
        (USER_AGENT, line.user_agent),
    ] {
        if let Some(value) = value {
            headers.insert(name, HeaderValue::try_from(value).ok()?);
        }
    }
    Some(UnsignedDelivery {
        scheme: line.scheme,
        id: line.id,
        headers,
        body: line.body.into_bytes(),
    })
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}
