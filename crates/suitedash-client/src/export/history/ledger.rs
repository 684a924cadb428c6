//! Which contact is in which run, in memory.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use chrono::{DateTime, Utc};

use super::{ExportRun, HistoryError, Inclusion, RunId, RunState, Standing};

/// A contact's place in the index: 128 bits of its id, hashed with keys of this process.
///
/// A million ids take 30 MB like this, whatever their length. That two of them fall together has odds of one in 10²⁶.
type Key = u128;

/// A run's place in [`Ledger::entries`].
pub(super) type Slot = u32;

/// All runs, and the latest run of every contact.
#[derive(Default)]
pub(super) struct Ledger {
    entries: Vec<Entry>,
    latest: BTreeMap<Key, Slot>,
    hashers: (RandomState, RandomState),
}

struct Entry {
    id: RunId,
    standing: EntryState,
    /// Which runs its contacts were in before, to be restored if it comes to nothing.
    replaced: Vec<(Key, Slot)>,
}

enum EntryState {
    Open,
    Kept(Box<ExportRun>),
    Gone {
        /// Whether it was kept before, so that it stands in a journal.
        was_kept: bool,
    },
}

impl Ledger {
    /// Takes in a run that has no contacts yet.
    pub(super) fn open(&mut self, id: &RunId) -> Result<Slot, HistoryError> {
        if self.find(id).is_some() {
            return Err(HistoryError::Busy);
        }
        let slot = Slot::try_from(self.entries.len()).map_err(|_| HistoryError::Damaged {
            what: "too many exports".to_owned(),
        })?;
        self.entries.push(Entry {
            id: id.clone(),
            standing: EntryState::Open,
            replaced: Vec::new(),
        });
        Ok(slot)
    }

    /// Puts a contact into a run, if it belongs there.
    pub(super) fn include(
        &mut self,
        slot: Slot,
        contact: &str,
        include_exported: bool,
    ) -> Inclusion {
        let key = self.key(contact);
        let earlier = self.latest.get(&key).copied();
        match earlier {
            Some(same) if same == slot => return Inclusion::Repeated,
            Some(earlier) if self.counts(earlier) => {
                if !include_exported {
                    return Inclusion::ExportedBefore;
                }
                if let Some(entry) = self.entry(slot) {
                    entry.replaced.push((key, earlier));
                }
            }
            _ => {}
        }
        self.latest.insert(key, slot);
        Inclusion::Included
    }

    /// Keeps a run that was open.
    pub(super) fn keep(&mut self, slot: Slot, run: ExportRun) {
        if let Some(entry) = self.entry(slot) {
            entry.standing = EntryState::Kept(Box::new(run));
        }
    }

    /// Takes a run out again: its contacts are where they were before it.
    pub(super) fn remove(&mut self, slot: Slot) {
        let Some(entry) = self.entry(slot) else {
            return;
        };
        let was_kept = matches!(entry.standing, EntryState::Kept(_));
        entry.standing = EntryState::Gone { was_kept };
        for (key, earlier) in std::mem::take(&mut entry.replaced) {
            if self.latest.get(&key) == Some(&slot) {
                self.latest.insert(key, earlier);
            }
        }
    }

    /// Returns the place of a run that is open or kept.
    pub(super) fn find(&self, id: &RunId) -> Option<Slot> {
        let found = self.entries.iter().rposition(|entry| {
            entry.id == *id && !matches!(entry.standing, EntryState::Gone { .. })
        });
        found.and_then(|at| Slot::try_from(at).ok())
    }

    /// Tells whether there is such a run, or was one that was kept.
    pub(super) fn knows(&self, id: &RunId) -> bool {
        let mut entries = self.entries.iter().filter(|entry| entry.id == *id);
        entries.any(|entry| !matches!(entry.standing, EntryState::Gone { was_kept: false }))
    }

    /// Returns a run that is kept.
    pub(super) fn run(&self, id: &RunId) -> Option<&ExportRun> {
        self.kept(self.find(id)?)
    }

    /// Notes that the file of a run is there.
    pub(super) fn finish(&mut self, id: &RunId) -> Result<(), HistoryError> {
        let slot = self.find(id).ok_or(HistoryError::NoSuchRun)?;
        let entry = self.entry(slot).ok_or(HistoryError::NoSuchRun)?;
        let EntryState::Kept(run) = &mut entry.standing else {
            return Err(HistoryError::NoSuchRun);
        };
        if run.state == RunState::Prepared {
            run.state = RunState::Exported;
        }
        entry.replaced = Vec::new();
        Ok(())
    }

    /// Tells whether a run may be [abandoned](super::ExportHistory::abandon), and where it is.
    pub(super) fn prepared(&self, id: &RunId) -> Result<Slot, HistoryError> {
        let slot = self.find(id).ok_or(HistoryError::NoSuchRun)?;
        match self.kept(slot) {
            Some(run) if run.state == RunState::Prepared => Ok(slot),
            _ => Err(HistoryError::NoSuchRun),
        }
    }

    /// Notes that a run was imported.
    pub(super) fn mark_imported(
        &mut self,
        id: &RunId,
        at: DateTime<Utc>,
        by: &str,
    ) -> Result<ExportRun, HistoryError> {
        let slot = self.find(id).ok_or(HistoryError::NoSuchRun)?;
        let Some(EntryState::Kept(run)) = self.entry(slot).map(|entry| &mut entry.standing) else {
            return Err(HistoryError::NoSuchRun);
        };
        match run.state {
            RunState::Prepared => return Err(HistoryError::NoSuchRun),
            RunState::Exported => {
                run.state = RunState::Imported {
                    at,
                    by: by.to_owned(),
                }
            }
            RunState::Imported { .. } => {}
        }
        Ok((**run).clone())
    }

    /// Returns the runs that are kept, newest first.
    pub(super) fn runs(&self) -> Vec<ExportRun> {
        let kept = self.entries.iter().rev();
        kept.filter_map(|entry| match &entry.standing {
            EntryState::Kept(run) => Some((**run).clone()),
            EntryState::Open | EntryState::Gone { .. } => None,
        })
        .collect()
    }

    /// Tells where a contact stands.
    pub(super) fn standing(&self, contact: &str) -> Standing {
        let mut key_and_slot = self.latest.get_key_value(&self.key(contact));
        // A run that is not finished may have replaced one that is.
        while let Some((key, slot)) = key_and_slot {
            match self.kept(*slot).map(|run| (&run.id, &run.state)) {
                Some((run, RunState::Exported)) => return Standing::Exported { run: run.clone() },
                Some((run, RunState::Imported { .. })) => {
                    return Standing::Imported { run: run.clone() };
                }
                _ => key_and_slot = self.replaced_by(*slot, *key),
            }
        }
        Standing::Waiting
    }

    fn replaced_by(&self, slot: Slot, key: Key) -> Option<(&Key, &Slot)> {
        let entry = self.entries.get(usize::try_from(slot).ok()?)?;
        let found = entry.replaced.iter().find(|(replaced, _)| *replaced == key);
        found.map(|(key, slot)| (key, slot))
    }

    fn entry(&mut self, slot: Slot) -> Option<&mut Entry> {
        self.entries.get_mut(usize::try_from(slot).ok()?)
    }

    fn kept(&self, slot: Slot) -> Option<&ExportRun> {
        match &self.entries.get(usize::try_from(slot).ok()?)?.standing {
            EntryState::Kept(run) => Some(run),
            EntryState::Open | EntryState::Gone { .. } => None,
        }
    }

    /// Tells whether a run has its contacts: all but those that came to nothing.
    fn counts(&self, slot: Slot) -> bool {
        let entry = usize::try_from(slot)
            .ok()
            .and_then(|at| self.entries.get(at));
        entry.is_some_and(|entry| !matches!(entry.standing, EntryState::Gone { .. }))
    }

    fn key(&self, contact: &str) -> Key {
        let (high, low) = &self.hashers;
        (u128::from(high.hash_one(contact)) << 64) | u128::from(low.hash_one(contact))
    }
}
