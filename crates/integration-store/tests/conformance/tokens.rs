use std::collections::BTreeSet;
use std::time::Duration;

use integration_core::store::{SaveOutcome, SealedTokens, StoreError, StoredTokens, TokenRowId};
use tokio::task::JoinSet;

use super::samples::{EVERYBODY, at, full, plain, tenant, with, with_template};
use super::{Ports, Subject};

const TTL: Duration = Duration::from_mins(1);

/// Not quite as long.
const SHORTER: Duration = Duration::from_secs(50);

/// Tokens with everything they can have.
fn tokens(number: i64) -> SealedTokens {
    let mut tokens = SealedTokens::new(
        format!("icv1.access.{number}"),
        format!("print-{number}"),
        at(100 + number),
    );
    tokens.refresh_token = Some(format!("icv1.refresh.{number}"));
    tokens.token_type = format!("Type-{number}");
    tokens.refresh_expires_at = Some(at(1_000 + number));
    tokens.scope = Some(format!("scope.{number}"));
    tokens
}

/// Tokens with nothing but what they must have.
fn bare(number: i64) -> SealedTokens {
    SealedTokens::new(
        format!("icv1.access.{number}"),
        format!("print-{number}"),
        at(100 + number),
    )
}

async fn integration(store: &dyn Ports, of: &str) -> TokenRowId {
    let template = with_template(store, of).await;
    let row = with(store, plain(of, &template)).await;
    TokenRowId::new(row.tenant, row.id)
}

/// Writes the tokens of a grant.
async fn connected(store: &dyn Ports) -> TokenRowId {
    let row = integration(store, "acme").await;
    store.put_tokens(&row, &tokens(1)).await.unwrap();
    row
}

async fn read(store: &dyn Ports, row: &TokenRowId) -> StoredTokens {
    store.tokens(row).await.unwrap().unwrap()
}

pub(crate) async fn come_back_as_they_were_written(subject: &impl Subject) {
    let store = subject.store();
    let row = integration(&*store, "acme").await;
    assert_eq!(store.tokens(&row).await.unwrap(), None);
    for tokens in [tokens(1), bare(2), tokens(3)] {
        store.put_tokens(&row, &tokens).await.unwrap();
        let stored = subject
            .reopened()
            .await
            .tokens(&row)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(stored.tokens, tokens);
        assert_eq!(stored.refused_fingerprint, None);
    }
    store.delete_tokens(&row).await.unwrap();
    assert_eq!(store.tokens(&row).await.unwrap(), None);
    store.delete_tokens(&row).await.unwrap();
}

pub(crate) async fn are_there_for_their_tenant_alone(subject: &impl Subject) {
    let store = subject.store();
    let row = connected(&*store).await;
    let before = read(&*store, &row).await;
    let foreign = TokenRowId::new(tenant("beta"), row.integration);
    let put = store.put_tokens(&foreign, &tokens(9)).await;
    assert!(matches!(put, Err(StoreError::NotFound)), "{put:?}");
    assert_eq!(store.tokens(&foreign).await.unwrap(), None);
    let lease = store.lease_tokens(&foreign, "a", TTL).await;
    assert!(matches!(lease, Err(StoreError::NotFound)), "{lease:?}");
    let saved = store.save_tokens_if(&foreign, "print-1", &tokens(9)).await;
    assert_eq!(saved.unwrap(), SaveOutcome::Gone);
    assert!(!store.refuse_tokens(&foreign, "print-1").await.unwrap());
    assert!(store.lease_tokens(&row, "a", TTL).await.unwrap());
    store.release_tokens(&foreign, "a").await.unwrap();
    assert!(!store.lease_tokens(&row, "b", TTL).await.unwrap());
    store.delete_tokens(&foreign).await.unwrap();
    let deleted = store.delete_grants(&foreign.tenant, row.integration).await;
    assert_eq!(deleted.unwrap(), 0);
    assert_eq!(read(&*store, &row).await, before);
}

pub(crate) async fn are_apart_by_owner(subject: &impl Subject) {
    let store = subject.store();
    let own = connected(&*store).await;
    let user = own.clone().owner("user-7");
    assert_eq!(store.tokens(&user).await.unwrap(), None);
    let lease = store.lease_tokens(&user, "a", TTL).await;
    assert!(matches!(lease, Err(StoreError::NotFound)), "{lease:?}");
    store.put_tokens(&user, &tokens(1)).await.unwrap();
    assert!(store.lease_tokens(&user, "a", TTL).await.unwrap());
    assert!(store.lease_tokens(&own, "b", TTL).await.unwrap());
    let saved = store.save_tokens_if(&user, "print-1", &tokens(2)).await;
    assert_eq!(saved.unwrap(), SaveOutcome::Saved);
    assert_eq!(read(&*store, &own).await.tokens, tokens(1));
    store.delete_tokens(&user).await.unwrap();
    assert_eq!(read(&*store, &own).await.tokens, tokens(1));
}

pub(crate) async fn go_together_with_those_of_every_owner(subject: &impl Subject) {
    let store = subject.store();
    let own = connected(&*store).await;
    let user = own.clone().owner("user-7");
    store.put_tokens(&user, &tokens(2)).await.unwrap();
    let template = store
        .templates(&integration_core::Scope::Administrator)
        .await
        .unwrap()
        .remove(0)
        .template;
    let sibling = with(&*store, plain("acme", &template)).await;
    let sibling = TokenRowId::new(sibling.tenant, sibling.id);
    store.put_tokens(&sibling, &tokens(3)).await.unwrap();

    for expected in [2, 0] {
        let deleted = store.delete_grants(&own.tenant, own.integration).await;
        assert_eq!(deleted.unwrap(), expected);
    }
    let store = subject.reopened().await;
    for gone in [own, user] {
        assert_eq!(store.tokens(&gone).await.unwrap(), None);
    }
    assert_eq!(read(&*store, &sibling).await.tokens, tokens(3));
}

pub(crate) async fn are_saved_for_the_token_that_was_spent(subject: &impl Subject) {
    let store = subject.store();
    let row = connected(&*store).await;
    let before = read(&*store, &row).await;
    let saved = store.save_tokens_if(&row, "print-1", &tokens(2)).await;
    assert_eq!(saved.unwrap(), SaveOutcome::Saved);
    let after = read(&*store, &row).await;
    assert_eq!(after.tokens, tokens(2));
    assert!(after.updated_at > before.updated_at);

    // The same save again, as after an answer that was lost, and one that comes too late.
    for late in [tokens(2), tokens(3)] {
        let saved = store.save_tokens_if(&row, "print-1", &late).await;
        assert_eq!(saved.unwrap(), SaveOutcome::Superseded);
    }
    assert_eq!(read(&*store, &row).await, after);
    store.delete_tokens(&row).await.unwrap();
    let saved = store.save_tokens_if(&row, "print-2", &tokens(3)).await;
    assert_eq!(saved.unwrap(), SaveOutcome::Gone);
    assert_eq!(store.tokens(&row).await.unwrap(), None);
}

pub(crate) async fn keep_what_a_refresh_left_out(subject: &impl Subject) {
    let store = subject.store();
    let row = connected(&*store).await;
    let saved = store.save_tokens_if(&row, "print-1", &bare(2)).await;
    assert_eq!(saved.unwrap(), SaveOutcome::Saved);
    let mut kept = bare(2);
    kept.refresh_token = tokens(1).refresh_token;
    kept.fingerprint = tokens(1).fingerprint;
    kept.refresh_expires_at = tokens(1).refresh_expires_at;
    kept.scope = tokens(1).scope;
    assert_eq!(read(&*store, &row).await.tokens, kept);

    // A new refresh token brings its own end, or none.
    let mut new = tokens(3);
    new.refresh_expires_at = None;
    let saved = store.save_tokens_if(&row, "print-1", &new).await;
    assert_eq!(saved.unwrap(), SaveOutcome::Saved);
    assert_eq!(read(&*store, &row).await.tokens, new);

    // And the kept one may be given a new end.
    let mut longer = bare(4);
    longer.refresh_expires_at = Some(at(5_000));
    let saved = store.save_tokens_if(&row, "print-3", &longer).await;
    assert_eq!(saved.unwrap(), SaveOutcome::Saved);
    let stored = read(&*store, &row).await.tokens;
    assert_eq!(stored.refresh_token, tokens(3).refresh_token);
    assert_eq!(stored.refresh_expires_at, Some(at(5_000)));
}

pub(crate) async fn without_refresh_token_are_told_apart_by_the_access_token(
    subject: &impl Subject,
) {
    let store = subject.store();
    let row = integration(&*store, "acme").await;
    store.put_tokens(&row, &bare(1)).await.unwrap();
    let saved = store.save_tokens_if(&row, "print-1", &bare(2)).await;
    assert_eq!(saved.unwrap(), SaveOutcome::Saved);
    assert_eq!(read(&*store, &row).await.tokens, bare(2));
    let late = store.save_tokens_if(&row, "print-1", &bare(3)).await;
    assert_eq!(late.unwrap(), SaveOutcome::Superseded);
}

pub(crate) async fn are_saved_once_of_several_at_once(subject: &impl Subject) {
    let row = connected(&*subject.store()).await;
    for round in 1..5 {
        let spent = read(&*subject.store(), &row).await.tokens.fingerprint;
        let mut saving = JoinSet::new();
        for saver in 0..6 {
            let store = subject.reopened().await;
            let (row, spent) = (row.clone(), spent.clone());
            let new = tokens(round * 100 + saver);
            saving.spawn(async move {
                let saved = store.save_tokens_if(&row, &spent, &new).await.unwrap();
                (saved, new)
            });
        }
        let outcomes = saving.join_all().await;
        let mut won = outcomes
            .iter()
            .filter(|(saved, _)| *saved == SaveOutcome::Saved);
        let (_, winner) = won.next().unwrap();
        assert!(won.next().is_none());
        assert_eq!(read(&*subject.store(), &row).await.tokens, *winner);
    }
}

pub(crate) async fn are_leased_to_one_until_the_lease_ends(subject: &impl Subject) {
    let store = subject.store();
    let row = connected(&*store).await;
    assert!(store.lease_tokens(&row, "a", TTL).await.unwrap());
    assert!(!store.lease_tokens(&row, "b", TTL).await.unwrap());
    subject.pass(SHORTER).await;
    assert!(!store.lease_tokens(&row, "b", TTL).await.unwrap());
    assert!(store.lease_tokens(&row, "a", TTL).await.unwrap(), "renewed");
    subject.pass(SHORTER).await;
    assert!(!store.lease_tokens(&row, "b", TTL).await.unwrap());
    subject.pass(Duration::from_secs(20)).await;
    assert!(store.lease_tokens(&row, "b", TTL).await.unwrap());
    assert!(!store.lease_tokens(&row, "a", TTL).await.unwrap());

    store.release_tokens(&row, "a").await.unwrap();
    assert!(!store.lease_tokens(&row, "a", TTL).await.unwrap());
    store.release_tokens(&row, "b").await.unwrap();
    let forever = store.lease_tokens(&row, "a", Duration::MAX).await;
    assert!(forever.unwrap());
    assert!(!store.lease_tokens(&row, "b", TTL).await.unwrap());
}

pub(crate) async fn are_leased_to_one_of_several_at_once(subject: &impl Subject) {
    let row = connected(&*subject.store()).await;
    for round in 0..5 {
        let mut taking = JoinSet::new();
        for taker in 0..8 {
            let (store, row) = (subject.reopened().await, row.clone());
            taking.spawn(async move {
                let owner = format!("{round}.{taker}");
                store.lease_tokens(&row, &owner, TTL).await.unwrap()
            });
        }
        let won = taking.join_all().await;
        assert_eq!(won.into_iter().filter(|won| *won).count(), 1);
        subject.pass(TTL + Duration::from_secs(1)).await;
    }
}

pub(crate) async fn are_saved_whoever_holds_the_lease(subject: &impl Subject) {
    let store = subject.store();
    let row = connected(&*store).await;
    assert!(store.lease_tokens(&row, "b", TTL).await.unwrap());
    let saved = store.save_tokens_if(&row, "print-1", &tokens(2)).await;
    assert_eq!(saved.unwrap(), SaveOutcome::Saved);
    assert!(
        store.lease_tokens(&row, "c", TTL).await.unwrap(),
        "it ends the lease"
    );
    let saved = store.save_tokens_if(&row, "print-1", &tokens(3)).await;
    assert_eq!(saved.unwrap(), SaveOutcome::Superseded);
    assert!(
        !store.lease_tokens(&row, "a", TTL).await.unwrap(),
        "and only then"
    );
}

pub(crate) async fn are_refused_for_one_token(subject: &impl Subject) {
    let store = subject.store();
    let row = connected(&*store).await;
    let before = read(&*store, &row).await;
    assert!(!store.refuse_tokens(&row, "print-0").await.unwrap());
    assert_eq!(read(&*store, &row).await, before);
    assert!(store.refuse_tokens(&row, "print-1").await.unwrap());
    let mut refused = before.clone();
    refused.refused_fingerprint = Some("print-1".to_owned());
    assert_eq!(read(&*store, &row).await, refused);

    // A late answer is saved all the same, also one that keeps the refresh token, and lifts the refusal.
    for (spent, new) in [("print-1", tokens(2)), ("print-2", bare(3))] {
        assert!(store.refuse_tokens(&row, spent).await.unwrap());
        let saved = store.save_tokens_if(&row, spent, &new).await;
        assert_eq!(saved.unwrap(), SaveOutcome::Saved);
        assert_eq!(read(&*store, &row).await.refused_fingerprint, None);
    }
    store.delete_tokens(&row).await.unwrap();
    assert!(!store.refuse_tokens(&row, "print-2").await.unwrap());
}

pub(crate) async fn are_written_over_by_a_new_grant(subject: &impl Subject) {
    let store = subject.store();
    let row = connected(&*store).await;
    assert!(store.refuse_tokens(&row, "print-1").await.unwrap());
    assert!(store.lease_tokens(&row, "a", TTL).await.unwrap());
    store.put_tokens(&row, &bare(2)).await.unwrap();
    let stored = read(&*store, &row).await;
    assert_eq!(stored.tokens, bare(2), "nothing of the old grant is left");
    assert_eq!(stored.refused_fingerprint, None);
    assert!(store.lease_tokens(&row, "b", TTL).await.unwrap());
    let late = store.save_tokens_if(&row, "print-1", &tokens(3)).await;
    assert_eq!(late.unwrap(), SaveOutcome::Superseded);
}

pub(crate) async fn go_with_their_integration(subject: &impl Subject) {
    let store = subject.store();
    let row = connected(&*store).await;
    let user = row.clone().owner("user-7");
    store.put_tokens(&user, &tokens(2)).await.unwrap();
    store
        .delete_integration(&EVERYBODY, row.integration)
        .await
        .unwrap();
    assert_eq!(store.tokens(&row).await.unwrap(), None);
    assert_eq!(store.tokens(&user).await.unwrap(), None);
    let put = store.put_tokens(&row, &tokens(1)).await;
    assert!(matches!(put, Err(StoreError::NotFound)), "{put:?}");
    assert!(store.sealed_values(None, 10).await.unwrap().is_empty());
}

pub(crate) async fn are_part_of_the_sweep(subject: &impl Subject) {
    let store = subject.store();
    let template = with_template(&*store, "phone").await;
    let row = with(&*store, full("acme", &template)).await;
    let others = store.sealed_values(None, 100).await.unwrap();
    let own = TokenRowId::new(row.tenant, row.id);
    let user = own.clone().owner("user-7");
    let machine = own.clone().owner("machine");
    for (id, tokens) in [(&own, tokens(1)), (&user, tokens(2)), (&machine, bare(3))] {
        store.put_tokens(id, &tokens).await.unwrap();
        assert!(store.lease_tokens(id, "a", TTL).await.unwrap());
    }
    let before = read(&*store, &user).await;

    let all = store.sealed_values(None, 100).await.unwrap();
    let ours: Vec<_> = all.iter().filter(|value| !others.contains(value)).collect();
    assert_eq!(all.len(), others.len() + ours.len());
    let bound: BTreeSet<_> = ours
        .iter()
        .map(|value| (value.field.as_str(), value.value.as_str()))
        .collect();
    let expected = [
        (own.access_token_field(), "icv1.access.1"),
        (own.refresh_token_field(), "icv1.refresh.1"),
        (user.access_token_field(), "icv1.access.2"),
        (user.refresh_token_field(), "icv1.refresh.2"),
        (machine.access_token_field(), "icv1.access.3"),
    ];
    let expected: BTreeSet<_> = expected
        .iter()
        .map(|(field, value)| (field.as_str(), *value))
        .collect();
    assert_eq!(bound, expected);
    for value in &ours {
        assert_eq!(value.tenant, own.tenant);
        assert_eq!(value.instance, own.integration.to_string());
    }

    // A refresh between the two is not undone.
    let saved = store.save_tokens_if(&own, "print-1", &tokens(4)).await;
    assert_eq!(saved.unwrap(), SaveOutcome::Saved);
    for value in &ours {
        let renewed = format!("renewed.{}", value.value);
        let stale = value.value.ends_with(".1");
        assert_eq!(store.replace_sealed(value, &renewed).await.unwrap(), !stale);
        assert!(!store.replace_sealed(value, "lost").await.unwrap());
    }
    assert_eq!(read(&*store, &own).await.tokens, tokens(4));
    let mut after = before;
    after.tokens.access_token.insert_str(0, "renewed.");
    after.tokens.refresh_token = Some("renewed.icv1.refresh.2".to_owned());
    assert_eq!(
        read(&*store, &user).await,
        after,
        "and nothing else changes"
    );
    // Nor does a sweep disturb a refresh: fingerprint and lease are as they were.
    assert!(!store.lease_tokens(&user, "b", TTL).await.unwrap());
    let saved = store.save_tokens_if(&user, "print-2", &tokens(5)).await;
    assert_eq!(saved.unwrap(), SaveOutcome::Saved);
}
