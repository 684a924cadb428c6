//! What the typed client costs above bare reqwest, serde and HMAC: `cargo bench -p openphone-client`.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program that measures prints its figures, and ends when it cannot measure"
)]

mod export;
#[path = "../../connector-http/benches/harness/mod.rs"]
mod harness;
mod memory;
mod paging;
mod webhook;

fn main() {
    if let Some(which) = harness::word_after("--server") {
        harness::runtime().block_on(async {
            match which.strip_prefix(export::CALLS) {
                Some(calls) => export::serve(calls).await,
                None => paging::serve(&which).await,
            }
        });
        return;
    }
    if std::env::args().any(|argument| argument == "--growth") {
        paging::print_growth();
        return;
    }
    if let Some(calls) = harness::word_after("--export") {
        export::print_one(&calls);
        return;
    }
    harness::subscribe_at_info();
    paging::print_cpu();
    // Peak memory only ever rises, so it is read in a process that has done nothing else.
    let program = std::env::current_exe().expect("the path of this program");
    let status = std::process::Command::new(program)
        .arg("--growth")
        .status()
        .expect("starts again");
    assert!(status.success());
    export::print();
    webhook::print_ratios();
}
