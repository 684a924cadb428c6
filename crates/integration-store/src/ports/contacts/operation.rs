//! Operations of the strict road.
//!
//! An operation is a row under a lease. Every call locks it first, so that the end of its lease and its holder never
//! see half of each other. A confirmation in the host's own transaction shares that lock until the host's commit: the
//! lease is renewed meanwhile, and nobody ends the operation.

use chrono::{DateTime, Utc};
use contact_sync::{
    Begun, Claim, Contact, ContactId, Held, LeaseToken, OperationId, RemoteId, StoreError,
    StrictTarget, TargetName, TenantId, Undo,
};
use serde::{Deserialize, Serialize};

use super::blocker::{aliases, blocker, known_record};
use super::contact::{LineId, contact_id};
use super::erase::{is_erased, link_of_erased, wipe_if_erased};
use super::line::{LinkState, hold, lease_out, line, release, set_link};
use super::outbox::{ensure_line, remove_job};
use super::undo::{self, from_json, json};
use super::{Connection, Result, Statements, confirm, failed, get};
use crate::columns::{Id, Time, lease_ttl};

const INSERT: &str = "
    insert into main.sync_operations (id, token, lease_until, tenant_id, contact_id, contact, targets, before)
    values ($1, $2, $3, $4, $5, $6, $7, '[]')";

/// Waits for a renewal that is under way, and not for a confirmation in the host's transaction.
const READ: &str = "
    select lease_until, tenant_id, contact_id, contact, targets, before
    from main.sync_operations where id = $1 and token = $2 /* for no key update */";

/// Gives nothing while the host's transaction is open that a confirmation was written in.
const ALONE: &str = "
    select id from main.sync_operations where id = $1 /* for update skip locked */";

const RENEW: &str = "update main.sync_operations set lease_until = $3 where id = $1 and token = $2";

const REMEMBER: &str = "update main.sync_operations set before = $2 where id = $1";

const DELETE: &str = "delete from main.sync_operations where id = $1";

/// Without those that are about to be confirmed, or are being ended.
const OVER: &str = "
    select id, token from main.sync_operations where lease_until <= $1 order by lease_until limit 100
    /* for update skip locked */";

const LEAVING: &str = "
    select id from main.sync_outbox
    where contact_id = $1 and target = $2 and kind = 'remove' and state in ('ready', 'retrying', 'running', 'held')
    limit 1";

/// An operation that is the caller's.
pub(super) struct Operation {
    pub(super) held: Held,
    pub(super) lease_until: DateTime<Utc>,
    pub(super) tenant: TenantId,
    pub(super) contact_id: ContactId,
    pub(super) contact: Contact,
    pub(super) targets: Vec<TargetName>,
    before: Vec<Before>,
}

/// What a link was before the operation's create.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Before {
    target: TargetName,
    link: Was,
}

impl Before {
    pub(super) fn link(self) -> (TargetName, LinkState) {
        (self.target, self.link.into())
    }
}

/// A link as it is written down for later.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Was {
    None,
    Intent,
    Linked { remote: RemoteId, is_ours: bool },
}

impl From<LinkState> for Was {
    fn from(link: LinkState) -> Self {
        match link {
            LinkState::None => Self::None,
            LinkState::Intent => Self::Intent,
            LinkState::Linked { remote, is_ours } => Self::Linked { remote, is_ours },
        }
    }
}

impl From<Was> for LinkState {
    fn from(was: Was) -> Self {
        match was {
            Was::None => Self::None,
            Was::Intent => Self::Intent,
            Was::Linked { remote, is_ours } => Self::Linked { remote, is_ours },
        }
    }
}

impl Operation {
    pub(super) fn line(&self, target: &TargetName) -> LineId {
        LineId::new(self.contact_id, target.clone())
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = LineId> {
        self.targets.iter().map(|target| self.line(target))
    }

    /// The line of a target, if the operation holds it.
    fn held_line(&self, target: &TargetName) -> Result<LineId> {
        if self.targets.contains(target) {
            Ok(self.line(target))
        } else {
            Err(StoreError::LeaseLost)
        }
    }
}

pub(super) async fn begin(
    store: &impl Statements,
    conn: &mut Connection,
    (tenant, contact): (&TenantId, &Contact),
    targets: &[TargetName],
    lease: std::time::Duration,
    now: DateTime<Utc>,
) -> Result<Begun> {
    let id = contact_id(store, conn, tenant, contact.key(), now).await?;
    // In one order, so that two operations never wait for each other.
    let mut sorted: Vec<&TargetName> = targets.iter().collect();
    sorted.sort_unstable();
    for target in &sorted {
        let line_id = LineId::new(id, (*target).clone());
        // In the order of everybody else: whoever ends the job has it already, and asks for the line then.
        undo::lock_first(store, conn, &line_id).await?;
        ensure_line(store, conn, &line_id, tenant).await?;
    }
    let held = Held::new(OperationId::generate(), LeaseToken::generate());
    let mut known = Vec::new();
    for target in sorted {
        let line_id = LineId::new(id, target.clone());
        let row = line(store, conn, &line_id, true).await?;
        let is_held = row.is_some_and(|row| row.holder.is_some());
        if is_held
            || is_leaving(store, conn, &line_id).await?
            || blocker(store, conn, &line_id, tenant, contact, now)
                .await?
                .is_some()
        {
            return Err(StoreError::Busy);
        }
        let mut state = StrictTarget::new(target.clone());
        state.known = known_record(store, conn, &line_id, tenant, contact).await?;
        state.aliases = aliases(store, conn, &line_id, tenant, contact).await?;
        let waiting = undo::waiting(store, conn, &line_id).await?;
        let operation = held.operation.as_uuid();
        if !hold(store, conn, &line_id, tenant, operation, contact).await? {
            return Err(StoreError::Busy);
        }
        if let Some(waiting) = waiting {
            state.unfinished = Some(waiting.undo.started_at);
            undo::take_over(store, conn, waiting.job, held, now).await?;
        }
        known.push(state);
    }
    known.sort_by_key(|state| targets.iter().position(|target| *target == state.target));
    let query = store
        .query(INSERT)
        .bind(Id::from(held.operation.as_uuid()))
        .bind(Id::from(held.token.as_uuid()))
        .bind(Time::from(now + lease_ttl(lease)))
        .bind(tenant.as_str().to_owned())
        .bind(Id::from(id.as_uuid()))
        .bind(json(contact)?)
        .bind(json(&targets)?);
    query.execute(&mut *conn).await.map_err(failed)?;
    Ok(Begun::new(held, id, contact.key().external(id), known))
}

/// Tells whether an erased contact is still being removed: what is about to be deleted must not be found.
async fn is_leaving(store: &impl Statements, conn: &mut Connection, line: &LineId) -> Result<bool> {
    let query = store
        .query(LEAVING)
        .bind(line.contact_row())
        .bind(line.target_text());
    Ok(query.fetch_optional(conn).await.map_err(failed)?.is_some())
}

/// Returns the operation, which nobody else ends or changes until the end of the transaction.
pub(super) async fn operation(
    store: &impl Statements,
    conn: &mut Connection,
    held: Held,
) -> Result<Operation> {
    read(store, conn, READ, held).await
}

/// Returns the operation by one of the statements that select it.
pub(super) async fn read(
    store: &impl Statements,
    conn: &mut Connection,
    text: &'static str,
    held: Held,
) -> Result<Operation> {
    let query = store
        .query(text)
        .bind(Id::from(held.operation.as_uuid()))
        .bind(Id::from(held.token.as_uuid()));
    let row = query.fetch_optional(conn).await.map_err(failed)?;
    let row = row.ok_or(StoreError::LeaseLost)?;
    Ok(Operation {
        held,
        lease_until: get::<Time>(&row, "lease_until")?.0,
        tenant: TenantId::from(get::<String>(&row, "tenant_id")?),
        contact_id: ContactId::from(get::<Id>(&row, "contact_id")?.0),
        contact: from_json(&get::<String>(&row, "contact")?, "contact")?,
        targets: from_json(&get::<String>(&row, "targets")?, "targets")?,
        before: from_json(&get::<String>(&row, "before")?, "before")?,
    })
}

/// Makes sure that no transaction of the host is open in which the operation is confirmed.
pub(super) async fn alone(
    store: &impl Statements,
    conn: &mut Connection,
    held: Held,
) -> Result<()> {
    let query = store.query(ALONE).bind(Id::from(held.operation.as_uuid()));
    if query.fetch_optional(conn).await.map_err(failed)?.is_none() {
        let why = "the transaction that the operation is confirmed in is still open";
        return Err(StoreError::unavailable(why));
    }
    Ok(())
}

pub(super) async fn renew(
    store: &impl Statements,
    conn: &mut Connection,
    held: Held,
    lease: std::time::Duration,
    now: DateTime<Utc>,
) -> Result<()> {
    let query = store
        .query(RENEW)
        .bind(Id::from(held.operation.as_uuid()))
        .bind(Id::from(held.token.as_uuid()))
        .bind(Time::from(now + lease_ttl(lease)));
    match query.execute(conn).await.map_err(failed)?.rows_affected() {
        0 => Err(StoreError::LeaseLost),
        _ => Ok(()),
    }
}

pub(super) async fn expect_create(
    store: &impl Statements,
    conn: &mut Connection,
    held: Held,
    target: &TargetName,
    undo: Undo,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut operation = operation(store, conn, held).await?;
    let line_id = operation.held_line(target)?;
    if !operation.before.iter().any(|b| b.target == *target) {
        let row = line(store, conn, &line_id, true).await?;
        let link = row.map_or(Was::None, |row| Was::from(row.link));
        let target = target.clone();
        operation.before.push(Before { target, link });
        remember(store, conn, &operation).await?;
    }
    let tenant = &operation.tenant;
    set_link(store, conn, &line_id, tenant, &LinkState::Intent, None, now).await?;
    if let Some(taken_over) = undo::waiting(store, conn, &line_id).await? {
        return undo::describe(store, conn, taken_over.job, &undo).await;
    }
    let place = (&line_id, tenant);
    undo::add(store, conn, place, held, &undo, (now, now)).await?;
    Ok(())
}

async fn remember(
    store: &impl Statements,
    conn: &mut Connection,
    operation: &Operation,
) -> Result<()> {
    let query = store
        .query(REMEMBER)
        .bind(Id::from(operation.held.operation.as_uuid()))
        .bind(json(&operation.before)?);
    query.execute(conn).await.map_err(failed)?;
    Ok(())
}

pub(super) async fn note_created(
    store: &impl Statements,
    conn: &mut Connection,
    held: Held,
    target: &TargetName,
    remote: &RemoteId,
    now: DateTime<Utc>,
) -> Result<()> {
    let line_id = operation(store, conn, held).await?.held_line(target)?;
    if let Some(waiting) = undo::waiting(store, conn, &line_id).await? {
        undo::name(store, conn, waiting.job, remote, now).await?;
    }
    settle(store, conn, &line_id, None).await
}

pub(super) async fn note_unclear(
    store: &impl Statements,
    conn: &mut Connection,
    held: Held,
    target: &TargetName,
    settles_in: std::time::Duration,
    now: DateTime<Utc>,
) -> Result<()> {
    let line_id = operation(store, conn, held).await?.held_line(target)?;
    let settled = now + lease_ttl(settles_in);
    if let Some(waiting) = undo::waiting(store, conn, &line_id).await? {
        undo::postpone(store, conn, waiting.job, settled, now).await?;
    }
    settle(store, conn, &line_id, Some(settled)).await
}

const SETTLE: &str =
    "update main.sync_lines set settles_at = $3 where contact_id = $1 and target = $2";

async fn settle(
    store: &impl Statements,
    conn: &mut Connection,
    line: &LineId,
    at: Option<DateTime<Utc>>,
) -> Result<()> {
    let query = store
        .query(SETTLE)
        .bind(line.contact_row())
        .bind(line.target_text())
        .bind(at.map(Time::from));
    query.execute(conn).await.map_err(failed)?;
    Ok(())
}

pub(super) async fn withdraw_create(
    store: &impl Statements,
    conn: &mut Connection,
    held: Held,
    target: &TargetName,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut operation = operation(store, conn, held).await?;
    let line_id = operation.held_line(target)?;
    let position = operation.before.iter().position(|b| b.target == *target);
    // Without it, it is withdrawn already, and nobody was told.
    let Some(position) = position else {
        return Ok(());
    };
    let before = operation.before.swap_remove(position);
    remember(store, conn, &operation).await?;
    if let Some(waiting) = undo::waiting(store, conn, &line_id).await? {
        remove_job(store, conn, waiting.job).await?;
    }
    let (tenant, mut link) = (&operation.tenant, before.link.into());
    // An erasure that came in between has the line by now, or waits for it.
    line(store, conn, &line_id, true).await?;
    if is_erased(store, conn, operation.contact_id).await? {
        let whose = (&line_id, tenant);
        link = link_of_erased(store, conn, whose, &operation.contact, link, now).await?;
    }
    set_link(store, conn, &line_id, tenant, &link, None, now).await
}

/// Ends an operation if it is confirmed; tells whether it was, and of one that is over as well.
pub(super) async fn finish(
    store: &impl Statements,
    conn: &mut Connection,
    held: Held,
    now: DateTime<Utc>,
) -> Result<bool> {
    let operation = match operation(store, conn, held).await {
        Err(StoreError::LeaseLost) if confirm::was_confirmed(store, conn, held).await? => {
            return Ok(true);
        }
        operation => operation?,
    };
    alone(store, conn, held).await?;
    if confirm::confirmed(store, conn, held.operation)
        .await?
        .is_none()
    {
        return Ok(false);
    }
    end(store, conn, &operation, now).await?;
    Ok(true)
}

pub(super) async fn abandon(
    store: &impl Statements,
    conn: &mut Connection,
    held: Held,
    lease: std::time::Duration,
    now: DateTime<Utc>,
) -> Result<Vec<Claim>> {
    let operation = operation(store, conn, held).await?;
    alone(store, conn, held).await?;
    match confirm::confirmed(store, conn, held.operation).await? {
        None => {}
        Some(Some(changes)) => {
            confirm::take_back(store, conn, &operation, changes, now).await?;
            confirm::forget(store, conn, held.operation).await?;
        }
        // The host has committed it together with its own record: both sides have the contact.
        Some(None) => {
            end(store, conn, &operation, now).await?;
            return Ok(Vec::new());
        }
    }
    delete(store, conn, held.operation).await?;
    let mut claims = Vec::new();
    for line_id in operation.lines() {
        if let Some(waiting) = undo::waiting(store, conn, &line_id).await? {
            if waiting.run_at <= now {
                let contact = &operation.contact;
                let claim = lease_out(store, conn, waiting.job, contact, lease, now).await?;
                if let Some(claim) = claim {
                    claims.push(claim);
                    continue;
                }
            }
            undo::let_go(store, conn, waiting.job, false, now).await?;
        }
        release(store, conn, &line_id, now).await?;
    }
    wipe_if_erased(store, conn, operation.contact_id).await?;
    Ok(claims)
}

/// Ends operations whose lease ran out: what is not confirmed is undone by whoever claims it. Returns how many.
pub(super) async fn reap_operations(
    store: &impl Statements,
    conn: &mut Connection,
    now: DateTime<Utc>,
) -> Result<u64> {
    let query = store.query(OVER).bind(Time::from(now));
    let rows = query.fetch_all(&mut *conn).await.map_err(failed)?;
    let mut ended = 0;
    for row in &rows {
        let held = Held::new(
            OperationId::from(get::<Id>(row, "id")?.0),
            LeaseToken::from(get::<Id>(row, "token")?.0),
        );
        let operation = operation(store, conn, held).await?;
        end(store, conn, &operation, now).await?;
        ended += 1;
    }
    Ok(ended)
}

async fn end(
    store: &impl Statements,
    conn: &mut Connection,
    operation: &Operation,
    now: DateTime<Utc>,
) -> Result<()> {
    confirm::keep_for_later(store, conn, operation.held.operation, now).await?;
    delete(store, conn, operation.held.operation).await?;
    for line_id in operation.lines() {
        if let Some(waiting) = undo::waiting(store, conn, &line_id).await? {
            undo::let_go(store, conn, waiting.job, true, now).await?;
        }
        release(store, conn, &line_id, now).await?;
    }
    wipe_if_erased(store, conn, operation.contact_id).await
}

async fn delete(
    store: &impl Statements,
    conn: &mut Connection,
    operation: OperationId,
) -> Result<()> {
    let query = store.query(DELETE).bind(Id::from(operation.as_uuid()));
    query.execute(conn).await.map_err(failed)?;
    Ok(())
}
