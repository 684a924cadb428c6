//! A process is killed at each step of a create, and a worker of another one makes both sides alike.

use crate::host::{End, Step};
use crate::place::{Place, ann, on_each_database};
use crate::vendor::{Op, Whim};
use crate::victim::Victim;

on_each_database! {
    before_the_undo_is_written,
    before_the_vendors_create,
    before_a_create_that_lands_late,
    after_the_vendors_create,
    with_the_vendors_answer,
    with_the_row_written,
    with_the_confirmation_written,
    after_the_commit,
    after_a_commit_without_confirmation,
    while_it_undoes,
    after_it_has_undone,
}

/// Kills a process that is held by the vendor in a call of this kind.
async fn killed_in_a_call(place: &Place, op: Op, whim: Whim, end: End) {
    place.vendor.next(op, whim);
    let victim = Victim::start(place, end, None);
    place.vendor.called(op, 1).await;
    if matches!(whim, Whim::HoldAnswer) && op == Op::Create {
        place.vendor.has(1).await;
    }
    victim.kill().await;
}

/// Kills a process at a step of its insert.
async fn killed_at(place: &Place, step: Step, end: End) {
    let mut victim = Victim::start(place, end, Some(step));
    victim.at(step).await;
    victim.kill().await;
}

/// Lets a worker see to what is left, and somebody else try again.
async fn neither_has(place: Place) {
    place.recover().await;
    place.both_have(0).await;
    place.create(&ann(), End::Commits).await.unwrap();
    place.both_have(1).await;
}

async fn both_have(place: Place) {
    place.recover().await;
    place.both_have(1).await;
    assert_eq!(place.vendor.count(Op::Delete), 0);
}

async fn before_the_undo_is_written(place: Place) {
    killed_in_a_call(&place, Op::Find, Whim::Hold, End::Commits).await;
    assert_eq!(place.database.count("sync_undos").await, 0);
    neither_has(place).await;
}

async fn before_the_vendors_create(place: Place) {
    killed_in_a_call(&place, Op::Create, Whim::Hold, End::Commits).await;
    assert_eq!(place.database.count("sync_undos").await, 1);
    assert_eq!(place.vendor.records().len(), 0);
    neither_has(place).await;
}

async fn before_a_create_that_lands_late(place: Place) {
    killed_in_a_call(&place, Op::Create, Whim::DoLate, End::Commits).await;
    place.vendor.has(1).await;
    neither_has(place).await;
}

async fn after_the_vendors_create(place: Place) {
    killed_in_a_call(&place, Op::Create, Whim::HoldAnswer, End::Commits).await;
    assert_eq!(place.vendor.records().len(), 1);
    neither_has(place).await;
}

async fn with_the_vendors_answer(place: Place) {
    killed_at(&place, Step::Called, End::Commits).await;
    assert_eq!(place.vendor.records().len(), 1);
    neither_has(place).await;
}

async fn with_the_row_written(place: Place) {
    killed_at(&place, Step::Inserted, End::Commits).await;
    neither_has(place).await;
}

async fn with_the_confirmation_written(place: Place) {
    killed_at(&place, Step::Confirmed, End::Commits).await;
    assert_eq!(place.vendor.records().len(), 1);
    neither_has(place).await;
}

async fn after_the_commit(place: Place) {
    killed_at(&place, Step::Committed, End::Commits).await;
    both_have(place).await;
}

/// The one gap that there is, and the reason to confirm in the transaction: the row stays, and the record goes.
async fn after_a_commit_without_confirmation(place: Place) {
    killed_at(&place, Step::Committed, End::CommitsUnconfirmed).await;
    place.recover().await;
    assert_eq!(place.database.count("people").await, 1);
    assert_eq!(place.vendor.records().len(), 0);
    place.nothing_is_left().await;
}

async fn while_it_undoes(place: Place) {
    killed_in_a_call(&place, Op::Delete, Whim::Hold, End::RollsBack).await;
    assert_eq!(place.vendor.records().len(), 1);
    neither_has(place).await;
}

async fn after_it_has_undone(place: Place) {
    killed_in_a_call(&place, Op::Delete, Whim::HoldAnswer, End::RollsBack).await;
    neither_has(place).await;
}
