//! All calls of an account exported, few of them and many.

use std::process::Command;

use vendor_sandbox::Sandbox;

use crate::harness;
use crate::memory::peak_memory_mb;
use crate::paging::{client, start};

/// Begins what [`start`] asks for when the server is to hold calls.
pub(crate) const CALLS: &str = "calls=";
const FEW: u64 = 1_000;
const MANY: u64 = 100_000;
/// On two numbers that makes conversations of one full page each, the most a page can take.
const CALLS_A_PERSON: u64 = 200;

/// Serves as many synthetic calls as asked for, with the vendor's limit lifted, until the parent ends it.
pub(crate) async fn serve(calls: &str) {
    let count: u64 = calls.parse().expect("a number of calls");
    let sandbox = Sandbox::openphone()
        .rate_limit(None)
        .start()
        .await
        .expect("starts");
    sandbox.control().seed_calls(count, count / CALLS_A_PERSON);
    println!("{} {}", sandbox.base_url(), sandbox.api_key());
    std::future::pending::<()>().await;
}

/// `export_growth_mb`: how much more memory an export of many calls takes at its peak than one of few; and
/// `export_calls_per_second` of the many.
pub(crate) fn print() {
    let (few, _) = in_a_process_of_its_own(FEW);
    let (many, seconds) = in_a_process_of_its_own(MANY);
    harness::print("export_growth_mb", many - few, "at most 8");
    #[expect(
        clippy::cast_precision_loss,
        reason = "far below what a double counts exactly"
    )]
    let pace = MANY as f64 / seconds;
    harness::print(
        "export_calls_per_second",
        pace,
        "any: the vendor paces real ones",
    );
}

/// Exports so many calls, and prints the peak of memory in megabytes and the seconds it took.
pub(crate) fn print_one(calls: &str) {
    let wanted: u64 = calls.parse().expect("a number of calls");
    let (_server, url, key) = start(&format!("{CALLS}{wanted}"));
    let ours = client(&url, &key);
    let runtime = harness::runtime();
    let time = harness::time_of(|| {
        let seen = runtime.block_on(async {
            let mut calls = ours.calls().export(..).items();
            let mut seen = 0;
            while let Some(call) = calls.next().await {
                std::hint::black_box(call.expect("a call"));
                seen += 1;
            }
            seen
        });
        // Nothing moves meanwhile, so nothing comes twice.
        assert_eq!(seen, wanted);
    });
    println!("{} {}", peak_memory_mb(), time / 1e9);
}

/// Peak memory only ever rises, so each export has a process that has done nothing else.
fn in_a_process_of_its_own(calls: u64) -> (f64, f64) {
    let program = std::env::current_exe().expect("the path of this program");
    let done = Command::new(program)
        .args(["--export", &calls.to_string()])
        .output()
        .expect("starts again");
    let said = String::from_utf8_lossy(&done.stdout);
    let trouble = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{trouble}");
    let (peak, seconds) = said.trim().split_once(' ').expect("peak and seconds");
    (
        peak.parse().expect("megabytes"),
        seconds.parse().expect("seconds"),
    )
}
