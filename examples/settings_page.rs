//! The settings page of a product, in a terminal: choose an integration, fill in its form, test it, save it, choose a
//! number, enable it, break its key, and read what the operator reads.
//!
//! ```console
//! $ cargo run --example settings_page --features store
//! $ cargo run --example settings_page --features store -- --yes                 # answers itself
//! $ cargo run --example settings_page --features store -- --database FILE       # keeps what it saved in FILE
//! ```
//!
//! It talks to a simulated OpenPhone. What is saved goes to an SQLite file, its credentials sealed under the key beside
//! it (`FILE.key`) or the one in `API_KEY_ENCRYPTION_SECRET`.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use examples::prompt::Prompt;
use examples::{master_key, output, table};
use integration_core::instance::{
    ConfigField, Form, Integration, IntegrationError, IntegrationPatch, NewIntegration,
};
use integration_core::store::{IntegrationFilter, LogFilter};
use integration_core::template::{ConfigSchema, FormField, IntegrationTemplate, Widget};
use integration_core::vault::Vault;
use integration_core::{IntegrationId, Integrations, Scope, TenantId};
use integration_store::SqliteStore;
use openphone_client::integration::OpenPhone;
use openphone_client::{Client, ListPhoneNumbers};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use vendor_sandbox::Sandbox;

type Failure = Box<dyn std::error::Error>;

#[derive(Parser)]
#[command(about = "A settings page for integrations, in a terminal")]
struct Arguments {
    /// The SQLite file; it is made if it is not there, and so is FILE.key
    #[arg(long, default_value = "settings_page.db")]
    database: PathBuf,
    /// Ask nothing: take every suggestion
    #[arg(long)]
    yes: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let prompt = Prompt::new(arguments.yes);
    if prompt == Prompt::Nobody && !arguments.yes {
        say("there is no terminal: every suggestion is taken")?;
    }
    if let Some(folder) = arguments.database.parent()
        && !folder.as_os_str().is_empty()
        && !folder.is_dir()
    {
        return Err(format!("{}: there is no such folder", folder.display()).into());
    }
    let sandbox = Sandbox::openphone().start().await?;
    say(&format!(
        "a simulated OpenPhone listens at {}; its key is suggested where one is asked for",
        sandbox.base_url()
    ))?;
    let (keyring, origin) = master_key::for_database(&arguments.database)?;
    say(&origin.to_string())?;

    // What a host does once, at its start.
    let store = Arc::new(SqliteStore::open(&arguments.database).await?);
    let integrations = Integrations::builder(Arc::clone(&store), Vault::new(keyring))
        .vendor(OpenPhone::new().base_url(sandbox.base_url()))
        .webhook_base_url("https://app.example.com/webhooks".parse()?)
        .build()
        .await?;
    let page = Page {
        integrations,
        tenant: TenantId::from("acme"),
        prompt,
        sandbox,
    };
    page.show_saved().await?;
    let template = page.choose_template().await?;
    let id = page.connect(&template).await?;
    page.choose_number(id).await?;
    page.enable(id).await?;
    page.break_key(id).await?;
    page.show_log(id).await?;
    // What is still in the log beside the file goes into it.
    store.close().await;
    Ok(())
}

struct Page {
    integrations: Integrations,
    tenant: TenantId,
    prompt: Prompt,
    sandbox: Sandbox,
}

impl Page {
    /// Shows what earlier runs have saved.
    async fn show_saved(&self) -> Result<(), Failure> {
        let saved = self
            .integrations
            .list(&self.tenant, IntegrationFilter::default())
            .await?;
        for integration in &saved {
            say(&format!("saved before: {}", line(integration)))?;
        }
        Ok(())
    }

    /// Lets a person choose among the templates that are switched on.
    async fn choose_template(&self) -> Result<IntegrationTemplate, Failure> {
        let mut choices = self.integrations.templates(&self.tenant).await?;
        let rows: Vec<[String; 4]> = choices
            .iter()
            .map(|choice| {
                let template = &choice.template;
                let state = if template.is_active {
                    ""
                } else {
                    "not available yet"
                };
                [
                    template.display_name.clone(),
                    template.category.clone(),
                    choice.integrations.to_string(),
                    state.to_owned(),
                ]
            })
            .collect();
        let heading = ["template", "category", "in use", ""].map(str::to_owned);
        let rows: Vec<_> = [heading].into_iter().chain(rows).collect();
        say(&table::layout(&rows))?;
        choices.retain(|choice| choice.template.is_active);
        let names: Vec<String> = choices
            .iter()
            .map(|choice| choice.template.display_name.clone())
            .collect();
        let chosen = self.prompt.choose("Integration", &names)?;
        Ok(choices.swap_remove(chosen).template)
    }

    /// Asks for the config until its test passes, and saves it.
    async fn connect(&self, template: &IntegrationTemplate) -> Result<IntegrationId, Failure> {
        say(&template.setup_instructions)?;
        loop {
            let form = Form::new(
                &template.name,
                self.fill_in(&template.config_schema, self.sandbox.api_key())?,
            );
            let test = match self
                .integrations
                .test_unsaved(&self.tenant, form.clone())
                .await
            {
                Ok(test) => test,
                // Every fault of the form at once, without what was typed.
                Err(IntegrationError::InvalidConfig(faults)) if self.prompt == Prompt::Person => {
                    say(&faults.to_string())?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            say(&format!("test: {}", test.message))?;
            if test.success {
                let saved = self
                    .integrations
                    .save(&self.tenant, NewIntegration::from(form).name("Main line"))
                    .await?;
                say(&format!("saved as {saved}"))?;
                return Ok(saved);
            }
            if !self.prompt.confirm("Try again?", false)? {
                return Err("not connected".into());
            }
        }
    }

    /// Fills in the form that a schema describes. Nothing here knows the vendor.
    fn fill_in(&self, schema: &Value, secret: &str) -> Result<Map<String, Value>, Failure> {
        let schema = ConfigSchema::parse(schema)?;
        let mut values = Map::new();
        for field in schema.form_fields() {
            if let Some(value) = self.ask(&field, &SecretString::from(secret))? {
                values.insert(field.name, value);
            }
        }
        Ok(values)
    }

    fn ask(&self, field: &FormField, secret: &SecretString) -> Result<Option<Value>, Failure> {
        if let Some(description) = &field.description {
            say(&format!("  {description}"))?;
        }
        if field.sealed {
            let typed = self.prompt.secret(&field.title, secret)?;
            return Ok(Some(Value::from(typed.expose_secret())));
        }
        if field.widget == Widget::Checkbox {
            let suggested = field.default.as_ref().and_then(Value::as_bool);
            let yes = self
                .prompt
                .confirm(&field.title, suggested.unwrap_or_default())?;
            return Ok(Some(Value::from(yes)));
        }
        if !field.options.is_empty() {
            let labels: Vec<String> = field
                .options
                .iter()
                .map(|option| option.label.clone())
                .collect();
            let chosen = self.prompt.choose(&field.title, &labels)?;
            return Ok(field.options.get(chosen).map(|option| option.value.clone()));
        }
        let suggested = match &field.default {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        };
        let typed = self.prompt.text(&field.title, &suggested)?;
        Ok(field.read(&typed))
    }

    /// Lists the numbers of the account that was just connected, and keeps the chosen one in the settings.
    async fn choose_number(&self, id: IntegrationId) -> Result<(), Failure> {
        let client = self.integrations.client::<Client>(&self.tenant, id).await?;
        let numbers = client
            .phone_numbers()
            .list(&ListPhoneNumbers::new())
            .await?;
        let labels: Vec<String> = numbers
            .iter()
            .map(|number| {
                format!(
                    "{} {}",
                    number.number,
                    number.name.as_deref().unwrap_or_default()
                )
            })
            .collect();
        let chosen = self
            .prompt
            .choose("Number to call and text from", &labels)?;
        let number = numbers
            .get(chosen)
            .ok_or("this account has no phone number")?;
        let patch = IntegrationPatch::new()
            .setting("phone_number_id", number.id.as_str())
            .setting("auto_log_calls", true)
            .setting("auto_log_messages", true)
            .setting("is_default", true);
        self.integrations.update(&self.tenant, id, patch).await?;
        say(&format!(
            "uses {}",
            labels.get(chosen).map_or("", String::as_str)
        ))
    }

    /// Tests again, registers the webhooks once, and switches on.
    async fn enable(&self, id: IntegrationId) -> Result<(), Failure> {
        let enabled = self.integrations.enable(&self.tenant, id).await?;
        say(&format!("enabled: {}", line(&enabled)))?;
        // Asked twice, registered once.
        let again = self.integrations.enable(&self.tenant, id).await?;
        let count = |integration: &Integration| -> usize {
            let endpoints = integration.endpoints.iter();
            endpoints.map(|endpoint| endpoint.webhooks.len()).sum()
        };
        say(&format!(
            "webhooks registered: {}, and after enabling once more: {}",
            count(&enabled),
            count(&again)
        ))
    }

    /// Revokes the key at the vendor, as happens on a Friday evening, and lets the page find out.
    async fn break_key(&self, id: IntegrationId) -> Result<(), Failure> {
        if !self
            .prompt
            .confirm("Revoke the key at the vendor, to see what happens?", true)?
        {
            return Ok(());
        }
        self.sandbox.control().revoke_api_keys();
        let test = self.integrations.test_connection(&self.tenant, id).await?;
        say(&format!("test: {}", test.message))?;
        let broken = self.integrations.get(&self.tenant, id).await?;
        say(&format!("now: {}", line(&broken)))
    }

    async fn show_log(&self, id: IntegrationId) -> Result<(), Failure> {
        // The log is written behind the calls; this waits for what is still on its way.
        self.integrations.close().await;
        let mut text = String::from("\nhow it came to this:\n");
        for entry in self.integrations.history(&self.tenant, id, 20).await? {
            writeln!(
                text,
                "  {}  {:?}  {}",
                entry.at.format("%H:%M:%S"),
                entry.to,
                entry.message.unwrap_or(entry.event)
            )?;
        }
        text.push_str("\nthe last entries of the integration log:\n");
        let scope = Scope::from(&self.tenant);
        let entries = self.integrations.logs(&scope, LogFilter::default()).await?;
        for entry in entries.iter().take(12) {
            let status = entry.http_status.map(|s| s.to_string()).unwrap_or_default();
            writeln!(
                text,
                "  {}  {:<24} {:<8?} {:<4} {}",
                entry.created_at.format("%H:%M:%S"),
                entry.action,
                entry.status,
                status,
                entry.error_message.as_deref().unwrap_or_default()
            )?;
        }
        say(&text)
    }
}

/// One line about an integration: what it is, where it stands, and which of its secrets are set.
fn line(integration: &Integration) -> String {
    let mut line = format!(
        "{} ({}): {:?}",
        integration.name, integration.vendor, integration.status
    );
    if let Some(error) = &integration.error_message {
        line.push_str(", ");
        line.push_str(error);
    }
    for (name, field) in &integration.config {
        let shown = match field {
            ConfigField::Secret {
                last_four: Some(end),
                ..
            } => format!("…{end}"),
            ConfigField::Secret { set: true, .. } => "set".to_owned(),
            ConfigField::Secret { .. } => "not set".to_owned(),
            _ => continue,
        };
        line.extend(["; ", name, " ", &shown]);
    }
    line
}

fn say(text: &str) -> Result<(), Failure> {
    Ok(output::print(&format!("{text}\n"))?)
}
