//! The statements of the queue, as PostgreSQL takes them. A batch is one JSON text and one statement, because every
//! statement is a journey.
//!
//! Whoever writes locks rows of the outbox first, then lines, then identifiers in their order. Jobs and lines that
//! somebody else has locked are passed over, so that no claimer waits for another.

use chrono::TimeDelta;

use super::PostgresStore;
use super::contacts::{Connection, Result, failed, get};
use crate::columns::Time;

/// The columns of a job and of its line, as `JobRow` reads them.
macro_rules! job_and_line {
    () => {
        "o.seq, o.id, o.tenant_id, o.kind, o.target, o.contact_id, o.ordering_key, o.lane, o.attempts, o.crash_count, \
         o.run_at, o.born_at, o.trace_id, o.last_error, o.is_dropped, o.lease_token, \
         l.link, l.remote_id, l.is_ours, l.intent_at, l.settles_at, l.delivered, l.holder, l.held_contact, l.stopped_job"
    };
}

/// What a job works on.
macro_rules! subject {
    () => {
        "c.revision, c.contact, (c.erased_at is not null) as is_erased, \
         u.contact as undo_contact, u.external_key as undo_key, u.remote_id as undo_remote, \
         u.started_at as undo_started_at, u.also as undo_also"
    };
}

macro_rules! due {
    () => {
        "o.is_head and o.waits_for is null and o.state in ('ready', 'retrying')"
    };
}

macro_rules! live {
    () => {
        "state in ('ready', 'retrying', 'running', 'held')"
    };
}

impl PostgresStore {
    /// Returns the time that the queue goes by, where it is not the database that says it.
    #[expect(clippy::unused_async, reason = "on SQLite the store has a clock")]
    pub(super) async fn time_of_queue(&self, _connection: &mut Connection) -> Result<Option<Time>> {
        Ok(None)
    }

    /// Puts the times of the queue right after the server's clock has gone back: what was to be in a minute would be
    /// in an hour and a minute. The processes that see it do so one after the other, and the first of them finds
    /// something to do.
    pub(super) async fn mend_clock(&self) -> Result<()> {
        self.change(|store, connection| {
            Box::pin(async move {
                let lock = store.query(ONE_AT_A_TIME);
                lock.execute(&mut *connection).await.map_err(failed)?;
                let now = store.now(connection).await?;
                let row = store.query(NEWEST).fetch_one(&mut *connection).await;
                let newest = get::<Option<Time>>(&row.map_err(failed)?, "newest")?;
                let ahead = newest.map_or(TimeDelta::zero(), |newest| newest.0 - now);
                if ahead < BACK {
                    return Ok(());
                }
                tracing::warn!(
                    seconds = ahead.num_seconds(),
                    "the database's clock went back: waits and leases follow"
                );
                for statement in TURN_BACK {
                    let query = store.query(statement).bind(ahead.num_microseconds());
                    let query = query.bind(Time::from(now));
                    query.execute(&mut *connection).await.map_err(failed)?;
                }
                Ok(())
            })
        })
        .await
    }
}

macro_rules! begin {
    () => {
        "begin isolation level read committed;
        set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off;
        set local enable_material = off; set local jit = off; set local plan_cache_mode = force_generic_plan"
    };
}

/// Begins a transaction that goes by the indexes. Every statement of the queue finds its few rows there; a planner that
/// has seen the tables small, or counts on batches of hundreds, would read all of a table. It plans each statement once
/// for a connection, since a plan costs as much as what it is for.
pub(super) const BEGIN: &str = begin!();

/// Begins one, and forgets the plans that the connection has. To a planner that has found a table empty, all of an
/// index looks as good as one place in it, and it goes on with that plan when the table has grown.
pub(super) const BEGIN_ANEW: &str = concat!(begin!(), "; discard plans");

/// A clock that is put right by less than this has not gone back.
const BACK: TimeDelta = TimeDelta::seconds(5);

/// When the queue was written last: a job was added, is at work, or an attempt has ended. It reads the ends of indexes,
/// and of the jobs those that run.
const NEWEST: &str = "
    select greatest(
        (select o.updated_at from main.sync_outbox o where o.seq = (select max(b.seq) from main.sync_outbox b)),
        (select max(o.updated_at) from main.sync_outbox o where o.state = 'running'),
        (select max(a.at) from main.sync_attempts a)) as newest";

/// One process at a time.
const ONE_AT_A_TIME: &str =
    "select pg_advisory_xact_lock(hashtextextended('integration-store clock main.sync_outbox', 0))";

/// One at a time wipes what is left of an erased contact. It is nothing that a signup would wait for.
pub(super) const ONE_WIPER: &str =
    "select pg_advisory_xact_lock(hashtextextended('integration-store wipe ' || $1, 0))";

/// Every time of the queue, `$1` microseconds earlier; `$2` is the time now. Leases that were given since the clock went
/// back are right: their jobs were written no later than now, and an operation's lease ends soon.
const TURN_BACK: [&str; 4] = [
    "update main.sync_outbox set
        run_at = run_at - $1 * interval '1 microsecond',
        born_at = born_at - $1 * interval '1 microsecond',
        lease_until = case when updated_at > $2 then lease_until - $1 * interval '1 microsecond' else lease_until end,
        updated_at = case when updated_at > $2 then updated_at - $1 * interval '1 microsecond' else updated_at end",
    "update main.sync_lines set settles_at = settles_at - $1 * interval '1 microsecond'
    where settles_at > $2 + $1 / 2 * interval '1 microsecond'",
    "update main.sync_operations set lease_until = lease_until - $1 * interval '1 microsecond'
    where lease_until > $2 + $1 / 2 * interval '1 microsecond'",
    "update main.sync_attempts set at = at - $1 * interval '1 microsecond' where at > $2",
];

/// What is due, and when the next thing will be. It reads the ends of indexes only, and how large the tables are that a
/// planner goes by.
pub(super) const LOOK: &str = concat!(
    "select coalesce($1, statement_timestamp()) as now,
        (pg_relation_size('main.sync_outbox') + pg_relation_size('main.sync_lines')
            + pg_relation_size('main.sync_contacts') + pg_relation_size('main.sync_claims')
            + pg_relation_size('main.sync_known') + pg_relation_size('main.sync_undos')) as size,
        (select min(o.lease_until) from main.sync_outbox o where o.state = 'running') as leased,
        (select min(p.lease_until) from main.sync_operations p) as operating,
        (select o.run_at from main.sync_outbox o where ",
    due!(),
    " and o.lane = 0 order by o.run_at limit 1) as interactive,
        (select o.run_at from main.sync_outbox o where ",
    due!(),
    " and o.lane = 1 order by o.run_at limit 1) as bulk,
        (select o.run_at from main.sync_outbox o where ",
    due!(),
    " and o.lane = 0 and o.run_at > coalesce($1, statement_timestamp()) order by o.run_at limit 1)
            as later_interactive,
        (select o.run_at from main.sync_outbox o where ",
    due!(),
    " and o.lane = 1 and o.run_at > coalesce($1, statement_timestamp()) order by o.run_at limit 1) as later_bulk"
);

/// Due jobs with their lines: `$2` of them, `$3` of the bulk lane at most, those that somebody waits for first.
pub(super) const TAKE: &str = concat!(
    "with interactive as materialized (
        select ",
    job_and_line!(),
    ", ",
    subject!(),
    "
        from main.sync_outbox o
        join main.sync_lines l on l.contact_id = o.contact_id and l.target = o.target
        left join main.sync_contacts c on c.id = o.contact_id
        left join main.sync_undos u on u.job_id = o.id
        where ",
    due!(),
    " and o.lane = 0 and o.run_at <= $1
        order by o.run_at, o.seq limit $2
        for update of o, l skip locked),
    bulk as materialized (
        select ",
    job_and_line!(),
    ", ",
    subject!(),
    "
        from main.sync_outbox o
        join main.sync_lines l on l.contact_id = o.contact_id and l.target = o.target
        left join main.sync_contacts c on c.id = o.contact_id
        left join main.sync_undos u on u.job_id = o.id
        where ",
    due!(),
    " and o.lane = 1 and o.run_at <= $1
        order by o.run_at, o.seq limit greatest(0, least($3, $2 - (select count(*) from interactive)))
        for update of o, l skip locked)
    select * from interactive union all select * from bulk"
);

/// One job, whatever its state.
pub(super) const ONE: &str = concat!(
    "select ",
    job_and_line!(),
    ", ",
    subject!(),
    "
    from main.sync_outbox o
    join main.sync_lines l on l.contact_id = o.contact_id and l.target = o.target
    left join main.sync_contacts c on c.id = o.contact_id
    left join main.sync_undos u on u.job_id = o.id
    where o.id = $1
    for update of o, l"
);

/// Jobs under the leases that their workers show. The state is put so that the index of all who run is no way to them.
pub(super) const OWNED: &str = concat!(
    "select ",
    job_and_line!(),
    "
    from jsonb_to_recordset($1::jsonb) as x(id uuid, token uuid)
    join main.sync_outbox o on o.id = x.id and o.lease_token = x.token and coalesce(o.state, '') = 'running'
    join main.sync_lines l on l.contact_id = o.contact_id and l.target = o.target
    order by o.id
    for update of o, l"
);

/// What became of the contacts of jobs meanwhile, and the time. Asked for once the jobs are locked: whoever changes a
/// contact writes that before it touches the job.
pub(super) const MEANWHILE: &str = concat!(
    "select o.id, ",
    subject!(),
    ",
        exists (select 1 from main.sync_outbox b
            where b.contact_id = o.contact_id and b.target = o.target and b.id <> o.id and b.",
    live!(),
    ") as has_more,
        coalesce($2, clock_timestamp()) as now
    from jsonb_to_recordset($1::jsonb) as x(id uuid)
    join main.sync_outbox o on o.id = x.id
    left join main.sync_contacts c on c.id = o.contact_id
    left join main.sync_undos u on u.job_id = o.id"
);

/// Jobs whose lease ran out.
pub(super) const EXPIRED: &str = concat!(
    "select ",
    job_and_line!(),
    "
    from main.sync_outbox o
    join main.sync_lines l on l.contact_id = o.contact_id and l.target = o.target
    where o.state = 'running' and o.lease_until <= $1
    order by o.lease_until limit $2
    for update of o, l skip locked"
);

/// Takes identifiers for running jobs, and says which it got.
pub(super) const TAKE_IDENTIFIERS: &str = "
    insert into main.sync_claims (tenant_id, target, identifier, contact_id, is_running)
    select x.tenant_id, x.target, x.identifier, x.contact_id, x.is_running
    from jsonb_to_recordset($1::jsonb)
        as x(tenant_id text, target text, identifier text, contact_id uuid, is_running boolean)
    on conflict do nothing
    returning contact_id, target, identifier";

pub(super) const DROP_IDENTIFIERS: &str = "
    delete from main.sync_claims c
    using jsonb_to_recordset($1::jsonb) as x(contact_id uuid, target text)
    where c.contact_id = x.contact_id and c.target = x.target";

/// Who else stands under these identifiers, and which records are known under them.
pub(super) const SHARING: &str = concat!(
    "with x as materialized (
        select * from jsonb_to_recordset($1::jsonb)
            as x(n bigint, tenant_id text, target text, identifier text, contact_id uuid, asks_known boolean))
    select x.n, c.contact_id, l.link, l.settles_at, l.held_contact as contact, (l.holder is not null) as is_held,
        exists (select 1 from main.sync_outbox b
            where b.contact_id = c.contact_id and b.target = c.target and b.",
    live!(),
    ") as has_jobs,
        null as known
    from x
    join main.sync_claims c on c.tenant_id = x.tenant_id and c.target = x.target and c.identifier = x.identifier
    join main.sync_lines l on l.contact_id = c.contact_id and l.target = c.target
    where c.contact_id <> x.contact_id
    union all
    select x.n, k.contact_id, 'linked', null, p.contact, false, false, k.remote_id
    from x
    join main.sync_known k on k.tenant_id = x.tenant_id and k.target = x.target and k.identifier = x.identifier
    join main.sync_contacts p on p.id = k.contact_id
    where x.asks_known and p.contact is not null"
);

/// Lets jobs wait: for a time, or for the end of another line's work. A line that is locked may be at its end: then
/// the job looks again soon, and so it does where too many wait already.
pub(super) const PUT_OFF: &str = "
    with x as materialized (
        select * from jsonb_to_recordset($1::jsonb)
            as x(id uuid, run_at timestamptz, contact_id uuid, target text, ordering_key text)),
    busy as materialized (
        select l.contact_id, l.target from main.sync_lines l
        where (l.contact_id, l.target) in (select x.contact_id, x.target from x where x.contact_id is not null)
            and (l.holder is not null or l.link = 'intent')
        for share of l skip locked)
    update main.sync_outbox o set
        waits_for = case
            when x.contact_id is not null and (x.contact_id, x.target) in (select b.contact_id, b.target from busy b)
                and (select count(*) from main.sync_outbox w where w.waits_for = x.ordering_key) < $3
            then x.ordering_key end,
        run_at = coalesce(x.run_at, case
            when (x.contact_id, x.target) in (select b.contact_id, b.target from busy b)
            then case
                when (select count(*) from main.sync_outbox w where w.waits_for = x.ordering_key) < $3
                then o.run_at else $4 end
            else $5 end),
        is_parked = false, updated_at = $2
    from x where o.id = x.id
    returning o.run_at, (o.waits_for is not null) as waits";

/// Puts jobs under their leases, and their lines under their jobs.
pub(super) const START: &str = "
    with x as materialized (
        select * from jsonb_to_recordset($1::jsonb)
            as x(id uuid, token uuid, lease_until timestamptz, contact_id uuid, target text, link text,
                intent_at timestamptz, held_contact text)),
    held as (
        update main.sync_lines l set holder = x.id, held_contact = x.held_contact, link = x.link,
            intent_at = x.intent_at
        from x where l.contact_id = x.contact_id and l.target = x.target)
    update main.sync_outbox o set state = 'running', lease_token = x.token, lease_until = x.lease_until,
        attempts = o.attempts + 1, is_parked = false, waits_for = null, operation_id = null, updated_at = $2
    from x where o.id = x.id";

/// Writes what came of jobs, frees their lines, and lets go whoever waited for these. `$3` are records that have
/// become known; under a phone number no more than `$4`.
pub(super) const FINISH: &str = "
    with x as materialized (
        select * from jsonb_to_recordset($1::jsonb)
            as x(id uuid, kind text, tenant_id text, contact_id uuid, target text, ordering_key text, is_gone boolean,
                state text, is_head boolean, is_parked boolean, run_at timestamptz, born_at timestamptz,
                attempts bigint, crash_count bigint, last_error text, link text, remote_id text, is_ours boolean,
                intent_at timestamptz, settles_at timestamptz, delivered bigint, stopped_job uuid, stale_job uuid,
                attempt bigint, duration_ms bigint, outcome text, signal text, trace_id text)),
    gone as (
        delete from main.sync_outbox o using x where o.id = x.id and x.is_gone),
    stale as (
        delete from main.sync_outbox o using x where o.id = x.stale_job),
    undone as (
        delete from main.sync_undos u using x where u.job_id = x.id and x.is_gone and x.kind <> 'deliver'),
    kept as (
        update main.sync_outbox o set state = x.state, is_head = x.is_head, is_parked = x.is_parked,
            run_at = x.run_at, born_at = x.born_at, attempts = x.attempts, crash_count = x.crash_count,
            last_error = x.last_error, lease_until = null, lease_token = null, updated_at = $2
        from x where o.id = x.id and not x.is_gone),
    freed as (
        update main.sync_lines l set link = x.link, remote_id = x.remote_id, is_ours = x.is_ours,
            intent_at = x.intent_at, settles_at = x.settles_at, delivered = x.delivered,
            stopped_job = x.stopped_job, holder = null,
            held_contact = case when x.link = 'intent' then l.held_contact end
        from x where l.contact_id = x.contact_id and l.target = x.target),
    dropped as (
        delete from main.sync_claims c using x
        where c.contact_id = x.contact_id and c.target = x.target and x.link <> 'intent'),
    stays as (
        update main.sync_claims c set is_running = false from x
        where c.contact_id = x.contact_id and c.target = x.target and x.link = 'intent'),
    woken as (
        update main.sync_outbox w set waits_for = null, updated_at = $2 from x where w.waits_for = x.ordering_key),
    known as (
        insert into main.sync_known as k (tenant_id, target, identifier, remote_id, contact_id)
        select y.tenant_id, y.target, y.identifier, y.remote_id, y.contact_id
        from jsonb_to_recordset($3::jsonb)
            as y(tenant_id text, target text, identifier text, is_phone boolean, remote_id text, contact_id uuid)
        where not y.is_phone
            or $4 > (select count(*) from main.sync_known o where o.tenant_id = y.tenant_id and o.target = y.target
                and o.identifier = y.identifier and o.remote_id <> y.remote_id)
        on conflict (tenant_id, target, identifier, remote_id) do update set contact_id = excluded.contact_id)
    insert into main.sync_attempts
        (at, job_id, kind, tenant_id, target, contact_id, attempt, duration_ms, outcome, signal, trace_id)
    select $2, x.id, x.kind, x.tenant_id, x.target, x.contact_id, x.attempt, x.duration_ms, x.outcome, x.signal,
        x.trace_id
    from x where x.outcome is not null";

/// Writes which records have become known; under a phone number no more than `$2`.
pub(super) const KNOW: &str = "
    insert into main.sync_known as k (tenant_id, target, identifier, remote_id, contact_id)
    select y.tenant_id, y.target, y.identifier, y.remote_id, y.contact_id
    from jsonb_to_recordset($1::jsonb)
        as y(tenant_id text, target text, identifier text, is_phone boolean, remote_id text, contact_id uuid)
    where not y.is_phone
        or $2 > (select count(*) from main.sync_known o where o.tenant_id = y.tenant_id and o.target = y.target
            and o.identifier = y.identifier and o.remote_id <> y.remote_id)
    on conflict (tenant_id, target, identifier, remote_id) do update set contact_id = excluded.contact_id";

/// A line, locked.
pub(super) const READ_LINE_LOCKED: &str = "
    select l.link, l.remote_id, l.is_ours, l.intent_at, l.settles_at, l.delivered, l.holder, l.held_contact,
        l.stopped_job
    from main.sync_lines l where l.contact_id = $1 and l.target = $2 for update";

/// Puts the first live job of each line at its head.
pub(super) const HEADS: &str = concat!(
    "update main.sync_outbox o set is_head = true, updated_at = $2
    where not o.is_head and o.seq in (
        select (select b.seq from main.sync_outbox b
            where b.contact_id = x.contact_id and b.target = x.target and b.",
    live!(),
    " order by b.position limit 1)
        from jsonb_to_recordset($1::jsonb) as x(contact_id uuid, target text))"
);

/// Extends leases that this process still holds.
pub(super) const KEEP_LEASES: &str = "
    update main.sync_outbox o set lease_until = x.lease_until, updated_at = $2
    from jsonb_to_recordset($1::jsonb) as x(id uuid, token uuid, lease_until timestamptz)
    where o.id = x.id and o.lease_token = x.token and o.state = 'running' and o.lease_until < x.lease_until";

/// Extends leases of strict creates that this process still holds.
pub(super) const KEEP_OPERATIONS: &str = "
    update main.sync_operations p set lease_until = x.lease_until
    from jsonb_to_recordset($1::jsonb) as x(id uuid, token uuid, lease_until timestamptz)
    where p.id = x.id and p.token = x.token and p.lease_until < x.lease_until";

/// Extends the lease of a job to so many microseconds from now. Where the time is ours to give it is `$3`, and `$5`
/// the end.
pub(super) const RENEW: &str = "
    update main.sync_outbox set
        lease_until = coalesce($5, clock_timestamp() + $4 * interval '1 microsecond'),
        updated_at = coalesce($3, clock_timestamp())
    where id = $1 and lease_token = $2 and state = 'running'";

/// Makes parked jobs run at once. What they were made younger by for a wait that is cut short is taken back.
pub(super) const RESUME: &str = "
    update main.sync_outbox set
        born_at = born_at - greatest(run_at - $3, interval '0'),
        run_at = least(run_at, $3), is_parked = false, updated_at = $3
    where is_parked and tenant_id = $1 and target = $2 and state in ('ready', 'retrying')";

/// How many jobs there are in each state, and since when the oldest: from the index alone.
pub(super) const COUNT: &str = "
    select o.state, count(*) as number, min(o.born_at) as oldest from main.sync_outbox o
    group by o.state";

#[cfg(test)]
mod plans;
