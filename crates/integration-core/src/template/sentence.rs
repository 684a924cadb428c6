//! What is wrong, in words for people. Written here from the kind of error and the schema alone: the text of the
//! engine's own errors prints values, and a value may be a secret.

use jsonschema::JsonType;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

/// How much of a schema's own values a sentence repeats.
const MAX_OPTIONS: usize = 12;
const MAX_VALUE: usize = 40;

/// Says what is wrong, as it goes on after the name of a field: `must be a number`. `empty` is whether what was
/// given is empty text.
pub(super) fn sentence(kind: &ValidationErrorKind, empty: bool) -> String {
    use ValidationErrorKind as Kind;
    match kind {
        Kind::Required { .. } => "is required".to_owned(),
        Kind::Type { kind } => format!("must be {}", types(kind)),
        Kind::MinLength { .. } if empty => "must not be empty".to_owned(),
        Kind::MinLength { limit } => {
            format!("must be at least {} long", count(*limit, "character"))
        }
        Kind::MaxLength { limit } => {
            format!("must be at most {} long", count(*limit, "character"))
        }
        Kind::Minimum { limit } => format!("must be {limit} or more"),
        Kind::Maximum { limit } => format!("must be {limit} or less"),
        Kind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        Kind::MinItems { limit } => format!("must have at least {}", entries(*limit)),
        Kind::MaxItems { limit } => format!("must have at most {}", entries(*limit)),
        Kind::AdditionalItems { limit } => {
            let limit = u64::try_from(*limit).unwrap_or(u64::MAX);
            format!("must have at most {}", entries(limit))
        }
        Kind::MinProperties { limit } => format!("must have at least {}", count(*limit, "field")),
        Kind::MaxProperties { limit } => format!("must have at most {}", count(*limit, "field")),
        Kind::UniqueItems => "must not have the same entry twice".to_owned(),
        Kind::Contains => "lacks an entry that has to be there".to_owned(),
        Kind::Enum { options } => one_of(options),
        Kind::Constant { expected_value } => match shown(expected_value) {
            Some(value) => format!("must be {value}"),
            None => "does not have the one value that is allowed".to_owned(),
        },
        Kind::Format { format } => format!("must be {}", format_name(format)),
        Kind::Pattern { .. } => "does not have the expected form".to_owned(),
        Kind::FalseSchema => "is not allowed".to_owned(),
        Kind::AdditionalProperties { .. } | Kind::UnevaluatedProperties { .. } => {
            UNKNOWN.to_owned()
        }
        Kind::PropertyNames { .. } => "has a field whose name is not allowed".to_owned(),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => {
            "fits none of the allowed forms".to_owned()
        }
        Kind::OneOfMultipleValid { .. } => {
            "fits several of the allowed forms, and has to fit one".to_owned()
        }
        Kind::Not { .. } => "has a form that is not allowed".to_owned(),
        // Whatever else there is or will be: it says less, and gives nothing away.
        _ => "is not valid".to_owned(),
    }
}

/// What is said of a field that the schema does not have.
pub(super) const UNKNOWN: &str = "is not a field here";

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => type_name(*one).to_owned(),
        TypeKind::Multiple(several) => {
            let names: Vec<_> = several.iter().map(type_name).collect();
            names.join(" or ")
        }
    }
}

fn type_name(one: JsonType) -> &'static str {
    match one {
        JsonType::Null => "nothing",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Number => "a number",
        JsonType::String => "text",
        JsonType::Array => "a list",
        JsonType::Object => "a group of fields",
    }
}

fn format_name(format: &str) -> &'static str {
    match format {
        "date" => "a date, such as 2031-01-31",
        "date-time" => "a date and time, such as 2031-01-31T09:30:00Z",
        "email" => "an e-mail address",
        "hostname" => "the name of a host",
        "ipv4" => "an IPv4 address",
        "ipv6" => "an IPv6 address",
        "iri" | "uri" => "a full web address, such as https://example.com",
        "regex" => {
            "a regular expression, without look-around and back-references, and not too large"
        }
        "time" => "a time, such as 09:30:00Z",
        "uuid" => "a UUID",
        _ => "of the expected form",
    }
}

fn one_of(options: &Value) -> String {
    let shown: Option<Vec<String>> = options
        .as_array()
        .filter(|options| (1..=MAX_OPTIONS).contains(&options.len()))
        .and_then(|options| options.iter().map(shown).collect());
    match shown {
        Some(values) => format!("must be one of: {}", values.join(", ")),
        None => "must be one of the values that are offered".to_owned(),
    }
}

/// Returns a value of the schema, if it is short and fit for a line of text.
fn shown(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    let fit = !text.is_empty()
        && text.chars().count() <= MAX_VALUE
        && !text.chars().any(char::is_control);
    fit.then_some(text)
}

fn entries(number: u64) -> String {
    match number {
        1 => "1 entry".to_owned(),
        number => format!("{number} entries"),
    }
}

fn count(number: u64, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        number => format!("{number} {thing}s"),
    }
}
