//! The identifiers under which jobs run: one job at a time has each.

use std::collections::HashMap;

use uuid::Uuid;

use super::contact::LineId;
use super::job_row::{JobRow, contact_of};
use super::line::{IdentifierRow, batch, drop_identifiers, identifier_rows, running_rows};
use super::{Connection, Result, Store, failed, get, queue};
use crate::columns::Id;

/// Keeps jobs apart that share an identifier: the first of them is tried, the others have to wait for it.
pub(super) fn apart(jobs: Vec<JobRow>) -> (Vec<JobRow>, Vec<(JobRow, LineId)>) {
    let mut taken: HashMap<(String, String, String), LineId> = HashMap::new();
    let (mut first, mut later) = (Vec::new(), Vec::new());
    for job in jobs {
        let keys: Vec<_> = running_rows(&job)
            .map(|row| {
                (
                    row.tenant_id.to_owned(),
                    row.target.to_owned(),
                    row.identifier,
                )
            })
            .collect();
        if let Some(blocker) = keys.iter().find_map(|key| taken.get(key)).cloned() {
            later.push((job, blocker));
            continue;
        }
        taken.extend(keys.into_iter().map(|key| (key, job.line.clone())));
        first.push(job);
    }
    (first, later)
}

/// Tells of each job whether it has all of its identifiers now.
pub(super) async fn take_identifiers(
    store: &Store,
    connection: &mut Connection,
    jobs: &[JobRow],
) -> Result<Vec<bool>> {
    // What a line of an intent stands under makes place for what it runs under.
    let resting: Vec<&LineId> = jobs
        .iter()
        .filter(|job| job.state.held_contact.is_some())
        .map(|job| &job.line)
        .collect();
    if !resting.is_empty() {
        drop_identifiers(store, connection, &resting).await?;
    }
    let mut rows: Vec<IdentifierRow<'_>> = jobs.iter().flat_map(running_rows).collect();
    // In one order for everybody, so that nobody waits in a circle.
    rows.sort_unstable();
    let mut got: HashMap<(Uuid, String), usize> = HashMap::new();
    if !rows.is_empty() {
        let query = store.query(queue::TAKE_IDENTIFIERS).bind(batch(&rows)?);
        for row in query.fetch_all(connection).await.map_err(failed)? {
            let line = (
                get::<Id>(&row, "contact_id")?.0,
                get::<String>(&row, "target")?,
            );
            *got.entry(line).or_default() += 1;
        }
    }
    let has_all = jobs.iter().map(|job| {
        let wanted = job.identifiers().len();
        let line = (job.line.contact.as_uuid(), job.line.target_text());
        got.get(&line).copied().unwrap_or_default() == wanted
    });
    Ok(has_all.collect())
}

/// Takes back what jobs have taken that cannot run; their lines stand under what they stood under before.
pub(super) async fn give_identifiers_back(
    store: &Store,
    connection: &mut Connection,
    jobs: &[JobRow],
) -> Result<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    let lines: Vec<&LineId> = jobs.iter().map(|job| &job.line).collect();
    drop_identifiers(store, connection, &lines).await?;
    let mut rows = Vec::new();
    for job in jobs {
        if let Some(contact) = &job.state.held_contact {
            let contact = contact_of(contact, "held_contact")?;
            rows.extend(identifier_rows(&job.tenant, &job.line, &contact, false));
        }
    }
    rows.sort_unstable();
    if !rows.is_empty() {
        let query = store.query(queue::TAKE_IDENTIFIERS).bind(batch(&rows)?);
        query.fetch_all(connection).await.map_err(failed)?;
    }
    Ok(())
}
