//! Every fixture of a task, read.

use chrono::{DateTime, Utc};
use openphone_client::UserId;
use openphone_client::webhooks::{EventKind, EventName, TaskEvent};
use rstest::rstest;

use crate::fixtures::event;

fn task(name: &str) -> TaskEvent {
    match event(name).kind {
        EventKind::TaskCreated(task)
        | EventKind::TaskUpdated(task)
        | EventKind::TaskDeleted(task)
        | EventKind::TaskCompleted(task)
        | EventKind::TaskReopened(task)
        | EventKind::TaskAssigned(task)
        | EventKind::TaskUnassigned(task)
        | EventKind::TaskOverdue(task)
        | EventKind::TaskLinked(task)
        | EventKind::TaskUnlinked(task)
        | EventKind::TaskDueDateUpdated(task)
        | EventKind::TaskDueDateRemoved(task) => *task,
        other => panic!("{name}: {other:?}"),
    }
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Title and description, what was changed, when it is due, who is to do it, who no longer.
#[rstest]
#[case(
    "created",
    Some("Call back"),
    Some("About the order"),
    None,
    None,
    None
)]
#[case("updated", Some("Call back today"), None, None, None, None)]
#[case("deleted", None, None, None, None, None)]
#[case("completed", None, None, None, None, None)]
#[case("reopened", None, None, None, None, None)]
#[case("assigned", None, None, None, Some("USm1N3p5Q7"), None)]
#[case("unassigned", None, None, None, None, Some("USm1N3p5Q7"))]
#[case("overdue", None, None, Some("2026-04-13T11:59:00Z"), None, None)]
#[case("linked", None, None, None, None, None)]
#[case("unlinked", None, None, None, None, None)]
#[case(
    "duedate.updated",
    None,
    None,
    Some("2026-04-20T18:00:00Z"),
    None,
    None
)]
#[case("duedate.removed", None, None, None, None, None)]
fn a_task_event_says_what_changed(
    #[case] name: &str,
    #[case] title: Option<&str>,
    #[case] description: Option<&str>,
    #[case] due: Option<&str>,
    #[case] assigned: Option<&str>,
    #[case] unassigned: Option<&str>,
) {
    let fixture = format!("dated.task.{name}");
    let task = task(&fixture);
    assert_eq!(event(&fixture).kind.name(), format!("task.{name}"));
    assert_eq!(task.id.as_str(), "TK0011223344");
    assert_eq!(task.title.as_deref(), title);
    assert_eq!(task.description.as_deref(), description);
    assert_eq!(task.due_date, due.map(time));
    assert_eq!(task.assigned_to.as_ref().map(UserId::as_str), assigned);
    let from = task.unassigned_from.as_ref().map(UserId::as_str);
    assert_eq!(from, unassigned);

    assert_eq!(task.actor_id.unwrap().as_str(), "USk3Qm8ZtY");
    assert_eq!(task.org_id.as_deref(), Some("OR4n6P8q0R"));
    assert_eq!(task.phone_number_id.unwrap().as_str(), "PNb7Xw2LqR");
    assert_eq!(task.conversation_id.is_some(), name != "unlinked");
    let changed = (name == "updated").then(|| vec!["title".to_owned()]);
    assert_eq!(task.updated_fields, changed);
}

/// The app's names of two events differ, and its tasks have the shape of API v1 as far as anybody knows.
#[test]
fn a_task_of_the_app_is_read_under_the_dated_name() {
    let event = event("v3.task.due_date_changed");
    assert_eq!(event.kind.name(), EventName::TaskDueDateUpdated.as_str());
    assert_eq!(event.object_id(), Some("TK0011223344"));
    let task = task("v3.task.due_date_changed");
    assert_eq!(task.due_date, Some(time("2026-02-06T09:00:00Z")));
    assert_eq!(task.assigned_to.unwrap().as_str(), "USm1N3p5Q7");
    assert_eq!(task.activity_id.unwrap().as_str(), "AC5e1c0f7a92b34d68");
    assert_eq!(task.org_id.as_deref(), Some("OR4n6P8q0R"));
}
