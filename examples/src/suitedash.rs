//! A contact form that goes to SuiteDash, and what a person reads about it.

use std::fmt::Write as _;

use suitedash_client::{
    Client, ContactAction, ContactOutcome, DryRun, Error, LeadSubmission, Notice, QuotaStatus,
};
use vendor_sandbox::Sandbox;
use vendor_sandbox::suitedash::SuiteDash;

/// A client, and the sandbox it talks to if there is one.
#[derive(Debug)]
pub struct Connection {
    /// The client.
    pub client: Client,
    /// The simulated vendor; it lives as long as this value. `None` when the client talks to the real one.
    pub sandbox: Option<Sandbox<SuiteDash>>,
}

/// Connects to the real API if `SUITEDASH_PUBLIC_ID` is set, else to a sandbox inside this process.
///
/// # Errors
///
/// When the pair or the base URL are unusable, or a sandbox cannot start. Nothing is tried out: that would be a call of
/// the month.
pub async fn connect() -> Result<Connection, Box<dyn std::error::Error>> {
    if is_real() {
        let client = Client::from_env()?;
        eprintln!("talking to {}", client.base_url());
        return Ok(Connection {
            client,
            sandbox: None,
        });
    }
    let sandbox = Sandbox::suitedash().monthly_quota(400).start().await?;
    eprintln!(
        "SUITEDASH_PUBLIC_ID is not set: talking to a simulated SuiteDash at {}",
        sandbox.api_url()
    );
    let client = Client::builder()
        .public_id(sandbox.public_id())
        .secret_key(sandbox.secret_key())
        .base_url(sandbox.base_url())
        .build()?;
    Ok(Connection {
        client,
        sandbox: Some(sandbox),
    })
}

/// Says whether the program will talk to the real API, where each call is one of the month's.
pub fn is_real() -> bool {
    std::env::var_os("SUITEDASH_PUBLIC_ID").is_some()
}

/// Sends a filled-in form, and tells what became of it.
///
/// # Errors
///
/// Those of [`Client::create_lead_from_submission`], and of the record of the quota.
pub async fn send(
    client: &Client,
    form: &LeadSubmission,
) -> Result<String, Box<dyn std::error::Error>> {
    let lead = client
        .create_lead_from_submission(form)
        .await
        .map_err(|error| what_happened(&error))?;
    let quota = client.quota().await?;
    Ok(outcome(&lead.outcome, &quota))
}

/// Tells what would be sent, without a call.
///
/// # Errors
///
/// When the form cannot be right.
pub fn try_out(client: &Client, form: &LeadSubmission) -> Result<String, Error> {
    let planned = client.create_lead_from_submission(form).dry_run()?;
    Ok(plan(&planned))
}

fn outcome(outcome: &ContactOutcome, quota: &QuotaStatus) -> String {
    let done = match outcome.action {
        ContactAction::Created => "a new contact",
        ContactAction::Updated => "a known contact, brought up to date",
        _ => "a known contact; there was nothing to write",
    };
    let mut text = format!("{done}: {}\n", outcome.contact.uid);
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "calls spent: {}; this month: {}",
        outcome.calls_spent, quota.used
    );
    for unmapped in &outcome.unmapped {
        let _ = writeln!(
            text,
            "no place for {}: {:?}",
            unmapped.field, unmapped.reason
        );
    }
    notices(&mut text, &outcome.notices);
    text
}

fn plan(planned: &DryRun) -> String {
    let mut text = "nothing is sent; it would be:\n".to_owned();
    for step in &planned.steps {
        let _ = writeln!(
            text,
            "{} {}, {:?}",
            step.method.as_str(),
            step.path,
            step.when
        );
        if let Some(body) = step.body() {
            let _ = writeln!(text, "    {body}");
        }
    }
    for unmapped in &planned.unmapped {
        let _ = writeln!(
            text,
            "no place for {}: {:?}",
            unmapped.field, unmapped.reason
        );
    }
    notices(&mut text, &planned.notices);
    text
}

fn notices(text: &mut String, notices: &[Notice]) {
    for notice in notices {
        let _ = writeln!(text, "note: {notice:?}");
    }
}

/// The sentence for the operator: did it happen, and what to do.
fn what_happened(error: &Error) -> String {
    use suitedash_client::Delivery;

    let verdict = match error.delivery() {
        Delivery::NotSent => "nothing was sent; sending again is safe",
        Delivery::Rejected => "it was refused, and nothing was written",
        Delivery::Succeeded | Delivery::Unknown => {
            "it may have been written; with an e-mail address, sending again is safe"
        }
    };
    format!("{error}: {verdict}")
}
