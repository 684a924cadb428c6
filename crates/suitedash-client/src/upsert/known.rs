//! Who is known to be a contact, so that the dearer order of calls can be avoided.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher as _;
use std::sync::{Mutex, PoisonError};

use crate::ids::ContactUid;

/// Remembers so many e-mail addresses, the latest ones, by a hash that is another in every process: no address stands
/// in memory.
#[derive(Debug)]
pub(crate) struct KnownContacts {
    capacity: usize,
    hasher: RandomState,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    uids: HashMap<u64, ContactUid>,
    order: VecDeque<u64>,
}

impl KnownContacts {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            hasher: RandomState::new(),
            kept: Mutex::default(),
        }
    }

    pub(crate) fn get(&self, email: &str) -> Option<ContactUid> {
        if self.capacity == 0 {
            return None;
        }
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uids.get(&self.hash(email)).cloned()
    }

    pub(crate) fn put(&self, email: &str, uid: &ContactUid) {
        if self.capacity == 0 {
            return;
        }
        let hash = self.hash(email);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.uids.insert(hash, uid.clone()).is_none() {
            kept.order.push_back(hash);
        }
        while kept.order.len() > self.capacity {
            if let Some(oldest) = kept.order.pop_front() {
                kept.uids.remove(&oldest);
            }
        }
    }

    pub(crate) fn forget(&self, email: &str) {
        let hash = self.hash(email);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.uids.remove(&hash).is_some() {
            kept.order.retain(|it| *it != hash);
        }
    }

    fn hash(&self, email: &str) -> u64 {
        self.hasher.hash_one(email.trim().to_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_known() {
        let known = KnownContacts::new(2);
        for (email, uid) in [
            ("a@example.com", "1"),
            ("b@example.com", "2"),
            ("c@example.com", "3"),
        ] {
            known.put(email, &uid.into());
        }
        assert_eq!(known.get("a@example.com"), None);
        assert_eq!(known.get(" B@Example.com"), Some("2".into()));
        known.forget("b@example.com");
        known.put("d@example.com", &"4".into());
        assert_eq!(known.get("b@example.com"), None);
        assert_eq!(known.get("c@example.com"), Some("3".into()));
        assert_eq!(known.get("d@example.com"), Some("4".into()));
    }

    #[test]
    fn without_room_nobody_is() {
        let known = KnownContacts::new(0);
        known.put("a@example.com", &"1".into());
        assert_eq!(known.get("a@example.com"), None);
    }
}
