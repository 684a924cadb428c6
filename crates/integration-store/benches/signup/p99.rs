//! `signup_p99_ratio`: the 99th percentile of `on_signup` with one target, alone, against that of one `insert` of a row
//! of the same size that commits by itself, on a file with the same settings. The two take turns.

use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection};
use tokio::time::Instant;

use super::figures::print as figure;
use super::{hook, person};

const SIGNUPS: usize = 4_000;
const WARM_UP: usize = 200;

pub(super) async fn print() {
    let (ours, bare) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let hook = hook(&ours).await;
    let options = SqliteConnectOptions::new()
        .filename(bare.path().join("a.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .pragma("wal_autocheckpoint", "4096")
        .synchronous(SqliteSynchronous::Full);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let make = "create table people (id integer primary key, contact text not null) strict";
    sqlx::raw_sql(make).execute(&mut connection).await.unwrap();
    let (mut signups, mut inserts) = (Vec::new(), Vec::new());
    for n in 0..SIGNUPS + WARM_UP {
        let signup = person(n);
        let start = Instant::now();
        hook.on_signup(signup).await.unwrap();
        signups.push(start.elapsed());
        let text = format!("{n}{}", "x".repeat(400));
        let start = Instant::now();
        sqlx::query("insert into people (contact) values ($1)")
            .bind(text)
            .execute(&mut connection)
            .await
            .unwrap();
        inserts.push(start.elapsed());
    }
    let (signup, insert) = (p99(signups), p99(inserts));
    figure("signup_p99_ratio", signup / insert, "at most 3");
}

/// Sorts what was measured after the warm-up; prints the middle, and returns the 99th percentile.
fn p99(mut times: Vec<Duration>) -> f64 {
    times.drain(..WARM_UP);
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).copied();
    let [middle, high] = [50, 99].map(|percent| at(percent).unwrap().as_secs_f64());
    eprintln!(
        "  {:.0} us in the middle, {:.0} us at the 99th of a hundred",
        middle * 1e6,
        high * 1e6
    );
    high
}
