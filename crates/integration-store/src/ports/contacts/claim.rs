//! Claims: due jobs of people on whom nobody is at work, put under leases in batches.

use std::time::Duration;

use chrono::{DateTime, Utc};
use contact_sync::{Claim, ClaimRequest, Claims, JobKind, Lane};
use tokio::time::Instant;

use super::blocker::{Ask, Blocker, look_around};
use super::identifiers::{apart, give_identifiers_back, take_identifiers};
use super::job_row::JobRow;
use super::line::LinkState;
use super::outbox::remove_job;
use super::start::start;
use super::wait::{LOOK_AGAIN_SOON, Wait, put_off};
use super::watch::Jump;
use super::{Connection, Result, Row, Store, failed, get, queue, reap};
use crate::columns::Time;

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
    let asks: Vec<Ask<'_>> = ready.iter().map(ask).collect();
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

fn ask(job: &JobRow) -> Ask<'_> {
    Ask {
        line: &job.line,
        tenant: &job.tenant,
        identifiers: job.identifiers(),
        known: job.kind == JobKind::Deliver && job.state.link.remote().is_none(),
    }
}
