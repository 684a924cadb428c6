//! A store that fails, at each of its calls in turn: nothing is left half-written, and trying again works.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integration_core::instance::health::Checks;
use integration_core::instance::{
    IntegrationError, IntegrationPatch, NewIntegration, StoredIntegration,
};
use integration_core::status::{HistoryEntry, Status};
use integration_core::store::{
    DueRows, IntegrationFilter, IntegrationLog, IntegrationStore, LeaseStore, LogFilter, LogResult,
    LogStatus, LogStore, MemoryStore, SaveOutcome, SealedCursor, SealedStore, SealedTokens,
    SealedValue, StoreError, StoredTokens, TemplateStore, TokenRowId, TokenRows, UnreadableRow,
};
use integration_core::template::{IntegrationTemplate, TemplateSummary};
use integration_core::{
    EndpointId, IntegrationId, Integrations, LogId, Scope, TemplateId, TenantId,
};

use crate::acme::{Acme, AcmeClient, Config, KEY, OTHER_KEY};
use crate::world::{builder, clock, tenant, vault};

/// A store in memory whose call of this number fails, before or after it has done its work.
#[derive(Clone)]
struct Faulty {
    store: MemoryStore,
    plan: Arc<Plan>,
    /// The instance whose row cannot be read.
    broken: Arc<Mutex<Option<IntegrationId>>>,
}

struct Plan {
    calls: AtomicU32,
    fails: AtomicU32,
    /// Whether the work is done all the same, as when the answer of a database is lost.
    late: bool,
}

impl Faulty {
    fn new(late: bool) -> Self {
        Self {
            store: MemoryStore::with_timer(clock()),
            plan: Arc::new(Plan {
                calls: AtomicU32::new(0),
                fails: AtomicU32::new(u32::MAX),
                late,
            }),
            broken: Arc::default(),
        }
    }

    fn fail_at(&self, call: u32) {
        self.plan.calls.store(0, Ordering::SeqCst);
        self.plan.fails.store(call, Ordering::SeqCst);
    }

    fn calls(&self) -> u32 {
        self.plan.calls.load(Ordering::SeqCst)
    }

    async fn call<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        // As any database does, it lets others go on meanwhile.
        tokio::task::yield_now().await;
        let number = self.plan.calls.fetch_add(1, Ordering::SeqCst);
        let fails = number == self.plan.fails.load(Ordering::SeqCst);
        if fails && !self.plan.late {
            return Err(StoreError::Unavailable("out of order".into()));
        }
        let done = work.await;
        if fails {
            return Err(StoreError::Unavailable("the answer was lost".into()));
        }
        done
    }
}

macro_rules! delegate {
    ($port:ident: $(fn $method:ident(&self $(, $name:ident: $type:ty)*) -> $output:ty;)* $({ $($own:tt)* })?) => {
        #[async_trait]
        impl $port for Faulty {
            $($($own)*)?
            $(async fn $method(&self $(, $name: $type)*) -> Result<$output, StoreError> {
                self.call(self.store.$method($($name),*)).await
            })*
        }
    };
}

delegate! { TemplateStore:
    fn insert_template(&self, template: &IntegrationTemplate) -> ();
    fn seed_templates(&self, templates: &[IntegrationTemplate]) -> u64;
    fn template(&self, id: TemplateId) -> Option<IntegrationTemplate>;
    fn template_named(&self, name: &str) -> Option<IntegrationTemplate>;
    fn templates(&self, scope: &Scope) -> Vec<TemplateSummary>;
    fn update_template(&self, template: &IntegrationTemplate, expected: DateTime<Utc>) -> ();
    fn delete_template(&self, id: TemplateId) -> ();
}

delegate! { IntegrationStore:
    fn insert_integration(&self, row: &StoredIntegration, history: &[HistoryEntry]) -> ();
    fn integration(&self, scope: &Scope, id: IntegrationId) -> Option<StoredIntegration>;
    fn integrations(&self, scope: &Scope, filter: &IntegrationFilter) -> Vec<StoredIntegration>;
    fn integrations_by_source(&self, scope: &Scope, vendor: &str, source_id: &str) -> Vec<StoredIntegration>;
    fn integration_by_endpoint(&self, scope: &Scope, endpoint: EndpointId) -> Option<StoredIntegration>;
    fn update_integration(&self, scope: &Scope, row: &StoredIntegration, expected: u64, history: &[HistoryEntry]) -> ();
    fn delete_integration(&self, scope: &Scope, id: IntegrationId) -> ();
    fn history(&self, scope: &Scope, id: IntegrationId, limit: u32) -> Vec<HistoryEntry>;
    fn postpone_check(&self, id: IntegrationId, next: Option<DateTime<Utc>>) -> ();
    {
        async fn due_for_check(&self, now: DateTime<Utc>, limit: u32) -> Result<DueRows, StoreError> {
            let mut due = self.call(self.store.due_for_check(now, limit)).await?;
            let broken = *self.broken.lock().unwrap();
            for row in due.rows.extract_if(.., |row| Some(row.id) == broken) {
                let error = StoreError::Corrupt("column settings cannot be read".into());
                let unreadable = UnreadableRow::new(row.id, row.tenant, row.vendor, error);
                due.unreadable.push(unreadable);
            }
            Ok(due)
        }
    }
}

delegate! { LogStore:
    fn append_logs(&self, entries: &[IntegrationLog]) -> ();
    fn finish_log(&self, id: LogId, result: &LogResult) -> ();
    fn logs(&self, scope: &Scope, filter: &LogFilter) -> Vec<IntegrationLog>;
    fn delete_logs(&self, before: DateTime<Utc>, limit: u32) -> u64;
}

delegate! { LeaseStore:
    fn hold_lease(&self, name: &str, owner: &str, ttl: Duration) -> bool;
    fn release_lease(&self, name: &str, owner: &str) -> ();
}

delegate! { SealedStore:
    fn sealed_values(&self, after: Option<&SealedCursor>, limit: u32) -> Vec<SealedValue>;
    fn replace_sealed(&self, old: &SealedValue, new: &str) -> bool;
}

delegate! { TokenRows:
    fn put_tokens(&self, row: &TokenRowId, tokens: &SealedTokens) -> ();
    fn tokens(&self, row: &TokenRowId) -> Option<StoredTokens>;
    fn lease_tokens(&self, row: &TokenRowId, owner: &str, ttl: Duration) -> bool;
    fn save_tokens_if(&self, row: &TokenRowId, spent: &str, tokens: &SealedTokens) -> SaveOutcome;
    fn refuse_tokens(&self, row: &TokenRowId, fingerprint: &str) -> bool;
    fn release_tokens(&self, row: &TokenRowId, owner: &str) -> ();
    fn delete_tokens(&self, row: &TokenRowId) -> ();
    fn delete_grants(&self, tenant: &TenantId, integration: IntegrationId) -> u64;
}

struct Faults {
    store: Faulty,
    acme: Acme,
    it: Integrations,
}

impl Faults {
    async fn new(late: bool) -> Self {
        let store = Faulty::new(late);
        let acme = Acme::new();
        let it = builder(&store, vault(), &acme).build().await.unwrap();
        Self { store, acme, it }
    }

    async fn rows(&self) -> Vec<StoredIntegration> {
        let all = Scope::Administrator;
        let rows = self
            .store
            .store
            .integrations(&all, &IntegrationFilter::new())
            .await;
        rows.unwrap()
    }

    /// What has to hold of every row at every moment.
    async fn assert_sound(&self) {
        let rows = self.rows().await;
        let defaults = rows.iter().filter(|row| row.is_default).count();
        assert!(defaults <= 1);
        for row in rows {
            assert_eq!(row.config.version, row.state.credentials, "{row:?}");
            if row.state.has_credentials {
                assert!(row.config.sealed.contains_key("api_key"), "{row:?}");
            }
            if row.state.runs_jobs() {
                let registered = row.endpoints.first().map_or(0, |it| it.webhooks.len());
                assert_eq!(registered, 1, "{row:?}");
            }
            let history = self
                .store
                .store
                .history(&Scope::Administrator, row.id, 1)
                .await
                .unwrap();
            assert_eq!(history[0].to, row.state.status, "{row:?}");
            // Whatever is stored opens.
            let values = self.store.store.sealed_values(None, 100).await.unwrap();
            for value in values {
                let context = integration_core::vault::SealContext::new(
                    value.tenant.as_str(),
                    &value.instance,
                    &value.field,
                );
                vault().open(&context, &value.value).unwrap();
            }
        }
    }
}

/// Runs `flow` with each of its store calls failing in turn, and `check` after each failure.
macro_rules! at_each_call {
    (late: $late:expr, |$faults:ident| setup $setup:block flow |$ready:ident| $flow:block after |$id:ident| $after:block) => {{
        let mut call = 0;
        loop {
            let $faults = Faults::new($late).await;
            let $ready = $setup;
            $faults.store.fail_at(call);
            let result: Result<(), IntegrationError> = async { $flow }.await;
            let happened = $faults.store.calls() > call;
            $faults.store.fail_at(u32::MAX);
            if let Err(error) = &result {
                assert!(matches!(error, IntegrationError::Store(_)), "{error:?}");
            }
            $faults.assert_sound().await;
            let $id = $ready;
            $after
            $faults.assert_sound().await;
            if !happened {
                assert!(call > 1, "the store was asked {call} times");
                break;
            }
            call += 1;
        }
    }};
}

fn new(key: &str) -> NewIntegration {
    NewIntegration::new(Config::new(key).second("the-second-secret")).setting("is_default", true)
}

#[rstest::rstest]
#[tokio::test(start_paused = true)]
async fn to_save(#[values(false, true)] late: bool) {
    at_each_call!(late: late, |faults|
        setup { faults.it.save(tenant(), new(OTHER_KEY)).await.unwrap() }
        flow |_id| { faults.it.save(tenant(), new(KEY)).await.map(drop) }
        after |_id| {
            let rows = faults.rows().await;
            assert!(rows.len() <= 2);
            // Written whole or not at all.
            for row in rows {
                assert_eq!(row.config.sealed.len(), 2);
            }
            faults.it.save(tenant(), new(KEY)).await.unwrap();
        }
    );
}

#[rstest::rstest]
#[tokio::test(start_paused = true)]
async fn to_enable(#[values(false, true)] late: bool) {
    at_each_call!(late: late, |faults|
        setup { faults.it.save(tenant(), new(KEY)).await.unwrap() }
        flow |id| { faults.it.enable(tenant(), id).await.map(drop) }
        after |id| {
            // Whatever was reached, nothing is ever registered twice.
            let view = faults.it.enable(tenant(), id).await.unwrap();
            assert_eq!(view.status, Status::Active);
            assert_eq!(faults.acme.ever_registered(), 1);
            assert_eq!(faults.acme.registered(), [view.endpoints[0].url.clone()]);
        }
    );
}

#[rstest::rstest]
#[tokio::test(start_paused = true)]
async fn to_move_to_another_address(#[values(false, true)] late: bool) {
    let moved = async |faults: &Faults| {
        builder(&faults.store, vault(), &faults.acme)
            .webhook_base_url("https://new.example.com/in".parse().unwrap())
            .build()
            .await
    };
    at_each_call!(late: late, |faults|
        setup {
            let id = faults.it.save(tenant(), new(KEY)).await.unwrap();
            faults.it.enable(tenant(), id).await.unwrap();
            id
        }
        flow |id| { moved(&faults).await?.enable(tenant(), id).await.map(drop) }
        after |id| {
            // Nothing is left behind at the old address.
            let facade = moved(&faults).await.unwrap();
            let view = facade.enable(tenant(), id).await.unwrap();
            assert!(view.endpoints[0].url.starts_with("https://new.example.com/in/"));
            assert_eq!(faults.acme.registered(), [view.endpoints[0].url.clone()]);
        }
    );
}

#[rstest::rstest]
#[tokio::test(start_paused = true)]
async fn to_update_what_runs(#[values(false, true)] late: bool) {
    at_each_call!(late: late, |faults|
        setup {
            let id = faults.it.save(tenant(), new(KEY)).await.unwrap();
            faults.it.enable(tenant(), id).await.unwrap();
            id
        }
        flow |id| {
            let patch = IntegrationPatch::new()
                .config(Config::new(OTHER_KEY))
                .setting("line", "line-1");
            faults.it.update(tenant(), id, patch).await.map(drop)
        }
        after |id| {
            let view = faults.it.get(tenant(), id).await.unwrap();
            // Changed as a whole or not at all, and jobs run on either way.
            let changed = view.source_ids == ["line-1"];
            assert_eq!(changed, view.status == Status::Pending);
            assert_eq!(changed, view.serves_older_credentials);
            faults.it.active_client::<AcmeClient>(tenant(), id).await.unwrap();
            assert!(faults.it.test_connection(tenant(), id).await.unwrap().success);
        }
    );
}

#[rstest::rstest]
#[tokio::test(start_paused = true)]
async fn to_delete(#[values(false, true)] late: bool) {
    at_each_call!(late: late, |faults|
        setup {
            let id = faults.it.save(tenant(), new(KEY)).await.unwrap();
            faults.it.enable(tenant(), id).await.unwrap();
            id
        }
        flow |id| { faults.it.delete(tenant(), id).await.map(drop) }
        after |id| {
            match faults.it.delete(tenant(), id).await {
                Ok(_) | Err(IntegrationError::NotFound { .. }) => {}
                Err(error) => panic!("{error:?}"),
            }
            assert!(faults.rows().await.is_empty());
            assert!(faults.acme.registered().is_empty());
        }
    );
}

#[rstest::rstest]
#[tokio::test(start_paused = true)]
async fn to_take_away(#[values(false, true)] late: bool) {
    at_each_call!(late: late, |faults|
        setup {
            let id = faults.it.save(tenant(), new(KEY)).await.unwrap();
            faults.it.enable(tenant(), id).await.unwrap();
            id
        }
        flow |id| { faults.it.revoked(tenant(), id).await.map(drop) }
        after |id| {
            faults.it.revoked(tenant(), id).await.unwrap();
            let rows = faults.rows().await;
            assert_eq!(rows[0].state.status, Status::Disconnected);
            assert!(rows[0].config.sealed.is_empty() && rows[0].config.hints.is_empty());
            assert!(faults.store.store.sealed_values(None, 10).await.unwrap().is_empty());
        }
    );
}

#[tokio::test(start_paused = true)]
async fn of_many_changes_at_once_none_is_lost() {
    let faults = Faults::new(false).await;
    let it = &faults.it;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    let elsewhere = builder(&faults.store, vault(), &faults.acme)
        .build()
        .await
        .unwrap();
    let patches = [
        IntegrationPatch::new().name("New name"),
        IntegrationPatch::new().description("What for"),
        IntegrationPatch::new().setting("line", "line-3"),
        IntegrationPatch::new().secret("second", "the-second-secret"),
        IntegrationPatch::new().readable("region", "eu"),
    ];
    let tasks = patches.into_iter().enumerate().map(|(number, patch)| {
        let facade = if number % 2 == 0 {
            it.clone()
        } else {
            elsewhere.clone()
        };
        tokio::spawn(async move { facade.update(tenant(), id, patch).await })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap().unwrap();
    }
    let view = it.get(tenant(), id).await.unwrap();
    assert_eq!(
        (view.name.as_str(), view.description.as_deref()),
        ("New name", Some("What for"))
    );
    assert_eq!(view.source_ids, ["line-3"]);
    let config = serde_json::to_value(&view.config).unwrap();
    assert_eq!(config["second"]["set"], true);
    assert_eq!(config["region"], "eu");
}

#[tokio::test(start_paused = true)]
async fn of_a_row_that_cannot_be_read_are_told_and_stop_no_other_check() {
    let faults = Faults::new(false).await;
    let it = &faults.it;
    let broken = it.save(tenant(), new(KEY)).await.unwrap();
    let well = it.save(tenant(), new(KEY)).await.unwrap();
    for id in [broken, well] {
        it.enable(tenant(), id).await.unwrap();
    }
    *faults.store.broken.lock().unwrap() = Some(broken);
    clock().sleep(Duration::from_hours(24)).await;
    for _ in 0..3 {
        let due = it.due(clock().utc_now(), 10).await.unwrap();
        let due: Vec<_> = due.into_iter().map(|due| due.id).collect();
        assert_eq!(due, [well]);
    }
    // It is told once, and looked at again an hour later.
    let failed = LogFilter::new().status(LogStatus::Failed);
    let told = it.logs(tenant(), failed.clone()).await.unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].action, "health.check");
    assert_eq!(told[0].integration, Some(broken));
    assert_eq!(
        told[0].error_message.as_deref(),
        Some("the row cannot be read: column settings cannot be read")
    );
    clock().sleep(Duration::from_mins(61)).await;
    it.due(clock().utc_now(), 10).await.unwrap();
    assert_eq!(it.logs(tenant(), failed).await.unwrap().len(), 2);
}

#[rstest::rstest]
#[case::locked(StoreError::Locked, "the database is locked by somebody else")]
#[case::read_only(
    StoreError::ReadOnly,
    "the database cannot be written: it is full or read-only"
)]
#[case::unavailable(
    StoreError::Unavailable,
    "the database cannot be reached, or answers with an error"
)]
#[case::corrupt(StoreError::Corrupt, "the row cannot be read")]
#[case::refused(StoreError::Refused, "the database does not take the row")]
fn what_the_store_says_is_said_once(
    #[case] failed: fn(Box<dyn std::error::Error + Send + Sync>) -> StoreError,
    #[case] text: &str,
) {
    let error = IntegrationError::from(failed("code 5".into()));
    assert_eq!(error.to_string(), text);
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "code 5");
    assert!(source.source().is_none());
}
