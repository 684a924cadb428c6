//! One pass over a delivery: the envelope, and `data` as what `type` says it is.
//!
//! `type` stands before `data` in the vendor's documents and in dated payloads, and after it in live `v4` ones, whose
//! keys are sorted. So where `type` is not known yet, the end of the body is looked at for a hint; a hint that turns out
//! wrong, or is not there, costs another pass, never the event.

use std::fmt;

use chrono::{DateTime, Utc};
use integration_core::webhook::{WebhookError, WebhookErrorKind};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::call::CallEvent;
use super::contact::ContactEvent;
use super::context::{Data, FromWire};
use super::event::{EventId, EventKind, Generation};
use super::lenient::{exact, parse_time, scalar};
use super::message::MessageEvent;

/// A delivery, read.
pub(super) struct Envelope {
    pub(super) id: Option<EventId>,
    pub(super) generation: Option<Generation>,
    pub(super) created_at: Option<DateTime<Utc>>,
    pub(super) link: Option<String>,
    pub(super) kind: EventKind,
}

/// Reads a delivery.
pub(super) fn read(body: &[u8]) -> Result<Envelope, WebhookError> {
    let pass = match Plan::Guess.run(body) {
        Ok(pass) if pass.is_settled() => pass,
        // `data` was read as something else, or not at all, or cannot be read: first learn what it is.
        _ => {
            let outer = Plan::Skip.run(body).map_err(|error| unreadable(&error))?;
            match outer.family() {
                Some(family) => Plan::As(family)
                    .run(body)
                    .map_err(|error| unreadable(&error))?,
                None => outer,
            }
        }
    };
    let Pass {
        id,
        generation,
        created_at,
        kind,
        payload,
    } = pass;
    let (mut link, payload) = payload.map_or((None, None), |(link, payload)| (link, payload));
    let kind = match (kind, payload) {
        (Some(Kind::Known(Known::Message(make))), Some(Payload::Message(message))) => make(message),
        (Some(Kind::Known(Known::Call(make))), Some(Payload::Call(call))) => make(call),
        (Some(Kind::Known(Known::Contact(make))), Some(Payload::Contact(contact))) => make(contact),
        // An event that is known by its name and has not what makes it one.
        (Some(Kind::Known(_)), _) => {
            return Err(WebhookError::new(WebhookErrorKind::UnreadableBody));
        }
        (other, _) => {
            let name = match other {
                Some(Kind::Other(name)) => name,
                _ => String::new(),
            };
            let raw: serde_json::Value =
                serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
            link = ["/data/deepLink", "/data/links/quo"]
                .into_iter()
                .find_map(|place| Some(raw.pointer(place)?.as_str()?.to_owned()));
            EventKind::Unknown { kind: name, raw }
        }
    };
    Ok(Envelope {
        id,
        generation,
        created_at,
        link,
        kind,
    })
}

/// Reads the event's id alone, as [`read`] reads it; `None` also of what is no JSON object.
pub(super) fn read_id(body: &[u8]) -> Option<EventId> {
    Plan::Skip.run(body).ok()?.id
}

/// An empty id is none: taken for one, it would make repeated deliveries of all events that have it.
fn event_id(id: &str) -> Option<EventId> {
    (!id.is_empty()).then(|| EventId::from(id))
}

/// serde's own error text quotes values of the body; only where it stopped is kept.
fn unreadable(error: &serde_json::Error) -> WebhookError {
    WebhookError::new(WebhookErrorKind::UnreadableBody).with_position(error.line(), error.column())
}

/// What `data` holds.
#[derive(Copy, Clone, PartialEq)]
enum Family {
    Message,
    Call,
    Contact,
}

/// An event that has a type of its own.
#[derive(Copy, Clone)]
enum Known {
    Message(fn(Box<MessageEvent>) -> EventKind),
    Call(fn(Box<CallEvent>) -> EventKind),
    Contact(fn(Box<ContactEvent>) -> EventKind),
}

impl Known {
    fn from_name(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"message.received" => Self::Message(EventKind::MessageReceived),
            b"message.delivered" => Self::Message(EventKind::MessageDelivered),
            b"message.failed" => Self::Message(EventKind::MessageFailed),
            b"message.undelivered" => Self::Message(EventKind::MessageUndelivered),
            b"call.ringing" => Self::Call(EventKind::CallRinging),
            b"call.answered" => Self::Call(EventKind::CallAnswered),
            b"call.completed" => Self::Call(EventKind::CallCompleted),
            b"call.missed" => Self::Call(EventKind::CallMissed),
            b"call.forwarded" => Self::Call(EventKind::CallForwarded),
            b"call.menu.selected" => Self::Call(EventKind::CallMenuSelected),
            b"call.recording.completed" => Self::Call(EventKind::CallRecordingCompleted),
            b"call.voicemail.completed" => Self::Call(EventKind::CallVoicemailCompleted),
            b"contact.updated" => Self::Contact(EventKind::ContactUpdated),
            b"contact.deleted" => Self::Contact(EventKind::ContactDeleted),
            _ => return None,
        })
    }

    fn family(self) -> Family {
        match self {
            Self::Message(_) => Family::Message,
            Self::Call(_) => Family::Call,
            Self::Contact(_) => Family::Contact,
        }
    }
}

/// `type`.
enum Kind {
    Known(Known),
    Other(String),
}

impl Kind {
    fn read(name: &str) -> Self {
        Known::from_name(name.as_bytes()).map_or_else(|| Self::Other(name.to_owned()), Self::Known)
    }
}

/// The value of the body's last member, if that is `"type":"…"`, as the vendor writes it.
fn type_at_the_end(body: &[u8]) -> Option<&[u8]> {
    let rest = body.trim_ascii_end().strip_suffix(b"\"}")?;
    let mut parts = rest.rsplitn(2, |byte| *byte == b'"');
    let (name, before) = (parts.next()?, parts.next()?);
    before.ends_with(b"\"type\":").then_some(name)
}

/// How one pass treats `data`.
#[derive(Copy, Clone)]
enum Plan {
    /// As `type` says, or seems to say.
    Guess,
    /// Not at all.
    Skip,
    /// As this.
    As(Family),
}

impl Plan {
    fn run(self, body: &[u8]) -> Result<Pass, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        let pass = Reader { plan: self, body }.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(pass)
    }

    fn family(self, kind: Option<&Kind>, body: &[u8]) -> Option<Family> {
        match (self, kind) {
            (Self::Skip, _) | (Self::Guess, Some(Kind::Other(_))) => None,
            (Self::As(family), _) => Some(family),
            (Self::Guess, Some(Kind::Known(known))) => Some(known.family()),
            (Self::Guess, None) => type_at_the_end(body)
                .and_then(Known::from_name)
                .map(Known::family),
        }
    }
}

/// What one pass found.
#[derive(Default)]
struct Pass {
    id: Option<EventId>,
    generation: Option<Generation>,
    created_at: Option<DateTime<Utc>>,
    kind: Option<Kind>,
    payload: Option<(Option<String>, Option<Payload>)>,
}

/// `data`, converted as soon as it is read: what is read from is many times as large.
enum Payload {
    Message(Box<MessageEvent>),
    Call(Box<CallEvent>),
    Contact(Box<ContactEvent>),
}

impl Pass {
    fn family(&self) -> Option<Family> {
        match self.kind {
            Some(Kind::Known(known)) => Some(known.family()),
            _ => None,
        }
    }

    fn is_settled(&self) -> bool {
        let read = match &self.payload {
            Some((_, Some(Payload::Message(_)))) => Some(Family::Message),
            Some((_, Some(Payload::Call(_)))) => Some(Family::Call),
            Some((_, Some(Payload::Contact(_)))) => Some(Family::Contact),
            Some((_, None)) | None => None,
        };
        self.family() == read
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Key {
    Id,
    ApiVersion,
    CreatedAt,
    Type,
    Data,
    #[serde(other)]
    Other,
}

struct Reader<'b> {
    plan: Plan,
    body: &'b [u8],
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Pass;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Pass, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Pass;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pass, A::Error> {
        let mut pass = Pass::default();
        while let Some(key) = map.next_key()? {
            match key {
                Key::Id => {
                    pass.id = map.next_value_seed(exact(event_id))?;
                }
                Key::ApiVersion => {
                    pass.generation =
                        map.next_value_seed(scalar(|name: &str| Some(Generation::from(name))))?;
                }
                Key::CreatedAt => pass.created_at = map.next_value_seed(scalar(parse_time))?,
                Key::Type => {
                    pass.kind = map.next_value_seed(scalar(|name: &str| Some(Kind::read(name))))?;
                }
                Key::Data => {
                    pass.payload = match self.plan.family(pass.kind.as_ref(), self.body) {
                        Some(Family::Message) => Some(open(&mut map, Payload::Message)?),
                        Some(Family::Call) => Some(open(&mut map, Payload::Call)?),
                        Some(Family::Contact) => Some(open(&mut map, Payload::Contact)?),
                        None => {
                            map.next_value::<IgnoredAny>()?;
                            None
                        }
                    };
                }
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(pass)
    }
}

/// Reads `data` as one family's.
fn open<'de, A: MapAccess<'de>, E: FromWire>(
    map: &mut A,
    wrap: fn(Box<E>) -> Payload,
) -> Result<(Option<String>, Option<Payload>), A::Error> {
    let data = map.next_value::<Option<Data<E::Wire>>>()?;
    let (link, event) = data.map_or((None, None), Data::open);
    Ok((link, event.map(wrap)))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(r#"{"data":{},"type":"message.received"}"#, Some("message.received"))]
    #[case("{\"type\":\"message.received\"}\r\n", Some("message.received"))]
    #[case(r#"{"type":""}"#, Some(""))]
    #[case(r#"{"data":{},"type": "message.received"}"#, None)]
    #[case(r#"{"type":"message.received","data":{}}"#, None)]
    #[case(r#"{"type":"message.received","id":"1"}"#, None)]
    #[case(r#""}"#, None)]
    #[case("}", None)]
    #[case("", None)]
    fn the_end_of_the_body_gives_a_hint(#[case] body: &str, #[case] hint: Option<&str>) {
        assert_eq!(type_at_the_end(body.as_bytes()), hint.map(str::as_bytes));
    }

    fn text_of(body: &str) -> Option<String> {
        match read(body.as_bytes()).unwrap().kind {
            EventKind::MessageReceived(message) => message.text,
            other => panic!("{other:?}"),
        }
    }

    /// However the members are ordered, spaced or repeated, the event is the one that `type` names.
    #[rstest]
    #[case::type_first(r#"{"type":"message.received","data":{"object":{"id":"AC1","text":"hi"}}}"#)]
    #[case::type_last(r#"{"data":{"object":{"id":"AC1","text":"hi"}},"type":"message.received"}"#)]
    #[case::spaced(
        r#"{ "data" : {"object":{"id":"AC1","text":"hi"}}, "type" : "message.received" }"#
    )]
    #[case::between(
        r#"{"data":{"object":{"id":"AC1","text":"hi"}},"type":"message.received","id":"EV1"}"#
    )]
    #[case::wrong_hint_that_reads(r#"{"data":{"object":{"id":"AC1","text":"hi"}},"type":"message.received","x":{"type":"contact.updated"}}"#)]
    #[case::wrong_hint_of_another_family(r#"{"data":{"object":{"id":"AC1","text":"hi","emails":7}},"type":"message.received","x":{"type":"contact.updated"}}"#)]
    #[case::escaped(
        r#"{"data":{"object":{"id":"AC1","text":"hi"}},"type":"message\u002ereceived"}"#
    )]
    #[case::repeated(r#"{"type":"contact.updated","data":{"object":{"id":"AC1","text":"hi"}},"type":"message.received"}"#)]
    fn the_type_decides(#[case] body: &str) {
        assert_eq!(text_of(body).as_deref(), Some("hi"));
    }

    #[rstest]
    #[case::no_json("hello")]
    #[case::empty("")]
    #[case::list("[]")]
    #[case::text(r#""message.received""#)]
    #[case::cut_off(r#"{"type":"message.received","data":{"object":{"id":"AC1""#)]
    #[case::more_behind(r#"{"type":"message.received","data":{"object":{"id":"AC1"}}} {}"#)]
    #[case::no_data(r#"{"type":"message.received"}"#)]
    #[case::null_data(r#"{"type":"message.received","data":null}"#)]
    #[case::no_object(r#"{"type":"message.received","data":{}}"#)]
    #[case::no_id(r#"{"type":"message.received","data":{"object":{"text":"canary"}}}"#)]
    #[case::wrong_shape(
        r#"{"type":"message.received","data":{"object":{"id":"AC1","text":{"canary":1}}}}"#
    )]
    #[case::call_without_id(
        r#"{"type":"call.completed","data":{"object":{"status":"completed"}}}"#
    )]
    #[case::deep(&"[".repeat(100_000))]
    fn what_is_no_event_is_unreadable(#[case] body: &str) {
        let Err(error) = read(body.as_bytes()) else {
            panic!("read")
        };
        assert_eq!(error.kind(), WebhookErrorKind::UnreadableBody);
        assert!(!format!("{error} {error:?}").contains("canary"));
    }

    #[test]
    fn errors_say_where() {
        let body = "{\"type\":\"message.received\",\n\"data\":{\"object\":{\"id\":7}}}";
        let Err(error) = read(body.as_bytes()) else {
            panic!("read")
        };
        assert_eq!(error.position(), Some((2, 24)));
    }

    #[rstest]
    #[case(r#"{"type":"tag.added","data":{"object":7}}"#, "tag.added")]
    #[case(r#"{"data":{"object":7},"type":"tag.added"}"#, "tag.added")]
    #[case(r#"{"data":7}"#, "")]
    #[case(r#"{"type":null}"#, "")]
    #[case("{}", "")]
    fn other_events_are_kept_whole(#[case] body: &str, #[case] name: &str) {
        match read(body.as_bytes()).unwrap().kind {
            EventKind::Unknown { kind, raw } => {
                assert_eq!(kind, name);
                assert_eq!(
                    raw,
                    serde_json::from_str::<serde_json::Value>(body).unwrap()
                );
            }
            other => panic!("{other:?}"),
        }
    }
}
