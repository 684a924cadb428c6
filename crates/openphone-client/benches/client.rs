//! What the typed client costs above bare reqwest, serde and HMAC: `cargo bench -p openphone-client`.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program that measures prints its figures, and ends when it cannot measure"
)]

#[path = "../../connector-http/benches/harness/mod.rs"]
#[expect(
    dead_code,
    reason = "the harness serves two programs, and each uses a part of it"
)]
mod harness;
mod paging;
mod webhook;

fn main() {
    if let Some(which) = harness::word_after("--server") {
        harness::runtime().block_on(paging::serve(&which));
        return;
    }
    if std::env::args().any(|argument| argument == "--growth") {
        paging::print_growth();
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
    webhook::print_ratios();
}
