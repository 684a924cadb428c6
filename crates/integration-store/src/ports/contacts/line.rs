//! Lines: what is known of one contact at one target, who is at work there, and how that changes.

use chrono::{DateTime, Utc};
use contact_sync::{Claim, Contact, Identifier, JobId, RemoteId, TenantId};
use serde::Serialize;
use std::time::Duration;
use uuid::Uuid;

use super::contact::{LineId, identifier_text, ordering_key};
use super::job_row::JobRow;
use super::start::lease_out_row;
use super::{Connection, Result, Row, Statements, corrupt, failed, get, queue};
use crate::columns::{Id, Time};

/// A phone number with so many records decides nothing anyway. Under the address of a role every one of them counts.
pub(super) const MAX_KNOWN: i64 = 8;

const READ: &str = "
    select l.link, l.remote_id, l.is_ours, l.intent_at, l.settles_at, l.delivered, l.holder, l.held_contact,
        l.stopped_job
    from main.sync_lines l where l.contact_id = $1 and l.target = $2";

const HOLD: &str = "
    update main.sync_lines set holder = $3, held_contact = $4 where contact_id = $1 and target = $2";

const RELEASE: &str = "
    update main.sync_lines set holder = null, held_contact = case when link = 'intent' then held_contact end
    where contact_id = $1 and target = $2
    returning link";

const REST_IDENTIFIERS: &str = "
    update main.sync_claims set is_running = $3 where contact_id = $1 and target = $2";

const WAKE: &str = "
    update main.sync_outbox set waits_for = null, updated_at = $2 where waits_for = $1 and waits_for is not null";

/// A link that is ours stays ours, and an intent as old as it is.
const SET_LINK: &str = "
    update main.sync_lines set
        is_ours = case when is_ours and remote_id = $4 then is_ours else $5 end,
        intent_at = case when $3 = 'intent' then coalesce(case when link = 'intent' then intent_at end, $6) end,
        settles_at = case when $3 = 'intent' then settles_at end,
        link = $3, remote_id = $4
    where contact_id = $1 and target = $2";

const CUT_LINKS: &str = "
    update main.sync_lines set link = 'none', remote_id = null, is_ours = $4, delivered = 0
    where tenant_id = $1 and target = $2 and remote_id = $3 and remote_id is not null";

const FORGET_KNOWN: &str =
    "delete from main.sync_known where tenant_id = $1 and target = $2 and remote_id = $3";

/// Whoever else has a link to the record stands for it now.
const PASS_ON_KNOWN: &str = "
    update main.sync_known as k set contact_id = coalesce((
        select l.contact_id from main.sync_lines l
        where l.tenant_id = $1 and l.target = $2 and l.remote_id = $3 and l.remote_id is not null
            and l.contact_id <> $4
        order by l.contact_id limit 1), k.contact_id)
    where k.tenant_id = $1 and k.target = $2 and k.remote_id = $3 and k.contact_id = $4";

const FORGET_OWN_KNOWN: &str = "
    delete from main.sync_known
    where tenant_id = $1 and target = $2 and remote_id = $3 and contact_id = $4";

/// Where a contact stands with a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) enum LinkState {
    #[default]
    None,
    /// A create may be on its way, or may have happened unseen.
    Intent,
    Linked {
        remote: RemoteId,
        /// Whether one of our own creates has made the record.
        is_ours: bool,
    },
}

impl LinkState {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Intent => "intent",
            Self::Linked { .. } => "linked",
        }
    }

    pub(in super::super) fn remote(&self) -> Option<&RemoteId> {
        match self {
            Self::Linked { remote, .. } => Some(remote),
            Self::None | Self::Intent => None,
        }
    }

    pub(super) fn is_ours(&self) -> bool {
        matches!(self, Self::Linked { is_ours: true, .. })
    }
}

/// A line as it is stored.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct LineRow {
    pub(in super::super) link: LinkState,
    /// When the first create that nobody heard of was about to be called.
    pub(in super::super) intent_at: Option<DateTime<Utc>>,
    /// Until when a request of an intent may still take effect.
    pub(in super::super) settles_at: Option<DateTime<Utc>>,
    pub(in super::super) delivered: u64,
    /// The job or the operation that is at work.
    pub(in super::super) holder: Option<Uuid>,
    /// The contact under which the line stands in `sync_claims`, as JSON.
    pub(in super::super) held_contact: Option<String>,
    /// The delivery that waits for a person.
    pub(in super::super) stopped_job: Option<JobId>,
}

impl LineRow {
    pub(super) fn read(row: &Row) -> Result<Self> {
        let link: String = get(row, "link")?;
        let remote: Option<String> = get(row, "remote_id")?;
        let link = match (link.as_str(), remote) {
            ("none", None) => LinkState::None,
            ("intent", None) => LinkState::Intent,
            ("linked", Some(remote)) => LinkState::Linked {
                remote: remote.into(),
                is_ours: get(row, "is_ours")?,
            },
            _ => return Err(corrupt("link")),
        };
        let time = |column| -> Result<_> { Ok(get::<Option<Time>>(row, column)?.map(|at| at.0)) };
        let id = |column| -> Result<_> { Ok(get::<Option<Id>>(row, column)?.map(|id| id.0)) };
        Ok(Self {
            link,
            intent_at: time("intent_at")?,
            settles_at: time("settles_at")?,
            delivered: get::<i64>(row, "delivered")?.cast_unsigned(),
            holder: id("holder")?,
            held_contact: get(row, "held_contact")?,
            stopped_job: id("stopped_job")?.map(JobId::from),
        })
    }
}

/// A line, within a batch.
#[derive(Serialize)]
pub(super) struct LineKey<'a> {
    pub(super) contact_id: Uuid,
    pub(super) target: &'a str,
}

impl<'a> From<&'a LineId> for LineKey<'a> {
    fn from(line: &'a LineId) -> Self {
        Self {
            contact_id: line.contact.as_uuid(),
            target: line.target.as_str(),
        }
    }
}

/// An identifier that a line takes, within a batch.
#[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct IdentifierRow<'a> {
    pub(super) tenant_id: &'a str,
    pub(super) target: &'a str,
    pub(super) identifier: String,
    pub(super) contact_id: Uuid,
    pub(super) is_running: bool,
}

/// Returns the identifiers of a contact as a line takes them.
pub(super) fn identifier_rows<'a>(
    tenant: &'a TenantId,
    line: &'a LineId,
    contact: &Contact,
    is_running: bool,
) -> impl Iterator<Item = IdentifierRow<'a>> {
    let identifiers = contact.identifiers().into_iter();
    identifiers.map(move |one| identifier_row((tenant, line), identifier_text(&one), is_running))
}

/// Returns the identifiers of a job as its line takes them to run.
pub(super) fn running_rows(job: &JobRow) -> impl Iterator<Item = IdentifierRow<'_>> {
    let identifiers = job.identifiers().into_iter();
    identifiers.map(|identifier| identifier_row((&job.tenant, &job.line), identifier, true))
}

fn identifier_row<'a>(
    (tenant, line): (&'a TenantId, &'a LineId),
    identifier: String,
    is_running: bool,
) -> IdentifierRow<'a> {
    IdentifierRow {
        tenant_id: tenant.as_str(),
        target: line.target.as_str(),
        identifier,
        contact_id: line.contact.as_uuid(),
        is_running,
    }
}

/// A record that has become known under an identifier, within a batch.
#[derive(Debug, Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KnownRow {
    tenant_id: String,
    target: String,
    identifier: String,
    remote_id: String,
    contact_id: Uuid,
    is_phone: bool,
}

impl KnownRow {
    /// Whether it is the same record under the same identifier.
    pub(super) fn is_same_record(&self, other: &Self) -> bool {
        (
            &self.tenant_id,
            &self.target,
            &self.identifier,
            &self.remote_id,
        ) == (
            &other.tenant_id,
            &other.target,
            &other.identifier,
            &other.remote_id,
        )
    }
}

/// Returns under what a contact's record is known from now on.
pub(super) fn known_rows(
    tenant: &TenantId,
    line: &LineId,
    contact: &Contact,
    remote: &RemoteId,
) -> impl Iterator<Item = KnownRow> {
    contact
        .identifiers()
        .into_iter()
        .map(|identifier| KnownRow {
            tenant_id: tenant.as_str().to_owned(),
            target: line.target.as_str().to_owned(),
            identifier: identifier_text(&identifier),
            remote_id: remote.as_str().to_owned(),
            contact_id: line.contact.as_uuid(),
            is_phone: matches!(identifier, Identifier::Phone(_)),
        })
}

/// Writes a time into a batch, as it stands in a column of text.
pub(in super::super) fn stamp(at: DateTime<Utc>) -> String {
    Time::from(at)
        .0
        .format("%Y-%m-%dT%H:%M:%S%.6fZ")
        .to_string()
}

/// Writes a batch as the statements take it.
pub(in super::super) fn batch(rows: &impl Serialize) -> Result<String> {
    serde_json::to_string(rows).map_err(|_| corrupt("batch"))
}

pub(in super::super) fn contact_json(contact: &Contact) -> Result<String> {
    serde_json::to_string(contact).map_err(|_| corrupt("contact"))
}

/// Reads a line, and locks it until the end of the transaction if that is asked for.
pub(in super::super) async fn line(
    store: &impl Statements,
    connection: &mut Connection,
    id: &LineId,
    lock: bool,
) -> Result<Option<LineRow>> {
    let text = if lock { queue::READ_LINE_LOCKED } else { READ };
    let query = store
        .query(text)
        .bind(id.contact_row())
        .bind(id.target_text());
    let row = query.fetch_optional(connection).await.map_err(failed)?;
    row.as_ref().map(LineRow::read).transpose()
}

/// Makes a job or an operation the holder of a line, with the contact's identifiers. `false` when another line that
/// runs has one of them: then the transaction has to be given up, or the line [released](release).
pub(in super::super) async fn hold(
    store: &impl Statements,
    connection: &mut Connection,
    id: &LineId,
    tenant: &TenantId,
    holder: Uuid,
    contact: &Contact,
) -> Result<bool> {
    drop_identifiers(store, connection, &[id]).await?;
    let mut rows: Vec<_> = identifier_rows(tenant, id, contact, true).collect();
    rows.sort_unstable();
    let taken = store.query(queue::TAKE_IDENTIFIERS).bind(batch(&rows)?);
    let taken = taken.fetch_all(&mut *connection).await.map_err(failed)?;
    let query = store
        .query(HOLD)
        .bind(id.contact_row())
        .bind(id.target_text())
        .bind(Id::from(holder))
        .bind(contact_json(contact)?);
    query.execute(connection).await.map_err(failed)?;
    Ok(taken.len() == rows.len())
}

pub(super) async fn drop_identifiers(
    store: &impl Statements,
    connection: &mut Connection,
    lines: &[&LineId],
) -> Result<()> {
    let keys: Vec<_> = lines.iter().map(|line| LineKey::from(*line)).collect();
    let query = store.query(queue::DROP_IDENTIFIERS).bind(batch(&keys)?);
    query.execute(connection).await.map_err(failed)?;
    Ok(())
}

/// Frees a line that is locked, except for the identifiers of an intent, and lets go whoever waited for it.
pub(in super::super) async fn release(
    store: &impl Statements,
    connection: &mut Connection,
    id: &LineId,
    now: DateTime<Utc>,
) -> Result<()> {
    let query = store
        .query(RELEASE)
        .bind(id.contact_row())
        .bind(id.target_text());
    let row = query
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed)?;
    let Some(row) = row else { return Ok(()) };
    if get::<String>(&row, "link")? == LinkState::Intent.word() {
        let query = store
            .query(REST_IDENTIFIERS)
            .bind(id.contact_row())
            .bind(id.target_text())
            .bind(false);
        query.execute(&mut *connection).await.map_err(failed)?;
    } else {
        drop_identifiers(store, connection, &[id]).await?;
    }
    let query = store
        .query(WAKE)
        .bind(ordering_key(id))
        .bind(Time::from(now));
    query.execute(connection).await.map_err(failed)?;
    Ok(())
}

/// Changes the link of a line. `contact` is whose record it is, where others are to know it by that.
pub(in super::super) async fn set_link(
    store: &impl Statements,
    connection: &mut Connection,
    id: &LineId,
    tenant: &TenantId,
    new: &LinkState,
    contact: Option<&Contact>,
    now: DateTime<Utc>,
) -> Result<()> {
    let query = store
        .query(SET_LINK)
        .bind(id.contact_row())
        .bind(id.target_text())
        .bind(new.word())
        .bind(new.remote().map(|remote| remote.as_str().to_owned()))
        .bind(new.is_ours())
        .bind(Time::from(now));
    query.execute(&mut *connection).await.map_err(failed)?;
    if let (Some(contact), Some(remote)) = (contact, new.remote()) {
        let mut rows: Vec<_> = known_rows(tenant, id, contact, remote).collect();
        rows.sort_unstable();
        let query = store.query(queue::KNOW).bind(batch(&rows)?).bind(MAX_KNOWN);
        query.execute(connection).await.map_err(failed)?;
    }
    Ok(())
}

/// Cuts every link to a record that does not exist any more.
pub(in super::super) async fn cut_links(
    store: &impl Statements,
    connection: &mut Connection,
    tenant: &TenantId,
    target: &str,
    remote: &RemoteId,
) -> Result<()> {
    let about = |text| {
        store
            .query(text)
            .bind(tenant.as_str().to_owned())
            .bind(target.to_owned())
            .bind(remote.as_str().to_owned())
    };
    let cut = about(CUT_LINKS).bind(false).execute(&mut *connection);
    cut.await.map_err(failed)?;
    let forgotten = about(FORGET_KNOWN).execute(connection);
    forgotten.await.map_err(failed)?;
    Ok(())
}

/// Takes back that a contact is known under a record: whoever else has a link to it stands for it now.
pub(in super::super) async fn forget_record(
    store: &impl Statements,
    connection: &mut Connection,
    id: &LineId,
    tenant: &TenantId,
    remote: &RemoteId,
) -> Result<()> {
    for text in [PASS_ON_KNOWN, FORGET_OWN_KNOWN] {
        let query = store
            .query(text)
            .bind(tenant.as_str().to_owned())
            .bind(id.target_text())
            .bind(remote.as_str().to_owned())
            .bind(id.contact_row());
        query.execute(&mut *connection).await.map_err(failed)?;
    }
    Ok(())
}

/// Puts a job under a lease, whoever may be at work. The contact is the one its line is held for.
pub(in super::super) async fn lease_out(
    store: &impl Statements,
    connection: &mut Connection,
    job: JobId,
    contact: &Contact,
    lease: Duration,
    now: DateTime<Utc>,
) -> Result<Option<Claim>> {
    let query = store.query(queue::ONE).bind(Id::from(job.as_uuid()));
    let row = query
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed)?;
    let Some(row) = row.as_ref().map(JobRow::read).transpose()? else {
        return Ok(None);
    };
    if !hold(
        store,
        connection,
        &row.line,
        &row.tenant,
        job.as_uuid(),
        contact,
    )
    .await?
    {
        return Err(contact_sync::StoreError::Busy);
    }
    lease_out_row(store, connection, row, contact, lease, now).await
}
