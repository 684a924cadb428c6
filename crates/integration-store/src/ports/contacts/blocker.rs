//! Who else is at work on a person, and what is known of them: what a job has to wait for.

use chrono::{DateTime, Utc};
use contact_sync::matching::{Candidate, Verdict, decide, same_person};
use contact_sync::{Contact, ContactId, ExternalKey, Known, RemoteId, TenantId};
use serde::Serialize;
use uuid::Uuid;

use super::contact::{LineId, identifier_text};
use super::job_row::contact_of;
use super::line::{LinkState, batch, line};
use super::{Connection, Result, Row, Statements, failed, get, queue};
use crate::columns::{Id, Time};

/// What a job or an operation has to wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Blocker {
    /// Another contact's line.
    Line(LineId),
    /// A request that may still take effect.
    Until(DateTime<Utc>),
}

/// A line of another contact that stands under one of the same identifiers at the same target.
#[derive(Debug)]
struct Other {
    contact_id: ContactId,
    /// The contact under which it stands there.
    contact: Option<Contact>,
    has_intent: bool,
    settles_at: Option<DateTime<Utc>>,
    is_held: bool,
    has_jobs: bool,
}

/// Everybody who shares an identifier with a contact.
#[derive(Debug, Default)]
pub(super) struct Around {
    others: Vec<Other>,
    known: Vec<(RemoteId, Contact)>,
}

impl Around {
    /// Tells what has to come to an end before anybody works on the person.
    pub(super) fn blocker(
        &self,
        id: &LineId,
        contact: &Contact,
        has_intent: bool,
        now: DateTime<Utc>,
    ) -> Option<Blocker> {
        self.others.iter().find_map(|other| {
            let theirs = || Blocker::Line(LineId::new(other.contact_id, id.target.clone()));
            if other.is_held {
                return Some(theirs());
            }
            if !other.is_unconfirmed(contact) {
                return None;
            }
            // Who has an intent too goes on, or two of them would wait for each other.
            if other.has_jobs && !has_intent {
                return Some(theirs());
            }
            other.settles_at.filter(|at| *at > now).map(Blocker::Until)
        })
    }

    /// Tells which record the contact has, by those of other contacts of the same person.
    pub(super) fn known(&self, contact: &Contact) -> Known {
        let candidates: Vec<Candidate<'_>> = self
            .known
            .iter()
            .map(|(remote, theirs)| Candidate::new(theirs, remote))
            .collect();
        match decide(contact, &candidates) {
            Verdict::Known(remote) => Known::One(remote),
            Verdict::Several(remotes) => Known::Several(remotes),
            _ => Known::Nobody,
        }
    }

    /// Keys of the same person's other contacts whose creation was never confirmed.
    pub(super) fn aliases(&self, contact: &Contact) -> Vec<ExternalKey> {
        let mut aliases: Vec<ExternalKey> = self
            .others
            .iter()
            .filter(|other| other.is_unconfirmed(contact))
            .filter_map(|other| Some(other.contact.as_ref()?.key().external(other.contact_id)))
            .collect();
        aliases.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
        aliases.dedup();
        aliases
    }
}

impl Other {
    fn read(row: &Row) -> Result<Self> {
        let contact: Option<String> = get(row, "contact")?;
        Ok(Self {
            contact_id: get::<Id>(row, "contact_id")?.0.into(),
            contact: contact
                .as_deref()
                .map(|text| contact_of(text, "held_contact"))
                .transpose()?,
            has_intent: get::<String>(row, "link")? == LinkState::Intent.word(),
            settles_at: get::<Option<Time>>(row, "settles_at")?.map(|at| at.0),
            is_held: get(row, "is_held")?,
            has_jobs: get(row, "has_jobs")?,
        })
    }

    /// Whether it is the same person, with a create that was never confirmed.
    fn is_unconfirmed(&self, contact: &Contact) -> bool {
        let same = |theirs| same_person(contact, theirs);
        self.has_intent && self.contact.as_ref().is_some_and(same)
    }
}

/// Whose surroundings are asked for.
pub(super) struct Ask<'a> {
    pub(super) line: &'a LineId,
    pub(super) tenant: &'a TenantId,
    pub(super) identifiers: Vec<String>,
    /// Whether the records that are known under its identifiers are asked for too.
    pub(super) known: bool,
}

#[derive(Serialize)]
struct AskRow<'a> {
    n: usize,
    tenant_id: &'a str,
    target: &'a str,
    identifier: &'a str,
    contact_id: Uuid,
    asks_known: bool,
}

/// Looks around: one answer for each, in their order.
pub(super) async fn look_around(
    store: &impl Statements,
    connection: &mut Connection,
    asks: &[Ask<'_>],
) -> Result<Vec<Around>> {
    let mut around: Vec<Around> = asks.iter().map(|_| Around::default()).collect();
    let mut rows = Vec::new();
    for (n, ask) in asks.iter().enumerate() {
        rows.extend(ask.identifiers.iter().map(|identifier| AskRow {
            n,
            tenant_id: ask.tenant.as_str(),
            target: ask.line.target.as_str(),
            identifier,
            contact_id: ask.line.contact.as_uuid(),
            asks_known: ask.known,
        }));
    }
    if rows.is_empty() {
        return Ok(around);
    }
    let query = store.query(queue::SHARING).bind(batch(&rows)?);
    for row in query.fetch_all(connection).await.map_err(failed)? {
        let n = usize::try_from(get::<i64>(&row, "n")?).unwrap_or(usize::MAX);
        let Some(around) = around.get_mut(n) else {
            continue;
        };
        match get::<Option<String>>(&row, "known")? {
            Some(remote) => {
                let contact: String = get(&row, "contact")?;
                around
                    .known
                    .push((remote.into(), contact_of(&contact, "contact")?));
            }
            None => around.others.push(Other::read(&row)?),
        }
    }
    Ok(around)
}

fn texts(contact: &Contact) -> Vec<String> {
    contact.identifiers().iter().map(identifier_text).collect()
}

async fn look_around_one(
    store: &impl Statements,
    connection: &mut Connection,
    ask: Ask<'_>,
) -> Result<Around> {
    let around = look_around(store, connection, &[ask]).await?;
    Ok(around.into_iter().next().unwrap_or_default())
}

/// Tells what has to come to an end before anybody works on a person at a target.
pub(in super::super) async fn blocker(
    store: &impl Statements,
    connection: &mut Connection,
    id: &LineId,
    tenant: &TenantId,
    contact: &Contact,
    now: DateTime<Utc>,
) -> Result<Option<Blocker>> {
    let Some(state) = line(store, connection, id, false).await? else {
        return Ok(None);
    };
    if let Some(settled) = state.settles_at.filter(|at| *at > now) {
        return Ok(Some(Blocker::Until(settled)));
    }
    let ask = Ask {
        line: id,
        tenant,
        identifiers: texts(contact),
        known: false,
    };
    let around = look_around_one(store, connection, ask).await?;
    Ok(around.blocker(id, contact, state.link == LinkState::Intent, now))
}

/// Tells which record a contact has: by its own link, else by those of other contacts of the same person.
pub(in super::super) async fn known_record(
    store: &impl Statements,
    connection: &mut Connection,
    id: &LineId,
    tenant: &TenantId,
    contact: &Contact,
) -> Result<Known> {
    let state = line(store, connection, id, false).await?;
    if let Some(remote) = state.as_ref().and_then(|state| state.link.remote()) {
        return Ok(Known::One(remote.clone()));
    }
    let ask = Ask {
        line: id,
        tenant,
        identifiers: texts(contact),
        known: true,
    };
    Ok(look_around_one(store, connection, ask)
        .await?
        .known(contact))
}

/// Keys of the same person's other contacts whose creation was never confirmed.
pub(in super::super) async fn aliases(
    store: &impl Statements,
    connection: &mut Connection,
    id: &LineId,
    tenant: &TenantId,
    contact: &Contact,
) -> Result<Vec<ExternalKey>> {
    let ask = Ask {
        line: id,
        tenant,
        identifiers: texts(contact),
        known: false,
    };
    Ok(look_around_one(store, connection, ask)
        .await?
        .aliases(contact))
}
