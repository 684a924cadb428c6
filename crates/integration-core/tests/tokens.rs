//! Tokens in the vault: what lies in a row, what a save keeps, whom a lease lets through, and a key that changes in the
//! middle of a refresh.

#![cfg(feature = "http")]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; a panic is a failed test"
)]

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use connector_http::{LeaseOwner, Saved, StoredToken, TokenSet, TokenStore, TokenStoreErrorKind};
use integration_core::http::VaultTokenStore;
use integration_core::store::{
    SaveOutcome, SealedTokens, StoreError, StoredTokens, TokenRowId, TokenRows,
};
use integration_core::vault::{KeyId, Keyring, MasterKey, SealContext, Vault};
use integration_core::{IntegrationId, TenantId};
use rstest::rstest;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

const TTL: Duration = Duration::from_mins(1);

#[tokio::test]
async fn what_was_granted_comes_back_and_lies_sealed() {
    let there = Place::new();
    let store = there.store();
    assert!(store.load().await.unwrap().is_none());

    store
        .connect(&granted(1).scope("contacts.read"))
        .await
        .unwrap();
    let loaded = store.load().await.unwrap().unwrap();
    assert_eq!(plain(&loaded.tokens), ("access-1", Some("refresh-1")));
    assert_eq!(loaded.tokens.token_type, "Bearer");
    assert_eq!(loaded.tokens.expires_at, at(1));
    assert_eq!(loaded.tokens.refresh_expires_at, Some(at(100)));
    assert_eq!(loaded.tokens.scope.as_deref(), Some("contacts.read"));
    assert!(!loaded.refused);

    let row = there.rows.row(&there.id);
    let lying = format!("{row:?} {:?} {store:?} {loaded:?}", loaded.fingerprint);
    assert!(
        !lying.contains("access-1") && !lying.contains("refresh-1"),
        "{lying}"
    );
}

#[tokio::test]
async fn a_save_counts_only_for_the_token_that_was_spent() {
    let there = Place::new();
    let store = there.connected().await;
    let first = load(&store).await;

    assert_eq!(
        store
            .save_if(&first.fingerprint, &granted(2))
            .await
            .unwrap(),
        Saved::Saved
    );
    let second = load(&store).await;
    assert_eq!(plain(&second.tokens), ("access-2", Some("refresh-2")));
    assert_ne!(second.fingerprint, first.fingerprint);

    let late = store
        .save_if(&first.fingerprint, &granted(3))
        .await
        .unwrap();
    assert_eq!(late, Saved::Superseded);
    assert_eq!(
        plain(&load(&store).await.tokens),
        ("access-2", Some("refresh-2"))
    );

    there.rows.delete_tokens(&there.id).await.unwrap();
    let gone = store
        .save_if(&second.fingerprint, &granted(3))
        .await
        .unwrap();
    assert_eq!(gone, Saved::Gone);
    assert!(store.load().await.unwrap().is_none());
}

#[tokio::test]
async fn a_reply_without_a_refresh_token_keeps_the_one_there() {
    let there = Place::new();
    let store = there.store();
    store
        .connect(&granted(1).scope("contacts.read"))
        .await
        .unwrap();
    let first = load(&store).await;
    let sealed = there.rows.row(&there.id).tokens.refresh_token;

    let reply = TokenSet::new("access-2", at(2));
    assert_eq!(
        store.save_if(&first.fingerprint, &reply).await.unwrap(),
        Saved::Saved
    );
    let second = load(&store).await;
    assert_eq!(plain(&second.tokens), ("access-2", Some("refresh-1")));
    assert_eq!(second.fingerprint, first.fingerprint);
    assert_eq!(second.tokens.expires_at, at(2));
    assert_eq!(second.tokens.refresh_expires_at, Some(at(100)));
    assert_eq!(second.tokens.scope.as_deref(), Some("contacts.read"));
    assert_eq!(there.rows.row(&there.id).tokens.refresh_token, sealed);
}

#[tokio::test]
async fn a_grant_without_refresh_tokens_is_told_apart_by_its_access_tokens() {
    let there = Place::new();
    let store = there.store();
    store
        .connect(&TokenSet::new("access-1", at(1)))
        .await
        .unwrap();
    let first = load(&store).await;
    let reply = TokenSet::new("access-2", at(2));
    assert_eq!(
        store.save_if(&first.fingerprint, &reply).await.unwrap(),
        Saved::Saved
    );
    assert_eq!(
        store.save_if(&first.fingerprint, &reply).await.unwrap(),
        Saved::Superseded
    );
    assert_eq!(plain(&load(&store).await.tokens), ("access-2", None));
}

#[tokio::test(start_paused = true)]
async fn one_owner_at_a_time_holds_the_lease() {
    let there = Place::new();
    let (us, them) = (LeaseOwner::generate(), LeaseOwner::generate());
    let missing = there.store().try_lease(&us, TTL).await.unwrap_err();
    assert_eq!(missing.kind(), TokenStoreErrorKind::NotConnected);

    let store = there.connected().await;
    assert!(store.try_lease(&us, TTL).await.unwrap());
    assert!(
        store.try_lease(&us, TTL).await.unwrap(),
        "its holder renews it"
    );
    assert!(!store.try_lease(&them, TTL).await.unwrap());
    store.release(&them).await.unwrap();
    assert!(
        !store.try_lease(&them, TTL).await.unwrap(),
        "it is not theirs to give"
    );

    tokio::time::advance(TTL).await;
    assert!(store.try_lease(&them, TTL).await.unwrap(), "it ran out");
    store.release(&us).await.unwrap();
    assert!(
        !store.try_lease(&us, TTL).await.unwrap(),
        "it is no longer ours to give"
    );
    store.release(&them).await.unwrap();
    assert!(store.try_lease(&us, TTL).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_save_works_without_the_lease_and_ends_it() {
    let there = Place::new();
    let store = there.connected().await;
    let (us, them) = (LeaseOwner::generate(), LeaseOwner::generate());
    let spent = load(&store).await.fingerprint;
    assert!(store.try_lease(&us, TTL).await.unwrap());
    tokio::time::advance(TTL).await;
    assert!(store.try_lease(&them, TTL).await.unwrap());

    assert_eq!(
        store.save_if(&spent, &granted(2)).await.unwrap(),
        Saved::Saved
    );
    assert!(store.try_lease(&us, TTL).await.unwrap());
    assert!(!store.try_lease(&them, TTL).await.unwrap());
}

#[tokio::test]
async fn a_refusal_holds_for_one_token_and_is_lifted_by_the_next() {
    let there = Place::new();
    let store = there.connected().await;
    let first = load(&store).await;
    assert!(store.refuse(&first.fingerprint).await.unwrap());
    assert!(load(&store).await.refused);

    assert_eq!(
        store
            .save_if(&first.fingerprint, &granted(2))
            .await
            .unwrap(),
        Saved::Saved
    );
    let second = load(&store).await;
    assert!(!second.refused, "a late answer was saved after all");
    assert!(!store.refuse(&first.fingerprint).await.unwrap());
    assert!(!load(&store).await.refused);

    assert!(store.refuse(&second.fingerprint).await.unwrap());
    let same = TokenSet::new("access-3", at(3));
    assert_eq!(
        store.save_if(&second.fingerprint, &same).await.unwrap(),
        Saved::Saved
    );
    assert!(
        !load(&store).await.refused,
        "the kept token works after all"
    );

    assert!(store.refuse(&second.fingerprint).await.unwrap());
    store.connect(&granted(4)).await.unwrap();
    assert!(
        !load(&store).await.refused,
        "a person connected the account again"
    );
}

#[tokio::test]
async fn connecting_again_shuts_out_the_refresh_under_way() {
    let there = Place::new();
    let store = there.connected().await;
    let owner = LeaseOwner::generate();
    assert!(store.try_lease(&owner, TTL).await.unwrap());
    let spent = load(&store).await.fingerprint;

    store
        .connect(&TokenSet::new("access-9", at(9)))
        .await
        .unwrap();
    assert!(store.try_lease(&LeaseOwner::generate(), TTL).await.unwrap());
    assert_eq!(
        store.save_if(&spent, &granted(2)).await.unwrap(),
        Saved::Superseded
    );
    let now = load(&store).await;
    assert_eq!(
        plain(&now.tokens),
        ("access-9", None),
        "nothing of the old grant is kept"
    );
    assert_eq!(
        (now.tokens.refresh_expires_at, now.tokens.scope),
        (None, None)
    );
}

#[tokio::test]
async fn grants_of_one_integration_are_apart() {
    let there = Place::new();
    let own = there.connected().await;
    let user = VaultTokenStore::new(
        there.rows.clone(),
        there.vault.clone(),
        there.id.clone().owner("user-7"),
    );
    assert!(user.load().await.unwrap().is_none());
    user.connect(&granted(1)).await.unwrap();
    let (ours, theirs) = (load(&own).await, load(&user).await);
    assert_eq!(plain(&ours.tokens), plain(&theirs.tokens));
    assert_ne!(
        ours.fingerprint, theirs.fingerprint,
        "equal tokens do not show across rows"
    );
    assert_eq!(
        own.save_if(&theirs.fingerprint, &granted(2)).await.unwrap(),
        Saved::Superseded
    );
}

#[rstest]
#[case::another_key(|there: &mut Place| there.vault = Vault::new(Keyring::new(key_id("other"), key(9))))]
#[case::columns_swapped(|there: &mut Place| there.rows.edit(&there.id, |tokens| {
    let refresh = tokens.refresh_token.replace(tokens.access_token.clone());
    tokens.access_token = refresh.unwrap();
}))]
#[case::sealed_for_another_tenant(|there: &mut Place| there.rows.edit(&there.id, |tokens| {
    let instance = there.id.integration.to_string();
    let context = SealContext::new("umbrella", &instance, "oauth.refresh_token");
    tokens.refresh_token = Some(there.vault.seal(&context, &"refresh-1".into()).unwrap());
}))]
#[case::cut_short(|there: &mut Place| there.rows.edit(&there.id, |tokens| {
    tokens.access_token.truncate(20);
}))]
#[tokio::test]
async fn tokens_that_cannot_be_opened_are_left_alone_until_the_account_is_connected_again(
    #[case] spoil: fn(&mut Place),
) {
    let mut there = Place::new();
    there.connected().await;
    spoil(&mut there);
    let store = there.store();
    let before = there.rows.row(&there.id);

    let error = store.load().await.unwrap_err();
    assert_eq!(error.kind(), TokenStoreErrorKind::Unreadable);
    assert!(!error.is_retryable());
    let text = format!("{error} {error:?} {:?}", Error::source(&error));
    assert!(
        !text.contains("refresh-1") && !text.contains("icv1"),
        "{text}"
    );
    assert!(store.try_lease(&LeaseOwner::generate(), TTL).await.unwrap());
    assert_eq!(there.rows.row(&there.id), before);

    store.connect(&granted(2)).await.unwrap();
    assert_eq!(
        plain(&load(&store).await.tokens),
        ("access-2", Some("refresh-2"))
    );
}

#[tokio::test]
async fn tokens_can_be_opened_again_when_their_key_is_back() {
    let mut there = Place::new();
    there.connected().await;
    there.vault = Vault::new(Keyring::new(key_id("other"), key(9)));
    assert!(there.store().load().await.is_err());
    let with = |ring: Keyring| ring.and(key_id("first"), key(1)).unwrap();
    there.vault = Vault::new(with(Keyring::new(key_id("other"), key(9))));
    assert_eq!(
        plain(&load(&there.store()).await.tokens),
        ("access-1", Some("refresh-1"))
    );
}

/// Two replicas, one with the new key in front and one without, and a sweep between them.
#[rstest]
#[case::a_new_refresh_token(granted(2), ("access-2", "refresh-2"))]
#[case::the_same_refresh_token_again(
    TokenSet::new("access-2", at(2)).refresh_token(SecretString::from("refresh-1")),
    ("access-2", "refresh-1")
)]
#[case::no_refresh_token(TokenSet::new("access-2", at(2)), ("access-2", "refresh-1"))]
#[tokio::test]
async fn a_rotation_in_the_middle_of_a_refresh_loses_nothing(
    #[case] reply: TokenSet,
    #[case] expected: (&str, &str),
    #[values(false, true)] saved_by_the_promoted: bool,
    #[values(false, true)] index_changes: bool,
) {
    let there = Place::new();
    let ring = || {
        Keyring::new(key_id("first"), key(1))
            .and(key_id("second"), key(2))
            .unwrap()
    };
    let old = Vault::new(ring());
    let promoted = ring().promote(&key_id("second")).unwrap();
    let new = Vault::new(if index_changes {
        promoted.index_with(&key_id("second")).unwrap()
    } else {
        promoted
    });
    let before = VaultTokenStore::new(there.rows.clone(), old, there.id.clone());
    let after = VaultTokenStore::new(there.rows.clone(), new.clone(), there.id.clone());
    before.connect(&granted(1)).await.unwrap();

    let (loads, saves) = if saved_by_the_promoted {
        (&before, &after)
    } else {
        (&after, &before)
    };
    let spent = load(loads).await.fingerprint;
    there.rows.edit(&there.id, |tokens| {
        let instance = there.id.integration.to_string();
        let context = SealContext::new("acme", &instance, "oauth.refresh_token");
        let value = tokens.refresh_token.as_deref().unwrap();
        tokens.refresh_token = Some(new.rewrap(&context, value).unwrap().unwrap());
    });
    let swept = there.rows.row(&there.id).tokens.refresh_token;

    assert_eq!(saves.save_if(&spent, &reply).await.unwrap(), Saved::Saved);
    for store in [&before, &after] {
        let tokens = load(store).await.tokens;
        assert_eq!(plain(&tokens), (expected.0, Some(expected.1)));
    }
    if reply.refresh_token.is_none() {
        let kept = there.rows.row(&there.id).tokens.refresh_token;
        assert_eq!(kept, swept, "the sweep is not undone");
    }
}

#[rstest]
#[case(|| StoreError::Locked("busy".into()), TokenStoreErrorKind::Unavailable)]
#[case(|| StoreError::Refused("NUL".into()), TokenStoreErrorKind::Unstorable)]
#[case(|| StoreError::ReadOnly("full".into()), TokenStoreErrorKind::Unavailable)]
#[case(|| StoreError::Unavailable("away".into()), TokenStoreErrorKind::Unavailable)]
#[case(|| StoreError::Corrupt("a date".into()), TokenStoreErrorKind::Unreadable)]
#[case(|| StoreError::NotFound, TokenStoreErrorKind::NotConnected)]
#[tokio::test]
async fn what_a_store_cannot_do_is_told_by_kind(
    #[case] fault: fn() -> StoreError,
    #[case] expected: TokenStoreErrorKind,
) {
    let there = Place::new();
    let store = there.connected().await;
    let spent = load(&store).await.fingerprint;
    *there.rows.fault.lock().unwrap() = Some(fault);

    let owner = LeaseOwner::generate();
    let kinds = [
        store.load().await.map(drop).unwrap_err().kind(),
        store.connect(&granted(2)).await.unwrap_err().kind(),
        store.try_lease(&owner, TTL).await.unwrap_err().kind(),
        store.save_if(&spent, &granted(2)).await.unwrap_err().kind(),
        store.refuse(&spent).await.unwrap_err().kind(),
        store.release(&owner).await.unwrap_err().kind(),
    ];
    assert_eq!(kinds, [expected; 6]);
}

#[tokio::test]
async fn a_token_no_vault_takes_is_not_tried_for_ever() {
    let there = Place::new();
    let store = there.connected().await;
    let spent = load(&store).await.fingerprint;
    let huge = TokenSet::new("a".repeat(1 << 20), at(2));
    let error = store.save_if(&spent, &huge).await.unwrap_err();
    assert_eq!(error.kind(), TokenStoreErrorKind::Unstorable);
    assert!(!error.is_retryable());
}

async fn load(store: &VaultTokenStore) -> StoredToken {
    store.load().await.unwrap().unwrap()
}

fn granted(n: i64) -> TokenSet {
    TokenSet::new(format!("access-{n}"), at(n))
        .refresh_token(SecretString::from(format!("refresh-{n}")))
        .refresh_expires_at(at(100))
}

fn at(hours: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::hours(hours)
}

fn plain(tokens: &TokenSet) -> (&str, Option<&str>) {
    let refresh = tokens.refresh_token.as_ref();
    (
        tokens.access_token.expose_secret(),
        refresh.map(ExposeSecret::expose_secret),
    )
}

fn key(byte: u8) -> MasterKey {
    MasterKey::from_bytes(&[byte; 32]).unwrap()
}

fn key_id(id: &str) -> KeyId {
    KeyId::new(id).unwrap()
}

/// A row's place: its name, the rows, and the vault that its tokens are sealed in.
struct Place {
    id: TokenRowId,
    rows: Arc<Rows>,
    vault: Vault,
}

impl Place {
    fn new() -> Self {
        Self {
            id: TokenRowId::new(TenantId::from("acme"), IntegrationId::generate()),
            rows: Arc::default(),
            vault: Vault::new(Keyring::new(key_id("first"), key(1))),
        }
    }

    fn store(&self) -> VaultTokenStore {
        VaultTokenStore::new(self.rows.clone(), self.vault.clone(), self.id.clone())
    }

    async fn connected(&self) -> VaultTokenStore {
        let store = self.store();
        store.connect(&granted(1)).await.unwrap();
        store
    }
}

/// The rows of a store, in memory, with tokio's clock.
#[derive(Default)]
struct Rows {
    rows: Mutex<HashMap<TokenRowId, Row>>,
    fault: Mutex<Option<fn() -> StoreError>>,
}

struct Row {
    stored: StoredTokens,
    lease: Option<(String, Instant)>,
}

impl Rows {
    fn row(&self, id: &TokenRowId) -> StoredTokens {
        self.rows.lock().unwrap().get(id).unwrap().stored.clone()
    }

    fn edit(&self, id: &TokenRowId, change: impl FnOnce(&mut SealedTokens)) {
        change(&mut self.rows.lock().unwrap().get_mut(id).unwrap().stored.tokens);
    }

    fn open(&self) -> Result<MutexGuard<'_, HashMap<TokenRowId, Row>>, StoreError> {
        match *self.fault.lock().unwrap() {
            Some(fault) => Err(fault()),
            None => Ok(self.rows.lock().unwrap()),
        }
    }
}

#[async_trait]
impl TokenRows for Rows {
    async fn put_tokens(&self, row: &TokenRowId, tokens: &SealedTokens) -> Result<(), StoreError> {
        let stored = StoredTokens::new(tokens.clone(), DateTime::UNIX_EPOCH);
        let row_now = Row {
            stored,
            lease: None,
        };
        self.open()?.insert(row.clone(), row_now);
        Ok(())
    }

    async fn tokens(&self, row: &TokenRowId) -> Result<Option<StoredTokens>, StoreError> {
        Ok(self.open()?.get(row).map(|row| row.stored.clone()))
    }

    async fn lease_tokens(
        &self,
        row: &TokenRowId,
        owner: &str,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        let mut rows = self.open()?;
        let row = rows.get_mut(row).ok_or(StoreError::NotFound)?;
        let now = Instant::now();
        let taken = row.lease.as_ref();
        if taken.is_some_and(|(holder, until)| holder != owner && *until > now) {
            return Ok(false);
        }
        row.lease = Some((owner.to_owned(), now + ttl));
        Ok(true)
    }

    async fn save_tokens_if(
        &self,
        row: &TokenRowId,
        spent: &str,
        tokens: &SealedTokens,
    ) -> Result<SaveOutcome, StoreError> {
        let mut rows = self.open()?;
        let Some(row) = rows.get_mut(row) else {
            return Ok(SaveOutcome::Gone);
        };
        let old = &row.stored.tokens;
        if old.fingerprint != spent {
            return Ok(SaveOutcome::Superseded);
        }
        let mut new = tokens.clone();
        if new.refresh_token.is_none() && old.refresh_token.is_some() {
            new.refresh_token.clone_from(&old.refresh_token);
            new.fingerprint.clone_from(&old.fingerprint);
            new.refresh_expires_at = new.refresh_expires_at.or(old.refresh_expires_at);
        }
        new.scope = new.scope.or_else(|| old.scope.clone());
        row.stored = StoredTokens::new(new, DateTime::UNIX_EPOCH);
        row.lease = None;
        Ok(SaveOutcome::Saved)
    }

    async fn refuse_tokens(&self, row: &TokenRowId, fingerprint: &str) -> Result<bool, StoreError> {
        let mut rows = self.open()?;
        let Some(row) = rows.get_mut(row) else {
            return Ok(false);
        };
        if row.stored.tokens.fingerprint != fingerprint {
            return Ok(false);
        }
        row.stored.refused_fingerprint = Some(fingerprint.to_owned());
        Ok(true)
    }

    async fn release_tokens(&self, row: &TokenRowId, owner: &str) -> Result<(), StoreError> {
        if let Some(row) = self.open()?.get_mut(row) {
            row.lease.take_if(|(holder, _)| holder == owner);
        }
        Ok(())
    }

    async fn delete_tokens(&self, row: &TokenRowId) -> Result<(), StoreError> {
        self.open()?.remove(row);
        Ok(())
    }

    async fn delete_grants(
        &self,
        tenant: &TenantId,
        integration: IntegrationId,
    ) -> Result<u64, StoreError> {
        let mut rows = self.open()?;
        let before = rows.len();
        rows.retain(|row, _| row.tenant != *tenant || row.integration != integration);
        Ok((before - rows.len()) as u64)
    }
}
