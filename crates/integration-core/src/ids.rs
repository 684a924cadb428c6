//! Identifiers as their own types, so that none is passed for another, and the scope that every call carries.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $make:path) => {
        $(#[$doc])*
        #[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes a new identifier.
            pub fn generate() -> Self {
                Self($make())
            }

            /// Returns the UUID.
            pub fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id! {
    /// A template: what kind of integration there can be. Later ones sort after earlier ones.
    TemplateId, Uuid::now_v7
}

uuid_id! {
    /// One tenant's instance of a template. Later ones sort after earlier ones.
    IntegrationId, Uuid::now_v7
}

uuid_id! {
    /// One entry of the integration log. Later ones sort after earlier ones.
    LogId, Uuid::now_v7
}

uuid_id! {
    /// Where one vendor's webhooks arrive. Random, because it stands in a public address and must not be guessed.
    EndpointId, Uuid::new_v4
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// The customer of the host on whose behalf integrations and contacts are kept.
    ///
    /// It appears in log lines: use an identifier, not a name. A host with one tenant takes the default.
    TenantId
}

impl Default for TenantId {
    /// Returns `default`, for hosts with one tenant.
    fn default() -> Self {
        Self::from("default")
    }
}

text_id! {
    /// Who made something: the host's own identifier of a user or a service.
    Actor
}

/// Whose rows a call may see and change. Every call carries one; there is no way around it.
///
/// ```
/// use integration_core::{Scope, TenantId};
///
/// let acme = TenantId::from("acme");
/// assert!(Scope::from(&acme).covers(&acme));
/// assert!(!Scope::from(&acme).covers(&TenantId::from("umbrella")));
/// assert!(Scope::Administrator.covers(&acme));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// The rows of one tenant.
    Tenant(TenantId),
    /// The rows of every tenant, and the templates, which nobody else may write.
    Administrator,
}

impl Scope {
    /// Returns whether rows of this tenant are within the scope.
    pub fn covers(&self, tenant: &TenantId) -> bool {
        match self {
            Self::Tenant(own) => own == tenant,
            Self::Administrator => true,
        }
    }

    /// Returns the tenant, if the scope is that of one.
    pub fn tenant(&self) -> Option<&TenantId> {
        match self {
            Self::Tenant(tenant) => Some(tenant),
            Self::Administrator => None,
        }
    }
}

impl From<TenantId> for Scope {
    fn from(tenant: TenantId) -> Self {
        Self::Tenant(tenant)
    }
}

impl From<&TenantId> for Scope {
    fn from(tenant: &TenantId) -> Self {
        Self::Tenant(tenant.clone())
    }
}

impl From<&Scope> for Scope {
    fn from(scope: &Scope) -> Self {
        scope.clone()
    }
}
