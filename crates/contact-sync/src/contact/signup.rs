//! What the host hands over: raw text, nothing required.

use std::collections::BTreeMap;
use std::fmt;

use crate::ids::TenantId;

/// A person as the host has them: whatever was typed into a form, unchecked.
///
/// ```
/// use contact_sync::Signup;
///
/// struct User { id: u64, name: String, email: String }
///
/// impl From<&User> for Signup {
///     fn from(user: &User) -> Self {
///         Signup::new().host_id(user.id.to_string()).name(user.name.as_str()).email(user.email.as_str())
///     }
/// }
/// ```
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Signup {
    /// The host's customer to whom the person belongs.
    pub tenant: TenantId,
    /// The host's own id of the user: the best key there is, if the host has one.
    pub host_id: Option<String>,
    /// The whole name, split only if neither part is given.
    pub name: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The phone number.
    pub phone: Option<String>,
    /// The company.
    pub company: Option<String>,
    /// Free text.
    pub notes: Option<String>,
    /// What the host knows besides, by names of its own. It goes where a [`FieldMap`](crate::FieldMap) sends it.
    pub attributes: BTreeMap<String, String>,
    /// What ties the signup to a request, in the host's own traces. Nothing personal: it is logged.
    pub trace_id: Option<String>,
}

macro_rules! text_setters {
    ($($(#[$doc:meta])* $field:ident),* $(,)?) => {
        $(
            $(#[$doc])*
            pub fn $field(mut self, $field: impl Into<String>) -> Self {
                self.$field = Some($field.into());
                self
            }
        )*
    };
}

impl Signup {
    /// Makes a signup of the default tenant with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the host's customer to whom the person belongs.
    pub fn tenant(mut self, tenant: impl Into<TenantId>) -> Self {
        self.tenant = tenant.into();
        self
    }

    text_setters! {
        /// Sets the host's own id of the user.
        host_id,
        /// Sets the whole name; it is split only if neither part is given.
        name,
        /// Sets the first name.
        first_name,
        /// Sets the last name.
        last_name,
        /// Sets the e-mail address.
        email,
        /// Sets the phone number.
        phone,
        /// Sets the company.
        company,
        /// Sets the free text.
        notes,
        /// Sets what ties the signup to a request, in the host's own traces. Nothing personal: it is logged.
        trace_id,
    }

    /// Adds something that the host knows besides: a plan, a campaign, a birthday. It goes where a
    /// [`FieldMap`](crate::FieldMap) sends it, and is reported where none does.
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.insert(name.into(), value.into());
        self
    }
}

impl fmt::Debug for Signup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signup")
            .field("tenant", &self.tenant)
            .field("host_id", &self.host_id.is_some())
            .field(
                "name",
                &(self.name.is_some() || self.first_name.is_some() || self.last_name.is_some()),
            )
            .field("email", &self.email.is_some())
            .field("phone", &self.phone.is_some())
            .field("company", &self.company.is_some())
            .field("notes", &self.notes.is_some())
            .field("attributes", &self.attributes.keys())
            .field("trace_id", &self.trace_id)
            .finish_non_exhaustive()
    }
}
