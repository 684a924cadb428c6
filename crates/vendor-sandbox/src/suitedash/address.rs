use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::suitedash::body::{Body, Change};

/// What an address is made of.
pub(super) const PARTS: [&str; 6] = [
    "address_line_1",
    "address_line_2",
    "city",
    "state",
    "country",
    "zip",
];

#[derive(Clone, Debug, Default)]
pub(super) struct Address(BTreeMap<&'static str, String>);

impl Address {
    /// Reads an address, which replaces the one that was there.
    pub(super) fn read(body: &mut Body) -> Self {
        let mut parts = BTreeMap::new();
        for part in PARTS {
            if let Change::Set(text) = body.text(part) {
                parts.insert(part, text);
            }
        }
        Self(parts)
    }

    pub(super) fn view(&self) -> Value {
        let part = |name: &&'static str| {
            let text = self.0.get(name).cloned();
            ((*name).to_owned(), text.map_or(Value::Null, Value::from))
        };
        PARTS.iter().map(part).collect::<Map<_, _>>().into()
    }

    /// The parts in one line; `None` when there are none.
    pub(super) fn in_full(&self) -> Option<String> {
        let parts: Vec<&str> = PARTS
            .iter()
            .filter_map(|part| self.0.get(part))
            .map(String::as_str)
            .filter(|text| !text.is_empty())
            .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}
