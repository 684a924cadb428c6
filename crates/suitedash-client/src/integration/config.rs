//! What a tenant fills in to connect.

use integration_core::instance::{ConfigValues, VendorConfig};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::export::Mode;
use crate::quota::QuotaPlan;

/// How one account is reached.
///
/// `Debug` shows no secret. There is neither an address nor a directory among the fields: see
/// [`SuiteDash::base_url`](super::SuiteDash::base_url) and
/// [`SuiteDash::export_directory`](super::SuiteDash::export_directory).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(description = "How contacts reach the account.")]
#[non_exhaustive]
pub struct Config {
    /// Through the Secure API, or through files that somebody imports.
    #[serde(default)]
    #[schemars(
        title = "Mode",
        extend("ui" = {
            "labels": {"api": "Secure API", "import": "Files to import"},
            "help": "The Secure API has a number of calls per month, by plan. Files need a person to import them."
        })
    )]
    pub mode: Mode,
    /// The public id of the Secure API.
    #[serde(default)]
    #[schemars(
        title = "Public ID",
        with = "Option<String>",
        regex(pattern = "^[!-~]+$"),
        extend("ui" = {
            "help": "In SuiteDash under Integrations, Secure API. Only admins see the page.",
            "visible_when": {"field": "mode", "equals": "api"}
        })
    )]
    pub public_id: Option<String>,
    /// A secret key of the Secure API.
    #[serde(default)]
    #[schemars(
        title = "Secret key",
        schema_with = "integration_core::template::sealed",
        regex(pattern = "^[!-~]+$"),
        extend("ui" = {
            "help": "Made on the same page. The plain key, not one that begins with $2y$.",
            "visible_when": {"field": "mode", "equals": "api"}
        })
    )]
    pub secret_key: Option<SecretString>,
    /// What the account has bought: how many calls a month. Left empty, calls are counted and refused only once
    /// SuiteDash has refused one.
    #[serde(default)]
    #[schemars(
        title = "Plan",
        extend("ui" = {"visible_when": {"field": "mode", "equals": "api"}})
    )]
    pub plan: Option<Plan>,
}

/// What the account has bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Plan {
    /// Free Trial: 80 calls a month.
    FreeTrial,
    /// Start: 400 calls a month.
    Start,
    /// Thrive: 2,000 calls a month.
    Thrive,
    /// Pinnacle: 20,000 calls a month.
    Pinnacle,
}

impl Plan {
    /// Returns what the ledger calls it.
    pub fn quota(self) -> QuotaPlan {
        match self {
            Self::FreeTrial => QuotaPlan::FreeTrial,
            Self::Start => QuotaPlan::Start,
            Self::Thrive => QuotaPlan::Thrive,
            Self::Pinnacle => QuotaPlan::Pinnacle,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::FreeTrial => "free_trial",
            Self::Start => "start",
            Self::Thrive => "thrive",
            Self::Pinnacle => "pinnacle",
        }
    }
}

impl Config {
    /// Makes a config of API mode, of the pair from Integrations > Secure API.
    pub fn api(public_id: impl Into<String>, secret_key: impl Into<SecretString>) -> Self {
        Self {
            mode: Mode::Api,
            public_id: Some(public_id.into()),
            secret_key: Some(secret_key.into()),
            plan: None,
        }
    }

    /// Makes a config of import mode, which needs no key.
    pub fn import() -> Self {
        Self {
            mode: Mode::Import,
            public_id: None,
            secret_key: None,
            plan: None,
        }
    }

    /// Sets what the account has bought.
    #[must_use]
    pub fn plan(mut self, plan: Plan) -> Self {
        self.plan = Some(plan);
        self
    }
}

impl VendorConfig for Config {
    const VENDOR: &'static str = crate::client::VENDOR;

    fn into_values(self) -> ConfigValues {
        ConfigValues::new()
            .readable("mode", self.mode.as_str())
            .readable_opt("public_id", self.public_id)
            .secret_opt("secret_key", self.secret_key)
            .readable_opt("plan", self.plan.map(Plan::name))
    }
}
