//! Signups: those of people nobody has known before are written by one batch, however many come at the same time, since
//! each statement is a journey to the connection's thread that costs more than what it writes.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use contact_sync::limits::check_names;
use contact_sync::{Accepted, Contact, ContactId, JobId, JobKind, NewJob, StoreError, TenantId};
use serde::Serialize;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::SqliteStore;
use super::contacts::accept::accept;
use super::contacts::contact::{LineId, key_text, ordering_key};
use super::contacts::line::{batch, contact_json, stamp};
use super::contacts::outbox::{lane_number, printable};
use super::contacts::{Connection, Result, failed, get};
use crate::columns::{Id, word};
use crate::failure::{Class, Failure};

/// So many share one batch at most.
const TOGETHER: usize = 64;

/// Writes the contacts whose keys are new, with their lines and jobs, and tells which these are. A contact that is new
/// has no line yet, and each of its jobs is the head of one.
const ADD: &str = "
    insert into main.sync_contacts (id, tenant_id, contact_key, revision, contact, created_at, updated_at)
    select x.value ->> 'id', x.value ->> 'tenant_id', x.value ->> 'contact_key', 1, x.value ->> 'contact', $3, $3
    from json_each($1) x where true
    on conflict (tenant_id, contact_key) do nothing;
    insert into main.sync_lines (contact_id, target, tenant_id, link)
    select x.value ->> 'contact_id', x.value ->> 'target', x.value ->> 'tenant_id', 'none'
    from json_each($2) x
    where exists (select 1 from main.sync_contacts c where c.id = x.value ->> 'contact_id')
    on conflict (contact_id, target) do nothing;
    insert into main.sync_outbox
        (id, tenant_id, kind, target, contact_id, payload, ordering_key, dedup_key, position, is_head, lane, state,
         run_at, born_at, trace_id, updated_at)
    select x.value ->> 'id', x.value ->> 'tenant_id', $4, x.value ->> 'target', x.value ->> 'contact_id', '{}',
        x.value ->> 'ordering_key', x.value ->> 'ordering_key', 1, 1, x.value ->> 'lane', 'ready',
        $3, $3, x.value ->> 'trace_id', $3
    from json_each($2) x
    where exists (select 1 from main.sync_contacts c where c.id = x.value ->> 'contact_id')
    on conflict (kind, dedup_key) where state in ('ready', 'retrying', 'running', 'held') do nothing;
    select c.id from json_each($1) x cross join main.sync_contacts c on c.id = x.value ->> 'id'";

/// Signups that wait to be written.
#[derive(Default)]
pub(super) struct Crowd(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    people: Vec<(Newcomer, oneshot::Sender<Result<Accepted>>)>,
    is_served: bool,
}

impl Crowd {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Crowd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crowd").finish_non_exhaustive()
    }
}

/// Somebody who signs up.
#[derive(Clone)]
struct Newcomer {
    tenant: TenantId,
    contact: Contact,
    jobs: Vec<NewJob>,
}

impl Newcomer {
    /// Whether a batch holds the texts as they are: to JSON a NUL is the end of one.
    fn is_plain(&self) -> bool {
        let is_plain = |text: &str| !text.contains('\0');
        is_plain(self.tenant.as_str()) && self.jobs.iter().all(|job| is_plain(job.target.as_str()))
    }
}

/// Lets the crowd go when whoever serves it ends, however that happens.
struct Served {
    store: SqliteStore,
    /// It has let the crowd go itself: whoever serves it by now is somebody else.
    is_over: bool,
}

impl Served {
    fn end(&mut self) {
        self.is_over = true;
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if !self.is_over {
            let mut waiting = self.store.local.own.crowd.waiting();
            waiting.is_served = false;
            waiting.people.clear();
        }
    }
}

impl SqliteStore {
    /// Accepts a signup, together with others that come at the same time. It is run to its end, also when the caller
    /// stops waiting.
    ///
    /// # Errors
    ///
    /// That it could not be written; then nothing of it was.
    pub(super) async fn take_in(
        &self,
        tenant: TenantId,
        contact: Contact,
        jobs: Vec<NewJob>,
    ) -> Result<Accepted> {
        check_names(&tenant, jobs.iter().map(|job| &job.target))?;
        let newcomer = Newcomer {
            tenant,
            contact,
            jobs,
        };
        if !newcomer.is_plain() {
            return self.accept_all([newcomer].into()).await.and_then(only);
        }
        let (sender, answer) = oneshot::channel();
        let is_served = {
            let mut waiting = self.local.own.crowd.waiting();
            waiting.people.push((newcomer, sender));
            std::mem::replace(&mut waiting.is_served, true)
        };
        if !is_served {
            let mut served = Served {
                store: self.clone(),
                is_over: false,
            };
            tokio::spawn(async move {
                served.store.serve_crowd().await;
                served.end();
            });
        }
        answer.await.unwrap_or_else(|_| {
            Err(Failure::new(Class::Unavailable, "the writer of signups has ended").into())
        })
    }

    /// Writes until nobody waits any more.
    async fn serve_crowd(&self) {
        loop {
            let (people, answers): (Vec<_>, Vec<_>) = {
                let mut waiting = self.local.own.crowd.waiting();
                let many = waiting.people.len().min(TOGETHER);
                waiting.is_served = many > 0;
                waiting.people.drain(..many).unzip()
            };
            if people.is_empty() {
                return;
            }
            let people: Arc<[Newcomer]> = people.into();
            match self.accept_all(people.clone()).await {
                // Who does not wait any more does not want to know.
                Ok(accepted) => accepted
                    .into_iter()
                    .zip(answers)
                    .for_each(|(accepted, answer)| {
                        let _ = answer.send(Ok(accepted));
                    }),
                Err(error) => self.accept_each(error, &people, answers).await,
            }
        }
    }

    /// Gives everybody an answer after a batch has failed. One of them may be what the file refuses: that must not
    /// take the others with it. What the file is short of it is short of for all.
    async fn accept_each(
        &self,
        error: StoreError,
        people: &[Newcomer],
        answers: Vec<oneshot::Sender<Result<Accepted>>>,
    ) {
        let failure = match &error {
            StoreError::Unavailable(source) => source.downcast_ref::<Failure>().cloned(),
            _ => None,
        };
        let is_theirs =
            |failure: &Failure| matches!(failure.class, Class::Refused | Class::Damaged);
        let failure = failure.filter(|failure| !is_theirs(failure));
        for (newcomer, answer) in people.iter().zip(answers) {
            let answered = match &failure {
                Some(failure) => Err(failure.clone().into()),
                None => self
                    .accept_all([newcomer.clone()].into())
                    .await
                    .and_then(only),
            };
            let _ = answer.send(answered);
        }
    }

    async fn accept_all(&self, people: Arc<[Newcomer]>) -> Result<Vec<Accepted>> {
        self.change(move |store, connection| {
            Box::pin(async move {
                let now = store.now(connection).await?;
                let mut accepted = match &*people {
                    [only] if !only.is_plain() => vec![None],
                    people => add(store, connection, people, now).await?,
                };
                // The others are known already, or come twice.
                for (newcomer, accepted) in people.iter().zip(&mut accepted) {
                    if accepted.is_none() {
                        let Newcomer {
                            tenant,
                            contact,
                            jobs,
                        } = newcomer;
                        *accepted =
                            Some(accept(store, connection, tenant, contact, jobs, now).await?);
                    }
                }
                Ok(accepted.into_iter().flatten().collect())
            })
        })
        .await
    }
}

fn only(accepted: Vec<Accepted>) -> Result<Accepted> {
    let ended = || Failure::new(Class::Unavailable, "a signup has no answer").into();
    accepted.into_iter().next().ok_or_else(ended)
}

/// A contact, within a batch.
#[derive(Serialize)]
struct ContactRow<'a> {
    id: Uuid,
    tenant_id: &'a str,
    contact_key: Option<String>,
    contact: String,
}

/// A job, within a batch.
#[derive(Serialize)]
struct JobRow<'a> {
    id: Uuid,
    tenant_id: &'a str,
    contact_id: Uuid,
    target: &'a str,
    ordering_key: String,
    lane: i64,
    trace_id: Option<String>,
}

/// Adds those whom nobody has known before; the others have no answer yet.
async fn add(
    store: &SqliteStore,
    connection: &mut Connection,
    people: &[Newcomer],
    now: DateTime<Utc>,
) -> Result<Vec<Option<Accepted>>> {
    let ids: Vec<ContactId> = people.iter().map(|_| ContactId::generate()).collect();
    let (mut contacts, mut jobs) = (Vec::new(), Vec::new());
    for (newcomer, id) in people.iter().zip(&ids) {
        contacts.push(ContactRow {
            id: id.as_uuid(),
            tenant_id: newcomer.tenant.as_str(),
            contact_key: key_text(newcomer.contact.key()),
            contact: contact_json(&newcomer.contact)?,
        });
        let wanted = newcomer.jobs.iter();
        let wanted = wanted.filter(|_| !newcomer.contact.is_blank());
        jobs.extend(wanted.map(|job| JobRow {
            id: JobId::generate().as_uuid(),
            tenant_id: newcomer.tenant.as_str(),
            contact_id: id.as_uuid(),
            target: job.target.as_str(),
            ordering_key: ordering_key(&LineId::new(*id, job.target.clone())),
            lane: lane_number(job.lane),
            trace_id: job.trace_id.as_deref().map(printable),
        }));
    }
    let query = store
        .query(ADD)
        .bind(batch(&contacts)?)
        .bind(batch(&jobs)?)
        .bind(stamp(now))
        .bind(word(&JobKind::Deliver));
    let rows = query.fetch_all(connection).await.map_err(failed)?;
    let added: Result<HashSet<Uuid>> = rows.iter().map(|row| Ok(get::<Id>(row, "id")?.0)).collect();
    let added = added?;
    let accepted = people.iter().zip(ids).map(|(newcomer, id)| {
        let accepted = Accepted::new(id, 1).blank(newcomer.contact.is_blank());
        added.contains(&id.as_uuid()).then_some(accepted)
    });
    Ok(accepted.collect())
}
