//! Jobs that kill whoever runs them.

use connector_http::{Timer as _, TokioTimer};
use contact_sync::{Lane, NewJob};

use crate::herd::{Breed, Herd};
use crate::options::Options;
use crate::people::{poison, targets, tenant};
use crate::place::Place;
use crate::queue::{State, accept, all_done, print};
use crate::verdict::Verdict;
use crate::{Outcome, journal};

const MAX_CRASHES: u32 = 3;
const POISONS: usize = 2;
const OTHERS: usize = 50;

/// Returns the bars that were missed.
pub(crate) async fn run(place: &Place, options: &Options) -> Outcome<Vec<String>> {
    let name = format!("poison_{}", place.database);
    let store = place.address.open(MAX_CRASHES, 4).await?;
    let mut poisons = Vec::new();
    for number in 0..POISONS {
        let [target, _] = targets();
        let jobs = [NewJob::new(target, Lane::Bulk)];
        let contact = poison(OTHERS + number);
        let accepted = store.accept(&tenant(), &contact, &jobs).await;
        poisons.push(accepted.map_err(|e| e.to_string())?.contact);
    }
    let revisions = accept(&store, 0..OTHERS).await?;
    // One job at a time, so that no other dies with its worker.
    let mut herd = Herd::start(Breed {
        address: place.address.clone(),
        folder: place.folder(),
        workers: options.workers,
        max_crashes: MAX_CRASHES,
        concurrency: 1,
        seed: options.seed,
    })?;
    let finished = tokio::select! {
        done = all_done(&store) => done.map(|()| true)?,
        tended = herd.tend() => return Err(tended.err().unwrap_or_default()),
        () = TokioTimer.sleep(options.cap) => false,
    };
    herd.end().await?;
    if !finished {
        return Ok(vec![format!("{name}: not done in time")]);
    }
    let verdict = Verdict::of(&journal::read(&place.folder())?);
    let dead = place.dead().await?;
    let as_expected = dead
        .iter()
        .filter(|(contact, crashes)| {
            poisons.iter().any(|poison| poison.as_uuid() == *contact)
                && *crashes == i64::from(MAX_CRASHES)
        })
        .count();
    // What is left are the others, who are all done.
    let state = State::of(&store, &revisions, &verdict).await?;
    let figures = [
        ("dead", dead.len(), Some(POISONS)),
        ("dead_after_their_limit", as_expected, Some(POISONS)),
        (
            "workers_killed",
            herd.fallen,
            Some(POISONS * MAX_CRASHES as usize),
        ),
        ("others_done", state.done, Some(OTHERS * 2)),
    ];
    Ok(print(&name, &figures))
}
