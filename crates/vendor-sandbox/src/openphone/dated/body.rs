//! The body of a dated request.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::exchange::Call;
use crate::openphone::check::{Given, Issues, Text};
use crate::openphone::error::{ApiError, Area};

/// A body that is an object, read name by name.
pub(super) struct Body {
    object: Map<String, Value>,
    issues: Issues,
    area: Area,
}

impl Body {
    pub(super) fn read(call: &Call<'_>, area: Area) -> Result<Self, ApiError> {
        let body = call
            .json()
            .map_err(|error| ApiError::refused(area, format!("Invalid JSON: {error}")))?;
        let mut issues = Issues::default();
        let object = match body {
            Some(Value::Object(object)) => object,
            other => {
                issues.add("/body", "must be object", other.as_ref(), "object");
                Map::new()
            }
        };
        Ok(Self {
            object,
            issues,
            area,
        })
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.object.get(name)
    }

    pub(super) fn refuse(&mut self, name: &str, message: &str, kind: &'static str) {
        let path = format!("/body/{name}");
        let value = self.object.get(name);
        self.issues.add(&path, message, value, kind);
    }

    pub(super) fn text(&mut self, name: &str, rule: Text) -> Option<String> {
        match self.object.get(name)? {
            Value::String(text) => match rule.dated_fault(text) {
                None => return Some(text.clone()),
                Some(message) => self.refuse(name, &message, "string"),
            },
            _ => self.refuse(name, "must be string", "string"),
        }
        None
    }

    /// Refuses a body that does not have this name.
    pub(super) fn needs(&mut self, name: &str, kind: &'static str) {
        if !self.object.contains_key(name) {
            let message = format!("must have required property '{name}'");
            self.refuse(name, &message, kind);
        }
    }

    pub(super) fn required(&mut self, name: &str, rule: Text) -> String {
        self.needs(name, "string");
        self.text(name, rule).unwrap_or_default()
    }

    /// Reads a text that may be null.
    pub(super) fn nullable(&mut self, name: &str, rule: Text) -> Given {
        match self.object.get(name) {
            None => Given::Absent,
            Some(Value::Null) => Given::Null,
            Some(_) => self.text(name, rule).into(),
        }
    }

    /// Reads something of any type. There is no leaving it open: null is refused.
    pub(super) fn value(&mut self, name: &str) -> Option<Value> {
        let value = self.object.get(name)?.clone();
        if value.is_null() {
            self.refuse(name, "must match a schema in anyOf", "string");
            return None;
        }
        Some(value)
    }

    pub(super) fn time(&mut self, name: &str) -> Option<DateTime<Utc>> {
        let text = self.text(name, Text::DATE_TIME)?;
        DateTime::parse_from_rfc3339(&text)
            .ok()
            .map(|time| time.to_utc())
    }

    pub(super) fn one_of<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.object.get(name)?.as_str();
        let chosen = choices.iter().find(|(choice, _)| Some(*choice) == text);
        if chosen.is_none() {
            self.refuse(name, "must be equal to one of the allowed values", "string");
        }
        chosen.map(|(_, chosen)| *chosen)
    }

    /// Ends the reading.
    pub(super) fn finish(self) -> Result<(), ApiError> {
        if self.issues.0.is_empty() {
            Ok(())
        } else {
            Err(ApiError::failed_validation(self.area, self.issues.0))
        }
    }
}
