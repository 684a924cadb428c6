//! How much of a vendor's limit a backlog uses, and what a signup waits for meanwhile:
//! `cargo bench -p contact-sync --features openphone`.
//!
//! Real time against the simulated vendor, which counts ten requests per second and key and refuses the eleventh.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program that measures prints its figures, and ends when it cannot measure"
)]

use std::sync::Arc;
use std::time::Duration;

use connector_http::{Rate, RateClass, Timer as _, TokioTimer};
use contact_sync::targets::openphone::OpenPhoneTarget;
use contact_sync::{
    MemoryStore, RunningWorker, SharedClient, Signup, SignupHook, StaticDirectory, Worker,
};
use openphone_client::Client;
use vendor_sandbox::Sandbox;

/// What the vendor allows.
const ALLOWED: u32 = 10;

/// People of the undisturbed backlog: two calls each.
const PEOPLE: usize = 50;

/// People of the backlog that others sign up in, and how many of these.
const BEHIND: usize = 30;
const WAITING: usize = 4;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        Bench::start().await.undisturbed().await;
        Bench::start().await.waited_for().await;
    });
}

struct Bench {
    sandbox: Sandbox,
    hook: SignupHook,
    store: Arc<MemoryStore>,
}

impl Bench {
    async fn start() -> Self {
        let sandbox = Sandbox::openphone().rate_limit(Some(ALLOWED)).start();
        let store = Arc::new(MemoryStore::new());
        let directory = StaticDirectory::new().on("openphone");
        Self {
            sandbox: sandbox.await.expect("a vendor on loopback"),
            hook: SignupHook::new(store.clone(), directory),
            store,
        }
    }

    async fn backlog(&self, people: usize) {
        for id in 0..people {
            let signup = Signup::new().host_id(format!("bulk-{id}")).name("Ann Lee");
            self.hook.on_signup(signup).await.expect("accepted");
        }
    }

    fn work(&self) -> RunningWorker {
        // One at a time: a vendor that counts in fixed windows sees a burst at their border as too many.
        let client = Client::builder()
            .api_key(self.sandbox.api_key())
            .base_url(self.sandbox.base_url())
            .rate(RateClass::DEFAULT, Rate::per_second(ALLOWED).burst(1))
            .build()
            .expect("a client");
        let target = OpenPhoneTarget::new(SharedClient::new(client));
        Worker::new(self.store.clone())
            .target(Arc::new(target))
            .concurrency(8)
            .start()
    }

    fn refused(&self) -> usize {
        let requests = self.sandbox.control().requests();
        let refused = requests.iter().filter(|it| it.status == Some(429));
        refused.count()
    }

    async fn undisturbed(&self) {
        self.backlog(PEOPLE).await;
        self.work().idle().await;
        let requests = self.sandbox.control().requests();
        let (first, last) = (requests.first(), requests.last());
        let (first, last) = first.zip(last).expect("requests");
        let took = (last.at - first.at).as_seconds_f64();
        // So many intervals lie between the first and the last.
        let intervals = f64::from(u32::try_from(requests.len()).expect("few") - 1);
        println!("backlog_calls={}", requests.len());
        println!(
            "backlog_rate_used={:.3}",
            intervals / took / f64::from(ALLOWED)
        );
        println!("backlog_refused_429={}", self.refused());
    }

    async fn waited_for(&self) {
        self.backlog(BEHIND).await;
        let worker = self.work();
        let (mut most_calls, mut longest) = (0, Duration::ZERO);
        for id in 0..WAITING {
            TokioTimer.sleep(Duration::from_millis(650)).await;
            let signup = Signup::new()
                .host_id(format!("waiting-{id}"))
                .name("Bob Ray");
            let before = self.sandbox.control().request_count();
            let asked = TokioTimer.now();
            let receipt = self
                .hook
                .on_signup_wait(signup, Duration::from_secs(10))
                .await
                .expect("accepted");
            assert!(receipt.targets.iter().all(|line| line.integrated));
            // Two of them are its own.
            let others = self.sandbox.control().request_count() - before - 2;
            most_calls = most_calls.max(others);
            longest = longest.max(asked.elapsed());
        }
        worker.idle().await;
        println!("signup_waits_for_bulk_calls_max={most_calls}");
        println!("signup_wait_ms_max={}", longest.as_millis());
        println!("signup_refused_429={}", self.refused());
    }
}
