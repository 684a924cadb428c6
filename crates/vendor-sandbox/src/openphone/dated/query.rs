//! The query of a dated request, and its pages.

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use crate::exchange::{Call, Outcome, Reply};
use crate::openphone::check::{Issues, Text};
use crate::openphone::error::{ApiError, Area};
use crate::openphone::page::{last_id, next_token};
use crate::openphone::state::State;

/// The query, read name by name.
pub(super) struct Query {
    pairs: Vec<(String, String)>,
    issues: Issues,
    known: Vec<&'static str>,
}

/// Which part of a list is asked for.
pub(super) struct Paging {
    area: Area,
    limit: usize,
    after: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    data: &'a [Value],
    next_cursor: Option<String>,
}

impl Query {
    pub(super) fn new(call: &Call<'_>) -> Self {
        Self {
            pairs: call.query_pairs(),
            issues: Issues::default(),
            known: Vec::new(),
        }
    }

    fn one(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        let found = self.pairs.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone())
    }

    fn refuse(&mut self, name: &str, message: String, value: &Value, kind: &'static str) {
        self.issues
            .add(&format!("/query/{name}"), message, Some(value), kind);
    }

    pub(super) fn text(&mut self, name: &'static str, rule: Text) -> Option<String> {
        let text = self.one(name)?;
        if let Some(message) = rule.dated_fault(&text) {
            self.refuse(name, message, &Value::from(text), "string");
            return None;
        }
        Some(text)
    }

    pub(super) fn one_of<T: Copy>(
        &mut self,
        name: &'static str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let text = self.one(name)?;
        let chosen = choices.iter().find(|(choice, _)| *choice == text);
        if chosen.is_none() {
            let message = "must be equal to one of the allowed values".to_owned();
            self.refuse(name, message, &Value::from(text), "string");
        }
        chosen.map(|(_, chosen)| *chosen)
    }

    /// Reads a list, written with commas.
    pub(super) fn list(&mut self, name: &'static str, rule: Text) -> Option<Vec<String>> {
        let text = self.one(name)?;
        let items: Vec<String> = text.split(',').map(|item| item.trim().to_owned()).collect();
        let fault = items.iter().find_map(|item| rule.dated_fault(item));
        if let Some(message) = fault {
            self.refuse(name, message, &Value::from(text), "array");
            return None;
        }
        Some(items)
    }

    /// Reads `name` and `name[in]`; with both, what either has is wanted.
    pub(super) fn any_of(
        &mut self,
        name: &'static str,
        list: &'static str,
        rule: Text,
    ) -> Option<Vec<String>> {
        let one = self.text(name, rule);
        let mut wanted = self.list(list, rule);
        if let Some(one) = one {
            wanted.get_or_insert_default().push(one);
        }
        wanted
    }

    /// Reads a list of words, each of which must be known.
    pub(super) fn words(&mut self, name: &'static str, known: &[&str]) -> Vec<String> {
        let words = self.list(name, Text::ANY).unwrap_or_default();
        if words.iter().any(|word| !known.contains(&word.as_str())) {
            let message = "must be equal to one of the allowed values".to_owned();
            self.refuse(name, message, &Value::from(words.join(",")), "string");
        }
        words
    }

    pub(super) fn time(&mut self, name: &'static str) -> Option<DateTime<Utc>> {
        let text = self.text(name, Text::DATE_TIME)?;
        DateTime::parse_from_rfc3339(&text)
            .ok()
            .map(|time| time.to_utc())
    }

    /// Ends the reading with `limit` and `after`.
    pub(super) fn paging(mut self, state: &State, area: Area) -> Result<Paging, ApiError> {
        let (limit, after) = self.limits(10, 50);
        self.finish(state, area)?;
        Ok(Paging { area, limit, after })
    }

    /// Ends the reading with the larger limits that tasks have.
    pub(super) fn task_paging(mut self, state: &State, area: Area) -> Result<Paging, ApiError> {
        let (limit, after) = self.limits(50, 100);
        self.finish(state, area)?;
        Ok(Paging { area, limit, after })
    }

    fn limits(&mut self, usual: usize, most: usize) -> (usize, Option<String>) {
        let after = self.one("after");
        let Some(text) = self.one("limit") else {
            return (usual, after);
        };
        let (message, value) = match text.parse::<i64>() {
            Err(_) => ("must be integer".to_owned(), Value::from(text)),
            Ok(number) => match usize::try_from(number) {
                Ok(limit) if (1..=most).contains(&limit) => return (limit, after),
                Ok(limit) if limit > most => (format!("must be <= {most}"), Value::from(number)),
                _ => ("must be >= 1".to_owned(), Value::from(number)),
            },
        };
        self.refuse("limit", message, &value, "integer");
        (usual, after)
    }

    /// Ends the reading of a query that has no pages.
    pub(super) fn finish(mut self, state: &State, area: Area) -> Result<(), ApiError> {
        if state.options.refuse_unknown_query {
            let pairs = std::mem::take(&mut self.pairs);
            for (key, value) in pairs {
                if !self.known.contains(&key.as_str()) {
                    let message = "must NOT have additional properties".to_owned();
                    self.refuse(&key, message, &Value::from(value), "string");
                }
            }
        }
        if self.issues.0.is_empty() {
            Ok(())
        } else {
            Err(ApiError::failed_validation(area, self.issues.0))
        }
    }
}

impl Paging {
    /// How many items the page may have.
    pub(super) const fn limit(&self) -> usize {
        self.limit
    }

    fn after_id(&self) -> Result<Option<String>, ApiError> {
        self.after
            .as_deref()
            .map(|after| last_id(self.area, after))
            .transpose()
    }

    /// The place at which the page begins, found by the id that the last one ended with.
    pub(super) fn start(&self, place: impl FnOnce(&str) -> Option<u64>) -> Result<u64, ApiError> {
        match self.after_id()? {
            None => Ok(0),
            Some(id) => place(&id)
                .map(|place| place + 1)
                .ok_or_else(|| self.bad_cursor()),
        }
    }

    /// Answers the page of a list that begins there; each item comes with its id.
    pub(super) fn reply(&self, items: impl Iterator<Item = (String, Value)>) -> Outcome {
        let (ids, data): (Vec<_>, Vec<_>) = items.take(self.limit).unzip();
        let next_cursor = next_token(data.len(), self.limit, ids.last().map(String::as_str));
        let page = Page {
            data: &data,
            next_cursor,
        };
        Reply::json(StatusCode::OK, &page).into()
    }

    /// Answers the page of a list that is given as a whole.
    pub(super) fn reply_part(
        &self,
        items: impl IntoIterator<Item = (String, Value)>,
    ) -> Result<Outcome, ApiError> {
        let items: Vec<_> = items.into_iter().collect();
        let start = match self.after_id()? {
            None => 0,
            Some(after) => {
                let known = items.iter().position(|(id, _)| *id == after);
                known.ok_or_else(|| self.bad_cursor())? + 1
            }
        };
        Ok(self.reply(items.into_iter().skip(start)))
    }

    fn bad_cursor(&self) -> ApiError {
        ApiError::refused(self.area, "Invalid cursor".to_owned())
    }
}
