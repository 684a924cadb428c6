//! No secret and nothing of a person reaches a log line, a `Debug`, a `Display`, an error chain, the integration log or
//! the history; and no secret the store.
//!
//! In a process of its own, since tracing remembers for the whole process who listens to which line.

#![cfg(feature = "integrations")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests stand outside of test functions"
)]

#[expect(dead_code, reason = "the other tests use the rest of it")]
#[path = "integrations/acme.rs"]
mod acme;
#[path = "integrations/world.rs"]
mod world;

use std::error::Error;
use std::fmt::{Debug, Write as _};
use std::io;
use std::sync::{Arc, Mutex};

use integration_core::Scope;
use integration_core::http::CallResult;
use integration_core::instance::{Form, IntegrationError, IntegrationPatch, NewIntegration};
use integration_core::store::{IntegrationFilter, IntegrationStore, LogFilter, SealedStore};
use integration_core::template::NewTemplate;
use serde_json::json;
use tracing_subscriber::fmt::format::FmtSpan;

use acme::{AcmeClient, Config, KEY, Mood, OTHER_KEY, PERSON, Settings};
use world::{World, tenant, vault_of};

const SECOND: &str = "canary-second-secret";
const SECRETS: [&str; 4] = [KEY, OTHER_KEY, SECOND, "secret-of-wh"];
/// What people filled in, and whom the vendor knows.
const PERSONS: [&str; 5] = ["Canaria", "Vogel", "2025550143", "nest-street", PERSON];

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Everything that was shown, one way or another.
#[derive(Default)]
struct Shown(String);

impl Shown {
    fn debug<T: Debug>(&mut self, value: T) -> T {
        writeln!(self.0, "{value:?} {value:#?}").unwrap();
        value
    }

    fn error<T: Debug>(&mut self, result: Result<T, IntegrationError>) {
        let error = result.unwrap_err();
        let mut next: Option<&(dyn Error + 'static)> = Some(&error);
        while let Some(error) = next {
            writeln!(self.0, "{error} {error:?} {error:#?}").unwrap();
            next = error.source();
        }
    }
}

fn everything_to(sink: &Sink) -> impl tracing::Subscriber + Send + Sync + use<> {
    let writer = sink.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::FULL)
        .with_writer(move || writer.clone())
        .finish()
}

fn assert_unseen(place: &str, text: &str, canaries: &[&str]) {
    for canary in canaries {
        assert!(!text.contains(canary), "{canary} in {place}:\n{text}");
    }
}

fn new(key: &str) -> NewIntegration {
    NewIntegration::new(Config::new(key).second(SECOND).region("nest-street"))
        .name("Canaria's line")
        .description("Vogel calls here")
        .settings(Settings {
            line: Some("2025550143".to_owned()),
            ..Settings::default()
        })
}

fn form(values: serde_json::Value) -> Form {
    Form::new("acme", serde_json::from_value(values).unwrap())
}

#[expect(clippy::too_many_lines, reason = "every flow has its turn")]
#[tokio::test(start_paused = true)]
async fn no_canary_is_seen() {
    let sink = Sink::default();
    let _guard = tracing::subscriber::set_default(everything_to(&sink));
    let mut shown = Shown::default();
    let world = World::new().await;
    let it = shown.debug(world.integrations.clone());
    let tenant = &tenant();
    let all = Scope::Administrator;

    // What does not get in.
    let faulty = json!({ "api_key": "Vogel", "region": [PERSON], PERSON: KEY });
    let faulty = shown.debug(form(faulty));
    shown.error(it.save(tenant, faulty.clone()).await);
    shown.error(it.test_unsaved(tenant, faulty).await);
    shown.error(it.save(tenant, new(KEY).setting("log_calls", PERSON)).await);
    shown.error(it.save(tenant, new(KEY).settings("2025550143")).await);
    shown.error(
        it.save(tenant, form(json!({ "api_key": KEY, KEY: KEY })))
            .await,
    );

    // Tests of every kind.
    let accepted = shown.debug(new(KEY));
    shown.debug(it.test_unsaved(tenant, accepted).await.unwrap());
    let moods = [401, 403, 404, 409, 422, 429, 500, 503].map(Mood::Answers);
    for mood in moods.into_iter().chain([Mood::Unreachable, Mood::Hangs]) {
        world.acme.mood(mood);
        let test = it.test_unsaved(tenant, new(KEY)).await.unwrap();
        assert!(!test.success);
        shown.debug(test);
    }
    world.acme.mood(Mood::Well);

    // A life.
    let id = it.save(tenant, new(KEY)).await.unwrap();
    let view = shown.debug(it.get(tenant, id).await.unwrap());
    assert_unseen("the view", &serde_json::to_string(&view).unwrap(), &SECRETS);
    for mood in moods {
        world.acme.mood_for_webhooks(mood);
        shown.error(it.enable(tenant, id).await);
    }
    world.acme.mood_for_webhooks(Mood::Well);
    let enabled = shown.debug(it.enable(tenant, id).await.unwrap());
    let client = it.active_client::<AcmeClient>(tenant, id).await.unwrap();
    shown.debug(&client).client.account().await.unwrap();
    shown.debug(it.endpoint(&all, enabled.endpoints[0].id).await.unwrap());
    let patch = IntegrationPatch::new()
        .name("Canaria's other line")
        .form(form(
            json!({ "api_key": OTHER_KEY, "second": SECOND, "region": "nest-street 2" }),
        ))
        .setting("line", "2025550143");
    let patch = shown.debug(patch);
    shown.debug(it.update(tenant, id, patch).await.unwrap());
    let wrong = IntegrationPatch::new().readable("region", json!({ "Vogel": PERSON }));
    shown.error(it.test_update(tenant, id, wrong.clone()).await);
    shown.error(it.update(tenant, id, wrong).await);
    let wrong = IntegrationPatch::new().description(format!("{PERSON}\0"));
    shown.error(it.update(tenant, id, wrong).await);
    for mood in [Mood::Well, Mood::Answers(401), Mood::Answers(500)] {
        world.acme.mood(mood);
        let retyped = IntegrationPatch::new().secret("api_key", KEY);
        shown.debug(it.test_update(tenant, id, retyped).await.unwrap());
    }
    for mood in moods {
        world.acme.mood(mood);
        shown.debug(it.test_connection(tenant, id).await.unwrap());
        shown.debug(it.get(tenant, id).await.unwrap());
    }
    world.acme.mood(Mood::Well);
    shown.debug(it.test_connection(tenant, id).await.unwrap());
    let failed = CallResult::Failed {
        message: "Timed out.".to_owned(),
        retry_after: None,
    };
    it.report(tenant, id, client.credentials, failed)
        .await
        .unwrap();
    shown.error(it.active_client::<String>(tenant, id).await);
    let elsewhere = world.another_process(vault_of('9')).await;
    shown.error(elsewhere.client::<AcmeClient>(tenant, id).await);
    shown.error(elsewhere.test_connection(tenant, id).await);
    shown.error(
        it.create_template(tenant, NewTemplate::new("x", PERSON, "crm"))
            .await,
    );
    shown.error(
        it.create_template(&all, NewTemplate::new(PERSON, "", "crm"))
            .await,
    );

    // What is kept.
    it.close().await;
    let logs = it
        .logs(tenant, LogFilter::new().limit(1_000))
        .await
        .unwrap();
    assert!(logs.len() > 40, "{}", logs.len());
    for entry in &logs {
        let text = serde_json::to_string(entry).unwrap();
        assert_unseen("the log", &text, &SECRETS);
        assert_unseen("the log", &text, &PERSONS);
    }
    let history = it.history(tenant, id, 100).await.unwrap();
    let text = serde_json::to_string(&history).unwrap();
    assert_unseen("the history", &text, &SECRETS);
    assert_unseen("the history", &text, &PERSONS);
    for row in world
        .store
        .integrations(&all, &IntegrationFilter::new())
        .await
        .unwrap()
    {
        shown.debug(&row);
        shown.debug(&row.config);
        shown.debug(&row.endpoints);
        let text = format!(
            "{:?} {:?} {:?} {:?} {:?}",
            row.config.readable, row.config.hints, row.settings, row.endpoints, row.last_test_data,
        );
        assert_unseen("the row", &text, &SECRETS);
    }
    for value in world.store.sealed_values(None, 100).await.unwrap() {
        assert_unseen("the store", &value.value, &SECRETS);
        shown.debug(value);
    }

    // The end.
    shown.debug(it.revoked(tenant, id).await.unwrap());
    shown.error(it.client::<AcmeClient>(tenant, id).await);
    shown.debug(it.delete(tenant, id).await.unwrap());
    shown.error(it.get(tenant, id).await);

    let lines = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    assert!(
        lines.contains("api.call"),
        "nothing was listened to:\n{lines}"
    );
    // The other process has the wrong key, and says so as it starts.
    assert!(
        lines.contains("stored credentials do not open"),
        "the start was silent:\n{lines}"
    );
    for (place, text) in [("the lines", &lines), ("what was shown", &shown.0)] {
        assert_unseen(place, text, &SECRETS);
        assert_unseen(place, text, &PERSONS);
    }
}
