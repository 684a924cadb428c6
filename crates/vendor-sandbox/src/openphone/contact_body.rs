//! The bodies of create and update, read and checked.

use serde_json::{Map, Value};

use crate::openphone::check::{Given, Issues, Text};
use crate::openphone::error::{ApiError, Area};

/// Who sent the body, which decides what it must and may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Create,
    Update,
    /// Set up by a test: also what the app makes and the API may not, such as a reserved source.
    Seed,
}

/// A body of create or update.
#[derive(Debug, Default)]
pub(super) struct ContactBody {
    pub(super) external_id: Given,
    pub(super) source: Given,
    pub(super) source_url: Given,
    pub(super) created_by: Option<String>,
    pub(super) first_name: Given,
    pub(super) last_name: Given,
    pub(super) company: Given,
    pub(super) role: Given,
    pub(super) emails: Option<Vec<ItemBody>>,
    pub(super) phone_numbers: Option<Vec<ItemBody>>,
    pub(super) custom_fields: Option<Vec<CustomBody>>,
}

#[derive(Debug)]
pub(super) struct ItemBody {
    pub(super) id: Option<String>,
    pub(super) name: String,
    pub(super) value: Option<String>,
}

#[derive(Debug)]
pub(super) struct CustomBody {
    pub(super) id: Option<String>,
    pub(super) key: Option<String>,
    pub(super) value: Value,
}

const RESERVED_SOURCES: [&str; 6] = [
    "openphone",
    "device",
    "csv",
    "zapier",
    "google-people",
    "other",
];
const RESERVED_PREFIXES: [&str; 2] = ["openphone", "csv"];

impl ContactBody {
    pub(super) fn read(body: Option<&Value>, origin: Origin) -> Result<Self, ApiError> {
        let mut issues = Issues::default();
        let read = match body {
            Some(Value::Object(body)) => Self::read_object(body, origin, &mut issues),
            body => {
                issues.add("", "Expected object", body, "object");
                Self::default()
            }
        };
        issues.or(Area::Contacts).map(|()| read)
    }

    fn read_object(body: &Map<String, Value>, origin: Origin, issues: &mut Issues) -> Self {
        let mut read = Self::default();
        match body.get("defaultFields") {
            Some(Value::Object(fields)) => read.read_default_fields(fields, origin, issues),
            None if origin == Origin::Update => {}
            None => issues.missing("/defaultFields", "object"),
            other => issues.add("/defaultFields", "Expected object", other, "object"),
        }
        read.external_id =
            issues.nullable_text("/externalId", body.get("externalId"), Text::length(1, 75));
        if origin != Origin::Update {
            // Update does not know this name, and so does not look at what it says.
            let created_by = body.get("createdByUserId");
            read.created_by = issues.text("/createdByUserId", created_by, Text::USER_ID);
        }
        let (source, source_url) = (body.get("source"), body.get("sourceUrl"));
        if origin == Origin::Create {
            // Null is not in the schema of create, and the length differs from update's.
            read.source = issues.text("/source", source, Text::length(1, 72)).into();
            read.source_url = issues.text("/sourceUrl", source_url, Text::URI).into();
        } else {
            read.source = issues.nullable_text("/source", source, Text::length(1, 75));
            read.source_url = issues.nullable_text("/sourceUrl", source_url, Text::URI);
        }
        if origin != Origin::Seed
            && let Given::Text(source) = &read.source
            && is_reserved(source)
        {
            let value = Value::from(source.as_str());
            issues.add(
                "/source",
                "Expected source not to be reserved",
                Some(&value),
                "string",
            );
        }
        read.custom_fields = read_list(issues, "/customFields", body.get("customFields"), custom);
        read
    }

    fn read_default_fields(
        &mut self,
        fields: &Map<String, Value>,
        origin: Origin,
        issues: &mut Issues,
    ) {
        let mut text = |name: &str| {
            issues.nullable_text(
                &format!("/defaultFields/{name}"),
                fields.get(name),
                Text::ANY,
            )
        };
        self.first_name = text("firstName");
        self.last_name = text("lastName");
        self.company = text("company");
        self.role = text("role");
        if origin != Origin::Update && !fields.contains_key("firstName") {
            issues.missing("/defaultFields/firstName", "string");
        }
        self.emails = read_list(issues, "/defaultFields/emails", fields.get("emails"), item);
        let numbers = fields.get("phoneNumbers");
        self.phone_numbers = read_list(issues, "/defaultFields/phoneNumbers", numbers, item);
    }
}

fn is_reserved(source: &str) -> bool {
    RESERVED_SOURCES.contains(&source)
        || RESERVED_PREFIXES
            .iter()
            .any(|prefix| source.starts_with(prefix))
}

fn read_list<T>(
    issues: &mut Issues,
    path: &str,
    list: Option<&Value>,
    read: impl Fn(&mut Issues, &str, &Map<String, Value>) -> Option<T>,
) -> Option<Vec<T>> {
    let Value::Array(list) = list? else {
        issues.add(path, "Expected array", list, "array");
        return None;
    };
    let mut items = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        let path = format!("{path}/{index}");
        match value {
            Value::Object(object) => items.extend(read(issues, &path, object)),
            value => issues.add(&path, "Expected object", Some(value), "object"),
        }
    }
    Some(items)
}

fn item(issues: &mut Issues, path: &str, object: &Map<String, Value>) -> Option<ItemBody> {
    for name in ["name", "value"] {
        if !object.contains_key(name) {
            issues.missing(&format!("{path}/{name}"), "string");
        }
    }
    let name = issues.text(&format!("{path}/name"), object.get("name"), Text::ANY);
    let value = issues.nullable_text(&format!("{path}/value"), object.get("value"), Text::ANY);
    let id = issues.text(&format!("{path}/id"), object.get("id"), Text::ANY);
    Some(ItemBody {
        id,
        name: name?,
        value: value.text(),
    })
}

fn custom(issues: &mut Issues, path: &str, object: &Map<String, Value>) -> Option<CustomBody> {
    let key = issues.text(&format!("{path}/key"), object.get("key"), Text::ANY);
    let id = issues.text(&format!("{path}/id"), object.get("id"), Text::ANY);
    let path = format!("{path}/value");
    match object.get("value") {
        None => issues.missing(&path, "string"),
        Some(Value::Object(_)) => {
            issues.add(&path, "Expected union value", object.get("value"), "string");
        }
        Some(Value::Array(options)) if !options.iter().all(Value::is_string) => {
            issues.add(&path, "Expected union value", object.get("value"), "string");
        }
        Some(value) => {
            return Some(CustomBody {
                id,
                key,
                value: value.clone(),
            });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn first_issue(body: &Value, origin: Origin) -> Option<String> {
        ContactBody::read(Some(body), origin)
            .err()
            .map(|error| error.summary())
    }

    #[test]
    fn reserved_sources_are_refused_to_the_api_and_open_to_a_seed() {
        for source in [
            "openphone",
            "openphone-x",
            "device",
            "csv",
            "csv2",
            "zapier",
            "other",
        ] {
            let body = json!({ "defaultFields": { "firstName": null }, "source": source });
            for origin in [Origin::Create, Origin::Update] {
                let issue = first_issue(&body, origin).unwrap();
                assert!(issue.starts_with("/source"), "{issue}");
            }
            assert_eq!(first_issue(&body, Origin::Seed), None);
        }
        for source in ["public-api", "zapier-2", "my-openphone", "others"] {
            let body = json!({ "defaultFields": { "firstName": null }, "source": source });
            assert_eq!(first_issue(&body, Origin::Create), None, "{source}");
        }
    }
}
