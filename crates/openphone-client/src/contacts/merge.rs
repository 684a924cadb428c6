//! Changing a part of a contact, although the vendor only takes the whole.
//!
//! Pure: what is there and what shall change go in, the whole new state comes out.
//! [`Contacts::update_merged`](super::Contacts::update_merged) puts a read before it and a write
//! behind it.

use connector_http::{Error, Patch, masked_debug, setters};

use super::differences::{ContactField, Key, Spelling, differences, same};
use super::matching::{email_key, line_key};
use super::models::Contact;
use super::patch::ContactPatch;
use super::requests::{ContactValue, CustomFieldEntry, CustomFieldRef, is_reserved_source};
use crate::custom_fields::CustomFieldValue;

/// What shall change about a contact. Whatever is not named here stays as it is.
///
/// ```
/// use openphone_client::ContactChanges;
///
/// let changes = ContactChanges::new()
///     .last_name("Example")
///     .add_email("private", "ana@example.com")
///     .remove_phone_number("(202) 555-0143")
///     .set_custom_field("inbound-lead", false)
///     .clear_company();
/// ```
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ContactChanges {
    /// The first name.
    pub first_name: Patch<String>,
    /// The last name.
    pub last_name: Patch<String>,
    /// The company's name.
    pub company: Patch<String>,
    /// The role at the company.
    pub role: Patch<String>,
    /// Your id of this person.
    pub external_id: Patch<String>,
    /// Where the contact comes from.
    pub source: Patch<String>,
    /// The link to your record of this person.
    pub source_url: Patch<String>,
    /// What to do with the e-mail addresses, in this order.
    pub emails: Vec<ListChange>,
    /// What to do with the phone numbers, in this order.
    pub phone_numbers: Vec<ListChange>,
    /// Custom values to set; `None` empties the field.
    pub custom_fields: Vec<(String, Option<CustomFieldValue>)>,
}

masked_debug!(ContactChanges {
    shown: [source],
    masked: [
        first_name,
        last_name,
        company,
        role,
        external_id,
        source_url,
        emails,
        phone_numbers,
        custom_fields,
    ],
});

/// One change to a list of addresses or numbers.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListChange {
    /// Adds an entry, unless one with the same value is there already.
    Add(ContactValue),
    /// Removes every entry with this value.
    Remove(String),
    /// Replaces the whole list.
    ReplaceAll(Vec<ContactValue>),
}

impl std::fmt::Debug for ListChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Add(_) => f.write_str("Add(..)"),
            Self::Remove(_) => f.write_str("Remove(..)"),
            Self::ReplaceAll(entries) => write!(f, "ReplaceAll([{}])", entries.len()),
        }
    }
}

impl ContactChanges {
    /// Starts with no change.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an e-mail address, unless the contact has it already in whatever spelling.
    pub fn add_email(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.emails
            .push(ListChange::Add(ContactValue::new(name, value)));
        self
    }

    /// Removes an e-mail address, in whatever spelling it is stored.
    pub fn remove_email(mut self, value: impl Into<String>) -> Self {
        self.emails.push(ListChange::Remove(value.into()));
        self
    }

    /// Replaces all e-mail addresses.
    pub fn replace_emails(mut self, entries: impl Into<Vec<ContactValue>>) -> Self {
        self.emails.push(ListChange::ReplaceAll(entries.into()));
        self
    }

    /// Adds a phone number, unless the contact has it already in whatever spelling.
    pub fn add_phone_number(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.phone_numbers
            .push(ListChange::Add(ContactValue::new(name, value)));
        self
    }

    /// Removes a phone number, in whatever spelling it is stored.
    pub fn remove_phone_number(mut self, value: impl Into<String>) -> Self {
        self.phone_numbers.push(ListChange::Remove(value.into()));
        self
    }

    /// Replaces all phone numbers.
    pub fn replace_phone_numbers(mut self, entries: impl Into<Vec<ContactValue>>) -> Self {
        self.phone_numbers
            .push(ListChange::ReplaceAll(entries.into()));
        self
    }

    /// Sets a custom field, by the key of its definition.
    pub fn set_custom_field(
        mut self,
        key: impl Into<String>,
        value: impl Into<CustomFieldValue>,
    ) -> Self {
        self.custom_fields.push((key.into(), Some(value.into())));
        self
    }

    /// Empties a custom field, by the key of its definition.
    pub fn clear_custom_field(mut self, key: impl Into<String>) -> Self {
        self.custom_fields.push((key.into(), None));
        self
    }

    /// Works out the new state of a contact and what is new about it, without any call.
    ///
    /// For callers who hold a fresh copy anyway and want to spare the read of
    /// [`update_merged`](crate::Contacts::update_merged). What they hold had better be fresh:
    /// whatever was changed at the vendor since will be undone by the write.
    pub fn merge_into(&self, current: &Contact) -> Merge {
        let before = ContactPatch::keeping(current);
        let mut after = before.clone();

        let texts = [
            (&self.first_name, &mut after.first_name),
            (&self.last_name, &mut after.last_name),
            (&self.company, &mut after.company),
            (&self.role, &mut after.role),
            (&self.external_id, &mut after.external_id),
            (&self.source, &mut after.source),
            (&self.source_url, &mut after.source_url),
        ];
        for (change, text) in texts {
            change_text(change, text);
        }
        change_list(&self.emails, &mut after.emails, email_key);
        change_list(&self.phone_numbers, &mut after.phone_numbers, line_key);
        for (key, value) in &self.custom_fields {
            change_custom_field(key, value.as_ref(), &mut after.custom_fields);
        }

        let mut changed = differences(&before, &after, Spelling::Exact);
        // A reserved source never gets into `before`; clearing it is a change all the same.
        if self.clears_reserved_source(current) {
            after.source = Patch::Clear;
            changed.push(ContactField::Source);
        }
        let writes = !changed.is_empty();
        let source = current.source.as_deref().is_some_and(is_reserved_source);
        Merge {
            source_left_out: writes && source && matches!(after.source, Patch::Keep),
            custom_fields_left_out: if writes {
                cannot_be_sent(current)
            } else {
                Vec::new()
            },
            patch: writes.then_some(after),
            changed,
        }
    }

    fn clears_reserved_source(&self, current: &Contact) -> bool {
        matches!(self.source, Patch::Clear)
            && current.source.as_deref().is_some_and(is_reserved_source)
    }

    /// Checks the changes alone: what the contact already holds is the vendor's affair.
    pub(super) fn check(&self, operation: &'static str) -> Option<Error> {
        let mut asked = ContactPatch::new();
        asked.external_id = not_blank(&self.external_id);
        asked.source = not_blank(&self.source);
        asked.source_url = not_blank(&self.source_url);
        let mut check = asked.check();
        for (index, (key, _)) in self.custom_fields.iter().enumerate() {
            let path = format!("/customFields/{index}/key");
            check.require(!key.trim().is_empty(), path, "must not be empty");
        }
        check.finish(operation)
    }
}

setters! { ContactChanges {
    /// Sets the first name.
    first_name: Patch<String> | clear_first_name,
    /// Sets the last name.
    last_name: Patch<String> | clear_last_name,
    /// Sets the company's name.
    company: Patch<String> | clear_company,
    /// Sets the role at the company.
    role: Patch<String> | clear_role,
    /// Sets your id of this person.
    external_id: Patch<String> | clear_external_id,
    /// Sets where the contact comes from.
    source: Patch<String> | clear_source,
    /// Sets the link to your record of this person.
    source_url: Patch<String> | clear_source_url,
} }

/// What a merge came to.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Merge {
    /// The whole new state, to be written with [`Contacts::update`](crate::Contacts::update);
    /// `None` when nothing is new, and nothing need be written.
    pub patch: Option<ContactPatch>,
    /// What is new.
    pub changed: Vec<ContactField>,
    /// The contact's source is reserved, so it is not part of the patch; the vendor may wipe it.
    pub source_left_out: bool,
    /// The names of custom fields that have a value, and neither a key nor an id to send it by: the
    /// patch will delete them.
    pub custom_fields_left_out: Vec<String>,
}

masked_debug!(Merge {
    shown: [patch, changed, source_left_out],
    masked: [custom_fields_left_out],
});

/// What [`Contacts::update_merged`](crate::Contacts::update_merged) did.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Merged {
    /// The contact as it is now.
    pub contact: Contact,
    /// The contact as it was read, before the change.
    pub before: Contact,
    /// What was changed. Empty means that nothing was written, because all was so already.
    pub changed: Vec<ContactField>,
    /// What was sent, but is not in the vendor's answer: a change that it ignored, or something that
    /// nobody meant to change and that it did not keep.
    pub not_applied: Vec<ContactField>,
    /// The contact's source is reserved, so it was not sent; the vendor may have wiped it.
    pub source_left_out: bool,
    /// The names of custom fields that had a value, and neither a key nor an id to send it by: the
    /// write has deleted them. [`before`](Self::before) still has the values.
    pub custom_fields_left_out: Vec<String>,
}

masked_debug!(Merged {
    shown: [contact, before, changed, not_applied, source_left_out],
    masked: [custom_fields_left_out],
});

/// Finds what the vendor's answer does not show of the state that was sent.
pub(super) fn not_applied(sent: &ContactPatch, answered: &Contact) -> Vec<ContactField> {
    let mut there = ContactPatch::keeping(answered);
    // A reserved source, which `keeping` leaves out, may be what should have gone.
    there.source = answered.source.clone().map_or(Patch::Keep, Patch::Set);
    let texts = [
        (&sent.first_name, &mut there.first_name),
        (&sent.last_name, &mut there.last_name),
        (&sent.company, &mut there.company),
        (&sent.role, &mut there.role),
        (&sent.external_id, &mut there.external_id),
        (&sent.source, &mut there.source),
        (&sent.source_url, &mut there.source_url),
    ];
    for (sent, there) in texts {
        // What was not sent is the vendor's affair, such as the source it puts by itself.
        if matches!(sent, Patch::Keep) {
            *there = Patch::Keep;
        }
    }
    differences(&there, sent, Spelling::Any)
}

/// The names of the custom fields that a patch has no way to name.
fn cannot_be_sent(contact: &Contact) -> Vec<String> {
    let fields = contact.custom_fields.iter();
    fields
        .filter(|field| field.value.is_some() && CustomFieldEntry::from_field(field).is_none())
        .map(|field| field.name.clone())
        .collect()
}

/// A text of blanks clears: the vendor ignores an empty text without a word.
fn change_text(change: &Patch<String>, text: &mut Patch<String>) {
    match not_blank(change) {
        Patch::Keep => {}
        // Nothing there and nothing wanted: no change, and nothing to send.
        Patch::Clear if matches!(text, Patch::Keep) => {}
        other => *text = other,
    }
}

fn not_blank(change: &Patch<String>) -> Patch<String> {
    match change {
        Patch::Set(text) if text.trim().is_empty() => Patch::Clear,
        other => other.clone(),
    }
}

fn change_list(changes: &[ListChange], list: &mut Vec<ContactValue>, key: Key) {
    for change in changes {
        match change {
            ListChange::Add(entry) => {
                if !list
                    .iter()
                    .any(|there| same(&there.value, &entry.value, key))
                {
                    list.push(entry.clone());
                }
            }
            ListChange::Remove(value) => list.retain(|there| !same(&there.value, value, key)),
            ListChange::ReplaceAll(entries) => list.clone_from(entries),
        }
    }
}

fn change_custom_field(
    key: &str,
    value: Option<&CustomFieldValue>,
    entries: &mut Vec<CustomFieldEntry>,
) {
    let field = CustomFieldRef::Key(key.to_owned());
    let there = entries.iter_mut().find(|entry| entry.field == field);
    match (there, value) {
        (Some(entry), value) => entry.value = value.cloned(),
        (None, Some(value)) => entries.push(CustomFieldEntry {
            field,
            value: Some(value.clone()),
        }),
        (None, None) => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn contact() -> Contact {
        serde_json::from_str(
            r#"{
                "id": "66d0d87e8dc1211467372303", "externalId": "user-42", "source": "shop",
                "sourceUrl": "https://shop.example.com/42",
                "defaultFields": {
                    "firstName": "Ana", "lastName": null, "company": "Example GmbH", "role": "Sales",
                    "emails": [
                        {"id": "e1", "name": "work", "value": "Ana@example.com"},
                        {"id": "e2", "name": "old", "value": null}
                    ],
                    "phoneNumbers": [{"id": "p1", "name": "mobile", "value": "(202) 555-0143"}]
                },
                "customFields": [
                    {"id": "c1", "key": "lead", "name": "Lead", "type": "boolean", "value": true},
                    {"id": "c2", "name": "Since", "type": "date", "value": "2026-01-01T00:00:00Z"},
                    {"id": "c3", "key": "plan", "name": "Plan", "type": "string", "value": null},
                    {"name": "Lost", "type": "string", "value": "x"}
                ],
                "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z",
                "createdByUserId": "US1"
            }"#,
        )
        .unwrap()
    }

    fn body(merge: &Merge) -> serde_json::Value {
        serde_json::to_value(merge.patch.as_ref().unwrap()).unwrap()
    }

    #[rstest]
    #[case(ContactChanges::new())]
    #[case(ContactChanges::new().first_name("Ana").clear_last_name().last_name(" "))]
    #[case(ContactChanges::new().add_email("private", "ANA@example.com"))]
    #[case(ContactChanges::new().add_phone_number("x", "+12025550143"))]
    #[case(ContactChanges::new().remove_email("nobody@example.com"))]
    #[case(ContactChanges::new().set_custom_field("lead", true).clear_custom_field("none"))]
    #[case(ContactChanges::new().replace_emails([ContactValue::new("work", "Ana@example.com")]))]
    fn what_is_so_already_is_not_written(#[case] changes: ContactChanges) {
        let mut contact = contact();
        contact.source = Some("zapier".to_owned());
        let merge = changes.merge_into(&contact);
        assert_eq!(merge.changed, []);
        assert_eq!(merge.patch, None);
        // Nothing is written, so nothing is left out of it.
        assert!(!merge.source_left_out);
        assert!(merge.custom_fields_left_out.is_empty());
    }

    #[test]
    fn a_value_that_cannot_be_sent_is_reported() {
        let merge = ContactChanges::new().role("CEO").merge_into(&contact());
        assert_eq!(merge.custom_fields_left_out, ["Lost"]);
        assert!(!format!("{merge:?}").contains("Lost"));
    }

    #[rstest]
    #[case::main("+1 202 555 0143", &["(202) 555-0143 ext. 7", "202-555-0143 x8"])]
    #[case::one("+12025550143;ext=7", &["(202) 555-0143", "202-555-0143 x8"])]
    #[case::none("+12025550143 x9", &["(202) 555-0143", "(202) 555-0143 ext. 7", "202-555-0143 x8"])]
    fn an_extension_is_a_number_of_its_own(#[case] removed: &str, #[case] left: &[&str]) {
        let mut contact = contact();
        contact.default_fields.phone_numbers = serde_json::from_str(
            r#"[{"name": "desk", "value": "(202) 555-0143"}, {"name": "Ana", "value": "(202) 555-0143 ext. 7"},
                {"name": "Max", "value": "202-555-0143 x8"}]"#,
        )
        .unwrap();
        let changes = ContactChanges::new().remove_phone_number(removed);
        let changes = changes.role("CEO").add_phone_number("new", left[0]);
        let patch = changes.merge_into(&contact).patch.unwrap();
        let values: Vec<_> = patch.phone_numbers.iter().map(|it| &it.value).collect();
        assert_eq!(values, left);
    }

    #[test]
    fn one_change_sends_everything() {
        let merge = ContactChanges::new()
            .last_name("Example")
            .merge_into(&contact());

        assert_eq!(merge.changed, [ContactField::LastName]);
        // No ids of entries, nothing without a value, and the field without key or id left out.
        assert_eq!(
            body(&merge),
            serde_json::json!({
                "externalId": "user-42", "source": "shop",
                "sourceUrl": "https://shop.example.com/42",
                "defaultFields": {
                    "firstName": "Ana", "lastName": "Example", "company": "Example GmbH",
                    "role": "Sales",
                    "emails": [{"name": "work", "value": "Ana@example.com"}],
                    "phoneNumbers": [{"name": "mobile", "value": "(202) 555-0143"}]
                },
                "customFields": [
                    {"key": "lead", "value": true},
                    {"id": "c2", "value": "2026-01-01T00:00:00Z"}
                ]
            })
        );
    }

    #[test]
    fn lists_change_in_the_order_asked() {
        let merge = ContactChanges::new()
            .add_email("private", "ana@example.org")
            .remove_email(" ANA@EXAMPLE.COM")
            .add_email("work", "office@example.com")
            .remove_phone_number("+1 202 555 0143")
            .merge_into(&contact());

        assert_eq!(
            merge.changed,
            [ContactField::Emails, ContactField::PhoneNumbers]
        );
        let fields = &body(&merge)["defaultFields"];
        assert_eq!(fields["emails"][0]["value"], "ana@example.org");
        assert_eq!(fields["emails"][1]["value"], "office@example.com");
        // Sent although empty: left out, it would be the vendor's guess.
        assert_eq!(fields["phoneNumbers"], serde_json::json!([]));
    }

    #[test]
    fn a_better_spelling_is_a_change() {
        let merge = ContactChanges::new()
            .replace_phone_numbers([ContactValue::new("mobile", "+12025550143")])
            .merge_into(&contact());
        assert_eq!(merge.changed, [ContactField::PhoneNumbers]);
    }

    #[test]
    fn clearing_sends_null_and_an_empty_text_clears() {
        let merge = ContactChanges::new()
            .role("")
            .clear_external_id()
            .clear_custom_field("lead")
            .merge_into(&contact());

        assert_eq!(merge.changed.len(), 3);
        let body = body(&merge);
        assert_eq!(body["defaultFields"]["role"], serde_json::Value::Null);
        assert!(body.as_object().unwrap().contains_key("externalId"));
        assert_eq!(body["externalId"], serde_json::Value::Null);
        assert_eq!(
            body["customFields"][0],
            serde_json::json!({"key": "lead", "value": null})
        );
    }

    #[rstest]
    #[case("openphone-ios")]
    #[case("csv-import")]
    #[case("google-people")]
    #[case("Zapier")]
    fn a_reserved_source_is_left_out_and_reported(#[case] source: &str) {
        let mut contact = contact();
        contact.source = Some(source.to_owned());

        let merge = ContactChanges::new().role("CEO").merge_into(&contact);
        assert!(merge.source_left_out);
        assert!(!body(&merge).as_object().unwrap().contains_key("source"));

        let merge = ContactChanges::new().clear_source().merge_into(&contact);
        assert_eq!(merge.changed, [ContactField::Source]);
        assert_eq!(body(&merge)["source"], serde_json::Value::Null);
        assert!(!merge.source_left_out);
    }

    #[test]
    fn tells_what_the_vendor_ignored() {
        let merge = ContactChanges::new()
            .clear_role()
            .add_phone_number("home", "(202) 555-0199")
            .set_custom_field("since", "2026-01-01T00:00:00Z")
            .merge_into(&contact());
        let mut answered = contact();
        answered.default_fields.phone_numbers = serde_json::from_str(
            r#"[{"name": "mobile", "value": "+12025550143"}, {"name": "home", "value": "+12025550199"}]"#,
        )
        .unwrap();
        answered.default_fields.company = Some(" Example GmbH ".to_owned());
        answered.custom_fields.push(
            serde_json::from_str(
                r#"{"key": "since", "name": "Since", "type": "date", "value": "2026-01-01T00:00:00.000Z"}"#,
            )
            .unwrap(),
        );

        let ignored = not_applied(merge.patch.as_ref().unwrap(), &answered);
        // The number and the date came back in another coat; the role is still there.
        assert_eq!(ignored, [ContactField::Role]);
    }

    #[test]
    fn tells_what_the_vendor_did_not_keep() {
        let merge = ContactChanges::new().clear_role().merge_into(&contact());
        let mut answered = contact();
        answered.default_fields.role = None;
        answered.external_id = None;
        answered.default_fields.phone_numbers.clear();
        answered
            .custom_fields
            .retain(|field| field.key.as_deref() != Some("lead"));

        assert_eq!(
            not_applied(merge.patch.as_ref().unwrap(), &answered),
            [
                ContactField::ExternalId,
                ContactField::PhoneNumbers,
                ContactField::Custom(CustomFieldRef::Key("lead".to_owned())),
            ]
        );
    }

    #[test]
    fn tells_that_a_reserved_source_was_not_cleared() {
        let mut contact = contact();
        contact.source = Some("zapier".to_owned());
        let patch = |changes: ContactChanges| changes.merge_into(&contact).patch.unwrap();

        let cleared = patch(ContactChanges::new().clear_source());
        assert_eq!(not_applied(&cleared, &contact), [ContactField::Source]);

        // It was not sent, and so not ignored.
        let other = patch(ContactChanges::new().clear_external_id());
        assert_eq!(not_applied(&other, &contact), [ContactField::ExternalId]);
    }

    #[test]
    fn another_order_and_another_zero_are_no_loss() {
        let mut contact = contact_with(&[
            ("a".to_owned(), "a@x".to_owned()),
            ("b".to_owned(), "b@x".to_owned()),
        ]);
        let changes = ContactChanges::new().set_custom_field("seats", 12);
        let patch = changes.merge_into(&contact).patch.unwrap();
        contact.default_fields.emails.reverse();
        contact.custom_fields.push(
            serde_json::from_str(
                r#"{"key": "seats", "name": "", "type": "number", "value": 12.0}"#,
            )
            .unwrap(),
        );
        assert_eq!(not_applied(&patch, &contact), []);

        contact.default_fields.emails[0].value = Some("a@x".to_owned());
        assert_eq!(not_applied(&patch, &contact), [ContactField::Emails]);
    }

    fn contact_with(emails: &[(String, String)]) -> Contact {
        let emails: Vec<_> = emails
            .iter()
            .map(|(name, value)| serde_json::json!({"id": "e", "name": name, "value": value}))
            .collect();
        let mut contact = contact();
        contact.default_fields.emails = serde_json::from_value(emails.into()).unwrap();
        contact
    }

    proptest! {
        #[test]
        fn nothing_is_lost_that_was_not_named(
            emails in prop::collection::vec(("[a-z]{0,3}", "[a-cA-C]{1,2}@x"), 0..5),
            added in "[a-cA-C]{1,2}@x",
            removed in "[a-cA-C]{1,2}@x",
        ) {
            let contact = contact_with(&emails);
            let changes = ContactChanges::new().add_email("new", &added).remove_email(&removed);
            let after = changes.merge_into(&contact).patch
                .map_or_else(|| ContactPatch::keeping(&contact).emails, |patch| patch.emails);

            // What stays, stays as it was and in order; what is added stands behind it.
            let kept: Vec<_> = emails
                .iter()
                .filter(|(_, value)| !value.eq_ignore_ascii_case(&removed))
                .map(|(name, value)| ContactValue::new(name, value))
                .collect();
            prop_assert!(after.starts_with(&kept));
            let wanted = !added.eq_ignore_ascii_case(&removed);
            let there = after.iter().any(|entry| entry.value.eq_ignore_ascii_case(&added));
            prop_assert_eq!(there, wanted);
            prop_assert!(after.len() <= kept.len() + 1);

            // Written and asked again, nothing is new.
            let mut written = contact;
            written.default_fields.emails = serde_json::from_value(
                serde_json::to_value(&after).unwrap()
            ).unwrap();
            prop_assert_eq!(changes.merge_into(&written).patch, None);
        }
    }
}
