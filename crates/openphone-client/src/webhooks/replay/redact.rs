//! A body without what is personal or opens something, member by member, in the order it came in.

use std::fmt;

use chrono::{DateTime, NaiveDate};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::pseudonyms::{LINK, Pseudonyms, is_number};

/// The members whose values stay, unless they do not look like it: ids, states and kinds, times, durations.
const KEPT: &[&str] = &[
    "activityId",
    "actorId",
    "aiHandled",
    "answeredAt",
    "answeredBy",
    "answeredByUserId",
    "apiVersion",
    "assignedBy",
    "assignedTo",
    "callId",
    "callRoute",
    "clientId",
    "completed",
    "completedAt",
    "contactId",
    "contactIds",
    "conversationId",
    "createdAt",
    "createdBy",
    "createdByUserId",
    "deletedAt",
    "direction",
    "dueDate",
    "duration",
    "end",
    "errorCode",
    "groupIds",
    "handledByAiAgent",
    "hasVoicemail",
    "id",
    "ids",
    "initiatedBy",
    "isDeleted",
    "isUpdated",
    "key",
    "lookupStatus",
    "object",
    "orgId",
    "orgIds",
    "phoneNumberGroupId",
    "phoneNumberId",
    "phoneNumberType",
    "processingStatus",
    "resolution",
    "revision",
    "sharedWith",
    "sharedWithIds",
    "source",
    "start",
    "startTime",
    "status",
    "statusReason",
    "taskId",
    "type",
    "unassignedFrom",
    "updatedAt",
    "updatedDueDate",
    "userId",
    "userIds",
    "voicemailId",
];

/// The members that hold links which open a recording or a file for anybody.
const LINKS: &[&str] = &["recordingUrl", "url"];

/// The member of a `v3` contact that has fields by labels people chose, or a list of them.
const FIELDS: &str = "fields";
/// What stands for such a label, which may be spelt like a member whose value stays: a person's `id` is no thing's.
const LABELLED: &str = "fields.*";

/// Writes the body again without what must not be kept; `None` if it is no JSON object.
pub(super) fn redact(
    body: &[u8],
    keep_personal_data: bool,
    pseudonyms: &mut Pseudonyms,
) -> Option<String> {
    let mut writer = Writer {
        out: String::with_capacity(body.len()),
        keep_personal_data,
        pseudonyms,
        changed: false,
    };
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = Value {
        writer: &mut writer,
        key: "",
    };
    value.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    if !writer.out.starts_with('{') {
        return None;
    }
    if !writer.changed {
        return std::str::from_utf8(body).ok().map(str::to_owned);
    }
    Some(writer.out)
}

/// Tells whether a text is an id, a state or the like, and no number of a person.
pub(super) fn is_word(text: &str) -> bool {
    let is_date = NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok();
    text.len() <= 128
        && (is_date || !is_number(text))
        && !text.contains("//")
        && !text.starts_with("whsec_")
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-:./".contains(&byte))
}

struct Writer<'p> {
    out: String,
    keep_personal_data: bool,
    pseudonyms: &'p mut Pseudonyms,
    changed: bool,
}

impl Writer<'_> {
    fn keeps(&self, key: &str) -> bool {
        self.keep_personal_data || KEPT.contains(&key)
    }

    /// Tells whether the names of an object's members are labels that people chose and that must go.
    fn is_labelled(&self, key: &str) -> bool {
        !self.keep_personal_data && (key == FIELDS || key == LABELLED)
    }

    fn text(&mut self, key: &str, text: &str) {
        let stays = if self.keep_personal_data {
            !LINKS.contains(&key)
        } else {
            KEPT.contains(&key) && (is_word(text) || DateTime::parse_from_rfc3339(text).is_ok())
        };
        if stays {
            self.quote(text);
        } else if self.keep_personal_data {
            self.changed = true;
            self.quote(LINK);
        } else {
            let replaced = self.pseudonyms.replace(text);
            self.changed |= replaced != text;
            self.quote(&replaced);
        }
    }

    fn count(&mut self, key: &str, count: u64) {
        // An id of so many digits may be a number that somebody is called by.
        if self.keep_personal_data || self.keeps(key) && !is_number(&count.to_string()) {
            self.plain(count);
        } else {
            self.changed = true;
            let replaced = self.pseudonyms.replace_digits(count);
            self.plain(replaced);
        }
    }

    fn number(&mut self, key: &str, number: serde_json::Value) {
        if self.keeps(key) {
            self.plain(number);
        } else {
            self.changed = true;
            self.plain(0);
        }
    }

    fn truth(&mut self, key: &str, truth: bool) {
        let written = truth && self.keeps(key);
        self.changed |= written != truth;
        self.plain(written);
    }

    fn label(&mut self, key: &str, label: &str, place: usize) {
        if self.is_labelled(key) {
            self.changed = true;
            self.quote(&format!("Label {place}"));
        } else if self.keep_personal_data || is_word(label) {
            self.quote(label);
        } else {
            self.changed = true;
            let replaced = self.pseudonyms.replace(label);
            self.quote(&replaced);
        }
    }

    fn quote(&mut self, text: &str) {
        self.plain(serde_json::Value::from(text));
    }

    /// Ends a list or an object, in place of the comma behind its last element.
    fn end(&mut self, bracket: char) {
        if self.out.ends_with(',') {
            self.out.pop();
        }
        self.out.push(bracket);
    }

    fn plain(&mut self, value: impl fmt::Display) {
        self.out.push_str(&value.to_string());
    }
}

/// One value, under the member it stands in; elements of a list stand in the list's.
struct Value<'w, 'p, 'k> {
    writer: &'w mut Writer<'p>,
    key: &'k str,
}

impl<'de> DeserializeSeed<'de> for Value<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.writer.plain("null");
        Ok(())
    }

    fn visit_bool<E>(self, truth: bool) -> Result<(), E> {
        self.writer.truth(self.key, truth);
        Ok(())
    }

    fn visit_u64<E>(self, count: u64) -> Result<(), E> {
        self.writer.count(self.key, count);
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.writer.number(self.key, number.into());
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.writer.number(self.key, number.into());
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.writer.text(self.key, text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self { writer, key } = self;
        // A list of fields has objects with names of the vendor's.
        let key = if key == FIELDS { "" } else { key };
        writer.out.push('[');
        loop {
            let element = Value {
                writer: &mut *writer,
                key,
            };
            if seq.next_element_seed(element)?.is_none() {
                break;
            }
            writer.out.push(',');
        }
        writer.end(']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { writer, key } = self;
        let labelled = writer.is_labelled(key);
        writer.out.push('{');
        let mut place = 0_usize;
        while let Some(member) = map.next_key::<String>()? {
            place = place.saturating_add(1);
            writer.label(key, &member, place);
            writer.out.push(':');
            map.next_value_seed(Value {
                writer: &mut *writer,
                key: if labelled { LABELLED } else { &member },
            })?;
            writer.out.push(',');
        }
        writer.end('}');
        Ok(())
    }
}
