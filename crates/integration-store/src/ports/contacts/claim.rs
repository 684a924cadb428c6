//! Claims: due jobs of people on whom nobody is at work, put under leases in batches.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use contact_sync::{
    Claim, ClaimRequest, Claims, Contact, Delivery, JobId, JobKind, Known, Lane, LeaseToken,
    Removal, Work,
};
use serde::Serialize;
use tokio::time::Instant;
use uuid::Uuid;

use super::blocker::{Around, Ask, Blocker, aliases, known_record, look_around};
use super::contact::{LineId, ordering_key};
use super::job_row::{JobRow, contact_of};
use super::line::{
    IdentifierRow, LinkState, batch, contact_json, drop_identifiers, identifier_rows, stamp,
};
use super::outbox::remove_job;
use super::watch::Jump;
use super::{Connection, Result, Row, Statements, Store, failed, get, queue, reap};
use crate::columns::{Id, Time, lease_ttl};

/// When a job looks again that could not take its place among those who wait.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(1);

/// When a job looks again that met another transaction.
const LOOK_AGAIN_SOON: TimeDelta = TimeDelta::milliseconds(50);

/// So many jobs wait for one line. Each end of a job lets go whoever waits for it, and all but one come back to wait
/// again: with more than this, the rest looks again after a while instead, or a crowd under one number would cost the
/// square of its size.
const MAX_WAITING: i64 = 64;

/// So often one claim asks for more where it found only jobs that have to wait.
const ROUNDS: usize = 16;

/// What is due, and when the next thing will be.
pub(super) struct Look {
    now: DateTime<Utc>,
    interactive: bool,
    bulk: bool,
    is_over: bool,
    next: Option<DateTime<Utc>>,
    /// How many bytes the tables have, where that is of interest.
    size: i64,
}

impl Look {
    fn read(row: &Row) -> Result<Self> {
        let time = |column| -> Result<_> { Ok(get::<Option<Time>>(row, column)?.map(|at| at.0)) };
        let now = get::<Time>(row, "now")?.0;
        let due = |at: Option<DateTime<Utc>>| at.is_some_and(|at| at <= now);
        let leases = [time("leased")?, time("operating")?];
        let later = [time("later_interactive")?, time("later_bulk")?];
        let ahead = leases.into_iter().chain(later).flatten();
        Ok(Self {
            now,
            interactive: due(time("interactive")?),
            bulk: due(time("bulk")?),
            is_over: leases.into_iter().any(due),
            next: ahead.filter(|at| *at > now).min(),
            size: get(row, "size")?,
        })
    }
}

/// Hands out jobs that are due, under a lease.
pub(super) async fn claim(store: &Store, request: ClaimRequest) -> Result<Claims> {
    let watch = &store.local.watch;
    let asked = store.local.timer.now();
    let look = look_after(store, asked).await?;
    let mut claims = Batch::new(request, &look);
    let mut broken = None;
    for round in 0.. {
        if claims.is_done(round) {
            break;
        }
        match take(store, &mut claims, look.now).await {
            Ok(()) => {}
            // What has been handed out so far is under its lease: it must not be lost.
            Err(error) if claims.jobs.is_empty() => return Err(error),
            Err(error) => {
                broken = Some(error);
                break;
            }
        }
    }
    if let Some(error) = broken {
        tracing::warn!(%error, "a claim came to an early end");
    }
    for claim in &claims.jobs {
        watch.leased(claim.job, claim.token, asked + request.lease);
    }
    let next_in = claims
        .next
        .map(|at| (at - look.now).to_std().unwrap_or_default());
    Ok(Claims::new(claims.jobs, next_in))
}

/// Looks at the queue, once what a clock that jumped has done is mended, and what is over is taken back.
pub(super) async fn look_after(store: &Store, asked: Instant) -> Result<Look> {
    let watch = &store.local.watch;
    if watch.is_time_to_mend(asked) {
        reap::mend(store).await?;
    }
    let mut look = look(store).await?;
    if watch.grows(look.size) {
        store.queue_grows();
    }
    match watch.look(look.now, asked) {
        Jump::None => {}
        Jump::Back => {
            store.mend_clock().await?;
            look = self::look(store).await?;
        }
        Jump::Forward => {
            reap::keep_own(store, look.now, asked).await?;
            look = self::look(store).await?;
        }
    }
    if look.is_over {
        reap::reap(store).await?;
        look = self::look(store).await?;
    }
    Ok(look)
}

async fn look(store: &Store) -> Result<Look> {
    let mut reader = store.reader().acquire().await.map_err(failed)?;
    let now = store.time_of_queue(&mut reader).await?;
    let query = store.query(queue::LOOK).bind(now);
    Look::read(&query.fetch_one(&mut *reader).await.map_err(failed)?)
}

/// A claim that is being filled.
struct Batch {
    request: ClaimRequest,
    bulk_left: usize,
    is_due: bool,
    jobs: Vec<Claim>,
    next: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    seen: usize,
    /// Whether the last round found as many as it asked for and not all of them could be had.
    has_more: bool,
}

impl Batch {
    fn new(request: ClaimRequest, look: &Look) -> Self {
        let bulk_left = request.bulk_limit.min(request.limit);
        Self {
            request,
            bulk_left,
            is_due: look.interactive || (look.bulk && bulk_left > 0),
            jobs: Vec::new(),
            next: look.next,
            now: look.now,
            seen: 0,
            has_more: true,
        }
    }

    fn left(&self) -> usize {
        self.request.limit.saturating_sub(self.jobs.len())
    }

    fn is_done(&mut self, round: usize) -> bool {
        if !self.is_due || self.left() == 0 || !self.has_more {
            if self.is_due && self.seen == 0 && self.left() > 0 {
                // Somebody else has them at this moment, and may leave them.
                self.wake_at(self.now + LOOK_AGAIN_SOON);
            }
            return true;
        }
        if round == ROUNDS {
            self.wake_at(self.now);
            return true;
        }
        false
    }

    fn wake_at(&mut self, at: DateTime<Utc>) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }

    fn add(&mut self, round: Round) {
        self.has_more = round.seen > round.claims.len();
        self.seen += round.seen;
        if let Some(at) = round.next {
            self.wake_at(at);
        }
        for claim in round.claims {
            if claim.lane != Lane::Interactive {
                self.bulk_left = self.bulk_left.saturating_sub(1);
            }
            self.jobs.push(claim);
        }
    }
}

async fn take(store: &Store, claims: &mut Batch, now: DateTime<Utc>) -> Result<()> {
    let (limit, bulk, lease) = (claims.left(), claims.bulk_left, claims.request.lease);
    let round = store
        .change(move |store, connection| {
            Box::pin(async move {
                let now = store
                    .time_of_queue(connection)
                    .await?
                    .map_or(now, |at| at.0);
                round(store, connection, (limit, bulk), lease, now).await
            })
        })
        .await?;
    claims.add(round);
    Ok(())
}

/// What one transaction of a claim came to.
#[derive(Default)]
struct Round {
    claims: Vec<Claim>,
    /// How many jobs were due and not locked by others.
    seen: usize,
    /// When the first of those that were put off, or of the leases, is due.
    next: Option<DateTime<Utc>>,
}

async fn round(
    store: &Store,
    connection: &mut Connection,
    (limit, bulk): (usize, usize),
    lease: Duration,
    now: DateTime<Utc>,
) -> Result<Round> {
    let jobs = due(store, connection, (limit, bulk), now).await?;
    let mut round = Round {
        seen: jobs.len(),
        ..Round::default()
    };
    let mut waits = Vec::new();
    let mut ready = Vec::new();
    for job in jobs {
        if job.person().is_none() {
            // There is nothing left that it could be about.
            tracing::warn!(job = %job.id, target = %job.line.target, "a job without a contact is dropped");
            remove_job(store, connection, job.id).await?;
        } else if job.state.holder.is_some() {
            waits.push(Wait::behind(&job, &job.line));
        } else if let Some(settled) = job.state.settles_at.filter(|at| *at > now) {
            waits.push(Wait::until(&job, settled));
        } else {
            ready.push(job);
        }
    }
    let (ready, later) = apart(ready);
    let got = take_identifiers(store, connection, &ready).await?;
    let asks: Vec<Ask<'_>> = ready.iter().filter_map(ask).collect();
    let around = look_around(store, connection, &asks).await?;
    drop(asks);
    let mut starts = Vec::new();
    let mut given_up = Vec::new();
    for ((job, around), is_held) in ready.into_iter().zip(around).zip(got) {
        let Some(person) = job.person() else { continue };
        let has_intent = job.state.link == LinkState::Intent;
        match around.blocker(&job.line, person, has_intent, now) {
            None if is_held => starts.push((job, around)),
            blocker => {
                match blocker {
                    Some(Blocker::Line(other)) => waits.push(Wait::behind(&job, &other)),
                    Some(Blocker::Until(settled)) => waits.push(Wait::until(&job, settled)),
                    // Who had the identifier has let it go in between.
                    None => waits.push(Wait::until(&job, now)),
                }
                given_up.push(job);
            }
        }
    }
    give_identifiers_back(store, connection, &given_up).await?;
    for (job, blocker) in later {
        // Who is tried in its place may have been given up: then it is looked at again at once.
        if starts.iter().any(|(started, _)| started.line == blocker) {
            waits.push(Wait::behind(&job, &blocker));
        }
    }
    round.next = start(store, connection, starts, lease, now, &mut round.claims).await?;
    put_off(store, connection, &waits, now, &mut round.next).await?;
    Ok(round)
}

async fn due(
    store: &Store,
    connection: &mut Connection,
    (limit, bulk): (usize, usize),
    now: DateTime<Utc>,
) -> Result<Vec<JobRow>> {
    let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let query = store
        .query(queue::TAKE)
        .bind(Time::from(now))
        .bind(number(limit))
        .bind(number(bulk));
    let rows = query.fetch_all(connection).await.map_err(failed)?;
    rows.iter().map(JobRow::read).collect()
}

/// Keeps jobs apart that share an identifier: the first of them is tried, the others have to wait for it.
fn apart(jobs: Vec<JobRow>) -> (Vec<JobRow>, Vec<(JobRow, LineId)>) {
    let mut taken: HashMap<(String, String, String), LineId> = HashMap::new();
    let (mut first, mut later) = (Vec::new(), Vec::new());
    for job in jobs {
        let Some(person) = job.person() else { continue };
        let keys: Vec<_> = identifier_rows(&job.tenant, &job.line, person, true)
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
async fn take_identifiers(
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
    let mut rows: Vec<IdentifierRow<'_>> = jobs
        .iter()
        .filter_map(|job| Some(identifier_rows(&job.tenant, &job.line, job.person()?, true)))
        .flatten()
        .collect();
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
        let wanted = job.person().map_or(0, |person| person.identifiers().len());
        let line = (job.line.contact.as_uuid(), job.line.target_text());
        got.get(&line).copied().unwrap_or_default() == wanted
    });
    Ok(has_all.collect())
}

async fn give_identifiers_back(
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

fn ask(job: &JobRow) -> Option<Ask<'_>> {
    Some(Ask {
        line: &job.line,
        tenant: &job.tenant,
        contact: job.person()?,
        known: job.kind == JobKind::Deliver && job.state.link.remote().is_none(),
    })
}

/// A job that has to wait, within a batch.
#[derive(Serialize)]
struct Wait {
    id: Uuid,
    run_at: Option<String>,
    contact_id: Option<Uuid>,
    target: Option<String>,
    ordering_key: Option<String>,
}

impl Wait {
    fn until(job: &JobRow, at: DateTime<Utc>) -> Self {
        Self {
            id: job.id.as_uuid(),
            run_at: Some(stamp(at)),
            contact_id: None,
            target: None,
            ordering_key: None,
        }
    }

    fn behind(job: &JobRow, other: &LineId) -> Self {
        Self {
            id: job.id.as_uuid(),
            run_at: None,
            contact_id: Some(other.contact.as_uuid()),
            target: Some(other.target_text()),
            ordering_key: Some(ordering_key(other)),
        }
    }
}

async fn put_off(
    store: &Store,
    connection: &mut Connection,
    waits: &[Wait],
    now: DateTime<Utc>,
    next: &mut Option<DateTime<Utc>>,
) -> Result<()> {
    if waits.is_empty() {
        return Ok(());
    }
    let query = store
        .query(queue::PUT_OFF)
        .bind(batch(&waits)?)
        .bind(Time::from(now))
        .bind(MAX_WAITING)
        .bind(Time::from(now + LOOK_AGAIN))
        .bind(Time::from(now + LOOK_AGAIN_SOON));
    for row in query.fetch_all(connection).await.map_err(failed)? {
        if !get::<bool>(&row, "waits")? {
            let at = get::<Time>(&row, "run_at")?.0;
            *next = Some(next.map_or(at, |next| next.min(at)));
        }
    }
    Ok(())
}

/// A job that is started, within a batch.
#[derive(Serialize)]
struct Start {
    id: Uuid,
    token: Uuid,
    lease_until: String,
    contact_id: Uuid,
    target: String,
    link: &'static str,
    intent_at: Option<String>,
    held_contact: String,
}

/// Puts jobs under their leases, whose identifiers their lines have; returns when these run out.
async fn start(
    store: &impl Statements,
    connection: &mut Connection,
    jobs: Vec<(JobRow, Around)>,
    lease: Duration,
    now: DateTime<Utc>,
    claims: &mut Vec<Claim>,
) -> Result<Option<DateTime<Utc>>> {
    let until = now + lease_ttl(lease);
    let mut rows = Vec::new();
    for (job, around) in jobs {
        let Some(person) = job.person() else { continue };
        let known = match job.state.link.remote() {
            Some(remote) => Known::One(remote.clone()),
            None => around.known(person),
        };
        let Some((row, claim)) =
            prepare(&job, person, known, || around.aliases(person), (now, until))?
        else {
            continue;
        };
        rows.push(row);
        claims.push(claim);
    }
    if rows.is_empty() {
        return Ok(None);
    }
    write_starts(store, connection, &rows, now).await?;
    Ok(Some(until))
}

async fn write_starts(
    store: &impl Statements,
    connection: &mut Connection,
    rows: &[Start],
    now: DateTime<Utc>,
) -> Result<()> {
    let query = store.query(queue::START).bind(batch(&rows)?);
    let query = query.bind(Time::from(now));
    query.execute(connection).await.map_err(failed)?;
    Ok(())
}

/// Puts a single job under a lease, whose line is held for it.
pub(super) async fn lease_out_row(
    store: &impl Statements,
    connection: &mut Connection,
    job: JobRow,
    contact: &Contact,
    lease: Duration,
    now: DateTime<Utc>,
) -> Result<Option<Claim>> {
    let known = known_record(store, connection, &job.line, &job.tenant, contact).await?;
    let aliases = aliases(store, connection, &job.line, &job.tenant, contact).await?;
    let until = now + lease_ttl(lease);
    let Some((row, claim)) = prepare(&job, contact, known, || aliases, (now, until))? else {
        return Ok(None);
    };
    write_starts(store, connection, &[row], now).await?;
    Ok(Some(claim))
}

/// Makes the claim of a job, and what is written for it. A claim of a contact that nobody knows moves the link to an
/// intent. Without a contact there is nothing to claim.
fn prepare(
    job: &JobRow,
    person: &Contact,
    known: Known,
    aliases: impl FnOnce() -> Vec<contact_sync::ExternalKey>,
    (now, until): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Option<(Start, Claim)>> {
    let mut link = job.state.link.clone();
    let Some(work) = work(job, known, aliases) else {
        return Ok(None);
    };
    if let Work::Deliver(delivery) = &work
        && delivery.known == Known::Nobody
    {
        link = LinkState::Intent;
    }
    let intent_at = match link {
        LinkState::Intent => Some(job.state.intent_at.unwrap_or(now)),
        _ => None,
    };
    let token = LeaseToken::generate();
    let row = Start {
        id: job.id.as_uuid(),
        token: token.as_uuid(),
        lease_until: stamp(until),
        contact_id: job.line.contact.as_uuid(),
        target: job.line.target_text(),
        link: link.word(),
        intent_at: intent_at.map(stamp),
        held_contact: contact_json(person)?,
    };
    let whose = (
        job.tenant.clone(),
        job.line.target.clone(),
        job.line.contact,
    );
    let mut claim = Claim::new(job.id, token, whose, work);
    claim.lane = job.lane;
    claim.attempt = job.attempts.saturating_add(1);
    claim.age = (now - job.born_at).to_std().unwrap_or_default();
    claim.trace_id.clone_from(&job.trace_id);
    Ok(Some((row, claim)))
}

fn work(
    job: &JobRow,
    known: Known,
    aliases: impl FnOnce() -> Vec<contact_sync::ExternalKey>,
) -> Option<Work> {
    let subject = &job.subject;
    if job.kind == JobKind::Undo {
        return Some(Work::Undo(Box::new(subject.undo.clone()?)));
    }
    if job.kind == JobKind::Remove {
        let erased = subject.undo.as_ref()?;
        let mut removal = Removal::new(erased.contact.clone(), erased.key.clone());
        removal.remote = job.state.link.remote().cloned();
        removal.is_ours = job.state.link.is_ours();
        removal.since = job
            .state
            .intent_at
            .filter(|_| job.state.link == LinkState::Intent);
        return Some(Work::Remove(Box::new(removal)));
    }
    let contact = subject.contact.clone()?;
    let key = contact.key().external(job.line.contact);
    let mut delivery = Delivery::new(contact, subject.revision, key);
    delivery.uncertain = job.state.link == LinkState::Intent;
    delivery.known = known;
    delivery.aliases = aliases();
    Some(Work::Deliver(Box::new(delivery)))
}

/// Extends a lease to `lease` from now. `false` when it was lost.
pub(super) async fn renew(
    store: &Store,
    job: JobId,
    token: LeaseToken,
    lease: Duration,
) -> Result<bool> {
    let asked = store.local.timer.now();
    let renewed = store
        .change(move |store, connection| {
            Box::pin(async move {
                let query = store
                    .query(queue::RENEW)
                    .bind(Id::from(job.as_uuid()))
                    .bind(Id::from(token.as_uuid()))
                    .bind(store.time_of_queue(connection).await?)
                    .bind(lease_ttl(lease).num_microseconds().unwrap_or(i64::MAX))
                    .bind(
                        store
                            .time_of_queue(connection)
                            .await?
                            .map(|now| Time::from(now.0 + lease_ttl(lease))),
                    );
                let done = query.execute(connection).await.map_err(failed)?;
                Ok(done.rows_affected() > 0)
            })
        })
        .await?;
    if renewed {
        store.local.watch.leased(job, token, asked + lease);
    }
    Ok(renewed)
}
