//! Templates: which are taken, what a patch changes, what is seeded.

#![cfg(feature = "template")]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; a panic is a failed test"
)]

use chrono::{DateTime, TimeDelta, Utc};
use integration_core::template::{
    ConfigSchema, IntegrationTemplate, InvalidTemplate, NewTemplate, TemplatePatch, placeholders,
};
use integration_core::{Actor, TemplateId};
use rstest::rstest;
use serde_json::{Value, json};

fn now() -> DateTime<Utc> {
    "2031-01-31T09:30:00.123456789Z".parse().unwrap()
}

fn plain() -> NewTemplate {
    NewTemplate::new("dialler_2", "Dialler", "phone")
}

fn taken(new: NewTemplate) -> IntegrationTemplate {
    new.into_template(TemplateId::generate(), now(), Some(Actor::from("admin-1")))
        .unwrap()
}

fn reasons(refused: &InvalidTemplate) -> Vec<String> {
    refused.problems().iter().map(ToString::to_string).collect()
}

fn sealed_schema() -> Value {
    json!({ "type": "object", "properties": { "key": { "type": "string", "x-sealed": true } } })
}

#[test]
fn a_template_without_schemas_has_empty_forms() {
    let id = TemplateId::generate();
    let template = plain().into_template(id, now(), None).unwrap();
    assert_eq!(template.id, id);
    assert_eq!(template.created_by, None);
    assert_eq!(template.created_at, template.updated_at);
    assert_eq!(template.created_at.timestamp_subsec_nanos(), 123_456_000);
    for schema in [&template.config_schema, &template.settings_schema] {
        let schema = ConfigSchema::parse(schema).unwrap();
        assert!(schema.form_fields().is_empty());
        assert!(schema.validate(&json!({ "a": 1 })).is_err());
    }
}

#[test]
fn a_schema_is_kept_as_it_is_in_force() {
    let template = taken(plain().config_schema(sealed_schema()));
    assert_eq!(template.config_schema["additionalProperties"], json!(false));
    assert_eq!(template.created_by, Some(Actor::from("admin-1")));
}

#[rstest]
#[case("")]
#[case("Dialler")]
#[case("two words")]
#[case("dial-ler")]
#[case("dïaller")]
#[case("a/b")]
fn a_name_is_plain(#[case] name: &str) {
    let mut new = plain();
    new.name = name.to_owned();
    let refused = new
        .into_template(TemplateId::generate(), now(), None)
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the template cannot be used: /name must be 1 to 64 of the letters a to z, digits and _"
    );
}

#[test]
fn a_name_ends_somewhere() {
    let mut new = plain();
    new.name = "a".repeat(64);
    taken(new.clone());
    new.name.push('a');
    assert!(
        new.into_template(TemplateId::generate(), now(), None)
            .is_err()
    );
}

#[rstest]
#[case(TemplatePatch::new().display_name(" "), "/display_name must not be empty")]
#[case(TemplatePatch::new().display_name("x".repeat(101)), "/display_name must be at most 100 characters long")]
#[case(TemplatePatch::new().display_name("a\nb"), "/display_name must not contain control characters")]
#[case(TemplatePatch::new().category(""), "/category must not be empty")]
#[case(TemplatePatch::new().description("x".repeat(2_001)), "/description must be at most 2000 characters long")]
#[case(TemplatePatch::new().description("\u{1b}[31m"), "/description must not contain control characters")]
#[case(TemplatePatch::new().icon(""), "/icon must not be empty")]
#[case(TemplatePatch::new().setup_instructions("x".repeat(65_537)), "/setup_instructions must be at most 65536 characters long")]
#[case(TemplatePatch::new().api_version("x".repeat(65)), "/api_version must be at most 64 characters long")]
#[case(TemplatePatch::new().webhook_url("http://example.com"), "/webhook_url must be a web address with https, or one of this machine, without a password")]
#[case(TemplatePatch::new().webhook_url("https://:s3cret@example.com"), "/webhook_url must be a web address with https, or one of this machine, without a password")]
#[case(TemplatePatch::new().webhook_url("https://me:s3cret@example.com"), "/webhook_url must be a web address with https, or one of this machine, without a password")]
#[case(TemplatePatch::new().webhook_url("ftp://localhost"), "/webhook_url must be a web address with https, or one of this machine, without a password")]
#[case(TemplatePatch::new().webhook_url("hooks"), "/webhook_url must be a web address with https, or one of this machine, without a password")]
#[case(TemplatePatch::new().config_schema(json!({"type": "object", "properties": {"a": {"type": "strin"}}})), "/config_schema/properties/a/type fits none of the allowed forms")]
#[case(TemplatePatch::new().config_schema(json!(7)), "/config_schema must be an object")]
#[case(TemplatePatch::new().settings_schema(sealed_schema()), "/settings_schema/properties/key must not be sealed: settings are kept readable")]
fn a_change_is_checked_as_a_new_template_is(#[case] patch: TemplatePatch, #[case] reason: &str) {
    let template = taken(plain());
    let refused = patch.apply(&template, now()).unwrap_err();
    assert_eq!(reasons(&refused), [reason]);
}

#[rstest]
#[case("https://example.com/hooks")]
#[case("http://localhost:8080/hooks")]
#[case("http://127.0.0.1/")]
#[case("http://[::1]/")]
fn a_webhook_url_is_https_or_local(#[case] url: &str) {
    let changed = TemplatePatch::new()
        .webhook_url(url)
        .apply(&taken(plain()), now());
    assert_eq!(changed.unwrap().webhook_url.as_deref(), Some(url));
}

#[test]
fn everything_wrong_with_a_template_comes_at_once() {
    let mut new = plain()
        .description("x".repeat(3_000))
        .config_schema(json!({}));
    new.name.clear();
    let refused = new
        .into_template(TemplateId::generate(), now(), None)
        .unwrap_err();
    let places: Vec<&str> = refused.problems().iter().map(|p| &*p.pointer).collect();
    assert_eq!(places, ["/name", "/description", "/config_schema/type"]);
}

#[test]
fn a_patch_changes_what_it_mentions() {
    let template = taken(
        plain()
            .description("Calls")
            .icon("phone")
            .api_version("1")
            .webhook_url("https://example.com/"),
    );
    let later = now() + TimeDelta::seconds(5);
    let same = TemplatePatch::new().apply(&template, later).unwrap();
    let mut expected = template.clone();
    expected.updated_at = same.updated_at;
    assert_eq!(same, expected);

    let changed = TemplatePatch::new()
        .display_name("Dialler II")
        .description("")
        .category("crm")
        .active(false)
        .no_icon()
        .no_webhook_url()
        .no_api_version()
        .setup_instructions("# How\n\n\tSo.")
        .config_schema(sealed_schema())
        .apply(&template, later)
        .unwrap();
    assert_eq!(changed.display_name, "Dialler II");
    assert_eq!(changed.description, "");
    assert_eq!(changed.category, "crm");
    assert!(!changed.is_active);
    assert_eq!(
        (changed.icon, changed.webhook_url, changed.api_version),
        (None, None, None)
    );
    assert_eq!(changed.setup_instructions, "# How\n\n\tSo.");
    assert_eq!(
        changed.config_schema["properties"],
        sealed_schema()["properties"]
    );
    assert_eq!((changed.id, changed.name), (template.id, template.name));
    assert_eq!(changed.created_at, template.created_at);
}

#[test]
fn every_change_has_a_later_time_even_when_the_clock_goes_back() {
    let template = taken(plain());
    let back = now() - TimeDelta::days(1);
    let first = TemplatePatch::new().apply(&template, back).unwrap();
    assert!(first.updated_at > template.updated_at);
    let second = TemplatePatch::new().apply(&first, back).unwrap();
    assert!(second.updated_at > first.updated_at);
    let third = TemplatePatch::new()
        .apply(&second, now() + TimeDelta::days(1))
        .unwrap();
    assert_eq!(third.updated_at.timestamp_subsec_nanos(), 123_456_000);
}

#[test]
fn a_sealed_field_stays_sealed_or_goes() {
    let template = taken(plain().config_schema(sealed_schema()));
    let readable = json!({ "type": "object", "properties": { "key": { "type": "string" } } });
    let refused = TemplatePatch::new()
        .config_schema(readable.clone())
        .apply(&template, now())
        .unwrap_err();
    assert_eq!(
        reasons(&refused),
        ["/config_schema/properties/key must stay sealed: instances have secrets in it"]
    );
    let empty = json!({ "type": "object" });
    TemplatePatch::new()
        .config_schema(empty)
        .apply(&template, now())
        .unwrap();
    // The other way round is an improvement.
    let template = taken(plain().config_schema(readable));
    TemplatePatch::new()
        .config_schema(sealed_schema())
        .apply(&template, now())
        .unwrap();
}

#[test]
fn the_seeded_placeholders_are_valid_and_inactive() {
    let summary: Vec<String> = placeholders()
        .into_iter()
        .map(|new| {
            assert!(new.description.contains("no client"), "{}", new.description);
            let template = taken(new);
            assert!(!template.is_active);
            let schema = ConfigSchema::parse(&template.config_schema).unwrap();
            let fields = schema.form_fields().into_iter().map(|field| {
                let required = if field.required {
                    "required"
                } else {
                    "optional"
                };
                let sealed = if field.sealed { ", sealed" } else { "" };
                format!("  {} ({}): {required}{sealed}", field.name, field.title)
            });
            let fields: Vec<String> = fields.collect();
            format!("{}\n{}", template.name, fields.join("\n"))
        })
        .collect();
    insta::assert_snapshot!(summary.join("\n"), @"
    facebook_ads
      access_token (Access token): required, sealed
      ad_account_id (Ad account ID): required
      app_secret (App secret): optional, sealed
      page_id (Page ID): optional
    google_analytics
      measurement_id (Measurement ID): required
      api_secret (API secret): required, sealed
      property_id (Property ID): optional
      validate_only (Only test events): optional
    ");
}

#[rstest]
#[case("facebook_ads", json!({"access_token": "x".repeat(40), "ad_account_id": "act_1234567890"}))]
#[case("google_analytics", json!({"measurement_id": "G-ABCD123456", "api_secret": "x", "validate_only": true}))]
fn a_placeholder_takes_what_its_vendor_gives(#[case] name: &str, #[case] config: Value) {
    let new = placeholders()
        .into_iter()
        .find(|new| new.name == name)
        .unwrap();
    let schema = ConfigSchema::parse(&new.config_schema.unwrap()).unwrap();
    assert_eq!(schema.validate(&config), Ok(()));
    assert!(schema.validate(&json!({})).is_err());
}
