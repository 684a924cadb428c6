//! The process with the vendors and the worker: what a host's own process does not have in it.
//!
//! It answers to words on its input: `heal`, and `count N`, which prints for each vendor how many records it has, and
//! how many different ones of the N people.

use std::collections::HashSet;
use std::time::Duration;

use contact_sync::{RetryPolicy, Worker};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use vendor_sandbox::{FaultPlan, Sandbox};

use crate::Outcome;
use crate::place::Address;
use crate::vendors::{VENDORS, Vendor, start};

/// Jobs at a time: a vendor that hangs keeps many of them busy.
const CONCURRENCY: usize = 32;

/// The waits are shorter than a host's, or the end of an outage would be seen an hour later.
const BACK_OFF: Duration = Duration::from_secs(5);

pub(crate) struct Settings {
    pub(crate) address: Address,
}

pub(crate) async fn run(settings: &Settings) -> Outcome {
    let store = settings.address.open(50, 8).await?;
    let mut worker = Worker::new(store)
        .concurrency(CONCURRENCY)
        .retry(RetryPolicy::new().base(BACK_OFF / 5).cap(BACK_OFF))
        .lease(Duration::from_secs(10))
        .poll(Duration::from_millis(200));
    let mut sandboxes = Vec::new();
    for name in VENDORS {
        let sandbox = start(name).await?;
        worker = worker.target(std::sync::Arc::new(Vendor::new(name, &sandbox)?));
        sandboxes.push((name, sandbox));
    }
    let worker = worker.start();
    println!("ready");
    let mut orders = BufReader::new(tokio::io::stdin()).lines();
    while let Some(order) = orders.next_line().await.map_err(|e| e.to_string())? {
        match order.split_once(' ') {
            None if order == "heal" => {
                for (_, sandbox) in &sandboxes {
                    sandbox.control().faults(FaultPlan::none());
                }
                println!("healed");
            }
            Some(("count", people)) => {
                let people = people.parse().map_err(|_| "how many people?".to_owned())?;
                for (name, sandbox) in &sandboxes {
                    let (records, persons) = count(sandbox, people);
                    println!("counted {name} {records} {persons}");
                }
            }
            _ => return Err(format!("`{order}` is no order")),
        }
    }
    worker.shutdown(Duration::from_secs(1)).await;
    Ok(())
}

/// How many records there are, and how many of the people they are of.
fn count(sandbox: &Sandbox, people: usize) -> (usize, usize) {
    let contacts = sandbox.control().contacts();
    let is_one = |key: &str| {
        let number = key
            .strip_prefix("user-")
            .and_then(|n| n.parse::<usize>().ok());
        number.is_some_and(|number| number < people)
    };
    let persons: HashSet<&str> = contacts
        .iter()
        .filter_map(|contact| contact["externalId"].as_str())
        .filter(|key| is_one(key))
        .collect();
    (contacts.len(), persons.len())
}
