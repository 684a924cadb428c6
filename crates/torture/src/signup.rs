//! Signups while no vendor works, and what arrives once they do.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use connector_http::{Timer as _, TokioTimer};
use contact_sync::{Signup, SignupHook, StaticDirectory, SyncStore};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::Outcome;
use crate::options::Options;
use crate::percentile::percentile;
use crate::place::{Bare, Place};
use crate::queue::{all_done, print};
use crate::vendors::VENDORS;

/// One signup in so many is of somebody who has signed up before.
const AGAIN: usize = 50;

/// Returns the bars that were missed.
pub(crate) async fn run(place: &Place, options: &Options) -> Outcome<Vec<String>> {
    let name = format!("signup_{}", place.database);
    let store = place.address.open(50, 8).await?;
    let mut vendors = Vendors::start(place).await?;
    let (bare, alone) = (place.bare().await?, place.bare_alone().await?);

    let directory = VENDORS
        .iter()
        .fold(StaticDirectory::new(), |all, vendor| all.on(*vendor));
    let hook = SignupHook::new(store.clone(), directory);
    let start = TokioTimer.now();
    let mut measured = measure(hook, bare, alone, options.signups).await?;
    let took = start.elapsed().as_secs_f64();
    let p99 = percentile(&mut measured.signups, 0.99);
    let bare_p99 = percentile(&mut measured.commits, 0.99);
    let ratio = p99.as_secs_f64() / bare_p99.as_secs_f64();
    println!("{name}_seconds={took:.1}");
    println!(
        "{name}_p50_ms={:.3}",
        millis(percentile(&mut measured.signups, 0.5))
    );
    println!("{name}_p99_ms={:.3}", millis(p99));
    println!(
        "{name}_bare_commit_p50_ms={:.3}",
        millis(percentile(&mut measured.commits, 0.5))
    );
    println!("{name}_bare_commit_p99_ms={:.3}", millis(bare_p99));
    println!("{name}_p99_ratio={ratio:.2}");
    if !measured.commits_alone.is_empty() {
        let alone = percentile(&mut measured.commits_alone, 0.99);
        println!("{name}_bare_commit_alone_p99_ms={:.3}", millis(alone));
        let ratio = p99.as_secs_f64() / alone.as_secs_f64();
        println!("{name}_p99_ratio_alone={ratio:.2}");
    }
    let mut missed = Vec::new();
    let bar = options.p99_bar;
    if ratio > bar {
        missed.push(format!("{name}: p99_ratio is {ratio:.2}, above {bar}"));
    }

    let people = people(options.signups);
    let start = TokioTimer.now();
    vendors.say("heal", "healed").await?;
    let arrived = tokio::select! {
        done = all_done(&store) => done.map(|()| true)?,
        () = TokioTimer.sleep(options.cap) => false,
    };
    println!(
        "{name}_healing_seconds={:.1}",
        start.elapsed().as_secs_f64()
    );
    if !arrived {
        missed.push(format!("{name}: not all arrived in time"));
    }
    let stopped = stopped(&store).await?;
    missed.extend(print(
        &name,
        &[
            ("accepted", measured.signups.len(), Some(options.signups)),
            ("refused", measured.refused, Some(0)),
            ("people", people, None),
            ("stopped", stopped, Some(0)),
        ],
    ));
    for (vendor, records, persons) in vendors.count(people).await? {
        let figures = [
            ("records", records, Some(people)),
            ("arrived", persons, Some(people)),
        ];
        missed.extend(print(&format!("{name}_{vendor}"), &figures));
    }
    vendors.end().await?;
    Ok(missed)
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

async fn stopped(store: &Arc<dyn SyncStore>) -> Outcome<usize> {
    let stopped = store.stopped_jobs().await;
    stopped.map(|jobs| jobs.len()).map_err(|e| e.to_string())
}

/// How many people there are among so many signups.
fn people(signups: usize) -> usize {
    (0..signups).filter(|number| !comes_again(*number)).count()
}

fn comes_again(number: usize) -> bool {
    number % AGAIN == AGAIN - 1
}

/// The signup of this number. Whoever comes again is the one before.
fn signup(number: usize) -> Signup {
    let who = if comes_again(number) {
        number - 1
    } else {
        number
    };
    // Numbered without gaps.
    let who = who - who / AGAIN;
    Signup::new()
        .host_id(format!("user-{who}"))
        .name("Some Body")
        .email(format!("person{who}@example.com"))
}

struct Measured {
    signups: Vec<Duration>,
    commits: Vec<Duration>,
    /// In a file in which nobody else writes.
    commits_alone: Vec<Duration>,
    refused: usize,
}

/// Sends one form after the other, and after each commits a bare row: both meet the database as it is at that moment,
/// with the workers of the vendors that fail in it, and neither waits for the other.
async fn measure(
    hook: SignupHook,
    mut bare: Bare,
    mut alone: Option<Bare>,
    signups: usize,
) -> Outcome<Measured> {
    let mut measured = Measured {
        signups: Vec::with_capacity(signups),
        commits: Vec::with_capacity(signups),
        commits_alone: Vec::new(),
        refused: 0,
    };
    for number in 0..signups {
        let signup = signup(number);
        let start = TokioTimer.now();
        match hook.on_signup(signup).await {
            Ok(_) => measured.signups.push(start.elapsed()),
            Err(_) => measured.refused += 1,
        }
        let row = format!("row {number}");
        measured.commits.push(timed(&mut bare, &row).await?);
        if let Some(alone) = &mut alone {
            measured.commits_alone.push(timed(alone, &row).await?);
        }
    }
    Ok(measured)
}

async fn timed(bare: &mut Bare, row: &str) -> Outcome<Duration> {
    let start = TokioTimer.now();
    bare.commit(row).await?;
    Ok(start.elapsed())
}

/// The process with the vendors in it.
struct Vendors {
    child: Child,
    orders: ChildStdin,
    said: Lines<BufReader<ChildStdout>>,
}

impl Vendors {
    async fn start(place: &Place) -> Outcome<Self> {
        let program = std::env::current_exe().map_err(|e| e.to_string())?;
        let mut child = Command::new(program)
            .arg("vendors")
            .arg(place.address.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| format!("no vendors: {e}"))?;
        let (Some(orders), Some(said)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("no way to talk to the vendors".to_owned());
        };
        let mut vendors = Self {
            child,
            orders,
            said: BufReader::new(said).lines(),
        };
        vendors.hear("ready").await?;
        Ok(vendors)
    }

    async fn line(&mut self) -> Outcome<String> {
        let line = self.said.next_line().await.map_err(|e| e.to_string())?;
        line.ok_or_else(|| "the vendors are gone".to_owned())
    }

    async fn hear(&mut self, word: &str) -> Outcome {
        let line = self.line().await?;
        if line == word {
            Ok(())
        } else {
            Err(format!("the vendors say `{line}`, not `{word}`"))
        }
    }

    async fn say(&mut self, order: &str, answer: &str) -> Outcome {
        self.order(order).await?;
        self.hear(answer).await
    }

    async fn order(&mut self, order: &str) -> Outcome {
        let line = format!("{order}\n");
        let written = self.orders.write_all(line.as_bytes()).await;
        written.map_err(|e| format!("the vendors do not listen: {e}"))
    }

    /// Asks for the number of records and of people at each vendor.
    async fn count(&mut self, people: usize) -> Outcome<Vec<(String, usize, usize)>> {
        self.order(&format!("count {people}")).await?;
        let mut counts = Vec::new();
        for _ in VENDORS {
            let line = self.line().await?;
            let words: Vec<&str> = line.split(' ').collect();
            let ["counted", name, records, persons] = words.as_slice() else {
                return Err(format!("`{line}` is no count"));
            };
            let number = |word: &str| word.parse().map_err(|_| format!("`{line}` is no count"));
            counts.push(((*name).to_owned(), number(records)?, number(persons)?));
        }
        Ok(counts)
    }

    async fn end(mut self) -> Outcome {
        drop(self.orders);
        self.child
            .wait()
            .await
            .map(|_| ())
            .map_err(|e| e.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn people_are_numbered_without_gaps() {
        let ids: HashSet<String> = (0..1_000).filter_map(|n| signup(n).host_id).collect();
        assert_eq!(ids.len(), people(1_000));
        assert!((0..people(1_000)).all(|n| ids.contains(&format!("user-{n}"))));
    }
}
