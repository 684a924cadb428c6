//! How the server goes about the statements of the queue.

use sqlx::Row;

use super::*;

#[path = "../../../tests/support/postgres.rs"]
#[expect(
    dead_code,
    reason = "it serves several programs, and each uses a part of it"
)]
mod server;

const NOBODY: &str = "'00000000-0000-0000-0000-000000000000'";

/// What the statements of the queue are tried with.
const STATEMENTS: [(&str, &[&str]); 18] = [
    (NEWEST, &[]),
    (LOOK, &["now()"]),
    (TAKE, &["now()", "5", "5"]),
    (ONE, &[NOBODY]),
    (OWNED, &["'[]'"]),
    (MEANWHILE, &["'[]'", "now()"]),
    (EXPIRED, &["now()", "5"]),
    (DROP_IDENTIFIERS, &["'[]'"]),
    (SHARING, &["'[]'"]),
    (PUT_OFF, &["'[]'", "now()", "64", "now()", "now()"]),
    (START, &["'[]'", "now()"]),
    (FINISH, &["'[]'", "now()", "'[]'", "8"]),
    (KNOW, &["'[]'", "8"]),
    (HEADS, &["'[]'", "now()"]),
    (RENEW, &[NOBODY, NOBODY, "now()", "5", "now()"]),
    (KEEP_LEASES, &["'[]'", "now()"]),
    (KEEP_OPERATIONS, &["'[]'"]),
    (RESUME, &["'t'", "'x'", "now()"]),
];

/// So many jobs, with all that belongs to them.
const FILL: &str = "
    insert into main.sync_contacts (id, tenant_id, contact_key, revision, contact, created_at, updated_at)
        select gen_random_uuid(), '', 'h:' || n, 1, '{}', now(), now() from generate_series(1, 2000) n;
    insert into main.sync_lines (contact_id, target, tenant_id, link)
        select id, 'x', '', 'none' from main.sync_contacts;
    insert into main.sync_claims (tenant_id, target, identifier, contact_id, is_running)
        select '', 'x', 'e:' || id, id, true from main.sync_contacts;
    insert into main.sync_known (tenant_id, target, identifier, remote_id, contact_id)
        select '', 'x', 'e:' || id, 'r', id from main.sync_contacts;
    insert into main.sync_outbox (id, tenant_id, kind, target, contact_id, payload, ordering_key, dedup_key, position,
            is_head, lane, state, run_at, born_at, updated_at)
        select id, '', 'deliver', 'x', id, '{}', id::text, id::text, 1, true, 1, 'ready', now(), now(), now() from main.sync_contacts;
    insert into main.sync_undos (job_id, contact, external_key, started_at)
        select id, '{}', 'k', now() from main.sync_contacts";

async fn store(schema: &server::Schema) -> PostgresStore {
    let store = PostgresStore::builder()
        .schema(&schema.name)
        .max_connections(1);
    store.connect(schema.url()).await.unwrap()
}

/// A look at every row of a table would make a batch as dear as the store is large. The tables are empty, where a
/// planner that is left alone would read them whole.
#[tokio::test]
async fn statements_go_by_their_indexes() {
    let Some(schema) = server::schema() else {
        return;
    };
    let store = store(&schema).await;
    prepare(&store).await;
    for step in steps(&store, BEGIN).await {
        let is_whole = step.contains("Seq Scan") || step.contains("Hash Join");
        assert!(!is_whole, "{step}");
    }
}

/// A queue that was at its end when the server looked at the tables, and has grown since.
#[tokio::test]
async fn plans_of_an_empty_queue_are_forgotten() {
    let Some(schema) = server::schema() else {
        return;
    };
    let store = store(&schema).await;
    for table in ["outbox", "lines", "contacts", "claims", "known", "undos"] {
        let vacuum = format!("vacuum analyze main.sync_{table}").replace("main", &schema.name);
        let vacuum = sqlx::raw_sql(sqlx::AssertSqlSafe(vacuum));
        vacuum.execute(&store.pool).await.unwrap();
    }
    prepare(&store).await;
    steps(&store, BEGIN).await;
    let fill = sqlx::AssertSqlSafe(FILL.replace("main.", &format!("{}.", schema.name)));
    sqlx::raw_sql(fill).execute(&store.pool).await.unwrap();

    store.queue_grows();
    assert!(store.local.own.has_old_plans());
    let steps = steps(&store, BEGIN_ANEW).await;
    let tables = ["outbox", "lines", "contacts", "claims", "known", "undos"];
    for (step, next) in steps.iter().zip(steps.iter().skip(1)) {
        let is_scan = step.contains("Index")
            && step.contains("Scan")
            // Those who run are few, and after a jump of the clock all of them are wanted.
            && !step.contains("sync_outbox_leased")
            && tables.iter().any(|table| step.contains(table));
        assert!(!is_scan || next.contains("Index Cond"), "{step}: {next}");
    }
}

/// Prepares the statements, as a connection has them that has used them.
async fn prepare(store: &PostgresStore) {
    for (n, (text, _)) in STATEMENTS.iter().enumerate() {
        let prepare = format!("prepare s{n} as {}", store.text(text));
        let prepare = sqlx::raw_sql(sqlx::AssertSqlSafe(prepare));
        prepare.execute(&store.pool).await.unwrap();
    }
}

/// Plans them, or takes the plans that the connection has.
async fn steps(store: &PostgresStore, begin: &'static str) -> Vec<String> {
    let mut tx = store.pool.begin_with(begin).await.unwrap();
    let mut steps = Vec::new();
    for (n, (_, values)) in STATEMENTS.into_iter().enumerate() {
        let values = match values {
            [] => String::new(),
            values => format!("({})", values.join(", ")),
        };
        let explain = format!("explain (costs off) execute s{n}{values}");
        let explain = sqlx::query(sqlx::AssertSqlSafe(explain)).fetch_all(&mut *tx);
        let plan = explain.await.unwrap();
        steps.extend(plan.iter().map(|step| step.get::<String, _>(0)));
    }
    tx.commit().await.unwrap();
    steps
}
