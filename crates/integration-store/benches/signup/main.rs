//! What a signup costs: `cargo bench -p integration-store --all-features --bench signup`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that measures prints its figures, and ends when it cannot measure"
)]

mod figures;
mod p99;
mod shared;

use std::sync::Arc;

use contact_sync::{Region, Signup, SignupHook, StaticDirectory};
use integration_store::SqliteStore;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        p99::print().await;
        shared::print().await;
    });
}

async fn hook(directory: &tempfile::TempDir) -> SignupHook {
    let store = SqliteStore::open(directory.path().join("a.db"))
        .await
        .unwrap();
    let directory = StaticDirectory::new().on("nowhere");
    SignupHook::new(Arc::new(store), directory).region(Region::US)
}

/// A person who shares nothing with another.
fn person(n: usize) -> Signup {
    Signup::new()
        .host_id(format!("{n}"))
        .name(format!("Person {n}"))
        .email(format!("person{n}@example.com"))
        .phone("(202) 555-0143")
        .company("Example Ltd")
}
