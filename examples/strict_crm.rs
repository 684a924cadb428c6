//! A create that leaves both sides alike: the vendor first, then the host's own insert, and all of it or nothing.
//!
//! ```console
//! $ cargo run --example strict_crm
//! ```
#![expect(clippy::print_stdout, reason = "a program that prints what happened")]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contact_sync::targets::openphone::OpenPhoneTarget;
use contact_sync::{
    CrmHook, MemoryStore, Region, SharedClient, Signup, SkipReason, StaticDirectory, StrictError,
    Ticket,
};
use openphone_client::Client;
use vendor_sandbox::openphone::CREATE_CONTACT;
use vendor_sandbox::{Fault, FaultPlan, Sandbox};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::openphone().start().await?;
    let client = Client::builder()
        .api_key(sandbox.api_key())
        .base_url(sandbox.base_url())
        .build()?;
    let target = Arc::new(OpenPhoneTarget::new(SharedClient::new(client)));
    let store = Arc::new(MemoryStore::new());
    let crm = CrmHook::new(store.clone(), StaticDirectory::new().on("openphone"))
        .target(target.clone())
        .region(Region::US);
    let (control, table) = (sandbox.control(), Table::default());
    let both = || {
        format!(
            "at the vendor {}, in our table {}",
            control.contact_count(),
            table.len()
        )
    };

    println!("1. Both sides work.");
    let ana = Signup::new()
        .host_id("1")
        .name("Ana Example")
        .email("ana@example.com")
        .phone("202 555 0101");
    let (row, receipt) = crm
        .create(&ana, async |ticket| table.insert(1, &ticket).await)
        .await?;
    println!(
        "   row {row} written, {}",
        serde_json::to_string(&receipt.targets)?
    );
    println!("   {}", both());

    println!("2. Our own insert fails: the vendor's record is deleted again.");
    let ben = Signup::new()
        .host_id("2")
        .name("Ben Example")
        .email("ben@example.com");
    match crm
        .create(&ben, async |_ticket| Err::<(), _>(TableFull))
        .await
    {
        Err(StrictError::Insert(error)) => println!("   refused: {error}"),
        other => return Err(format!("not what should happen: {other:?}").into()),
    }
    println!("   {}", both());

    println!("3. The vendor refuses: our insert never runs.");
    control.faults(FaultPlan::none().next(
        CREATE_CONTACT,
        1,
        Fault::ServerError {
            status: 500,
            retry_after: None,
        },
    ));
    let cleo = Signup::new()
        .host_id("3")
        .name("Cleo Example")
        .email("cleo@example.com");
    match crm
        .create(&cleo, async |ticket| table.insert(3, &ticket).await)
        .await
    {
        Err(error @ StrictError::Vendor { .. }) => println!("   refused: {error}"),
        other => return Err(format!("not what should happen: {other:?}").into()),
    }
    control.clear_faults();
    println!("   {}", both());

    println!(
        "4. The integration is switched off: the insert runs, and the receipt says what was skipped."
    );
    let off = CrmHook::new(
        store,
        StaticDirectory::new().off("openphone", SkipReason::Disabled),
    )
    .target(target);
    let dan = Signup::new()
        .host_id("4")
        .name("Dan Example")
        .email("dan@example.com");
    let (row, receipt) = off
        .create(&dan, async |ticket| table.insert(4, &ticket).await)
        .await?;
    println!(
        "   row {row} written, {}",
        serde_json::to_string(&receipt.targets)?
    );
    println!("   {}", both());
    Ok(())
}

/// The host's own table of customers: id, and what OpenPhone calls them.
#[derive(Default)]
struct Table(Mutex<BTreeMap<u64, Option<String>>>);

impl Table {
    /// Writes a row and confirms as the last step that can fail. A database does both in one transaction.
    async fn insert(&self, id: u64, ticket: &Ticket) -> Result<u64, contact_sync::StoreError> {
        let remote = ticket.remote_id("openphone").map(ToString::to_string);
        self.rows().insert(id, remote);
        if let Err(error) = ticket.confirm().await {
            self.rows().remove(&id);
            return Err(error);
        }
        Ok(id)
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<u64, Option<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn len(&self) -> usize {
        self.rows().len()
    }
}

#[derive(Debug)]
struct TableFull;

impl std::fmt::Display for TableFull {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the table is full")
    }
}

impl std::error::Error for TableFull {}
