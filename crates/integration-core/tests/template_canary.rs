//! No text of this module repeats a value: hostile schemas and configs, generated, with canaries where values are.

#![cfg(feature = "template")]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; a panic is a failed test"
)]

use std::error::Error;
use std::fmt::Write;

use integration_core::template::{ConfigSchema, schema_of};
use proptest::prelude::*;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value, json};

const CANARY: &str = "canary-4f1d0c7be2a94630a1";
const CANARY_NUMBER: i64 = 739_184_620_517;

/// Everything that can be read of an error.
fn shown(error: &(dyn Error + 'static)) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut source = error.source();
    while let Some(error) = source {
        write!(text, " {error} {error:?}").unwrap();
        source = error.source();
    }
    text
}

fn assert_silent(text: &str) {
    assert!(!text.contains("canary"), "{text}");
    assert!(!text.contains(&CANARY_NUMBER.to_string()), "{text}");
}

/// Validates and checks all that is said. Returns whether the config was refused.
fn check(schema: &ConfigSchema, config: &Value) -> bool {
    assert_silent(&format!("{schema:?}"));
    let Err(errors) = schema.validate(config) else {
        return false;
    };
    assert_silent(&shown(&errors));
    assert_silent(&serde_json::to_string(&errors).unwrap());
    for error in &errors {
        assert_silent(&format!("{error} {error:?}"));
    }
    true
}

/// JSON whose texts, numbers and unknown names are canaries.
fn canaries() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(CANARY)),
        Just(json!(format!("https://{CANARY}.example.com/{CANARY}"))),
        Just(json!(CANARY_NUMBER)),
        Just(json!(739_184_620_517.5)),
        Just(json!(true)),
        Just(json!(null)),
        Just(json!("")),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec((name(), inner), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// A name the schemas below have, or a canary.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("a".to_owned()),
        Just("b".to_owned()),
        Just("c".to_owned()),
        Just(CANARY.to_owned()),
        Just(format!("{CANARY}/~{CANARY}")),
        Just(format!("\u{1b}[31m{CANARY}")),
        Just(CANARY_NUMBER.to_string()),
    ]
}

/// A schema of every keyword, without canaries.
fn schemas() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        prop::sample::select(vec![
            "string", "integer", "number", "boolean", "array", "object", "null"
        ])
        .prop_map(|name| json!({ "type": name })),
        Just(json!({ "const": "only" })),
        Just(json!({ "const": { "a": 1 } })),
        Just(json!({ "enum": ["one", 2, null] })),
        Just(json!({ "pattern": "^[A-Z]+$" })),
        Just(json!({ "minLength": 30, "maxLength": 60 })),
        Just(json!({ "maxLength": 3 })),
        Just(json!({ "minimum": 1, "maximum": 9 })),
        Just(json!({ "exclusiveMinimum": 8, "exclusiveMaximum": 9 })),
        Just(json!({ "multipleOf": 7 })),
        Just(json!({ "uniqueItems": true })),
        Just(json!({ "minItems": 2, "maxItems": 2 })),
        Just(json!({ "minProperties": 2, "maxProperties": 2 })),
        Just(json!({ "required": ["a", "z"] })),
        Just(json!({ "dependencies": { "a": ["z"], "b": { "type": "integer" } } })),
        Just(json!({ "propertyNames": { "maxLength": 2 } })),
        Just(json!({ "propertyNames": { "enum": ["a"] } })),
        Just(json!({ "additionalProperties": false })),
        Just(json!({ "patternProperties": { "^can": false } })),
        Just(json!({ "contentEncoding": "base64", "contentMediaType": "application/json" })),
        prop::sample::select(vec![
            "email",
            "uri",
            "uuid",
            "date",
            "date-time",
            "time",
            "ipv4",
            "ipv6",
            "hostname",
            "regex",
            "json-pointer",
            "uri-template",
            "iri",
            "relative-json-pointer",
        ])
        .prop_map(|name| json!({ "format": name })),
        Just(json!(false)),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            list.clone().prop_map(|list| json!({ "allOf": list })),
            list.clone().prop_map(|list| json!({ "anyOf": list })),
            list.clone().prop_map(|list| json!({ "oneOf": list })),
            list.prop_map(|list| json!({ "items": list, "additionalItems": false })),
            inner.clone().prop_map(|one| json!({ "items": one })),
            inner.clone().prop_map(|one| json!({ "not": one })),
            inner.clone().prop_map(|one| json!({ "contains": one })),
            inner
                .clone()
                .prop_map(|one| json!({ "propertyNames": one })),
            inner
                .clone()
                .prop_map(|one| json!({ "additionalProperties": one })),
            inner
                .clone()
                .prop_map(|one| json!({ "properties": { "a": one } })),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(a, b, c)| json!({ "if": a, "then": b, "else": c })),
        ]
    })
}

/// Any JSON that looks much like a schema, with canaries for values.
fn near_schemas() -> impl Strategy<Value = Value> {
    let keyword = prop::sample::select(vec![
        "$ref",
        "$id",
        "$schema",
        "type",
        "properties",
        "required",
        "definitions",
        "$defs",
        "items",
        "additionalItems",
        "additionalProperties",
        "patternProperties",
        "propertyNames",
        "contains",
        "dependencies",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "const",
        "enum",
        "default",
        "examples",
        "format",
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "multipleOf",
        "minItems",
        "uniqueItems",
        "title",
        "description",
        "ui",
        "order",
        "fields",
        "widget",
        "visible_when",
        "x-sealed",
        "writeOnly",
        "a",
        "b",
        "",
    ]);
    let leaf = prop_oneof![
        Just(json!(CANARY)),
        Just(json!(CANARY_NUMBER)),
        prop::sample::select(vec![
            "object",
            "string",
            "array",
            "a",
            "b",
            "#",
            "#/definitions/a",
            "#/$defs/b",
            "#/properties/a",
            "https://example.com/x",
            "file:///etc/passwd",
            "password",
            "email",
            "(a)\\1",
            "[",
            "^a+$",
            "http://json-schema.org/draft-07/schema#",
        ])
        .prop_map(|text| json!(text)),
        any::<bool>().prop_map(|yes| json!(yes)),
        any::<i32>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        ".{0,8}".prop_map(|text| json!(text)),
        Just(json!(null)),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((keyword.clone(), inner), 0..6).prop_map(|fields| {
                let fields: Map<String, Value> = fields
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect();
                Value::Object(fields)
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_error_of_validation_repeats_a_value(
        (a, b) in (schemas(), schemas()), config in canaries(),
        (at_a, at_b) in (canaries(), canaries()),
    ) {
        // `false` is no field of a form; what it does below the top is among the others.
        let fields = |schema: Value| if schema.is_object() { schema } else { json!({ "not": {} }) };
        let schema = ConfigSchema::parse(&json!({
            "type": "object",
            "properties": {
                "a": fields(a), "b": fields(b), "c": { "type": "string", "x-sealed": true, "maxLength": 5 },
            },
            "required": ["c"],
        })).unwrap();
        check(&schema, &config);
        check(&schema, &json!({ "a": at_a, "b": at_b, "c": CANARY, CANARY: CANARY }));
    }

    #[test]
    fn no_json_upsets_the_parser_and_no_refusal_repeats_a_value(
        schema in near_schemas(), fields in near_schemas(), config in canaries(),
    ) {
        for schema in [
            schema,
            json!({ "type": "object", "properties": fields }),
            json!({ "type": "object", "properties": { "a": fields, "b": {} }, "definitions": fields, "$defs": fields }),
            json!({ "type": "object", "properties": { "a": {}, "b": {} }, "ui": fields }),
            json!({ "type": "object", "properties": { "a": { "type": "string", "x-sealed": true, "title": fields } } }),
        ] {
            match ConfigSchema::parse(&schema) {
                Ok(parsed) => {
                    // Its titles may be canaries, which a sentence does repeat: that they do not upset it is enough.
                    let _taken_or_not = parsed.validate(&config).is_ok();
                    let fields = parsed.form_fields();
                    prop_assert_eq!(parsed.sealed_fields().count(), fields.iter().filter(|f| f.sealed).count());
                    prop_assert!(ConfigSchema::parse(parsed.as_value()).is_ok());
                }
                Err(refused) => {
                    prop_assert!(!refused.problems().is_empty());
                    assert_silent(&shown(&refused));
                }
            }
            let _no_panic = ConfigSchema::parse_settings(&schema).is_ok();
        }
    }

    #[test]
    fn no_json_at_all_upsets_validation(config in near_schemas()) {
        let schema = ConfigSchema::of::<Credentials>().unwrap();
        let _taken_or_not = schema.validate(&config).is_ok();
    }
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "its shape alone counts")]
struct Credentials {
    #[schemars(
        length(min = 60, max = 80),
        schema_with = "integration_core::template::sealed"
    )]
    api_key: SecretString,
    #[schemars(
        regex(pattern = r"^[A-Z]+$"),
        schema_with = "integration_core::template::sealed"
    )]
    client_secret: SecretString,
    #[schemars(
        length(max = 3),
        schema_with = "integration_core::template::sealed_optional"
    )]
    refresh_token: Option<SecretString>,
    #[schemars(url)]
    base_url: String,
    mode: Mode,
    numbers: Vec<u16>,
}

#[derive(Deserialize, JsonSchema)]
enum Mode {
    Test,
    Live,
}

#[test]
fn a_config_of_canaries_with_every_slip_shows_none() {
    let schema = ConfigSchema::parse(&schema_of::<Credentials>()).unwrap();
    let slips = [
        json!({}),
        json!(CANARY),
        json!([CANARY]),
        json!({ "api_key": CANARY, "client_secret": CANARY, "refresh_token": CANARY }),
        json!({ "api_key": [CANARY], "client_secret": { CANARY: CANARY }, "refresh_token": CANARY_NUMBER }),
        json!({ "base_url": CANARY, "mode": CANARY, "numbers": [CANARY, CANARY_NUMBER, -1] }),
        json!({ "base_url": [CANARY], "mode": { "a": CANARY }, "numbers": CANARY }),
        json!({ CANARY: CANARY, "api_key": null }),
        json!({ CANARY.repeat(100): CANARY, format!("a\n{CANARY}"): 1 }),
    ];
    for config in &slips {
        assert!(check(&schema, config), "{config} was taken");
    }
    let mut all = Map::new();
    for slip in &slips {
        all.extend(slip.as_object().cloned().into_iter().flatten());
    }
    assert!(check(&schema, &Value::Object(all)));
}
