//! What has to be written so that a stored contact becomes what is wanted. Pure.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::input::ExistingValues;
use super::outcome::{Notice, Unmapped, UnmappedReason};
use super::rules::{ContactRules, NotesRule};
use super::wanted::{Wanted, is_same_tag};
use crate::contacts::Contact;
use crate::values::Address;

/// A contact as it was read: typed, and as it came. What the vendor left out must not pass for empty, and what was not
/// sent must not have changed.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) contact: Contact,
    raw: Map<String, Value>,
}

impl<'de> Deserialize<'de> for Stored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        // serde's text would repeat values.
        let odd = || D::Error::custom("a contact was expected");
        let contact = Contact::deserialize(&value).map_err(|_| odd())?;
        match value {
            Value::Object(raw) => Ok(Self { contact, raw }),
            _ => Err(odd()),
        }
    }
}

impl Stored {
    /// A contact with nothing in it, to show what would be written.
    pub(super) fn blank() -> Option<Self> {
        let raw = serde_json::json!({ "uid": "", "background_info": null, "tags": [], "custom_fields": {}, "address": null });
        Self::deserialize(raw).ok()
    }

    fn says(&self, field: &str) -> bool {
        self.raw.contains_key(field)
    }

    /// Whether something stands in a field of text that is no text, and so was read as nothing.
    fn hides_text(&self, field: &str) -> bool {
        match self.raw.get(field) {
            None | Some(Value::String(_) | Value::Number(_)) => false,
            Some(odd) => !is_nothing(odd),
        }
    }

    /// The address, whole enough to be written back with a part changed; `None` if that would lose something.
    fn address(&self) -> Option<Address> {
        match self.raw.get("address")? {
            Value::Null => Some(Address::default()),
            Value::Array(odd) => odd.is_empty().then(Address::default),
            Value::Object(told) => {
                let address = self.contact.address.clone().unwrap_or_default();
                let read = address.parts();
                let is_read = |(name, value): (&String, &Value)| {
                    let part = read.iter().find(|(part, _)| part == name);
                    let is_text = matches!(value, Value::String(_) | Value::Number(_));
                    is_nothing(value) || value == "" || (part.is_some() && is_text)
                };
                told.iter().all(is_read).then_some(address)
            }
            _ => None,
        }
    }

    /// Whether there are companies besides those that could be read.
    fn hides_companies(&self) -> bool {
        match self.raw.get("companies") {
            Some(Value::Array(told)) => told.len() > self.contact.companies.len(),
            Some(Value::String(told)) => !told.is_empty(),
            _ => self.hides_text("companies"),
        }
    }
}

/// PHP's ways to write nothing.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(odd) => !*odd,
        Value::Array(odd) => odd.is_empty(),
        Value::Object(odd) => odd.is_empty(),
        Value::String(_) | Value::Number(_) => false,
    }
}

/// What is to be written, and what to tell about it.
#[derive(Default)]
pub(super) struct Merged {
    /// The body of the update, without what is the same. Empty: there is nothing to write.
    pub(super) body: Map<String, Value>,
    pub(super) unmapped: Vec<Unmapped>,
    pub(super) notices: Vec<Notice>,
}

/// Compares.
pub(super) fn merge(wanted: &Wanted, stored: &Stored, rules: &ContactRules) -> Merged {
    let mut merged = Merged::default();
    let contact = &stored.contact;
    merged.names(wanted, contact);
    merged.email(wanted, contact);
    let old = [
        &contact.phone,
        &contact.title,
        &contact.website,
        &contact.name_prefix,
        &contact.home_email,
        &contact.work_email,
        &contact.home_phone,
        &contact.work_phone,
        &contact.shop_phone,
    ];
    for ((field, new), old) in wanted.lines().into_iter().zip(old) {
        if let Some(new) = new {
            merged.line(field, new, old.as_deref(), wanted.existing);
        }
    }
    merged.address(wanted, stored);
    merged.company(wanted, contact, rules);
    merged.note(wanted, stored, rules);
    merged.tags(wanted, stored, rules);
    merged.custom(wanted, stored);
    if wanted.existing == ExistingValues::Keep {
        merged.keep_unread(wanted, stored);
    }
    if contact
        .role
        .as_ref()
        .is_some_and(|role| *role != wanted.role)
    {
        merged.notices.push(Notice::RoleKept);
    }
    if !merged.body.is_empty() {
        // The vendor's own default for an update is not known, and an invitation cannot be taken back.
        let invite = wanted.send_welcome_email.into();
        merged.body.insert("send_welcome_email".to_owned(), invite);
    }
    merged
}

/// Compares what was sent with what came back, and what was not sent with what was there.
pub(super) fn look_back(body: &Map<String, Value>, before: &Stored, after: &Stored) -> Vec<Notice> {
    let mut notices = stored_differently(body, after);
    for (field, old) in &before.raw {
        let sent = body.contains_key(field)
            || field == "companies" && body.contains_key("company")
            || field == "full_address" && body.contains_key("address");
        if !sent && after.raw.get(field).is_some_and(|new| new != old) {
            notices.push(Notice::ChangedUnsent(field.clone()));
        }
    }
    notices
}

/// Compares what was sent with what came back. Of a field that the answer leaves out nothing is known.
pub(super) fn stored_differently(body: &Map<String, Value>, after: &Stored) -> Vec<Notice> {
    let mut notices = Vec::new();
    for (field, sent) in body {
        let kept = match field.as_str() {
            // Neither is told back under this name.
            "send_welcome_email" | "company" => true,
            "address" => {
                let now = &after.contact.address;
                let now = now.as_ref().map(Address::parts).unwrap_or_default();
                let kept = |(name, now): &(&str, Option<&str>)| {
                    sent.get(*name).is_none_or(|it| it.as_str() == *now)
                };
                !after.says("address") || now.iter().all(kept)
            }
            "tags" => same_tags(sent, &after.contact.tags) || !after.says("tags"),
            "custom_fields" => {
                let sent = sent.as_object().into_iter().flatten();
                let now = &after.contact.custom_fields;
                !after.says("custom_fields") || sent.into_iter().all(|(k, v)| now.get(k) == Some(v))
            }
            field => after.raw.get(field).is_none_or(|now| now == sent),
        };
        if !kept {
            notices.push(Notice::StoredDifferently(field.clone()));
        }
    }
    notices
}

impl Merged {
    fn set(&mut self, field: &'static str, value: impl Into<Value>) {
        self.body.insert(field.to_owned(), value.into());
    }

    fn line(
        &mut self,
        field: &'static str,
        new: &str,
        old: Option<&str>,
        existing: ExistingValues,
    ) {
        match old.map(str::trim).filter(|old| !old.is_empty()) {
            Some(old) if old == new => {}
            Some(_) if existing == ExistingValues::Keep => {
                self.notices.push(Notice::ValueKept(field));
            }
            _ => self.set(field, new),
        }
    }

    fn names(&mut self, wanted: &Wanted, contact: &Contact) {
        let whole = |first: Option<&str>, last: Option<&str>| {
            let words = [first, last].into_iter().flatten();
            let words = words.flat_map(str::split_whitespace);
            words.collect::<Vec<_>>().join(" ").to_lowercase()
        };
        let old = whole(contact.first_name.as_deref(), contact.last_name.as_deref());
        // Split elsewhere, it is still the same name; and a placeholder says nothing against what is stored.
        let last = wanted.last_name.as_deref().filter(|_| !wanted.placeholder);
        let split = wanted.notices.contains(&Notice::NameSplit);
        if split && old == whole(wanted.first_name.as_deref(), last) {
            return;
        }
        let has_first = contact.first_name.is_some();
        if let Some(first) = &wanted.first_name
            && !(wanted.first_placeholder && has_first)
        {
            let old = contact.first_name.as_deref();
            self.line("first_name", first, old, wanted.existing);
        }
        let has_last = contact.last_name.is_some();
        if let Some(last) = wanted.last_name.as_deref()
            && !(wanted.placeholder && has_last)
        {
            let old = contact.last_name.as_deref();
            self.line("last_name", last, old, wanted.existing);
        }
    }

    /// Another address than the stored one is possible only where the contact was read by its uid.
    fn email(&mut self, wanted: &Wanted, contact: &Contact) {
        let Some(new) = &wanted.email else {
            return;
        };
        let old = contact.email.as_deref();
        if old.is_none_or(|old| old.trim().to_lowercase() != new.to_lowercase()) {
            self.line("email", new, old, wanted.existing);
        }
    }

    /// The vendor replaces the whole address.
    fn address(&mut self, wanted: &Wanted, stored: &Stored) {
        let Some(new) = &wanted.address else {
            return;
        };
        let known = stored.address();
        let mut address = known.clone().unwrap_or_default();
        let (mut changed, mut kept) = (false, false);
        for (old, (_, new)) in address.parts_mut().into_iter().zip(new.parts()) {
            match (old.as_deref(), new) {
                (_, None) => {}
                (Some(old), Some(new)) if old.trim() == new => {}
                (Some(_), Some(_)) if wanted.existing == ExistingValues::Keep => kept = true,
                (_, Some(new)) => {
                    *old = Some(new.to_owned());
                    changed = true;
                }
            }
        }
        if kept {
            self.notices.push(Notice::ValueKept("address"));
        }
        if !changed {
            return;
        }
        match serde_json::to_value(&address) {
            Ok(address) if known.is_some() => self.set("address", address),
            _ => {
                let reason = UnmappedReason::StoredUnknown;
                self.unmapped.push(Unmapped::new("address", reason));
            }
        }
    }

    fn company(&mut self, wanted: &Wanted, contact: &Contact, rules: &ContactRules) {
        let Some(link) = wanted.company_link(rules) else {
            return;
        };
        let name = link.name.to_lowercase();
        let mut names = contact.companies.iter().filter_map(|it| it.name.as_deref());
        if names.any(|it| it.trim().to_lowercase() == name) {
            return;
        }
        if wanted.existing == ExistingValues::Keep && !contact.companies.is_empty() {
            self.notices.push(Notice::ValueKept("company"));
        } else if let Ok(link) = serde_json::to_value(link) {
            self.set("company", link);
        }
    }

    fn note(&mut self, wanted: &Wanted, stored: &Stored, rules: &ContactRules) {
        let Some(note) = &wanted.note else {
            return;
        };
        let old = stored
            .contact
            .background_info
            .as_deref()
            .unwrap_or_default();
        let date = wanted.noted_at.date_naive();
        if rules.notes == NotesRule::AppendOnce && stands_dated(old, note) {
            return;
        }
        let refused = match append(old, note, &date.to_string(), rules.background_cap) {
            Appended::There => return,
            _ if rules.notes == NotesRule::LeaveAlone => UnmappedReason::LeftAlone,
            _ if !stored.says("background_info") || stored.hides_text("background_info") => {
                UnmappedReason::StoredUnknown
            }
            Appended::TooLong => UnmappedReason::TooLong,
            Appended::New(text) => {
                self.set("background_info", text);
                return;
            }
        };
        self.unmapped.push(Unmapped::new("notes", refused));
    }

    fn tags(&mut self, wanted: &Wanted, stored: &Stored, rules: &ContactRules) {
        let mut tags = stored.contact.tags.clone();
        for tag in &wanted.tags {
            if !tags
                .iter()
                .any(|it| is_same_tag(it, tag, rules.tags_ignore_case))
            {
                tags.push(tag.clone());
            }
        }
        if tags.len() == stored.contact.tags.len() {
            return;
        }
        if stored.says("tags") {
            self.set("tags", tags);
        } else {
            let reason = UnmappedReason::StoredUnknown;
            self.unmapped.push(Unmapped::new("tags", reason));
        }
    }

    fn custom(&mut self, wanted: &Wanted, stored: &Stored) {
        let old = &stored.contact.custom_fields;
        let mut new = old.clone();
        for (uid, value) in &wanted.custom {
            new.insert(uid.clone(), value.clone());
        }
        if new == *old {
            return;
        }
        if stored.says("custom_fields") {
            self.set("custom_fields", new);
        } else {
            let reason = UnmappedReason::StoredUnknown;
            self.unmapped.push(Unmapped::new("custom_fields", reason));
        }
    }
}

impl Merged {
    /// Takes out again what would replace a value that is there and could not be read.
    fn keep_unread(&mut self, wanted: &Wanted, stored: &Stored) {
        let names = ["first_name", "last_name", "email"].into_iter();
        let lines = names.chain(wanted.lines().map(|(field, _)| field));
        let texts = lines.filter(|it| stored.hides_text(it));
        let companies = stored.hides_companies().then_some("company");
        for field in texts.chain(companies) {
            if self.body.remove(field).is_some() {
                self.notices.push(Notice::ValueKept(field));
            }
        }
    }
}

/// What became of a note.
#[derive(Debug, PartialEq, Eq)]
enum Appended {
    /// It is there already.
    There,
    /// The text with it.
    New(String),
    /// With it the text would be too long.
    TooLong,
}

/// Puts a note with its date behind a text.
fn append(old: &str, note: &str, date: &str, cap: usize) -> Appended {
    let old = old.trim_end();
    let entry = format!("[{date}] {note}");
    if old.trim_start() == note || stands_in(old, &entry) {
        return Appended::There;
    }
    let text = if old.is_empty() {
        entry
    } else {
        format!("{old}\n\n{entry}")
    };
    if text.chars().count() > cap {
        return Appended::TooLong;
    }
    Appended::New(text)
}

/// Whether an entry stands in a text as lines of their own.
fn stands_in(text: &str, entry: &str) -> bool {
    stands_behind(text, entry, |before| before)
}

/// Whether a note stands in a text as lines of their own, with any date before it or none.
fn stands_dated(text: &str, note: &str) -> bool {
    stands_behind(text, note, |before| {
        let date = before.rsplit_once('[').and_then(|(rest, date)| {
            let date = date.strip_suffix("] ")?;
            date.parse::<chrono::NaiveDate>().is_ok().then_some(rest)
        });
        date.unwrap_or(before)
    })
}

/// Whether an entry ends a line, and what `clean` leaves of the text before it does so too. The vendor may have
/// rewritten the line breaks.
fn stands_behind(text: &str, entry: &str, clean: impl Fn(&str) -> &str) -> bool {
    let (text, entry) = (text.replace("\r\n", "\n"), entry.replace("\r\n", "\n"));
    text.match_indices(&entry).any(|(at, _)| {
        let before = clean(text.get(..at).unwrap_or_default());
        let after = text
            .get(at.saturating_add(entry.len())..)
            .unwrap_or_default();
        (before.is_empty() || before.ends_with('\n'))
            && (after.is_empty() || after.starts_with('\n'))
    })
}

fn same_tags(sent: &Value, now: &[String]) -> bool {
    let mut sent: Vec<_> = sent
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut now: Vec<_> = now.iter().map(String::as_str).collect();
    sent.sort_unstable();
    now.sort_unstable();
    sent == now
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    use super::super::input::ContactInput;
    use super::super::rules::FieldRef;
    use super::*;

    fn stored(changes: &Value) -> Stored {
        let mut whole = json!({
            "uid": "u1", "role": "Client", "first_name": "Jane", "last_name": "Roe", "email": "jane@example.com",
            "phone": "+15550100", "background_info": null, "tags": ["VIP"], "custom_fields": {"f1": "a"},
            "companies": [{"uid": "c1", "name": "Example GmbH"}],
        });
        for (field, value) in changes.as_object().unwrap() {
            whole[field] = value.clone();
        }
        serde_json::from_value(whole).unwrap()
    }

    fn wanted(input: ContactInput, rules: &ContactRules) -> Wanted {
        let now = "2026-11-21T10:00:00Z".parse().unwrap();
        let mut wanted = Wanted::read(input, rules, false, now, "test").unwrap();
        wanted.resolve(None);
        wanted
    }

    fn changes(input: ContactInput, before: &Value) -> (Value, Merged) {
        let rules = ContactRules::new();
        let mut merged = merge(&wanted(input, &rules), &stored(before), &rules);
        merged.body.remove("send_welcome_email");
        (Value::Object(merged.body.clone()), merged)
    }

    #[rstest]
    #[case(ContactInput::new(), json!({}))]
    #[case(ContactInput::new().first_name("Jane").last_name("Roe").phone("+15550100"), json!({}))]
    #[case(ContactInput::new().full_name("jane ROE"), json!({}))]
    #[case(ContactInput::new().full_name("Jane Doe"), json!({"last_name": "Doe"}))]
    #[case(ContactInput::new().phone("+15550101"), json!({"phone": "+15550101"}))]
    #[case(ContactInput::new().title("CEO"), json!({"title": "CEO"}))]
    #[case(ContactInput::new().work_phone(" +15550102 ").home_email("j@example.com"), json!({"work_phone": "+15550102", "home_email": "j@example.com"}))]
    #[case(ContactInput::new().company("example gmbh"), json!({}))]
    #[case(ContactInput::new().company("Other"), json!({"company": {"name": "Other", "create_company_if_not_exists": true}}))]
    #[case(ContactInput::new().tags(["vip", " "]), json!({}))]
    #[case(ContactInput::new().tags(["new", "NEW"]), json!({"tags": ["VIP", "new"]}))]
    #[case(ContactInput::new().source("website"), json!({"tags": ["VIP", "source:website"]}))]
    #[case(ContactInput::new().notes("Hi"), json!({"background_info": "[2026-11-21] Hi"}))]
    #[case(ContactInput::new().field(FieldRef::uid("f1"), "a"), json!({}))]
    #[case(ContactInput::new().field(FieldRef::uid("f2"), 7), json!({"custom_fields": {"f1": "a", "f2": 7}}))]
    fn writes_only_what_differs(#[case] input: ContactInput, #[case] body: Value) {
        assert_eq!(changes(input, &json!({})).0, body);
    }

    #[test]
    fn a_form_does_not_overwrite_what_is_stored() {
        let input = ContactInput::new()
            .first_name("Mallory")
            .phone("+15550199")
            .company("Evil")
            .title("CEO")
            .tags(["new"])
            .existing(ExistingValues::Keep);
        let (body, merged) = changes(input, &json!({}));
        assert_eq!(body, json!({"title": "CEO", "tags": ["VIP", "new"]}));
        let kept = ["first_name", "phone", "company"].map(Notice::ValueKept);
        assert!(kept.iter().all(|it| merged.notices.contains(it)));
    }

    /// What is there and cannot be read is not nothing.
    #[rstest]
    #[case("phone", json!({"number": "+15550100"}), ContactInput::new().phone("+15550199"))]
    #[case("first_name", json!(["Jane"]), ContactInput::new().first_name("Mallory"))]
    #[case("title", json!(true), ContactInput::new().title("CEO"))]
    #[case("companies", json!([{"uid": 7, "name": "Example GmbH"}]), ContactInput::new().company("Evil"))]
    #[case("companies", json!({"uid": "c1"}), ContactInput::new().company("Evil"))]
    #[case("companies", json!("Example GmbH"), ContactInput::new().company("Evil"))]
    fn a_form_does_not_overwrite_what_cannot_be_read(
        #[case] field: &str,
        #[case] odd: Value,
        #[case] input: ContactInput,
    ) {
        let (body, merged) = changes(
            input.existing(ExistingValues::Keep),
            &json!({ (field): odd }),
        );
        assert_eq!(body, json!({}));
        assert!(matches!(merged.notices[..], [Notice::ValueKept(_), ..]));
    }

    /// The vendor replaces addresses: the parts that are there go back with the new ones.
    #[rstest]
    #[case(json!({"city": "Berlin", "zip": 10115}), Some(json!({"city": "Ulm", "zip": "10115", "state": "BW"})))]
    #[case(json!(null), Some(json!({"city": "Ulm", "state": "BW"})))]
    #[case(json!([]), Some(json!({"city": "Ulm", "state": "BW"})))]
    #[case(json!({"city": "Ulm", "state": "BW", "zip": "1"}), None)]
    fn an_address_is_added_to(#[case] before: Value, #[case] written: Option<Value>) {
        let address = Address::new().city("Ulm").state(" BW ").country(" ");
        let input = ContactInput::new().address(address);
        let (body, merged) = changes(input, &json!({ "address": before }));
        assert_eq!(body.get("address"), written.as_ref());
        assert!(merged.unmapped.is_empty());
    }

    #[rstest]
    #[case(json!("1 Main St, Berlin"))]
    #[case(json!({"city": "Berlin", "county": "Mitte"}))]
    #[case(json!({"city": {"name": "Berlin"}}))]
    fn an_address_that_cannot_be_written_back_is_not_replaced(#[case] before: Value) {
        let input = ContactInput::new().address(Address::new().zip("1"));
        let (body, merged) = changes(input, &json!({ "address": before }));
        assert_eq!(body, json!({}));
        let told = Unmapped::new("address", UnmappedReason::StoredUnknown);
        assert_eq!(merged.unmapped, [told]);
    }

    #[test]
    fn a_form_fills_an_address_and_overwrites_none() {
        let address = Address::new().city("Ulm").zip("1");
        let input = ContactInput::new()
            .address(address)
            .existing(ExistingValues::Keep);
        let (body, merged) = changes(input, &json!({"address": {"city": "Berlin"}}));
        assert_eq!(body, json!({"address": {"city": "Berlin", "zip": "1"}}));
        assert!(merged.notices.contains(&Notice::ValueKept("address")));
    }

    #[test]
    fn an_address_told_back_with_more_in_it_is_the_same() {
        let Value::Object(body) = json!({"address": {"city": "Ulm"}}) else {
            panic!("an object")
        };
        let told = |city: &str| {
            let address = json!({"city": city, "zip": null});
            stored(&json!({"address": address, "full_address": city}))
        };
        assert_eq!(look_back(&body, &told("Bonn"), &told("Ulm")), []);
        let odd = Notice::StoredDifferently("address".to_owned());
        assert_eq!(look_back(&body, &told("Bonn"), &told("ULM")), [odd]);
    }

    #[rstest]
    #[case("phone", json!([]))]
    #[case("phone", json!(false))]
    #[case("companies", json!({}))]
    fn a_form_fills_what_is_empty(#[case] field: &str, #[case] empty: Value) {
        let input = ContactInput::new().phone("+15550199").company("Example");
        let mut before = json!({"phone": null, "companies": []});
        before[field] = empty;
        let (body, _) = changes(input.existing(ExistingValues::Keep), &before);
        assert_eq!(body["phone"], "+15550199");
        assert_eq!(body["company"]["name"], "Example");
    }

    #[rstest]
    #[case(json!({"html": "Old"}))]
    #[case(json!(["Old"]))]
    fn a_note_never_replaces_notes_that_cannot_be_read(#[case] odd: Value) {
        let (body, merged) = changes(
            ContactInput::new().notes("Hi"),
            &json!({ "background_info": odd }),
        );
        assert_eq!(body, json!({}));
        let told = Unmapped::new("notes", UnmappedReason::StoredUnknown);
        assert_eq!(merged.unmapped, [told]);
    }

    #[test]
    fn a_role_is_never_written_and_the_difference_told() {
        let (body, merged) = changes(ContactInput::new().title("CEO"), &json!({}));
        assert_eq!(body.get("role"), None);
        assert_eq!(merged.notices, [Notice::RoleKept]);
        let (_, merged) = changes(ContactInput::new(), &json!({"role": "Lead"}));
        assert!(merged.notices.is_empty());
    }

    /// A reply without a field says nothing of it: writing what is replaced would lose it.
    #[rstest]
    #[case("tags", ContactInput::new().tags(["new"]), "tags")]
    #[case("background_info", ContactInput::new().notes("Hi"), "notes")]
    #[case("custom_fields", ContactInput::new().field(FieldRef::uid("f2"), 7), "custom_fields")]
    fn what_is_not_told_is_not_replaced(
        #[case] missing: &str,
        #[case] input: ContactInput,
        #[case] unmapped: &str,
    ) {
        let rules = ContactRules::new();
        let mut raw = stored(&json!({})).raw;
        raw.remove(missing);
        let stored: Stored = serde_json::from_value(raw.into()).unwrap();
        let merged = merge(&wanted(input, &rules), &stored, &rules);
        assert!(merged.body.is_empty());
        let told = Unmapped::new(unmapped, UnmappedReason::StoredUnknown);
        assert_eq!(merged.unmapped, [told]);
    }

    #[rstest]
    #[case("", "Hi", Appended::New("[d] Hi".into()))]
    #[case("Old\n", "Hi", Appended::New("Old\n\n[d] Hi".into()))]
    #[case("Hi", "Hi", Appended::There)]
    #[case("Old\r\n\r\n[d] Hi\r\n\r\n[e] Yo", "Hi", Appended::There)]
    #[case("[d] Hi there", "Hi", Appended::New("[d] Hi there\n\n[d] Hi".into()))]
    #[case("x [d] Hi", "Hi", Appended::New("x [d] Hi\n\n[d] Hi".into()))]
    #[case("0123456789012345678901234567890", "Hi", Appended::TooLong)]
    fn a_note_is_appended_once(#[case] old: &str, #[case] note: &str, #[case] expected: Appended) {
        assert_eq!(append(old, note, "d", 36), expected);
    }

    #[rstest]
    #[case("", false)]
    #[case("Hi", true)]
    #[case("[2026-11-01] Hi", true)]
    #[case("Hi\r\n\r\n[2026-11-01] Yo", true)]
    #[case("[2026-10-01] Yo\n\n[2026-11-01] Hi\n\n[2026-11-02] Yo", true)]
    #[case("x [2026-11-01] Hi", false)]
    #[case("[soon] Hi", false)]
    #[case("[2026-11-01] Hi there", false)]
    fn a_note_that_stands_there_under_any_date_is_known(#[case] old: &str, #[case] known: bool) {
        let input = ContactInput::new().notes("Hi");
        let rules = ContactRules::new().notes(NotesRule::AppendOnce);
        let stored = stored(&json!({ "background_info": old }));
        let merged = merge(&wanted(input, &rules), &stored, &rules);
        assert_eq!(merged.body.contains_key("background_info"), !known);
    }

    #[test]
    fn a_placeholder_never_replaces_a_first_name() {
        let rules = ContactRules::new().first_name_placeholder("?".to_owned());
        let input = ContactInput::new().email("jane@example.com");
        let now = "2026-11-21T10:00:00Z".parse().unwrap();
        let wanted = Wanted::read(input, &rules, true, now, "test").unwrap();
        assert_eq!(wanted.first_name.as_deref(), Some("?"));
        assert_eq!(wanted.notices, [Notice::PlaceholderUsed]);
        assert!(merge(&wanted, &stored(&json!({})), &rules).body.is_empty());
        let blank = stored(&json!({ "first_name": null }));
        let body = merge(&wanted, &blank, &rules).body;
        assert_eq!(body.get("first_name"), Some(&json!("?")));
    }

    #[rstest]
    #[case("JANE@example.com ", json!({}))]
    #[case("jane.roe@example.com", json!({"email": "jane.roe@example.com"}))]
    fn an_email_is_written_if_it_is_another(#[case] email: &str, #[case] body: Value) {
        let input = ContactInput::new().email(email);
        assert_eq!(changes(input, &json!({})).0, body);
    }

    #[test]
    fn what_was_not_sent_and_changed_is_told() {
        let before = stored(&json!({"title": "CEO"}));
        let after = stored(&json!({"title": null, "phone": "15550101", "tags": ["VIP", "new"]}));
        let Value::Object(body) =
            json!({"phone": "+15550101", "tags": ["new", "VIP"], "send_welcome_email": false})
        else {
            panic!("an object")
        };
        let notices = look_back(&body, &before, &after);
        assert_eq!(
            notices,
            [
                Notice::StoredDifferently("phone".to_owned()),
                Notice::ChangedUnsent("title".to_owned()),
            ]
        );
    }

    proptest! {
        /// Whatever is stored stays: it is only ever added to.
        #[test]
        fn nothing_stored_is_lost(
            old in "[a-z\n\\[\\]]{0,60}",
            note in "[a-z]{1,9}",
            tags in prop::collection::vec("[a-cA-C]{1,2}", 0..5),
            more in prop::collection::vec("[a-cA-C]{1,2}", 0..5),
        ) {
            let before = stored(&json!({"background_info": old, "tags": tags}));
            let rules = ContactRules::new();
            let input = ContactInput::new().notes(note.clone()).tags(more.clone());
            let merged = merge(&wanted(input.clone(), &rules), &before, &rules);
            if let Some(Value::String(text)) = merged.body.get("background_info") {
                prop_assert!(text.starts_with(old.trim_end()));
                prop_assert!(text.ends_with(&note));
            }
            let now = merged.body.get("tags").cloned().unwrap_or_else(|| json!(tags));
            let now: Vec<String> = serde_json::from_value(now).unwrap();
            prop_assert_eq!(now.get(..tags.len()), Some(&tags[..]));
            for tag in &more {
                prop_assert!(now.iter().any(|it| it.eq_ignore_ascii_case(tag)));
            }

            // Once written, there is nothing more to write.
            let mut raw = before.raw.clone();
            raw.extend(merged.body);
            let after: Stored = serde_json::from_value(raw.into()).unwrap();
            let again = merge(&wanted(input, &rules), &after, &rules);
            prop_assert!(again.body.is_empty(), "{:?}", again.body);
        }
    }
}
