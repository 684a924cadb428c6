use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Map, Number, Value, json};

use crate::suitedash::attributes::RecordKind;
use crate::suitedash::body::{Body, Change};
use crate::suitedash::profile::{read_custom_fields, read_texts, write_texts};
use crate::suitedash::store::{Record, synthetic_time};
use crate::suitedash::world::World;

/// Texts that are shown as null where there are none.
const NULLABLE: &[&str] = &[
    "start_date",
    "end_date",
    "info_description",
    "info_title_client",
    "info_description_client",
    "business_sector",
];
/// Texts that are left out where there are none.
const OPTIONAL: &[&str] = &["due_time", "estimated_value_currency"];

#[derive(Clone, Debug)]
pub(super) struct Project {
    pub(super) name: String,
    pub(super) status: String,
    texts: BTreeMap<&'static str, String>,
    estimated_value: Option<Number>,
    pub(super) custom_fields: Map<String, Value>,
    /// The UID of the contact it is done for.
    pub(super) client: Option<String>,
    pub(super) created: DateTime<Utc>,
}

impl Project {
    pub(super) fn new(name: String, status: String, created: DateTime<Utc>) -> Self {
        Self {
            name,
            status,
            texts: BTreeMap::new(),
            estimated_value: None,
            custom_fields: Map::new(),
            client: None,
            created,
        }
    }

    /// Forgets what an update may leave out.
    pub(super) fn clear(&mut self) {
        self.texts.clear();
        self.estimated_value = None;
        self.custom_fields.clear();
    }

    /// Changes what the body names.
    pub(super) fn read(&mut self, body: &mut Body, world: &World) {
        if body.has("name") {
            self.name = body.needed("name");
        }
        match body.text("status") {
            Change::Keep => {}
            Change::Clear => body.problem("status", "is required"),
            Change::Set(status) => match normalised(&status, &world.statuses) {
                Some(status) => status.clone_into(&mut self.status),
                None => body.problem("status", "is not a status of this account"),
            },
        }
        read_texts(&mut self.texts, body, NULLABLE);
        read_texts(&mut self.texts, body, OPTIONAL);
        for (name, fits, problem) in [
            (
                "start_date",
                is_date as fn(&str) -> bool,
                "must be yyyy-mm-dd",
            ),
            ("end_date", is_date, "must be yyyy-mm-dd"),
            ("due_time", is_half_hour, "must be HH:00 or HH:30"),
        ] {
            if self.texts.get(name).is_some_and(|text| !fits(text)) {
                body.problem(name, problem);
            }
        }
        match body.take("estimated_value") {
            None => {}
            Some(Value::Null) => self.estimated_value = None,
            Some(Value::Number(value)) => self.estimated_value = Some(value),
            Some(_) => body.problem("estimated_value", "must be a number"),
        }
        let name = "project_custom_fields";
        let of = RecordKind::Project;
        read_custom_fields(&mut self.custom_fields, body, name, of, &world.fields);
    }
}

impl Record for Project {
    fn synthetic(_dice: u64, place: u64) -> Self {
        let name = format!("Synthetic project {place}");
        Self::new(name, "In Progress".to_owned(), synthetic_time(place))
    }

    fn created(&self) -> DateTime<Utc> {
        self.created
    }
}

/// Writes a project the way the API shows it.
pub(super) fn view(world: &World, place: u64) -> Option<Value> {
    let project = world.projects.get(place)?;
    let mut view = Map::new();
    write_texts(&project.texts, &mut view, NULLABLE);
    for name in OPTIONAL {
        if let Some(text) = project.texts.get(name) {
            view.insert((*name).to_owned(), json!(text));
        }
    }
    if let Some(value) = &project.estimated_value {
        view.insert("estimated_value".to_owned(), json!(value));
    }
    if let Some(client) = &project.client {
        view.insert("client".to_owned(), json!({ "uid": client }));
    }
    for (name, value) in [
        ("uid", json!(world.projects.uid(place))),
        ("name", json!(project.name)),
        ("status", json!(project.status)),
        ("project_custom_fields", json!(project.custom_fields)),
    ] {
        view.insert(name.to_owned(), value);
    }
    Some(view.into())
}

/// Finds the account's own spelling of a status: a live update answered with another spelling than
/// it was sent.
fn normalised<'a>(status: &str, known: &'a [String]) -> Option<&'a str> {
    let bare = |text: &str| -> String {
        let letters = text.chars().filter(|letter| letter.is_alphanumeric());
        letters.flat_map(char::to_lowercase).collect()
    };
    let wanted = bare(status);
    let mut known = known.iter();
    known
        .find(|known| bare(known) == wanted)
        .map(String::as_str)
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

fn is_half_hour(text: &str) -> bool {
    let Some((hour, minute)) = text.split_once(':') else {
        return false;
    };
    let digits = hour.len() == 2 && hour.bytes().all(|byte| byte.is_ascii_digit());
    digits && hour < "24" && matches!(minute, "00" | "30")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_comes_back_in_the_spelling_of_the_account() {
        let known = ["In Progress".to_owned(), "Done".to_owned()];
        for sent in ["In Progress", "in_progress", "IN-PROGRESS"] {
            assert_eq!(normalised(sent, &known), Some("In Progress"));
        }
        assert_eq!(normalised("Started", &known), None);
    }

    #[test]
    fn dates_and_times_have_one_form() {
        assert!(is_date("2026-11-01"));
        for wrong in ["2026-1-1", "2026-02-30", "01.11.2026", ""] {
            assert!(!is_date(wrong), "{wrong}");
        }
        assert!(is_half_hour("00:00") && is_half_hour("23:30"));
        for wrong in ["24:00", "9:00", "09:15", "0900", "+9:00"] {
            assert!(!is_half_hour(wrong), "{wrong}");
        }
    }
}
