//! Invented people: some share an address, some come back.

use contact_sync::{Contact, Signup, TargetName, TenantId};

/// Where the jobs of the queue go.
pub(crate) const TARGETS: [&str; 2] = ["phone", "crm"];

/// One person in so many shares the address of the one before.
const SHARING: usize = 20;

/// How a worker knows a job that kills it.
pub(crate) const POISON: &str = "Poison";

pub(crate) fn tenant() -> TenantId {
    TenantId::from("acme")
}

pub(crate) fn targets() -> [TargetName; 2] {
    TARGETS.map(TargetName::from)
}

/// The person of this number. Those who share an address are one person, whom it shows.
pub(crate) fn person(number: usize) -> Contact {
    let shared = if number % SHARING == 1 {
        number - 1
    } else {
        number
    };
    contact(number, "Some", &format!("person{shared}@example.com"))
}

pub(crate) fn poison(number: usize) -> Contact {
    contact(number, POISON, &format!("poison{number}@example.com"))
}

fn contact(number: usize, name: &str, email: &str) -> Contact {
    let signup = Signup::new()
        .host_id(format!("user-{number}"))
        .first_name(name)
        .last_name("Body")
        .email(email);
    Contact::new(&tenant(), &signup, None)
}

/// What those who may not be worked on at the same time have in common.
pub(crate) fn group(contact: &Contact) -> String {
    let email = contact.email().map(|email| email.normalized().to_owned());
    email.unwrap_or_default()
}
