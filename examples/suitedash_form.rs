//! Sends one contact form to SuiteDash, and says what became of it and what it cost.
//!
//! ```console
//! $ cargo run --example suitedash_form --features suitedash
//! $ cargo run --example suitedash_form --features suitedash -- --dry-run        # shows the calls, makes none
//! $ SUITEDASH_PUBLIC_ID=… SUITEDASH_SECRET_KEY=… cargo run --example suitedash_form --features suitedash -- \
//!       --name "Jane Roe" --email jane@example.com --message "Hello"
//! ```

use std::process::ExitCode;

use clap::Parser;
use examples::{output, suitedash};
use suitedash_client::{ContactInput, LeadSubmission};

#[derive(Parser)]
#[command(about = "Sends one contact form to SuiteDash, and says what became of it")]
struct Arguments {
    /// The name, as one text
    #[arg(long, default_value = "Jane Roe")]
    name: String,
    /// The e-mail address; needed once a key is set
    #[arg(long)]
    email: Option<String>,
    /// The phone number
    #[arg(long)]
    phone: Option<String>,
    /// What was written
    #[arg(long, default_value = "Do you build boats?")]
    message: String,
    /// Where the form is: it becomes a tag
    #[arg(long, default_value = "website")]
    source: String,
    /// A status; SuiteDash has no place for one
    #[arg(long)]
    status: Option<String>,
    /// Send the form so many times: the same person stays one contact
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=10))]
    times: u8,
    /// Show the calls and make none
    #[arg(long)]
    dry_run: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let email = match arguments.email {
        Some(email) => email,
        None if suitedash::is_real() && !arguments.dry_run => {
            return Err("SUITEDASH_PUBLIC_ID is set: say with --email who it is".into());
        }
        None => "jane.roe@example.com".to_owned(),
    };
    let mut person = ContactInput::new().full_name(arguments.name).email(email);
    person.phone = arguments.phone;
    let mut form = LeadSubmission::new(person)
        .source(arguments.source)
        .message(arguments.message);
    form.status = arguments.status;

    let vendor = suitedash::connect().await?;
    if arguments.dry_run {
        output::print(&suitedash::try_out(&vendor.client, &form)?)?;
        return Ok(());
    }
    for _ in 0..arguments.times {
        output::print(&suitedash::send(&vendor.client, &form).await?)?;
    }
    if let Some(sandbox) = &vendor.sandbox {
        let control = sandbox.control();
        let text = format!(
            "at the simulated vendor: {} contact, {} calls, {} invitations mailed\n",
            control.contact_count(),
            control.calls_used(),
            control.welcome_mails().len()
        );
        output::print(&text)?;
    }
    Ok(())
}
