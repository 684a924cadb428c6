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
use super::event::{EventId, EventKind, EventName, Generation};
use super::lenient::{exact, parse_time, scalar};
use super::message::MessageEvent;
use super::summary::CallSummaryEvent;
use super::task::TaskEvent;
use super::transcript::CallTranscriptEvent;

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
    let mut pass = settle(body)?;
    let payload = pass.payload.take().and_then(|(link, payload)| {
        pass.link = link;
        payload
    });
    match (&pass.name, payload) {
        (Some(name), Some(payload)) => match EventKind::of(name, payload) {
            Some(kind) => Ok(pass.into_envelope(kind)),
            None => keep(body, pass),
        },
        _ => keep(body, pass),
    }
}

/// Reads `data` as what `type` says, however many passes that takes.
fn settle(body: &[u8]) -> Result<Pass, WebhookError> {
    match Plan::Guess.run(body) {
        Ok(pass) if pass.is_settled() => return Ok(pass),
        // `data` was read as something else, or not at all, or cannot be read: first learn what it is.
        _ => {}
    }
    let outer = Plan::Skip.run(body).map_err(|error| unreadable(&error))?;
    let Some(family) = outer.family() else {
        return Ok(outer);
    };
    let read = match Plan::As(family).run(body) {
        Ok(pass) if pass.is_settled() => return Ok(pass),
        // An event that is known by its name and has not what makes it one.
        Ok(_) => WebhookError::new(WebhookErrorKind::UnreadableBody),
        Err(error) => unreadable(&error),
    };
    // Of what the vendor documents for no generation but the dated one, the rest is as good as unknown.
    if family == Family::Task && outer.generation != Some(Generation::Dated) {
        return Ok(outer);
    }
    Err(read)
}

/// Keeps a delivery whole whose `type` says nothing, unless its object says what it is.
fn keep(body: &[u8], mut pass: Pass) -> Result<Envelope, WebhookError> {
    let raw: serde_json::Value =
        serde_json::from_slice(body).map_err(|error| unreadable(&error))?;
    let kind = match raw.get("type") {
        Some(serde_json::Value::String(name)) => name.clone(),
        None | Some(serde_json::Value::Null) => String::new(),
        Some(other) => other.to_string(),
    };
    if let Some(name) = object_name(&kind, &raw)
        && let Some(family) = name.family()
        && let Ok(Pass {
            payload: Some((link, Some(payload))),
            ..
        }) = Plan::As(family).run(body)
        && let Some(kind) = EventKind::of(&name, payload)
    {
        pass.link = link;
        return Ok(pass.into_envelope(kind));
    }
    pass.link = ["/data/deepLink", "/data/links/quo"]
        .into_iter()
        .find_map(|place| Some(raw.pointer(place)?.as_str()?.to_owned()));
    Ok(pass.into_envelope(EventKind::Unknown { kind, raw }))
}

/// What `data.object.object` says the event is, where there is but one event of such objects and `type` is missing or no
/// event's name, all of which have a dot.
fn object_name(kind: &str, raw: &serde_json::Value) -> Option<EventName> {
    let object = raw.pointer("/data/object/object")?.as_str()?;
    let alone = matches!(object, "callSummary" | "callTranscript") && !kind.contains('.');
    alone.then(|| EventName::read(object))
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
pub(super) enum Family {
    Message,
    Call,
    Summary,
    Transcript,
    Contact,
    Task,
}

/// The value of the body's last member, if that is `"type":"…"`, as the vendor writes it.
fn type_at_the_end(body: &[u8]) -> Option<&str> {
    let rest = body.trim_ascii_end().strip_suffix(b"\"}")?;
    let mut parts = rest.rsplitn(2, |byte| *byte == b'"');
    let (name, before) = (parts.next()?, parts.next()?);
    let is_type = before.ends_with(b"\"type\":");
    is_type.then(|| std::str::from_utf8(name).ok()).flatten()
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

    fn family(self, name: Option<&EventName>, body: &[u8]) -> Option<Family> {
        match (self, name) {
            (Self::Skip, _) => None,
            (Self::As(family), _) => Some(family),
            (Self::Guess, Some(name)) => name.family(),
            (Self::Guess, None) => EventName::read(type_at_the_end(body)?).family(),
        }
    }
}

/// What one pass found.
#[derive(Default)]
struct Pass {
    id: Option<EventId>,
    generation: Option<Generation>,
    created_at: Option<DateTime<Utc>>,
    name: Option<EventName>,
    link: Option<String>,
    payload: Option<(Option<String>, Option<Payload>)>,
}

/// `data`, converted as soon as it is read: what is read from is many times as large.
pub(super) enum Payload {
    Message(Box<MessageEvent>),
    Call(Box<CallEvent>),
    Summary(Box<CallSummaryEvent>),
    Transcript(Box<CallTranscriptEvent>),
    Contact(Box<ContactEvent>),
    Task(Box<TaskEvent>),
}

impl Payload {
    fn family(&self) -> Family {
        match self {
            Self::Message(_) => Family::Message,
            Self::Call(_) => Family::Call,
            Self::Summary(_) => Family::Summary,
            Self::Transcript(_) => Family::Transcript,
            Self::Contact(_) => Family::Contact,
            Self::Task(_) => Family::Task,
        }
    }
}

impl Pass {
    fn family(&self) -> Option<Family> {
        self.name.as_ref().and_then(EventName::family)
    }

    fn is_settled(&self) -> bool {
        let read = match &self.payload {
            Some((_, Some(payload))) => Some(payload.family()),
            Some((_, None)) | None => None,
        };
        self.family() == read
    }

    fn into_envelope(self, kind: EventKind) -> Envelope {
        Envelope {
            id: self.id,
            generation: self.generation,
            created_at: self.created_at,
            link: self.link,
            kind,
        }
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
                    pass.name =
                        map.next_value_seed(scalar(|name: &str| Some(EventName::read(name))))?;
                }
                Key::Data => {
                    pass.payload = match self.plan.family(pass.name.as_ref(), self.body) {
                        Some(Family::Message) => Some(open(&mut map, Payload::Message)?),
                        Some(Family::Call) => Some(open(&mut map, Payload::Call)?),
                        Some(Family::Summary) => Some(open(&mut map, Payload::Summary)?),
                        Some(Family::Transcript) => Some(open(&mut map, Payload::Transcript)?),
                        Some(Family::Contact) => Some(open(&mut map, Payload::Contact)?),
                        Some(Family::Task) => Some(open(&mut map, Payload::Task)?),
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
        assert_eq!(type_at_the_end(body.as_bytes()), hint);
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
    #[case::summary_without_call(
        r#"{"type":"call.summary.completed","data":{"object":{"id":"AC1","summary":[]}}}"#
    )]
    #[case::dated_task_without_id(
        r#"{"type":"task.created","apiVersion":"2026-03-30","data":{"resource":{"title":"canary"}}}"#
    )]
    #[case::deep(&"[".repeat(100_000))]
    fn what_is_no_event_is_unreadable(#[case] body: &str) {
        let Err(error) = read(body.as_bytes()) else {
            panic!("read")
        };
        assert_eq!(error.kind(), WebhookErrorKind::UnreadableBody);
        assert!(!format!("{error} {error:?}").contains("canary"));
    }

    /// `type` in the vendor's documents is the object's name; live it is the event's; either may be missing one day.
    #[rstest]
    #[case::live("call.summary.completed", "callSummary")]
    #[case::documented("callSummary", "callSummary")]
    #[case::without_object("callSummary", "")]
    #[case::another_spelling("call_summary", "callSummary")]
    #[case::no_type("", "callSummary")]
    fn a_summary_is_told_by_type_or_object(#[case] name: &str, #[case] object: &str) {
        let body = format!(
            r#"{{"data":{{"deepLink":"https://example.com","object":{{"callId":"AC1","object":"{object}"}}}},"type":"{name}"}}"#
        );
        let envelope = read(body.as_bytes()).unwrap();
        assert_eq!(envelope.kind.name(), "call.summary.completed");
        assert!(envelope.link.is_some());
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
    #[case(r#"{"type":7}"#, "7")]
    #[case("{}", "")]
    #[case::undocumented_task(
        r#"{"type":"task.due_date_changed","data":{"object":{"task":"TK1"}}}"#,
        "task.due_date_changed"
    )]
    #[case::undocumented_task_of_another_shape(
        r#"{"data":[],"type":"task.assigned"}"#,
        "task.assigned"
    )]
    #[case::other_event_of_a_summary(r#"{"type":"call.summary.failed","data":{"object":{"object":"callSummary","callId":"AC1"}}}"#, "call.summary.failed")]
    #[case::summary_without_its_call(
        r#"{"type":"summary","data":{"object":{"object":"callSummary"}}}"#,
        "summary"
    )]
    #[case::object_with_many_events(r#"{"data":{"object":{"object":"message","id":"AC1"}}}"#, "")]
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
