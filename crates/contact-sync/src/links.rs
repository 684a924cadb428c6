//! What the vendors call a contact, under names that a host's own table can have as columns.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ids::{RemoteId, TargetName};

/// What follows a target's name in the serialised form.
const SUFFIX: &str = "_contact_id";

/// The ids that the vendors have given a contact.
///
/// It serialises as one flat map with a key for each vendor, `openphone_contact_id` and its kin.
///
/// ```
/// use contact_sync::Links;
///
/// let links: Links = [("openphone".into(), "66d0d87e8dc1211467372303".into())].into_iter().collect();
/// assert_eq!(links.get("openphone").map(|id| id.as_str()), Some("66d0d87e8dc1211467372303"));
/// let json = serde_json::to_string(&links)?;
/// assert_eq!(json, r#"{"openphone_contact_id":"66d0d87e8dc1211467372303"}"#);
/// assert_eq!(serde_json::from_str::<Links>(&json)?, links);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links(BTreeMap<TargetName, RemoteId>);

impl Links {
    /// Returns what a target calls the contact.
    pub fn get(&self, target: &str) -> Option<&RemoteId> {
        self.0.get(&TargetName::from(target))
    }

    /// Returns every target with what it calls the contact, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&TargetName, &RemoteId)> {
        self.0.iter()
    }

    /// Tells whether no vendor has the contact.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns how many vendors have the contact.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl FromIterator<(TargetName, RemoteId)> for Links {
    fn from_iter<I: IntoIterator<Item = (TargetName, RemoteId)>>(links: I) -> Self {
        Self(links.into_iter().collect())
    }
}

impl Serialize for Links {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            self.iter()
                .map(|(target, remote)| (format!("{target}{SUFFIX}"), remote)),
        )
    }
}

impl<'de> Deserialize<'de> for Links {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Keys)
    }
}

struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = Links;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a map of keys that end in `{SUFFIX}`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Links, A::Error> {
        let mut links = BTreeMap::new();
        while let Some((key, remote)) = map.next_entry::<String, Option<RemoteId>>()? {
            let target = key
                .strip_suffix(SUFFIX)
                .ok_or_else(|| de::Error::unknown_field(&key, &["<target>_contact_id"]))?;
            if let Some(remote) = remote {
                links.insert(TargetName::from(target), remote);
            }
        }
        Ok(Links(links))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_that_is_null_is_no_link_and_a_strange_key_is_refused() {
        let json = r#"{"openphone_contact_id":null,"suitedash_contact_id":"7"}"#;
        let links: Links = serde_json::from_str(json).unwrap();
        assert_eq!((links.len(), links.get("openphone")), (1, None));
        assert!(serde_json::from_str::<Links>(r#"{"openphone":"7"}"#).is_err());
    }
}
