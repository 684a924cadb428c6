//! Invented people.

use contact_sync::{Contact, Region, Signup, TargetName, TenantId};

/// The target of a case that needs but one.
pub(crate) const PHONE: &str = "phone";
pub(crate) const CRM: &str = "crm";

pub(crate) const A: &str = "202 555 0143";
pub(crate) const B: &str = "202 555 0199";

pub(crate) fn acme() -> TenantId {
    TenantId::from("acme")
}

pub(crate) fn phone() -> TargetName {
    TargetName::from(PHONE)
}

pub(crate) fn crm() -> TargetName {
    TargetName::from(CRM)
}

pub(crate) fn contact(signup: &Signup) -> Contact {
    Contact::new(&acme(), signup, Some(Region::US))
}

/// A person with an id of the host.
pub(crate) fn user(id: &str, name: &str, email: &str, phone: &str) -> Contact {
    let signup = Signup::new().host_id(id).name(name);
    contact(&signup.email(email).phone(phone))
}

pub(crate) fn ann() -> Contact {
    user("user-1", "Ann Lee", "ann@example.com", A)
}

pub(crate) fn bob() -> Contact {
    user("user-2", "Bob Ray", "bob@example.com", B)
}

/// Somebody who shares nothing with anybody.
pub(crate) fn somebody(number: usize) -> Contact {
    let email = format!("person{number}@example.com");
    user(&format!("user-{number:05}"), "Some Body", &email, "")
}
