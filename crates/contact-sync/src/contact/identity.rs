//! Who a contact is: the key it is kept under, and what else it can be recognised by.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Contact;
use super::phone::E164;
use crate::ids::{ContactId, TenantId};

/// The key under which a person is one contact, however often they sign up.
///
/// It is, in this order:
///
/// 1. the host's own user id, where the host gives one;
/// 2. derived from the normalised e-mail address (with the name, if it is a role address such as `info@`);
/// 3. derived from the phone number and the name;
/// 4. derived from the unreadable e-mail or phone text and the name;
/// 5. none: with nothing but a name, two signups are two contacts.
///
/// A derived key is a UUID of version 5 over tenant and value: the same signup gives the same key in another process
/// and after a crash, which is how a record that was created just before the crash is found again.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ContactKey {
    /// The host's own identifier of the user.
    Host(String),
    /// Derived from what the person typed.
    Derived(Uuid),
    /// Nothing to recognise the person by.
    Unidentified,
}

impl ContactKey {
    pub(super) fn of(tenant: &TenantId, contact: &Contact) -> Self {
        if let Some(id) = contact.host_id.as_deref() {
            return Self::Host(id.to_owned());
        }
        let name = contact.name.folded();
        let email = contact.email.as_ref();
        let phone = contact.phone.as_ref();
        let derived = if let Some(email) = email.filter(|e| e.is_valid()) {
            let name = if email.is_role() { name.as_str() } else { "" };
            ("email", email.normalized(), name)
        } else if let Some(number) = phone.and_then(|p| p.e164()) {
            ("phone", number.as_str(), name.as_str())
        } else if let Some(email) = email {
            ("email text", email.normalized(), name.as_str())
        } else if let Some(phone) = phone {
            ("phone text", phone.raw(), name.as_str())
        } else {
            return Self::Unidentified;
        };
        Self::Derived(derive(tenant, derived))
    }

    /// Returns the text by which a vendor knows the contact; for a contact without a key, its own id.
    pub fn external(&self, contact: ContactId) -> ExternalKey {
        match self {
            Self::Host(id) => ExternalKey(id.clone()),
            Self::Derived(uuid) => ExternalKey(uuid.to_string()),
            Self::Unidentified => ExternalKey(contact.to_string()),
        }
    }
}

impl fmt::Debug for ContactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A host's user id can be an e-mail address.
        f.write_str(match self {
            Self::Host(_) => "Host(..)",
            Self::Derived(_) => "Derived(..)",
            Self::Unidentified => "Unidentified",
        })
    }
}

/// The stable text that goes into a vendor's external-id field.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExternalKey(String);

impl ExternalKey {
    /// Returns the key, if it has at most `max` characters and no control character, else a derived one of 36.
    ///
    /// ```
    /// use contact_sync::ExternalKey;
    ///
    /// assert_eq!(ExternalKey::from("user-17").fitting(75), "user-17");
    /// let long = ExternalKey::from("x".repeat(200)).fitting(75);
    /// assert_eq!(long.len(), 36);
    /// assert_eq!(long, ExternalKey::from("x".repeat(200)).fitting(75));
    /// ```
    pub fn fitting(&self, max: usize) -> String {
        let fits = !self.0.is_empty()
            && self.0.chars().count() <= max
            && !self.0.chars().any(char::is_control);
        if fits {
            self.0.clone()
        } else {
            Uuid::new_v5(&NAMESPACE, self.0.as_bytes()).to_string()
        }
    }

    /// Returns the key as it is, whatever its length.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ExternalKey {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for ExternalKey {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for ExternalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExternalKey(..)")
    }
}

/// Something that two contacts of one person may share: jobs of contacts that share one never run at the same time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Identifier {
    /// A normalised e-mail address.
    Email(String),
    /// A phone number, without its extension.
    Phone(E164),
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Email(_) => "Email(..)",
            Self::Phone(_) => "Phone(..)",
        })
    }
}

/// Of this crate's derived keys; to change it would make every person a new one.
const NAMESPACE: Uuid = Uuid::from_u128(0x5f0c_2a1e_7d6b_4c57_9a43_1be0_c8f2_63d4);

fn derive(tenant: &TenantId, (kind, value, name): (&str, &str, &str)) -> Uuid {
    // Length prefixes, so that no two lists of parts read alike.
    let mut bytes = Vec::new();
    for part in [tenant.as_str(), kind, value, name] {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    Uuid::new_v5(&NAMESPACE, &bytes)
}
