//! The confirmation of an operation: the contact and its links are written, the undo jobs go.
//!
//! Inside the host's own transaction it is there or not with the host's record, and nothing has to be known for taking
//! it back. One of the store's own can be taken back until the operation is over: it writes down what it has changed.

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use contact_sync::limits::check_remote;
use contact_sync::{Confirmation, Held, Lane, Link, OperationId, StoreError, TargetName, Ticket};
use serde::{Deserialize, Serialize};
use sqlx::{Connection as _, Transaction};

use super::contact::{LineId, look_again, read_contact, write_contact};
use super::contacts_db::Place;
use super::erase::{is_erased, link_of_erased};
use super::line::{LinkState, forget_record, line, set_link};
use super::operation::{Operation, Was, alone, operation, read};
use super::outbox::{queue_delivery, remove_job};
use super::undo::{self, from_json, json};
use super::{Connection, Database, Result, Statements, failed, get};
use crate::ConfirmIn;
use crate::columns::{Id, Time};

/// Says that an operation is confirmed, if it is there and nobody has said so yet. It comes first: who writes first
/// waits for others that write, and is not refused because somebody else wrote after it has read.
const SAY: &str = "
    insert into main.sync_confirmations (operation_id, token)
    select id, token from main.sync_operations where id = $1 and token = $2
    on conflict (operation_id) do nothing";

/// Keeps the operation there until the end of the transaction, and lets its lease be renewed.
const READ_SHARED: &str = "
    select lease_until, tenant_id, contact_id, contact, targets, before
    from main.sync_operations where id = $1 and token = $2 /* for key share */";

const REMEMBER: &str = "update main.sync_confirmations set changes = $2 where operation_id = $1";

const CONFIRMED: &str = "select changes from main.sync_confirmations where operation_id = $1";

const FORGET: &str = "delete from main.sync_confirmations where operation_id = $1";

/// What is left of it says that it was, and nothing of the person.
const KEEP: &str =
    "update main.sync_confirmations set changes = null, ended_at = $2 where operation_id = $1";

const KEPT: &str = "
    select operation_id from main.sync_confirmations
    where operation_id = $1 and token = $2 and ended_at is not null";

const SWEEP: &str = "
    delete from main.sync_confirmations where operation_id in
        (select c.operation_id from main.sync_confirmations c where c.ended_at < $1 order by c.ended_at limit $2)";

/// For so long at least the holder of an operation that is over may ask whether it was confirmed.
const SHORTEST: TimeDelta = TimeDelta::days(1);

const CONTACT: &str = "
    select contact, revision, erased_at from main.sync_contacts where id = $1 /* for update */";

const RESTORE: &str = "
    update main.sync_contacts set contact = $3, revision = $4, erased_at = $5, updated_at = $6
    where id = $1 and revision = $2 and erased_at is null";

const DELETE_CONTACT: &str =
    "delete from main.sync_contacts where id = $1 and revision = $2 and erased_at is null";

const DELIVERED: &str =
    "update main.sync_lines set delivered = $3 where contact_id = $1 and target = $2";

/// The deliveries of a contact that wait. None runs: the operation holds the lines.
const DELIVERIES: &str = "
    select id from main.sync_outbox
    where contact_id = $1 and target = $2 and kind = 'deliver' and state in ('ready', 'retrying', 'running', 'held')";

const REMOVALS: &str =
    "select id from main.sync_outbox where contact_id = $1 and target = $2 and kind = 'remove'";

/// What a confirmation has changed, for taking it back.
#[derive(Serialize, Deserialize)]
pub(super) struct Changes {
    /// The contact's row, if it was there.
    contact: Option<ContactBefore>,
    /// The revision that the confirmation made.
    revision: u64,
    links: Vec<LinkBefore>,
    undos: Vec<(TargetName, undo::Removed)>,
}

#[derive(Serialize, Deserialize)]
struct ContactBefore {
    contact: Option<String>,
    revision: i64,
    erased_at: Option<DateTime<Utc>>,
}

#[derive(Serialize, Deserialize)]
struct LinkBefore {
    target: TargetName,
    link: Was,
    /// Of an intent: an erasure asks how old what it finds may be.
    intent_at: Option<DateTime<Utc>>,
    delivered: i64,
}

/// Confirms in a transaction of the store's own.
pub(super) async fn confirm(
    store: &impl Statements,
    conn: &mut Connection,
    held: Held,
    created: &[Link],
    found: &[Link],
    now: DateTime<Utc>,
) -> Result<()> {
    operation(store, conn, held).await?;
    alone(store, conn, held).await?;
    let Some(changes) = write(store, conn, held, created, found, now).await? else {
        return Ok(());
    };
    let query = store
        .query(REMEMBER)
        .bind(Id::from(held.operation.as_uuid()))
        .bind(json(&changes)?);
    query.execute(conn).await.map_err(failed)?;
    Ok(())
}

/// Writes a confirmation; nothing if it is there already.
async fn write(
    store: &impl Statements,
    conn: &mut Connection,
    held: Held,
    created: &[Link],
    found: &[Link],
    now: DateTime<Utc>,
) -> Result<Option<Changes>> {
    let mut all = created.iter().chain(found);
    all.try_for_each(|link| check_remote(&link.remote))?;
    let query = store
        .query(SAY)
        .bind(Id::from(held.operation.as_uuid()))
        .bind(Id::from(held.token.as_uuid()));
    let said = query.execute(&mut *conn).await.map_err(failed)?;
    let operation = read(store, conn, READ_SHARED, held).await?;
    if said.rows_affected() == 0 {
        return Ok(None);
    }
    // The clock of the machine may be ahead of the store's, by which the jobs wait.
    let now = now.min(operation.lease_until);
    let (id, contact) = (operation.contact_id, &operation.contact);
    let before = contact_before(store, conn, &operation).await?;
    let revision = write_contact(store, conn, id, &operation.tenant, contact, now).await?;
    let stored = read_contact(store, conn, id).await?;
    let mut changes = Changes {
        contact: before,
        revision,
        links: Vec::new(),
        undos: Vec::new(),
    };
    // Earlier signups may have said more than what was created now.
    let is_all = stored.is_some_and(|(stored, _)| stored == *contact);
    let links = created.iter().map(|link| (link, true));
    let links: Vec<(&Link, bool)> = links
        .chain(found.iter().map(|link| (link, false)))
        .collect();
    for line_id in operation.lines() {
        let kept = links.iter().find(|(link, _)| link.target == line_id.target);
        let mut is_ours = kept.is_some_and(|(_, is_new)| *is_new);
        let waiting = undo::waiting(store, conn, &line_id).await?;
        let remote = kept.map(|(link, _)| &link.remote);
        if let Some(waiting) = waiting.filter(|waiting| waiting.undoes(remote)) {
            // The record of an earlier operation that was taken over is ours too.
            is_ours = true;
            remove_job(store, conn, waiting.job).await?;
            let target = line_id.target.clone();
            changes.undos.push((target, waiting.into()));
        }
        if let Some((link, is_new)) = kept {
            let says_all = (*is_new && is_all).then_some(revision);
            let change = keep(store, conn, &operation, link, (is_ours, says_all), now).await?;
            changes.links.push(change);
        }
    }
    Ok(Some(changes))
}

async fn contact_before(
    store: &impl Statements,
    conn: &mut Connection,
    operation: &Operation,
) -> Result<Option<ContactBefore>> {
    let query = store
        .query(CONTACT)
        .bind(Id::from(operation.contact_id.as_uuid()));
    let Some(row) = query.fetch_optional(conn).await.map_err(failed)? else {
        return Ok(None);
    };
    Ok(Some(ContactBefore {
        contact: get(&row, "contact")?,
        revision: get(&row, "revision")?,
        erased_at: get::<Option<Time>>(&row, "erased_at")?.map(|at| at.0),
    }))
}

/// Links a line to a record, which says all there is to say, up to a revision, or has to be brought up to date.
async fn keep(
    store: &impl Statements,
    conn: &mut Connection,
    operation: &Operation,
    link: &Link,
    (is_ours, says_all): (bool, Option<u64>),
    now: DateTime<Utc>,
) -> Result<LinkBefore> {
    let line_id = operation.line(&link.target);
    let row = line(store, conn, &line_id, true).await?;
    let row = row.ok_or(StoreError::LeaseLost)?;
    let state = LinkState::Linked {
        remote: link.remote.clone(),
        is_ours,
    };
    let before = LinkBefore {
        target: link.target.clone(),
        link: row.link.into(),
        intent_at: row.intent_at,
        delivered: row.delivered.cast_signed(),
    };
    let (tenant, contact) = (&operation.tenant, Some(&operation.contact));
    set_link(store, conn, &line_id, tenant, &state, contact, now).await?;
    if is_ours {
        // An erasure that came in between was about what is not there any more.
        drop_jobs(store, conn, &line_id, REMOVALS).await?;
    }
    match says_all {
        Some(revision) => {
            delivered(store, conn, &line_id, revision.cast_signed()).await?;
        }
        None => {
            queue_delivery(store, conn, &line_id, tenant, Lane::Bulk, None, now).await?;
        }
    }
    Ok(before)
}

async fn delivered(
    store: &impl Statements,
    conn: &mut Connection,
    line: &LineId,
    revision: i64,
) -> Result<()> {
    let query = store
        .query(DELIVERED)
        .bind(line.contact_row())
        .bind(line.target_text())
        .bind(revision);
    query.execute(conn).await.map_err(failed)?;
    Ok(())
}

async fn drop_jobs(
    store: &impl Statements,
    conn: &mut Connection,
    line: &LineId,
    which: &'static str,
) -> Result<()> {
    let query = store
        .query(which)
        .bind(line.contact_row())
        .bind(line.target_text());
    for row in query.fetch_all(&mut *conn).await.map_err(failed)? {
        remove_job(store, conn, get::<Id>(&row, "id")?.0.into()).await?;
    }
    Ok(())
}

/// Takes back what a confirmation of the store's own has changed. A signup of the same person that came in meanwhile
/// was accepted, and stays; so does an erasure.
pub(super) async fn take_back(
    store: &impl Statements,
    conn: &mut Connection,
    operation: &Operation,
    changes: Changes,
    now: DateTime<Utc>,
) -> Result<()> {
    let (tenant, contact) = (&operation.tenant, &operation.contact);
    // An erasure is over, or waits for it.
    contact_before(store, conn, operation).await?;
    let is_untouched = restore(store, conn, operation, &changes, now).await?;
    let is_gone = is_erased(store, conn, operation.contact_id).await?;
    let was_nobody = changes
        .contact
        .as_ref()
        .is_none_or(|before| before.contact.is_none());
    for before in changes.links {
        let line_id = operation.line(&before.target);
        let current = line(store, conn, &line_id, true).await?;
        let current = current.map_or(LinkState::None, |row| row.link);
        let (mut link, mut revision) = (LinkState::from(before.link), before.delivered);
        if is_gone {
            let whose = (&line_id, tenant);
            link = link_of_erased(store, conn, whose, contact, link, now).await?;
            revision = 0;
        }
        if current != link {
            let since = before.intent_at.unwrap_or(now);
            set_link(store, conn, &line_id, tenant, &link, None, since).await?;
            if let Some(remote) = current.remote() {
                forget_record(store, conn, &line_id, tenant, remote).await?;
            }
        }
        delivered(store, conn, &line_id, revision).await?;
    }
    for (target, removed) in changes.undos {
        let line_id = operation.line(&target);
        let held = operation.held;
        undo::put_back(store, conn, (&line_id, tenant), held, removed, now).await?;
    }
    if is_untouched && was_nobody {
        for line_id in operation.lines() {
            drop_jobs(store, conn, &line_id, DELIVERIES).await?;
        }
    }
    Ok(())
}

/// Makes the contact what it was, unless it has changed since; tells whether it did.
async fn restore(
    store: &impl Statements,
    conn: &mut Connection,
    operation: &Operation,
    changes: &Changes,
    now: DateTime<Utc>,
) -> Result<bool> {
    let id = Id::from(operation.contact_id.as_uuid());
    let text = match &changes.contact {
        Some(_) => RESTORE,
        None => DELETE_CONTACT,
    };
    let mut query = store
        .query(text)
        .bind(id)
        .bind(changes.revision.cast_signed());
    if let Some(before) = &changes.contact {
        query = query
            .bind(before.contact.clone())
            .bind(before.revision)
            .bind(before.erased_at.map(Time::from))
            .bind(Time::from(now));
    }
    let done = query.execute(&mut *conn).await.map_err(failed)?;
    look_again(store, conn, operation.contact_id, now).await?;
    Ok(done.rows_affected() > 0)
}

/// Returns what the confirmation of an operation has changed, if there is one: nothing in it where the host's own
/// transaction has written it.
pub(super) async fn confirmed(
    store: &impl Statements,
    conn: &mut Connection,
    operation: OperationId,
) -> Result<Option<Option<Changes>>> {
    let query = store.query(CONFIRMED).bind(Id::from(operation.as_uuid()));
    let Some(row) = query.fetch_optional(conn).await.map_err(failed)? else {
        return Ok(None);
    };
    let changes: Option<String> = get(&row, "changes")?;
    let changes = changes.map(|changes| from_json(&changes, "changes"));
    Ok(Some(changes.transpose()?))
}

pub(super) async fn forget(
    store: &impl Statements,
    conn: &mut Connection,
    operation: OperationId,
) -> Result<()> {
    let query = store.query(FORGET).bind(Id::from(operation.as_uuid()));
    query.execute(conn).await.map_err(failed)?;
    Ok(())
}

/// Keeps of the confirmation of an operation that ends that there was one.
pub(super) async fn keep_for_later(
    store: &impl Statements,
    conn: &mut Connection,
    operation: OperationId,
    now: DateTime<Utc>,
) -> Result<()> {
    let query = store.query(KEEP).bind(Id::from(operation.as_uuid()));
    let query = query.bind(Time::from(now));
    query.execute(conn).await.map_err(failed)?;
    Ok(())
}

/// Tells whether an operation that is over was confirmed, as far as that is remembered.
pub(super) async fn was_confirmed(
    store: &impl Statements,
    conn: &mut Connection,
    held: Held,
) -> Result<bool> {
    let query = store
        .query(KEPT)
        .bind(Id::from(held.operation.as_uuid()))
        .bind(Id::from(held.token.as_uuid()));
    Ok(query.fetch_optional(conn).await.map_err(failed)?.is_some())
}

/// Forgets of so many operations that ended before a time that they were confirmed, unless that was lately. Returns of
/// how many.
pub(super) async fn sweep(
    store: &impl Statements,
    conn: &mut Connection,
    (before, now): (DateTime<Utc>, DateTime<Utc>),
    many: i64,
) -> Result<u64> {
    let before = before.min(now - SHORTEST);
    let query = store.query(SWEEP).bind(Time::from(before)).bind(many);
    let done = query.execute(conn).await.map_err(failed)?;
    Ok(done.rows_affected())
}

#[async_trait]
impl<'t> ConfirmIn<Transaction<'t, Database>> for Ticket {
    async fn confirm_in(&self, tx: &mut Transaction<'t, Database>) -> Result<(), StoreError> {
        let confirmation = self.confirmation();
        let mut savepoint = tx.begin().await.map_err(failed)?;
        if let Err(error) = join(confirmation, &mut savepoint).await {
            // What is wrong with the rollback is wrong with the whole transaction, and its end will tell.
            let _ = savepoint.rollback().await;
            return Err(error);
        }
        savepoint.commit().await.map_err(failed)?;
        confirmation.mark_joined();
        Ok(())
    }
}

async fn join(confirmation: &Confirmation, conn: &mut Connection) -> Result<()> {
    let place = Place::in_schema(&confirmation.schema);
    let now = place.now(conn).await?;
    let (created, found) = (&confirmation.created, &confirmation.found);
    write(&place, conn, confirmation.held, created, found, now).await?;
    Ok(())
}
