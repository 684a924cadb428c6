//! A process that refreshes on command.

use std::io::{BufRead, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use connector_http::{
    Fingerprint, LeaseOwner, Saved, StoredToken, TokenSet, TokenStore, TokenStoreError,
    TokenStoreErrorKind,
};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::idp::IdpClient;
use crate::place::open;
use crate::refresher::{Refresher, Watcher};
use crate::talk::{Command, Event, MARK, Outcome, Settings, Step, WORKER};

pub(crate) fn run() {
    let Some(settings) = std::env::var_os(WORKER) else {
        return;
    };
    let settings: Settings = serde_json::from_str(&settings.into_string().unwrap()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(serve(settings));
}

async fn serve(settings: Settings) {
    let store = Arc::new(Unreliable {
        store: open(&settings).await,
        failing: AtomicBool::new(false),
    });
    let scene = Arc::new(Scene {
        pauses: Mutex::new(settings.pauses),
        go: Semaphore::new(0),
    });
    let owner = LeaseOwner::generate();
    let refresher = Refresher::new(
        store.clone(),
        IdpClient::new(settings.idp),
        owner.clone(),
        settings.timings,
        TimeDelta::seconds(settings.clock_ahead),
        scene.clone(),
    );
    tell(&Event::Ready {
        owner: owner.as_str().to_owned(),
    });

    let mut commands = commands();
    while let Some(command) = commands.recv().await {
        let (refresher, scene) = (refresher.clone(), scene.clone());
        match command {
            Command::Token { stale } => {
                tokio::spawn(async move {
                    tell(&Event::Outcome(refresher.token(stale.as_deref()).await));
                });
            }
            Command::FailSaves(failing) => store.failing.store(failing, Ordering::SeqCst),
            Command::Go => scene.go.add_permits(1),
            Command::Rounds { tasks, rounds } => {
                tokio::spawn(async move {
                    let mut stale = None;
                    for _ in 0..rounds {
                        stale = Some(round(&refresher, &scene, tasks, stale).await);
                    }
                    tell(&Event::Done);
                });
            }
            Command::Drain => {
                tell(&Event::Draining);
                tokio::spawn(async move {
                    refresher.drain().await;
                    std::process::exit(0);
                });
            }
        }
    }
}

/// Lets all tasks have a token other than `stale`, and returns one they got. Where there is none to be had, it says so
/// and tries again when it is told to.
async fn round(
    refresher: &Refresher,
    scene: &Scene,
    tasks: usize,
    stale: Option<String>,
) -> String {
    loop {
        let mut asking = JoinSet::new();
        for _ in 0..tasks {
            let (refresher, stale) = (refresher.clone(), stale.clone());
            asking.spawn(async move { refresher.token(stale.as_deref()).await });
        }
        let mut outcomes: Vec<Outcome> = Vec::new();
        for outcome in asking.join_all().await {
            if !outcomes.contains(&outcome) {
                outcomes.push(outcome);
            }
        }
        tell(&Event::Round(outcomes.clone()));
        let got = outcomes
            .into_iter()
            .rev()
            .find_map(|outcome| match outcome {
                Outcome::Token(access) => Some(access),
                Outcome::NeedsReauth | Outcome::NotNow => None,
            });
        match got {
            Some(access) => return access,
            None => scene.go.acquire().await.unwrap().forget(),
        }
    }
}

/// Reads the commands on a thread of its own: reading a standard stream cannot be cancelled.
fn commands() -> mpsc::UnboundedReceiver<Command> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(serde_json::from_str(&line).unwrap()).is_err() {
                return;
            }
        }
        // Whoever started us is gone.
        std::process::exit(1);
    });
    receiver
}

fn tell(event: &Event) {
    let line = format!("\n{MARK}{}\n", serde_json::to_string(event).unwrap());
    let mut out = std::io::stdout().lock();
    // There may be nobody left to read it.
    let _written = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}

struct Scene {
    pauses: Mutex<Vec<Step>>,
    go: Semaphore,
}

#[async_trait]
impl Watcher for Scene {
    async fn reached(&self, step: Step) {
        let mine = {
            let mut pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
            let found = pauses.iter().position(|pause| *pause == step);
            found.map(|found| pauses.remove(found)).is_some()
        };
        if mine {
            tell(&Event::At(step));
            self.go.acquire().await.unwrap().forget();
        }
    }

    fn tell(&self, event: Event) {
        tell(&event);
    }
}

/// A store whose saves can be made to fail, as when the database is away.
struct Unreliable {
    store: Arc<dyn TokenStore>,
    failing: AtomicBool,
}

#[async_trait]
impl TokenStore for Unreliable {
    async fn load(&self) -> Result<Option<StoredToken>, TokenStoreError> {
        self.store.load().await
    }

    async fn try_lease(&self, owner: &LeaseOwner, ttl: Duration) -> Result<bool, TokenStoreError> {
        self.store.try_lease(owner, ttl).await
    }

    async fn save_if(&self, spent: &Fingerprint, new: &TokenSet) -> Result<Saved, TokenStoreError> {
        if self.failing.load(Ordering::SeqCst) {
            return Err(TokenStoreError::new(TokenStoreErrorKind::Unavailable));
        }
        self.store.save_if(spent, new).await
    }

    async fn refuse(&self, fingerprint: &Fingerprint) -> Result<bool, TokenStoreError> {
        self.store.refuse(fingerprint).await
    }

    async fn release(&self, owner: &LeaseOwner) -> Result<(), TokenStoreError> {
        self.store.release(owner).await
    }
}
