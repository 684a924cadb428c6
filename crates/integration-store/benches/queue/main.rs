//! What the queue costs: `cargo bench -p integration-store --all-features --bench queue`, with `-- keys` or `-- worker`
//! for one of its two parts.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that measures prints its figures, and ends when it cannot measure"
)]

mod keys;
#[path = "../../tests/support/postgres.rs"]
#[expect(
    dead_code,
    reason = "it serves several programs, and each uses a part of it"
)]
mod postgres;
mod worker;

use std::sync::Arc;

use connector_http::Lane;
use contact_sync::{
    Contact, JobStore, LinkStore, NewJob, Region, Signup, SignupStore, TargetName, TenantId,
};
use integration_store::{PostgresStore, SqliteStore};

/// The target of every job.
const TARGET: &str = "nowhere";

trait Queue: SignupStore + JobStore + LinkStore {}
impl<S: SignupStore + JobStore + LinkStore> Queue for S {}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    // Words that are no options choose what is measured; without one it is everything.
    let chosen: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let is_chosen = |name: &str| chosen.is_empty() || chosen.iter().any(|word| word == name);
    runtime.block_on(async {
        if is_chosen("keys") {
            keys::print_sqlite().await;
            keys::print_postgres().await;
        }
        if is_chosen("worker") {
            worker::print().await;
        }
    });
}

/// Accepts people who share nothing, many at a time.
async fn accept(store: &Arc<impl Queue + 'static>, people: std::ops::Range<usize>) {
    const TOGETHER: usize = 64;
    let people = Arc::new(std::sync::Mutex::new(people));
    let tasks: Vec<_> = (0..TOGETHER)
        .map(|_| {
            let (store, people) = (store.clone(), people.clone());
            tokio::spawn(async move {
                let next = || people.lock().unwrap().next();
                while let Some(n) = next() {
                    let signup = Signup::new()
                        .host_id(format!("{n}"))
                        .name(format!("Person {n}"))
                        .email(format!("person{n}@example.com"));
                    let contact = Contact::new(&TenantId::default(), &signup, Some(Region::US));
                    let job = NewJob::new(TargetName::from(TARGET), Lane::Bulk);
                    store
                        .accept(&TenantId::default(), &contact, &[job])
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

async fn sqlite(directory: &tempfile::TempDir, name: &str) -> Arc<SqliteStore> {
    Arc::new(
        SqliteStore::open(directory.path().join(name))
            .await
            .unwrap(),
    )
}

async fn server(schema: &postgres::Schema, connections: u32) -> Arc<PostgresStore> {
    let store = PostgresStore::builder()
        .schema(&schema.name)
        .max_connections(connections)
        .connect(schema.url())
        .await;
    Arc::new(store.unwrap())
}

/// Prints a figure as the one line that scripts read, and its bar for people on standard error.
fn figure(name: &str, value: f64, bar: &str) {
    println!("{name}={value:.3}");
    eprintln!("  {name}: measured {value:.3}, wanted {bar}");
}

/// The middle value.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
