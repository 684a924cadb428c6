//! The contact domain: what a person typed, normalised, flagged, and never refused.

mod email;
mod identity;
pub mod matching;
mod name;
mod phone;
mod region;
mod signup;
mod text;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use email::Email;
pub use identity::{ContactKey, ExternalKey, Identifier};
pub use name::PersonName;
pub(crate) use phone::warm_up;
pub use phone::{E164, InvalidE164, Phone};
pub use region::{Region, UnknownRegion};
pub use signup::Signup;

use crate::ids::TenantId;

/// A person as this crate keeps them: normalised once, with everything that was typed still there.
///
/// `Debug` shows which fields there are, not what is in them.
///
/// ```
/// use contact_sync::{Contact, Region, Signup, TenantId};
///
/// let signup = Signup::new().name("Ann Lee").email("Ann@Example.com").phone("(202) 555-0143");
/// let contact = Contact::new(&TenantId::default(), &signup, Some(Region::US));
/// assert_eq!(contact.name().first(), Some("Ann"));
/// assert_eq!(contact.email().map(|email| email.normalized()), Some("ann@example.com"));
/// assert_eq!(contact.issues(), []);
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    key: ContactKey,
    host_id: Option<String>,
    name: PersonName,
    email: Option<Email>,
    phone: Option<Phone>,
    company: Option<String>,
    notes: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<String, String>,
}

impl Contact {
    /// Normalises what a person typed. Cannot fail: what makes no sense is kept as it is and flagged.
    ///
    /// `region` is the country whose national phone formats are meant.
    pub fn new(tenant: &TenantId, signup: &Signup, region: Option<Region>) -> Self {
        let parts = PersonName::new(signup.first_name.as_deref(), signup.last_name.as_deref());
        let name = match signup.name.as_deref() {
            Some(full) if parts.is_empty() => PersonName::split(full),
            _ => parts,
        };
        let mut contact = Self {
            key: ContactKey::Unidentified,
            host_id: signup
                .host_id
                .as_deref()
                .map(str::trim)
                .filter(|id| !id.is_empty())
                .map(str::to_owned),
            name,
            email: signup.email.as_deref().and_then(Email::new),
            phone: signup
                .phone
                .as_deref()
                .and_then(|raw| Phone::new(raw, region)),
            company: signup.company.as_deref().and_then(text::tidy),
            notes: signup
                .notes
                .as_deref()
                .map(str::trim)
                .filter(|n| !n.is_empty())
                .map(str::to_owned),
            attributes: signup
                .attributes
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), text::tidy(value)?)))
                .collect(),
        };
        contact.key = ContactKey::of(tenant, &contact);
        contact
    }

    /// Returns the key that makes two signups one contact.
    pub fn key(&self) -> &ContactKey {
        &self.key
    }

    /// Returns the host's own user id.
    pub fn host_id(&self) -> Option<&str> {
        self.host_id.as_deref()
    }

    /// Returns the name.
    pub fn name(&self) -> &PersonName {
        &self.name
    }

    /// Returns the e-mail address, valid or not.
    pub fn email(&self) -> Option<&Email> {
        self.email.as_ref()
    }

    /// Returns the phone number, valid or not.
    pub fn phone(&self) -> Option<&Phone> {
        self.phone.as_ref()
    }

    /// Returns the company.
    pub fn company(&self) -> Option<&str> {
        self.company.as_deref()
    }

    /// Returns the free text.
    pub fn notes(&self) -> Option<&str> {
        self.notes.as_deref()
    }

    /// Returns what the host knows besides, by the host's own names.
    pub fn attributes(&self) -> &BTreeMap<String, String> {
        &self.attributes
    }

    /// Tells whether there is nothing to recognise or reach the person by: no name, and no e-mail address or phone
    /// number that can be read. Such a contact is kept, and no vendor gets a record of it.
    pub fn is_blank(&self) -> bool {
        self.name.is_empty() && self.identifiers().is_empty()
    }

    /// Returns the normalised e-mail address and phone number, as far as they can be told.
    pub fn identifiers(&self) -> Vec<Identifier> {
        let email = self.email.as_ref().filter(|e| e.is_valid());
        let number = self.phone.as_ref().and_then(Phone::e164);
        let email = email.map(|e| Identifier::Email(e.normalized().to_owned()));
        email
            .into_iter()
            .chain(number.cloned().map(Identifier::Phone))
            .collect()
    }

    /// Returns what is wrong with the data, field by field.
    pub fn issues(&self) -> Vec<Issue> {
        let email = self
            .email
            .as_ref()
            .filter(|e| !e.is_valid())
            .map(|_| Issue::EmailNotValid);
        let phone = self
            .phone
            .as_ref()
            .and_then(|p| match (p.e164(), p.is_valid()) {
                (None, _) => Some(Issue::PhoneNotReadable),
                (Some(_), false) => Some(Issue::PhoneNotVerified),
                (Some(_), true) => None,
            });
        let name = self.name.is_empty().then_some(Issue::NoName);
        let reach = (self.email.is_none() && self.phone.is_none()).then_some(Issue::NoEmailOrPhone);
        [email, phone, name, reach].into_iter().flatten().collect()
    }

    /// Takes over what a later signup of the same person says: what is there replaces, what is blank changes nothing,
    /// and an unreadable e-mail address or phone number does not replace a good one.
    pub fn merge(&mut self, newer: Self) {
        self.name.merge(newer.name);
        if let Some(email) = newer.email
            && (email.is_valid() || !self.email.as_ref().is_some_and(Email::is_valid))
        {
            self.email = Some(email);
        }
        if let Some(phone) = newer.phone
            && (phone.e164().is_some() || self.phone.as_ref().is_none_or(|p| p.e164().is_none()))
        {
            self.phone = Some(phone);
        }
        self.company = newer.company.or(self.company.take());
        self.notes = newer.notes.or(self.notes.take());
        self.attributes.extend(newer.attributes);
    }
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contact")
            .field("key", &self.key)
            .field("name", &self.name)
            .field("email", &self.email)
            .field("phone", &self.phone)
            .field("company", &self.company.is_some())
            .field("notes", &self.notes.is_some())
            .field("attributes", &self.attributes.keys())
            .finish_non_exhaustive()
    }
}

/// A field of a contact.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Field {
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// The e-mail address.
    Email,
    /// The phone number.
    Phone,
    /// The extension of the phone number.
    PhoneExtension,
    /// The company.
    Company,
    /// The free text.
    Notes,
    /// The host's own id of the user.
    HostId,
    /// Something that the host knows besides.
    Attribute,
}

/// What is wrong with a contact's data. None of it keeps a contact from being accepted.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Issue {
    /// The e-mail address does not have the shape of one.
    EmailNotValid,
    /// No phone number could be read from what was typed.
    PhoneNotReadable,
    /// The phone number has a country code, but the numbering plans do not know it.
    PhoneNotVerified,
    /// Neither a first nor a last name.
    NoName,
    /// Neither an e-mail address nor a phone number.
    NoEmailOrPhone,
}

#[cfg(test)]
mod tests {
    use std::borrow::Borrow;

    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn contact(signup: impl Borrow<Signup>) -> Contact {
        Contact::new(&TenantId::default(), signup.borrow(), Some(Region::US))
    }

    #[rstest]
    #[case::email_case(Signup::new().email("Ann@Example.com"), Signup::new().email(" ann@example.com").name("Ann"), true)]
    #[case::other_email(Signup::new().email("ann@example.com"), Signup::new().email("bob@example.com"), false)]
    #[case::same_email_other_name(
        Signup::new().email("ann@example.com").name("Ann"), Signup::new().email("ann@example.com").name("Anna"), true)]
    #[case::role_needs_the_name(
        Signup::new().email("info@example.com").name("Ann"), Signup::new().email("info@example.com").name("Bob"), false)]
    #[case::role_with_the_name(
        Signup::new().email("info@example.com").name("Ann Lee"), Signup::new().email("info@example.com").name("Lee, Ann"), true)]
    #[case::phone_and_name(
        Signup::new().phone("202 555 0143").name("Ann"), Signup::new().phone("+12025550143").name("ann"), true)]
    #[case::shared_phone(
        Signup::new().phone("202 555 0143").name("Ann"), Signup::new().phone("202 555 0143").name("Bob"), false)]
    #[case::unreadable_email_and_name(
        Signup::new().email("ann@").name("Ann"), Signup::new().email("ann@ ").name("Ann"), true)]
    #[case::host_id_rules(
        Signup::new().host_id("1").email("ann@example.com"), Signup::new().host_id("2").email("ann@example.com"), false)]
    #[case::host_id_same(
        Signup::new().host_id("1").email("ann@example.com"), Signup::new().host_id(" 1 ").email("bob@example.com"), true)]
    fn keys(#[case] one: Signup, #[case] other: Signup, #[case] same: bool) {
        assert_eq!(contact(one).key() == contact(other).key(), same);
    }

    #[test]
    fn keys_differ_between_tenants_and_stay_the_same_between_releases() {
        let signup = Signup::new().email("ann@example.com");
        let one = Contact::new(&TenantId::from("a"), &signup, None);
        let other = Contact::new(&TenantId::from("b"), &signup, None);
        assert_ne!(one.key(), other.key());
        let ContactKey::Derived(uuid) = one.key() else {
            panic!("derived")
        };
        assert_eq!(uuid.to_string(), "7c4428b5-2e4d-52e9-9812-a2a9b52b0135");
    }

    #[test]
    fn nothing_to_recognise_by_makes_no_key() {
        assert_eq!(
            contact(Signup::new().name("Ann Lee")).key(),
            &ContactKey::Unidentified
        );
    }

    #[test]
    fn parts_of_a_name_win_over_the_whole() {
        let contact = contact(
            Signup::new()
                .name("Wrong Name")
                .first_name("Ann")
                .last_name("Lee"),
        );
        assert_eq!(
            (contact.name().first(), contact.name().last()),
            (Some("Ann"), Some("Lee"))
        );
    }

    #[test]
    fn merging_takes_what_is_better_or_newer() {
        let mut kept = contact(
            Signup::new()
                .name("Ann Lee")
                .email("ann@example.com")
                .phone("202 555 0143")
                .company("Lee Ltd"),
        );
        kept.merge(contact(
            Signup::new()
                .first_name("Anna")
                .email("ann@")
                .phone("later")
                .notes("hello"),
        ));
        assert_eq!(
            (kept.name().first(), kept.name().last()),
            (Some("Anna"), Some("Lee"))
        );
        assert_eq!(kept.email().unwrap().normalized(), "ann@example.com");
        assert_eq!(
            kept.phone().unwrap().e164().unwrap().as_str(),
            "+12025550143"
        );
        assert_eq!(
            (kept.company(), kept.notes()),
            (Some("Lee Ltd"), Some("hello"))
        );
    }

    #[test]
    fn attributes_are_tidied_and_merged_by_name() {
        let mut kept = contact(
            Signup::new()
                .attribute("plan", " basic ")
                .attribute("ref", "x"),
        );
        kept.merge(contact(
            Signup::new()
                .attribute("plan", "family")
                .attribute("ref", " "),
        ));
        let attributes: Vec<_> = kept
            .attributes()
            .iter()
            .map(|(n, v)| (&**n, &**v))
            .collect();
        assert_eq!(attributes, [("plan", "family"), ("ref", "x")]);
        assert!(!format!("{kept:?}").contains("family"));
    }

    #[rstest]
    #[case(Signup::new().host_id("17").company("Lee Ltd").notes("hello"), true)]
    #[case(Signup::new().email("ann@").phone("call me"), true)]
    #[case(Signup::new().first_name("Ann"), false)]
    #[case(Signup::new().email("ann@example.com"), false)]
    #[case(Signup::new().phone("202 555 0143"), false)]
    fn nothing_to_know_a_person_by(#[case] signup: Signup, #[case] blank: bool) {
        assert_eq!(contact(signup).is_blank(), blank);
    }

    #[test]
    fn issues_are_named() {
        assert_eq!(
            contact(Signup::new()).issues(),
            [Issue::NoName, Issue::NoEmailOrPhone]
        );
        let messy = contact(Signup::new().name("Ann").email("ann@").phone("n/a"));
        assert_eq!(
            messy.issues(),
            [Issue::EmailNotValid, Issue::PhoneNotReadable]
        );
    }

    #[test]
    fn debug_shows_presence_only() {
        let signup = Signup::new()
            .host_id("ann")
            .name("Ann Lee")
            .email("ann@example.com")
            .phone("202 555 0143");
        for shown in [format!("{signup:?}"), format!("{:?}", contact(&signup))] {
            for secret in ["ann", "Ann", "Lee", "example.com", "0143"] {
                assert!(!shown.contains(secret), "{shown}");
            }
        }
    }

    #[test]
    fn a_contact_survives_being_stored() {
        let contact = contact(
            Signup::new()
                .name("Ann Lee")
                .email("ann@example.com")
                .phone("202 555 0143 x7"),
        );
        let json = serde_json::to_string(&contact).unwrap();
        assert_eq!(serde_json::from_str::<Contact>(&json).unwrap(), contact);
    }

    proptest! {
        #[test]
        fn any_signup_is_a_contact(
            name in any::<String>(), email in any::<String>(), phone in any::<String>(), notes in any::<String>(),
        ) {
            let signup = Signup::new().name(name).email(email).phone(phone).notes(notes);
            let once = contact(signup);
            let mut merged = once.clone();
            merged.merge(once.clone());
            prop_assert_eq!(merged, once);
        }
    }
}
