//! What validation says of a config, and which schemas are refused, case by case.

#![cfg(feature = "template")]
#![expect(
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::unwrap_used,
    reason = "helpers of tests; a panic is a failed test"
)]

use integration_core::template::{ConfigSchema, ValidationError};
use rstest::rstest;
use serde_json::{Map, Value, json};

/// A schema of one field, `value`, beside the required `api_key`.
fn schema_with(value: &Value) -> ConfigSchema {
    ConfigSchema::parse(&json!({
        "type": "object",
        "properties": {
            "api_key": { "type": "string", "title": "API key", "x-sealed": true, "minLength": 8 },
            "value": value,
        },
        "required": ["api_key"],
        "ui": { "order": ["value", "api_key"] },
    }))
    .unwrap()
}

fn refused(schema: &ConfigSchema, config: &Value) -> Vec<(String, String)> {
    match schema.validate(config) {
        Ok(()) => Vec::new(),
        Err(errors) => errors
            .iter()
            .map(|error| (error.pointer.clone(), error.to_string()))
            .collect(),
    }
}

#[rstest]
#[case(json!({"type": "string"}), json!(5), "Value must be text")]
#[case(json!({"type": "integer"}), json!(0.5), "Value must be a whole number")]
#[case(json!({"type": "number"}), json!("x"), "Value must be a number")]
#[case(json!({"type": "boolean"}), json!("x"), "Value must be true or false")]
#[case(json!({"type": "array"}), json!("x"), "Value must be a list")]
#[case(json!({"type": "object"}), json!("x"), "Value must be a group of fields")]
#[case(json!({"type": ["integer", "string"]}), json!(true), "Value must be a whole number or text")]
#[case(json!({"type": "string"}), json!(null), "Value must be text")]
#[case(json!({"minLength": 3}), json!("ab"), "Value must be at least 3 characters long")]
#[case(json!({"minLength": 3}), json!(""), "Value must not be empty")]
#[case(json!({"minLength": 3}), json!("äö"), "Value must be at least 3 characters long")]
#[case(json!({"maxLength": 1}), json!("ab"), "Value must be at most 1 character long")]
#[case(json!({"minimum": 3}), json!(2), "Value must be 3 or more")]
#[case(json!({"maximum": 3}), json!(4), "Value must be 3 or less")]
#[case(json!({"exclusiveMinimum": 3}), json!(3), "Value must be more than 3")]
#[case(json!({"exclusiveMaximum": 3}), json!(3), "Value must be less than 3")]
#[case(json!({"multipleOf": 15}), json!(20), "Value must be a multiple of 15")]
#[case(json!({"minItems": 1}), json!([]), "Value must have at least 1 entry")]
#[case(json!({"maxItems": 2}), json!([1, 2, 3]), "Value must have at most 2 entries")]
#[case(json!({"items": [{}], "additionalItems": false}), json!([1, 2]), "Value must have at most 1 entry")]
#[case(json!({"uniqueItems": true}), json!([1, 1]), "Value must not have the same entry twice")]
#[case(json!({"contains": {"const": 1}}), json!([2]), "Value lacks an entry that has to be there")]
#[case(json!({"minProperties": 1}), json!({}), "Value must have at least 1 field")]
#[case(json!({"maxProperties": 0}), json!({"a": 1}), "Value must have at most 0 fields")]
#[case(json!({"propertyNames": {"maxLength": 1}}), json!({"ab": 1}), "Value has a field whose name is not allowed")]
#[case(json!({"enum": ["live", "test", 3]}), json!("prod"), "Value must be one of: live, test, 3")]
#[case(json!({"enum": [[1]]}), json!("prod"), "Value must be one of the values that are offered")]
#[case(json!({"const": "live"}), json!("prod"), "Value must be live")]
#[case(json!({"const": {}}), json!("prod"), "Value does not have the one value that is allowed")]
#[case(json!({"pattern": "^[a-z]+$"}), json!("A"), "Value does not have the expected form")]
#[case(json!({"format": "email"}), json!("A B <a@example.com>"), "Value must be an e-mail address")]
#[case(json!({"format": "uri"}), json!("example"), "Value must be a full web address, such as https://example.com")]
#[case(json!({"format": "date"}), json!("31.1."), "Value must be a date, such as 2031-01-31")]
#[case(json!({"format": "date-time"}), json!("now"), "Value must be a date and time, such as 2031-01-31T09:30:00Z")]
#[case(json!({"format": "time"}), json!("now"), "Value must be a time, such as 09:30:00Z")]
#[case(json!({"format": "ipv4"}), json!("1"), "Value must be an IPv4 address")]
#[case(json!({"format": "ipv6"}), json!("1"), "Value must be an IPv6 address")]
#[case(json!({"format": "hostname"}), json!("-"), "Value must be the name of a host")]
#[case(json!({"format": "uuid"}), json!("1"), "Value must be a UUID")]
#[case(json!({"format": "json-pointer"}), json!("1"), "Value must be of the expected form")]
#[case(json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}), json!([]), "Value fits none of the allowed forms")]
#[case(json!({"oneOf": [{"type": "string"}, {"type": "integer"}]}), json!([]), "Value fits none of the allowed forms")]
#[case(json!({"oneOf": [{}, {"type": "integer"}]}), json!(1), "Value fits several of the allowed forms, and has to fit one")]
#[case(json!({"not": {"type": "integer"}}), json!(1), "Value has a form that is not allowed")]
#[case(json!({"title": "Speed limit", "type": "number"}), json!("x"), "Speed limit must be a number")]
#[case(json!({"title": " ", "type": "number"}), json!("x"), "Value must be a number")]
#[case(json!({"title": "Two\nlines", "type": "number"}), json!("x"), "Twolines must be a number")]
fn a_value_is_refused_with_a_sentence(
    #[case] value_schema: Value,
    #[case] value: Value,
    #[case] sentence: &str,
) {
    let config = json!({ "api_key": "long enough", "value": value });
    assert_eq!(
        refused(&schema_with(&value_schema), &config),
        [("/value".to_owned(), sentence.to_owned())]
    );
}

#[rstest]
#[case(json!({"items": {"type": "integer"}}), json!([1, "x"]), "/value/1", "Value, entry 2 must be a whole number")]
#[case(json!({"items": [{}, {"type": "integer"}]}), json!([1, "x"]), "/value/1", "Value, entry 2 must be a whole number")]
#[case(
    json!({"items": {"properties": {"day_off": {"type": "string"}}}}), json!([{"day_off": 1}]),
    "/value/0/day_off", "Day off must be text"
)]
#[case(
    json!({"properties": {"a/b~c": {"title": "Odd", "type": "string"}}}), json!({"a/b~c": 1}),
    "/value/a~1b~0c", "Odd must be text"
)]
#[case(json!({"required": ["inner_id"]}), json!({}), "/value/inner_id", "Inner ID is required")]
#[case(json!({"dependencies": {"a": ["b"]}}), json!({"a": 1}), "/value/b", "B is required")]
#[case(
    json!({"properties": {"a": false}}), json!({"a": 1}),
    "/value/a", "A is not allowed"
)]
#[case(
    json!({"additionalProperties": {"type": "integer"}}), json!({"short": "x"}),
    "/value/short", "Short must be a whole number"
)]
#[case(
    json!({"additionalProperties": {"type": "integer"}}), json!({"sk-0123456789-0123456789": "x"}),
    "/value/*", "A field with an unusual name must be a whole number"
)]
#[case(
    json!({"additionalProperties": {"type": "integer"}}), json!({"5550100": "x"}),
    "/value/*", "A field with an unusual name must be a whole number"
)]
fn a_place_is_named_by_the_schema(
    #[case] value_schema: Value,
    #[case] value: Value,
    #[case] pointer: &str,
    #[case] sentence: &str,
) {
    let config = json!({ "api_key": "long enough", "value": value });
    assert_eq!(
        refused(&schema_with(&value_schema), &config),
        [(pointer.to_owned(), sentence.to_owned())]
    );
}

#[test]
fn everything_is_said_at_once_in_the_order_of_the_form() {
    let schema = schema_with(&json!({ "type": "array", "items": { "type": "string" } }));
    let config = json!({ "value": [1, "a", 2], "extra": true, "api\u{7}key": true });
    assert_eq!(
        refused(&schema, &config),
        [
            (
                "/value/0".to_owned(),
                "Value, entry 1 must be text".to_owned()
            ),
            (
                "/value/2".to_owned(),
                "Value, entry 3 must be text".to_owned()
            ),
            ("/api_key".to_owned(), "API key is required".to_owned()),
            (
                String::new(),
                "A field with an unusual name is not a field here".to_owned()
            ),
            ("/extra".to_owned(), "extra is not a field here".to_owned()),
        ]
    );
    let errors = schema.validate(&config).unwrap_err();
    assert_eq!(errors.of_field("value").count(), 2);
    assert_eq!(errors.of_field("val").count(), 0);
    let lines = errors.to_string();
    assert!(!lines.contains('\n'), "{lines}");
}

#[rstest]
#[case("line_2025", "/line_2025", "line_2025 is not a field here")]
#[case("p20255", "", "A field with an unusual name is not a field here")]
#[case(
    "phone2025550143",
    "",
    "A field with an unusual name is not a field here"
)]
fn an_unknown_name_that_may_be_a_number_is_not_repeated(
    #[case] name: &str,
    #[case] pointer: &str,
    #[case] sentence: &str,
) {
    let config = json!({ "api_key": "long enough", name: 1 });
    assert_eq!(
        refused(&schema_with(&json!({})), &config),
        [(pointer.to_owned(), sentence.to_owned())]
    );
}

#[test]
fn what_several_rules_find_is_said_once() {
    let schema = schema_with(&json!({
        "allOf": [{ "minLength": 3 }, { "pattern": "^[a-z]+$" }, { "minLength": 3 }],
    }));
    let errors = refused(&schema, &json!({ "api_key": "12345678", "value": "A" }));
    let sentences: Vec<_> = errors
        .iter()
        .map(|(_, sentence)| sentence.as_str())
        .collect();
    assert_eq!(
        sentences,
        [
            "Value does not have the expected form",
            "Value must be at least 3 characters long"
        ]
    );
}

#[test]
fn a_sealed_field_that_is_empty_is_refused_as_empty() {
    let schema = schema_with(&json!({}));
    assert_eq!(
        refused(&schema, &json!({ "api_key": "" })),
        [(
            "/api_key".to_owned(),
            "API key must not be empty".to_owned()
        )]
    );
    assert_eq!(
        refused(&schema, &json!({ "api_key": "short" })),
        [(
            "/api_key".to_owned(),
            "API key must be at least 8 characters long".to_owned()
        )]
    );
}

#[rstest]
#[case(json!({ "const": "s3cret" }))]
#[case(json!({ "enum": ["s3cret"] }))]
fn what_a_sealed_field_has_to_be_is_not_said(#[case] rule: Value) {
    let schema = ConfigSchema::parse(&json!({
        "type": "object",
        "properties": { "pin": { "type": "string", "title": "PIN", "x-sealed": true } },
        "allOf": [{ "properties": { "pin": rule } }],
    }));
    assert_eq!(
        refused(&schema.unwrap(), &json!({ "pin": "guess" })),
        [("/pin".to_owned(), "PIN is not valid".to_owned())]
    );
}

#[rstest]
#[case(json!(null))]
#[case(json!([]))]
#[case(json!("text"))]
fn what_is_no_object_is_no_config(#[case] config: Value) {
    assert_eq!(
        refused(&schema_with(&json!({})), &config),
        [(
            String::new(),
            "The config must be a group of fields".to_owned()
        )]
    );
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inner, _| json!([inner]))
}

#[rstest]
#[case::long(json!("x".repeat(256 * 1024 + 1)))]
#[case::wide(json!(vec![1; 2_001]))]
#[case::deep(nested(32))]
fn a_config_beyond_all_measure_is_refused_unread(#[case] value: Value) {
    let config = json!({ "api_key": "long enough", "value": value });
    assert_eq!(
        refused(&schema_with(&json!({ "uniqueItems": true })), &config),
        [(String::new(), "The config is too large".to_owned())]
    );
}

#[test]
fn errors_end_somewhere() {
    let schema = schema_with(&json!({ "items": { "type": "string" } }));
    let config = json!({ "api_key": "long enough", "value": vec![1; 1_900] });
    let errors = schema.validate(&config).unwrap_err();
    assert_eq!(errors.iter().count(), 200);
    assert!(errors.to_string().ends_with("; and 195 more"), "{errors}");
}

#[test]
fn the_worst_schema_and_the_worst_config_end_together() {
    let schema =
        schema_with(&json!({ "items": { "allOf": vec![json!({ "type": "string" }); 450] } }));
    let config = json!({ "api_key": "long enough", "value": vec![1; 1_900] });
    // Each entry breaks 450 rules in the same way, and that is said once.
    let errors = refused(&schema, &config);
    let unique: std::collections::BTreeSet<_> = errors.iter().collect();
    assert_eq!(unique.len(), errors.len());
}

#[rstest]
#[case::regex("regex", "(".repeat(100_000))]
#[case::regex_class("regex", "[a-".repeat(50_000))]
#[case::email("email", "a@".repeat(100_000))]
#[case::uri("uri", "a:".repeat(100_000))]
#[case::template("uri-template", "{a".repeat(100_000))]
#[case::iri("iri-reference", "[".repeat(100_000))]
#[case::hostname("hostname", "a.".repeat(100_000))]
#[case::pointer("json-pointer", "/~".repeat(100_000))]
#[case::ipv6("ipv6", ":".repeat(200_000))]
fn a_hostile_text_of_a_format_is_only_refused_or_taken(#[case] format: &str, #[case] text: String) {
    let schema = schema_with(&json!({ "type": "string", "format": format }));
    for error in schema
        .validate(&json!({ "api_key": "long enough", "value": text }))
        .err()
        .iter()
        .flatten()
    {
        assert_eq!(error.pointer, "/value");
    }
}

/// A schema of these properties.
fn of(properties: Value) -> Value {
    json!({ "type": "object", "properties": properties })
}

/// The schema of one field, with this beside it at the top.
fn beside(keyword: &str, value: Value) -> Value {
    let mut schema = of(json!({ "a": { "type": "string" }, "b": {} }));
    schema[keyword] = value;
    schema
}

/// The schema of a sealed field and another, with this beside them at the top.
fn sealed_beside(keyword: &str, value: Value) -> Value {
    let mut schema = beside(keyword, value);
    schema["properties"]["a"]["x-sealed"] = json!(true);
    schema
}

#[rstest]
#[case(json!(true), "the schema must be an object")]
#[case(json!("x"), "the schema must be an object")]
#[case(json!({}), "/type must be object: a config is a group of fields")]
#[case(json!({"type": "string"}), "/type must be object: a config is a group of fields")]
#[case(json!({"type": ["object", "null"]}), "/type must be object: a config is a group of fields")]
#[case(beside("$schema", json!("https://json-schema.org/draft/2020-12/schema")), "/$schema must be http://json-schema.org/draft-07/schema#, or left out")]
#[case(beside("additionalProperties", json!(true)), "/additionalProperties must be false: a value under an unknown name would be kept readable")]
#[case(beside("patternProperties", json!({"^x": {}})), "/patternProperties must not be there: every field of a config has its own name")]
#[case(beside("required", json!(["a", "c"])), "/required/1 must be the name of a field")]
#[case(beside("$ref", json!("#/definitions/a")), "/$ref must not be there: the fields stand in the schema itself")]
#[case(beside("minProperties", json!(-1)), "/minProperties must be 0 or more")]
#[case(beside("properties", json!(3)), "/properties must be a group of fields")]
#[case(of(json!({"a": {"type": "strin"}})), "/properties/a/type fits none of the allowed forms")]
#[case(of(json!({"a": {"pattern": "("}})), "/properties/a/pattern must be a regular expression, without look-around and back-references, and not too large")]
#[case(of(json!({"a": {"pattern": "(?=a)a"}})), "/properties/a/pattern must be a regular expression, without look-around and back-references, and not too large")]
#[case(of(json!({"a": {"pattern": "(a)\\1"}})), "/properties/a/pattern must be a regular expression, without look-around and back-references, and not too large")]
#[case(of(json!({"a": {"pattern": "(\\w{900}){900}"}})), "/properties/a/pattern must be a regular expression, without look-around and back-references, and not too large")]
#[case(of(json!({"a": {"pattern": "\\p{L}{60}"}})), "/properties/a/pattern must be a regular expression, without look-around and back-references, and not too large")]
#[case(of(json!({"a": {"pattern": "a".repeat(513)}})), "/properties/a/pattern must be at most 512 bytes long")]
#[case(of(json!({"a": {"$ref": "https://user:s3cret@example.com/x"}})), "/properties/a/$ref must be of the form #/definitions/NAME: nothing is fetched from elsewhere")]
#[case(of(json!({"a": {"$ref": "file:///etc/passwd"}})), "/properties/a/$ref must be of the form #/definitions/NAME: nothing is fetched from elsewhere")]
#[case(of(json!({"a": {"$ref": "other.json"}})), "/properties/a/$ref must be of the form #/definitions/NAME: nothing is fetched from elsewhere")]
#[case(of(json!({"a": {"$ref": "#/properties/a"}})), "/properties/a/$ref must be of the form #/definitions/NAME: nothing is fetched from elsewhere")]
#[case(of(json!({"a": {"$ref": "#"}})), "/properties/a/$ref must be of the form #/definitions/NAME: nothing is fetched from elsewhere")]
#[case(of(json!({"a": {"$ref": "#/definitions/gone"}})), "the schema has a reference to a definition that is missing")]
#[case(of(json!({"a": {"$id": "https://example.com/x"}})), "/properties/a/$id must not be there: references would lead elsewhere")]
#[case(of(json!({"a.b": {}})), "/properties/a.b must have a name of at most 64 letters, digits, _ and -")]
#[case(of(json!({"": {}})), "/properties/ must have a name of at most 64 letters, digits, _ and -")]
#[case(of(json!({"a": false})), "/properties/a must be an object")]
#[case(of(json!({"a": {"x-sealed": "yes"}})), "/properties/a/x-sealed must be true or false")]
#[case(of(json!({"a": {"x-sealed": true}})), "/properties/a/type must be string: only text can be sealed")]
#[case(of(json!({"a": {"x-sealed": true, "type": "integer"}})), "/properties/a/type must be string: only text can be sealed")]
#[case(of(json!({"a": {"x-sealed": true, "type": "string", "default": "s3cret"}})), "/properties/a/default must not be there: the field is sealed")]
#[case(of(json!({"a": {"x-sealed": true, "type": "string", "const": "s3cret"}})), "/properties/a/const must not be there: the field is sealed")]
#[case(of(json!({"a": {"x-sealed": true, "type": "string", "enum": ["s3cret"]}})), "/properties/a/enum must not be there: the field is sealed")]
#[case(of(json!({"a": {"x-sealed": true, "type": "string", "examples": ["s3cret"]}})), "/properties/a/examples must not be there: the field is sealed")]
#[case(of(json!({"a": {"x-sealed": true, "type": "string", "anyOf": [{"const": "s3cret"}]}})), "/properties/a/anyOf must not be there: the field is sealed")]
#[case(of(json!({"a": {"format": "password", "type": "string"}})), "/properties/a/format must not be password without x-sealed: what was typed would be kept readable")]
#[case(of(json!({"a": {"properties": {"b": {"x-sealed": true, "type": "string"}}}})), "/properties/a/properties/b/x-sealed must not be there: only a field directly in the config can be sealed")]
#[case(of(json!({"a": {"items": {"format": "password"}}})), "/properties/a/items/format must not be password: only a field directly in the config can be sealed")]
#[case(sealed_beside("default", json!({"a": "s3cret"})), "/default must not be there: it could give a sealed field away")]
#[case(sealed_beside("const", json!({"a": "s3cret"})), "/const must not be there: it could give a sealed field away")]
#[case(sealed_beside("enum", json!([{"a": "s3cret"}])), "/enum must not be there: it could give a sealed field away")]
#[case(sealed_beside("examples", json!([{"a": "s3cret"}])), "/examples must not be there: it could give a sealed field away")]
#[case(sealed_beside("ui", json!({"fields": {"b": {"visible_when": {"field": "a", "equals": "s3cret"}}}})), "/ui/fields/b/visible_when/field must be the name of another field that is not sealed")]
#[case(beside("definitions", json!({"s": {"x-sealed": true}})), "/definitions/s/x-sealed must not be there: only a field directly in the config can be sealed")]
#[case(beside("allOf", json!([{"properties": {"a": {"x-sealed": true}}}])), "/allOf/0/properties/a/x-sealed must not be there: only a field directly in the config can be sealed")]
#[case(of(json!({"a": {"type": "integer", "default": "s3cret"}})), "/properties/a/default must be a value that the field takes")]
#[case(beside("ui", json!([])), "/ui must be an object")]
#[case(beside("ui", json!({"colour": 1})), "/ui/colour must not be there: ui has order and fields")]
#[case(beside("ui", json!({"order": "a"})), "/ui/order must be a list")]
#[case(beside("ui", json!({"order": ["a", "z"]})), "/ui/order/1 must be the name of a field")]
#[case(beside("ui", json!({"fields": {"z": {}}})), "/ui/fields/z must be the name of a field")]
#[case(beside("ui", json!({"fields": []})), "/ui/fields must be an object")]
#[case(beside("ui", json!({"fields": {"a": {"widget": "s3cret"}}})), "/ui/fields/a must have no more than widget, help, placeholder, labels and visible_when, as they are described")]
#[case(beside("ui", json!({"fields": {"a": {"widget": "password"}}})), "/ui/fields/a/widget must be password or textarea for a sealed field, and never password for another")]
#[case(beside("ui", json!({"fields": {"a": {"visible_when": {"field": "z", "equals": 1}}}})), "/ui/fields/a/visible_when/field must be the name of another field that is not sealed")]
#[case(beside("ui", json!({"fields": {"a": {"visible_when": {"field": "a", "equals": 1}}}})), "/ui/fields/a/visible_when/field must be the name of another field that is not sealed")]
fn a_schema_is_refused_with_a_reason(#[case] schema: Value, #[case] reason: &str) {
    let refused = ConfigSchema::parse(&schema).unwrap_err();
    let reasons: Vec<String> = refused.problems().iter().map(ToString::to_string).collect();
    assert!(reasons.iter().any(|found| found == reason), "{reasons:?}");
    let shown = format!("{refused} {refused:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[test]
fn a_hidden_field_cannot_be_required() {
    let mut schema = beside(
        "ui",
        json!({ "fields": { "a": { "visible_when": { "field": "b", "equals": 1 } } } }),
    );
    ConfigSchema::parse(&schema).unwrap();
    schema["required"] = json!(["a"]);
    assert_eq!(
        ConfigSchema::parse(&schema).unwrap_err().to_string(),
        "the schema cannot be used: /ui/fields/a/visible_when must not be there: a required field has to be seen"
    );
}

#[test]
fn all_problems_of_a_schema_come_at_once() {
    let refused = ConfigSchema::parse(&json!({
        "type": "array",
        "properties": {
            "one": { "type": "strin" },
            "two": { "x-sealed": true, "type": "string", "default": "x" },
            "three": { "minLength": "long" },
            "four": { "$ref": "https://example.com/" },
        },
    }))
    .unwrap_err();
    let places: Vec<&str> = refused.problems().iter().map(|p| &*p.pointer).collect();
    assert_eq!(
        places,
        [
            "/properties/four/$ref",
            "/type",
            "/properties/two/default",
            "/properties/one/type",
            "/properties/three/minLength",
        ]
    );
}

/// `count` definitions, each with two references to the next.
fn doubling(count: usize) -> Value {
    let mut definitions = Map::new();
    for number in 0..count {
        let next = json!({ "$ref": format!("#/definitions/d{}", number + 1) });
        definitions.insert(format!("d{number}"), json!({ "allOf": [next, next] }));
    }
    definitions.insert(format!("d{count}"), json!({ "type": "string" }));
    let mut schema = of(json!({ "a": { "$ref": "#/definitions/d0" } }));
    schema["definitions"] = Value::Object(definitions);
    schema
}

fn circle() -> Value {
    let mut schema = of(json!({ "a": { "$ref": "#/definitions/one" } }));
    schema["definitions"] = json!({
        "one": { "items": { "$ref": "#/$defs/two" } },
    });
    schema["$defs"] = json!({ "two": { "anyOf": [{ "$ref": "#/definitions/one" }] } });
    schema
}

#[rstest]
#[case::doubling(
    doubling(12),
    "must not grow so large when its references are written out"
)]
#[case::chain(doubling(60), "must not nest references so deeply")]
#[case::circle(circle(), "has references that go in circles")]
#[case::deep((0..40).fold(of(json!({})), |inner, _| of(json!({ "a": inner }))), "is too large")]
#[case::long(of(json!({ "a": { "description": "x".repeat(70_000) } })), "is too large")]
#[case::patterns(
    of(json!({ "a": { "allOf": vec![json!({ "pattern": "a" }); 65] } })),
    "must have at most 64 patterns"
)]
#[case::fields(
    of((0..101).map(|n| (format!("f{n}"), json!({}))).collect()),
    "must have at most 100 fields"
)]
fn a_schema_beyond_all_measure_is_refused(#[case] schema: Value, #[case] reason: &str) {
    let refused = ConfigSchema::parse(&schema).unwrap_err();
    assert!(refused.to_string().contains(reason), "{refused}");
}

#[test]
fn references_to_definitions_are_followed() {
    let mut schema = of(json!({
        "a": { "$ref": "#/definitions/port", "title": "Port of entry" },
        "b": { "items": { "$ref": "#/definitions/port" } },
    }));
    schema["definitions"] = json!({ "port": { "type": "integer", "title": "Port" } });
    schema["$id"] = json!("http://json-schema.org/draft-07/schema");
    let schema = ConfigSchema::parse(&schema).unwrap();
    let fields = schema.form_fields();
    assert_eq!(fields[0].title, "Port of entry");
    assert_eq!(serde_json::to_value(fields[0].widget).unwrap(), "number");
    let errors = schema
        .validate(&json!({ "a": "x", "b": ["x"] }))
        .unwrap_err();
    let pointers: Vec<String> = errors
        .into_iter()
        .map(|e: ValidationError| e.pointer)
        .collect();
    assert_eq!(pointers, ["/a", "/b/0"]);
}

#[test]
fn names_that_look_like_keywords_are_only_names() {
    let schema = of(json!({
        "$ref": {}, "properties": { "type": "string" }, "x-sealed": {}, "pattern": { "type": "boolean" }
    }));
    let refused = ConfigSchema::parse(&schema).unwrap_err();
    // Only the dollar sign is in the way.
    assert_eq!(refused.problems().len(), 1, "{refused}");
}

#[test]
fn what_is_missing_is_added() {
    let schema = ConfigSchema::parse(&of(json!({ "a": { "type": "string" } }))).unwrap();
    assert_eq!(
        schema.as_value(),
        &json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "properties": { "a": { "type": "string" } },
            "additionalProperties": false,
        })
    );
    assert_eq!(
        &ConfigSchema::parse(schema.as_value()).unwrap().as_value(),
        &schema.as_value()
    );
}
