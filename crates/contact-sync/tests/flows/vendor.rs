//! A vendor in memory that fails on demand, before and after the effect of a call.

use std::collections::{BTreeMap, VecDeque};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use connector_http::{Lane, Timer, TokioTimer};
use contact_sync::{
    ClientUnavailable, Contact, Context, ErrorClass, Field, Hit, MemoryStore, Person, RemoteId,
    RunningWorker, Signup, SignupHook, StaticDirectory, Target, TargetError, TenantId, Unmapped,
    Updated, Worker,
};
use tokio::time::Instant;

/// What one call does.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Pass,
    /// Fails with this class; nothing happened.
    Fail(ErrorClass),
    /// Fails with this class and a wait; nothing happened.
    Later(ErrorClass, Duration),
    /// The effect happened, and the answer was lost.
    LostAnswer,
    /// The answer was lost, and nothing happened.
    LostRequest,
    /// The call times out; its effect lands after this wait.
    Lands(Duration),
    /// Waits this long before the call begins, as behind a limiter.
    Slow(Duration),
    /// Never answers; nothing happened.
    Hang,
    /// Never answers; the effect happened.
    HangAfter,
    /// Never answers; its effect lands after this wait, whoever has stopped waiting.
    HangLands(Duration),
    /// Panics after the effect.
    Panic,
    /// There is no client.
    NoClient(ClientUnavailable),
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Op {
    Find,
    Create,
    Update,
    Delete,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) keys: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) phone: String,
    pub(crate) created_at: DateTime<Utc>,
    visible_from: Instant,
}

#[derive(Default)]
struct State {
    records: BTreeMap<u32, Record>,
    landing: Vec<(Instant, Record)>,
    script: VecDeque<(Option<Op>, Fault)>,
    calls: Vec<(Op, Lane)>,
    next: u32,
    in_flight: usize,
    most_in_flight: usize,
}

pub(crate) struct Vendor {
    name: &'static str,
    state: Mutex<State>,
    search_lag: Duration,
    can_delete: bool,
    /// What ids of records end in.
    tail: &'static str,
    /// How long a call takes.
    latency: Duration,
}

impl Vendor {
    pub(crate) fn new() -> Self {
        Self::named("fake")
    }

    pub(crate) fn named(name: &'static str) -> Self {
        Self {
            name,
            state: Mutex::default(),
            search_lag: Duration::ZERO,
            can_delete: true,
            tail: "",
            latency: Duration::from_millis(20),
        }
    }

    pub(crate) fn lagging(mut self, secs: u64) -> Self {
        self.search_lag = Duration::from_secs(secs);
        self
    }

    pub(crate) fn with_ids_that_end_in(mut self, tail: &'static str) -> Self {
        self.tail = tail;
        self
    }

    pub(crate) fn slow(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    pub(crate) fn without_delete(mut self) -> Self {
        self.can_delete = false;
        self
    }

    /// The next calls of any kind do this.
    pub(crate) fn script(&self, faults: impl IntoIterator<Item = Fault>) {
        self.lock()
            .script
            .extend(faults.into_iter().map(|fault| (None, fault)));
    }

    /// The next call of this kind does this; others pass it by.
    pub(crate) fn fault(&self, op: Op, fault: Fault) {
        self.lock().script.push_back((Some(op), fault));
    }

    pub(crate) fn heal(&self) {
        self.lock().script.clear();
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        let mut state = self.lock();
        land(&mut state);
        state.records.values().cloned().collect()
    }

    pub(crate) fn calls(&self) -> Vec<Op> {
        self.lock().calls.iter().map(|(op, _)| *op).collect()
    }

    pub(crate) fn lanes(&self) -> Vec<Lane> {
        self.lock().calls.iter().map(|(_, lane)| *lane).collect()
    }

    pub(crate) fn count(&self, op: Op) -> usize {
        self.calls().iter().filter(|called| **called == op).count()
    }

    pub(crate) fn most_in_flight(&self) -> usize {
        self.lock().most_in_flight
    }

    /// Adds a record that nobody of ours has created.
    pub(crate) fn plant(&self, key: &str, age: TimeDelta) -> RemoteId {
        let record = Record {
            keys: key.to_owned(),
            name: String::new(),
            email: String::new(),
            phone: String::new(),
            created_at: TokioTimer.utc_now() - age,
            visible_from: Instant::now(),
        };
        insert(&mut self.lock(), record)
    }

    /// Deletes a record behind everybody's back.
    pub(crate) fn wipe(&self) {
        self.lock().records.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn next_fault(&self, op: Op, lane: Lane) -> Fault {
        let mut state = self.lock();
        state.calls.push((op, lane));
        land(&mut state);
        let position = state
            .script
            .iter()
            .position(|(wanted, _)| wanted.is_none_or(|wanted| wanted == op));
        position
            .and_then(|at| state.script.remove(at))
            .map_or(Fault::Pass, |(_, fault)| fault)
    }

    /// Runs one call: its latency, its fault, and its effect where it has one.
    async fn call<T>(
        &self,
        op: Op,
        context: &Context<'_>,
        effect: impl FnOnce(&mut State) -> T,
        late: Option<Record>,
    ) -> Result<T, TargetError> {
        let fault = self.next_fault(op, context.lane);
        let _in_flight = InFlight::new(self);
        TokioTimer.sleep(self.latency).await;
        // A read that failed has only failed; whether a write has happened is what nobody knows.
        let unclear = || match op {
            Op::Create => TargetError::new(ErrorClass::Ambiguous).status(502),
            _ => TargetError::new(ErrorClass::Transient).status(502),
        };
        match fault {
            Fault::Pass => Ok(effect(&mut self.lock())),
            Fault::Fail(class) => Err(TargetError::new(class).status(500)),
            Fault::Later(class, wait) => Err(TargetError::new(class).retry_after(wait)),
            Fault::LostAnswer => {
                effect(&mut self.lock());
                Err(unclear())
            }
            Fault::LostRequest => Err(unclear()),
            Fault::Lands(after) => {
                if let Some(record) = late {
                    self.lock().landing.push((Instant::now() + after, record));
                }
                Err(unclear().still_running())
            }
            Fault::Slow(wait) => {
                TokioTimer.sleep(wait).await;
                Ok(effect(&mut self.lock()))
            }
            Fault::Hang => pending().await,
            Fault::HangLands(after) => {
                if let Some(record) = late {
                    self.lock().landing.push((Instant::now() + after, record));
                }
                pending().await
            }
            Fault::HangAfter => {
                effect(&mut self.lock());
                pending().await
            }
            Fault::Panic => {
                effect(&mut self.lock());
                panic!("the target panics")
            }
            Fault::NoClient(reason) => Err(TargetError::unavailable(reason)),
        }
    }

    fn remote(&self, id: &str) -> RemoteId {
        RemoteId::from(format!("{id}{}", self.tail))
    }

    fn number(&self, remote: &RemoteId) -> u32 {
        let number = remote.as_str().strip_suffix(self.tail).unwrap();
        number.parse().unwrap()
    }

    fn record(&self, person: &Person<'_>) -> Record {
        let contact = person.contact;
        let name = [contact.name().first(), contact.name().last()];
        Record {
            keys: person.key.as_str().to_owned(),
            name: name.into_iter().flatten().collect::<Vec<_>>().join(" "),
            email: contact
                .email()
                .filter(|e| e.is_valid())
                .map(|e| e.normalized().to_owned())
                .unwrap_or_default(),
            phone: contact
                .phone()
                .and_then(|p| p.e164())
                .map(|n| n.as_str().to_owned())
                .unwrap_or_default(),
            created_at: TokioTimer.utc_now(),
            visible_from: Instant::now() + self.search_lag,
        }
    }
}

struct InFlight<'a>(&'a Vendor);

impl<'a> InFlight<'a> {
    fn new(vendor: &'a Vendor) -> Self {
        let mut state = vendor.lock();
        state.in_flight += 1;
        state.most_in_flight = state.most_in_flight.max(state.in_flight);
        drop(state);
        Self(vendor)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.lock().in_flight -= 1;
    }
}

fn land(state: &mut State) {
    let now = Instant::now();
    let (landed, flying): (Vec<_>, Vec<_>) = std::mem::take(&mut state.landing)
        .into_iter()
        .partition(|(at, _)| *at <= now);
    state.landing = flying;
    for (_, record) in landed {
        insert(state, record);
    }
}

fn insert(state: &mut State, record: Record) -> RemoteId {
    state.next += 1;
    let id = state.next;
    state.records.insert(id, record);
    RemoteId::from(id.to_string())
}

#[async_trait]
impl Target for Vendor {
    fn name(&self) -> &'static str {
        self.name
    }

    fn can_delete(&self) -> bool {
        self.can_delete
    }

    fn search_lag(&self) -> Duration {
        self.search_lag
    }

    fn settle_time(&self) -> Duration {
        Duration::from_secs(30)
    }

    fn unmapped(&self, contact: &Contact) -> Vec<Unmapped> {
        contact
            .notes()
            .map(|_| Unmapped::new(Field::Notes, "no place"))
            .into_iter()
            .collect()
    }

    async fn find(
        &self,
        context: &Context<'_>,
        person: &Person<'_>,
    ) -> Result<Vec<Hit>, TargetError> {
        let mut keys = vec![person.key.as_str().to_owned()];
        keys.extend(person.aliases.iter().map(|alias| alias.as_str().to_owned()));
        let find = |state: &mut State| {
            let now = Instant::now();
            let visible = state
                .records
                .iter()
                .filter(|(_, r)| keys.contains(&r.keys) && r.visible_from <= now);
            visible
                .map(|(id, r)| Hit::new(self.remote(&id.to_string()), Some(r.created_at)))
                .collect()
        };
        self.call(Op::Find, context, find, None).await
    }

    async fn create(
        &self,
        context: &Context<'_>,
        person: &Person<'_>,
    ) -> Result<RemoteId, TargetError> {
        let record = self.record(person);
        let late = record.clone();
        self.call(
            Op::Create,
            context,
            |state| self.remote(insert(state, record).as_str()),
            Some(late),
        )
        .await
    }

    async fn update(
        &self,
        context: &Context<'_>,
        remote: &RemoteId,
        person: &Person<'_>,
    ) -> Result<Updated, TargetError> {
        let new = self.record(person);
        let id = self.number(remote);
        let update = |state: &mut State| {
            let Some(record) = state.records.get_mut(&id) else {
                return Updated::Gone;
            };
            let before = record.clone();
            for (field, value) in [
                (&mut record.name, new.name),
                (&mut record.email, new.email),
                (&mut record.phone, new.phone),
            ] {
                if !value.is_empty() {
                    *field = value;
                }
            }
            if *record == before {
                Updated::Unchanged
            } else {
                Updated::Changed
            }
        };
        self.call(Op::Update, context, update, None).await
    }

    async fn delete(&self, context: &Context<'_>, remote: &RemoteId) -> Result<(), TargetError> {
        let id = self.number(remote);
        let delete = |state: &mut State| {
            state.records.remove(&id);
        };
        self.call(Op::Delete, context, delete, None).await
    }
}

/// A store, a vendor, and what works on them.
pub(crate) struct World {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) vendor: Arc<Vendor>,
    pub(crate) hook: SignupHook,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Vendor::new())
    }

    pub(crate) fn with(vendor: Vendor) -> Self {
        let store = Arc::new(MemoryStore::new());
        let directory = StaticDirectory::new().on(vendor.name);
        let hook = SignupHook::new(store.clone(), directory).region(contact_sync::Region::US);
        Self {
            store,
            vendor: Arc::new(vendor),
            hook,
        }
    }

    pub(crate) fn worker(&self) -> Worker {
        // The store says when there is work; to poll through days of paused time would only be slow.
        let poll = Duration::from_mins(10);
        Worker::new(self.store.clone())
            .target(self.vendor.clone())
            .poll(poll)
    }

    pub(crate) fn start(&self) -> RunningWorker {
        self.worker().start()
    }

    /// Works until nothing is left to do.
    pub(crate) async fn work(&self) {
        self.start().idle().await;
    }
}

pub(crate) fn ann() -> Signup {
    Signup::new()
        .name("Ann Lee")
        .email("ann@example.com")
        .phone("202 555 0143")
}

pub(crate) fn bob() -> Signup {
    Signup::new().name("Bob Ray").email("bob@example.com")
}

pub(crate) fn key_of(signup: &Signup) -> String {
    let contact = Contact::new(&TenantId::default(), signup, Some(contact_sync::Region::US));
    contact
        .key()
        .external(contact_sync::ContactId::generate())
        .as_str()
        .to_owned()
}
