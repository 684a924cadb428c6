//! The code of the project's README, compiled, run, and compared with what the README shows.
#![expect(
    clippy::items_after_statements,
    reason = "what a reader copies begins with its imports"
)]
#![expect(
    clippy::redundant_closure_for_method_calls,
    clippy::match_wildcard_for_single_variants,
    reason = "what a reader copies needs no further import, and goes on when his error has more variants"
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

#[tokio::test(start_paused = true)]
async fn a_vendor_of_ones_own() -> Result<(), Box<dyn Error>> {
    use std::sync::Arc;
    use std::time::Duration;

    use contact_sync::{MemoryStore, Signup, SignupHook, StaticDirectory, Worker};
    use in_house::{Crm, CrmError, Row};

    // README
    use std::iter::once;

    use contact_sync::{
        Contact, Context, ErrorClass, Hit, Person, RemoteId, Target, TargetError, Unmapped, Updated,
    };

    struct InHouse(Crm); // your own client of it

    #[async_trait::async_trait]
    impl Target for InHouse {
        fn name(&self) -> &'static str {
            "in-house"
        }

        fn can_delete(&self) -> bool {
            true // the strict road has to take back what it created
        }

        fn search_lag(&self) -> Duration {
            Duration::ZERO // a search sees what was just written
        }

        fn settle_time(&self) -> Duration {
            Duration::from_secs(30) // then its server has given up on a request, too
        }

        fn unmapped(&self, _: &Contact) -> Vec<Unmapped> {
            Vec::new() // there is a place for everything
        }

        // Before every create: who is there under our key? Several wait for a person's choice.
        async fn find(
            &self,
            _: &Context<'_>,
            person: &Person<'_>,
        ) -> Result<Vec<Hit>, TargetError> {
            let keys = once(person.key).chain(person.aliases);
            let found = self.0.search(keys.map(|key| key.as_str())).await;
            let hit = |row: Row| Hit::new(row.id, Some(row.created_at));
            Ok(found.map_err(failed)?.into_iter().map(hit).collect())
        }

        // `Ambiguous` unless it is known that nothing was created: the next attempt looks before it creates.
        async fn create(
            &self,
            _: &Context<'_>,
            person: &Person<'_>,
        ) -> Result<RemoteId, TargetError> {
            let made = self.0.insert(person.key.as_str(), person.contact).await;
            made.map(RemoteId::from).map_err(|error| match error {
                CrmError::NoAnswer => TargetError::new(ErrorClass::Ambiguous).still_running(),
                CrmError::Status(500..) => TargetError::new(ErrorClass::Ambiguous),
                error => failed(error),
            })
        }

        async fn update(
            &self,
            _: &Context<'_>,
            remote: &RemoteId,
            person: &Person<'_>,
        ) -> Result<Updated, TargetError> {
            let saved = self.0.save(remote.as_str(), person.contact).await;
            Ok(match saved.map_err(failed)? {
                None => Updated::Gone, // looked for and created anew
                Some(true) => Updated::Changed,
                Some(false) => Updated::Unchanged,
            })
        }

        async fn delete(&self, _: &Context<'_>, remote: &RemoteId) -> Result<(), TargetError> {
            self.0.remove(remote.as_str()).await.map_err(failed)
        }
    }

    fn failed(error: CrmError) -> TargetError {
        TargetError::new(match error {
            CrmError::Status(401 | 403) => ErrorClass::Auth, // waits until the key is mended
            CrmError::Status(429) => ErrorClass::RateLimited,
            CrmError::Status(409) => ErrorClass::Conflict, // there already: looked for and updated
            CrmError::Status(400..500) => ErrorClass::InvalidData, // a dead letter at once
            _ => ErrorClass::Transient,                    // tried again, up to 72 hours
        })
    }
    // README

    let (crm, store) = (Crm::default(), Arc::new(MemoryStore::new()));
    let target = Arc::new(InHouse(crm.clone()));
    let worker = Worker::new(store.clone()).target(target).start();
    let hook = SignupHook::new(store, StaticDirectory::new().on("in-house"));
    // The answer to the first create is lost, and the record of the second change with it.
    for name in ["Ann Lee", "Ann Day", "Ann May"] {
        let ann = Signup::new().host_id("17").name(name);
        hook.on_signup(ann.email("ann@example.com")).await?;
        worker.idle().await;
        assert_eq!(crm.names(), [name]);
        if name == "Ann Day" {
            crm.clear();
        }
    }
    worker.shutdown(Duration::ZERO).await;
    Ok(())
}

/// A CRM that loses its first answer.
#[expect(
    clippy::unwrap_used,
    clippy::unused_async,
    reason = "it stands for a client that talks to a server, outside of the test itself"
)]
mod in_house {
    use std::sync::{Arc, Mutex};

    use chrono::{DateTime, Utc};
    use connector_http::{Timer as _, TokioTimer};
    use contact_sync::Contact;

    #[derive(Clone)]
    pub(super) struct Row {
        pub(super) id: String,
        pub(super) created_at: DateTime<Utc>,
        key: String,
        name: String,
    }

    #[derive(Clone, Copy)]
    pub(super) enum CrmError {
        NoAnswer,
        Status(u16),
    }

    #[derive(Clone, Default)]
    pub(super) struct Crm(Arc<Mutex<(u32, Vec<Row>)>>);

    impl Crm {
        pub(super) fn names(&self) -> Vec<String> {
            let rows = &self.0.lock().unwrap().1;
            rows.iter().map(|row| row.name.clone()).collect()
        }

        pub(super) fn clear(&self) {
            self.0.lock().unwrap().1.clear();
        }

        pub(super) async fn search<'a>(
            &self,
            keys: impl Iterator<Item = &'a str> + Send,
        ) -> Result<Vec<Row>, CrmError> {
            let keys: Vec<&str> = keys.collect();
            let rows = &self.0.lock().unwrap().1;
            let known = rows.iter().filter(|row| keys.contains(&&*row.key));
            Ok(known.cloned().collect())
        }

        pub(super) async fn insert(
            &self,
            key: &str,
            contact: &Contact,
        ) -> Result<String, CrmError> {
            let mut crm = self.0.lock().unwrap();
            let (count, rows) = &mut *crm;
            if rows.iter().any(|row| row.key == key) {
                return Err(CrmError::Status(409));
            }
            *count += 1;
            rows.push(Row {
                id: count.to_string(),
                created_at: TokioTimer.utc_now(),
                key: key.to_owned(),
                name: name(contact),
            });
            match *count {
                1 => Err(CrmError::NoAnswer),
                count => Ok(count.to_string()),
            }
        }

        pub(super) async fn save(
            &self,
            id: &str,
            contact: &Contact,
        ) -> Result<Option<bool>, CrmError> {
            let mut crm = self.0.lock().unwrap();
            let Some(row) = crm.1.iter_mut().find(|row| row.id == id) else {
                return Ok(None);
            };
            let before = std::mem::replace(&mut row.name, name(contact));
            Ok(Some(before != row.name))
        }

        pub(super) async fn remove(&self, id: &str) -> Result<(), CrmError> {
            self.0.lock().unwrap().1.retain(|row| row.id != id);
            Ok(())
        }
    }

    fn name(contact: &Contact) -> String {
        let name = [contact.name().first(), contact.name().last()];
        name.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
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
