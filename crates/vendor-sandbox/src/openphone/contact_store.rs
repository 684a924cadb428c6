//! Contacts in the order of their creation, a million of them if need be.
//!
//! A contact's id is its place in that order, so no index of ids is kept. Synthetic contacts are
//! not kept either: each is computed from the seed and its place whenever it is read, and takes
//! memory only once it has been changed or deleted.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::openphone::contact::{Contact, Item};
use crate::openphone::synthetic::mix;

/// The source of every synthetic contact.
const SYNTHETIC_SOURCE: &str = "public-api";
const SYNTHETIC_ID: &str = "synthetic-";
/// No synthetic contact stands at this place or behind it: an id has ten hex digits for the
/// place, and one half of what they can say is kept for contacts that are made one by one.
const SYNTHETIC_END: u64 = 1 << 39;

const FIRST_NAMES: [&str; 16] = [
    "Ada", "Björn", "Chloé", "Dmitri", "Élodie", "Farid", "Grace", "Hiro", "Ines", "Jamal", "Kira",
    "Lars", "Mei", "Noor", "Oscar", "Priya",
];
const LAST_NAMES: [&str; 16] = [
    "Adler", "Brandt", "Castillo", "Dubois", "Eriksen", "Fischer", "Garcia", "Hansen", "Ito",
    "Jensen", "Kowalski", "López", "Müller", "Novak", "O'Brien", "Petrov",
];

#[derive(Debug)]
enum Slot {
    Stored(Box<Contact>),
    /// A synthetic contact that was deleted.
    Gone,
}

/// Which contacts a list asks for; an empty filter asks for all.
#[derive(Debug, Default)]
pub(super) struct Filter {
    pub(super) external_ids: Option<Vec<String>>,
    pub(super) sources: Option<Vec<String>>,
}

#[derive(Debug)]
pub(super) struct ContactStore {
    seed: u64,
    /// The first 14 of 24 hex digits of every id.
    prefix: String,
    next: u64,
    slots: BTreeMap<u64, Slot>,
    synthetic: Vec<Range<u64>>,
    by_external_id: HashMap<String, BTreeSet<u64>>,
    len: u64,
    owner: Arc<str>,
    base: DateTime<Utc>,
}

impl ContactStore {
    pub(super) fn new(seed: u64, owner: Arc<str>, base: DateTime<Utc>) -> Self {
        let prefix = format!("66d0{:010x}", mix(seed, 0) >> 24);
        Self {
            seed,
            prefix,
            next: 1,
            slots: BTreeMap::new(),
            synthetic: Vec::new(),
            by_external_id: HashMap::new(),
            len: 0,
            owner,
            base,
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Writes the id of a place: 24 hex digits.
    pub(super) fn id(&self, place: u64) -> String {
        format!("{}{place:010x}", self.prefix)
    }

    /// Reads an id back; `None` when it names no contact, or one that is gone.
    pub(super) fn place(&self, id: &str) -> Option<u64> {
        let digits = id.strip_prefix(&self.prefix)?;
        let place = u64::from_str_radix(digits, 16).ok()?;
        (self.id(place) == id && self.get(place).is_some()).then_some(place)
    }

    /// Reads the place an id was given for, whether its contact still exists or not.
    pub(super) fn place_in_order(&self, id: &str) -> Option<u64> {
        u64::from_str_radix(id.strip_prefix(&self.prefix)?, 16).ok()
    }

    pub(super) fn get(&self, place: u64) -> Option<Cow<'_, Contact>> {
        match self.slots.get(&place) {
            Some(Slot::Stored(contact)) => Some(Cow::Borrowed(contact)),
            None if self.is_synthetic(place) => Some(Cow::Owned(self.synthesize(place))),
            Some(Slot::Gone) | None => None,
        }
    }

    pub(super) fn insert(&mut self, contact: Contact) -> u64 {
        let place = self.next;
        self.next += 1;
        self.len += 1;
        self.store(place, contact);
        place
    }

    /// Puts a changed contact back in its place.
    pub(super) fn replace(&mut self, place: u64, contact: Contact) {
        self.forget_external_id(place);
        self.store(place, contact);
    }

    pub(super) fn remove(&mut self, place: u64) -> Option<Contact> {
        let contact = self.get(place)?.into_owned();
        self.forget_external_id(place);
        self.slots.remove(&place);
        if self.is_synthetic(place) {
            self.slots.insert(place, Slot::Gone);
        }
        self.len -= 1;
        Some(contact)
    }

    /// Adds contacts that take no memory until they are changed; fewer where the places run out.
    pub(super) fn add_synthetic(&mut self, count: u64) {
        let end = self.next.saturating_add(count).min(SYNTHETIC_END);
        if end <= self.next {
            return;
        }
        self.len += end - self.next;
        self.synthetic.push(self.next..end);
        self.next = end;
    }

    pub(super) fn clear(&mut self) {
        self.slots.clear();
        self.synthetic.clear();
        self.by_external_id.clear();
        self.len = 0;
    }

    /// Returns the first `max` matching contacts behind `after`, in the order of creation.
    pub(super) fn page(
        &self,
        filter: &Filter,
        after: Option<u64>,
        max: usize,
    ) -> Vec<(u64, Cow<'_, Contact>)> {
        let from = after.map_or(0, |after| after.saturating_add(1));
        if let Some(external_ids) = &filter.external_ids {
            let places: BTreeSet<u64> = external_ids
                .iter()
                .flat_map(|id| self.places_of_external_id(id))
                .collect();
            return places
                .range(from..)
                .filter(|place| self.has_source(**place, filter.sources.as_deref()))
                .take(max)
                .filter_map(|place| Some((*place, self.get(*place)?)))
                .collect();
        }
        self.places(from)
            .filter(|place| self.has_source(*place, filter.sources.as_deref()))
            .take(max)
            .filter_map(|place| Some((place, self.get(place)?)))
            .collect()
    }

    /// Returns the places that hold a contact, from `from` on.
    pub(super) fn places(&self, from: u64) -> impl Iterator<Item = u64> {
        let mut next = from;
        std::iter::from_fn(move || {
            loop {
                let stored = self.slots.range(next..).next();
                let synthetic = self.synthetic_from(next);
                let (place, gone) = match (stored, synthetic) {
                    (Some((stored, slot)), synthetic)
                        if synthetic.is_none_or(|place| *stored <= place) =>
                    {
                        (*stored, matches!(slot, Slot::Gone))
                    }
                    (_, Some(synthetic)) => (synthetic, false),
                    (_, None) => return None,
                };
                next = place + 1;
                if !gone {
                    return Some(place);
                }
            }
        })
    }

    /// Returns the contacts with this external id; nothing at the vendor keeps them from being
    /// several.
    pub(super) fn places_of_external_id(&self, external_id: &str) -> Vec<u64> {
        let stored = self
            .by_external_id
            .get(external_id)
            .into_iter()
            .flatten()
            .copied();
        let synthetic = external_id
            .strip_prefix(SYNTHETIC_ID)
            .and_then(|place| place.parse().ok())
            .filter(|place| self.is_synthetic(*place) && !self.slots.contains_key(place))
            .filter(|place| synthetic_id(*place) == external_id);
        stored.chain(synthetic).collect()
    }

    /// Returns the stored contacts that have this number. Synthetic ones are not looked at:
    /// that would read all of them.
    pub(super) fn ids_with_number(&self, number: &str) -> Vec<String> {
        self.slots
            .iter()
            .filter_map(|(place, slot)| match slot {
                Slot::Stored(contact) if contact.has_number(number) => Some(self.id(*place)),
                Slot::Stored(_) | Slot::Gone => None,
            })
            .collect()
    }

    fn has_source(&self, place: u64, wanted: Option<&[String]>) -> bool {
        let Some(wanted) = wanted else { return true };
        let source = match self.slots.get(&place) {
            Some(Slot::Stored(contact)) => contact.source.as_deref(),
            Some(Slot::Gone) => None,
            None => Some(SYNTHETIC_SOURCE),
        };
        source.is_some_and(|source| wanted.iter().any(|wanted| wanted == source))
    }

    fn store(&mut self, place: u64, contact: Contact) {
        if let Some(external_id) = &contact.external_id {
            self.by_external_id
                .entry(external_id.clone())
                .or_default()
                .insert(place);
        }
        self.slots.insert(place, Slot::Stored(Box::new(contact)));
    }

    fn forget_external_id(&mut self, place: u64) {
        let Some(Slot::Stored(contact)) = self.slots.get(&place) else {
            return;
        };
        let Some(external_id) = &contact.external_id else {
            return;
        };
        if let Some(places) = self.by_external_id.get_mut(external_id) {
            places.remove(&place);
            if places.is_empty() {
                self.by_external_id.remove(external_id);
            }
        }
    }

    fn is_synthetic(&self, place: u64) -> bool {
        self.synthetic.iter().any(|block| block.contains(&place))
    }

    fn synthetic_from(&self, from: u64) -> Option<u64> {
        self.synthetic
            .iter()
            .filter(|block| from < block.end)
            .map(|block| from.max(block.start))
            .min()
    }

    fn synthesize(&self, place: u64) -> Contact {
        let dice = mix(self.seed, place);
        let pick = |names: &[&'static str; 16], bits: u64| {
            let index = usize::try_from(dice >> bits & 15).unwrap_or_default();
            names.get(index).copied().unwrap_or_default()
        };
        let (first_name, last_name) = (pick(&FIRST_NAMES, 0), pick(&LAST_NAMES, 4));
        // The numbers 555-0100 to 555-0199 of every area code are kept free for fiction.
        let (area, line) = (200 + (dice >> 8) % 800, 100 + (dice >> 24) % 100);
        let item = |kind: u64, name: &str, value: String| Item {
            id: format!("{:016x}{kind:08x}", mix(dice, kind)),
            name: name.to_owned(),
            value: Some(value),
        };
        let at =
            self.base + TimeDelta::seconds(i64::try_from(place % 10_000_000).unwrap_or_default());
        Contact {
            external_id: Some(synthetic_id(place)),
            source: Some(SYNTHETIC_SOURCE.to_owned()),
            source_url: None,
            first_name: Some(first_name.to_owned()),
            last_name: Some(last_name.to_owned()),
            company: (dice >> 40 & 1 == 0).then(|| format!("{last_name} & Co")),
            role: None,
            emails: vec![item(1, "work", format!("person{place}@example.com"))],
            phone_numbers: vec![item(2, "mobile", format!("+1{area}5550{line}"))],
            custom_values: Vec::new(),
            created_at: at,
            updated_at: at,
            created_by: Arc::clone(&self.owner),
        }
    }
}

fn synthetic_id(place: u64) -> String {
    format!("{SYNTHETIC_ID}{place}")
}
