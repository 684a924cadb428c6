//! A vendor on loopback that misbehaves on demand, and the target that calls it.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use connector_http::{Timer as _, TokioTimer};
use contact_sync::{
    Contact, Context, ErrorClass, Hit, Person, RemoteId, Target, TargetError, Unmapped, Updated,
};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The names that targets can have: a test with two vendors has two of them.
pub(crate) const PHONE: &str = "phone";
pub(crate) const MAIL: &str = "mail";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Find,
    Create,
    Update,
    Delete,
}

/// What to do with one call, other than to answer it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whim {
    /// Refuse it: nothing happened.
    Refuse,
    /// Do it, and hang up.
    LoseAnswer,
    /// Hang up: nothing happened.
    LoseRequest,
    /// Leave it lying: nothing happened when the caller gives up.
    Hold,
    /// Do it, and answer nothing until the caller gives up.
    HoldAnswer,
    /// Leave it lying, and do it once the caller has given up.
    DoLate,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Request {
    Find { keys: Vec<String> },
    Create { key: String, name: String },
    Update { id: u64, name: String },
    Delete { id: u64 },
}

impl Request {
    fn op(&self) -> Op {
        match self {
            Self::Find { .. } => Op::Find,
            Self::Create { .. } => Op::Create,
            Self::Update { .. } => Op::Update,
            Self::Delete { .. } => Op::Delete,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    Found(Vec<(u64, DateTime<Utc>)>),
    Created(u64),
    Updated(Option<bool>),
    Deleted,
    Refused,
}

#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) key: String,
    pub(crate) name: String,
    created_at: DateTime<Utc>,
}

#[derive(Default)]
struct State {
    records: BTreeMap<u64, Record>,
    next: u64,
    whims: VecDeque<(Op, Whim)>,
    calls: Vec<Op>,
}

pub(crate) struct Vendor {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Changes with every call that came in, and with every one that is over.
    news: watch::Sender<()>,
}

impl Vendor {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            news: watch::Sender::new(()),
        });
        let served = shared.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = served.clone();
                // A caller that was killed leaves half a conversation behind.
                tokio::spawn(async move { shared.serve(stream).await.ok() });
            }
        });
        Self { address, shared }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn target(&self, name: &'static str) -> Arc<dyn Target> {
        Arc::new(Caller::new(name, self.address))
    }

    /// Does this with the next call of that kind that has no whim yet.
    pub(crate) fn next(&self, op: Op, whim: Whim) {
        self.shared.state().whims.push_back((op, whim));
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.shared.state().records.values().cloned().collect()
    }

    pub(crate) fn count(&self, op: Op) -> usize {
        let state = self.shared.state();
        state.calls.iter().filter(|called| **called == op).count()
    }

    /// Adds a record that nobody of ours has made.
    pub(crate) fn plant(&self, key: &str) {
        let created_at = TokioTimer.utc_now() - TimeDelta::days(1);
        let mut state = self.shared.state();
        state.next += 1;
        let id = state.next;
        let record = Record {
            key: key.to_owned(),
            name: String::new(),
            created_at,
        };
        state.records.insert(id, record);
    }

    /// Waits until so many calls of a kind have come in.
    pub(crate) async fn called(&self, op: Op, times: usize) {
        self.until(|state| state.calls.iter().filter(|called| **called == op).count() >= times)
            .await;
    }

    /// Waits until it has so many records.
    pub(crate) async fn has(&self, records: usize) {
        self.until(|state| state.records.len() == records).await;
    }

    async fn until(&self, is_so: impl Fn(&State) -> bool) {
        let mut news = self.shared.news.subscribe();
        let wait = news.wait_for(|()| is_so(&self.shared.state()));
        let waited = tokio::time::timeout(Duration::from_mins(1), wait).await;
        assert!(waited.is_ok_and(|news| news.is_ok()), "it never came");
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let request: Request = serde_json::from_str(&line)?;
        let whim = {
            let mut state = self.state();
            let op = request.op();
            state.calls.push(op);
            let mine = state.whims.iter().position(|(wanted, _)| *wanted == op);
            mine.and_then(|at| state.whims.remove(at))
                .map(|(_, whim)| whim)
        };
        self.news.send_replace(());
        let answer = match whim {
            Some(Whim::Refuse) => Some(Answer::Refused),
            Some(Whim::LoseRequest) => None,
            Some(Whim::LoseAnswer) => {
                self.perform(request);
                None
            }
            Some(Whim::Hold) => {
                gone(&mut stream).await;
                None
            }
            Some(Whim::HoldAnswer) => {
                self.perform(request);
                gone(&mut stream).await;
                None
            }
            Some(Whim::DoLate) => {
                gone(&mut stream).await;
                self.perform(request);
                None
            }
            None => Some(self.perform(request)),
        };
        if let Some(answer) = answer {
            let line = serde_json::to_string(&answer)? + "\n";
            stream.write_all(line.as_bytes()).await?;
        }
        Ok(())
    }

    fn perform(&self, request: Request) -> Answer {
        let mut state = self.state();
        let answer = match request {
            Request::Find { keys } => {
                let records = state.records.iter();
                let found = records.filter(|(_, record)| keys.contains(&record.key));
                Answer::Found(found.map(|(id, record)| (*id, record.created_at)).collect())
            }
            Request::Create { key, name } => {
                state.next += 1;
                let id = state.next;
                let created_at = TokioTimer.utc_now();
                let record = Record {
                    key,
                    name,
                    created_at,
                };
                state.records.insert(id, record);
                Answer::Created(id)
            }
            Request::Update { id, name } => {
                let record = state.records.get_mut(&id);
                Answer::Updated(
                    record.map(|record| std::mem::replace(&mut record.name, name.clone()) != name),
                )
            }
            Request::Delete { id } => {
                state.records.remove(&id);
                Answer::Deleted
            }
        };
        drop(state);
        self.news.send_replace(());
        answer
    }
}

/// Waits until the caller has hung up, or is no more.
async fn gone(stream: &mut BufReader<TcpStream>) {
    let mut rest = Vec::new();
    let _ended = stream.read_to_end(&mut rest).await;
}

/// The target of one vendor.
pub(crate) struct Caller {
    name: &'static str,
    address: SocketAddr,
}

impl Caller {
    pub(crate) fn new(name: &'static str, address: SocketAddr) -> Self {
        Self { name, address }
    }

    async fn call(&self, request: Request) -> Result<Answer, TargetError> {
        // Whether a create that has no answer has happened is what nobody knows.
        let class = match request {
            Request::Create { .. } => ErrorClass::Ambiguous,
            _ => ErrorClass::Transient,
        };
        let ask = async {
            let mut stream = BufReader::new(TcpStream::connect(self.address).await?);
            let line = serde_json::to_string(&request)? + "\n";
            stream.write_all(line.as_bytes()).await?;
            let mut line = String::new();
            stream.read_line(&mut line).await?;
            std::io::Result::Ok(serde_json::from_str(&line)?)
        };
        match ask.await {
            Ok(Answer::Refused) => Err(TargetError::new(ErrorClass::Transient).status(429)),
            Ok(answer) => Ok(answer),
            Err(_) => Err(TargetError::new(class).status(502)),
        }
    }
}

fn name_of(contact: &Contact) -> String {
    let parts = [contact.name().first(), contact.name().last()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn id_of(remote: &RemoteId) -> u64 {
    remote.as_str().parse().unwrap()
}

#[async_trait]
impl Target for Caller {
    fn name(&self) -> &'static str {
        self.name
    }

    fn can_delete(&self) -> bool {
        true
    }

    fn search_lag(&self) -> Duration {
        Duration::ZERO
    }

    fn settle_time(&self) -> Duration {
        Duration::ZERO
    }

    fn unmapped(&self, _contact: &Contact) -> Vec<Unmapped> {
        Vec::new()
    }

    async fn find(
        &self,
        _context: &Context<'_>,
        person: &Person<'_>,
    ) -> Result<Vec<Hit>, TargetError> {
        let keys = std::iter::once(person.key).chain(person.aliases);
        let keys = keys.map(|key| key.as_str().to_owned()).collect();
        match self.call(Request::Find { keys }).await? {
            Answer::Found(found) => {
                let hits = found.into_iter();
                Ok(hits
                    .map(|(id, at)| Hit::new(id.to_string(), Some(at)))
                    .collect())
            }
            other => panic!("not an answer to a look: {other:?}"),
        }
    }

    async fn create(
        &self,
        _context: &Context<'_>,
        person: &Person<'_>,
    ) -> Result<RemoteId, TargetError> {
        let key = person.key.as_str().to_owned();
        let name = name_of(person.contact);
        match self.call(Request::Create { key, name }).await? {
            Answer::Created(id) => Ok(RemoteId::from(id.to_string())),
            other => panic!("not an answer to a create: {other:?}"),
        }
    }

    async fn update(
        &self,
        _context: &Context<'_>,
        remote: &RemoteId,
        person: &Person<'_>,
    ) -> Result<Updated, TargetError> {
        let (id, name) = (id_of(remote), name_of(person.contact));
        match self.call(Request::Update { id, name }).await? {
            Answer::Updated(Some(true)) => Ok(Updated::Changed),
            Answer::Updated(Some(false)) => Ok(Updated::Unchanged),
            Answer::Updated(None) => Ok(Updated::Gone),
            other => panic!("not an answer to an update: {other:?}"),
        }
    }

    async fn delete(&self, _context: &Context<'_>, remote: &RemoteId) -> Result<(), TargetError> {
        let id = id_of(remote);
        match self.call(Request::Delete { id }).await? {
            Answer::Deleted => Ok(()),
            other => panic!("not an answer to a delete: {other:?}"),
        }
    }
}
