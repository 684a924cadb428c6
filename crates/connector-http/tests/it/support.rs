//! One client on a scripted transport, and the few things every test says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use connector_http::testing::{FakeTransport, Reply};
use connector_http::{
    Attempt, AttemptOutcome, Call, CallOutcome, Client, ClientBuilder, Delivery, Endpoint, Error,
    ErrorKind, Idempotency, Method, Observer,
};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

pub(crate) const READ: Endpoint = Endpoint::new("things.get", Method::Get, "/v1/things/{id}");
pub(crate) const CREATE: Endpoint = Endpoint::new("things.create", Method::Post, "/v1/things");
pub(crate) const KEYED: Endpoint = Endpoint::new("things.pay", Method::Post, "/v1/payments")
    .idempotency(Idempotency::WithKey {
        header: "idempotency-key",
    });

pub(crate) fn builder(fake: &FakeTransport) -> ClientBuilder {
    Client::builder("acme")
        .base_url("https://api.example.com")
        .transport(Arc::new(fake.clone()))
}

pub(crate) fn client(fake: &FakeTransport) -> Client {
    builder(fake).build().unwrap()
}

/// A transport that gives these replies in turn.
pub(crate) fn script(replies: impl IntoIterator<Item = Reply>) -> FakeTransport {
    let fake = FakeTransport::new();
    for reply in replies {
        fake.push(reply);
    }
    fake
}

pub(crate) fn ok() -> Reply {
    Reply::status(200).json("done")
}

pub(crate) fn read(client: &Client) -> Call<String> {
    client.request(&READ).path("id", "1").fetch()
}

pub(crate) fn create(client: &Client) -> Call<String> {
    client.request(&CREATE).json(&["a body"]).fetch()
}

pub(crate) fn pay(client: &Client) -> Call<String> {
    client.request(&KEYED).json(&["a body"]).fetch()
}

/// What decides about an error, in one line.
pub(crate) fn facts(error: &Error) -> (ErrorKind, Delivery, bool, u32) {
    (
        error.kind(),
        error.delivery(),
        error.is_retryable(),
        error.attempts(),
    )
}

/// Lets every other task run until it waits.
pub(crate) async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

/// An observer that writes down what it hears.
#[derive(Debug, Default)]
pub(crate) struct Diary(Mutex<Vec<String>>);

impl Diary {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Diary {
    fn on_attempt(&self, attempt: &Attempt<'_>) {
        let outcome = match attempt.outcome {
            AttemptOutcome::Succeeded => "ok".to_owned(),
            AttemptOutcome::Failed(error) => format!("{:?} {:?}", error.kind(), error.delivery()),
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(format!(
            "attempt {} of {} {}: {:?} {:?} in {:?}: {outcome}",
            attempt.number,
            attempt.vendor,
            attempt.operation,
            attempt.status,
            attempt.request_id,
            attempt.duration,
        ));
    }

    fn on_call(&self, call: &CallOutcome<'_>) {
        self.0.lock().unwrap().push(format!(
            "call {} {}: {} attempts, {:?} {:?}, in {:?}: {:?}",
            call.vendor,
            call.operation,
            call.attempts,
            call.status,
            call.request_id,
            call.duration,
            call.error.map(Error::kind),
        ));
    }
}
