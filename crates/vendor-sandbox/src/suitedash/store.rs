//! Records in the order of their creation, a million of them if need be.
//!
//! A record's UID is its place in that order, so no index of UIDs is kept. Synthetic records are
//! not kept either: each is computed from the seed and its place whenever it is read, and takes
//! memory only once it has been changed.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use chrono::{DateTime, TimeDelta, TimeZone as _, Utc};

/// What a store holds.
pub(super) trait Record: Clone {
    /// Computes the synthetic record of a place.
    fn synthetic(dice: u64, place: u64) -> Self;

    fn created(&self) -> DateTime<Utc>;

    /// Says whether lists show it.
    fn is_listed(&self) -> bool {
        true
    }
}

/// Which records a list asks for: those created between two times, both exclusive.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Created {
    pub(super) after: Option<DateTime<Utc>>,
    pub(super) before: Option<DateTime<Utc>>,
}

impl Created {
    fn includes(self, time: DateTime<Utc>) -> bool {
        self.after.is_none_or(|after| time > after)
            && self.before.is_none_or(|before| time < before)
    }

    fn is_open(self) -> bool {
        self.after.is_none() && self.before.is_none()
    }
}

#[derive(Clone, Debug)]
pub(super) struct Store<T> {
    seed: u64,
    next: u64,
    stored: BTreeMap<u64, T>,
    gone: BTreeSet<u64>,
    synthetic: Vec<Range<u64>>,
    /// How many stored records lists leave out.
    unlisted: u64,
}

impl<T: Record> Store<T> {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            next: 1,
            stored: BTreeMap::new(),
            gone: BTreeSet::new(),
            synthetic: Vec::new(),
            unlisted: 0,
        }
    }

    /// Forgets everything; places go on where they were.
    pub(super) fn clear(&mut self) {
        self.stored.clear();
        self.gone.clear();
        self.synthetic.clear();
        self.unlisted = 0;
    }

    /// Writes the UID of a place: a UUID whose last twelve digits are the place.
    pub(super) fn uid(&self, place: u64) -> String {
        let high = u128::from(mix(self.seed, 0)) << 64 | u128::from(mix(self.seed, 1)) << 48;
        uuid(high & !0xffff_ffff_ffff | u128::from(place))
    }

    /// Reads a UID back; `None` when it names no record, or one that is gone.
    pub(super) fn place(&self, uid: &str) -> Option<u64> {
        let digits = uid.rsplit('-').next()?;
        let place = u64::from_str_radix(digits, 16).ok()?;
        (self.uid(place) == uid && self.has(place)).then_some(place)
    }

    pub(super) fn has(&self, place: u64) -> bool {
        self.stored.contains_key(&place)
            || (self.is_synthetic(place) && !self.gone.contains(&place))
    }

    /// Says whether a place holds a record that takes no memory.
    pub(super) fn is_computed(&self, place: u64) -> bool {
        self.has(place) && !self.stored.contains_key(&place)
    }

    pub(super) fn get(&self, place: u64) -> Option<Cow<'_, T>> {
        if let Some(record) = self.stored.get(&place) {
            return Some(Cow::Borrowed(record));
        }
        let computed = self.is_computed(place);
        computed.then(|| Cow::Owned(T::synthetic(mix(self.seed, place), place)))
    }

    /// Returns the record of a place, to be changed and [`put`](Self::put) back.
    pub(super) fn copy(&self, place: u64) -> Option<T> {
        self.get(place).map(Cow::into_owned)
    }

    /// Finds a stored record. Computed ones are not looked at: that would make all of them.
    pub(super) fn find(&self, wanted: impl Fn(&T) -> bool) -> Option<u64> {
        let mut stored = self.stored.iter();
        stored
            .find(|(_, record)| wanted(record))
            .map(|(place, _)| *place)
    }

    pub(super) fn insert(&mut self, record: T) -> u64 {
        let place = self.next;
        self.next += 1;
        self.put(place, record);
        place
    }

    /// Stores the new state of the record at a place.
    pub(super) fn put(&mut self, place: u64, record: T) {
        self.unlisted += u64::from(!record.is_listed());
        if let Some(old) = self.stored.insert(place, record) {
            self.unlisted -= u64::from(!old.is_listed());
        }
    }

    /// Takes a record away and says whether it was there.
    pub(super) fn remove(&mut self, place: u64) -> bool {
        if !self.has(place) {
            return false;
        }
        if let Some(old) = self.stored.remove(&place) {
            self.unlisted -= u64::from(!old.is_listed());
        }
        if self.is_synthetic(place) {
            self.gone.insert(place);
        }
        true
    }

    pub(super) fn add_synthetic(&mut self, count: u64) {
        let end = self.next.saturating_add(count).min(1 << 47);
        if self.next < end {
            self.synthetic.push(self.next..end);
            self.next = end;
        }
    }

    pub(super) fn len(&self) -> u64 {
        let blocks = self.synthetic.iter().map(|block| block.end - block.start);
        let made = self.stored.keys();
        let made = made.filter(|place| !self.is_synthetic(**place)).count();
        let gone = u64::try_from(self.gone.len()).unwrap_or(u64::MAX);
        blocks.sum::<u64>() + u64::try_from(made).unwrap_or(u64::MAX) - gone
    }

    /// Returns the places that hold a record, from `from` on.
    pub(super) fn places(&self, from: u64) -> impl Iterator<Item = u64> {
        let mut next = from;
        std::iter::from_fn(move || {
            loop {
                let stored = self.stored.range(next..).next().map(|(place, _)| *place);
                let synthetic = self.synthetic_from(next);
                let place = match (stored, synthetic) {
                    (Some(stored), Some(synthetic)) => stored.min(synthetic),
                    (stored, synthetic) => stored.or(synthetic)?,
                };
                next = place + 1;
                if self.has(place) {
                    return Some(place);
                }
            }
        })
    }

    /// Returns the place of the record that came last.
    pub(super) fn last(&self) -> Option<u64> {
        (1..self.next).rev().find(|place| self.has(*place))
    }

    /// Counts the records that a list asks for, and returns `take` of them behind the first `skip`.
    pub(super) fn select(&self, created: Created, skip: u64, take: usize) -> (u64, Vec<u64>) {
        if created.is_open() && self.unlisted == 0 {
            return (self.len(), self.behind(skip, take));
        }
        let mut total = 0;
        let mut found = Vec::with_capacity(take);
        for place in self.places(0) {
            let wanted = match self.stored.get(&place) {
                Some(record) => record.is_listed() && created.includes(record.created()),
                None => created.includes(synthetic_time(place)),
            };
            if wanted {
                if total >= skip && found.len() < take {
                    found.push(place);
                }
                total += 1;
            }
        }
        (total, found)
    }

    /// Returns `take` places behind the first `skip`, without looking at each of those where a
    /// block of synthetic records can be passed in one step.
    fn behind(&self, skip: u64, take: usize) -> Vec<u64> {
        let mut from = 0;
        let mut skip = skip;
        while skip > 0 {
            let Some(place) = self.places(from).next() else {
                return Vec::new();
            };
            let step = self.untouched_run(place).clamp(1, skip);
            skip -= step;
            from = place + step;
        }
        self.places(from).take(take).collect()
    }

    /// How many synthetic records stand from this place on with none among them that was changed
    /// or taken away; 0 where there is another kind of record.
    fn untouched_run(&self, place: u64) -> u64 {
        let Some(block) = self.synthetic.iter().find(|block| block.contains(&place)) else {
            return 0;
        };
        let gone = self.gone.range(place..).next().copied();
        let end = gone.map_or(block.end, |gone| gone.min(block.end));
        end - place
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
}

/// When the synthetic record of a place was created: one follows another by a minute.
pub(super) fn synthetic_time(place: u64) -> DateTime<Utc> {
    let minutes = i64::try_from(place % 400_000).unwrap_or_default();
    Utc.with_ymd_and_hms(2025, 1, 1, 0, 0, 0)
        .single()
        .unwrap_or(DateTime::UNIX_EPOCH)
        + TimeDelta::minutes(minutes)
}

/// Writes a number as a UUID of version 4.
pub(super) fn uuid(bits: u128) -> String {
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let text = format!("{bits:032x}");
    let mut uuid = String::with_capacity(36);
    for (index, digit) in text.chars().enumerate() {
        if matches!(index, 8 | 12 | 16 | 20) {
            uuid.push('-');
        }
        uuid.push(digit);
    }
    uuid
}

/// Mixes two numbers well (the finaliser of splitmix64), so that each place has its own dice.
fn mix(seed: u64, place: u64) -> u64 {
    let mut z = seed ^ place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Thing {
        made: bool,
        listed: bool,
        at: DateTime<Utc>,
    }

    impl Record for Thing {
        fn synthetic(_dice: u64, place: u64) -> Self {
            Self {
                made: false,
                listed: true,
                at: synthetic_time(place),
            }
        }

        fn created(&self) -> DateTime<Utc> {
            self.at
        }

        fn is_listed(&self) -> bool {
            self.listed
        }
    }

    fn made(minutes: i64) -> Thing {
        Thing {
            made: true,
            listed: true,
            at: synthetic_time(0) + TimeDelta::minutes(minutes),
        }
    }

    /// Places: 1 made, 2 to 21 synthetic, 22 made, 23 to 32 synthetic; 5 changed, 9 and 30 gone.
    fn mixture() -> Store<Thing> {
        let mut store = Store::new(7);
        assert_eq!(store.insert(made(1)), 1);
        store.add_synthetic(20);
        assert_eq!(store.insert(made(22)), 22);
        store.add_synthetic(10);
        store.put(5, made(5));
        assert!(store.remove(9) && store.remove(30));
        assert!(!store.remove(9) && !store.remove(99));
        store
    }

    #[test]
    fn every_page_holds_what_the_whole_list_holds_there() {
        let store = mixture();
        let all: Vec<u64> = store.places(0).collect();
        assert_eq!(all.len(), 30);
        assert_eq!(store.len(), 30);
        for skip in 0..35 {
            let expected: Vec<u64> = all.iter().skip(skip).take(4).copied().collect();
            let skip = u64::try_from(skip).unwrap();
            assert_eq!(
                store.select(Created::default(), skip, 4),
                (30, expected),
                "{skip}"
            );
        }
    }

    #[test]
    fn bounds_are_exclusive_and_idle_records_are_left_out() {
        let mut store = mixture();
        let created = Created {
            after: Some(synthetic_time(3)),
            before: Some(synthetic_time(8)),
        };
        assert_eq!(store.select(created, 0, 10), (4, vec![4, 5, 6, 7]));
        assert_eq!(store.select(created, 2, 1), (4, vec![6]));
        store.put(
            5,
            Thing {
                listed: false,
                ..made(5)
            },
        );
        assert_eq!(store.select(created, 0, 10), (3, vec![4, 6, 7]));
        assert_eq!(store.select(Created::default(), 0, 2), (29, vec![1, 2]));
        assert_eq!(store.len(), 30);
        store.put(5, made(5));
        assert_eq!(store.select(Created::default(), 0, 1).0, 30);
    }

    #[test]
    fn uids_are_uuids_and_read_back() {
        let store = mixture();
        let uid = store.uid(22);
        assert_eq!(uid.len(), 36);
        assert_eq!(&uid[14..15], "4");
        assert!("89ab".contains(&uid[19..20]), "{uid}");
        assert_eq!(store.place(&uid), Some(22));
        assert_eq!(store.place(&uid.to_uppercase()), None);
        assert_eq!(store.place(&store.uid(9)), None, "it is gone");
        assert_eq!(store.place("22"), None);
        assert_ne!(Store::<Thing>::new(8).uid(22), uid);
    }

    #[test]
    fn a_cleared_store_gives_no_place_out_again() {
        let mut store = mixture();
        store.clear();
        assert_eq!((store.len(), store.places(0).count()), (0, 0));
        assert_eq!(store.insert(made(0)), 33);
        assert_eq!(store.len(), 1);
    }
}
