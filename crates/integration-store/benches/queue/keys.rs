//! `claim_20k_keys_ratio`: the time of a claim among 20,000 lines that all have a job due, against that in a store with
//! one line. Both stores are open at once and take turns; the figure is the ratio of the medians.

use std::sync::Arc;
use std::time::Duration;

use contact_sync::{
    Ack, ClaimRequest, ErrorClass, FailureNote, LinkChange, LogEntry, LogOutcome, Outcome,
};

use super::{Queue, accept, figure, median, postgres, server, sqlite};

const KEYS: usize = 20_000;
const CLAIMS: usize = 500;

pub(super) async fn print_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let (one, many) = (
        sqlite(&directory, "one.db").await,
        sqlite(&directory, "many.db").await,
    );
    print("sqlite", &one, &many).await;
}

pub(super) async fn print_postgres() {
    let (Some(a), Some(b)) = (postgres::schema(), postgres::schema()) else {
        return;
    };
    let (one, many) = (server(&a, 10).await, server(&b, 10).await);
    print("postgres", &one, &many).await;
}

async fn print<S: Queue + 'static>(database: &str, one: &Arc<S>, many: &Arc<S>) {
    accept(one, 0..1).await;
    accept(many, 0..KEYS).await;
    let (mut few_times, mut many_times) = (Vec::new(), Vec::new());
    for _ in 0..CLAIMS {
        few_times.push(claim(one).await);
        many_times.push(claim(many).await);
    }
    let (few, many) = (median(few_times), median(many_times));
    eprintln!(
        "  {database}: {:.0} us with one key, {:.0} us with {KEYS}",
        few * 1e6,
        many * 1e6
    );
    figure(
        &format!("claim_20k_keys_ratio_{database}"),
        many / few,
        "at most 2",
    );
}

/// Claims one job, and puts it back at the end of all.
async fn claim(store: &Arc<impl Queue>) -> f64 {
    let start = tokio::time::Instant::now();
    let claims = store
        .claim(ClaimRequest::new(1, Duration::from_mins(1)))
        .await
        .unwrap();
    let took = start.elapsed().as_secs_f64();
    let [claim] = claims.jobs.as_slice() else {
        unreachable!("there is always one that is due");
    };
    let whose = (claim.tenant.clone(), claim.target.clone(), claim.contact);
    let failure = LogOutcome::Failed(FailureNote::new(ErrorClass::RateLimited));
    let log = LogEntry::new(claim.job, claim.work.kind(), whose, failure);
    let ack = Ack::Snooze {
        after: Duration::ZERO,
    };
    let outcome = Outcome::new(
        (claim.job, claim.token),
        LinkChange::Withdraw,
        log,
        None,
        ack,
    );
    store.commit_outcome(outcome).await.unwrap();
    took
}
