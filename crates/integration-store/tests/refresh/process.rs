//! A worker as the test that started it sees it.

use std::process::Stdio;
use std::time::Duration;

use connector_http::LeaseOwner;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};

use crate::talk::{Command, Event, MARK, Outcome, Settings, Step, WORKER};

/// After so long without a word, a worker is given up. Nothing waits for this time in a run that passes.
const SILENCE: Duration = Duration::from_mins(2);

pub(crate) struct Process {
    child: Child,
    commands: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    owner: LeaseOwner,
}

impl Process {
    pub(crate) async fn start(settings: &Settings) -> Self {
        let mut child = tokio::process::Command::new(std::env::current_exe().unwrap())
            .args(["worker", "--exact", "--nocapture", "--test-threads=1"])
            .env(WORKER, serde_json::to_string(settings).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let commands = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut process = Self {
            child,
            commands,
            lines,
            owner: LeaseOwner::new(""),
        };
        let Some(Event::Ready { owner }) = process.event().await else {
            panic!("the worker says first that it is ready");
        };
        process.owner = LeaseOwner::new(owner);
        process
    }

    /// Returns the name under which it takes leases.
    pub(crate) fn owner(&self) -> &LeaseOwner {
        &self.owner
    }

    pub(crate) async fn tell(&mut self, command: Command) {
        let line = serde_json::to_string(&command).unwrap() + "\n";
        self.commands.write_all(line.as_bytes()).await.unwrap();
    }

    /// Asks for a token other than `stale`, without waiting for it.
    pub(crate) async fn ask(&mut self, stale: &str) {
        let stale = Some(stale.to_owned());
        self.tell(Command::Token { stale }).await;
    }

    /// Asks for a token other than `stale`, and returns what came of it.
    pub(crate) async fn token(&mut self, stale: &str) -> Outcome {
        self.ask(stale).await;
        self.outcome().await
    }

    pub(crate) async fn go(&mut self) {
        self.tell(Command::Go).await;
    }

    /// Returns what it says next; nothing once it has ended.
    pub(crate) async fn event(&mut self) -> Option<Event> {
        loop {
            let line = tokio::time::timeout(SILENCE, self.lines.next_line()).await;
            let line = line.expect("the worker says something").unwrap()?;
            if let Some(event) = line.strip_prefix(MARK) {
                return Some(serde_json::from_str(event).unwrap());
            }
        }
    }

    /// Waits until it is at this step, which has to be the next thing it says.
    pub(crate) async fn at(&mut self, step: Step) {
        assert_eq!(self.event().await, Some(Event::At(step)));
    }

    /// Waits for the answer to an [`ask`](Self::ask), which has to be the next thing it says.
    pub(crate) async fn outcome(&mut self) -> Outcome {
        match self.event().await {
            Some(Event::Outcome(outcome)) => outcome,
            other => panic!("an outcome is expected, not {other:?}"),
        }
    }

    /// Kills it, as `kill -9` does, and waits until it is gone.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Waits until it has ended, and returns whether it ended well.
    pub(crate) async fn ended(mut self) -> bool {
        let ended = tokio::time::timeout(SILENCE, self.child.wait()).await;
        ended.expect("the worker ends").unwrap().success()
    }
}
