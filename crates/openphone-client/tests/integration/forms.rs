//! What a tenant sees and fills in.

use integration_core::instance::{ConfigValue, Vendor, VendorConfig};
use integration_core::template::ConfigSchema;
use openphone_client::WebhookEvent;
use openphone_client::integration::{Config, OpenPhone, Settings};
use rstest::rstest;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

const KEY: &str = "c4nary0123456789abcdef0123456789";

fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

#[test]
fn schema_and_form_of_the_config() {
    let schema = ConfigSchema::of::<Config>().unwrap();
    insta::assert_snapshot!(pretty(schema.as_value()));
    insta::assert_snapshot!(pretty(&schema.form_fields()));
    assert_eq!(schema.sealed_fields().collect::<Vec<_>>(), ["api_key"]);
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
    let written = serde_json::to_value(Settings::default()).unwrap();
    schema.validate(&written).unwrap();
    let written = serde_json::to_value(full()).unwrap();
    schema.validate(&written).unwrap();
    assert_eq!(serde_json::from_value::<Settings>(written).unwrap(), full());
}

fn full() -> Settings {
    Settings::new()
        .phone_number_id("PNabc101")
        .display_name("Front desk")
        .auto_log_calls(true)
        .auto_log_call_summaries(true)
        .auto_log_messages(false)
        .sync_contacts(true)
        .is_default(true)
}

#[test]
fn a_config_comes_apart_under_the_names_of_its_schema() {
    let values = Config::new(KEY).into_values();
    let fields: Vec<_> = values.iter().map(|(name, _)| name).collect();
    assert_eq!(fields, ["api_key"]);
    match values.get("api_key").unwrap() {
        ConfigValue::Secret(key) => assert_eq!(key.expose_secret(), KEY),
        other => panic!("{other:?}"),
    }
    let config: Config = serde_json::from_value(json!({ "api_key": KEY })).unwrap();
    let shown = format!("{config:?} {values:?} {:?}", config.clone().into_values());
    assert!(!shown.contains(KEY), "{shown}");
    assert_eq!(Config::VENDOR, "openphone");
}

#[rstest]
#[case(json!({}), "API key")]
#[case(json!({"api_key": ""}), "API key")]
#[case(json!({"api_key": 7}), "API key")]
#[case(json!({"api_key": " "}), "API key")]
#[case(json!({"api_key": format!("{KEY}\n")}), "API key")]
#[case(json!({"api_key": format!("{KEY} ")}), "API key")]
#[case(json!({"api_key": format!("Bearer {KEY}")}), "API key")]
#[case(json!({"api_key": KEY, "base_url": "http://169.254.0.1"}), "base_url")]
fn a_config_that_cannot_be_one_is_refused(#[case] config: Value, #[case] named: &str) {
    let schema = ConfigSchema::of::<Config>().unwrap();
    let refused = schema.validate(&config).unwrap_err().to_string();
    assert!(refused.contains(named), "{refused}");
    assert!(
        !refused.contains(KEY) && !refused.contains("169"),
        "{refused}"
    );
}

#[test]
fn the_template_says_how_to_set_it_up() {
    let template = OpenPhone::new().template();
    assert_eq!(
        (template.name.as_str(), template.display_name.as_str()),
        ("openphone", "OpenPhone (Quo)")
    );
    assert_eq!(template.category, "phone");
    assert_eq!(template.api_version.as_deref(), Some("v1"));
    assert!(template.is_active && !template.description.is_empty());
    // Both schemas are derived by the one who seeds it.
    assert_eq!(
        (template.config_schema, template.settings_schema),
        (None, None)
    );
    let steps = template.setup_instructions;
    for said in [
        "owner or admin",
        "without `Bearer`",
        "workspace settings",
        "`PN`",
        "A2P 10DLC",
    ] {
        assert!(steps.contains(said), "{said}");
    }
}

const TEXTS: [WebhookEvent; 2] = [
    WebhookEvent::MessageReceived,
    WebhookEvent::MessageDelivered,
];
const CALLS: [WebhookEvent; 2] = [
    WebhookEvent::CallCompleted,
    WebhookEvent::CallRecordingCompleted,
];
const SUMMARIES: [WebhookEvent; 2] = [
    WebhookEvent::CallSummaryCompleted,
    WebhookEvent::CallTranscriptCompleted,
];

#[rstest]
#[case::default(Settings::new(), &[TEXTS, CALLS])]
#[case::calls(Settings::new().auto_log_messages(false), &[CALLS])]
#[case::texts(Settings::new().auto_log_calls(false), &[TEXTS])]
#[case::summaries(Settings::new().auto_log_messages(false).auto_log_call_summaries(true), &[CALLS, SUMMARIES])]
#[case::summaries_of_no_calls(Settings::new().auto_log_calls(false).auto_log_call_summaries(true), &[TEXTS])]
#[case::contacts(Settings::new().auto_log_calls(false).auto_log_messages(false).sync_contacts(true), &[])]
fn settings_say_which_events_are_wanted(
    #[case] settings: Settings,
    #[case] events: &[[WebhookEvent; 2]],
) {
    assert_eq!(settings.events(), events.concat());
    assert!(
        settings
            .events()
            .iter()
            .all(WebhookEvent::can_be_registered)
    );
}
