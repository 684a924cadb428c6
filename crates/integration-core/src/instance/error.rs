use std::fmt;

use chrono::{DateTime, Utc};
use thiserror::Error;

use super::ConnectionTest;
use crate::status::{IllegalTransition, ReasonCode, Status};
use crate::store::StoreError;
use crate::template::{InvalidSchema, InvalidTemplate, ValidationErrors};
use crate::vault::VaultError;

/// What the façade could not do. One line each, without secrets and without anything that somebody filled in.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IntegrationError {
    /// There is no such row within the scope. Whether there is one outside it is not told. HTTP 404.
    #[error("there is no such {what} within this scope")]
    NotFound {
        /// What there is none of.
        what: Missing,
    },
    /// Only an administrator may do this. HTTP 403.
    #[error("only an administrator may do this")]
    Forbidden,
    /// An administrator has to say whose integration it is to be:
    /// [`NewIntegration::for_tenant`](super::NewIntegration::for_tenant). HTTP 400.
    #[error("it has to be said whose integration it is to be")]
    TenantRequired,
    /// There is no template of this name. HTTP 404.
    #[error("there is no template named {vendor:?}")]
    UnknownVendor {
        /// The name.
        vendor: String,
    },
    /// There is a template of this name, but no code that could call the vendor is registered. HTTP 501.
    #[error("no vendor named {vendor:?} is registered")]
    NoVendor {
        /// The name.
        vendor: String,
    },
    /// Two vendors of one name were registered.
    #[error("two vendors named {vendor:?} are registered")]
    DuplicateVendor {
        /// The name.
        vendor: String,
    },
    /// The template is not active: no new instance of it can be made. HTTP 409.
    #[error("the template {vendor:?} is not active")]
    TemplateInactive {
        /// Its name.
        vendor: String,
    },
    /// The template cannot be deleted while integrations use it. HTTP 409.
    #[error("{count} integrations use the template")]
    TemplateInUse {
        /// How many.
        count: u64,
    },
    /// There is a template of that name already. HTTP 409.
    #[error("there is a template named {name:?} already")]
    TemplateExists {
        /// The name.
        name: String,
    },
    /// The template cannot be saved: every fault. HTTP 422.
    #[error("{0}")]
    InvalidTemplate(InvalidTemplate),
    /// The schemas of a registered vendor follow its types and cannot be changed. HTTP 409.
    #[error("the schemas of {vendor:?} follow the types of its code")]
    DerivedSchema {
        /// The vendor.
        vendor: String,
    },
    /// A stored schema cannot be used. HTTP 500.
    #[error("the {which} schema of the template is not valid")]
    InvalidSchema {
        /// `config` or `settings`.
        which: &'static str,
        /// What is wrong with it.
        #[source]
        source: InvalidSchema,
    },
    /// The config breaks its schema: every fault, by field. HTTP 422.
    #[error("{0}")]
    InvalidConfig(ValidationErrors),
    /// The settings break their schema: every fault, by field. HTTP 422.
    #[error("the settings are not valid: {}", .0.in_a_line())]
    InvalidSettings(ValidationErrors),
    /// A name is missing, longer than 200 characters, or has a NUL in it. HTTP 422.
    #[error("a name has 1 to 200 characters, one of them no blank, and none of them NUL")]
    InvalidName,
    /// A description is longer than 10,000 characters, or has a NUL in it. HTTP 422.
    #[error("a description has at most 10,000 characters, none of them NUL")]
    InvalidDescription,
    /// The address for webhooks is not of the web. A mistake in the host.
    #[error("the base address for webhooks has to be http or https")]
    InvalidWebhookBaseUrl,
    /// A sealed value could not be opened, or one could not be sealed. HTTP 500.
    #[error("the vault refused the field {field:?}")]
    Vault {
        /// Which field.
        field: String,
        /// Why.
        #[source]
        source: VaultError,
    },
    /// The store failed. Nothing was written. HTTP 503. It says and is caused by what the store says and is caused by.
    #[error(transparent)]
    Store(StoreError),
    /// The vendor failed, or the client cannot be built. HTTP 502.
    #[error("the vendor's client failed")]
    Vendor(#[source] connector_http::Error),
    /// The connection test that decides did not pass; the state and the log say so too. HTTP 422.
    #[error("the connection test did not pass")]
    TestFailed(Box<ConnectionTest>),
    /// The vendor's client is of another type than was asked for. A mistake in the host.
    #[error("the client of {vendor:?} is of another type")]
    WrongClientType {
        /// The vendor.
        vendor: String,
    },
    /// It has no credentials: the vendor took access away. Save new ones. HTTP 409.
    #[error("there are no credentials")]
    NoCredentials,
    /// No call is to be made with it now. HTTP 409.
    #[error("{0}")]
    NotActive(Box<NotActive>),
    /// Somebody else is enabling or deleting it at this moment. Trying later works. HTTP 409.
    #[error("somebody else is at work on it")]
    Busy,
    /// The runtime was shut down while it was under way. What had to be kept was kept. HTTP 503.
    #[error("the runtime is shutting down")]
    Interrupted,
    /// What was reported cannot have happened. A mistake in the host.
    #[error("{0}")]
    Illegal(IllegalTransition),
}

impl From<StoreError> for IntegrationError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Missing::Integration.into(),
            StoreError::InUse { count } => Self::TemplateInUse { count },
            other => Self::Store(other),
        }
    }
}

impl From<IllegalTransition> for IntegrationError {
    fn from(error: IllegalTransition) -> Self {
        Self::Illegal(error)
    }
}

/// What there is none of within a scope.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// An integration.
    Integration,
    /// A template.
    Template,
    /// An endpoint for webhooks.
    Endpoint,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Integration => "integration",
            Self::Template => "template",
            Self::Endpoint => "endpoint",
        })
    }
}

impl From<Missing> for IntegrationError {
    fn from(what: Missing) -> Self {
        Self::NotFound { what }
    }
}

/// Why no call is to be made with an integration. Its jobs wait; they do not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotActive {
    /// Where it stands.
    pub status: Status,
    /// Whether a person wants it on.
    pub is_active: bool,
    /// Whether it waits for a person to connect the account again.
    pub needs_reauth: bool,
    /// Why it is in error or disconnected.
    pub reason: Option<ReasonCode>,
    /// Until when the vendor wants no call; none where time alone does not help.
    pub paused_until: Option<DateTime<Utc>>,
}

impl fmt::Display for NotActive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(until) = self.paused_until {
            return write!(f, "the integration is paused until {until}");
        }
        f.write_str(match self.status {
            Status::Pending => "the integration has not been tested yet",
            Status::Active => "the integration is switched off",
            Status::Error => "the integration is in error",
            Status::Disconnected => "the integration is disconnected",
        })?;
        if self.needs_reauth {
            f.write_str(": the account has to be connected again")?;
        }
        Ok(())
    }
}
