//! The code of the project's README, compiled, run, and compared with what the README shows.
#![expect(
    clippy::items_after_statements,
    reason = "what a reader copies begins with its imports"
)]

use std::error::Error;

const README: &str = include_str!("../../README.md");
const THIS: &str = include_str!("readme.rs");

#[tokio::test]
async fn in_a_service() -> Result<(), Box<dyn Error>> {
    let sandbox = vendor_sandbox::Sandbox::openphone().start().await?;
    let (key, url) = (sandbox.api_key(), sandbox.base_url());

    // README
    use openphone_client::{Client, SimpleContact};

    let client = Client::builder().api_key(key).base_url(url).build()?; // or Client::from_env()?

    let ana = SimpleContact::new("Ana")
        .email("ana@example.com")
        .notes("met at the fair");
    let mapped = ana.to_new_contact();
    let contact = client
        .contacts()
        .create(&mapped.contact.external_id("user-42"))
        .await?;
    println!("{}, without its {:?}", contact.id, mapped.unmapped); // API v1 has no field for notes

    // When a call fails, the error knows whether it happened.
    if let Err(error) = client.contacts().get(&"no-such-contact".into()).await {
        println!(
            "{error}: {:?}, worth a retry: {}",
            error.delivery(),
            error.is_retryable()
        );
    }
    // README

    assert!(!mapped.unmapped.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_settings_page_and_a_signup() -> Result<(), Box<dyn Error>> {
    use integration_core::vault::{KeyId, MasterKey};

    let sandbox = vendor_sandbox::Sandbox::openphone().start().await?;
    let (key, url) = (sandbox.api_key(), sandbox.base_url());
    let folder = std::env::temp_dir().join(format!("readme-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let keyring = Keyring::new(KeyId::new("k1")?, MasterKey::generate()?);
    let file = folder.join("app.db");

    // README
    use std::sync::Arc;

    use integration_core::vault::{Keyring, Vault};
    use integration_core::{Integrations, TenantId};
    use integration_store::SqliteStore;
    use openphone_client::integration::{Config, OpenPhone};
    use openphone_client::{Client, ListPhoneNumbers};

    // Once, at the start. The keyring comes from API_KEY_ENCRYPTION_SECRET: Keyring::from_env()?
    let store = Arc::new(SqliteStore::open(&file).await?);
    let integrations = Integrations::builder(store.clone(), Vault::new(keyring))
        .vendor(OpenPhone::new().base_url(url)) // without base_url: the real OpenPhone
        .webhook_base_url("https://app.example.com/webhooks".parse()?)
        .build()
        .await?;

    // On the page: test, save, list the numbers, switch on.
    let acme = TenantId::from("acme");
    let test = integrations.test_unsaved(&acme, Config::new(key)).await?;
    println!("{}", test.message);
    let id = integrations.save(&acme, Config::new(key)).await?;
    let client = integrations.client::<Client>(&acme, id).await?;
    let numbers = client
        .phone_numbers()
        .list(&ListPhoneNumbers::new())
        .await?;
    let enabled = integrations.enable(&acme, id).await?; // tests again, registers webhooks once
    println!("{} numbers, {:?}", numbers.len(), enabled.status);
    // README

    assert!(test.success && !numbers.is_empty() && enabled.is_active);

    // README
    use std::time::Duration;

    use contact_sync::integrations::IntegrationDirectory;
    use contact_sync::targets::openphone::OpenPhoneTarget;
    use contact_sync::{Region, Signup, SignupHook, Worker};

    // Once, at the start.
    let directory = IntegrationDirectory::new(integrations.clone())
        .vendor("openphone")
        .resuming(store.clone());
    directory.refresh().await?;
    let target = OpenPhoneTarget::new(directory.clients("openphone")).mappings(directory.clone());
    let worker = Worker::new(store.clone())
        .target(Arc::new(target))
        .integrations(&directory) // jobs of an integration that is in error wait, and go on when it is mended
        .start();
    let hook = SignupHook::new(store.clone(), directory).region(Region::US);

    // In the form's handler. `on_signup` does not wait for the vendors; this one does, for a while.
    let ann = Signup::new()
        .tenant("acme")
        .host_id("17")
        .name("Ann Lee")
        .email("ann@example.com")
        .phone("(202) 555-0143");
    let receipt = hook.on_signup_wait(ann, Duration::from_secs(5)).await?;
    println!("{:?}", receipt.target("openphone"));

    // Before the program ends.
    worker.shutdown(Duration::from_secs(10)).await;
    // README

    assert!(
        receipt
            .target("openphone")
            .is_some_and(|line| line.integrated)
    );
    assert_eq!(sandbox.control().contact_count(), 1);
    integrations.close().await;
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

#[test]
fn the_readme_shows_the_code_that_runs_here() {
    let marked = THIS.split("    // README\n").skip(1).step_by(2);
    let ran: Vec<String> = marked
        .map(|block| {
            let lines = block
                .lines()
                .map(|line| line.strip_prefix("    ").unwrap_or(line));
            lines.collect::<Vec<_>>().join("\n")
        })
        .collect();
    let shown: Vec<&str> = README
        .split("```rust\n")
        .skip(1)
        .filter_map(|rest| rest.split("\n```").next())
        .collect();
    assert_eq!(ran, shown);
}
