//! A process that runs one create, and the test that kills it.

use std::io::Write;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contact_sync::{CrmHook, Region, StaticDirectory, Ticket};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};

use crate::host::{End, Step, Watcher, insert};
use crate::place::{Address, Database, Place, ann};
use crate::vendor::{Caller, PHONE};

/// The variable that makes a process of this binary a victim. It holds its [`Settings`].
const VICTIM: &str = "STRICT_VICTIM";

/// What a line begins with that is not the test harness's own.
const MARK: &str = "@@";

/// After so long without a word, a process is given up. Nothing waits for this time in a run that passes.
const SILENCE: Duration = Duration::from_mins(2);

#[derive(Debug, Serialize, Deserialize)]
struct Settings {
    database: Address,
    vendor: SocketAddr,
    end: End,
    /// The step at which it waits to be killed.
    pause: Option<Step>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Event {
    At(Step),
    /// It has come to its end, alive.
    Over,
}

pub(crate) struct Victim {
    child: Child,
    /// Closed when the test is gone, which ends the process.
    _input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Victim {
    pub(crate) fn start(place: &Place, end: End, pause: Option<Step>) -> Self {
        let settings = Settings {
            database: place.database.address(),
            vendor: place.vendor.address(),
            end,
            pause,
        };
        let mut child = tokio::process::Command::new(std::env::current_exe().unwrap())
            .args(["process", "--exact", "--nocapture", "--test-threads=1"])
            .env(VICTIM, serde_json::to_string(&settings).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
            child,
            _input: input,
            lines,
        }
    }

    /// Waits until it is at this step, which has to be the next thing it says.
    pub(crate) async fn at(&mut self, step: Step) {
        loop {
            let line = tokio::time::timeout(SILENCE, self.lines.next_line()).await;
            let line = line.expect("the process says something").unwrap();
            let line = line.expect("the process is alive");
            if let Some(event) = line.strip_prefix(MARK) {
                let event: Event = serde_json::from_str(event).unwrap();
                assert_eq!(event, Event::At(step));
                return;
            }
        }
    }

    /// Kills it, as `kill -9` does, and waits until it is gone.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// What the process runs.
pub(crate) fn run() {
    let Some(settings) = std::env::var_os(VICTIM) else {
        return;
    };
    let settings: Settings = serde_json::from_str(&settings.into_string().unwrap()).unwrap();
    std::thread::spawn(|| {
        let mut rest = String::new();
        let _ended = std::io::stdin().read_line(&mut rest);
        // Whoever started us is gone.
        std::process::exit(1);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(create(settings));
    tell(&Event::Over);
}

async fn create(settings: Settings) {
    let database = Database::open(&settings.database).await;
    let crm = CrmHook::new(database.store().await, StaticDirectory::new().on(PHONE));
    let crm = crm
        .target(Arc::new(Caller::new(PHONE, settings.vendor)))
        .region(Region::US);
    let waits = Waits(settings.pause);
    let insert =
        async |ticket: Ticket| insert(&database, &ticket, "Ann Lee", settings.end, &waits).await;
    // Whatever comes of it: nobody hears of it who lives long enough.
    let _created = crm.create(&ann(), insert).await.map(|_| ());
}

fn tell(event: &Event) {
    // The harness's own line may not be over yet.
    let line = format!("\n{MARK}{}\n", serde_json::to_string(event).unwrap());
    let mut out = std::io::stdout().lock();
    let _written = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}

/// Says that it is at a step, and stays there.
struct Waits(Option<Step>);

#[async_trait]
impl Watcher for Waits {
    async fn reached(&self, step: Step) {
        if self.0 == Some(step) {
            tell(&Event::At(step));
            std::future::pending::<()>().await;
        }
    }
}
