//! Whatever happens in whatever order, the history on the disk, the same opened anew, and the one in memory agree; and
//! all of them with a model that is a list.

use std::collections::BTreeMap;

use proptest::prelude::*;
use suitedash_client::export::{
    ExportCounts, ExportHistory, ExportRun, FileHistory, Inclusion, MemoryHistory, RunId, RunState,
    Standing,
};

use crate::contacts::now;

const IDS: [&str; 5] = ["a", "b", "c", "d", "e"];

#[derive(Clone, Debug)]
enum Fate {
    Dropped,
    Abandoned,
    Finished,
    Imported,
}

#[derive(Clone, Debug)]
struct Op {
    contacts: Vec<usize>,
    include_exported: bool,
    fate: Fate,
}

fn op() -> impl Strategy<Value = Op> {
    let fate = prop_oneof![
        Just(Fate::Dropped),
        Just(Fate::Abandoned),
        Just(Fate::Finished),
        Just(Fate::Imported),
    ];
    let contacts = prop::collection::vec(0..IDS.len(), 1..6);
    (contacts, any::<bool>(), fate).prop_map(|(contacts, include_exported, fate)| Op {
        contacts,
        include_exported,
        fate,
    })
}

/// Does one operation, and returns what it was told.
async fn apply(history: &dyn ExportHistory, id: &RunId, op: &Op) -> Vec<Inclusion> {
    let contacts: Vec<_> = op.contacts.iter().map(|at| IDS[*at]).collect();
    let mut open = history.begin(id, op.include_exported).await.unwrap();
    let told = open.include(&contacts).await.unwrap();
    if matches!(op.fate, Fate::Dropped) {
        return told;
    }
    let included = told.iter().filter(|told| **told == Inclusion::Included);
    let mut counts = ExportCounts::default();
    counts.rows = included.count() as u64;
    let record = ExportRun::new(id, "file.csv", now(), "user-7", counts);
    open.prepare(&record).await.unwrap();
    match op.fate {
        Fate::Abandoned => history.abandon(id).await.unwrap(),
        Fate::Finished | Fate::Imported => history.finish(id).await.unwrap(),
        Fate::Dropped => {}
    }
    if matches!(op.fate, Fate::Imported) {
        history.mark_imported(id, now(), "user-8").await.unwrap();
    }
    told
}

/// The latest run of each contact, and what it should be told.
#[derive(Default)]
struct Model(BTreeMap<&'static str, Standing>);

impl Model {
    fn apply(&mut self, id: &RunId, op: &Op) -> Vec<Inclusion> {
        let mut mine: Vec<&'static str> = Vec::new();
        let told = op.contacts.iter().map(|at| {
            let contact = IDS[*at];
            if mine.contains(&contact) {
                return Inclusion::Repeated;
            }
            if self.0.contains_key(contact) && !op.include_exported {
                return Inclusion::ExportedBefore;
            }
            mine.push(contact);
            Inclusion::Included
        });
        let told = told.collect();
        let run = id.clone();
        let standing = match op.fate {
            Fate::Dropped | Fate::Abandoned => return told,
            Fate::Finished => Standing::Exported { run },
            Fate::Imported => Standing::Imported { run },
        };
        for contact in mine {
            self.0.insert(contact, standing.clone());
        }
        told
    }

    fn standing(&self) -> Vec<Standing> {
        let standing = |id| self.0.get(id).cloned().unwrap_or(Standing::Waiting);
        IDS.into_iter().map(standing).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn all_histories_agree(ops in prop::collection::vec(op(), 1..8)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let directory = tempfile::tempdir().unwrap();
            let (memory, mut model) = (MemoryHistory::default(), Model::default());
            let file = FileHistory::open(directory.path()).await.unwrap();
            for (number, op) in ops.iter().enumerate() {
                let id = RunId::new(format!("run-{number}"));
                let expected = model.apply(&id, op);
                prop_assert_eq!(&apply(&memory, &id, op).await, &expected);
                prop_assert_eq!(&apply(&file, &id, op).await, &expected);
                let anew = FileHistory::open(directory.path()).await.unwrap();
                let runs = memory.runs().await.unwrap();
                prop_assert!(runs.iter().all(|run| run.state != RunState::Prepared));
                for history in [&memory as &dyn ExportHistory, &file, &anew] {
                    prop_assert_eq!(&history.runs().await.unwrap(), &runs);
                    prop_assert_eq!(history.standing(&IDS).await.unwrap(), model.standing());
                }
            }
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_run_in_doubt_keeps_its_contacts_from_others_and_hides_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let file = FileHistory::open(directory.path()).await.unwrap();
    let memory = MemoryHistory::default();
    for history in [&file as &dyn ExportHistory, &memory] {
        let op = |include_exported, fate| Op {
            contacts: vec![0],
            include_exported,
            fate,
        };
        let [first, second, third] = ["run-1", "run-2", "run-3"].map(RunId::from);
        apply(history, &first, &op(false, Fate::Finished)).await;
        // Prepared, and then the process ended.
        let mut open = history.begin(&second, true).await.unwrap();
        open.include(&["a", "b"]).await.unwrap();
        let mut counts = ExportCounts::default();
        counts.rows = 2;
        let record = ExportRun::new(&second, "file.csv", now(), "user-7", counts);
        open.prepare(&record).await.unwrap();
        let exported = Standing::Exported { run: first };
        let standing = history.standing(&["a", "b"]).await.unwrap();
        assert_eq!(standing, [exported.clone(), Standing::Waiting]);
        let marked = history.mark_imported(&second, now(), "user-8").await;
        assert!(marked.is_err(), "there may be no file");

        let mut open = history.begin(&third, false).await.unwrap();
        let told = open.include(&["a", "b"]).await.unwrap();
        assert_eq!(told, [Inclusion::ExportedBefore; 2]);
        drop(open);
        history.abandon(&second).await.unwrap();
        let standing = history.standing(&["a", "b"]).await.unwrap();
        assert_eq!(standing, [exported, Standing::Waiting]);
    }
}
