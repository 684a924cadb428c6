//! The program `vendor-sandbox`: the simulated vendors as a process of their own.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use serde::Serialize;
use tokio::runtime::{self, Runtime};
use vendor_sandbox::{FaultKind, FaultPlan, Sandbox, SandboxError};

/// Phone and CRM vendors simulated on loopback.
#[derive(Debug, Parser)]
#[command(name = "vendor-sandbox")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves every vendor, each on its own port, until Ctrl-C.
    Serve(Serve),
}

#[derive(Debug, Args)]
struct Serve {
    /// The port of the first vendor, OpenPhone; the next ones are kept for GoHighLevel,
    /// RingCentral and SuiteDash. 0 takes any free port.
    #[arg(long, default_value_t = 4010)]
    port_base: u16,
    /// Prints one line of JSON per vendor and nothing else.
    #[arg(long)]
    json: bool,
    /// The share of requests that go wrong, 0 to 1.
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    fault_rate: f64,
    /// Leaves requests that never get an answer out of the faults.
    #[arg(long)]
    no_hang: bool,
    /// Seeds ids, keys, synthetic records and faults.
    #[arg(long)]
    seed: Option<u64>,
    /// Requests per second and key, 1 or more, or "off". The default is the vendor's own.
    #[arg(long, value_parser = limit)]
    rate_limit: Option<Limit>,
    /// Starts with this many synthetic contacts.
    #[arg(long, default_value_t = 0)]
    contacts: u64,
    /// Worker threads; 1 serves on the main thread alone.
    #[arg(long, default_value_t = 1)]
    workers: usize,
}

#[derive(Clone, Copy, Debug)]
enum Limit {
    Off,
    PerSecond(u32),
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("expected a number from 0 to 1".to_owned()),
    }
}

fn limit(text: &str) -> Result<Limit, String> {
    if text.eq_ignore_ascii_case("off") {
        return Ok(Limit::Off);
    }
    match text.parse() {
        // 0 is what somebody types who wants no limit, and would refuse every request.
        Ok(0) => Err("0 would refuse every request; \"off\" lifts the limit".to_owned()),
        Ok(requests) => Ok(Limit::PerSecond(requests)),
        Err(_) => Err("expected a whole number of requests per second, or \"off\"".to_owned()),
    }
}

fn main() -> ExitCode {
    let Command::Serve(options) = Cli::parse().command;
    let served = runtime(options.workers).and_then(|runtime| runtime.block_on(serve(&options)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            // Where standard error is closed as well there is nobody left to tell.
            let _ = writeln!(io::stderr(), "vendor-sandbox: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn runtime(workers: usize) -> Result<Runtime, String> {
    let mut builder = if workers <= 1 {
        runtime::Builder::new_current_thread()
    } else {
        runtime::Builder::new_multi_thread()
    };
    if workers > 1 {
        builder.worker_threads(workers);
    }
    builder
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))
}

async fn serve(options: &Serve) -> Result<(), String> {
    let sandbox = start(options).await.map_err(|error| describe(&error))?;
    let text = if options.json {
        line(&sandbox)?
    } else {
        sheet(&sandbox)
    };
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| format!("cannot write to standard output: {error}"))?;
    drop(stdout);
    tokio::signal::ctrl_c()
        .await
        .map_err(|error| format!("cannot wait for Ctrl-C: {error}"))
}

async fn start(options: &Serve) -> Result<Sandbox, SandboxError> {
    let mut plan = FaultPlan::rate(options.fault_rate);
    if options.no_hang {
        plan = plan
            .without(FaultKind::Hang)
            .without(FaultKind::HangAfterEffect);
    }
    let mut builder = Sandbox::openphone()
        .port(options.port_base)
        .fault_plan(plan);
    if let Some(seed) = options.seed {
        builder = builder.seed(seed);
    }
    builder = match options.rate_limit {
        None => builder,
        Some(Limit::Off) => builder.rate_limit(None),
        Some(Limit::PerSecond(requests)) => builder.rate_limit(Some(requests)),
    };
    let sandbox = builder.start().await?;
    sandbox.control().seed_contacts(options.contacts);
    Ok(sandbox)
}

fn describe(error: &SandboxError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    if matches!(error, SandboxError::PortInUse { .. }) {
        text.push_str("; choose another with --port-base");
    }
    text
}

/// What `--json` tells of one vendor, in this order.
#[derive(Serialize)]
struct Line<'a> {
    vendor: &'static str,
    base_url: &'a str,
    api_key: &'a str,
    webhook_key: String,
}

fn line(sandbox: &Sandbox) -> Result<String, String> {
    let line = Line {
        vendor: "openphone",
        base_url: sandbox.base_url(),
        api_key: sandbox.api_key(),
        webhook_key: sandbox.webhook_key(),
    };
    serde_json::to_string(&line)
        .map(|line| format!("{line}\n"))
        .map_err(|error| format!("cannot write JSON: {error}"))
}

fn sheet(sandbox: &Sandbox) -> String {
    let (url, key) = (sandbox.base_url(), sandbox.api_key());
    let (number, hook) = (sandbox.phone_number(), sandbox.webhook_key());
    let secret = sandbox.webhook_secret();
    format!(
        "\
OpenPhone (Quo)
  base URL        {url}
  API key         {key}
  own number      {number}
  webhook key     {hook}   (openphone-signature)
  webhook secret  {secret}   (Standard Webhooks)

Try it:
  curl -s '{url}/v1/contacts?maxResults=10' -H 'Authorization: {key}'
  curl -s '{url}/v1/contacts' -H 'Authorization: {key}' -H 'Content-Type: application/json' \\
    -d '{{\"defaultFields\":{{\"firstName\":\"Ada\"}}}}'
  curl -s '{url}/_sandbox/'

Ctrl-C ends it.
"
    )
}
