//! Tests the connection, makes a contact, changes it, finds it again and sends a text.
//!
//! `cargo run -p openphone-client --example quickstart` talks to a simulated vendor inside this
//! process. With `OPENPHONE_API_KEY` set it talks to the real one, and only reads.

#![expect(clippy::print_stdout, reason = "a program to be run and read")]

use openphone_client::{
    Client, ContactChanges, Error, ListPhoneNumbers, NewContact, NewMessage, OpenPhoneErrorCode,
    ScanFor,
};
use vendor_sandbox::Sandbox;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::var_os("OPENPHONE_API_KEY").is_some() {
        read_only(&Client::from_env()?).await?;
        return Ok(());
    }
    let sandbox = Sandbox::openphone().start().await?;
    let client = Client::builder()
        .api_key(sandbox.api_key())
        .base_url(sandbox.base_url())
        .build()?;
    read_only(&client).await?;
    write(&client).await?;
    Ok(())
}

async fn read_only(client: &Client) -> Result<(), Error> {
    let found = client.test_connection().await?;
    println!("connected: {} phone numbers", found.phone_numbers);
    for number in client
        .phone_numbers()
        .list(&ListPhoneNumbers::new())
        .await?
    {
        println!("  {} with {} users", number.id, number.users.len());
    }
    Ok(())
}

async fn write(client: &Client) -> Result<(), Error> {
    let ana = NewContact::new("Ana")
        .email("work", "ana@example.com")
        .external_id("user-42");
    let contact = client.contacts().create(&ana).await?;
    println!("made contact {}", contact.id);

    let changes = ContactChanges::new()
        .add_phone_number("mobile", "+12025550143")
        .role("Sales");
    let merged = client
        .contacts()
        .update_merged(&contact.id, &changes)
        .await?;
    println!(
        "changed {:?}; the e-mail address is still there",
        merged.changed
    );

    let by_id = client.contacts().find_by_external_id("user-42").await?;
    println!("found {} by our own id, in one request", by_id.len());
    let by_phone = client
        .contacts()
        .scan(ScanFor::new().phone("(202) 555-0143"))
        .first()
        .await?;
    println!(
        "found by phone: {}, by reading everybody",
        by_phone.is_some()
    );

    let numbers = client
        .phone_numbers()
        .list(&ListPhoneNumbers::new())
        .await?;
    let Some(number) = numbers.first() else {
        return Ok(());
    };
    let text = NewMessage::new(&number.id, "+12025550143", "Your table is ready.");
    println!("a text of {} segment(s)", text.segments().count);
    match client.messages().send(&text).await {
        Ok(message) => println!("{} is {}", message.id, message.status.as_str()),
        Err(error) => println!(
            "{error}: delivery {:?}, meaning {:?}",
            error.delivery(),
            OpenPhoneErrorCode::of(&error)
        ),
    }
    Ok(())
}
