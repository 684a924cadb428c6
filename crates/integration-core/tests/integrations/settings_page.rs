//! What a settings page does, from the first test to the last goodbye.

use integration_core::instance::{
    ConfigField, Form, IntegrationError, IntegrationPatch, NewIntegration,
};
use integration_core::status::{ReasonCode, Status};
use integration_core::store::{IntegrationFilter, LogFilter, LogStatus};
use serde_json::{Map, Value, json};

use crate::acme::{AcmeClient, Config, KEY, Mood, OTHER_KEY, Settings};
use crate::world::{HOOKS, World, tenant};

fn form(values: Value) -> Form {
    let Value::Object(values) = values else {
        panic!("a form is a group of values");
    };
    Form::new("acme", values)
}

#[expect(clippy::too_many_lines, reason = "it is one visit to one page")]
#[tokio::test(start_paused = true)]
async fn test_save_choose_enable_break_mend_delete() {
    let world = World::new().await;
    let integrations = &world.integrations.acting("user-7");
    let tenant = &tenant();

    let refused = integrations
        .test_unsaved(tenant, Config::new("wrong-key-000"))
        .await;
    let refused = refused.unwrap();
    assert!(!refused.success);
    assert_eq!(
        refused.message,
        "Acme refused the credentials. Check them, and try again."
    );
    let passed = integrations
        .test_unsaved(tenant, Config::new(KEY))
        .await
        .unwrap();
    assert!(passed.success);
    assert_eq!(passed.data, Some(json!({ "lines": 3 })));

    let new = NewIntegration::new(Config::new(KEY).region("eu"))
        .name("Sales line")
        .settings(Settings {
            line: Some("line-1".to_owned()),
            ..Settings::default()
        });
    let id = integrations.save(tenant, new).await.unwrap();
    let saved = integrations.get(tenant, id).await.unwrap();
    assert_eq!(saved.status, Status::Pending);
    assert!(!saved.is_active && saved.last_test.is_none());
    assert_eq!(saved.name, "Sales line");
    assert_eq!(saved.source_ids, ["line-1"]);
    assert_eq!(
        saved
            .created_by
            .as_ref()
            .map(integration_core::Actor::as_str),
        Some("user-7")
    );
    assert_eq!(
        serde_json::to_value(&saved.config).unwrap(),
        json!({
            "api_key": { "set": true, "last_four": "6789" },
            "second": { "set": false, "last_four": null },
            "region": "eu",
        })
    );
    assert_eq!(
        Value::Object(saved.settings.clone()),
        json!({ "line": "line-1", "log_calls": true, "is_default": false })
    );

    let client = integrations.client::<AcmeClient>(tenant, id).await.unwrap();
    assert_eq!(client.account().await.unwrap(), "acct-7");

    let enabled = integrations.enable(tenant, id).await.unwrap();
    assert!(enabled.is_active);
    assert_eq!(enabled.status, Status::Active);
    assert_eq!(enabled.external_account_id.as_deref(), Some("acct-7"));
    let test = enabled.last_test.unwrap();
    assert!(test.result.success);
    assert_eq!(test.result.data, Some(json!({ "lines": 3 })));
    let endpoint = &enabled.endpoints[0];
    assert_eq!(endpoint.url, format!("{HOOKS}{}", endpoint.id));
    assert_eq!(world.acme.registered(), [endpoint.url.as_str()]);
    assert!(endpoint.webhooks[0].has_secret);
    integrations
        .active_client::<AcmeClient>(tenant, id)
        .await
        .unwrap();

    world.acme.revoke(KEY);
    let test = integrations.test_connection(tenant, id).await.unwrap();
    assert!(!test.success);
    let broken = integrations.get(tenant, id).await.unwrap();
    assert_eq!(broken.status, Status::Error);
    assert!(broken.needs_reauth && broken.is_active);
    assert_eq!(broken.reason, Some(ReasonCode::AuthRefused));
    assert_eq!(broken.error_message, Some(test.message));

    let patch = IntegrationPatch::new().form(form(json!({ "api_key": OTHER_KEY })));
    let mended = integrations.update(tenant, id, patch).await.unwrap();
    assert_eq!(mended.status, Status::Pending);
    assert!(
        integrations
            .test_connection(tenant, id)
            .await
            .unwrap()
            .success
    );
    let mended = integrations.get(tenant, id).await.unwrap();
    assert_eq!(mended.status, Status::Active);
    assert!(!mended.needs_reauth && mended.error_message.is_none());
    assert_eq!(world.acme.ever_registered(), 1);

    let disabled = integrations.disable(tenant, id).await.unwrap();
    assert_eq!(disabled.status, Status::Disconnected);
    assert!(!disabled.is_active);
    let refused = integrations.active_client::<AcmeClient>(tenant, id).await;
    let Err(IntegrationError::NotActive(why)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(why.to_string(), "the integration is disconnected");

    let history = integrations.history(tenant, id, 100).await.unwrap();
    let history: Vec<_> = history
        .iter()
        .rev()
        .map(|it| (it.event.as_str(), it.to))
        .collect();
    assert_eq!(
        history,
        [
            ("credentials_saved", Status::Pending),
            ("enable_requested", Status::Pending),
            ("test_passed", Status::Active),
            ("test_failed", Status::Error),
            ("credentials_saved", Status::Pending),
            ("test_passed", Status::Active),
            ("disabled", Status::Disconnected),
        ]
    );

    let removal = integrations.delete(tenant, id).await.unwrap();
    assert_eq!(removal.removed, ["wh-1"]);
    assert!(removal.left.is_empty() && world.acme.registered().is_empty());
    let gone = integrations.get(tenant, id).await;
    assert!(matches!(gone, Err(IntegrationError::NotFound { .. })));

    integrations.close().await;
    let logs = integrations
        .logs(tenant, LogFilter::new().provider("acme"))
        .await
        .unwrap();
    let failed: Vec<_> = logs
        .iter()
        .filter(|entry| entry.status == LogStatus::Failed)
        .map(|entry| (entry.action.as_str(), entry.http_status))
        .collect();
    assert_eq!(
        failed
            .iter()
            .filter(|(action, _)| *action == "connection.test")
            .count(),
        2,
        "{failed:?}"
    );
    assert!(failed.contains(&("account.get", Some(401))), "{failed:?}");
    let mut changes = logs.iter().filter(|entry| entry.action == "status.changed");
    assert!(changes.clone().count() > 3);
    assert!(changes.all(|entry| {
        let payload = entry.payload.as_ref().unwrap();
        let failed = entry.status == LogStatus::Failed;
        failed == (payload["to"] == "error") && failed == entry.error_message.is_some()
    }));
    assert!(logs.iter().all(|entry| entry.integration.is_none()));
}

#[tokio::test(start_paused = true)]
async fn every_fault_of_a_form_is_told_and_no_value() {
    let world = World::new().await;
    let faulty = form(json!({ "api_key": "canary", "region": 7, "colour": "canary" }));
    let refused = world
        .integrations
        .save(&tenant(), faulty)
        .await
        .unwrap_err();
    let IntegrationError::InvalidConfig(errors) = &refused else {
        panic!("{refused:?}");
    };
    let pointers: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(pointers, ["/api_key", "/region", "/colour"]);
    assert!(!format!("{refused} {refused:?} {errors}").contains("canary"));
    let listed = world
        .integrations
        .list(&tenant(), IntegrationFilter::new())
        .await;
    assert!(listed.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_vendor_that_hangs_is_cut_off() {
    let world = World::new().await;
    let (integrations, tenant) = (&world.integrations, &tenant());
    let id = integrations.save(tenant, Config::new(KEY)).await.unwrap();
    world.acme.mood(Mood::Hangs);
    let start = tokio::time::Instant::now();
    let test = integrations.test_connection(tenant, id).await.unwrap();
    assert!(!test.success);
    assert_eq!(start.elapsed().as_secs(), 15);
    assert_eq!(
        test.message,
        "Acme did not answer in time. Try again later."
    );
    let row = integrations.get(tenant, id).await.unwrap();
    assert_eq!(row.status, Status::Error);
    assert_eq!(row.reason, Some(ReasonCode::TestFailed));
}

#[tokio::test(start_paused = true)]
async fn settings_merge_and_the_default_is_one() {
    let world = World::new().await;
    let (integrations, tenant) = (&world.integrations, &tenant());
    let new = || NewIntegration::new(Config::new(KEY)).setting("is_default", true);
    let first = integrations.save(tenant, new()).await.unwrap();
    let second = integrations.save(tenant, new()).await.unwrap();
    let first = integrations.get(tenant, first).await.unwrap();
    assert!(!first.is_default);
    assert_eq!(first.settings["is_default"], json!(false));
    let patch = IntegrationPatch::new().setting("line", "line-9");
    let second = integrations.update(tenant, second, patch).await.unwrap();
    assert!(second.is_default);
    assert_eq!(second.source_ids, ["line-9"]);
    let settings: Settings = second.settings_as().unwrap();
    assert_eq!(settings.line.as_deref(), Some("line-9"));
    assert!(settings.log_calls);
    let found = integrations
        .find_by_source(tenant, "acme", "line-9")
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    let wrong = IntegrationPatch::new().setting("log_calls", "perhaps");
    let refused = integrations.update(tenant, second.id, wrong).await;
    assert!(matches!(refused, Err(IntegrationError::InvalidSettings(_))));
}

#[tokio::test(start_paused = true)]
async fn the_log_names_what_an_update_changed() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it
        .save(tenant(), Config::new(KEY).region("eu"))
        .await
        .unwrap();
    let patch = IntegrationPatch::new()
        .name("Front desk")
        .config(Config::new(KEY).region("us"))
        .setting("log_calls", false)
        .setting("is_default", false);
    it.update(tenant(), id, patch).await.unwrap();
    let patch = IntegrationPatch::new().config(Config::new(OTHER_KEY).region("us"));
    it.update(tenant(), id, patch).await.unwrap();
    let logs = it.logs(tenant(), LogFilter::new()).await.unwrap();
    let updated: Vec<_> = logs
        .iter()
        .rev()
        .filter(|entry| entry.action == "integration.updated")
        .map(|entry| entry.payload.clone().unwrap())
        .collect();
    assert_eq!(
        updated,
        [
            json!({
                "changed": ["name"], "config": ["region"], "settings": ["log_calls"], "credentials": 2
            }),
            json!({ "changed": [], "config": ["api_key"], "settings": [], "credentials": 3 }),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn every_fault_of_the_settings_is_said() {
    let world = World::new().await;
    let it = &world.integrations;
    let id = it.save(tenant(), Config::new(KEY)).await.unwrap();
    let wrong = IntegrationPatch::new()
        .setting("line", 7)
        .setting("log_calls", "perhaps");
    let refused = it.update(tenant(), id, wrong).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the settings are not valid: Line must be text; Log calls must be true or false"
    );
}

#[tokio::test(start_paused = true)]
async fn an_update_seals_only_what_changed() {
    let world = World::new().await;
    let (integrations, tenant) = (&world.integrations, &tenant());
    let config = Config::new(KEY).second("second-secret").region("eu");
    let id = integrations.save(tenant, config).await.unwrap();
    let stored = |world: &World| {
        let store = world.store.clone();
        async move {
            use integration_core::store::IntegrationStore;
            let scope = integration_core::Scope::Administrator;
            store.integration(&scope, id).await.unwrap().unwrap()
        }
    };
    let before = stored(&world).await;

    // The page sends back what it was shown.
    let untouched = form(json!({
        "api_key": "••••••••6789", "second": "", "region": "eu",
    }));
    let patch = IntegrationPatch::new().name("New name").form(untouched);
    integrations.update(tenant, id, patch).await.unwrap();
    let after = stored(&world).await;
    assert_eq!(after.config, before.config);
    assert_eq!(after.state.credentials, before.state.credentials);

    // The same secrets, typed again.
    let config = Config::new(KEY).second("second-secret").region("us");
    let patch = IntegrationPatch::new().config(config);
    integrations.update(tenant, id, patch).await.unwrap();
    let after = stored(&world).await;
    assert_eq!(after.config.sealed, before.config.sealed);
    assert_eq!(after.config.readable["region"], "us");
    assert!(after.state.credentials > before.state.credentials);

    let patch = IntegrationPatch::new().form(form(json!({ "second": null, "api_key": OTHER_KEY })));
    let view = integrations.update(tenant, id, patch).await.unwrap();
    let after = stored(&world).await;
    assert_ne!(
        after.config.sealed["api_key"],
        before.config.sealed["api_key"]
    );
    assert!(!after.config.sealed.contains_key("second"));
    assert!(matches!(
        view.config["second"],
        ConfigField::Secret { set: false, .. }
    ));

    let patch = IntegrationPatch::new().clear("api_key");
    let refused = integrations.update(tenant, id, patch).await;
    assert!(matches!(refused, Err(IntegrationError::InvalidConfig(_))));
    assert_eq!(stored(&world).await, after);
    let _: Map<String, Value> = view.settings;
}

#[tokio::test(start_paused = true)]
async fn what_is_edited_is_tested_before_it_is_saved() {
    let world = World::new().await;
    let (it, tenant) = (&world.integrations, &tenant());
    let id = it.save(tenant, Config::new(KEY)).await.unwrap();
    let before = it.enable(tenant, id).await.unwrap();
    let history = it.history(tenant, id, 100).await.unwrap();

    // The secret stays where the form leaves it empty.
    let edited = |values| IntegrationPatch::new().form(form(values));
    let kept = edited(json!({ "api_key": "", "region": "eu" }));
    assert!(it.test_update(tenant, id, kept).await.unwrap().success);
    let typed = edited(json!({ "api_key": "a-wrong-key", "region": "eu" }));
    let refused = it.test_update(tenant, id, typed).await.unwrap();
    assert!(!refused.success);
    let nowhere = edited(json!({ "region": "nowhere" }));
    let refused = it.test_update(tenant, id, nowhere).await.unwrap();
    assert!(refused.message.contains("no such region"), "{refused:?}");
    let wrong = edited(json!({ "api_key": "short" })).setting("log_calls", true);
    let refused = it.test_update(tenant, id, wrong).await;
    assert!(matches!(refused, Err(IntegrationError::InvalidConfig(_))));
    let wrong = IntegrationPatch::new().setting("log_calls", 7);
    let refused = it.test_update(tenant, id, wrong).await;
    assert!(matches!(refused, Err(IntegrationError::InvalidSettings(_))));
    let requests = world.acme.requests();
    assert_eq!(requests[requests.len() - 2..], [KEY, "a-wrong-key"]);

    assert_eq!(it.get(tenant, id).await.unwrap(), before);
    assert_eq!(it.history(tenant, id, 100).await.unwrap(), history);
    let logs = it.logs(tenant, LogFilter::new().integration(id)).await;
    let logs = logs.unwrap();
    let tried = logs
        .iter()
        .filter(|it| it.payload == Some(json!({ "saved": false })));
    assert_eq!(tried.count(), 3);

    it.revoked(tenant, id).await.unwrap();
    let gone = it.test_update(tenant, id, IntegrationPatch::new()).await;
    assert!(matches!(gone, Err(IntegrationError::NoCredentials)));
    let again = IntegrationPatch::new().config(Config::new(KEY));
    assert!(it.test_update(tenant, id, again).await.unwrap().success);
}

#[tokio::test(start_paused = true)]
async fn what_no_database_keeps_does_not_get_in() {
    let world = World::new().await;
    let (it, tenant) = (&world.integrations, &tenant());
    let new = || NewIntegration::new(Config::new(KEY));
    let huge = "x".repeat(10 << 20);
    for text in ["acme-key\0-0123", huge.as_str()] {
        for config in [
            Config::new(text),
            Config::new(KEY).second(text),
            Config::new(KEY).region(text),
        ] {
            let refused = it.save(tenant, config).await;
            assert!(matches!(refused, Err(IntegrationError::InvalidConfig(_))));
        }
        let refused = it.save(tenant, new().setting("line", text)).await;
        assert!(matches!(refused, Err(IntegrationError::InvalidSettings(_))));
        let refused = it.save(tenant, new().name(text)).await;
        assert!(matches!(refused, Err(IntegrationError::InvalidName)));
        let refused = it.save(tenant, new().description(text)).await;
        assert!(matches!(refused, Err(IntegrationError::InvalidDescription)));
    }
    let refused = it.save(tenant, Form::new("ac\0me", Map::new())).await;
    assert!(matches!(
        refused,
        Err(IntegrationError::UnknownVendor { .. })
    ));
    let id = it.save(tenant, new()).await.unwrap();
    let patch = IntegrationPatch::new().description("\0");
    let refused = it.update(tenant, id, patch).await;
    assert!(matches!(refused, Err(IntegrationError::InvalidDescription)));
}

#[tokio::test(start_paused = true)]
async fn too_many_calls_alone_never_lead_to_error() {
    let world = World::new().await;
    let (integrations, tenant) = (&world.integrations, &tenant());
    let id = integrations.save(tenant, Config::new(KEY)).await.unwrap();
    world.acme.mood(Mood::Answers(429));
    let test = integrations.test_connection(tenant, id).await.unwrap();
    assert!(!test.success && test.message.starts_with("Acme has had too many calls."));
    let row = integrations.get(tenant, id).await.unwrap();
    assert_eq!(row.status, Status::Pending);
    assert!(!row.last_test.unwrap().result.success);
}

#[tokio::test(start_paused = true)]
async fn old_log_entries_are_swept() {
    let world = World::new().await;
    let (integrations, tenant) = (&world.integrations, &tenant());
    let id = integrations.save(tenant, Config::new(KEY)).await.unwrap();
    let all = integration_core::Scope::Administrator;
    let saved = integrations.logs(tenant, LogFilter::new()).await.unwrap();
    connector_http::Timer::sleep(
        &connector_http::TokioTimer,
        std::time::Duration::from_hours(24),
    )
    .await;
    integrations.disable(tenant, id).await.unwrap();
    let before = saved[0].created_at + chrono::TimeDelta::hours(1);
    let deleted = integrations.sweep_logs(&all, before).await.unwrap();
    assert_eq!(deleted, saved.len() as u64);
    let left = integrations.logs(tenant, LogFilter::new()).await.unwrap();
    assert_eq!(left[0].action, "status.changed");
    assert_eq!(left.len(), 1);
}
