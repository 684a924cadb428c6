//! What exporting costs above the bare `csv` writer, and how much memory: `cargo bench -p suitedash-client`.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program that measures prints its figures, and ends when it cannot measure"
)]

#[expect(
    dead_code,
    reason = "shared by several programs, each of which uses a part"
)]
#[path = "../../connector-http/benches/harness/mod.rs"]
mod harness;

use std::hint::black_box;
use std::io::sink;
use std::process::Command;

use chrono::{DateTime, Utc};
use csv::{QuoteStyle, Terminator, WriterBuilder};
use suitedash_client::export::{ExportContact, Exporter, NewExport, Profile, export_contacts};

/// Rows that both sides write again and again, and how often. Few enough to stay in a cache, as a stream's would.
const ROWS: u64 = 500;
const ROUNDS: usize = 400;
/// What the memory is measured with.
const MANY: u64 = 1_000_000;

fn main() {
    match harness::word_after("--peak").as_deref() {
        Some("rows") => return print_peak(export_rows),
        Some(_) => return print_peak(export_file),
        None => {}
    }
    print_ratios();
    harness::print("export_peak_mb", peak("file"), "at most 64");
    harness::print("export_rows_peak_mb", peak("rows"), "at most 64");
}

/// `export_speed_ratio`: how fast the default profile is, as a share of the bare writer's speed on the same cells, made
/// into text beforehand and quoted where needed, which is what the `csv` crate does unless told otherwise. And the same of
/// a raw export, and against a writer that quotes all, which finds nothing out about cells and so is the fastest.
fn print_ratios() {
    let contacts: Vec<_> = (0..ROWS).map(contact).collect();
    let cells: Vec<_> = contacts.iter().map(cells).collect();
    let bare = |quotes| {
        let mut csv = WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .quote_style(quotes)
            .from_writer(sink());
        harness::cpu_of(|| {
            for row in (0..ROUNDS).flat_map(|_| &cells) {
                csv.write_record(black_box(row)).expect("writes");
            }
            csv.flush().expect("flushes");
        })
    };
    let ours = |profile: &Profile| {
        harness::cpu_of(|| {
            let rows = (0..ROUNDS).flat_map(|_| black_box(&contacts));
            black_box(export_contacts(sink(), rows, profile).expect("exports"));
        })
    };
    let (safe, raw) = (Profile::spreadsheet_safe(), Profile::import_raw());
    // The other way round: a ratio of times is the inverse of one of speeds.
    let ratio = |profile, quotes| harness::ratio(|| ours(profile), || bare(quotes));
    let speed = ratio(&safe, QuoteStyle::Necessary);
    harness::print("export_speed_ratio", speed, "at least 0.7");
    let speed = ratio(&safe, QuoteStyle::Always);
    harness::print(
        "export_speed_ratio_quoted",
        speed,
        "any: to look at every cell costs what it costs",
    );
    let speed = ratio(&raw, QuoteStyle::Necessary);
    harness::print("export_speed_ratio_raw", speed, "at least 0.7");
}

/// Peak memory only ever rises, so it is read in a process that has done nothing else.
fn peak(what: &str) -> f64 {
    let program = std::env::current_exe().expect("the path of this program");
    let done = Command::new(program)
        .args(["--peak", what])
        .output()
        .expect("starts again");
    let trouble = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{trouble}");
    let said = String::from_utf8_lossy(&done.stdout);
    said.trim().parse().expect("megabytes")
}

fn print_peak(export: fn() -> u64) {
    assert_eq!(export(), MANY);
    println!("{}", peak_memory_mb());
}

/// Rows alone, into nothing.
fn export_rows() -> u64 {
    let contacts = (0..MANY).map(contact);
    let counts = export_contacts(sink(), contacts, &Profile::default());
    counts.expect("exports").rows
}

/// All of it: a file, and a history that has every contact.
fn export_file() -> u64 {
    let directory = tempfile::tempdir().expect("a directory");
    let done = harness::runtime().block_on(async {
        let exporter = Exporter::open(directory.path()).await?;
        let contacts = (0..MANY).map(contact);
        exporter
            .export(NewExport::new(created(), "bench"), contacts)
            .await
    });
    done.expect("exports").counts.rows
}

/// As a form brings them: an id, a message of some lines, here and there something to disarm.
fn contact(number: u64) -> ExportContact {
    let contact = ExportContact::new(format!("0197a3c0-5d2e-7c41-9f10-{number:012}"))
        .first_name("Ana")
        .last_name(format!("Example-{number}"))
        .email(format!("person.{number}@example.com"))
        .phone("+12025550143")
        .company("Example & Daughters, Ltd.")
        .service_interest("Kitchen renovation")
        .source("website")
        .created(created())
        .tags(["newsletter", "spring"]);
    match number % 10 {
        0 => contact.message("=HYPERLINK(\"http://example.com\",\"Click\")"),
        1 => contact.message("Hello,\nwe would like \"two\" rooms done.\nThanks, Ana"),
        _ => contact.message(
            "We moved in last month and the kitchen is from before the war. Could somebody come by and \
             have a look in the week after next, best in the morning?",
        ),
    }
}

fn cells(contact: &ExportContact) -> [String; 11] {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    [
        contact.id.clone(),
        text(&contact.first_name),
        text(&contact.last_name),
        text(&contact.email),
        text(&contact.phone),
        text(&contact.company),
        text(&contact.service_interest),
        text(&contact.message),
        text(&contact.source),
        "2026-09-21T14:13:20Z".to_owned(),
        contact.tags.join(","),
    ]
}

fn created() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).expect("in range")
}

/// The largest memory this process has held so far, in megabytes (`VmHWM`).
fn peak_memory_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux with /proc");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .expect("VmHWM");
    let kilobytes: f64 = line
        .split_whitespace()
        .nth(1)
        .and_then(|kb| kb.parse().ok())
        .expect("kB");
    kilobytes / 1024.0
}
