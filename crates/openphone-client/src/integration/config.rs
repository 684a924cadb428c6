//! What a tenant fills in to connect.

use integration_core::instance::{ConfigValues, VendorConfig};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;

/// The credentials of one workspace.
///
/// `Debug` shows none of them. There is no address among them: see [`OpenPhone::base_url`](super::OpenPhone::base_url).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(description = "How to reach the workspace.")]
#[non_exhaustive]
pub struct Config {
    /// The key of the workspace's API.
    #[schemars(
        title = "API key",
        schema_with = "integration_core::template::sealed",
        // Without blanks, and so without `Bearer ` before it.
        regex(pattern = "^[!-~]+$"),
        extend("ui" = {
            "help": "An owner or admin of the workspace makes it in the workspace settings, under API. Paste the bare key, without `Bearer`."
        })
    )]
    pub api_key: SecretString,
}

impl Config {
    /// Makes a config of an API key: the bare key, without `Bearer`.
    pub fn new(api_key: impl Into<SecretString>) -> Self {
        Self {
            api_key: api_key.into(),
        }
    }
}

impl VendorConfig for Config {
    const VENDOR: &'static str = crate::client::VENDOR;

    fn into_values(self) -> ConfigValues {
        ConfigValues::new().secret("api_key", self.api_key)
    }
}
