//! What goes wrong around an insert: it takes too long, its database goes away, its commit comes too late.

use std::time::Duration;

use contact_sync::{ClaimRequest, Held, StoreError, StrictError, Ticket};
use integration_store::ConfirmIn as _;

use crate::host::{End, Failed, Nobody, Step, Watcher, insert};
use crate::place::{Database, Place, ann, on_each_database};
use crate::vendor::Op;

on_each_database! {
    a_lease_that_ran_out_refuses_the_confirmation,
    a_refused_confirmation_leaves_the_hosts_transaction_usable,
    a_lease_that_ran_out_takes_no_open_confirmation,
    a_database_that_goes_away_in_the_confirmation_leaves_neither,
    what_was_found_and_not_committed_is_rolled_back_after_the_lease_too,
    what_was_found_and_committed_is_kept_after_the_lease_too,
    a_commit_that_comes_too_late_counts,
    a_rollback_that_comes_too_late_counts,
}

/// Lets the lease run out, and a worker see to what is left, before the confirmation.
struct TooLong<'a>(&'a Place);

#[async_trait::async_trait]
impl Watcher for TooLong<'_> {
    async fn reached(&self, step: Step) {
        if step == Step::Called {
            self.0.reap().await;
            self.0.work().await;
        }
    }
}

async fn a_lease_that_ran_out_refuses_the_confirmation(place: Place) {
    let insert = async |ticket: Ticket| {
        let slow = TooLong(&place);
        insert(&place.database, &ticket, "Ann Lee", End::Commits, &slow).await
    };
    let error = place.crm().create(&ann(), insert).await.unwrap_err();
    assert!(
        matches!(
            error,
            StrictError::Insert(Failed::Store(StoreError::LeaseLost))
        ),
        "{error:?}"
    );
    place.both_have(0).await;
    assert_eq!(place.vendor.count(Op::Delete), 1);
}

/// A host that writes its row all the same has it delivered: the record was deleted, and comes again.
async fn a_refused_confirmation_leaves_the_hosts_transaction_usable(place: Place) {
    let insert = async |ticket: Ticket| {
        place.reap().await;
        place.work().await;
        macro_rules! go_on {
            ($pool:expr, $people:expr) => {{
                let mut tx = $pool.begin().await.unwrap();
                let refused = ticket.confirm_in(&mut tx).await;
                assert!(matches!(refused, Err(StoreError::LeaseLost)), "{refused:?}");
                let sql = format!("insert into {} (name) values ('Ann Lee')", $people);
                let sql = sqlx::AssertSqlSafe(sql);
                sqlx::query(sql).execute(&mut *tx).await.unwrap();
                tx.commit().await.unwrap();
            }};
        }
        match &place.database {
            #[cfg(feature = "sqlite")]
            Database::Sqlite { pool, .. } => go_on!(pool, "people"),
            #[cfg(feature = "postgres")]
            Database::Postgres { pool, schema, .. } => go_on!(pool, format!("{schema}.people")),
        }
        Ok::<_, StoreError>(())
    };
    let ((), receipt) = place.crm().create(&ann(), insert).await.unwrap();
    assert!(receipt.targets.iter().all(|line| !line.integrated));
    place.work().await;
    place.both_have(1).await;
}

/// Lets the lease run out while the confirmation is written and not committed. On SQLite nobody else writes meanwhile,
/// so there is nobody who could end the operation.
struct Reaps<'a>(&'a Place, Held);

#[async_trait::async_trait]
impl Watcher for Reaps<'_> {
    async fn reached(&self, step: Step) {
        let over = matches!(self.0.database, Database::Postgres { .. }) && step == Step::Confirmed;
        if over {
            let over = "update {s}sync_operations set lease_until = '2000-01-01T00:00:00Z'";
            self.0.database.run(over).await;
            let nothing = ClaimRequest::new(0, Duration::from_mins(1));
            let claimed = self.0.store.claim(nothing);
            let claimed = tokio::time::timeout(Duration::from_secs(20), claimed).await;
            claimed.expect("nobody waits for the host").unwrap();
            assert_eq!(self.0.database.count("sync_operations").await, 1);
            // Its lease is renewed as long as the host takes.
            let renewed = self.0.store.renew_operation(self.1, Duration::from_mins(1));
            let renewed = tokio::time::timeout(Duration::from_secs(20), renewed).await;
            renewed.expect("nobody waits for the host").unwrap();
            // Who would end it cannot, and is told so.
            let ended = self.0.store.finish(self.1).await;
            assert!(
                matches!(ended, Err(StoreError::Unavailable(_))),
                "{ended:?}"
            );
        }
    }
}

async fn a_lease_that_ran_out_takes_no_open_confirmation(place: Place) {
    let insert = async |ticket: Ticket| {
        let held = ticket.confirmation().held;
        let reaps = Reaps(&place, held);
        let inserted = insert(&place.database, &ticket, "Ann Lee", End::Commits, &reaps).await;
        // It is renewed, committed or not.
        let lease = Duration::from_mins(1);
        place.store.renew_operation(held, lease).await.unwrap();
        inserted
    };
    place.crm().create(&ann(), insert).await.unwrap();
    place.both_have(1).await;
}

/// A host that links what it has linked before, and is so slow that the lease of the operation ends it.
async fn found_by_a_slow_host(place: &Place, end: End) -> Result<(), StrictError<Failed>> {
    place.create(&ann(), End::Commits).await.unwrap();
    let insert = async |ticket: Ticket| {
        assert!(ticket.confirmation().created.is_empty());
        insert(&place.database, &ticket, "Ann Lee", end, &Nobody).await?;
        // A transaction that was dropped is over a little later.
        while place.database.count("sync_operations").await > 0 {
            place.reap().await;
        }
        Ok(())
    };
    let created = place.crm().create(&ann(), insert).await;
    place.work().await;
    place.nothing_is_left().await;
    created.map(drop)
}

async fn what_was_found_and_not_committed_is_rolled_back_after_the_lease_too(place: Place) {
    let error = found_by_a_slow_host(&place, End::RollsBackInSilence).await;
    let error = error.unwrap_err();
    assert!(matches!(error, StrictError::RolledBack), "{error:?}");
    place.both_have(1).await;
}

async fn what_was_found_and_committed_is_kept_after_the_lease_too(place: Place) {
    let kept = found_by_a_slow_host(&place, End::Commits).await;
    kept.unwrap();
    assert_eq!(place.database.count("people").await, 2);
    assert_eq!(place.vendor.records().len(), 1);
}

/// Takes the database away while the confirmation is being written.
async fn a_database_that_goes_away_in_the_confirmation_leaves_neither(place: Place) {
    let insert = async |ticket: Ticket| confirm_without(&place.database, &ticket).await;
    let error = place.crm().create(&ann(), insert).await.unwrap_err();
    assert!(
        matches!(error, StrictError::Insert(StoreError::Unavailable(_))),
        "{error:?}"
    );
    place.both_have(0).await;
}

async fn confirm_without(database: &Database, ticket: &Ticket) -> Result<(), StoreError> {
    match database {
        #[cfg(feature = "sqlite")]
        Database::Sqlite { pool, path } => {
            // Somebody else writes, and does not come to an end.
            let mut other = pool.begin_with("begin immediate").await.unwrap();
            let options = sqlx::sqlite::SqliteConnectOptions::new()
                .filename(path)
                .busy_timeout(Duration::from_millis(50));
            let impatient = sqlx::SqlitePool::connect_with(options).await.unwrap();
            let mut tx = impatient.begin().await.unwrap();
            let confirmed = ticket.confirm_in(&mut tx).await;
            sqlx::query("insert into people (name) values ('somebody')")
                .execute(&mut *other)
                .await
                .unwrap();
            other.rollback().await.unwrap();
            tx.rollback().await.unwrap();
            confirmed
        }
        #[cfg(feature = "postgres")]
        Database::Postgres { pool, schema, .. } => {
            // It waits for a row, and its connection is cut.
            let mut other = pool.begin().await.unwrap();
            let lock = format!("select 1 from {schema}.sync_contacts for update");
            let lock = sqlx::AssertSqlSafe(lock);
            sqlx::query(lock).execute(&mut *other).await.unwrap();
            let mut tx = pool.begin().await.unwrap();
            let pid: i32 = sqlx::query_scalar("select pg_backend_pid()")
                .fetch_one(&mut *tx)
                .await
                .unwrap();
            let cut = async {
                let waits = "select count(*) from pg_stat_activity where pid = $1 and wait_event_type = 'Lock'";
                loop {
                    let waiting: i64 = sqlx::query_scalar(waits)
                        .bind(pid)
                        .fetch_one(pool)
                        .await
                        .unwrap();
                    if waiting == 1 {
                        break;
                    }
                }
                sqlx::query("select pg_terminate_backend($1)")
                    .bind(pid)
                    .execute(pool)
                    .await
                    .unwrap();
            };
            let (confirmed, ()) = tokio::join!(ticket.confirm_in(&mut tx), cut);
            drop(tx);
            other.rollback().await.unwrap();
            confirmed
        }
    }
}

/// A host that ends its transaction only after the create: it is told that all is well, which is for it to say.
async fn ends_late(place: &Place, commits: bool) {
    macro_rules! late {
        ($pool:expr, $people:expr) => {{
            let mut open = None;
            let insert = async |ticket: Ticket| {
                let mut tx = $pool.begin().await.unwrap();
                let sql = format!("insert into {} (name) values ('Ann Lee')", $people);
                let sql = sqlx::AssertSqlSafe(sql);
                sqlx::query(sql).execute(&mut *tx).await.unwrap();
                ticket.confirm_in(&mut tx).await?;
                open = Some(tx);
                Ok::<_, StoreError>(())
            };
            let crm = crm_in_a_hurry(place).await;
            crm.create(&ann(), insert).await.unwrap();
            let tx = open.unwrap();
            if commits {
                tx.commit().await.unwrap();
            } else {
                tx.rollback().await.unwrap();
            }
        }};
    }
    match &place.database {
        #[cfg(feature = "sqlite")]
        Database::Sqlite { pool, .. } => late!(pool, "people"),
        #[cfg(feature = "postgres")]
        Database::Postgres { pool, schema, .. } => late!(pool, format!("{schema}.people")),
    }
    place.recover().await;
    place.both_have(usize::from(commits)).await;
}

/// A hook on a store that does not wait long for whoever writes.
async fn crm_in_a_hurry(place: &Place) -> contact_sync::CrmHook {
    let store: std::sync::Arc<dyn contact_sync::SyncStore> = match &place.database {
        #[cfg(feature = "sqlite")]
        Database::Sqlite { path, .. } => {
            let builder = integration_store::SqliteStore::builder();
            let builder = builder.busy_timeout(Duration::from_millis(200));
            std::sync::Arc::new(builder.open(path).await.unwrap())
        }
        #[cfg(feature = "postgres")]
        Database::Postgres { .. } => place.store.clone(),
    };
    let directory = contact_sync::StaticDirectory::new().on(crate::vendor::PHONE);
    contact_sync::CrmHook::new(store, directory)
        .target(place.target())
        .region(contact_sync::Region::US)
}

async fn a_commit_that_comes_too_late_counts(place: Place) {
    ends_late(&place, true).await;
}

async fn a_rollback_that_comes_too_late_counts(place: Place) {
    ends_late(&place, false).await;
}

/// A host that runs everything at the strictest level.
#[cfg(feature = "postgres")]
#[rstest::rstest]
#[case::repeatable_read("begin isolation level repeatable read")]
#[case::serializable("begin isolation level serializable")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hosts_isolation_level_is_its_own(#[case] begin: &'static str) {
    let Some(place) = Place::postgres().await else {
        return;
    };
    let Database::Postgres { pool, schema, .. } = &place.database else {
        return;
    };
    for (commits, people) in [(false, 0), (true, 1)] {
        let insert = async |ticket: Ticket| {
            let mut tx = pool.begin_with(begin).await.unwrap();
            let sql = format!("insert into {schema}.people (name) values ('Ann Lee')");
            let sql = sqlx::AssertSqlSafe(sql);
            sqlx::query(sql).execute(&mut *tx).await.unwrap();
            ticket.confirm_in(&mut tx).await?;
            if commits {
                tx.commit().await.unwrap();
            }
            Ok::<_, StoreError>(())
        };
        let created = place.crm().create(&ann(), insert).await;
        assert_eq!(created.is_ok(), commits);
        place.both_have(people).await;
    }
}
