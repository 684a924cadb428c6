//! SuiteDash, as `integration_core` knows vendors.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use connector_http::{Delivery, Error, ErrorKind};
use integration_core::instance::{ConnectOptions, Health, TestReport, Vendor, VendorConfig as _};
use integration_core::template::NewTemplate;
use serde_json::json;

use super::config::{Config, Plan};
use crate::client::Client;
use crate::connection::{Connection, ImportPlace, Settings};
use crate::export::{ExportError, Mode};
use crate::quota::{QuotaLedger, QuotaPlan, QuotaStore};

const CONNECT: &str = "integration.connect";
const TEST: &str = "integration.test";

/// SuiteDash, for the host to register. All tenants' instances share it, and its count of calls: two instances with the
/// same public id have one month between them.
#[derive(Clone, Debug)]
pub struct SuiteDash {
    base_url: Option<String>,
    exports: Option<PathBuf>,
    ledger: QuotaLedger,
}

impl SuiteDash {
    /// Takes the vendor at its usual address, counts calls in memory, and has no import mode.
    pub fn new() -> Self {
        Self {
            base_url: None,
            exports: None,
            ledger: QuotaLedger::new(QuotaPlan::Uncounted),
        }
    }

    /// Takes the vendor at another address: a portal of its own, a proxy, a sandbox on loopback.
    ///
    /// Only the host says this, for all instances, and no config holds it: a tenant who could choose the address
    /// could have the host call its own network, and read the answers in test results and logs.
    ///
    /// What is wrong with it, [`connect`](Vendor::connect) says.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Sets where calls are counted. In memory by default, **which a restart forgets**: then nothing but SuiteDash's
    /// own refusal stands between a loop and the end of the month.
    #[must_use]
    pub fn quota_store(mut self, store: impl QuotaStore) -> Self {
        self.ledger = self.ledger.store(store);
        self
    }

    /// As [`quota_store`](Self::quota_store), for a store that others have too.
    #[must_use]
    pub fn shared_quota_store(mut self, store: Arc<dyn QuotaStore>) -> Self {
        self.ledger = self.ledger.shared_store(store);
        self
    }

    /// Sets the ledger that counts, with a reserve, a soft limit or a first day of its own. Its plan counts where a
    /// tenant names none.
    #[must_use]
    pub fn quota(mut self, ledger: QuotaLedger) -> Self {
        self.ledger = ledger;
        self
    }

    /// Sets the directory for the files of import mode; each instance gets one of its own in it, named by its id. It
    /// must exist. Without it, import mode is refused.
    #[must_use]
    pub fn export_directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.exports = Some(directory.into());
        self
    }

    fn api(&self, config: &Config, options: &ConnectOptions) -> Result<Client, Error> {
        let said = |text: &str| (!text.trim().is_empty()).then(|| text.to_owned());
        let public_id = config.public_id.as_deref().and_then(said);
        let missing = "API mode needs a public id and a secret key";
        let (Some(public_id), Some(secret_key)) = (public_id, config.secret_key.clone()) else {
            return Err(Error::config(Config::VENDOR, CONNECT, missing));
        };
        let ledger = match config.plan.map(Plan::quota) {
            Some(plan) => self.ledger.for_plan(plan),
            None => self.ledger.clone(),
        };
        let mut builder = Client::builder()
            .public_id(public_id)
            .secret_key(secret_key)
            .quota(ledger);
        if let Some(url) = &self.base_url {
            builder = builder.base_url(url);
        }
        options.apply(builder).build()
    }

    fn place(&self, options: &ConnectOptions) -> Result<ImportPlace, Error> {
        let refused = |reason| Error::config(Config::VENDOR, CONNECT, reason);
        let directory = self.exports.as_ref();
        let directory = directory.ok_or_else(|| refused("there is no import mode here"))?;
        let Some(account) = &options.account else {
            // An instance that is not saved yet writes nothing.
            return Ok(ImportPlace::new(directory));
        };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if account.is_empty() || !account.bytes().all(is_name) {
            return Err(refused("the account's name cannot be that of a directory"));
        }
        Ok(ImportPlace::new(directory.join(account)))
    }
}

impl Default for SuiteDash {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Vendor for SuiteDash {
    type Config = Config;
    type Settings = Settings;
    type Client = Connection;

    fn template(&self) -> NewTemplate {
        NewTemplate::new(Config::VENDOR, "SuiteDash", "crm")
            .description("Contacts in SuiteDash: through its Secure API, or through files that somebody imports.")
            .icon("crm")
            .setup_instructions(include_str!("setup.md"))
    }

    fn connect(&self, config: &Config, options: &ConnectOptions) -> Result<Connection, Error> {
        match config.mode {
            Mode::Api => self.api(config, options).map(Connection::Api),
            Mode::Import => self.place(options).map(Connection::Import),
        }
    }

    /// In API mode **one call of the month**: it reads the attributes of contacts. In import mode, whether the
    /// directory can be written.
    async fn test_connection(&self, connection: &Connection) -> Result<TestReport, Error> {
        match connection {
            Connection::Api(client) => test_api(client).await,
            Connection::Import(place) => test_place(place).await,
        }
    }

    /// Nothing is probed: each call is one of the month's.
    fn health(&self) -> Health {
        Health::Passive
    }
}

async fn test_api(client: &Client) -> Result<TestReport, Error> {
    let found = client.test_connection().await?;
    let message = if found.dummy {
        "The address works, with the pair that SuiteDash publishes for tries. It is nobody's account."
            .to_owned()
    } else {
        let fields = match found.custom_fields {
            0 => "no field of its own".to_owned(),
            1 => "1 field of its own".to_owned(),
            more => format!("{more} fields of its own"),
        };
        format!("Connected, with one call of the month. The account has {fields}.")
    };
    Ok(TestReport::new(message).data(json!({
        "mode": Mode::Api.as_str(),
        "attributes": found.attributes,
        "custom_fields": found.custom_fields,
    })))
}

async fn test_place(place: &ImportPlace) -> Result<TestReport, Error> {
    place.check().await.map_err(|error| {
        tracing::warn!(target: "suitedash_client", %error, "the directory for exports cannot be written");
        let reason = match error {
            ExportError::DiskFull { .. } => "no room on the disk for exports",
            _ => "the directory for exports cannot be written",
        };
        Error::of_client(ErrorKind::Config, Config::VENDOR, TEST, Delivery::NotSent, reason)
    })?;
    let message = "Ready. Contacts wait for an export, whose file somebody imports into SuiteDash.";
    Ok(TestReport::new(message).data(json!({ "mode": Mode::Import.as_str() })))
}
