//! An input, checked and put into the vendor's terms. Pure, and before any call is spent.

use chrono::{DateTime, Utc};
use connector_http::Error;
use serde_json::{Map, Value};

use super::input::{ContactInput, ExistingValues};
use super::outcome::{Notice, Unmapped, UnmappedReason};
use super::rules::{ContactRules, FieldRef, FieldValue, SourceRule};
use crate::check::Check;
use crate::contacts::NewContact;
use crate::meta::Attributes;
use crate::values::{Address, CompanyLink, Role};

/// What a contact shall be.
#[derive(Clone)]
pub(super) struct Wanted {
    pub(super) email: Option<String>,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    /// The last name is the placeholder.
    pub(super) placeholder: bool,
    /// The first name is the placeholder.
    pub(super) first_placeholder: bool,
    pub(super) phone: Option<String>,
    pub(super) name_prefix: Option<String>,
    pub(super) home_email: Option<String>,
    pub(super) work_email: Option<String>,
    pub(super) home_phone: Option<String>,
    pub(super) work_phone: Option<String>,
    pub(super) shop_phone: Option<String>,
    pub(super) address: Option<Address>,
    pub(super) title: Option<String>,
    pub(super) website: Option<String>,
    pub(super) company: Option<String>,
    pub(super) role: Role,
    pub(super) note: Option<String>,
    pub(super) noted_at: DateTime<Utc>,
    pub(super) tags: Vec<String>,
    /// Fields that are not resolved yet.
    pub(super) fields: Vec<FieldValue>,
    /// Values by the field's uid.
    pub(super) custom: Map<String, Value>,
    pub(super) send_welcome_email: bool,
    pub(super) existing: ExistingValues,
    pub(super) unmapped: Vec<Unmapped>,
    pub(super) notices: Vec<Notice>,
}

impl Wanted {
    /// Reads an input. `may_create` is whether a contact may have to be made of it, which takes a name.
    pub(super) fn read(
        input: ContactInput,
        rules: &ContactRules,
        may_create: bool,
        now: DateTime<Utc>,
        operation: &'static str,
    ) -> Result<Self, Error> {
        let mut wanted = Self {
            email: said(input.email),
            first_name: said(input.first_name),
            last_name: said(input.last_name),
            placeholder: false,
            first_placeholder: false,
            phone: said(input.phone),
            name_prefix: said(input.name_prefix),
            home_email: said(input.home_email),
            work_email: said(input.work_email),
            home_phone: said(input.home_phone),
            work_phone: said(input.work_phone),
            shop_phone: said(input.shop_phone),
            address: input.address.and_then(said_address),
            title: said(input.title),
            website: said(input.website),
            company: said(input.company),
            role: input.role.unwrap_or(Role::Lead),
            note: said(input.notes),
            noted_at: input.noted_at.unwrap_or(now),
            tags: input.tags,
            fields: input.fields,
            custom: Map::new(),
            send_welcome_email: input.send_welcome_email,
            existing: input.existing,
            unmapped: Vec::new(),
            notices: Vec::new(),
        };
        wanted.take_names(said(input.full_name));
        if may_create {
            wanted.take_placeholders(rules);
        }
        wanted.take_source(said(input.source), rules);
        wanted.take_status(said(input.status), rules);
        if said(input.category).is_some() {
            let reason = UnmappedReason::NoSuchAttribute;
            wanted.unmapped.push(Unmapped::new("category", reason));
        }
        wanted.check(may_create).finish(operation)?;
        wanted.tags = distinct(&wanted.tags, rules.tags_ignore_case);
        wanted.cut_note(rules.note_cap);
        if may_create {
            // What the creation would be refused for is found before a look-up is spent on it.
            let contact = wanted.to_new_contact(rules);
            contact.check().finish(operation)?;
        }
        Ok(wanted)
    }

    /// The contact to be made.
    pub(super) fn to_new_contact(&self, rules: &ContactRules) -> NewContact {
        let first = self.first_name.clone().unwrap_or_default();
        let last = self.last_name.clone().unwrap_or_default();
        let mut contact = NewContact::new(self.role.clone(), first, last);
        contact.email.clone_from(&self.email);
        contact.phone.clone_from(&self.phone);
        contact.name_prefix.clone_from(&self.name_prefix);
        contact.home_email.clone_from(&self.home_email);
        contact.work_email.clone_from(&self.work_email);
        contact.home_phone.clone_from(&self.home_phone);
        contact.work_phone.clone_from(&self.work_phone);
        contact.shop_phone.clone_from(&self.shop_phone);
        contact.address.clone_from(&self.address);
        contact.title.clone_from(&self.title);
        contact.website.clone_from(&self.website);
        contact.company = self.company_link(rules);
        contact.background_info.clone_from(&self.note);
        contact.tags.clone_from(&self.tags);
        contact.custom_fields.clone_from(&self.custom);
        contact.send_welcome_email = self.send_welcome_email;
        contact
    }

    pub(super) fn company_link(&self, rules: &ContactRules) -> Option<CompanyLink> {
        let name = self.company.clone()?;
        Some(if rules.create_companies {
            CompanyLink::create(name)
        } else {
            CompanyLink::existing(name)
        })
    }

    /// Whether a label has to be looked up.
    pub(super) fn needs_meta(&self) -> bool {
        let by_label = |(field, _): &FieldValue| matches!(field, FieldRef::Label(_));
        self.fields.iter().any(by_label)
    }

    /// Finds the uids of the fields. Without attributes only uids are taken, unseen.
    pub(super) fn resolve(&mut self, attributes: Option<&Attributes>) {
        for (field, value) in std::mem::take(&mut self.fields) {
            let uid = match (&field, attributes) {
                (FieldRef::Uid(uid), None) => Some(uid.clone()),
                (FieldRef::Uid(uid), Some(known)) => {
                    known.has_custom_field(uid).then(|| uid.clone())
                }
                (FieldRef::Label(label), known) => known.and_then(|it| it.custom_field(label)),
            };
            if let Some(uid) = uid {
                self.custom.insert(uid.into_string(), value);
            } else {
                let reason = UnmappedReason::UnknownField;
                self.unmapped.push(Unmapped::new(field.name(), reason));
            }
        }
    }

    fn take_names(&mut self, full: Option<String>) {
        let Some(full) = full else {
            return;
        };
        if self.first_name.is_some() && self.last_name.is_some() {
            return;
        }
        let (first, last) = match full.split_once(char::is_whitespace) {
            Some((first, last)) => (first.to_owned(), said(Some(last.to_owned()))),
            None => (full, None),
        };
        if last.is_some() {
            self.notices.push(Notice::NameSplit);
        }
        self.first_name.get_or_insert(first);
        self.last_name = self.last_name.take().or(last);
    }

    fn take_placeholders(&mut self, rules: &ContactRules) {
        if self.first_name.is_none() {
            self.first_name.clone_from(&rules.first_name_placeholder);
            self.first_placeholder = self.first_name.is_some();
        }
        if self.last_name.is_none() {
            self.last_name.clone_from(&rules.last_name_placeholder);
            self.placeholder = self.last_name.is_some();
        }
        if self.first_placeholder || self.placeholder {
            self.notices.push(Notice::PlaceholderUsed);
        }
    }

    fn take_source(&mut self, source: Option<String>, rules: &ContactRules) {
        let Some(source) = source else {
            return;
        };
        match &rules.source {
            SourceRule::Tag(prefix) => self.tags.push(format!("{prefix}{source}")),
            SourceRule::Field(field) => self.fields.push((field.clone(), source.into())),
            SourceRule::Nowhere => {
                let reason = UnmappedReason::NoSuchAttribute;
                self.unmapped.push(Unmapped::new("source", reason));
            }
        }
    }

    fn take_status(&mut self, status: Option<String>, rules: &ContactRules) {
        match (status, &rules.status_field) {
            (None, _) => {}
            (Some(status), Some(field)) => self.fields.push((field.clone(), status.into())),
            (Some(_), None) => {
                let reason = UnmappedReason::NoSuchAttribute;
                self.unmapped.push(Unmapped::new("status", reason));
            }
        }
    }

    fn cut_note(&mut self, cap: usize) {
        let Some(note) = &mut self.note else {
            return;
        };
        if let Some((end, _)) = note.char_indices().nth(cap) {
            note.truncate(end);
            self.notices.push(Notice::NoteCut);
        }
        if note.is_empty() {
            self.note = None;
        }
    }

    /// The texts that go to a field of their own, under its name, besides names and the e-mail address.
    pub(super) fn lines(&self) -> [(&'static str, Option<&str>); 9] {
        [
            ("phone", self.phone.as_deref()),
            ("title", self.title.as_deref()),
            ("website", self.website.as_deref()),
            ("name_prefix", self.name_prefix.as_deref()),
            ("home_email", self.home_email.as_deref()),
            ("work_email", self.work_email.as_deref()),
            ("home_phone", self.home_phone.as_deref()),
            ("work_phone", self.work_phone.as_deref()),
            ("shop_phone", self.shop_phone.as_deref()),
        ]
    }

    fn check(&self, may_create: bool) -> Check {
        let mut check = Check::new();
        if may_create {
            let message = "must be given, as must a last name unless there is a placeholder";
            check.require(self.first_name.is_some(), "first_name", message);
            let message = "must be given: there is no placeholder for it";
            check.require(self.last_name.is_some(), "last_name", message);
            let known = self.role.rank().is_some();
            check.require(known, "role", "must be Lead, Prospect or Client");
            let keyed = self.email.is_some() || self.role == Role::Lead;
            check.require(keyed, "email", "must be given unless the role is Lead");
        }
        let emails = [
            ("email", &self.email),
            ("home_email", &self.home_email),
            ("work_email", &self.work_email),
        ];
        for (path, email) in emails {
            if let Some(email) = email {
                check.email(email, path);
            }
        }
        let names = [
            ("first_name", self.first_name.as_deref()),
            ("last_name", self.last_name.as_deref()),
            ("company", self.company.as_deref()),
        ];
        let lines = self.lines().into_iter();
        for (path, line) in names
            .into_iter()
            .chain(lines.filter(|(path, _)| !path.ends_with("_email")))
        {
            if let Some(line) = line {
                check.line(line, path);
            }
        }
        if let Some(address) = &self.address {
            address.check(&mut check);
        }
        if let Some(note) = &self.note {
            check.text(note, "notes");
        }
        check.tag_count(&self.tags, "tags");
        for (n, tag) in self.tags.iter().enumerate() {
            check.line(tag, &format!("tags.{n}"));
        }
        for (n, (field, value)) in self.fields.iter().enumerate() {
            let path = format!("fields.{n}");
            check.name(field.name(), &path);
            check.value(value, &path);
        }
        check
    }
}

/// A text that says something, without the blanks around it.
fn said(text: Option<String>) -> Option<String> {
    let text = text?;
    // Control characters count as said: they are refused by name, not dropped.
    let trimmed = text.trim_matches([' ', '\t', '\n', '\r', '\u{a0}']);
    if trimmed.is_empty() {
        None
    } else if trimmed.len() == text.len() {
        Some(text)
    } else {
        Some(trimmed.to_owned())
    }
}

/// An address of which some part says something.
fn said_address(mut address: Address) -> Option<Address> {
    for part in address.parts_mut() {
        *part = said(part.take());
    }
    (address != Address::default()).then_some(address)
}

/// The tags without blanks around them, empty ones and repetitions.
pub(super) fn distinct(tags: &[String], ignore_case: bool) -> Vec<String> {
    let mut found: Vec<String> = Vec::with_capacity(tags.len());
    for tag in tags.iter().map(|tag| tag.trim()) {
        if !tag.is_empty() && !found.iter().any(|it| is_same_tag(it, tag, ignore_case)) {
            found.push(tag.to_owned());
        }
    }
    found
}

pub(super) fn is_same_tag(a: &str, b: &str, ignore_case: bool) -> bool {
    let (a, b) = (a.trim(), b.trim());
    a == b || ignore_case && a.to_lowercase() == b.to_lowercase()
}
