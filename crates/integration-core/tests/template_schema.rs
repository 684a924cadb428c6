//! What is derived from a config type: the schema, the form, byte for byte.

#![cfg(feature = "template")]
#![expect(dead_code, reason = "config types whose shape alone counts")]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; a panic is a failed test"
)]

use std::collections::BTreeMap;

use integration_core::template::{ConfigSchema, FormField, schema_of};
use rstest::rstest;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How to reach the dialler,
/// and what it may do.
///
/// Ask your administrator.
#[derive(Deserialize, JsonSchema)]
struct Rich {
    /// Found under Settings, API. It is shown
    /// there once.
    #[schemars(
        title = "API key",
        length(min = 8, max = 200),
        schema_with = "integration_core::template::sealed",
        extend("ui" = {"help": "Starts with op_."})
    )]
    api_key: SecretString,
    /// # Private key
    ///
    /// In PEM.
    #[schemars(
        schema_with = "integration_core::template::sealed_optional",
        extend("ui" = {"widget": "textarea", "visible_when": {"field": "mode", "equals": "live"}})
    )]
    private_key: Option<SecretString>,
    /// Where calls go.
    #[serde(default)]
    mode: Mode,
    fallback_mode: Option<Mode>,
    #[serde(default = "five")]
    #[schemars(range(min = 1, max = 60))]
    timeout_seconds: u16,
    #[serde(rename = "maxCalls")]
    max_calls: u32,
    offset: Option<i32>,
    ratio: Option<f64>,
    #[serde(default)]
    auto_log: bool,
    #[schemars(email)]
    contact_email: Option<String>,
    #[schemars(length(max = 3), inner(pattern("^[a-z]+$")))]
    #[serde(default)]
    tags: Vec<String>,
    days: Vec<Day>,
    #[schemars(extend("ui" = {"placeholder": "Anything"}))]
    note: Option<String>,
    nested: Option<Nested>,
    labels: BTreeMap<String, u8>,
}

fn five() -> u16 {
    5
}

#[derive(Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Mode {
    /// # Try it out
    /// Calls go nowhere.
    #[default]
    Test,
    /// Calls reach people.
    Live,
}

#[derive(Deserialize, JsonSchema)]
enum Day {
    Monday,
    Tuesday,
}

#[derive(Deserialize, JsonSchema)]
struct Nested {
    first: String,
    second: Option<Day>,
}

#[derive(Deserialize, JsonSchema)]
struct WithSlips {
    #[serde(default)]
    #[schemars(
        schema_with = "integration_core::template::sealed",
        extend("default" = "s3cret-default", "examples" = ["s3cret-example"])
    )]
    token: String,
}

#[derive(Deserialize, JsonSchema)]
#[schemars(extend("ui" = {"order": ["second", "unknown"]}))]
struct Reordered {
    first: String,
    third: String,
    second: String,
}

#[derive(Deserialize, JsonSchema)]
struct Nothing {}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Recursive {
    child: Option<Box<Recursive>>,
}

fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

#[test]
fn schema_of_a_rich_type() {
    insta::assert_snapshot!(pretty(&schema_of::<Rich>()));
}

#[test]
fn form_of_a_rich_type() {
    let fields = ConfigSchema::of::<Rich>().unwrap().form_fields();
    insta::assert_snapshot!(pretty(&fields));
}

#[test]
fn the_same_type_gives_the_same_bytes() {
    assert_eq!(
        schema_of::<Rich>().to_string(),
        schema_of::<Rich>().to_string()
    );
}

#[test]
fn a_sealed_field_never_has_a_value_in_its_schema() {
    let schema = schema_of::<WithSlips>();
    assert!(!schema.to_string().contains("s3cret"), "{schema}");
    let schema = ConfigSchema::parse(&schema).unwrap();
    assert_eq!(schema.sealed_fields().collect::<Vec<_>>(), ["token"]);
    assert!(schema.is_sealed("token") && !schema.is_sealed("other"));
}

#[test]
fn a_given_order_comes_first() {
    let schema = ConfigSchema::of::<Reordered>().unwrap();
    let names: Vec<_> = schema.form_fields().into_iter().map(|f| f.name).collect();
    assert_eq!(names, ["second", "first", "third"]);
}

#[test]
fn a_type_without_fields_is_an_empty_form() {
    let schema = ConfigSchema::of_settings::<Nothing>().unwrap();
    assert!(schema.form_fields().is_empty());
    assert_eq!(schema.validate(&json!({})), Ok(()));
    let refused = schema.validate(&json!({ "extra": 1 })).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the config is not valid: extra is not a field here"
    );
}

#[test]
fn what_makes_no_form_is_refused() {
    assert!(ConfigSchema::of::<Recursive>().is_err());
    assert!(ConfigSchema::of::<()>().is_err());
    assert!(ConfigSchema::of::<Mode>().is_err());
    assert!(ConfigSchema::of::<Vec<String>>().is_err());
}

#[test]
fn settings_hold_no_secret() {
    let refused = ConfigSchema::of_settings::<WithSlips>().unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the schema cannot be used: /properties/token must not be sealed: settings are kept readable"
    );
}

#[test]
fn defaults_fill_what_is_missing() {
    let schema = ConfigSchema::of::<Rich>().unwrap();
    let mut config = serde_json::Map::new();
    config.insert("timeout_seconds".to_owned(), json!(30));
    schema.fill_defaults(&mut config);
    assert_eq!(
        Value::Object(config),
        json!({ "mode": "test", "timeout_seconds": 30, "auto_log": false, "tags": [] })
    );
}

fn field(name: &str) -> FormField {
    let fields = ConfigSchema::of::<Rich>().unwrap().form_fields();
    fields.into_iter().find(|field| field.name == name).unwrap()
}

#[rstest]
#[case("api_key", " spaces count ", Some(json!(" spaces count ")))]
#[case("note", "  trimmed ", Some(json!("trimmed")))]
#[case("note", "12", Some(json!("12")))]
#[case("note", "  ", None)]
#[case("timeout_seconds", "12", Some(json!(12)))]
#[case("timeout_seconds", "soon", Some(json!("soon")))]
#[case("ratio", "0.5", Some(json!(0.5)))]
#[case("ratio", "NaN", Some(json!("NaN")))]
#[case("auto_log", "Yes", Some(json!(true)))]
#[case("auto_log", "off", Some(json!(false)))]
#[case("auto_log", "perhaps", Some(json!("perhaps")))]
#[case("tags", "a\n\n b \n", Some(json!(["a", "b"])))]
#[case("days", "Monday", Some(json!(["Monday"])))]
#[case("labels", r#"{"a": 1}"#, Some(json!({"a": 1})))]
#[case("labels", "{", Some(json!("{")))]
fn typed_text_is_read_by_type(
    #[case] name: &str,
    #[case] typed: &str,
    #[case] read: Option<Value>,
) {
    assert_eq!(field(name).read(typed), read);
}
