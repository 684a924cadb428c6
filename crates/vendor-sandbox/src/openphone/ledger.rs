//! Texts or calls in the order in which they happened, a hundred thousand of them if need be.
//!
//! An id is a place in that order, so no index of ids is kept. Synthetic ones are not kept
//! either: a block of them is dealt out over a range of threads in turn, so that both what stands
//! at a place and what belongs to a thread can be computed.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};

/// A thread, by its place in the store of threads.
pub(super) type ThreadPlace = usize;

/// Synthetic entries that follow one another.
#[derive(Clone, Debug)]
pub(super) struct Block {
    first: u64,
    count: u64,
    threads: Range<ThreadPlace>,
    base: DateTime<Utc>,
    step: TimeDelta,
}

/// What stands at a place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found<'a, T> {
    Made(&'a T),
    /// A synthetic entry of this thread, at this time.
    Synthetic(ThreadPlace, DateTime<Utc>),
}

#[derive(Debug)]
pub(super) struct Ledger<T> {
    /// What every id begins with.
    prefix: String,
    next: u64,
    made: BTreeMap<u64, (ThreadPlace, T)>,
    of_thread: HashMap<ThreadPlace, Vec<u64>>,
    blocks: Vec<Block>,
}

impl<T> Ledger<T> {
    /// `kind` tells the ids of two ledgers with the same seed apart.
    pub(super) fn new(seed: u64, kind: u8) -> Self {
        Self {
            prefix: format!("AC{seed:016x}{:x}", kind & 15),
            next: 1,
            made: BTreeMap::new(),
            of_thread: HashMap::new(),
            blocks: Vec::new(),
        }
    }

    /// Writes the id of a place: `AC` and 32 hex digits.
    pub(super) fn id(&self, place: u64) -> String {
        format!("{}{place:015x}", self.prefix)
    }

    /// Reads an id back; `None` when it names nothing here.
    pub(super) fn place(&self, id: &str) -> Option<u64> {
        let place = u64::from_str_radix(id.strip_prefix(&self.prefix)?, 16).ok()?;
        (self.id(place) == id && self.find(place).is_some()).then_some(place)
    }

    /// Returns the place that the next entry gets.
    pub(super) fn next_place(&self) -> u64 {
        self.next
    }

    pub(super) fn len(&self) -> u64 {
        let synthetic: u64 = self.blocks.iter().map(|block| block.count).sum();
        synthetic + u64::try_from(self.made.len()).unwrap_or(u64::MAX)
    }

    pub(super) fn push(&mut self, thread: ThreadPlace, entry: T) -> u64 {
        let place = self.next;
        self.next += 1;
        self.made.insert(place, (thread, entry));
        self.of_thread.entry(thread).or_default().push(place);
        place
    }

    /// Adds entries that take no memory, one every `step` from `base` on; returns the last entry
    /// of each thread with its time.
    pub(super) fn add_block(
        &mut self,
        count: u64,
        threads: Range<ThreadPlace>,
        base: DateTime<Utc>,
        step: TimeDelta,
    ) -> Vec<(ThreadPlace, u64, DateTime<Utc>)> {
        if count == 0 || threads.is_empty() {
            return Vec::new();
        }
        let block = Block {
            first: self.next,
            count,
            threads,
            base,
            step,
        };
        self.next += count;
        let from = block.first + count.saturating_sub(block.width());
        let last = (from..self.next)
            .filter_map(|place| Some((block.thread_of(place)?, place, block.time_of(place))))
            .collect();
        self.blocks.push(block);
        last
    }

    pub(super) fn find(&self, place: u64) -> Option<Found<'_, T>> {
        if let Some((_, entry)) = self.made.get(&place) {
            return Some(Found::Made(entry));
        }
        let block = self.block_of(place)?;
        let thread = block.thread_of(place)?;
        Some(Found::Synthetic(thread, block.time_of(place)))
    }

    pub(super) fn get_mut(&mut self, place: u64) -> Option<&mut T> {
        self.made.get_mut(&place).map(|(_, entry)| entry)
    }

    pub(super) fn thread_of(&self, place: u64) -> Option<ThreadPlace> {
        match self.made.get(&place) {
            Some((thread, _)) => Some(*thread),
            None => self.block_of(place)?.thread_of(place),
        }
    }

    /// Returns every place that is taken, from `from` on.
    pub(super) fn places(&self, from: u64) -> impl Iterator<Item = u64> {
        let mut next = from;
        std::iter::from_fn(move || {
            let made = self.made.range(next..).next().map(|(place, _)| *place);
            let synthetic = self
                .blocks
                .iter()
                .filter(|block| next < block.first + block.count)
                .map(|block| next.max(block.first))
                .min();
            let place = [made, synthetic].into_iter().flatten().min()?;
            next = place + 1;
            Some(place)
        })
    }

    /// Returns the places of one thread, from `from` on.
    pub(super) fn places_of(&self, thread: ThreadPlace, from: u64) -> impl Iterator<Item = u64> {
        let made = self.of_thread.get(&thread).map_or(&[][..], Vec::as_slice);
        let mut next = from;
        std::iter::from_fn(move || {
            let made = made.get(made.partition_point(|place| *place < next));
            let synthetic = self
                .blocks
                .iter()
                .filter_map(|block| block.next_of(thread, next))
                .min();
            let place = [made.copied(), synthetic].into_iter().flatten().min()?;
            next = place + 1;
            Some(place)
        })
    }

    fn block_of(&self, place: u64) -> Option<&Block> {
        self.blocks
            .iter()
            .find(|block| (block.first..block.first + block.count).contains(&place))
    }
}

impl Block {
    fn width(&self) -> u64 {
        u64::try_from(self.threads.len()).unwrap_or(u64::MAX)
    }

    fn thread_of(&self, place: u64) -> Option<ThreadPlace> {
        let turn = place.checked_sub(self.first)?.checked_rem(self.width())?;
        Some(self.threads.start + usize::try_from(turn).ok()?)
    }

    fn time_of(&self, place: u64) -> DateTime<Utc> {
        let index = i32::try_from(place.saturating_sub(self.first)).unwrap_or(i32::MAX);
        self.step
            .checked_mul(index)
            .and_then(|past| self.base.checked_add_signed(past))
            .unwrap_or(self.base)
    }

    /// The first place of a thread at `from` or behind it.
    fn next_of(&self, thread: ThreadPlace, from: u64) -> Option<u64> {
        if !self.threads.contains(&thread) {
            return None;
        }
        let offset = u64::try_from(thread - self.threads.start).ok()?;
        let start = self.first + offset;
        let rounds = from.saturating_sub(start).div_ceil(self.width());
        let place = start + rounds * self.width();
        (place < self.first + self.count).then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_and_synthetic_entries_stand_in_one_order() {
        let mut ledger = Ledger::new(7, 1);
        let base = DateTime::UNIX_EPOCH;
        let step = TimeDelta::seconds(1);
        assert_eq!(ledger.push(2, 'a'), 1);
        let last = ledger.add_block(7, 1..4, base, step);
        assert_eq!(ledger.push(1, 'b'), 9);
        let threads: Vec<_> = ledger
            .places(0)
            .map(|place| ledger.thread_of(place).unwrap())
            .collect();
        assert_eq!(threads, [2, 1, 2, 3, 1, 2, 3, 1, 1]);
        assert_eq!(ledger.places_of(1, 0).collect::<Vec<_>>(), [2, 5, 8, 9]);
        assert_eq!(ledger.places_of(2, 2).collect::<Vec<_>>(), [3, 6]);
        assert_eq!(ledger.places_of(4, 0).count(), 0);
        assert_eq!(ledger.places(8).collect::<Vec<_>>(), [8, 9]);
        let mut places: Vec<_> = last
            .iter()
            .map(|(thread, place, _)| (*thread, *place))
            .collect();
        places.sort_unstable();
        assert_eq!(places, [(1, 8), (2, 6), (3, 7)]);
        assert_eq!(ledger.len(), 9);
        for place in 1..10 {
            assert_eq!(ledger.place(&ledger.id(place)), Some(place));
        }
        for id in [
            "",
            "AC",
            &ledger.id(0),
            &ledger.id(10),
            &Ledger::<char>::new(7, 2).id(1),
        ] {
            assert_eq!(ledger.place(id), None, "{id}");
        }
    }

    #[test]
    fn fewer_entries_than_threads_leave_some_threads_empty() {
        let mut ledger = Ledger::<char>::new(7, 1);
        let last = ledger.add_block(2, 0..5, DateTime::UNIX_EPOCH, TimeDelta::zero());
        assert_eq!(last.len(), 2);
        assert_eq!(ledger.places_of(1, 0).collect::<Vec<_>>(), [2]);
        assert_eq!(ledger.places_of(2, 0).count(), 0);
    }
}
