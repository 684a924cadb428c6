//! Templates: read by all, written by administrators, with or without code behind them.

use integration_core::Scope;
use integration_core::instance::{
    ConfigField, Form, IntegrationError, IntegrationPatch, NewIntegration,
};
use integration_core::store::{IntegrationFilter, IntegrationStore, TemplateStore};
use integration_core::template::{NewTemplate, TemplatePatch};
use integration_core::vault::SealContext;
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use crate::acme::{Acme, AcmeClient, Config, KEY};
use crate::world::{World, builder, tenant, vault};

const ALL: Scope = Scope::Administrator;

fn crm() -> NewTemplate {
    NewTemplate::new("own_crm", "Own CRM", "crm").config_schema(json!({
        "type": "object",
        "properties": {
            "token": { "type": "string", "minLength": 6, "x-sealed": true, "format": "password" },
            "site": { "type": "string" },
        },
        "required": ["token"],
    }))
}

fn form(values: Value) -> Form {
    let values: Map<String, Value> = serde_json::from_value(values).unwrap();
    Form::new("own_crm", values)
}

#[tokio::test(start_paused = true)]
async fn a_tenant_is_told_how_many_of_its_own_use_a_template() {
    let world = World::new().await;
    let it = &world.integrations;
    for owner in [tenant(), tenant(), "somebody-else".into()] {
        let config = Config::new(KEY);
        it.save(owner, config).await.unwrap();
    }
    for (scope, users) in [(tenant().into(), 2), (ALL, 3)] {
        let all = it.templates(scope).await.unwrap();
        assert_eq!(all[0].template.name, "acme");
        assert_eq!(all[0].integrations, users);
    }
}

#[tokio::test(start_paused = true)]
async fn those_of_the_vendors_are_there_from_the_start() {
    let world = World::new().await;
    let all = world.integrations.templates(tenant()).await.unwrap();
    let all: Vec<_> = all
        .iter()
        .map(|it| {
            (
                it.template.name.as_str(),
                it.template.is_active,
                it.integrations,
            )
        })
        .collect();
    assert_eq!(
        all,
        [
            ("acme", true, 0),
            ("facebook_ads", false, 0),
            ("google_analytics", false, 0)
        ]
    );
    let acme = world
        .integrations
        .template_named(tenant(), "acme")
        .await
        .unwrap();
    assert_eq!(
        acme.config_schema["properties"]["api_key"]["x-sealed"],
        json!(true)
    );
    assert_eq!(
        acme.settings_schema["properties"]["log_calls"]["default"],
        json!(true)
    );

    let inactive = Form::new("facebook_ads", Map::new());
    let refused = world.integrations.save(tenant(), inactive.clone()).await;
    assert!(matches!(
        refused,
        Err(IntegrationError::TemplateInactive { .. })
    ));
    let refused = world.integrations.test_unsaved(tenant(), inactive).await;
    assert!(matches!(
        refused,
        Err(IntegrationError::TemplateInactive { .. })
    ));
    let unknown = world
        .integrations
        .save(tenant(), Form::new("nobody", Map::new()))
        .await;
    assert!(matches!(
        unknown,
        Err(IntegrationError::UnknownVendor { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn a_restart_keeps_words_and_brings_schemas_up_to_date() {
    let world = World::new().await;
    let acme = world
        .integrations
        .template_named(ALL, "acme")
        .await
        .unwrap();
    let words = TemplatePatch::new().display_name("Our phone").active(false);
    world
        .integrations
        .update_template(ALL, acme.id, words)
        .await
        .unwrap();
    let mut older = world.store.template(acme.id).await.unwrap().unwrap();
    let read = older.updated_at;
    older.config_schema["properties"]["region"]["title"] = json!("an older title");
    world.store.update_template(&older, read).await.unwrap();

    let restarted = world.another_process(vault()).await;
    let now = restarted.template_named(ALL, "acme").await.unwrap();
    assert_eq!(
        (now.id, now.display_name.as_str(), now.is_active),
        (acme.id, "Our phone", false)
    );
    assert_eq!(now.config_schema, acme.config_schema);

    let derived = TemplatePatch::new().config_schema(json!({ "type": "object" }));
    let refused = restarted.update_template(ALL, acme.id, derived).await;
    assert!(
        matches!(
            refused,
            Err(IntegrationError::DerivedSchema { .. } | IntegrationError::InvalidTemplate(_))
        ),
        "{refused:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn two_vendors_of_one_name_are_refused() {
    let world = World::new().await;
    let twice = builder(&world.store, vault(), &world.acme)
        .vendor(Acme::new())
        .build()
        .await;
    assert!(matches!(
        twice,
        Err(IntegrationError::DuplicateVendor { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn a_template_is_made_used_changed_and_deleted() {
    let world = World::new().await;
    let it = &world.integrations;
    let made = it
        .acting("admin-1")
        .create_template(ALL, crm())
        .await
        .unwrap();
    assert_eq!(made.created_by.as_ref().unwrap().as_str(), "admin-1");
    let again = it.create_template(ALL, crm()).await;
    assert!(matches!(
        again,
        Err(IntegrationError::TemplateExists { .. })
    ));
    let invalid = crm().config_schema(json!({ "type": "no such type" }));
    let refused = it.create_template(ALL, invalid).await;
    assert!(matches!(refused, Err(IntegrationError::InvalidTemplate(_))));

    let faulty = it.save(tenant(), form(json!({ "token": "short" }))).await;
    assert!(matches!(faulty, Err(IntegrationError::InvalidConfig(_))));
    let values = json!({ "token": "a-long-enough-token", "site": "example.com" });
    let id = it.save(tenant(), form(values)).await.unwrap();
    let view = it.get(tenant(), id).await.unwrap();
    assert_eq!(
        view.config["site"],
        ConfigField::Readable(json!("example.com"))
    );
    let ConfigField::Secret { set, last_four, .. } = &view.config["token"] else {
        panic!("{view:?}");
    };
    assert_eq!((*set, last_four.as_deref()), (true, Some("oken")));
    assert_eq!(view.name, "Own CRM");

    // Nobody has written code for it.
    let no_vendor = |error: &IntegrationError| matches!(error, IntegrationError::NoVendor { .. });
    assert!(no_vendor(
        &it.test_connection(tenant(), id).await.unwrap_err()
    ));
    assert!(no_vendor(&it.enable(tenant(), id).await.unwrap_err()));
    assert!(no_vendor(
        &it.client::<AcmeClient>(tenant(), id).await.unwrap_err()
    ));
    let unsaved = it
        .test_unsaved(tenant(), form(json!({ "token": "long-enough" })))
        .await;
    assert!(no_vendor(&unsaved.unwrap_err()));
    let patch = IntegrationPatch::new().form(form(json!({ "site": "example.org", "token": "" })));
    it.update(tenant(), id, patch).await.unwrap();
    it.disable(tenant(), id).await.unwrap();

    let in_use = it.delete_template(ALL, made.id).await;
    assert!(matches!(
        in_use,
        Err(IntegrationError::TemplateInUse { count: 1 })
    ));
    let listed = it.templates(ALL).await.unwrap();
    let listed = listed.iter().find(|it| it.template.id == made.id).unwrap();
    assert_eq!(listed.integrations, 1);

    let renamed = TemplatePatch::new().display_name("Our CRM").active(false);
    let renamed = it.update_template(ALL, made.id, renamed).await.unwrap();
    assert_eq!(renamed.display_name, "Our CRM");
    assert!(renamed.updated_at > made.updated_at);
    let refused = it
        .save(tenant(), form(json!({ "token": "long-enough" })))
        .await;
    assert!(matches!(
        refused,
        Err(IntegrationError::TemplateInactive { .. })
    ));

    it.delete(tenant(), id).await.unwrap();
    it.delete_template(ALL, made.id).await.unwrap();
    for gone in [
        it.template(ALL, made.id).await.unwrap_err(),
        it.delete_template(ALL, made.id).await.unwrap_err(),
        it.update_template(ALL, made.id, TemplatePatch::new())
            .await
            .unwrap_err(),
    ] {
        assert_eq!(
            gone.to_string(),
            "there is no such template within this scope"
        );
    }
    assert!(
        it.list(ALL, IntegrationFilter::new())
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn a_config_of_another_vendor_changes_nothing() {
    let world = World::new().await;
    let id = world
        .integrations
        .save(tenant(), Config::new(KEY))
        .await
        .unwrap();
    world
        .integrations
        .create_template(ALL, crm())
        .await
        .unwrap();
    let patch = IntegrationPatch::new().form(form(json!({ "token": "long-enough" })));
    let refused = world.integrations.update(tenant(), id, patch).await;
    assert!(matches!(refused, Err(IntegrationError::InvalidConfig(_))));
}

#[tokio::test(start_paused = true)]
async fn a_change_follows_a_schema_that_has_changed() {
    let world = World::new().await;
    let it = &world.integrations;
    let schemas = |config: Value, settings: Value| {
        let schema = |fields: Value| json!({ "type": "object", "properties": fields });
        (schema(config), schema(settings))
    };
    let secret = json!({ "type": "string", "x-sealed": true, "format": "password" });
    let (config, settings) = schemas(
        json!({ "token": secret, "pin": { "type": "string" }, "old": secret, "site": { "type": "string" } }),
        json!({ "colour": { "type": "string" }, "old": { "type": "boolean" } }),
    );
    let words = NewTemplate::new("own_crm", "Own CRM", "crm");
    let words = words.config_schema(config).settings_schema(settings);
    let template = it.create_template(&ALL, words).await.unwrap();
    let filled_in = form(json!({
        "token": "a-long-enough-token", "pin": "canary-pin", "old": "canary-old", "site": "a",
    }));
    let new = NewIntegration::from(filled_in)
        .setting("colour", "red")
        .setting("old", true);
    let id = it.save(tenant(), new).await.unwrap();

    // What is gone, what has become a secret, and what is asked for now.
    let (mut config, settings) = schemas(
        json!({ "token": secret, "pin": secret, "site": { "type": "string" }, "zone": { "type": "string" } }),
        json!({ "colour": { "type": "string" } }),
    );
    config["required"] = json!(["zone"]);
    let patch = TemplatePatch::new()
        .config_schema(config)
        .settings_schema(settings);
    it.update_template(&ALL, template.id, patch).await.unwrap();
    let view = it.get(tenant(), id).await.unwrap();
    let shown = serde_json::to_string(&view).unwrap();
    assert!(!shown.contains("canary"), "{shown}");
    let stored = |world: &World| {
        let store = world.store.clone();
        async move { store.integration(&ALL, id).await.unwrap().unwrap() }
    };
    let before = stored(&world).await;

    let renamed = IntegrationPatch::new().name("Renamed");
    it.update(tenant(), id, renamed).await.unwrap();
    assert_eq!(stored(&world).await.config, before.config);
    let incomplete = IntegrationPatch::new().form(form(json!({ "site": "b" })));
    let refused = it.update(tenant(), id, incomplete).await.unwrap_err();
    let IntegrationError::InvalidConfig(errors) = &refused else {
        panic!("{refused:?}");
    };
    let pointers: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(pointers, ["/zone"]);
    let complete = form(json!({ "token": "", "pin": "", "zone": "z" }));
    let patch = IntegrationPatch::new()
        .form(complete)
        .setting("colour", "blue");
    let view = it.update(tenant(), id, patch).await.unwrap();
    assert_eq!(Value::Object(view.settings), json!({ "colour": "blue" }));
    let after = stored(&world).await;
    assert_eq!(
        Value::Object(after.config.readable),
        json!({ "site": "a", "zone": "z" })
    );
    let sealed: Vec<_> = after.config.sealed.keys().collect();
    assert_eq!(sealed, ["pin", "token"]);
    assert_eq!(after.config.sealed["token"], before.config.sealed["token"]);
    let context = SealContext::new(tenant().as_str(), &id.to_string(), "pin");
    let pin = vault().open(&context, &after.config.sealed["pin"]).unwrap();
    assert_eq!(pin.expose_secret(), "canary-pin");
}
