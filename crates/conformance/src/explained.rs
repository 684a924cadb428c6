//! The breaches in which a specification is wrong.

use serde::Deserialize;

const FILE: &str = include_str!("../explained.json");

/// A breach that may stand, and must be there: one that is gone is no longer an explanation.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// The surface whose specification is wrong.
    surface: String,
    /// The vendor's name of the operation.
    pub(crate) operation: String,
    /// Where, as the report writes it.
    pub(crate) place: String,
    /// The broken rule, as the report writes it.
    pub(crate) rule: String,
    /// What the vendor does instead, and how that is known.
    reason: String,
}

/// The explained breaches of one surface.
pub(crate) struct Explained {
    entries: Vec<Entry>,
}

impl Explained {
    /// Reads those of `surface` from `explained.json`.
    pub(crate) fn of(surface: &str) -> Result<Self, String> {
        let mut entries = all()?;
        entries.retain(|entry| entry.surface == surface);
        Ok(Self { entries })
    }

    /// Every entry.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    #[cfg(test)]
    pub(crate) fn one(operation: &str, place: &str, rule: &str) -> Self {
        let text = |text: &str| text.to_owned();
        Self {
            entries: vec![Entry {
                surface: text("test"),
                operation: text(operation),
                place: text(place),
                rule: text(rule),
                reason: text("for the test"),
            }],
        }
    }
}

fn all() -> Result<Vec<Entry>, String> {
    let entries: Vec<Entry> =
        serde_json::from_str(FILE).map_err(|error| format!("explained.json: {error}"))?;
    match entries.iter().find(|entry| entry.reason.trim().is_empty()) {
        Some(entry) => Err(format!(
            "explained.json: {} {} has no reason",
            entry.operation, entry.place
        )),
        None => Ok(entries),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::SURFACES;

    #[test]
    fn every_entry_is_of_a_surface_and_stands_there_once() {
        let entries = all().unwrap();
        for (index, entry) in entries.iter().enumerate() {
            assert!(SURFACES.iter().any(|it| it.name == entry.surface));
            let same = |other: &Entry| {
                (&other.surface, &other.operation, &other.place, &other.rule)
                    == (&entry.surface, &entry.operation, &entry.place, &entry.rule)
            };
            assert_eq!(entries.iter().position(same), Some(index));
        }
    }
}
