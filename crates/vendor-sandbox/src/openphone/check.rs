//! Validation that reports the way the vendor's validator does.
//!
//! Of its messages only "Expected array" was seen in a live answer; the rest is worded as that
//! validator words them elsewhere.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::openphone::error::{ApiError, Area, Issue, Schema};
pub(super) use crate::openphone::text_rule::{Text, is_e164};

/// What is wrong with a request, in the order in which it was read.
#[derive(Debug, Default)]
pub(super) struct Issues(pub(super) Vec<Issue>);

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
            schema: Schema {
                r#type: kind,
                pattern: None,
            },
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
