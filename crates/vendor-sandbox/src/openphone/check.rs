//! Validation that reports the way the vendor's validator does.
//!
//! Of its messages only "Expected array" was seen in a live answer; the rest is worded as that
//! validator words them elsewhere.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::openphone::error::{ApiError, Area, Issue, Schema};

pub(super) const E164: &str = r"^\+[1-9]\d{1,14}$";

/// What is wrong with a request, in the order in which it was read.
#[derive(Debug, Default)]
pub(super) struct Issues(Vec<Issue>);

impl Issues {
    pub(super) fn add(
        &mut self,
        path: &str,
        message: impl Into<String>,
        value: Option<&Value>,
        kind: &'static str,
    ) {
        self.0.push(Issue {
            path: path.to_owned(),
            message: message.into(),
            value: value.cloned(),
            schema: Schema { r#type: kind },
        });
    }

    pub(super) fn missing(&mut self, path: &str, kind: &'static str) {
        self.add(path, "Expected required property", None, kind);
    }

    pub(super) fn or(self, area: Area) -> Result<(), ApiError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(ApiError::invalid(area, self.0))
        }
    }

    /// Reads an optional string that may not be null.
    pub(super) fn text(&mut self, path: &str, value: Option<&Value>, rule: Text) -> Option<String> {
        let value = value?;
        match value.as_str() {
            None => self.add(path, "Expected string", Some(value), "string"),
            Some(text) => match rule.broken_by(text) {
                Some(message) => self.add(path, message, Some(value), "string"),
                None => return Some(text.to_owned()),
            },
        }
        None
    }

    /// Reads an optional string that may be null.
    pub(super) fn nullable_text(&mut self, path: &str, value: Option<&Value>, rule: Text) -> Given {
        match value {
            None => Given::Absent,
            Some(Value::Null) => Given::Null,
            Some(Value::String(text)) if rule.broken_by(text).is_none() => {
                Given::Text(text.clone())
            }
            value => {
                self.add(path, "Expected union value", value, "string");
                Given::Absent
            }
        }
    }
}

/// What a body says of a text that may be null.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Given {
    #[default]
    Absent,
    Null,
    Text(String),
}

impl Given {
    /// Returns the text; absent and null alike are none.
    pub(super) fn text(self) -> Option<String> {
        match self {
            Self::Absent | Self::Null => None,
            Self::Text(text) => Some(text),
        }
    }

    /// Puts the text or null into a field, which stays as it is when absent.
    pub(super) fn replace(self, field: &mut Option<String>) {
        if self != Self::Absent {
            *field = self.text();
        }
    }
}

impl From<Option<String>> for Given {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::Absent, Self::Text)
    }
}

/// A rule for a string.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    min: usize,
    max: usize,
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Any,
    Prefix(&'static str),
    E164,
    /// The id of an own number, or a number.
    OwnNumber,
    NotBlank,
    Uri,
    DateTime,
}

impl Text {
    pub(super) const ANY: Self = Self {
        min: 0,
        max: usize::MAX,
        form: Form::Any,
    };
    pub(super) const USER_ID: Self = Self {
        form: Form::Prefix("US"),
        ..Self::ANY
    };
    pub(super) const PHONE_NUMBER_ID: Self = Self {
        form: Form::Prefix("PN"),
        ..Self::ANY
    };
    pub(super) const ACTIVITY_ID: Self = Self {
        form: Form::Prefix("AC"),
        ..Self::ANY
    };
    pub(super) const WEBHOOK_ID: Self = Self {
        form: Form::Prefix("WH"),
        ..Self::ANY
    };
    pub(super) const CONVERSATION_ID: Self = Self {
        form: Form::Prefix("CN"),
        ..Self::ANY
    };
    pub(super) const TASK_ID: Self = Self {
        form: Form::Prefix("TK"),
        ..Self::ANY
    };
    pub(super) const OWN_NUMBER: Self = Self {
        form: Form::OwnNumber,
        ..Self::ANY
    };
    pub(super) const DATE_TIME: Self = Self {
        form: Form::DateTime,
        ..Self::ANY
    };
    pub(super) const E164: Self = Self {
        form: Form::E164,
        ..Self::ANY
    };
    pub(super) const CONTENT: Self = Self {
        min: 1,
        max: 1600,
        form: Form::NotBlank,
    };
    pub(super) const URI: Self = Self {
        min: 1,
        max: 200,
        form: Form::Uri,
    };

    /// A URI of any length.
    pub(super) const ANY_URI: Self = Self {
        form: Form::Uri,
        ..Self::ANY
    };

    pub(super) const fn length(min: usize, max: usize) -> Self {
        Self {
            min,
            max,
            form: Form::Any,
        }
    }

    /// Says what is wrong with a string, if anything. Lengths count Unicode characters, as JSON
    /// Schema does; whether the vendor counts UTF-16 units instead is not known.
    pub(super) fn broken_by(self, text: &str) -> Option<String> {
        let length = text.chars().count();
        if length < self.min {
            return Some(format!(
                "Expected string length greater or equal to {}",
                self.min
            ));
        }
        if length > self.max {
            return Some(format!(
                "Expected string length less or equal to {}",
                self.max
            ));
        }
        match self.form {
            Form::Any => None,
            Form::Prefix(prefix) if text.starts_with(prefix) => None,
            Form::Prefix(prefix) => Some(format!("Expected string to match '^{prefix}(.*)$'")),
            Form::E164 if is_e164(text) => None,
            Form::E164 => Some(format!("Expected string to match '{E164}'")),
            Form::OwnNumber if text.starts_with("PN") || is_e164(text) => None,
            Form::OwnNumber => Some("Expected union value".to_owned()),
            Form::DateTime if DateTime::parse_from_rfc3339(text).is_ok() => None,
            Form::DateTime => Some("Expected string to match 'date-time' format".to_owned()),
            Form::NotBlank if text.chars().any(|char| !char.is_whitespace()) => None,
            Form::NotBlank => Some(r"Expected string to match '.*\S.*'".to_owned()),
            Form::Uri if url::Url::parse(text).is_ok() => None,
            Form::Uri => Some("Expected string to match 'uri' format".to_owned()),
        }
    }
}

pub(super) fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (2..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0')
    })
}

/// The query of a request, read name by name.
pub(super) struct Query {
    pairs: Vec<(String, String)>,
    issues: Issues,
    known: Vec<&'static str>,
}

impl Query {
    pub(super) fn new(pairs: Vec<(String, String)>) -> Self {
        Self {
            pairs,
            issues: Issues::default(),
            known: Vec::new(),
        }
    }

    fn values(&mut self, name: &'static str) -> Vec<String> {
        self.known.push(name);
        let found = self.pairs.iter().filter(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).collect()
    }

    /// Takes the one value of a name; a second one makes it a list, which is refused.
    fn one(&mut self, name: &'static str, kind: &'static str) -> Option<String> {
        let mut values = self.values(name);
        if values.len() > 1 {
            let value = Value::from(values);
            self.issues.add(
                &format!("/{name}"),
                format!("Expected {kind}"),
                Some(&value),
                kind,
            );
            return None;
        }
        values.pop()
    }

    pub(super) fn text(&mut self, name: &'static str, rule: Text) -> Option<String> {
        let value = Value::from(self.one(name, "string")?);
        self.issues.text(&format!("/{name}"), Some(&value), rule)
    }

    pub(super) fn required_text(&mut self, name: &'static str, rule: Text) -> String {
        if !self.pairs.iter().any(|(key, _)| key == name) {
            self.issues.missing(&format!("/{name}"), "string");
        }
        self.text(name, rule).unwrap_or_default()
    }

    /// Reads a list in the form of repeated keys. The form `name[]=` was seen refused with this
    /// message on one operation, while others claim success with it: it is refused everywhere.
    pub(super) fn list(&mut self, name: &'static str, rule: Text) -> Option<Vec<String>> {
        let path = format!("/{name}");
        let bracketed = format!("{name}[]");
        if let Some((_, value)) = self.pairs.iter().find(|(key, _)| *key == bracketed) {
            let value = Value::from(value.as_str());
            self.issues
                .add(&path, "Expected array", Some(&value), "array");
            return None;
        }
        let values = self.values(name);
        for (index, text) in values.iter().enumerate() {
            let value = Value::from(text.as_str());
            self.issues
                .text(&format!("{path}/{index}"), Some(&value), rule);
        }
        Some(values).filter(|values| !values.is_empty())
    }

    pub(super) fn required_list(
        &mut self,
        name: &'static str,
        rule: Text,
        max: usize,
    ) -> Vec<String> {
        let path = format!("/{name}");
        let before = self.issues.0.len();
        let values = self.list(name, rule);
        match &values {
            None if self.issues.0.len() == before => self.issues.missing(&path, "array"),
            values => self.at_most(name, values.as_deref(), max),
        }
        values.unwrap_or_default()
    }

    /// Refuses a list that is longer than it may be.
    pub(super) fn at_most(&mut self, name: &str, values: Option<&[String]>, max: usize) {
        if let Some(values) = values.filter(|values| values.len() > max) {
            let message = format!("Expected array length to be less or equal to {max}");
            let value = Value::from(values);
            self.issues
                .add(&format!("/{name}"), message, Some(&value), "array");
        }
    }

    pub(super) fn flag(&mut self, name: &'static str) -> Option<bool> {
        let text = self.one(name, "boolean")?;
        match text.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                let value = Value::from(text);
                self.issues.add(
                    &format!("/{name}"),
                    "Expected boolean",
                    Some(&value),
                    "boolean",
                );
                None
            }
        }
    }

    /// Reads `maxResults`, which the vendor declares required although it has a default.
    pub(super) fn max_results(&mut self, max: usize) -> usize {
        let path = "/maxResults";
        if !self.pairs.iter().any(|(key, _)| key == "maxResults") {
            self.known.push("maxResults");
            self.issues.missing(path, "integer");
            return 1;
        }
        let Some(text) = self.one("maxResults", "integer") else {
            return 1;
        };
        let value = Value::from(text.as_str());
        let mut refuse = |message: String| {
            self.issues.add(path, message, Some(&value), "integer");
            1
        };
        match text.parse::<i64>() {
            Err(_) => refuse("Expected integer".to_owned()),
            Ok(number) => match usize::try_from(number) {
                Ok(number) if number > max => {
                    refuse(format!("Expected integer to be less or equal to {max}"))
                }
                Ok(number) if number >= 1 => number,
                _ => refuse("Expected integer to be greater or equal to 1".to_owned()),
            },
        }
    }

    pub(super) fn time(&mut self, name: &'static str) -> Option<DateTime<Utc>> {
        let text = self.one(name, "string")?;
        if let Ok(time) = DateTime::parse_from_rfc3339(&text) {
            return Some(time.to_utc());
        }
        let message = "Expected string to match 'date-time' format";
        self.issues.add(
            &format!("/{name}"),
            message,
            Some(&Value::from(text)),
            "string",
        );
        None
    }

    /// Ends the reading. Names that nobody asked for are ignored, or refused where the sandbox
    /// was told to: what the vendor does is not known.
    pub(super) fn finish(mut self, area: Area, refuse_unknown: bool) -> Result<(), ApiError> {
        if refuse_unknown {
            for (key, value) in &self.pairs {
                let asked = self.known.iter().any(|known| {
                    key.strip_prefix(known)
                        .is_some_and(|rest| rest.is_empty() || rest == "[]")
                });
                if !asked {
                    let value = Value::from(value.as_str());
                    self.issues.add(
                        &format!("/{key}"),
                        "Unexpected property",
                        Some(&value),
                        "string",
                    );
                }
            }
        }
        self.issues.or(area)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_e164_or_not() {
        for number in ["+12025550143", "+442079460000", "+12"] {
            assert!(is_e164(number), "{number}");
        }
        for number in [
            "",
            "+",
            "+1",
            "12025550143",
            "+02025550143",
            "+1202555014x",
            " +12025550143",
        ] {
            assert!(!is_e164(number), "{number}");
        }
        assert!(is_e164(&format!("+{}", "1".repeat(15))));
        assert!(!is_e164(&format!("+{}", "1".repeat(16))));
    }

    #[test]
    fn lengths_count_characters() {
        assert_eq!(Text::CONTENT.broken_by(&"ü".repeat(1600)), None);
        assert!(Text::CONTENT.broken_by(&"ü".repeat(1601)).is_some());
        assert!(Text::CONTENT.broken_by("").is_some());
        assert!(Text::CONTENT.broken_by(" \n\t").is_some());
    }
}
