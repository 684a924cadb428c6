//! What a tenant sees and fills in.

use integration_core::instance::{ConfigValue, Vendor, VendorConfig};
use integration_core::template::ConfigSchema;
use rstest::rstest;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use suitedash_client::integration::{
    CallOrder, Config, Messages, Mode, NewRole, Plan, Settings, SuiteDash,
};

const ID: &str = "00000000-0000-4000-8000-000000000001";
const KEY: &str = "c4nary-0123456789abcdef";

fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

#[test]
fn schema_and_form_of_the_config() {
    let schema = ConfigSchema::of::<Config>().unwrap();
    insta::assert_snapshot!(pretty(schema.as_value()));
    insta::assert_snapshot!(pretty(&schema.form_fields()));
    assert_eq!(schema.sealed_fields().collect::<Vec<_>>(), ["secret_key"]);
}

#[test]
fn schema_and_form_of_the_settings() {
    let schema = ConfigSchema::of_settings::<Settings>().unwrap();
    insta::assert_snapshot!(pretty(schema.as_value()));
    insta::assert_snapshot!(pretty(&schema.form_fields()));
}

/// What is stored without a field, what a form leaves empty, and what the type defaults to are the same.
#[test]
fn settings_have_one_set_of_defaults() {
    let schema = ConfigSchema::of_settings::<Settings>().unwrap();
    let defaults = Value::Object(schema.defaults());
    schema.validate(&defaults).unwrap();
    schema.validate(&json!({})).unwrap();
    for stored in [defaults, json!({})] {
        let read: Settings = serde_json::from_value(stored).unwrap();
        assert_eq!(read, Settings::default());
    }
    let full = Settings::new()
        .source("website")
        .tags(["fair"])
        .role(NewRole::Client)
        .name_placeholder("?")
        .messages(Messages::NewContacts)
        .keep_existing(true)
        .call_order(CallOrder::ReadFirst)
        .send_welcome_email(true)
        .is_default(true)
        .contact_fields(
            json!({"fields": {"company": null}})
                .as_object()
                .unwrap()
                .clone(),
        );
    for settings in [Settings::default(), full] {
        let written = serde_json::to_value(&settings).unwrap();
        schema.validate(&written).unwrap();
        assert_eq!(
            serde_json::from_value::<Settings>(written).unwrap(),
            settings
        );
    }
}

#[rstest]
#[case(json!({}))]
#[case(json!({"fields": {}, "constants": {}}))]
#[case(json!({"fields": {"notes": "custom:Remarks", "attribute:plan": "zip", "company": null}}))]
#[case(json!({"constants": {"tags": "fair,vip", "custom:Lead Source": "shop"}}))]
fn a_field_map_that_can_be_one_is_taken(#[case] map: Value) {
    let schema = ConfigSchema::of_settings::<Settings>().unwrap();
    schema.validate(&json!({ "contact_fields": map })).unwrap();
}

#[rstest]
#[case(json!([]))]
#[case(json!("custom:Remarks"))]
#[case(json!({"feilds": {}}))]
#[case(json!({"fields": {"e-mail": "email"}}))]
#[case(json!({"fields": {"attribute:": "email"}}))]
#[case(json!({"fields": {"notes": "c4nary"}}))]
#[case(json!({"fields": {"notes": "custom:"}}))]
#[case(json!({"fields": {"notes": "custom: "}}))]
#[case(json!({"fields": {"notes": "role"}}))]
#[case(json!({"fields": {"notes": ["email"]}}))]
#[case(json!({"constants": {"notes": "c4nary"}}))]
#[case(json!({"constants": {"tags": ["c4nary"]}}))]
#[case(json!({"constants": {"tags": null}}))]
fn a_slip_of_the_pen_in_a_field_map_is_refused(#[case] map: Value) {
    let schema = ConfigSchema::of_settings::<Settings>().unwrap();
    let refused = schema.validate(&json!({ "contact_fields": map }));
    let error = refused.unwrap_err();
    assert!(error.of_field("contact_fields").next().is_some(), "{error}");
    assert!(!error.to_string().contains("c4nary"), "{error}");
}

#[test]
fn a_config_comes_apart_under_the_names_of_its_schema() {
    let values = Config::api(ID, KEY).plan(Plan::FreeTrial).into_values();
    let fields: Vec<_> = values.iter().map(|(name, _)| name).collect();
    assert_eq!(fields, ["mode", "plan", "public_id", "secret_key"]);
    let readable = |field| match values.get(field) {
        Some(ConfigValue::Readable(value)) => value.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(readable("mode"), "api");
    assert_eq!(readable("plan"), "free_trial");
    match values.get("secret_key").unwrap() {
        ConfigValue::Secret(key) => assert_eq!(key.expose_secret(), KEY),
        other => panic!("{other:?}"),
    }
    let shown = format!("{:?} {values:?}", Config::api(ID, KEY));
    assert!(!shown.contains(KEY), "{shown}");

    let import = Config::import().into_values();
    assert_eq!(
        import.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        ["mode"]
    );
    let read: Config = serde_json::from_value(json!({})).unwrap();
    assert_eq!(read.mode, Mode::Api);
    for plan in [Plan::FreeTrial, Plan::Start, Plan::Thrive, Plan::Pinnacle] {
        let Some(ConfigValue::Readable(name)) = Config::import()
            .plan(plan)
            .into_values()
            .get("plan")
            .cloned()
        else {
            panic!("{plan:?}")
        };
        assert_eq!(serde_json::from_value::<Plan>(name).unwrap(), plan);
    }
}

#[rstest]
#[case(json!({"mode": "csv"}), "Mode")]
#[case(json!({"secret_key": format!("{KEY} ")}), "Secret key")]
#[case(json!({"public_id": "two words"}), "Public ID")]
#[case(json!({"plan": "gold"}), "Plan")]
#[case(json!({"base_url": "http://169.254.0.1"}), "base_url")]
#[case(json!({"export_directory": "/etc"}), "export_directory")]
fn a_config_that_cannot_be_one_is_refused(#[case] config: Value, #[case] named: &str) {
    let schema = ConfigSchema::of::<Config>().unwrap();
    let refused = schema.validate(&config).unwrap_err().to_string();
    assert!(refused.contains(named), "{refused}");
    assert!(
        !refused.contains(KEY) && !refused.contains("169"),
        "{refused}"
    );
}

#[rstest]
#[case(json!({"mode": "import"}))]
#[case(json!({"mode": "api", "public_id": ID, "secret_key": KEY, "plan": "thrive"}))]
fn a_config_that_can_be_one_is_taken(#[case] config: Value) {
    ConfigSchema::of::<Config>()
        .unwrap()
        .validate(&config)
        .unwrap();
}

#[test]
fn the_template_says_how_to_set_it_up() {
    let template = SuiteDash::new().template();
    assert_eq!(
        (template.name.as_str(), template.display_name.as_str()),
        ("suitedash", "SuiteDash")
    );
    assert_eq!(template.category, "crm");
    assert!(template.is_active && !template.description.is_empty());
    for said in [
        "Integrations > Secure API",
        "admin or super admin",
        "`$2y$`",
        "one call of the month",
        "Import",
        "off, unless",
    ] {
        assert!(template.setup_instructions.contains(said), "{said}");
    }
}
