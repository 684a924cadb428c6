//! The sweep: on a store in memory, alone, among writers, and cut off at any await.

#![cfg(all(feature = "http", feature = "vault-legacy"))]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests; a panic is a failed test"
)]

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, LazyLock, Mutex};

use async_trait::async_trait;
use fastrand::Rng;
use integration_core::TenantId;
use integration_core::store::{SealedCursor, SealedStore, SealedValue, StoreError};
use integration_core::vault::{
    KeyId, KeyNeeded, Keyring, Legacy, MasterKey, Rotation, RotationError, RotationReport,
    SealContext, Vault, VaultError,
};
use secrecy::ExposeSecret;
use tokio::task::yield_now;

const K1: &str = "75a5080016cfc41ac1d6f3001a7869584e52672862e066744cc5d464a49fae0f";
const K2: &str = "701ccdc2dbef90bcb31178d36a6cc8d33c4c198e49f0fcd2bbb6342bb241a383";
const K3: &str = "2f8b7a0f7e0ef0a6d1b4ee8a2c9d6a4f0d3c7b1e5a9f8e7d6c5b4a3f2e1d0c9b";
/// `{"api_key":"sk_live_abc"}`, sealed by the older system.
const LEGACY_VALUE: &str = "2804bad6fe94a55f18b2b37e300919a5:eff6841f84e9cda9d922773c417d6007b82d52e9ec1f8b7524a24d87fbbf1cda";
const LEGACY_OF_ANOTHER: &str = "d96385441b6cc2e31c01acd2fea73150:a1967f9b24cd8fcb449dfb7e5a77f410";

/// Unoptimised, deriving the key takes a second.
static LEGACY: LazyLock<Arc<Legacy>> =
    LazyLock::new(|| Arc::new(Legacy::new(&"the older system's secret".into()).unwrap()));

fn id(text: &str) -> KeyId {
    KeyId::new(text).unwrap()
}

fn keyring(text: &str) -> Keyring {
    let text = text
        .replace("{1}", K1)
        .replace("{2}", K2)
        .replace("{3}", K3);
    Keyring::parse(&text.into()).unwrap()
}

fn vault(text: &str) -> Vault {
    Vault::new(keyring(text))
}

/// Values by place, with what is in them.
#[derive(Default)]
struct MemoryValues {
    rows: Mutex<BTreeMap<String, Row>>,
    /// Between any two steps, others get their turn, as often as this says.
    rng: Option<Mutex<Rng>>,
    failing_writes: Mutex<u32>,
    writes: Mutex<u64>,
}

#[derive(Clone)]
struct Row {
    tenant: String,
    value: String,
}

impl MemoryValues {
    fn yielding(seed: u64) -> Self {
        Self {
            rng: Some(Mutex::new(Rng::with_seed(seed))),
            ..Self::default()
        }
    }

    fn put(&self, place: &str, tenant: &str, value: &str) {
        let row = Row {
            tenant: tenant.to_owned(),
            value: value.to_owned(),
        };
        self.rows.lock().unwrap().insert(place.to_owned(), row);
    }

    fn get(&self, place: &str) -> String {
        self.rows.lock().unwrap()[place].value.clone()
    }

    fn under(&self, key: &str) -> usize {
        let marker = format!("icv1.{key}.");
        let rows = self.rows.lock().unwrap();
        let under = rows.values().filter(|row| row.value.starts_with(&marker));
        under.count()
    }

    async fn turn(&self) {
        let Some(rng) = &self.rng else { return };
        let times = rng.lock().unwrap().u32(0..4);
        yield_times(times).await;
    }
}

fn context(tenant: &str, place: &str) -> SealContext {
    SealContext::new(tenant, place, "api_key")
}

#[async_trait]
impl SealedStore for MemoryValues {
    async fn sealed_values(
        &self,
        after: Option<&SealedCursor>,
        limit: u32,
    ) -> Result<Vec<SealedValue>, StoreError> {
        self.turn().await;
        let values = {
            let rows = self.rows.lock().unwrap();
            let from = after.map_or(Bound::Unbounded, |cursor| Bound::Excluded(cursor.0.clone()));
            let page = rows.range((from, Bound::Unbounded)).take(limit as usize);
            page.map(|(place, row)| {
                SealedValue::new(
                    place,
                    TenantId::from(row.tenant.as_str()),
                    place,
                    "api_key",
                    &row.value,
                    SealedCursor(place.clone()),
                )
            })
            .collect()
        };
        self.turn().await;
        Ok(values)
    }

    async fn replace_sealed(&self, old: &SealedValue, new: &str) -> Result<bool, StoreError> {
        self.turn().await;
        let replaced = {
            let mut failing = self.failing_writes.lock().unwrap();
            if *failing > 0 {
                *failing -= 1;
                return Err(StoreError::Locked("busy".into()));
            }
            let mut rows = self.rows.lock().unwrap();
            match rows.get_mut(&old.place) {
                Some(row) if row.value == old.value => {
                    new.clone_into(&mut row.value);
                    *self.writes.lock().unwrap() += 1;
                    true
                }
                _ => false,
            }
        };
        self.turn().await;
        Ok(replaced)
    }
}

/// `count` values of tenant `acme`, sealed by `vault`.
fn filled(store: &MemoryValues, vault: &Vault, count: usize) {
    for number in 0..count {
        let place = format!("row-{number:04}");
        let secret = format!("secret of {place}");
        let value = vault.seal(&context("acme", &place), &secret.as_str().into());
        store.put(&place, "acme", &value.unwrap());
    }
}

fn assert_all_open(store: &MemoryValues, vault: &Vault, count: usize) {
    for number in 0..count {
        let place = format!("row-{number:04}");
        let opened = vault.open(&context("acme", &place), &store.get(&place));
        let expected = format!("secret of {place}");
        assert_eq!(opened.unwrap().expose_secret(), expected);
    }
}

async fn run(rotation: &mut Rotation<'_>) -> RotationReport {
    rotation.run(|_| ()).await.unwrap()
}

#[tokio::test]
async fn every_value_moves_to_the_primary_key() {
    let store = MemoryValues::default();
    filled(&store, &vault("k1:{1}"), 25);
    let vault = vault("k2:{2},k1:{1},index=k2");

    let mut seen = Vec::new();
    let mut rotation = Rotation::new(vault.clone(), &store).page_size(10);
    let report = rotation
        .run(|progress| {
            let counts = &progress.counts;
            seen.push((progress.pass, counts.values, counts.renewed));
        })
        .await
        .unwrap();

    let first = [(1, 10, 10), (1, 20, 20), (1, 25, 25)];
    let second = [(2, 10, 0), (2, 20, 0), (2, 25, 0)];
    assert_eq!(seen, [first, second].concat());
    assert_eq!(report.passes, 2);
    assert!(report.complete);
    assert_eq!(report.counts.by_key, BTreeMap::from([(id("k2"), 25)]));
    assert!(report.may_retire(&id("k1")));
    assert!(!report.may_retire(&id("k2")), "the primary");
    assert_eq!(report.why_not(&id("k2")), Some(KeyNeeded::Primary));
    assert_eq!(report.why_not(&id("k1")), None);
    assert!(report.unopened.is_empty());
    assert_eq!((store.under("k1"), store.under("k2")), (0, 25));

    vault.replace_keyring(keyring("k2:{2}")).unwrap();
    assert_all_open(&store, &vault, 25);
}

#[tokio::test]
async fn where_nothing_is_to_do_nothing_is_written() {
    let store = MemoryValues::default();
    let vault = vault("k2:{2},k1:{1},index=k1");
    let report = run(&mut Rotation::new(vault.clone(), &store)).await;
    assert_eq!((report.passes, report.counts.values), (1, 0));
    assert!(report.complete);

    filled(&store, &vault, 5);
    let report = run(&mut Rotation::new(vault, &store)).await;
    assert_eq!((report.passes, report.counts.values), (1, 5));
    assert_eq!(*store.writes.lock().unwrap(), 0);
    assert!(!report.may_retire(&id("k1")), "the index key stays");
    assert_eq!(report.why_not(&id("k1")), Some(KeyNeeded::IndexKey));
}

#[tokio::test]
async fn a_value_that_cannot_be_opened_is_named_and_left() {
    let store = MemoryValues::default();
    let old = vault("k1:{1}");
    filled(&store, &old, 3);
    let seal = |vault: &Vault, tenant, place| {
        let value = vault.seal(&context(tenant, place), &"a".into());
        value.unwrap()
    };
    // Copied from another tenant's row; under a key that is gone; under the old key and damaged; no sealed value at all.
    store.put("row-0000-copied", "acme", &seal(&old, "umbrella", "x"));
    let lost = seal(&vault("k3:{3}"), "acme", "row-0001-lost");
    store.put("row-0001-lost", "acme", &lost);
    let mut damaged = seal(&old, "acme", "row-0002-damaged");
    damaged.replace_range(damaged.len() - 3.., "AAA");
    store.put("row-0002-damaged", "acme", &damaged);
    store.put("row-0002-plain", "acme", "sk_live_abc");

    let vault = vault("k2:{2},k1:{1},index=k2");
    let mut told = Vec::new();
    let report = Rotation::new(vault.clone(), &store)
        .page_size(2)
        .run(|progress| {
            let of_page = progress.unopened.iter().cloned();
            told.extend(of_page.map(|unopened| (progress.pass, unopened.place)));
        })
        .await
        .unwrap();

    let named: Vec<_> = report
        .unopened
        .iter()
        .map(|unopened| (unopened.place.as_str(), unopened.error.clone()))
        .collect();
    let lost_key = VaultError::UnknownKey { key: id("k3") };
    assert_eq!(
        named,
        [
            ("row-0000-copied", VaultError::Refused),
            ("row-0001-lost", lost_key),
            ("row-0002-damaged", VaultError::Refused),
            ("row-0002-plain", VaultError::Malformed),
        ]
    );
    assert_eq!(told.len(), 8, "in each of two passes");
    assert_eq!(report.counts.unopened, 4);
    assert_eq!(report.counts.values, 7);
    assert_eq!(report.counts.under(&id("k1")), 2);
    assert!(report.complete);
    let two = KeyNeeded::Unopened { values: 2 };
    assert_eq!(report.why_not(&id("k1")), Some(two));
    assert!(!report.may_retire(&id("k1")), "two values lie under it");
    assert!(!report.may_retire(&id("k3")), "one value lies under it");
    assert_eq!(store.get("row-0001-lost"), lost);
    assert_eq!(store.get("row-0002-damaged"), damaged);
    assert_eq!(store.get("row-0002-plain"), "sk_live_abc");
    assert_all_open(&store, &vault, 3);
}

#[tokio::test]
async fn values_of_the_older_form_are_counted_and_with_a_reader_renewed() {
    let store = MemoryValues::default();
    filled(&store, &vault("k1:{1}"), 2);
    store.put("row-legacy", "acme", LEGACY_VALUE);
    let vault = vault("k1:{1}");

    let report = run(&mut Rotation::new(vault.clone(), &store)).await;
    assert_eq!((report.counts.legacy, report.counts.unopened), (1, 0));
    assert!(report.complete);
    assert!(!report.may_disallow_legacy());
    assert_eq!(store.get("row-legacy"), LEGACY_VALUE);

    let reader = || Rotation::new(vault.clone(), &store).legacy(Arc::clone(&LEGACY));
    let report = run(&mut reader()).await;
    assert_eq!((report.passes, report.counts.legacy), (2, 0));
    assert!(report.may_disallow_legacy());
    let opened = vault.open(&context("acme", "row-legacy"), &store.get("row-legacy"));
    assert_eq!(
        opened.unwrap().expose_secret(),
        r#"{"api_key":"sk_live_abc"}"#
    );

    store.put("row-other", "acme", LEGACY_OF_ANOTHER);
    let report = run(&mut reader()).await;
    assert_eq!(report.unopened[0].error, VaultError::Legacy);
    assert!(!report.may_disallow_legacy());
    assert_eq!(store.get("row-other"), LEGACY_OF_ANOTHER);
}

#[tokio::test]
async fn a_sweep_goes_on_from_a_cursor() {
    let store = MemoryValues::default();
    filled(&store, &vault("k1:{1}"), 30);
    let vault = vault("k2:{2},k1:{1},index=k2");

    let mut cursors = Vec::new();
    {
        let mut rotation = Rotation::new(vault.clone(), &store)
            .page_size(10)
            .max_passes(1);
        let report = rotation
            .run(|progress| cursors.push(progress.cursor.clone()))
            .await
            .unwrap();
        assert!(
            !report.complete,
            "values were renewed, and not yet looked at"
        );
        assert!(!report.may_retire(&id("k1")));
        assert_eq!(report.why_not(&id("k1")), Some(KeyNeeded::Incomplete));
    }
    let mut values = Vec::new();
    let report = Rotation::new(vault, &store)
        .page_size(10)
        .resume_from(cursors[1].clone())
        .run(|progress| values.push((progress.pass, progress.counts.values)))
        .await
        .unwrap();
    // The first pass was a part of one, so there is a whole one behind it.
    assert_eq!(values, [(1, 10), (2, 10), (2, 20), (2, 30)]);
    assert!(report.may_retire(&id("k1")));
}

#[tokio::test]
async fn a_store_that_fails_stops_the_sweep_where_it_can_go_on() {
    let store = MemoryValues::default();
    filled(&store, &vault("k1:{1}"), 12);
    *store.failing_writes.lock().unwrap() = 1;
    let vault = vault("k2:{2},k1:{1},index=k2");
    let mut rotation = Rotation::new(vault.clone(), &store).page_size(5);
    let stopped = rotation.run(|_| ()).await.unwrap_err();
    assert!(matches!(
        stopped,
        RotationError::Store(StoreError::Locked(_))
    ));
    let report = run(&mut rotation).await;
    assert!(report.may_retire(&id("k1")));
    assert_eq!(report.counts.values, 12);
    assert_all_open(&store, &vault, 12);
}

#[tokio::test]
async fn a_store_that_goes_round_in_circles_is_an_error() {
    struct Circle;
    #[async_trait]
    impl SealedStore for Circle {
        async fn sealed_values(
            &self,
            _: Option<&SealedCursor>,
            _: u32,
        ) -> Result<Vec<SealedValue>, StoreError> {
            let cursor = SealedCursor("1".to_owned());
            let value = SealedValue::new("p", TenantId::from("acme"), "i", "f", "v", cursor);
            Ok(vec![value])
        }

        async fn replace_sealed(&self, _: &SealedValue, _: &str) -> Result<bool, StoreError> {
            panic!("nothing to replace")
        }
    }
    let stopped = Rotation::new(vault("k1:{1}"), &Circle).run(|_| ()).await;
    assert!(matches!(stopped, Err(RotationError::NoProgress)));
}

/// A pass that renewed nothing has not ended the sweep while somebody was quicker than it.
#[tokio::test]
async fn a_conflict_calls_for_another_pass() {
    /// Puts a value in the place of the one read, before it can be replaced, and then no more.
    struct Quicker {
        values: MemoryValues,
        value: Mutex<Option<String>>,
    }
    #[async_trait]
    impl SealedStore for Quicker {
        async fn sealed_values(
            &self,
            after: Option<&SealedCursor>,
            limit: u32,
        ) -> Result<Vec<SealedValue>, StoreError> {
            self.values.sealed_values(after, limit).await
        }

        async fn replace_sealed(&self, old: &SealedValue, new: &str) -> Result<bool, StoreError> {
            if let Some(value) = self.value.lock().unwrap().take() {
                self.values.put(&old.place, "acme", &value);
            }
            self.values.replace_sealed(old, new).await
        }
    }
    let values = MemoryValues::default();
    let old = vault("k1:{1}");
    filled(&values, &old, 1);
    let newer = old.seal(&context("acme", "row-0000"), &"newer".into());
    let store = Quicker {
        values,
        value: Mutex::new(newer.ok()),
    };
    let vault = vault("k2:{2},k1:{1},index=k2");
    let report = run(&mut Rotation::new(vault.clone(), &store)).await;
    assert_eq!(report.passes, 3, "a conflict, a renewal, a look");
    assert!(report.complete && report.may_retire(&id("k1")));
    let opened = vault.open(&context("acme", "row-0000"), &store.values.get("row-0000"));
    assert_eq!(opened.unwrap().expose_secret(), "newer");
}

#[tokio::test]
async fn a_keyring_that_opens_nothing_does_not_fill_the_memory() {
    let store = MemoryValues::default();
    for number in 0..1_001 {
        store.put(&format!("row-{number:04}"), "acme", "never sealed");
    }
    let report = run(&mut Rotation::new(vault("k1:{1}"), &store)).await;
    assert_eq!(
        (report.counts.unopened, report.unopened.len()),
        (1_001, 1_000)
    );
}

#[tokio::test]
async fn what_only_a_part_was_read_of_allows_nothing() {
    let store = MemoryValues::default();
    store.put("row-0000", "acme", LEGACY_VALUE);
    let vault = vault("k1:{1}");
    let behind_it = SealedCursor("row-0000".to_owned());
    let mut part = Rotation::new(vault.clone(), &store)
        .max_passes(1)
        .resume_from(behind_it);
    let report = run(&mut part).await;
    assert_eq!(report.counts.legacy, 0);
    assert!(!report.complete && !report.may_disallow_legacy());

    // Nor does a page of no values pass for the end.
    let report = run(&mut Rotation::new(vault, &store).page_size(0)).await;
    assert_eq!(report.counts.legacy, 1);
}

/// What the writers wrote last, by place.
type Written = Arc<Mutex<BTreeMap<String, String>>>;

/// Writes `count` values at random places, as a host does: whatever was there before.
async fn write(
    store: Arc<MemoryValues>,
    vault: Vault,
    written: Written,
    places: usize,
    count: usize,
    mut rng: Rng,
) {
    for number in 0..count {
        let place = format!("row-{:04}", rng.usize(0..places));
        let secret = format!("{number} by {:x}", rng.u64(..));
        // What was written before is still there: the sweep has not put an older value over it.
        let before = vault.open(&context("acme", &place), &store.get(&place));
        assert_eq!(
            before.unwrap().expose_secret(),
            written.lock().unwrap()[&place]
        );
        let value = vault.seal(&context("acme", &place), &secret.as_str().into());
        store.put(&place, "acme", &value.unwrap());
        written.lock().unwrap().insert(place, secret);
        yield_times(rng.u32(0..3)).await;
    }
}

/// Replicas are promoted one after the other while all of them write, the sweep is dropped again and again, and in the
/// end nothing is lost and nothing is left.
#[tokio::test]
async fn nothing_is_lost_among_writers_and_kills() {
    let (mut conflicts, mut kills) = (0, 0);
    for seed in 0..20 {
        let seen = rotation_among_writers(seed).await;
        conflicts += seen.0;
        kills += seen.1;
    }
    // It was not a quiet time.
    assert!(conflicts > 100, "{conflicts} conflicts");
    assert!(kills > 50, "{kills} kills");
}

/// Returns how many conflicts and how many kills there were.
async fn rotation_among_writers(seed: u64) -> (u64, u64) {
    const PLACES: usize = 150;
    let mut rng = Rng::with_seed(seed);
    let store = Arc::new(MemoryValues::yielding(seed));
    let written = Written::default();
    let replicas: Vec<_> = (0..3).map(|_| vault("k1:{1}")).collect();
    filled(&store, &replicas[0], PLACES);
    for number in 0..PLACES {
        let place = format!("row-{number:04}");
        let secret = format!("secret of {place}");
        written.lock().unwrap().insert(place, secret);
    }
    let (added, promoted) = ("k1:{1},k2:{2},index=k1", "k2:{2},k1:{1},index=k1");
    for replica in &replicas {
        replica.replace_keyring(keyring(added)).unwrap();
    }
    let writers: Vec<_> = replicas
        .iter()
        .map(|replica| {
            let (store, written) = (Arc::clone(&store), Arc::clone(&written));
            let rng = Rng::with_seed(rng.u64(..));
            tokio::spawn(write(store, replica.clone(), written, PLACES, 2000, rng))
        })
        .collect();

    // The sweep runs early, too, while some replicas still seal under the old key.
    let mut cursor = None;
    let (mut conflicts, mut kills) = (0, 0);
    for replica in &replicas {
        replica.replace_keyring(keyring(promoted)).unwrap();
        for _ in 0..3 {
            let mut rotation = Rotation::new(replicas[0].clone(), store.as_ref()).page_size(20);
            if let Some(cursor) = cursor.clone().filter(|_| rng.bool()) {
                rotation = rotation.resume_from(cursor);
            }
            let patience = rng.u32(1..400);
            let mut last = 0;
            let swept = rotation.run(|progress| {
                cursor = Some(progress.cursor.clone());
                last = progress.counts.conflicts;
            });
            tokio::select! {
                biased;
                report = swept => { report.unwrap(); }
                () = yield_times(patience) => kills += 1,
            }
            conflicts += last;
        }
    }
    let mut passes = Rotation::new(replicas[1].clone(), store.as_ref()).page_size(20);
    let mut report = run(&mut passes).await;
    while !report.complete {
        report = run(&mut passes).await;
    }
    assert_eq!(report.counts.under(&id("k1")), 0, "seed {seed}");
    assert_eq!(store.under("k1"), 0, "seed {seed}");
    for writer in writers {
        writer.await.unwrap();
    }

    assert_eq!(store.under("k1"), 0, "seed {seed}");
    assert_eq!(store.under("k2"), PLACES, "seed {seed}");
    // The old key is retired, as far as sealed values go.
    let without = vault("k2:{2}");
    for (place, secret) in written.lock().unwrap().iter() {
        let opened = without.open(&context("acme", place), &store.get(place));
        assert_eq!(opened.unwrap().expose_secret(), secret, "seed {seed}");
    }
    (conflicts, kills)
}

async fn yield_times(times: u32) {
    for _ in 0..times {
        yield_now().await;
    }
}

#[test]
fn a_sweep_can_run_on_another_thread() {
    fn is_send<T: Send>(_: &T) {}
    let store = MemoryValues::default();
    let mut rotation = Rotation::new(
        Vault::new(Keyring::new(id("k1"), MasterKey::generate().unwrap())),
        &store,
    );
    is_send(&rotation.run(|_| ()));
}
