//! The worker processes, and what is done to them.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use connector_http::{Timer as _, TokioTimer};
use tokio::process::{Child, Command};

use crate::Outcome;
use crate::place::Address;
use crate::worker::LEASE;

/// How a herd is made.
pub(crate) struct Breed {
    pub(crate) address: Address,
    pub(crate) folder: PathBuf,
    pub(crate) workers: usize,
    pub(crate) max_crashes: u32,
    pub(crate) concurrency: usize,
    pub(crate) seed: u64,
}

pub(crate) struct Herd {
    breed: Breed,
    workers: Vec<Child>,
    started: usize,
    random: fastrand::Rng,
    pub(crate) kills: usize,
    pub(crate) pauses: usize,
    /// Workers that ended although nobody had killed them.
    pub(crate) fallen: usize,
}

impl Herd {
    pub(crate) fn start(breed: Breed) -> Outcome<Self> {
        let random = fastrand::Rng::with_seed(breed.seed);
        let mut herd = Self {
            workers: Vec::with_capacity(breed.workers),
            breed,
            started: 0,
            random,
            kills: 0,
            pauses: 0,
            fallen: 0,
        };
        for _ in 0..herd.breed.workers {
            let worker = herd.worker()?;
            herd.workers.push(worker);
        }
        Ok(herd)
    }

    fn worker(&mut self) -> Outcome<Child> {
        self.started += 1;
        let journal = self.breed.folder.join(format!("{}.journal", self.started));
        let program = std::env::current_exe().map_err(|e| e.to_string())?;
        Command::new(program)
            .arg("worker")
            .arg(self.breed.address.to_string())
            .arg(journal)
            .arg(self.breed.max_crashes.to_string())
            .arg(self.breed.concurrency.to_string())
            .stdin(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| format!("a worker cannot be started: {e}"))
    }

    /// Kills one of them, or stops it for longer than its lease, after a while. Goes on for ever.
    pub(crate) async fn disturb(&mut self) -> Outcome {
        loop {
            let wait = self.random.u64(50..=500);
            TokioTimer.sleep(Duration::from_millis(wait)).await;
            self.replace_fallen()?;
            let slot = self.random.usize(..self.workers.len());
            if self.random.bool() {
                let worker = self.worker()?;
                if let Some(victim) = self.workers.get_mut(slot) {
                    // SIGKILL: what it had in its hands is left as it is.
                    victim.kill().await.map_err(|e| e.to_string())?;
                    *victim = worker;
                    self.kills += 1;
                }
            } else if let Some(pid) = self.workers.get(slot).and_then(Child::id) {
                let pause = LEASE.mul_f64(1.2 + self.random.f64());
                signal("STOP", pid).await?;
                self.pauses += 1;
                tokio::spawn(async move {
                    TokioTimer.sleep(pause).await;
                    // It may have been killed meanwhile.
                    let _ = signal("CONT", pid).await;
                });
            }
        }
    }

    /// Starts others in the place of those that have ended. Goes on for ever.
    pub(crate) async fn tend(&mut self) -> Outcome {
        loop {
            TokioTimer.sleep(Duration::from_millis(50)).await;
            self.replace_fallen()?;
        }
    }

    fn replace_fallen(&mut self) -> Outcome {
        for slot in 0..self.workers.len() {
            let ended = match self.workers.get_mut(slot) {
                Some(worker) => worker.try_wait().map_err(|e| e.to_string())?.is_some(),
                None => false,
            };
            if ended {
                self.fallen += 1;
                let worker = self.worker()?;
                if let Some(place) = self.workers.get_mut(slot) {
                    *place = worker;
                }
            }
        }
        Ok(())
    }

    /// Kills all of them, and waits until they are gone.
    pub(crate) async fn end(&mut self) -> Outcome {
        for worker in &mut self.workers {
            worker.kill().await.map_err(|e| e.to_string())?;
        }
        Ok(())
    }
}

async fn signal(name: &str, pid: u32) -> Outcome {
    // The shell has it built in everywhere; a process of its own for `kill` is not.
    let sent = Command::new("sh")
        .args(["-c", "kill -s \"$1\" \"$2\"", "sh", name])
        .arg(pid.to_string())
        .stderr(Stdio::null())
        .status()
        .await;
    sent.map(|_| ())
        .map_err(|e| format!("no signal was sent: {e}"))
}
