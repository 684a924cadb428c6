//! Acme: a vendor that lives in the test. Its client is a real one; its server is a transport that answers.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use async_trait::async_trait;
use connector_http::testing::{FakeTransport, RecordedRequest, Reply};
use connector_http::{Client, Endpoint, Error, Method, StaticHeaders};
use integration_core::instance::{
    ConfigValues, ConnectOptions, Health, RegisteredWebhook, TestReport, Vendor, VendorConfig,
    WebhookRequest,
};
use integration_core::template::NewTemplate;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) const KEY: &str = "acme-key-0123456789";
pub(crate) const OTHER_KEY: &str = "acme-key-9876543210";

/// Somebody that the vendor knows.
pub(crate) const PERSON: &str = "kanari@example.com";

const ME: Endpoint = Endpoint::new("account.get", Method::Get, "/me");
const LIST: Endpoint = Endpoint::new("webhooks.list", Method::Get, "/webhooks");
const CREATE: Endpoint = Endpoint::new("webhooks.create", Method::Post, "/webhooks");
const DELETE: Endpoint = Endpoint::new("webhooks.delete", Method::Delete, "/webhooks/{id}");

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Config {
    /// The key.
    #[schemars(
        title = "API key",
        length(min = 8),
        schema_with = "integration_core::template::sealed"
    )]
    api_key: SecretString,
    #[schemars(
        title = "Second secret",
        schema_with = "integration_core::template::sealed_optional"
    )]
    second: Option<SecretString>,
    #[schemars(title = "Region")]
    region: Option<String>,
}

impl Config {
    pub(crate) fn new(api_key: &str) -> Self {
        Self {
            api_key: api_key.into(),
            second: None,
            region: None,
        }
    }

    pub(crate) fn second(mut self, secret: &str) -> Self {
        self.second = Some(secret.into());
        self
    }

    pub(crate) fn region(mut self, region: &str) -> Self {
        self.region = Some(region.to_owned());
        self
    }
}

impl VendorConfig for Config {
    const VENDOR: &'static str = "acme";

    fn into_values(self) -> ConfigValues {
        ConfigValues::new()
            .secret("api_key", self.api_key)
            .secret_opt("second", self.second)
            .readable_opt("region", self.region)
    }
}

#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema, PartialEq)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) line: Option<String>,
    pub(crate) log_calls: bool,
    pub(crate) is_default: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            line: None,
            log_calls: true,
            is_default: false,
        }
    }
}

/// The vendor as it is registered, and its server. Clones are the same.
#[derive(Clone)]
pub(crate) struct Acme(Arc<Mutex<Server>>);

#[derive(Default)]
struct Server {
    keys: BTreeSet<String>,
    webhooks: Vec<(String, String)>,
    ever_registered: u32,
    connects: u32,
    clients: Vec<Weak<()>>,
    mood: Mood,
    mood_for_webhooks: Mood,
    requests: Vec<String>,
    is_passive: bool,
}

/// How the server feels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Mood {
    #[default]
    Well,
    Hangs,
    Slow(Duration),
    Answers(u16),
    Unreachable,
}

impl Acme {
    pub(crate) fn new() -> Self {
        let server = Server {
            keys: [KEY, OTHER_KEY].map(str::to_owned).into(),
            ..Server::default()
        };
        Self(Arc::new(Mutex::new(server)))
    }

    fn server(&self) -> std::sync::MutexGuard<'_, Server> {
        self.0.lock().unwrap()
    }

    /// From now on nothing is spent on asking how it is.
    pub(crate) fn passive(&self) {
        self.server().is_passive = true;
    }

    pub(crate) fn mood(&self, mood: Mood) {
        self.server().mood = mood;
    }

    pub(crate) fn mood_for_webhooks(&self, mood: Mood) {
        self.server().mood_for_webhooks = mood;
    }

    pub(crate) fn revoke(&self, key: &str) {
        self.server().keys.remove(key);
    }

    /// The addresses that are registered now.
    pub(crate) fn registered(&self) -> Vec<String> {
        let server = self.server();
        server.webhooks.iter().map(|(_, url)| url.clone()).collect()
    }

    pub(crate) fn ever_registered(&self) -> u32 {
        self.server().ever_registered
    }

    pub(crate) fn connects(&self) -> u32 {
        self.server().connects
    }

    /// How many clients, and the credentials in them, are still kept by somebody.
    pub(crate) fn clients(&self) -> usize {
        let server = self.server();
        server
            .clients
            .iter()
            .filter(|it| it.strong_count() > 0)
            .count()
    }

    /// The keys that requests came with, one for each.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.server().requests.clone()
    }

    pub(crate) fn transport(&self) -> FakeTransport {
        let server = self.clone();
        FakeTransport::handler(move |request| server.answer(request))
    }

    fn answer(&self, request: &RecordedRequest) -> Reply {
        let mut server = self.server();
        let key = request.header("authorization").unwrap_or_default();
        server.requests.push(key.to_owned());
        let webhooks = request.path().starts_with("/webhooks");
        let mood = if webhooks {
            server.mood_for_webhooks
        } else {
            server.mood
        };
        let delay = match mood {
            Mood::Well => Duration::ZERO,
            Mood::Hangs => return Reply::hang(),
            Mood::Slow(delay) => delay,
            Mood::Answers(status) => return refusal(status),
            Mood::Unreachable => return Reply::connect_error(),
        };
        server.well(request, key).delay(delay)
    }
}

/// Vendors repeat what they were sent, and more.
fn refusal(status: u16) -> Reply {
    Reply::status(status).json(&json!({ "message": format!("{KEY} of {PERSON} is refused") }))
}

impl Server {
    fn well(&mut self, request: &RecordedRequest, key: &str) -> Reply {
        if !self.keys.contains(key) {
            return refusal(401);
        }
        match (request.method.as_str(), request.path()) {
            ("GET", "/me") => Reply::status(200).json(&json!({ "account": "acct-7" })),
            ("GET", _) => {
                let list = self.webhooks.iter();
                let list: Vec<_> = list
                    .map(|(id, url)| json!({ "id": id, "url": url }))
                    .collect();
                Reply::status(200).json(&list)
            }
            ("POST", _) => {
                self.ever_registered += 1;
                let id = format!("wh-{}", self.ever_registered);
                let url = request.json()["url"].as_str().unwrap().to_owned();
                self.webhooks.push((id.clone(), url));
                Reply::status(201).json(&json!({ "id": id }))
            }
            ("DELETE", path) => {
                let id = path.rsplit('/').next().unwrap();
                let before = self.webhooks.len();
                self.webhooks.retain(|(there, _)| there != id);
                Reply::status(if self.webhooks.len() < before {
                    200
                } else {
                    404
                })
            }
            _ => Reply::status(405),
        }
    }
}

impl std::fmt::Debug for Acme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Acme")
    }
}

/// What the façade hands out.
#[derive(Clone, Debug)]
pub(crate) struct AcmeClient {
    http: Client,
    _alive: Arc<()>,
}

impl AcmeClient {
    pub(crate) async fn account(&self) -> Result<String, Error> {
        let me: Value = self.http.request(&ME).fetch().no_retry().await?;
        Ok(me["account"].as_str().unwrap().to_owned())
    }
}

#[async_trait]
impl Vendor for Acme {
    type Config = Config;
    type Settings = Settings;
    type Client = AcmeClient;

    fn template(&self) -> NewTemplate {
        NewTemplate::new("acme", "Acme", "phone")
    }

    fn connect(&self, config: &Config, options: &ConnectOptions) -> Result<AcmeClient, Error> {
        self.server().connects += 1;
        if config.region.as_deref() == Some("nowhere") {
            return Err(Error::config("acme", "client", "there is no such region"));
        }
        let auth = StaticHeaders::new(http::header::AUTHORIZATION, config.api_key.clone())
            .map_err(|invalid| Error::invalid_credential("acme", "client", invalid))?;
        let builder = Client::builder("acme")
            .base_url("https://api.example.com")
            .auth(auth);
        let builder = options.apply(builder);
        let alive = Arc::new(());
        self.server().clients.push(Arc::downgrade(&alive));
        Ok(AcmeClient {
            http: builder.build()?,
            _alive: alive,
        })
    }

    async fn test_connection(&self, client: &AcmeClient) -> Result<TestReport, Error> {
        let account = client.account().await?;
        Ok(TestReport::new("Connected.")
            .data(json!({ "lines": 3 }))
            .account_id(account))
    }

    fn health(&self) -> Health {
        if self.server().is_passive {
            Health::Passive
        } else {
            Health::Probe
        }
    }

    fn source_ids(&self, _: &Config, settings: &Settings) -> Vec<String> {
        settings.line.iter().cloned().collect()
    }

    async fn ensure_webhooks(
        &self,
        client: &AcmeClient,
        settings: &Settings,
        request: &WebhookRequest,
    ) -> Result<Vec<RegisteredWebhook>, Error> {
        let url = request.url.as_str();
        let list: Vec<Value> = client.http.request(&LIST).fetch().no_retry().await?;
        let mut here: Vec<String> = list
            .iter()
            .filter(|it| it["url"] == url)
            .map(|it| it["id"].as_str().unwrap().to_owned())
            .collect();
        if here.is_empty() && settings.log_calls {
            let create = client.http.request(&CREATE).json(&json!({ "url": url }));
            let made: Value = create.fetch().no_retry().await?;
            here.push(made["id"].as_str().unwrap().to_owned());
        }
        Ok(here
            .into_iter()
            .map(|id| {
                let secret = format!("secret-of-{id}");
                RegisteredWebhook::new(id, ["call"]).secret(secret)
            })
            .collect())
    }

    async fn remove_webhooks(&self, client: &AcmeClient, ids: &[String]) -> Result<(), Error> {
        for id in ids {
            let gone = client
                .http
                .request(&DELETE)
                .path("id", id)
                .discard()
                .no_retry()
                .await;
            match gone {
                Err(error) if error.kind() == connector_http::ErrorKind::NotFound => {}
                outcome => outcome.map(drop)?,
            }
        }
        Ok(())
    }
}
