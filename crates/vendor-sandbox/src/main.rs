//! The program `vendor-sandbox`: the simulated vendors as a process of their own.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use serde::Serialize;
use tokio::runtime::{self, Runtime};
use vendor_sandbox::openphone::OpenPhone;
use vendor_sandbox::suitedash::SuiteDash;
use vendor_sandbox::{Builder, FaultKind, FaultPlan, Sandbox, SandboxError};

/// How far behind the first port SuiteDash is; GoHighLevel and RingCentral will stand between.
const SUITEDASH_PORT: u16 = 3;

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
    /// The port of the first vendor, OpenPhone. The next two are kept for GoHighLevel and
    /// RingCentral, and the one after them is SuiteDash's. 0 takes any free ports.
    #[arg(long, default_value_t = 4010, value_parser = clap::value_parser!(u16).range(..=i64::from(u16::MAX - SUITEDASH_PORT)))]
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
    /// Requests per second and key, 1 or more, or "off". The default is each vendor's own.
    #[arg(long, value_parser = limit)]
    rate_limit: Option<Limit>,
    /// Starts with this many synthetic contacts at each vendor.
    #[arg(long, default_value_t = 0)]
    contacts: u64,
    /// The calls that SuiteDash takes in a month; without it they are counted alone.
    #[arg(long)]
    monthly_quota: Option<u64>,
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
    let vendors = start(options).await.map_err(|error| describe(&error))?;
    let text = if options.json {
        lines(&vendors)?
    } else {
        sheet(&vendors)
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

/// Every vendor that there is.
struct Vendors {
    openphone: Sandbox<OpenPhone>,
    suitedash: Sandbox<SuiteDash>,
}

async fn start(options: &Serve) -> Result<Vendors, SandboxError> {
    let port = options.port_base;
    let openphone = set_up(Sandbox::openphone().port(port), options);
    let openphone = openphone.start().await?;
    openphone.control().seed_contacts(options.contacts);
    let port = if port == 0 { 0 } else { port + SUITEDASH_PORT };
    let mut suitedash = set_up(Sandbox::suitedash().port(port), options);
    if let Some(calls) = options.monthly_quota {
        suitedash = suitedash.monthly_quota(calls);
    }
    let suitedash = suitedash.start().await?;
    suitedash.control().seed_contacts(options.contacts);
    Ok(Vendors {
        openphone,
        suitedash,
    })
}

/// What is set up alike for every vendor.
fn set_up<V>(builder: Builder<V>, options: &Serve) -> Builder<V> {
    let mut plan = FaultPlan::rate(options.fault_rate);
    if options.no_hang {
        plan = plan
            .without(FaultKind::Hang)
            .without(FaultKind::HangAfterEffect);
    }
    let mut builder = builder.fault_plan(plan);
    if let Some(seed) = options.seed {
        builder = builder.seed(seed);
    }
    match options.rate_limit {
        None => builder,
        Some(Limit::Off) => builder.rate_limit(None),
        Some(Limit::PerSecond(requests)) => builder.rate_limit(Some(requests)),
    }
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
struct OpenPhoneLine<'a> {
    vendor: &'static str,
    base_url: &'a str,
    api_key: &'a str,
    webhook_key: String,
}

#[derive(Serialize)]
struct SuiteDashLine<'a> {
    vendor: &'static str,
    base_url: &'a str,
    api_url: String,
    public_id: &'a str,
    secret_key: &'a str,
}

fn lines(vendors: &Vendors) -> Result<String, String> {
    let Vendors {
        openphone,
        suitedash,
    } = vendors;
    let first = line(&OpenPhoneLine {
        vendor: "openphone",
        base_url: openphone.base_url(),
        api_key: openphone.api_key(),
        webhook_key: openphone.webhook_key(),
    })?;
    let second = line(&SuiteDashLine {
        vendor: "suitedash",
        base_url: suitedash.base_url(),
        api_url: suitedash.api_url(),
        public_id: suitedash.public_id(),
        secret_key: suitedash.secret_key(),
    })?;
    Ok(first + &second)
}

fn line(of: &impl Serialize) -> Result<String, String> {
    serde_json::to_string(of)
        .map(|line| format!("{line}\n"))
        .map_err(|error| format!("cannot write JSON: {error}"))
}

fn sheet(vendors: &Vendors) -> String {
    let Vendors {
        openphone,
        suitedash,
    } = vendors;
    let (url, key) = (openphone.base_url(), openphone.api_key());
    let (number, hook) = (openphone.phone_number(), openphone.webhook_key());
    let secret = openphone.webhook_secret();
    let (api, public_id) = (suitedash.api_url(), suitedash.public_id());
    let (portal, secret_key) = (suitedash.base_url(), suitedash.secret_key());
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

SuiteDash
  base URL        {api}
  public id       {public_id}
  secret key      {secret_key}

Try it:
  curl -s '{api}/contacts' -H 'X-Public-ID: {public_id}' -H 'X-Secret-Key: {secret_key}'
  curl -s '{portal}/_sandbox/'

Ctrl-C ends it.
"
    )
}
