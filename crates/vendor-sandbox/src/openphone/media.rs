//! The sound of recordings and voicemails: addresses that expire, and the bytes behind them.

use std::fmt::Write as _;

use aws_lc_rs::{constant_time, hmac};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::StatusCode;
use http::header::{ACCEPT_RANGES, CONTENT_RANGE, RANGE};

use crate::exchange::{Call, Outcome, Reply};
use crate::openphone::call::{PhoneCall, Processing};
use crate::openphone::error::ApiError;
use crate::openphone::state::State;

/// One frame of silence: MPEG-2 layer III, 8 kbit/s, 24 kHz, mono. A frame without main data
/// decodes to silence, and lasts 24 ms.
const FRAME_HEAD: [u8; 4] = [0xff, 0xf3, 0x14, 0xc0];
const FRAME_BYTES: usize = 24;
const FRAME_MILLIS: i64 = 24;
/// The sound of a longer call stops here: 200 kB are enough for anyone who tests a download.
const LONGEST_MILLIS: i64 = 200_000;

#[expect(
    clippy::unnecessary_wraps,
    reason = "the shape of every operation; what goes wrong here is not told in the shape of the API"
)]
pub(super) fn download(state: &mut State, call: &Call<'_>) -> Result<Outcome, ApiError> {
    Ok(state.media(call).into())
}

impl State {
    pub(super) fn recording_url(&self, call: &PhoneCall, now: DateTime<Utc>) -> String {
        self.media_url(&call.recording_id(), now)
    }

    pub(super) fn voicemail_url(&self, call: &PhoneCall, now: DateTime<Utc>) -> String {
        self.media_url(&call.voicemail_id(), now)
    }

    fn media_url(&self, id: &str, now: DateTime<Utc>) -> String {
        let file = format!("{id}.mp3");
        let life = i64::try_from(self.options.media_seconds).unwrap_or(i64::MAX);
        let expires = now.timestamp().saturating_add(life);
        let signature = self.media_signature(&file, expires);
        let base = &self.surroundings.base_url;
        format!("{base}/media/{file}?expires={expires}&signature={signature}")
    }

    fn media_signature(&self, file: &str, expires: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.media_key);
        let tag = hmac::sign(&key, format!("{file}\n{expires}").as_bytes());
        tag.as_ref().iter().fold(String::new(), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    fn media(&self, call: &Call<'_>) -> Reply {
        let query = call.query_pairs();
        let value = |name: &str| {
            query
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
                .unwrap_or_default()
        };
        let expires = value("expires").parse().unwrap_or(i64::MIN);
        let signature = self.media_signature(call.id, expires);
        let signed = constant_time::verify_slices_are_equal(
            signature.as_bytes(),
            value("signature").as_bytes(),
        );
        if signed.is_err() {
            return refused(StatusCode::FORBIDDEN, "SignatureDoesNotMatch");
        }
        if call.now.timestamp() >= expires {
            return refused(StatusCode::FORBIDDEN, "ExpiredToken");
        }
        match self.sound_of(call.id) {
            Some(bytes) => partial(bytes, call),
            None => refused(StatusCode::NOT_FOUND, "NoSuchKey"),
        }
    }

    /// Finds the bytes of a file; `None` when there is no such recording or voicemail (any more).
    fn sound_of(&self, file: &str) -> Option<Bytes> {
        let id = file.strip_suffix(".mp3")?;
        let (recording, rest) = match (id.strip_prefix("CR"), id.strip_prefix("VM")) {
            (Some(rest), _) => (true, rest),
            (None, rest) => (false, rest?),
        };
        let place = self.calls.ledger.place(&format!("AC{rest}"))?;
        let call = self.call(place)?;
        let part = if recording {
            call.recording
        } else {
            call.voicemail
        };
        (part == Processing::Completed).then(|| sound(&call))
    }
}

/// Makes the sound of a call: silence as long as the talk.
pub(super) fn sound(call: &PhoneCall) -> Bytes {
    let millis = call.talking.num_milliseconds().clamp(0, LONGEST_MILLIS);
    let frames = usize::try_from(millis / FRAME_MILLIS)
        .unwrap_or_default()
        .max(1);
    let mut bytes = vec![0; frames * FRAME_BYTES];
    for frame in bytes.chunks_mut(FRAME_BYTES) {
        for (byte, head) in frame.iter_mut().zip(FRAME_HEAD) {
            *byte = head;
        }
    }
    bytes.into()
}

/// Answers the whole or the one range that was asked for.
fn partial(bytes: Bytes, call: &Call<'_>) -> Reply {
    let length = bytes.len();
    let range = call
        .headers
        .get(RANGE)
        .and_then(|range| range.to_str().ok());
    let reply = match range.and_then(|range| wanted(range, length)) {
        None => Reply::bytes(StatusCode::OK, "audio/mpeg", bytes),
        Some(Ok((first, last))) => Reply::bytes(
            StatusCode::PARTIAL_CONTENT,
            "audio/mpeg",
            bytes.slice(first..=last),
        )
        .header(CONTENT_RANGE, &format!("bytes {first}-{last}/{length}")),
        Some(Err(())) => refused(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange")
            .header(CONTENT_RANGE, &format!("bytes */{length}")),
    };
    reply.header(ACCEPT_RANGES, "bytes")
}

/// Reads `bytes=a-b`, `bytes=a-` or `bytes=-n`. What is nothing of the kind, or more than one, is
/// ignored, as RFC 9110 allows; what lies outside is an error.
fn wanted(range: &str, length: usize) -> Option<Result<(usize, usize), ()>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let end = length.checked_sub(1)?;
    let (first, last) = match (first, last) {
        ("", last) => {
            let count: usize = last.parse().ok()?;
            if count == 0 {
                return Some(Err(()));
            }
            (length.saturating_sub(count), end)
        }
        (first, "") => (first.parse().ok()?, end),
        (first, last) => {
            let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
            if last < first {
                return None;
            }
            (first, last.min(end))
        }
    };
    Some(if first > end {
        Err(())
    } else {
        Ok((first, last))
    })
}

/// The shape of object stores, which is what such addresses lead to.
fn refused(status: StatusCode, code: &str) -> Reply {
    let body =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code></Error>");
    Reply::bytes(status, "application/xml", body.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_has_them() {
        for (text, expected) in [
            ("bytes=0-3", Some(Ok((0, 3)))),
            ("bytes=4-", Some(Ok((4, 9)))),
            ("bytes=4-99", Some(Ok((4, 9)))),
            ("bytes=-3", Some(Ok((7, 9)))),
            ("bytes=-30", Some(Ok((0, 9)))),
            ("bytes=10-", Some(Err(()))),
            ("bytes=-0", Some(Err(()))),
            ("bytes=3-2", None),
            ("bytes=0-1,3-4", None),
            ("items=0-1", None),
            ("bytes=", None),
            ("bytes=-", None),
        ] {
            assert_eq!(wanted(text, 10), expected, "{text}");
        }
    }
}
