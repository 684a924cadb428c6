use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::suitedash::Options;
use crate::suitedash::attributes::{Field, Fields};
use crate::suitedash::company::{self, Company};
use crate::suitedash::contact::{self, Contact};
use crate::suitedash::project::Project;
use crate::suitedash::store::Store;

/// A portal invitation that the vendor would have mailed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WelcomeMail {
    /// The UID of the contact.
    pub contact_uid: String,
    /// Where it went.
    pub email: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Somebody who was subscribed to a marketing audience.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Subscription {
    /// The e-mail of the person.
    pub email: String,
    /// The id of the audience.
    pub audience: u64,
}

/// What one account holds.
pub(super) struct World {
    pub(super) contacts: Store<Contact>,
    /// The places of stored contacts by their e-mails in lower case.
    emails: HashMap<String, u64>,
    pub(super) companies: Store<Company>,
    pub(super) projects: Store<Project>,
    pub(super) fields: Fields,
    pub(super) statuses: Vec<String>,
    pub(super) audiences: Vec<u64>,
    pub(super) worlds: Vec<String>,
    pub(super) welcome_mails: Vec<WelcomeMail>,
    pub(super) subscriptions: Vec<Subscription>,
}

impl World {
    pub(super) fn new(options: &Options, rng: &mut fastrand::Rng) -> Self {
        let mut fields = Fields::default();
        for (of, uid, name) in &options.fields {
            fields.define(Field {
                of: *of,
                uid: uid.clone(),
                name: name.clone(),
            });
        }
        Self {
            contacts: Store::new(rng.u64(..)),
            emails: HashMap::new(),
            companies: Store::new(rng.u64(..)),
            projects: Store::new(rng.u64(..)),
            fields,
            statuses: options.statuses.clone(),
            audiences: options.audiences.clone(),
            worlds: options.worlds.clone(),
            welcome_mails: Vec::new(),
            subscriptions: Vec::new(),
        }
    }

    pub(super) fn clear(&mut self) {
        self.contacts.clear();
        self.emails.clear();
        self.companies.clear();
        self.projects.clear();
        self.welcome_mails.clear();
        self.subscriptions.clear();
    }

    /// Finds a contact by its e-mail, in whatever case.
    pub(super) fn contact_with_email(&self, email: &str) -> Option<u64> {
        let email = email.to_lowercase();
        let computed = || {
            let place = contact::synthetic_place(&email)?;
            self.contacts.is_computed(place).then_some(place)
        };
        self.emails.get(&email).copied().or_else(computed)
    }

    /// Finds a contact by its UID or e-mail.
    pub(super) fn contact(&self, identifier: &str) -> Option<u64> {
        self.contacts
            .place(identifier)
            .or_else(|| self.contact_with_email(identifier))
    }

    /// Finds a company by its exact name.
    pub(super) fn company_named(&self, name: &str) -> Option<u64> {
        let computed = || {
            let place = company::synthetic_place(name)?;
            self.companies.is_computed(place).then_some(place)
        };
        self.companies
            .find(|company| company.name == name)
            .or_else(computed)
    }

    /// Finds a company by its UID or name.
    pub(super) fn company(&self, identifier: &str) -> Option<u64> {
        self.companies
            .place(identifier)
            .or_else(|| self.company_named(identifier))
    }

    pub(super) fn add_contact(&mut self, contact: Contact) -> u64 {
        let email = contact.email.as_deref().map(str::to_lowercase);
        let place = self.contacts.insert(contact);
        if let Some(email) = email {
            self.emails.insert(email, place);
        }
        place
    }

    /// Stores the new state of a contact.
    pub(super) fn change_contact(&mut self, place: u64, contact: Contact) {
        self.forget_email(place);
        if let Some(email) = &contact.email {
            self.emails.insert(email.to_lowercase(), place);
        }
        self.contacts.put(place, contact);
    }

    pub(super) fn remove_contact(&mut self, place: u64) -> bool {
        self.forget_email(place);
        self.contacts.remove(place)
    }

    fn forget_email(&mut self, place: u64) {
        let found = self.contacts.get(place);
        let email = found.and_then(|contact| Some(contact.email.as_deref()?.to_lowercase()));
        if let Some(email) = email.filter(|email| self.emails.get(email) == Some(&place)) {
            self.emails.remove(&email);
        }
    }
}
