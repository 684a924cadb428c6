//! Taking a contact away: what is kept of it, for how long, and who sees to the rest.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use contact_sync::{
    Contact, ContactId, Erased, Identifier, JobKind, Lane, RemoteId, TargetName, TenantId,
};

use super::contact::{LineId, identifier_text, ordering_key, read_contact};
use super::job_row::contact_of;
use super::line::LinkState;
use super::operation::Before;
use super::outbox::{NewRow, add_job, forget_stopped_removal, head};
use super::undo::{from_json, json};
use super::{Connection, Result, Row, Statements, Store, corrupt, failed, get, queue};
use crate::columns::{Id, Time};

const LOCK: &str = "
    update main.sync_contacts set updated_at = $3 where id = $1 and tenant_id = $2
    returning contact, erased_at";

const REMOVALS: &str = "
    select target from main.sync_outbox where contact_id = $1 and kind = 'remove' order by target";

const LIVE_REMOVALS: &str = "
    select target from main.sync_outbox
    where contact_id = $1 and kind = 'remove' and state in ('ready', 'retrying', 'running')";

/// What ends its attempt meanwhile must not slip through between those that wait and those that run.
const LOCK_DELIVERIES: &str = "
    select id from main.sync_outbox where contact_id = $1 and kind = 'deliver' order by id /* for update */";

const DROP_WAITING: &str = "
    delete from main.sync_outbox
    where contact_id = $1 and kind = 'deliver' and state in ('ready', 'retrying', 'review', 'dead')";

/// A delivery that runs ends with its attempt, and is no longer the one that a signup would join.
const DROP_RUNNING: &str = "
    update main.sync_outbox set is_dropped = (1 = 1), dedup_key = cast(id as text)
    where contact_id = $1 and kind = 'deliver' and state = 'running'
    returning target";

const LINES: &str = "
    update main.sync_lines set stopped_job = null where contact_id = $1
    returning target, link, is_ours, remote_id, held_contact";

/// What the links were before strict creates that go on: what these may have made, their undo jobs see to. Read once
/// the lines are locked, so that none begins or ends meanwhile.
const UNCONFIRMED: &str = "
    select o.before from main.sync_operations o
    where o.id in (select l.holder from main.sync_lines l where l.contact_id = $1)
        and not exists (select 1 from main.sync_confirmations c where c.operation_id = o.id)";

const IS_ERASED: &str =
    "select (erased_at is not null) as is_erased from main.sync_contacts where id = $1";

const REMOVAL: &str = "
    select id from main.sync_outbox where contact_id = $1 and target = $2 and kind = 'remove' limit 1";

/// Contacts whose wipe was passed over, because somebody was at their row who went away without a change.
const NOT_WIPED: &str = "
    select c.id from main.sync_contacts c
    where c.erased_at is not null and c.contact_key is not null
        and not exists (select 1 from main.sync_outbox o where o.contact_id = c.id and o.kind = 'remove')
        and not exists (select 1 from main.sync_lines l where l.contact_id = c.id and l.holder is not null)
    limit 100";

const UNLINK: &str = "
    update main.sync_lines
    set link = 'none', remote_id = null, is_ours = (1 = 0), intent_at = null, settles_at = null, delivered = 0
    where contact_id = $1 and target = $2";

const LET_GO: &str = "update main.sync_outbox set waits_for = null where waits_for = $1";

/// The data lies with the job that still needs it, and goes with it.
const KEEP_FOR_REMOVAL: &str = "
    insert into main.sync_undos (job_id, contact, external_key, started_at, also) values ($1, $2, $3, $4, $5)
    on conflict (job_id) do nothing";

const ERASE: &str = "
    update main.sync_contacts set contact = null, erased_at = $2, updated_at = $2 where id = $1";

const KNOWN_UNDER: &str = "
    select distinct k.identifier from main.sync_known k
    where k.tenant_id = $1 and k.target = $2 and k.remote_id = $3
    order by k.identifier";

const KNOWN: &str = "
    select k.target, k.identifier, k.remote_id, l.contact_id as other
    from main.sync_known k
    left join main.sync_lines l on l.tenant_id = k.tenant_id and l.target = k.target and l.remote_id = k.remote_id
        and l.contact_id <> k.contact_id
    where k.contact_id = $1
    order by k.target, k.identifier, k.remote_id, l.contact_id";

const HAND_OVER: &str = "
    update main.sync_known set contact_id = $5
    where tenant_id = $1 and target = $2 and identifier = $3 and remote_id = $4";

const FORGET: &str = "delete from main.sync_known where contact_id = $1";

/// The key is kept as long as a removal runs or waits, so that a signup that comes back goes behind that; and as long as
/// somebody is at work on a line, since a strict create that is confirmed brings the contact back. Where one comes back
/// at this moment, it is not waited for: it may be waiting for a line of ours.
const WIPE: &str = "
    update main.sync_contacts set contact = null, contact_key = null
    where id = (
        select c.id from main.sync_contacts c
        where c.id = $1 and c.erased_at is not null
            and not exists (select 1 from main.sync_outbox o where o.contact_id = $1 and o.kind = 'remove')
            and not exists (select 1 from main.sync_lines l where l.contact_id = $1 and l.holder is not null)
        /* for update skip locked */)";

const WIPE_LINES: &str = "
    delete from main.sync_lines where contact_id = $1 and link = 'none'
        and not exists (
            select 1 from main.sync_outbox o where o.contact_id = $1 and o.target = main.sync_lines.target)";

/// A line as an erasure sees it.
struct Left {
    line: LineId,
    link: Link,
    /// What the link was before the create of a strict create that goes on.
    before: Option<Link>,
    /// The record of the one or the other.
    remote: Option<RemoteId>,
    /// The contact for whom somebody is at work, or was with an end that nobody knows.
    held: Option<Contact>,
}

/// What there may be of a contact at a target.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    None,
    /// A record that is not ours.
    Theirs,
    /// A record that is ours, or may be there unseen.
    MayBeOurs,
}

impl From<&LinkState> for Link {
    fn from(link: &LinkState) -> Self {
        match link {
            LinkState::None => Self::None,
            LinkState::Linked { is_ours: false, .. } => Self::Theirs,
            LinkState::Intent | LinkState::Linked { .. } => Self::MayBeOurs,
        }
    }
}

/// Erases a contact, as the port says.
pub(super) async fn erase(
    store: &Store,
    connection: &mut Connection,
    tenant: &TenantId,
    id: ContactId,
) -> Result<Option<Erased>> {
    let now = store.now(connection).await?;
    let row = store
        .query(LOCK)
        .bind(Id::from(id.as_uuid()))
        .bind(tenant.as_str().to_owned())
        .bind(Time::from(now))
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed)?;
    let Some(row) = row else { return Ok(None) };
    if get::<Option<Time>>(&row, "erased_at")?.is_some() {
        wipe_if_done(store, connection, id).await?;
        let queued = targets(store, connection, REMOVALS, id).await?;
        return Ok(Some(Erased::new(id, queued, Vec::new())));
    }
    let Some(text) = get::<Option<String>>(&row, "contact")? else {
        return Ok(None);
    };
    let contact: Contact = serde_json::from_str(&text).map_err(|_| corrupt("contact"))?;
    let query = store.query(LOCK_DELIVERIES).bind(Id::from(id.as_uuid()));
    query.fetch_all(&mut *connection).await.map_err(failed)?;
    let query = store.query(DROP_WAITING).bind(Id::from(id.as_uuid()));
    query.execute(&mut *connection).await.map_err(failed)?;
    let running = targets(store, connection, DROP_RUNNING, id).await?;
    let running: HashSet<TargetName> = running.into_iter().collect();
    let mut kept = Vec::new();
    let leaving = targets(store, connection, LIVE_REMOVALS, id).await?;
    for left in lines(store, connection, id).await? {
        let target = left.line.target.clone();
        forget_stopped_removal(store, connection, &left.line).await?;
        let link = left.before.unwrap_or(left.link);
        if link == Link::MayBeOurs || running.contains(&target) {
            let mut also = known_under(
                store,
                connection,
                (&left.line, tenant),
                left.remote.as_ref(),
            )
            .await?;
            let held = left.held.as_ref().map(Contact::identifiers);
            also.extend(held.iter().flatten().map(identifier_text));
            queue_removal(
                store,
                connection,
                (&left.line, tenant),
                (&contact, also),
                now,
            )
            .await?;
        } else if link == Link::Theirs && !leaving.contains(&target) {
            // Where a create goes on, the end of that sees to it.
            if left.link == Link::Theirs {
                let query = store.query(UNLINK).bind(left.line.contact_row());
                let query = query.bind(left.line.target_text());
                query.execute(&mut *connection).await.map_err(failed)?;
            }
            kept.push(target);
        }
        head(store, connection, &left.line).await?;
        let query = store.query(LET_GO).bind(ordering_key(&left.line));
        query.execute(&mut *connection).await.map_err(failed)?;
    }
    forget_records(store, connection, tenant, id).await?;
    let query = store.query(ERASE).bind(Id::from(id.as_uuid()));
    let query = query.bind(Time::from(now));
    query.execute(&mut *connection).await.map_err(failed)?;
    let queued = targets(store, connection, REMOVALS, id).await?;
    wipe_if_done(store, connection, id).await?;
    Ok(Some(Erased::new(id, queued, kept)))
}

/// Wipes what is left of an erased contact once none of its jobs needs it any more.
pub(in super::super) async fn wipe_if_done(
    store: &impl Statements,
    connection: &mut Connection,
    contact: ContactId,
) -> Result<()> {
    // One after the other, or each of two that end together would leave it to the other.
    let query = store.query(queue::ONE_WIPER).bind(contact.to_string());
    query
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed)?;
    let query = store.query(WIPE).bind(Id::from(contact.as_uuid()));
    let wiped = query.execute(&mut *connection).await.map_err(failed)?;
    if wiped.rows_affected() > 0 {
        let query = store.query(WIPE_LINES).bind(Id::from(contact.as_uuid()));
        query.execute(connection).await.map_err(failed)?;
    }
    Ok(())
}

/// Wipes what is left of an erased contact on whose lines somebody was at work, who has just let them go.
pub(super) async fn wipe_if_erased(
    store: &impl Statements,
    connection: &mut Connection,
    contact: ContactId,
) -> Result<()> {
    if is_erased(store, connection, contact).await? {
        wipe_if_done(store, connection, contact).await?;
    }
    Ok(())
}

pub(super) async fn is_erased(
    store: &impl Statements,
    connection: &mut Connection,
    contact: ContactId,
) -> Result<bool> {
    let query = store.query(IS_ERASED).bind(Id::from(contact.as_uuid()));
    let row = query.fetch_optional(connection).await.map_err(failed)?;
    row.map_or(Ok(false), |row| get(&row, "is_erased"))
}

/// Wipes what was passed over.
pub(super) async fn wipe_what_is_left(store: &Store) -> Result<()> {
    let rows = store.query(NOT_WIPED).fetch_all(store.reader()).await;
    for row in rows.map_err(failed)? {
        let contact = ContactId::from(get::<Id>(&row, "id")?.0);
        store
            .change(move |store, connection| {
                Box::pin(async move { wipe_if_done(store, connection, contact).await })
            })
            .await?;
    }
    Ok(())
}

/// Returns the link that a line of a contact that is erased gets back. What may be ours is removed, for which `contact`
/// is what is known of it, unless its removal is there already; what is not ours is nobody's link any more.
pub(super) async fn link_of_erased(
    store: &impl Statements,
    connection: &mut Connection,
    (line, tenant): (&LineId, &TenantId),
    contact: &Contact,
    before: LinkState,
    now: DateTime<Utc>,
) -> Result<LinkState> {
    if Link::from(&before) != Link::MayBeOurs {
        return Ok(LinkState::None);
    }
    let query = store.query(REMOVAL).bind(line.contact_row());
    let query = query.bind(line.target_text());
    let row = query.fetch_optional(&mut *connection).await;
    if row.map_err(failed)?.is_none() {
        let whose = (line, tenant);
        let also = known_under(store, connection, whose, before.remote()).await?;
        queue_removal(store, connection, whose, (contact, also), now).await?;
    }
    Ok(before)
}

async fn targets(
    store: &Store,
    connection: &mut Connection,
    text: &'static str,
    contact: ContactId,
) -> Result<Vec<TargetName>> {
    let query = store.query(text).bind(Id::from(contact.as_uuid()));
    let rows = query.fetch_all(connection).await.map_err(failed)?;
    let target = |row: &Row| Ok(get::<String>(row, "target")?.into());
    rows.iter().map(target).collect()
}

async fn lines(
    store: &Store,
    connection: &mut Connection,
    contact: ContactId,
) -> Result<Vec<Left>> {
    let query = store.query(LINES).bind(Id::from(contact.as_uuid()));
    let rows = query.fetch_all(&mut *connection).await.map_err(failed)?;
    let query = store.query(UNCONFIRMED).bind(Id::from(contact.as_uuid()));
    let mut unconfirmed = HashMap::new();
    for row in query.fetch_all(connection).await.map_err(failed)? {
        let before: Vec<Before> = from_json(&get::<String>(&row, "before")?, "before")?;
        unconfirmed.extend(before.into_iter().map(Before::link));
    }
    let mut read = |row: &Row| {
        let link = match get::<String>(row, "link")?.as_str() {
            "none" => Link::None,
            "linked" if !get::<bool>(row, "is_ours")? => Link::Theirs,
            _ => Link::MayBeOurs,
        };
        let target: TargetName = get::<String>(row, "target")?.into();
        let before = unconfirmed.remove(&target);
        let remote = get::<Option<String>>(row, "remote_id")?.map(RemoteId::from);
        let older = before.as_ref().and_then(LinkState::remote).cloned();
        let held = get::<Option<String>>(row, "held_contact")?;
        let held = held.map(|held| contact_of(&held, "held_contact"));
        Ok(Left {
            line: LineId::new(contact, target),
            link,
            before: before.as_ref().map(Link::from),
            remote: remote.or(older),
            held: held.transpose()?,
        })
    };
    let mut lines: Vec<Left> = rows.iter().map(&mut read).collect::<Result<_>>()?;
    lines.sort_by(|one, other| one.line.cmp(&other.line));
    Ok(lines)
}

async fn queue_removal(
    store: &impl Statements,
    connection: &mut Connection,
    (line, tenant): (&LineId, &TenantId),
    (contact, also): (&Contact, Vec<String>),
    now: DateTime<Utc>,
) -> Result<()> {
    let row = NewRow {
        line,
        tenant,
        kind: JobKind::Remove,
        lane: Lane::Bulk,
        operation: None,
        is_first: false,
        trace_id: None,
        run_at: now,
        now,
    };
    let job = add_job(store, connection, row).await?;
    let key = contact.key().external(line.contact);
    store
        .query(KEEP_FOR_REMOVAL)
        .bind(Id::from(job.as_uuid()))
        .bind(json(contact)?)
        .bind(json(&key)?)
        .bind(Time::from(now))
        .bind(json(&also)?)
        .execute(connection)
        .await
        .map_err(failed)?;
    Ok(())
}

/// Returns under what a record is known: who looks for one of these may find it, and is kept off while it is removed.
async fn known_under(
    store: &impl Statements,
    connection: &mut Connection,
    (line, tenant): (&LineId, &TenantId),
    remote: Option<&RemoteId>,
) -> Result<Vec<String>> {
    let Some(remote) = remote else {
        return Ok(Vec::new());
    };
    let query = store
        .query(KNOWN_UNDER)
        .bind(tenant.as_str().to_owned())
        .bind(line.target_text())
        .bind(remote.as_str().to_owned());
    let rows = query.fetch_all(connection).await.map_err(failed)?;
    rows.iter().map(|row| get(row, "identifier")).collect()
}

/// Forgets under what the contact was known. A record that another contact has too stays known under what that one
/// has itself.
async fn forget_records(
    store: &Store,
    connection: &mut Connection,
    tenant: &TenantId,
    contact: ContactId,
) -> Result<()> {
    let query = store.query(KNOWN).bind(Id::from(contact.as_uuid()));
    let rows = query.fetch_all(&mut *connection).await.map_err(failed)?;
    for row in rows {
        let Some(other) = get::<Option<Id>>(&row, "other")? else {
            continue;
        };
        let identifier: String = get(&row, "identifier")?;
        let person = read_contact(store, connection, other.0.into()).await?;
        let has = |person: &Contact| {
            let mut identifiers = person.identifiers().into_iter();
            identifiers.any(|one: Identifier| identifier_text(&one) == identifier)
        };
        if person.is_some_and(|(person, _)| has(&person)) {
            store
                .query(HAND_OVER)
                .bind(tenant.as_str().to_owned())
                .bind(get::<String>(&row, "target")?)
                .bind(identifier)
                .bind(get::<String>(&row, "remote_id")?)
                .bind(other)
                .execute(&mut *connection)
                .await
                .map_err(failed)?;
        }
    }
    let query = store.query(FORGET).bind(Id::from(contact.as_uuid()));
    query.execute(connection).await.map_err(failed)?;
    Ok(())
}
