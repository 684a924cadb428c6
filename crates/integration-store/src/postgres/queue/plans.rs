//! How the server goes about the statements of the queue.

use rstest::rstest;
use sqlx::Row;

use super::*;

#[path = "../../../tests/support/postgres.rs"]
#[expect(
    dead_code,
    reason = "it serves several programs, and each uses a part of it"
)]
mod server;

const NOBODY: &str = "'00000000-0000-0000-0000-000000000000'";

/// A look at every row of a table would make a batch as dear as the store is large. The tables are empty, where a
/// planner that is left alone would read them whole.
#[rstest]
#[case::newest(NEWEST, &[])]
#[case::look(LOOK, &["now()"])]
#[case::take(TAKE, &["now()", "5", "5"])]
#[case::one(ONE, &[NOBODY])]
#[case::owned(OWNED, &["'[]'"])]
#[case::meanwhile(MEANWHILE, &["'[]'", "now()"])]
#[case::expired(EXPIRED, &["now()", "5"])]
#[case::drop_identifiers(DROP_IDENTIFIERS, &["'[]'"])]
#[case::sharing(SHARING, &["'[]'"])]
#[case::put_off(PUT_OFF, &["'[]'", "now()", "64", "now()", "now()"])]
#[case::start(START, &["'[]'", "now()"])]
#[case::finish(FINISH, &["'[]'", "now()", "'[]'", "8"])]
#[case::know(KNOW, &["'[]'", "8"])]
#[case::heads(HEADS, &["'[]'", "now()"])]
#[case::renew(RENEW, &[NOBODY, NOBODY, "now()", "5", "now()"])]
#[case::keep_leases(KEEP_LEASES, &["'[]'", "now()"])]
#[case::keep_operations(KEEP_OPERATIONS, &["'[]'"])]
#[case::resume(RESUME, &["'t'", "'x'", "now()"])]
#[tokio::test]
async fn statements_go_by_their_indexes(#[case] text: &'static str, #[case] values: &[&str]) {
    let Some(schema) = server::schema() else {
        return;
    };
    let store = PostgresStore::builder()
        .schema(&schema.name)
        .max_connections(1);
    let store = store.connect(schema.url()).await.unwrap();
    let mut statement = store.text(text).into_owned();
    for (n, value) in values.iter().enumerate().rev() {
        statement = statement.replace(&format!("${}", n + 1), value);
    }
    let mut tx = store.pool.begin_with(BEGIN).await.unwrap();
    let explain = sqlx::AssertSqlSafe(format!("explain (costs off) {statement}"));
    let steps = sqlx::query(explain).fetch_all(&mut *tx).await.unwrap();
    for step in steps {
        let step: String = step.get(0);
        assert!(
            !step.contains("Seq Scan") && !step.contains("Hash Join"),
            "{step} in {statement}"
        );
    }
}
