//! The queue, while its workers are killed and paused.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use connector_http::{Timer as _, TokioTimer};
use contact_sync::{ContactId, Lane, NewJob, Standing, SyncStore};
use tokio::task::JoinSet;

use crate::herd::{Breed, Herd};
use crate::options::Options;
use crate::people::{TARGETS, person, targets, tenant};
use crate::place::Place;
use crate::verdict::Verdict;
use crate::{Outcome, journal};

/// Enough for every job to survive the kills of a run.
const MAX_CRASHES: u32 = 50;

/// Jobs that a worker process has at a time.
const CONCURRENCY: usize = 8;

/// Signups that are accepted at a time.
const CALLERS: usize = 64;

/// One person in so many signs up again while the workers are at it.
const AGAIN: usize = 10;

/// The revision that each contact has in the end.
pub(crate) type Revisions = HashMap<ContactId, u64>;

/// Returns the bars that were missed.
pub(crate) async fn run(place: &Place, options: &Options) -> Outcome<Vec<String>> {
    let name = format!("queue_{}", place.database);
    let people = options.jobs.div_ceil(TARGETS.len());
    let store = place.address.open(MAX_CRASHES, 8).await?;
    let start = TokioTimer.now();
    let mut revisions = accept(&store, 0..people).await?;
    println!("{name}_jobs={}", people * TARGETS.len());
    println!("{name}_accept_seconds={:.1}", start.elapsed().as_secs_f64());

    let start = TokioTimer.now();
    let mut herd = Herd::start(Breed {
        address: place.address.clone(),
        folder: place.folder(),
        workers: options.workers,
        max_crashes: MAX_CRASHES,
        concurrency: CONCURRENCY,
        seed: options.seed,
    })?;
    let work = async {
        let again = sign_up_again(&store, people).await?;
        all_done(&store).await?;
        Ok::<_, String>(again)
    };
    let finished = tokio::select! {
        again = work => Some(again?),
        disturbed = herd.disturb() => return Err(disturbed.err().unwrap_or_default()),
        () = TokioTimer.sleep(options.cap) => None,
    };
    herd.end().await?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{name}_seconds={seconds:.1}");
    println!("{name}_kills={}", herd.kills);
    println!("{name}_pauses={}", herd.pauses);
    let Some(again) = finished else {
        let snapshot = store.snapshot().await.map_err(|e| e.to_string())?;
        return Ok(vec![format!("{name}: not done in time, {snapshot:?}")]);
    };
    revisions.extend(again);

    let verdict = Verdict::of(&journal::read(&place.folder())?);
    let end = State::of(&store, &revisions, &verdict).await?;
    let dead = place.dead().await?;
    let spared = dead
        .iter()
        .filter(|(_, crashes)| *crashes != i64::from(MAX_CRASHES))
        .count();
    #[expect(clippy::cast_precision_loss, reason = "a figure to look at")]
    let per_second = verdict.completions as f64 / seconds;
    println!("{name}_completions_per_second={per_second:.0}");
    let figures = [
        ("claims", verdict.claims, None),
        ("completions", verdict.completions, None),
        ("completions_refused", verdict.refused, None),
        ("done", end.done, None),
        ("dead", dead.len(), None),
        ("not_done", end.not_done, Some(dead.len())),
        ("dead_without_their_crashes", spared, Some(0)),
        ("missing", end.missing, Some(0)),
        ("done_by_nobody", end.by_nobody, Some(0)),
        ("completed_without_lease", verdict.stolen, Some(0)),
        ("side_by_side", verdict.side_by_side, Some(0)),
        ("out_of_order", verdict.out_of_order, Some(0)),
        ("workers_that_fell", herd.fallen, Some(0)),
    ];
    Ok(print(&name, &figures))
}

/// Prints figures, and returns the bars among them that were missed.
pub(crate) fn print(name: &str, figures: &[(&str, usize, Option<usize>)]) -> Vec<String> {
    let mut missed = Vec::new();
    for (what, value, bar) in figures {
        println!("{name}_{what}={value}");
        if let Some(bar) = bar.filter(|bar| bar != value) {
            missed.push(format!("{name}: {what} is {value}, not {bar}"));
        }
    }
    missed
}

/// Accepts people, many at a time.
pub(crate) async fn accept(
    store: &Arc<dyn SyncStore>,
    people: impl IntoIterator<Item = usize>,
) -> Outcome<Revisions> {
    let (mut coming, mut revisions) = (JoinSet::new(), Revisions::new());
    for number in people {
        if coming.len() >= CALLERS
            && let Some(accepted) = coming.join_next().await
        {
            note(&mut revisions, accepted)?;
        }
        let store = Arc::clone(store);
        coming.spawn(async move {
            let jobs = targets().map(|target| NewJob::new(target, Lane::Bulk));
            let accepted = store.accept(&tenant(), &person(number), &jobs).await;
            accepted.map_err(|e| format!("a signup was not accepted: {e}"))
        });
    }
    while let Some(accepted) = coming.join_next().await {
        note(&mut revisions, accepted)?;
    }
    Ok(revisions)
}

fn note(
    revisions: &mut Revisions,
    accepted: Result<Outcome<contact_sync::Accepted>, tokio::task::JoinError>,
) -> Outcome {
    let accepted = accepted.map_err(|e| e.to_string())??;
    let newest = revisions.entry(accepted.contact).or_default();
    *newest = (*newest).max(accepted.revision);
    Ok(())
}

/// Lets some come again, in a random order, while the workers are at work.
async fn sign_up_again(store: &Arc<dyn SyncStore>, people: usize) -> Outcome<Revisions> {
    let mut revisions = Revisions::new();
    let mut numbers: Vec<usize> = (0..people).step_by(AGAIN).collect();
    fastrand::shuffle(&mut numbers);
    for few in numbers.chunks(50) {
        revisions.extend(accept(store, few.iter().copied()).await?);
        TokioTimer.sleep(Duration::from_millis(100)).await;
    }
    Ok(revisions)
}

/// Waits until nothing is live any more.
pub(crate) async fn all_done(store: &Arc<dyn SyncStore>) -> Outcome {
    loop {
        // It may be out of reach for a while, with a stopped process in the middle of a write.
        if let Ok(snapshot) = store.snapshot().await
            && snapshot.live() == 0
        {
            return Ok(());
        }
        TokioTimer.sleep(Duration::from_millis(500)).await;
    }
}

/// What the store says in the end.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) done: usize,
    pub(crate) not_done: usize,
    /// Contacts or targets that are not there at all, or in an older revision than was accepted.
    pub(crate) missing: usize,
    /// Lines that have a revision which no worker had in its hands to the end.
    pub(crate) by_nobody: usize,
}

impl State {
    pub(crate) async fn of(
        store: &Arc<dyn SyncStore>,
        revisions: &Revisions,
        verdict: &Verdict,
    ) -> Outcome<Self> {
        let (mut state, mut after, mut seen) = (Self::default(), None, 0);
        loop {
            let page = store.standings(after, 1_000).await;
            let page = page.map_err(|e| e.to_string())?;
            let Some(last) = page.last() else {
                break;
            };
            after = Some(last.contact);
            for standings in &page {
                seen += 1;
                let expected = revisions.get(&standings.contact).copied();
                let all_there = expected == Some(standings.revision)
                    && standings.targets.len() == TARGETS.len();
                state.missing += usize::from(!all_there);
                for target in &standings.targets {
                    let is_done =
                        target.delivered == standings.revision && target.standing == Standing::Idle;
                    state.done += usize::from(is_done);
                    state.not_done += usize::from(!is_done);
                    let line = format!("{}/{}", standings.contact, target.target);
                    let tried = verdict.tried.get(&line).copied().unwrap_or_default();
                    state.by_nobody += usize::from(tried < target.delivered);
                }
            }
        }
        state.missing += revisions.len().saturating_sub(seen);
        Ok(state)
    }
}
