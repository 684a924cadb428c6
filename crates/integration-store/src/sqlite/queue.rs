//! The statements of the queue, as SQLite takes them. A batch is one JSON text, as on PostgreSQL. One writer is at work at
//! a time, so nothing is locked but the database.
//!
//! SQLite keeps no statistics unless it is told to: where it could take the wrong index, it is told which.

use super::SqliteStore;
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
        "o.is_head = 1 and o.waits_for is null and o.state in ('ready', 'retrying')"
    };
}

macro_rules! live {
    () => {
        "state in ('ready', 'retrying', 'running', 'held')"
    };
}

impl SqliteStore {
    /// Returns the time that the queue goes by, where it is not the database that says it.
    pub(super) async fn time_of_queue(&self, connection: &mut Connection) -> Result<Option<Time>> {
        Ok(Some(Time::from(self.now(connection).await?)))
    }

    /// Its statements name their indexes, however many rows there are.
    #[expect(clippy::unused_self, reason = "on PostgreSQL the plans are made anew")]
    pub(super) fn queue_grows(&self) {}

    /// Follows the clocks of other processes, which may have begun later than this one's: what they have written is
    /// not in the future.
    pub(super) async fn mend_clock(&self) -> Result<()> {
        let row = self.query(NEWEST).fetch_one(self.reader()).await;
        if let Some(newest) = get::<Option<Time>>(&row.map_err(failed)?, "newest")? {
            self.advance_clock(newest.0);
        }
        Ok(())
    }
}

/// When the queue was written last: a job was added, is at work, or an attempt has ended. It reads the ends of indexes,
/// and of the jobs those that run.
pub(super) const NEWEST: &str = "
    select max(t) as newest from (
        select o.updated_at as t from main.sync_outbox o where o.seq = (select max(b.seq) from main.sync_outbox b)
        union all
        select max(o.updated_at) from main.sync_outbox o indexed by sync_outbox_by_state where o.state = 'running'
        union all
        select max(a.at) from main.sync_attempts a)";

/// One at a time wipes what is left of an erased contact: whoever writes does.
pub(super) const ONE_WIPER: &str = "select 1 where $1 is null";

/// What is due, and when the next thing will be. It reads the ends of indexes only.
pub(super) const LOOK: &str = concat!(
    "select $1 as now, 0 as size,
        (select min(o.lease_until) from main.sync_outbox o indexed by sync_outbox_leased where o.state = 'running')
            as leased,
        (select min(p.lease_until) from main.sync_operations p) as operating,
        (select o.run_at from main.sync_outbox o indexed by sync_outbox_due where ",
    due!(),
    " and o.lane = 0 order by o.run_at limit 1) as interactive,
        (select o.run_at from main.sync_outbox o indexed by sync_outbox_due where ",
    due!(),
    " and o.lane = 1 order by o.run_at limit 1) as bulk,
        (select o.run_at from main.sync_outbox o indexed by sync_outbox_due where ",
    due!(),
    " and o.lane = 0 and o.run_at > $1 order by o.run_at limit 1) as later_interactive,
        (select o.run_at from main.sync_outbox o indexed by sync_outbox_due where ",
    due!(),
    " and o.lane = 1 and o.run_at > $1 order by o.run_at limit 1) as later_bulk"
);

macro_rules! of_job {
    () => {
        "
            cross join main.sync_lines l on l.contact_id = o.contact_id and l.target = o.target
            left join main.sync_contacts c on c.id = o.contact_id
            left join main.sync_undos u on u.job_id = o.id"
    };
}

/// Due jobs with their lines: `$2` of them, `$3` of the bulk lane at most, those that somebody waits for first.
pub(super) const TAKE: &str = concat!(
    "select * from (
        select ",
    job_and_line!(),
    ", ",
    subject!(),
    "
        from main.sync_outbox o indexed by sync_outbox_due",
    of_job!(),
    "
        where ",
    due!(),
    " and o.lane = 0 and o.run_at <= $1
        order by o.run_at, o.seq limit $2)
    union all
    select * from (
        select ",
    job_and_line!(),
    ", ",
    subject!(),
    "
        from main.sync_outbox o indexed by sync_outbox_due",
    of_job!(),
    "
        where ",
    due!(),
    " and o.lane = 1 and o.run_at <= $1
        order by o.run_at, o.seq
        limit max(0, min($3, $2 - (select count(*) from (
            select 1 from main.sync_outbox o indexed by sync_outbox_due where ",
    due!(),
    " and o.lane = 0 and o.run_at <= $1 limit $2)))))"
);

/// One job, whatever its state.
pub(super) const ONE: &str = concat!(
    "select ",
    job_and_line!(),
    ", ",
    subject!(),
    "
    from main.sync_outbox o",
    of_job!(),
    "
    where o.id = $1"
);

/// Jobs under the leases that their workers show.
pub(super) const OWNED: &str = concat!(
    "select ",
    job_and_line!(),
    "
    from json_each($1) x
    cross join main.sync_outbox o
        on o.id = x.value ->> 'id' and o.lease_token = x.value ->> 'token' and o.state = 'running'
    cross join main.sync_lines l on l.contact_id = o.contact_id and l.target = o.target"
);

/// What became of the contacts of jobs meanwhile, and the time.
pub(super) const MEANWHILE: &str = concat!(
    "select o.id, ",
    subject!(),
    ",
        exists (select 1 from main.sync_outbox b indexed by sync_outbox_by_line
            where b.contact_id = o.contact_id and b.target = o.target and b.id <> o.id and b.",
    live!(),
    ") as has_more,
        $2 as now
    from json_each($1) x
    cross join main.sync_outbox o on o.id = x.value ->> 'id'
    left join main.sync_contacts c on c.id = o.contact_id
    left join main.sync_undos u on u.job_id = o.id"
);

/// Jobs whose lease ran out.
pub(super) const EXPIRED: &str = concat!(
    "select ",
    job_and_line!(),
    "
    from main.sync_outbox o indexed by sync_outbox_leased
    cross join main.sync_lines l on l.contact_id = o.contact_id and l.target = o.target
    where o.state = 'running' and o.lease_until <= $1
    order by o.lease_until limit $2"
);

/// Takes identifiers for running jobs, and says which it got.
pub(super) const TAKE_IDENTIFIERS: &str = "
    insert into main.sync_claims (tenant_id, target, identifier, contact_id, is_running)
    select x.value ->> 'tenant_id', x.value ->> 'target', x.value ->> 'identifier', x.value ->> 'contact_id',
        x.value ->> 'is_running'
    from json_each($1) x where true
    on conflict do nothing
    returning contact_id, target, identifier";

pub(super) const DROP_IDENTIFIERS: &str = "
    delete from main.sync_claims where (tenant_id, target, identifier, contact_id) in (
        select c.tenant_id, c.target, c.identifier, c.contact_id
        from json_each($1) x
        cross join main.sync_claims c indexed by sync_claims_by_line
            on c.contact_id = x.value ->> 'contact_id' and c.target = x.value ->> 'target')";

/// Who else stands under these identifiers, and which records are known under them.
pub(super) const SHARING: &str = concat!(
    "select x.value ->> 'n' as n, c.contact_id, l.link, l.settles_at, l.held_contact as contact,
        (l.holder is not null) as is_held,
        exists (select 1 from main.sync_outbox b indexed by sync_outbox_by_line
            where b.contact_id = c.contact_id and b.target = c.target and b.",
    live!(),
    ") as has_jobs,
        null as known
    from json_each($1) x
    cross join main.sync_claims c on c.tenant_id = x.value ->> 'tenant_id' and c.target = x.value ->> 'target'
        and c.identifier = x.value ->> 'identifier' and c.contact_id <> x.value ->> 'contact_id'
    cross join main.sync_lines l on l.contact_id = c.contact_id and l.target = c.target
    union all
    select x.value ->> 'n', k.contact_id, 'linked', null, p.contact, 0, 0, k.remote_id
    from json_each($1) x
    cross join main.sync_known k on k.tenant_id = x.value ->> 'tenant_id' and k.target = x.value ->> 'target'
        and k.identifier = x.value ->> 'identifier'
    cross join main.sync_contacts p on p.id = k.contact_id
    where x.value ->> 'asks_known' and p.contact is not null"
);

/// Lets jobs wait: for a time, or for the end of another line's work. Where too many wait already, a job looks again
/// after a while.
pub(super) const PUT_OFF: &str = "
    update main.sync_outbox as o set
        waits_for = case
            when x.contact_id is not null and x.is_busy and x.waiting < $3 then x.ordering_key end,
        run_at = coalesce(x.run_at, case
            when x.is_busy then case when x.waiting < $3 then o.run_at else $4 end
            else $5 end),
        is_parked = 0, updated_at = $2
    from (
        select y.value ->> 'id' as id, y.value ->> 'run_at' as run_at, y.value ->> 'contact_id' as contact_id,
            y.value ->> 'ordering_key' as ordering_key,
            exists (select 1 from main.sync_lines l
                where l.contact_id = y.value ->> 'contact_id' and l.target = y.value ->> 'target'
                    and (l.holder is not null or l.link = 'intent')) as is_busy,
            (select count(*) from main.sync_outbox w indexed by sync_outbox_waiting
                where w.waits_for = y.value ->> 'ordering_key' and w.waits_for is not null) as waiting
        from json_each($1) y) x
    where o.id = x.id
    returning run_at, (waits_for is not null) as waits";

/// Puts jobs under their leases, and their lines under their jobs.
pub(super) const START: &str = "
    update main.sync_lines as l set holder = x.value ->> 'id', held_contact = x.value ->> 'held_contact',
        link = x.value ->> 'link', intent_at = x.value ->> 'intent_at'
    from json_each($1) x
    where l.contact_id = x.value ->> 'contact_id' and l.target = x.value ->> 'target';
    update main.sync_outbox as o set state = 'running', lease_token = x.value ->> 'token',
        lease_until = x.value ->> 'lease_until', attempts = o.attempts + 1, is_parked = 0, waits_for = null,
        operation_id = null, updated_at = $2
    from json_each($1) x where o.id = x.value ->> 'id'";

/// Writes what came of jobs, frees their lines, and lets go whoever waited for these. `$3` are records that have
/// become known; under a phone number no more than `$4`.
pub(super) const FINISH: &str = "
    delete from main.sync_outbox where id in (
        select x.value ->> 'id' from json_each($1) x where x.value ->> 'is_gone'
        union all
        select x.value ->> 'stale_job' from json_each($1) x where x.value ->> 'stale_job' is not null);
    delete from main.sync_undos where job_id in (
        select x.value ->> 'id' from json_each($1) x where x.value ->> 'is_gone' and x.value ->> 'kind' <> 'deliver');
    update main.sync_outbox as o set state = x.value ->> 'state', is_head = x.value ->> 'is_head',
        is_parked = x.value ->> 'is_parked', run_at = x.value ->> 'run_at', born_at = x.value ->> 'born_at',
        attempts = x.value ->> 'attempts', crash_count = x.value ->> 'crash_count',
        last_error = x.value ->> 'last_error', lease_until = null, lease_token = null, updated_at = $2
    from json_each($1) x where o.id = x.value ->> 'id' and not x.value ->> 'is_gone';
    update main.sync_lines as l set link = x.value ->> 'link', remote_id = x.value ->> 'remote_id',
        is_ours = x.value ->> 'is_ours', intent_at = x.value ->> 'intent_at', settles_at = x.value ->> 'settles_at',
        delivered = x.value ->> 'delivered', stopped_job = x.value ->> 'stopped_job', holder = null,
        held_contact = case when x.value ->> 'link' = 'intent' then l.held_contact end
    from json_each($1) x where l.contact_id = x.value ->> 'contact_id' and l.target = x.value ->> 'target';
    delete from main.sync_claims where (tenant_id, target, identifier, contact_id) in (
        select c.tenant_id, c.target, c.identifier, c.contact_id
        from json_each($1) x
        cross join main.sync_claims c indexed by sync_claims_by_line
            on c.contact_id = x.value ->> 'contact_id' and c.target = x.value ->> 'target'
        where x.value ->> 'link' <> 'intent');
    update main.sync_claims as c set is_running = 0
    from json_each($1) x
    where x.value ->> 'link' = 'intent' and c.contact_id = x.value ->> 'contact_id'
        and c.target = x.value ->> 'target';
    update main.sync_outbox as w set waits_for = null, updated_at = $2
    from json_each($1) x where w.waits_for = x.value ->> 'ordering_key' and w.waits_for is not null;
    insert into main.sync_known as k (tenant_id, target, identifier, remote_id, contact_id)
    select y.value ->> 'tenant_id', y.value ->> 'target', y.value ->> 'identifier', y.value ->> 'remote_id',
        y.value ->> 'contact_id'
    from json_each($3) y
    where not y.value ->> 'is_phone'
        or $4 > (select count(*) from main.sync_known o
            where o.tenant_id = y.value ->> 'tenant_id' and o.target = y.value ->> 'target'
                and o.identifier = y.value ->> 'identifier' and o.remote_id <> y.value ->> 'remote_id')
    on conflict (tenant_id, target, identifier, remote_id) do update set contact_id = excluded.contact_id;
    insert into main.sync_attempts
        (at, job_id, kind, tenant_id, target, contact_id, attempt, duration_ms, outcome, signal, trace_id)
    select $2, x.value ->> 'id', x.value ->> 'kind', x.value ->> 'tenant_id', x.value ->> 'target',
        x.value ->> 'contact_id', x.value ->> 'attempt', x.value ->> 'duration_ms', x.value ->> 'outcome',
        x.value ->> 'signal', x.value ->> 'trace_id'
    from json_each($1) x where x.value ->> 'outcome' is not null";

/// Writes which records have become known; under a phone number no more than `$2`.
pub(super) const KNOW: &str = "
    insert into main.sync_known as k (tenant_id, target, identifier, remote_id, contact_id)
    select y.value ->> 'tenant_id', y.value ->> 'target', y.value ->> 'identifier', y.value ->> 'remote_id',
        y.value ->> 'contact_id'
    from json_each($1) y
    where not y.value ->> 'is_phone'
        or $2 > (select count(*) from main.sync_known o
            where o.tenant_id = y.value ->> 'tenant_id' and o.target = y.value ->> 'target'
                and o.identifier = y.value ->> 'identifier' and o.remote_id <> y.value ->> 'remote_id')
    on conflict (tenant_id, target, identifier, remote_id) do update set contact_id = excluded.contact_id";

/// A line, locked.
pub(super) const READ_LINE_LOCKED: &str = "
    select l.link, l.remote_id, l.is_ours, l.intent_at, l.settles_at, l.delivered, l.holder, l.held_contact,
        l.stopped_job
    from main.sync_lines l where l.contact_id = $1 and l.target = $2";

/// Puts the first live job of each line at its head.
pub(super) const HEADS: &str = concat!(
    "update main.sync_outbox as o set is_head = 1, updated_at = $2
    where not o.is_head and o.seq in (
        select (select b.seq from main.sync_outbox b indexed by sync_outbox_by_line
            where b.contact_id = x.value ->> 'contact_id' and b.target = x.value ->> 'target' and b.",
    live!(),
    " order by b.position limit 1)
        from json_each($1) x)"
);

/// Extends leases that this process still holds.
pub(super) const KEEP_LEASES: &str = "
    update main.sync_outbox as o set lease_until = x.value ->> 'lease_until', updated_at = $2
    from json_each($1) x
    where o.id = x.value ->> 'id' and o.lease_token = x.value ->> 'token' and o.state = 'running'
        and o.lease_until < x.value ->> 'lease_until'";

/// Extends leases of strict creates that this process still holds.
pub(super) const KEEP_OPERATIONS: &str = "
    update main.sync_operations as p set lease_until = x.value ->> 'lease_until'
    from json_each($1) x
    where p.id = x.value ->> 'id' and p.token = x.value ->> 'token' and p.lease_until < x.value ->> 'lease_until'";

/// Extends the lease of a job to `$5`.
pub(super) const RENEW: &str = "
    update main.sync_outbox set lease_until = $5, updated_at = $3
    where id = $1 and lease_token = $2 and state = 'running'";

/// Makes parked jobs run at once. What they were made younger by for a wait that is cut short is taken back.
pub(super) const RESUME: &str = "
    update main.sync_outbox indexed by sync_outbox_parked set
        born_at = case when run_at <= $3 then born_at else
            strftime('%Y-%m-%dT%H:%M:%f', julianday(born_at) - (julianday(run_at) - julianday($3))) || '000Z' end,
        run_at = min(run_at, $3), is_parked = 0, updated_at = $3
    where is_parked = 1 and tenant_id = $1 and target = $2 and state in ('ready', 'retrying')";

/// How many jobs there are in each state, and since when the oldest: from the index alone.
pub(super) const COUNT: &str = "
    select o.state, count(*) as number, min(o.born_at) as oldest from main.sync_outbox o indexed by sync_outbox_by_state
    group by o.state";

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use sqlx::Row;

    use super::*;

    /// A look at every row of a table would make a batch as dear as the store is large.
    #[rstest]
    #[case::newest(NEWEST)]
    #[case::look(LOOK)]
    #[case::take(TAKE)]
    #[case::one(ONE)]
    #[case::owned(OWNED)]
    #[case::meanwhile(MEANWHILE)]
    #[case::expired(EXPIRED)]
    #[case::take_identifiers(TAKE_IDENTIFIERS)]
    #[case::drop_identifiers(DROP_IDENTIFIERS)]
    #[case::sharing(SHARING)]
    #[case::put_off(PUT_OFF)]
    #[case::start(START)]
    #[case::finish(FINISH)]
    #[case::know(KNOW)]
    #[case::heads(HEADS)]
    #[case::renew(RENEW)]
    #[case::keep_leases(KEEP_LEASES)]
    #[case::keep_operations(KEEP_OPERATIONS)]
    #[case::resume(RESUME)]
    #[tokio::test]
    async fn statements_go_by_their_indexes(#[case] text: &str) {
        let store = SqliteStore::in_memory().await.unwrap();
        for statement in text.split(';') {
            let explain = sqlx::AssertSqlSafe(format!("explain query plan {statement}"));
            let mut query = sqlx::query(explain);
            for _ in 0..5 {
                query = query.bind("[]");
            }
            for row in query.fetch_all(store.reader()).await.unwrap() {
                let step: String = row.get("detail");
                // Of a batch, of a query within, and of nothing.
                let is_scan = step.starts_with("SCAN ")
                    && !step.contains("VIRTUAL TABLE")
                    && !step.contains("subquery")
                    && step != "SCAN CONSTANT ROW"
                    && step != "SCAN x";
                assert!(!is_scan, "{step} in {statement}");
            }
        }
    }
}
