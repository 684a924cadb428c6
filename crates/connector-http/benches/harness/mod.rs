//! How the benchmarks of this workspace measure: two sides in one process, interleaved, against a server in another.
//!
//! Machines are shared and noisy, so nothing here is an absolute time: each figure is the median of the ratios of
//! interleaved pairs.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads the real clock"
)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// Pairs a figure is the median of. Odd, so that the median is one of them.
pub(crate) const PAIRS: usize = 21;

/// Prints a figure as the one line that scripts read, and its bar for people on standard error.
pub(crate) fn print(name: &str, value: f64, bar: &str) {
    println!("{name}={value:.3}");
    eprintln!("  {name}: measured {value:.3}, wanted {bar}");
}

/// The middle value.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values
        .get(values.len() / 2)
        .copied()
        .expect("at least one value")
}

/// The median of `ours / raw` over interleaved pairs; the side that goes first alternates.
pub(crate) fn ratio(mut raw: impl FnMut() -> f64, mut ours: impl FnMut() -> f64) -> f64 {
    raw();
    ours();
    let pair = |index: usize| {
        if index.is_multiple_of(2) {
            let raw = raw();
            ours() / raw
        } else {
            let ours = ours();
            ours / raw()
        }
    };
    median((0..PAIRS).map(pair).collect())
}

/// Nanoseconds of CPU that this thread has used, from Linux's scheduler statistics.
pub(crate) fn thread_cpu_ns() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux with /proc");
    text.split_whitespace()
        .next()
        .and_then(|ns| ns.parse().ok())
        .expect("nanoseconds on the CPU")
}

/// Nanoseconds of CPU that `work` uses on this thread.
pub(crate) fn cpu_of(work: impl FnOnce()) -> f64 {
    let before = thread_cpu_ns();
    work();
    thread_cpu_ns() - before
}

/// Nanoseconds that pass while `work` runs.
pub(crate) fn time_of(work: impl FnOnce()) -> f64 {
    let before = Instant::now();
    work();
    before.elapsed().as_secs_f64() * 1e9
}

/// A server in its own process: this very program, started with `--server` and one more word.
pub(crate) struct ServerProcess {
    child: Child,
    /// What the server printed as its first line: where it listens.
    pub(crate) url: String,
}

impl ServerProcess {
    /// Starts it and waits until it says where it listens.
    pub(crate) fn start(which: &str) -> Self {
        let program = std::env::current_exe().expect("the path of this program");
        let mut child = Command::new(program)
            .args(["--server", which])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts again");
        let mut url = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout)
            .read_line(&mut url)
            .expect("the server says where it listens");
        Self {
            child,
            url: url.trim().to_owned(),
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The argument that follows `name`.
pub(crate) fn word_after(name: &str) -> Option<String> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.next();
    arguments.next()
}

/// A current-thread runtime, so that the CPU of one thread is the CPU of the client.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// What a service has: a subscriber that prints from INFO up. Standard error, so that figures stay alone on stdout.
pub(crate) fn subscribe_at_info() {
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_writer(std::io::stderr)
        .init();
}
