//! The sweep of a key rotation over a store, while others write.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use integration_core::IntegrationId;
use integration_core::instance::StoredIntegration;
use integration_core::store::{SaveOutcome, SealedTokens, SealedValue, StoreError, TokenRowId};
use integration_core::template::IntegrationTemplate;
use integration_core::vault::{KeyId, Keyring, Rotation, SealContext, Vault};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::RwLock;

use super::samples::{EVERYBODY, at, endpoint, plain, read, with, with_template};
use super::{Ports, Subject};

const K1: &str = "75a5080016cfc41ac1d6f3001a7869584e52672862e066744cc5d464a49fae0f";
const K2: &str = "701ccdc2dbef90bcb31178d36a6cc8d33c4c198e49f0fcd2bbb6342bb241a383";

/// So many values at once that writers come between their being read and their being replaced.
const PAGE: u32 = 32;

const ROWS: usize = 6;
const WRITERS: usize = 3;
const WRITES: usize = 60;

fn keyring(text: &str) -> Keyring {
    let text = text.replace("{1}", K1).replace("{2}", K2);
    Keyring::parse(&text.into()).unwrap()
}

/// What is written. Each value is a number, counted up by every write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Credential,
    Webhook,
    Tokens,
}

const EVERYTHING: [What; 3] = [What::Credential, What::Webhook, What::Tokens];

fn context(row: &StoredIntegration, field: &str) -> SealContext {
    SealContext::new(row.tenant.as_str(), &row.id.to_string(), field)
}

fn seal(vault: &Vault, row: &StoredIntegration, field: &str, number: u64) -> String {
    let secret = SecretString::from(number.to_string());
    vault.seal(&context(row, field), &secret).unwrap()
}

fn open(vault: &Vault, row: &StoredIntegration, field: &str, sealed: &str) -> u64 {
    let opened = vault.open(&context(row, field), sealed).unwrap();
    opened.expose_secret().parse().unwrap()
}

fn webhook_field(row: &StoredIntegration) -> String {
    let endpoint = &row.endpoints[0];
    let webhook = &endpoint.webhooks[0].vendor_webhook_id;
    format!("webhook.{}.{webhook}", endpoint.id)
}

fn tokens(vault: &Vault, row: &StoredIntegration, number: u64) -> SealedTokens {
    let of = TokenRowId::new(row.tenant.clone(), row.id);
    let access = seal(vault, row, &of.access_token_field(), number);
    let mut tokens = SealedTokens::new(access, format!("print-{number}"), at(100));
    tokens.refresh_token = Some(seal(vault, row, &of.refresh_token_field(), number));
    tokens
}

/// Returns the number that a value stands at, after looking that all of what belongs together says the same.
async fn number(store: &dyn Ports, vault: &Vault, row: &StoredIntegration, what: What) -> u64 {
    match what {
        What::Credential => open(vault, row, "api_key", &row.config.sealed["api_key"]),
        What::Webhook => {
            let secret = row.endpoints[0].webhooks[0].secret.as_ref().unwrap();
            open(vault, row, &webhook_field(row), secret)
        }
        What::Tokens => {
            let of = TokenRowId::new(row.tenant.clone(), row.id);
            let tokens = store.tokens(&of).await.unwrap().unwrap().tokens;
            let refresh = tokens.refresh_token.unwrap();
            let number = open(vault, row, &of.refresh_token_field(), &refresh);
            let access = open(vault, row, &of.access_token_field(), &tokens.access_token);
            assert_eq!(access, number);
            assert_eq!(tokens.fingerprint, format!("print-{number}"));
            number
        }
    }
}

/// Counts one value up by one. Returns false when somebody else was faster.
async fn count_up(store: &dyn Ports, vault: &Vault, id: IntegrationId, what: What) -> bool {
    let mut row = read(store, id).await;
    let next = number(store, vault, &row, what).await + 1;
    let before = row.state.version;
    let written = match what {
        What::Credential => {
            let sealed = seal(vault, &row, "api_key", next);
            row.config.sealed.insert("api_key".to_owned(), sealed);
            row.state.version += 1;
            store
                .update_integration(&EVERYBODY, &row, before, &[])
                .await
        }
        What::Webhook => {
            let sealed = seal(vault, &row, &webhook_field(&row), next);
            row.endpoints[0].webhooks[0].secret = Some(sealed);
            row.state.version += 1;
            store
                .update_integration(&EVERYBODY, &row, before, &[])
                .await
        }
        What::Tokens => {
            let of = TokenRowId::new(row.tenant.clone(), row.id);
            let spent = format!("print-{}", next - 1);
            let next = tokens(vault, &row, next);
            match store.save_tokens_if(&of, &spent, &next).await {
                Ok(SaveOutcome::Saved) => Ok(()),
                Ok(_) => return false,
                Err(error) => Err(error),
            }
        }
    };
    match written {
        Err(StoreError::VersionConflict | StoreError::Locked(_)) => false,
        written => {
            written.unwrap();
            true
        }
    }
}

/// Reads every sealed value.
async fn all(store: &dyn Ports) -> Vec<SealedValue> {
    store.sealed_values(None, 1_000).await.unwrap()
}

fn under(values: &[SealedValue], key: &str) -> usize {
    let marker = format!("icv1.{key}.");
    let under = |value: &&SealedValue| value.value.starts_with(&marker);
    values.iter().filter(under).count()
}

/// Writes [`ROWS`] instances, all their values at zero.
async fn filled(
    store: &dyn Ports,
    template: &IntegrationTemplate,
    vault: &Vault,
) -> Vec<IntegrationId> {
    let mut ids = Vec::new();
    for _ in 0..ROWS {
        let mut row = plain("acme", template);
        row.endpoints = vec![endpoint("one")];
        // One that is counted up, and one that is copied along with it.
        for field in ["api_key", "api_secret"] {
            let sealed = seal(vault, &row, field, 0);
            row.config.sealed.insert(field.to_owned(), sealed);
        }
        row.endpoints[0].webhooks[0].secret = Some(seal(vault, &row, &webhook_field(&row), 0));
        let row = with(store, row).await;
        let of = TokenRowId::new(row.tenant.clone(), row.id);
        store
            .put_tokens(&of, &tokens(vault, &row, 0))
            .await
            .unwrap();
        ids.push(row.id);
    }
    ids
}

/// How often each value was counted up.
type Written = Arc<Mutex<BTreeMap<(IntegrationId, What), u64>>>;

/// Counts up [`WRITES`] times, now this value and now that.
async fn write(
    store: Arc<dyn Ports>,
    vault: Vault,
    writer: usize,
    ids: Vec<IntegrationId>,
    written: Written,
    under_way: Arc<RwLock<()>>,
) {
    let mut done = 0;
    for turn in 0.. {
        let id = ids[(turn * 5 + writer) % ROWS];
        let what = EVERYTHING[(turn + writer) % 3];
        let _under_way = under_way.read().await;
        if count_up(&*store, &vault, id, what).await {
            *written.lock().unwrap().entry((id, what)).or_default() += 1;
            done += 1;
        }
        if done == WRITES {
            return;
        }
    }
}

/// Lets a future go on so many times; none when it has not ended by then.
async fn cut_off<T>(times: u32, mut future: impl Future<Output = T> + Unpin) -> Option<T> {
    let mut left = times;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        Pin::new(&mut future).poll(context).map(Some)
    })
    .await
}

/// Replicas are promoted one after the other while all of them write, the sweep is dropped at any await, and in the end
/// no write is lost and nothing is left under the old key.
pub(crate) async fn loses_nothing_among_writers_and_kills(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    let replicas: Vec<_> = (0..WRITERS)
        .map(|_| Vault::new(keyring("k1:{1}")))
        .collect();
    let ids = filled(&*store, &template, &replicas[0]).await;
    let values = 5 * ROWS;
    assert_eq!(under(&all(&*store).await, "k1"), values);

    for replica in &replicas {
        replica
            .replace_keyring(keyring("k1:{1},k2:{2},index=k1"))
            .unwrap();
    }
    let written = Written::default();
    let under_way = Arc::new(RwLock::new(()));
    let mut writers = tokio::task::JoinSet::new();
    for (writer, vault) in replicas.iter().cloned().enumerate() {
        let (store, written) = (subject.reopened().await, Arc::clone(&written));
        let (ids, under_way) = (ids.clone(), Arc::clone(&under_way));
        writers.spawn(write(store, vault, writer, ids, written, under_way));
    }

    // The sweep runs early, too, while some replicas still seal under the old key.
    let mut cursor = None;
    for replica in &replicas {
        replica
            .replace_keyring(keyring("k2:{2},k1:{1},index=k1"))
            .unwrap();
        for polls in [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144] {
            let mut rotation =
                Rotation::new(replicas[0].clone(), &*store).page_size(PAGE / (polls % 3 * 3 + 1));
            if let Some(cursor) = cursor.clone().filter(|_| polls % 2 == 0) {
                rotation = rotation.resume_from(cursor);
            }
            let mut swept =
                Box::pin(rotation.run(|progress| cursor = Some(progress.cursor.clone())));
            if let Some(ended) = cut_off(polls, swept.as_mut()).await {
                ended.unwrap();
            }
        }
    }
    // PostgreSQL gives out the numbers that the sweep goes by in another order than the transactions end in: a value that
    // is being written comes to lie behind the sweep. So the last sweep begins when what was sealed under the old key is
    // written.
    drop(under_way.write().await);

    let mut sweeps = 0;
    let report = loop {
        let mut rotation = Rotation::new(replicas[1].clone(), &*store).page_size(PAGE);
        let report = rotation.run(|_| ()).await.unwrap();
        if report.complete {
            break report;
        }
        sweeps += 1;
        assert!(sweeps < 100, "{report:?}");
    };
    assert_eq!(report.counts.under(&KeyId::new("k1").unwrap()), 0);
    assert_eq!(under(&all(&*store).await, "k1"), 0);
    while let Some(ended) = writers.join_next().await {
        ended.unwrap();
    }
    let left = all(&*store).await;
    assert_eq!((under(&left, "k1"), under(&left, "k2")), (0, values));

    // Without the old key all can be read, and stands at what was written.
    let vault = Vault::new(keyring("k2:{2}"));
    let written = written.lock().unwrap().clone();
    assert_eq!(written.values().sum::<u64>(), (WRITERS * WRITES) as u64);
    for id in ids {
        let row = read(&*store, id).await;
        let copied = &row.config.sealed["api_secret"];
        assert_eq!(open(&vault, &row, "api_secret", copied), 0);
        for what in EVERYTHING {
            let expected = written.get(&(id, what)).copied().unwrap_or_default();
            assert_eq!(
                number(&*store, &vault, &row, what).await,
                expected,
                "{what:?}"
            );
        }
    }
}
