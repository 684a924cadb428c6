//! Sends one text message, and says whether it went out.
//!
//! ```console
//! $ cargo run --example send_sms
//! $ cargo run --example send_sms -- --lose-answer       # the simulated vendor sends it and the answer gets lost
//! $ OPENPHONE_API_KEY=… cargo run --example send_sms -- --to +12025550143 --text "Hello"
//! ```
#![expect(clippy::print_stdout, reason = "a program that prints what happened")]

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use examples::openphone;
use openphone_client::{
    Client, Delivery, Error, ListMessages, ListPhoneNumbers, NewMessage, OpenPhoneErrorCode,
    PhoneNumberId,
};
use vendor_sandbox::openphone::SEND_MESSAGE;
use vendor_sandbox::{Fault, FaultPlan};

#[derive(Parser)]
#[command(about = "Sends one text message, and says whether it went out")]
struct Arguments {
    /// The `PN…` id of your own number; the account's first number if not given
    #[arg(long)]
    from: Option<String>,
    /// Who gets it, in E.164 form; needed once a key is set
    #[arg(long)]
    to: Option<String>,
    /// What it says
    #[arg(long, default_value = "Your appointment is tomorrow at ten.")]
    text: String,
    /// Have the simulated vendor send the message and lose its answer
    #[arg(long)]
    lose_answer: bool,
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
    let to = match arguments.to {
        Some(to) => to,
        None if openphone::is_real() => {
            return Err(
                "OPENPHONE_API_KEY is set: say with --to who gets the text, it is sent and charged"
                    .into(),
            );
        }
        None => "+12025550143".to_owned(),
    };
    let faults = FaultPlan::none().next(SEND_MESSAGE, 1, Fault::ResetAfterEffect);
    let vendor =
        openphone::connect(arguments.lose_answer.then_some(faults), |client| client).await?;
    let client = &vendor.client;
    let from = match arguments.from {
        Some(id) => PhoneNumberId::from(id),
        None => first_number(client).await?,
    };

    let message = NewMessage::new(&from, to.as_str(), arguments.text.as_str());
    // A deadline of the call itself: an outer timeout would lose the error, and with it what happened.
    match client
        .messages()
        .send(&message)
        .deadline(Duration::from_secs(30))
        .await
    {
        Ok(sent) => println!(
            "accepted by the vendor as {}, status {}",
            sent.id, sent.status
        ),
        Err(error) => {
            println!("{}", what_happened(&error));
            if error.delivery() == Delivery::Unknown {
                println!("{}", look_it_up(client, from, &to, &arguments.text).await?);
            }
        }
    }
    Ok(())
}

async fn first_number(client: &Client) -> Result<PhoneNumberId, Box<dyn std::error::Error>> {
    let numbers = client
        .phone_numbers()
        .list(&ListPhoneNumbers::new())
        .await?;
    let first = numbers
        .into_iter()
        .next()
        .ok_or("this account has no phone number")?;
    Ok(first.id)
}

/// The sentence for the operator: did it go out, and what to do.
fn what_happened(error: &Error) -> String {
    let verdict = match error.delivery() {
        Delivery::NotSent => "it did not go out; sending again is safe",
        Delivery::Rejected => "the vendor refused it; nothing went out",
        Delivery::Succeeded => "it went out, but the answer cannot be read; do not send again",
        Delivery::Unknown => "it may have gone out; do not send again before looking it up",
    };
    let reason = match OpenPhoneErrorCode::of(error) {
        Some(code) => format!(" ({code:?})"),
        None => String::new(),
    };
    format!("{error}{reason}: {verdict}")
}

/// Looks for the message in its conversation.
async fn look_it_up(
    client: &Client,
    from: PhoneNumberId,
    to: &str,
    text: &str,
) -> Result<String, Error> {
    let mut messages = client
        .messages()
        .list(&ListMessages::new(from, [to]))
        .items();
    while let Some(message) = messages.next().await {
        let message = message?;
        if message.text == text {
            return Ok(format!(
                "found in the conversation as {}: it did go out",
                message.id
            ));
        }
    }
    Ok("not in the conversation, yet: look again in a minute before you send it again".to_owned())
}
