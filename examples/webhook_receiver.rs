//! Receives webhooks: verifies the raw bytes, drops duplicates, answers at once, and looks at the event afterwards.
//!
//! ```console
//! $ cargo run --example webhook_receiver --features axum     # the simulated vendor sends it a text, and then once more
//! $ OPENPHONE_WEBHOOK_SECRET=… cargo run --example webhook_receiver --features axum -- --listen 127.0.0.1:8080
//! ```
#![expect(clippy::print_stdout, reason = "a program that prints what happened")]

use std::collections::HashSet;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use clap::Parser;
use connector_http::{Timer as _, TokioTimer};
use openphone_client::webhooks::{Event, EventKind, Verified, Verifier, replay_id};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use vendor_sandbox::Sandbox;
use vendor_sandbox::openphone::WebhookFormat;

/// A vendor's webhook is a few kilobytes.
const MAX_BODY: usize = 1024 * 1024;

#[derive(Parser)]
#[command(about = "Receives OpenPhone webhooks: verified, deduplicated, parsed")]
struct Arguments {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind(arguments.listen).await?;
    let url = format!("http://{}/webhooks/openphone", listener.local_addr()?);

    let sandbox = match std::env::var_os("OPENPHONE_WEBHOOK_SECRET") {
        Some(_) => None,
        None => Some(Sandbox::openphone().start().await?),
    };
    let verifier = match &sandbox {
        None => Verifier::from_env()?,
        Some(sandbox) => {
            // The vendor issues the secret when a webhook is made; it cannot be chosen.
            let webhook = sandbox
                .control()
                .register_webhook(&url, WebhookFormat::Dated)?;
            Verifier::new([webhook.key.into()])?
        }
    };

    let (events, mut arrived) = mpsc::channel(1024);
    let receiver = Arc::new(Receiver {
        verifier,
        timer: TokioTimer,
        seen: Mutex::default(),
        events,
    });
    let app = Router::new()
        .route("/webhooks/openphone", post(receive))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(receiver);
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    println!("listening at {url}");

    let Some(sandbox) = sandbox else {
        while let Some(verified) = arrived.recv().await {
            look_at(&verified);
        }
        return Ok(());
    };
    let control = sandbox.control();
    control.place_inbound_text(
        "+12025550143",
        sandbox.phone_number(),
        "Is the table still free?",
    )?;
    control.webhooks_settled().await;
    let again: Vec<u64> = control
        .deliveries()
        .iter()
        .map(|delivery| delivery.number)
        .collect();
    for number in again {
        println!("the vendor repeats delivery {number}, as it may");
        control.redeliver(number)?;
    }
    control.webhooks_settled().await;
    server.abort();
    while let Ok(verified) = arrived.try_recv() {
        look_at(&verified);
    }
    Ok(())
}

/// What the route has. A service keeps the ids that it has seen in its database, together with the event and for a
/// week at least: the vendor repeats for more than a day.
struct Receiver {
    verifier: Verifier,
    timer: TokioTimer,
    seen: Mutex<HashSet<String>>,
    events: mpsc::Sender<Verified<'static>>,
}

/// The raw bytes, never an extractor that parses: the signature is over what came in.
async fn receive(
    State(receiver): State<Arc<Receiver>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let verified = match receiver
        .verifier
        .verify(&headers, &body, receiver.timer.utc_now())
    {
        Ok(verified) => verified,
        Err(error) => {
            println!("refused: {error} ({:?})", error.kind());
            return error.kind().suggested_status();
        }
    };
    let id = replay_id(&verified).into_owned();
    if receiver
        .seen
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .contains(&id)
    {
        println!("dropped a duplicate");
        return StatusCode::OK;
    }
    // Work waits for no vendor: it is done after the answer, which has to come within seconds.
    if receiver.events.try_send(verified.into_owned()).is_err() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    receiver
        .seen
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(id);
    StatusCode::OK
}

fn look_at(verified: &Verified<'_>) {
    match Event::parse(verified) {
        Ok(event) => match &event.kind {
            EventKind::MessageReceived(message) => {
                let length = message
                    .text
                    .as_deref()
                    .map_or(0, |text| text.chars().count());
                println!("a text of {length} characters came in: {}", message.id);
            }
            EventKind::Unknown { kind, .. } => println!("kept for later: {kind}"),
            _ => println!("{event:?}"),
        },
        Err(error) => println!("verified, but not readable: {error}"),
    }
}
