//! A worker process of the queue: claims, works, writes down, until it is killed or its input ends.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use connector_http::{Timer as _, TokioTimer};
use contact_sync::{
    Ack, Action, Claim, ClaimRequest, Delivery, Known, LinkChange, LogEntry, LogOutcome,
    Outcome as End, RemoteId, StoreError, SyncStore, Work,
};
use tokio::io::AsyncReadExt as _;
use tokio::task::JoinSet;

use crate::Outcome;
use crate::journal::{Event, Journal, now};
use crate::people::{POISON, group};
use crate::place::Address;

pub(crate) const LEASE: Duration = Duration::from_secs(1);

/// One job in so many takes long enough to be interrupted.
const LONG: u32 = 200;

/// How long a worker with nothing to do waits at most before it asks again.
const POLL: Duration = Duration::from_millis(100);

pub(crate) struct Settings {
    pub(crate) address: Address,
    pub(crate) journal: PathBuf,
    pub(crate) max_crashes: u32,
    pub(crate) concurrency: usize,
}

pub(crate) async fn run(settings: &Settings) -> Outcome {
    tokio::select! {
        worked = work(settings) => worked,
        () = end_of_input() => Ok(()),
    }
}

/// The input ends with the process that started this one, however that came to its end.
pub(crate) async fn end_of_input() {
    let mut byte = [0];
    while let Ok(1..) = tokio::io::stdin().read(&mut byte).await {}
}

async fn work(settings: &Settings) -> Outcome {
    let store = settings.address.open(settings.max_crashes, 4).await?;
    let journal = Arc::new(Journal::open(&settings.journal)?);
    let mut running = JoinSet::new();
    loop {
        while let Some(ended) = running.try_join_next() {
            ended.map_err(|e| e.to_string())??;
        }
        let free = settings.concurrency.saturating_sub(running.len());
        let asked = now();
        // A store that does not answer is no reason to end: another process may be stopped in the middle of a write.
        let claims = store.claim(ClaimRequest::new(free, LEASE)).await;
        let at = now();
        let claims = claims.map(|claims| claims.jobs).unwrap_or_default();
        let got = !claims.is_empty();
        for claim in claims {
            journal.write(&claimed(&claim, asked, at)?)?;
            running.spawn(do_job(Arc::clone(&store), Arc::clone(&journal), claim));
        }
        if got && running.len() < settings.concurrency {
            continue;
        }
        tokio::select! {
            Some(ended) = running.join_next() => ended.map_err(|e| e.to_string())??,
            () = store.work_added(), if running.len() < settings.concurrency => {}
            () = TokioTimer.sleep(POLL), if running.len() < settings.concurrency => {}
        }
    }
}

fn delivery(claim: &Claim) -> Outcome<&Delivery> {
    match &claim.work {
        Work::Deliver(delivery) => Ok(delivery),
        other => Err(format!(
            "there is nothing but deliveries, and no {:?}",
            other.kind()
        )),
    }
}

fn claimed(claim: &Claim, asked: u64, at: u64) -> Outcome<Event> {
    let delivery = delivery(claim)?;
    Ok(Event::Claimed {
        job: claim.job.to_string(),
        token: claim.token.to_string(),
        asked,
        at,
        line: format!("{}/{}", claim.contact, claim.target),
        group: group(&delivery.contact),
        revision: delivery.revision,
    })
}

async fn do_job(store: Arc<dyn SyncStore>, journal: Arc<Journal>, claim: Claim) -> Outcome {
    let delivery = delivery(&claim)?;
    if delivery.contact.name().first() == Some(POISON) {
        // As a bug that takes the whole process down would.
        std::process::abort();
    }
    if fastrand::u32(..LONG) == 0 {
        for _ in 0..2 {
            TokioTimer.sleep(LEASE / 3).await;
            let renewed = store.renew(claim.job, claim.token, LEASE).await;
            if matches!(renewed, Err(StoreError::LeaseLost)) {
                return Ok(());
            }
        }
    } else {
        TokioTimer
            .sleep(Duration::from_millis(fastrand::u64(..3)))
            .await;
    }
    let token = claim.token.to_string();
    let at = now();
    journal.write(&Event::Trying {
        token: token.clone(),
        at,
    })?;
    let outcome = end(&claim, delivery);
    for _ in 0..3 {
        let ok = match store.commit_outcome(outcome.clone()).await {
            Ok(()) => true,
            Err(StoreError::Unavailable(_)) => continue,
            Err(_) => false,
        };
        let at = now();
        return journal.write(&Event::Ended { token, at, ok });
    }
    // It may have been written or not: the lease decides.
    Ok(())
}

fn end(claim: &Claim, delivery: &Delivery) -> End {
    let (remote, action) = match &delivery.known {
        Known::One(remote) => (remote.clone(), Action::Updated),
        _ => (RemoteId::from(delivery.key.as_str()), Action::Created),
    };
    let log = LogEntry::new(
        claim.job,
        claim.work.kind(),
        (claim.tenant.clone(), claim.target.clone(), claim.contact),
        LogOutcome::Delivered {
            action,
            unmapped: Vec::new(),
        },
    );
    let created = action == Action::Created;
    let link = LinkChange::Set { remote, created };
    let ack = Ack::Done {
        revision: delivery.revision,
    };
    End::new((claim.job, claim.token), link, log, None, ack)
}
