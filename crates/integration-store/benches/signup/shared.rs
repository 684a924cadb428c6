//! `signup_shared_commit_ratio`: signups per second that 64 concurrent callers get accepted on one file, against what
//! one caller gets who waits for each. The two take turns, each on a file of its own.

use tokio::time::Instant;

use contact_sync::SignupHook;

use super::figures::{median, print as figure};
use super::{hook, person};

const CALLERS: usize = 64;
const ROUNDS: usize = 7;
const ALONE: usize = 200;
const TOGETHER: usize = 6_400;

pub(super) async fn print() {
    let (one, many) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (one, many) = (hook(&one).await, hook(&many).await);
    let (mut alone, mut together, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let slow = per_second(&one, 1, ALONE, round).await;
        let fast = per_second(&many, CALLERS, TOGETHER, round).await;
        alone.push(slow);
        together.push(fast);
        ratios.push(fast / slow);
    }
    eprintln!(
        "  {:.0} per second alone, {:.0} together",
        median(alone),
        median(together)
    );
    figure("signup_shared_commit_ratio", median(ratios), "at least 5");
}

async fn per_second(hook: &SignupHook, callers: usize, signups: usize, round: usize) -> f64 {
    let start = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let hook = hook.clone();
            tokio::spawn(async move {
                for n in (caller..signups).step_by(callers) {
                    hook.on_signup(person(round * signups + n)).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    f64::from(u32::try_from(signups).unwrap()) / start.elapsed().as_secs_f64()
}
