//! The table of transitions, cell by cell and flag by flag, and the rules under it.

#![cfg(feature = "status")]
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests; a panic is a failed test"
)]

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use integration_core::Actor;
use integration_core::status::{
    Change, CredentialsVersion, Effect, Event, Ignored, Illegal, Policy, ReasonCode, State, Status,
    Threshold, transition,
};
use rstest::rstest;

const NEWEST: CredentialsVersion = CredentialsVersion(3);

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000, 0).unwrap() + TimeDelta::minutes(minutes)
}

/// One column of the table.
#[derive(Copy, Clone, Debug, PartialEq)]
enum Column {
    Saved,
    Worked,
    TestFailed,
    Refused,
    Transient,
    Disabled,
    Enable,
    TakenAway,
}

/// What a cell of the table says of the state.
#[derive(Copy, Clone, Debug)]
enum Cell {
    /// Goes to this state, or stays in it.
    To(Status),
    /// Goes there if enabling was asked for, else the event is ignored.
    IfAsked(Status),
    /// Goes there unless these credentials were refused.
    UnlessRefused(Status),
    /// Ignored.
    Ignored,
    /// The state stays.
    NoOp,
}

use Cell::{IfAsked, NoOp, To, UnlessRefused};
use Column::{Disabled, Enable, Refused, Saved, TakenAway, TestFailed, Transient, Worked};
use Status::{Active, Disconnected, Error, Pending};

const COLUMNS: [Column; 8] = [
    Saved, Worked, TestFailed, Refused, Transient, Disabled, Enable, TakenAway,
];

/// The document's table: the threshold of active × transient has tests of its own.
#[rustfmt::skip]
const TABLE: [(Status, [Cell; 8]); 4] = [
    //               saved             worked                  test failed     refused        transient      disabled          enable            taken away
    (Pending,      [To(Pending),      To(Active),             To(Error),      To(Error),     To(Pending),   To(Disconnected), To(Pending),      To(Disconnected)]),
    (Active,       [To(Pending),      To(Active),             To(Error),      To(Error),     To(Active),    To(Disconnected), NoOp,             To(Disconnected)]),
    (Error,        [To(Pending),      UnlessRefused(Active),  To(Error),      To(Error),     To(Error),     To(Disconnected), To(Error),        To(Disconnected)]),
    (Disconnected, [To(Disconnected), IfAsked(Active),        IfAsked(Error), Cell::Ignored, Cell::Ignored, NoOp,             To(Disconnected), NoOp]),
];

fn events(column: Column) -> Vec<Event> {
    let (used, message) = (NEWEST, "said so".to_owned());
    match column {
        Saved => vec![Event::CredentialsSaved {
            version: NEWEST.next(),
            by: Some(Actor::from("ann")),
        }],
        Worked => vec![
            Event::TestPassed { used, message },
            Event::CallSucceeded { used },
        ],
        TestFailed => vec![
            Event::TestFailed {
                used,
                message: message.clone(),
                auth_refused: false,
            },
            Event::CredentialsUnreadable { used, message },
        ],
        Refused => vec![Event::AuthRefused { used, message }],
        Transient => vec![
            Event::CallFailed {
                used,
                message,
                paused_until: None,
            },
            Event::RateLimited {
                used,
                paused_until: Some(at(5)),
            },
        ],
        Disabled => vec![Event::Disabled { by: None }],
        Enable => vec![Event::EnableRequested { by: None }],
        TakenAway => vec![Event::Uninstalled, Event::Revoked],
    }
}

/// Every combination of flags that a status can have.
fn states(status: Status) -> Vec<State> {
    let mut all = Vec::new();
    for bits in 0..8_u8 {
        let (on, asked, refused) = (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0);
        let possible = match status {
            Pending => !refused && (on || !asked),
            Active => !refused && !asked,
            Error => on || !asked,
            Disconnected => on == asked,
            _ => false,
        };
        if possible {
            let mut state = State::new();
            state.status = status;
            state.is_active = on;
            state.enable_pending = asked;
            state.needs_reauth = refused;
            state.refused = refused.then_some(NEWEST);
            state.reason = match status {
                Error if refused => Some(ReasonCode::AuthRefused),
                Error => Some(ReasonCode::TestFailed),
                Disconnected => Some(ReasonCode::DisabledByHand),
                _ => None,
            };
            state.error_message = (status == Error).then(|| "it broke".to_owned());
            state.has_credentials = true;
            state.credentials = NEWEST;
            state.last_sync_at = Some(at(-600));
            state.version = 7;
            all.push(state);
        }
    }
    all
}

fn every_case() -> impl Iterator<Item = (State, Column, Cell, Event)> {
    TABLE.into_iter().flat_map(|(status, cells)| {
        states(status).into_iter().flat_map(move |state| {
            COLUMNS
                .into_iter()
                .zip(cells)
                .flat_map(move |(column, cell)| {
                    let state = state.clone();
                    let cases = events(column).into_iter();
                    cases.map(move |event| (state.clone(), column, cell, event))
                })
        })
    })
}

/// The status a cell leads to, or none where the event is ignored.
fn target(state: &State, cell: Cell) -> Option<Status> {
    match cell {
        Cell::Ignored => None,
        NoOp => Some(state.status),
        IfAsked(_) if !state.enable_pending => None,
        UnlessRefused(_) | IfAsked(Active) if state.needs_reauth => None,
        To(status) | IfAsked(status) | UnlessRefused(status) => Some(status),
    }
}

#[test]
fn every_cell_of_the_table_with_every_combination_of_flags() {
    let mut cases = 0;
    for (state, column, cell, event) in every_case() {
        cases += 1;
        let context = format!("{state:?}\n{event:?}");
        let change = transition(&state, event.clone(), at(0)).unwrap();
        let next = &change.state;
        let Some(to) = target(&state, cell) else {
            assert_eq!(*next, state, "{context}");
            let reason = if state.needs_reauth && state.status != Disconnected
                || state.needs_reauth && state.enable_pending && column == Worked
            {
                Ignored::NeedsReauth
            } else {
                Ignored::Disconnected
            };
            assert_eq!(change.ignored, Some(reason), "{context}");
            assert!(
                change.effects.is_empty() && change.history.is_none(),
                "{context}"
            );
            continue;
        };
        assert_eq!(next.status, to, "{context}");
        let ignored = change.ignored == Some(Ignored::NothingNew);
        assert_eq!(ignored, *next == state, "{context}");
        assert_eq!(next.version, 7 + u64::from(!ignored), "{context}");

        let no_op = matches!(cell, NoOp);
        let wish = match column {
            Disabled => false,
            TakenAway if !no_op => false,
            Enable => true,
            _ => state.is_active,
        };
        assert_eq!(next.is_active, wish, "{context}");
        let asked = match column {
            Enable => to != Active,
            Saved | Transient => state.enable_pending,
            TakenAway if no_op => state.enable_pending,
            _ => false,
        };
        assert_eq!(next.enable_pending, asked, "{context}");
        let refused = match column {
            Saved => false,
            Refused => true,
            _ => state.needs_reauth,
        };
        assert_eq!(next.needs_reauth, refused, "{context}");
        assert_eq!(next.refused, refused.then_some(NEWEST), "{context}");
        assert_eq!(next.error_message.is_some(), to == Error, "{context}");
        let synced = if column == Worked { at(0) } else { at(-600) };
        assert_eq!(next.last_sync_at, Some(synced), "{context}");
        assert_eq!(change.effects, effects(&state, next, column), "{context}");
    }
    assert_eq!(cases, (3 + 2 + 6 + 4) * 12);
}

/// What a change asks for, by the rules under the table.
fn effects(before: &State, after: &State, column: Column) -> Vec<Effect> {
    let mut effects = Vec::new();
    let wanted = before.is_active || matches!(before.status, Active | Error);
    match column {
        Saved if before.status == Active => effects.extend([Effect::ServeOld, Effect::TestDue]),
        Saved if wanted => effects.push(Effect::TestDue),
        Worked if before.status != Active => effects.push(Effect::PromoteCredentials),
        Enable if before.status != Active => effects.push(Effect::TestDue),
        TakenAway if before.status != Disconnected => {
            effects.extend([Effect::RemoveWebhooks, Effect::DeleteCredentials]);
        }
        _ => {}
    }
    match (before.runs_jobs(), after.runs_jobs()) {
        (true, false) => effects.push(Effect::ParkJobs),
        (false, true) => effects.extend([Effect::ResumeJobs, Effect::EnsureWebhooks]),
        _ => {}
    }
    effects
}

#[test]
fn an_older_result_changes_nothing_anywhere() {
    for (mut state, _, _, event) in every_case() {
        if event.used().is_none() {
            continue;
        }
        state.credentials = NEWEST.next();
        let change = transition(&state, event, at(0)).unwrap();
        assert_eq!(change.state, state);
        assert_eq!(change.ignored, Some(Ignored::OlderCredentials));
        assert!(change.effects.is_empty() && change.history.is_none());
    }
}

#[test]
fn a_result_of_credentials_that_were_never_seen_is_illegal_anywhere() {
    for (mut state, _, _, event) in every_case() {
        if event.used().is_none() {
            continue;
        }
        state.credentials = CredentialsVersion(2);
        let error = transition(&state, event.clone(), at(0)).unwrap_err();
        assert_eq!((error.status, error.event), (state.status, event.name()));
        assert_eq!(error.why, Illegal::UnknownCredentials);
    }
}

#[rstest]
#[case(
    Event::EnableRequested { by: None },
    "enable_requested cannot happen to an integration that is pending: there are no credentials"
)]
#[case(
    Event::TestPassed { used: CredentialsVersion(0), message: String::new() },
    "test_passed cannot happen to an integration that is pending: there are no credentials"
)]
#[case(
    Event::CallSucceeded { used: CredentialsVersion(1) },
    "call_succeeded cannot happen to an integration that is pending: it names credentials that were never saved"
)]
#[case(
    Event::CredentialsSaved { version: CredentialsVersion(0), by: None },
    "credentials_saved cannot happen to an integration that is pending: its credentials are not newer than those there are"
)]
fn an_illegal_transition_names_state_and_event(#[case] event: Event, #[case] words: &str) {
    let error = transition(&State::new(), event, at(0)).unwrap_err();
    assert_eq!(error.to_string(), words);
}

#[test]
fn what_cannot_be_opened_is_no_refusal_and_mends_itself() {
    let event = |used| Event::CredentialsUnreadable {
        used,
        message: "The key is missing.".to_owned(),
    };
    let broken = step(&active(), event(NEWEST), 0);
    let state = &broken.state;
    assert_eq!(state.status, Error);
    assert_eq!(state.reason, Some(ReasonCode::CredentialsUnreadable));
    assert_eq!(state.error_message.as_deref(), Some("The key is missing."));
    assert!(!state.needs_reauth && state.is_active && broken.has(Effect::ParkJobs));
    assert_eq!(state.last_test, active().last_test, "no test was made");

    let (used, message) = (NEWEST, "Connected.".to_owned());
    let mended = step(state, Event::TestPassed { used, message }, 1);
    assert!(mended.state.runs_jobs() && mended.has(Effect::ResumeJobs));
    assert_eq!(mended.state.reason, None);

    // That a person has to act stays what is said.
    let message = "The key was refused.".to_owned();
    let refused = step(&active(), Event::AuthRefused { used, message }, 0).state;
    let still = step(&refused, event(NEWEST), 1).state;
    assert!(still.needs_reauth);
    assert_eq!(still.reason, Some(ReasonCode::AuthRefused));
}

#[test]
fn what_was_taken_away_can_be_enabled_only_with_new_credentials() {
    let gone = step(&active(), Event::Uninstalled, 0).state;
    assert_eq!(gone.reason, Some(ReasonCode::Uninstalled));
    let enable = Event::EnableRequested { by: None };
    let error = transition(&gone, enable.clone(), at(1)).unwrap_err();
    assert_eq!(error.why, Illegal::NoCredentials);

    let version = NEWEST.next();
    let stored = step(&gone, Event::CredentialsSaved { version, by: None }, 2).state;
    assert_eq!(stored.status, Disconnected);
    let asked = step(&stored, enable, 3).state;
    let message = "Connected.".to_owned();
    let used = version;
    let passed = step(&asked, Event::TestPassed { used, message }, 4);
    assert!(passed.state.runs_jobs() && passed.has(Effect::ResumeJobs));
}

#[test]
fn a_test_that_is_refused_is_both_columns_at_once() {
    for status in [Pending, Active, Error, Disconnected] {
        for state in states(status) {
            let event = Event::TestFailed {
                used: NEWEST,
                message: "The key was refused.".to_owned(),
                auth_refused: true,
            };
            let change = transition(&state, event, at(0)).unwrap();
            if status == Disconnected && !state.enable_pending {
                assert_eq!(change.ignored, Some(Ignored::Disconnected));
                continue;
            }
            assert_eq!(change.state.status, Error);
            assert_eq!(change.state.refused, Some(NEWEST));
            assert_eq!(change.state.reason, Some(ReasonCode::AuthRefused));
            let told = change.state.error_message.as_deref();
            assert_eq!(told, Some("The key was refused."));
            assert!(change.state.last_test.is_some_and(|test| !test.ok));
        }
    }
}

#[test]
fn a_refusal_is_lifted_by_newer_credentials_and_by_nothing_else() {
    let (used, message) = (NEWEST, "The key was refused.".to_owned());
    let refused = step(&active(), Event::AuthRefused { used, message }, 0).state;
    let worked = step(&refused, Event::CallSucceeded { used }, 1);
    assert_eq!(worked.ignored, Some(Ignored::NeedsReauth));
    let failing = Event::TestFailed {
        used,
        message: "No answer.".to_owned(),
        auth_refused: false,
    };
    let still = step(&refused, failing, 2).state;
    assert_eq!(still.error_message.as_deref(), Some("The key was refused."));
    assert_eq!(still.reason, Some(ReasonCode::AuthRefused));
    let off = step(&still, Event::Disabled { by: None }, 3).state;
    let asked = step(&off, Event::EnableRequested { by: None }, 4).state;
    let passed = Event::TestPassed {
        used,
        message: "Connected.".to_owned(),
    };
    let passed = step(&asked, passed, 5);
    assert_eq!(passed.ignored, Some(Ignored::NeedsReauth));

    let version = NEWEST.next();
    let saved = step(&asked, Event::CredentialsSaved { version, by: None }, 6).state;
    assert!(!saved.needs_reauth && saved.refused.is_none());
    let works = step(&saved, Event::CallSucceeded { used: version }, 7).state;
    assert_eq!(works.status, Active);
}

#[test]
fn the_old_set_serves_until_the_newest_has_passed() {
    let version = NEWEST.next();
    let saved = step(&active(), Event::CredentialsSaved { version, by: None }, 0);
    assert_eq!(
        saved.effects,
        [Effect::ServeOld, Effect::TestDue, Effect::ParkJobs]
    );
    let late = step(&saved.state, Event::CallSucceeded { used: NEWEST }, 1);
    assert_eq!(late.ignored, Some(Ignored::OlderCredentials));
    let passed = step(&saved.state, Event::CallSucceeded { used: version }, 2);
    assert_eq!(
        passed.effects,
        [
            Effect::PromoteCredentials,
            Effect::ResumeJobs,
            Effect::EnsureWebhooks
        ]
    );
}

#[test]
fn newer_credentials_begin_with_a_clean_slate() {
    for status in [Pending, Active, Error, Disconnected] {
        for mut state in states(status) {
            state.consecutive_failures = 4;
            state.failing_since = Some(at(-30));
            state.failed_checks = 3;
            state.paused_until = Some(at(600));
            state.reauth_notified_at = Some(at(-60));
            let version = NEWEST.next();
            let saved = step(&state, Event::CredentialsSaved { version, by: None }, 0).state;
            assert_eq!((saved.consecutive_failures, saved.failing_since), (0, None));
            assert_eq!((saved.failed_checks, saved.paused_until), (0, None));
            assert_eq!(saved.reauth_notified_at, None);
            assert_eq!(saved.last_sync_at, state.last_sync_at);
        }
    }
}

#[test]
fn every_further_failure_in_error_counts_for_the_back_off() {
    let broken = step(
        &active(),
        Event::AuthRefused {
            used: NEWEST,
            message: "The key was refused.".to_owned(),
        },
        0,
    );
    assert_eq!(broken.state.failed_checks, 0);
    let mut state = broken.state;
    for expected in 1..4 {
        state = step(&state, failed(), expected).state;
        assert_eq!(i64::from(state.failed_checks), expected);
    }
    let limited = Event::RateLimited {
        used: NEWEST,
        paused_until: None,
    };
    assert_eq!(step(&state, limited, 5).state.failed_checks, 3);
}

#[rstest]
#[case::a_burst_is_no_outage(&[0, 0, 0, 0, 0, 0, 0, 14], None)]
#[case::five_over_a_quarter_of_an_hour(&[0, 4, 8, 12, 15], Some(5))]
#[case::few_but_long(&[0, 60, 120, 180], None)]
#[case::few_and_slow(&[0, 60, 120, 180, 240], Some(5))]
#[case::the_clock_is_set_back(&[0, -600, -599, -598, -597, -586], None)]
#[case::and_time_goes_on_from_there(&[0, -600, -599, -598, -597, -585], Some(6))]
fn tolerance(#[case] minutes: &[i64], #[case] error_after: Option<usize>) {
    let mut state = active();
    let mut broke = None;
    for (index, minute) in minutes.iter().enumerate() {
        let change = step(&state, failed(), *minute);
        if change.state.status == Error && broke.is_none() {
            broke = Some(index + 1);
            assert_eq!(change.state.reason, Some(ReasonCode::CallsFailing));
            assert!(change.has(Effect::ParkJobs));
        }
        state = change.state;
    }
    assert_eq!(broke, error_after);
}

#[test]
fn a_success_begins_the_count_anew() {
    let mut state = active();
    for minute in [0, 5, 10, 14] {
        state = step(&state, failed(), minute).state;
    }
    state = step(&state, Event::CallSucceeded { used: NEWEST }, 15).state;
    assert_eq!((state.consecutive_failures, state.failing_since), (0, None));
    assert_eq!(step(&state, failed(), 16).state.status, Active);
}

#[test]
fn at_once_means_the_first_failure() {
    let policy = Policy::new(Threshold::Immediate);
    let change = policy.transition(&active(), failed(), at(0)).unwrap();
    assert_eq!(change.state.status, Error);
}

#[test]
fn too_many_calls_never_lead_to_error() {
    let policies = [
        Policy::new(Threshold::Immediate),
        Policy::new(Threshold::Tolerant {
            failures: 1,
            over: Duration::ZERO,
        }),
    ];
    for policy in policies {
        let mut state = active();
        for minute in 0..100 {
            let event = Event::RateLimited {
                used: NEWEST,
                paused_until: Some(at(minute + 5)),
            };
            state = policy.transition(&state, event, at(minute)).unwrap().state;
        }
        assert_eq!((state.status, state.consecutive_failures), (Active, 0));
        assert_eq!(state.paused_until, Some(at(104)));
    }
}

#[test]
fn the_longest_pause_holds_and_none_for_ever() {
    let limited = |until| Event::RateLimited {
        used: NEWEST,
        paused_until: Some(until),
    };
    let paused = step(&active(), limited(at(60)), 0).state;
    let shorter = step(&paused, limited(at(10)), 1).state;
    assert_eq!(shorter.paused_at(at(1)), Some(at(60)));
    let worked = step(&shorter, Event::CallSucceeded { used: NEWEST }, 30).state;
    assert_eq!(worked.paused_at(at(30)), Some(at(60)));
    assert_eq!(worked.paused_at(at(60)), None);
    let over = step(&worked, Event::CallSucceeded { used: NEWEST }, 61).state;
    assert_eq!(over.paused_until, None);

    let month = TimeDelta::days(31);
    let endless = step(&active(), limited(DateTime::<Utc>::MAX_UTC), 0).state;
    assert_eq!(endless.paused_until, Some(at(0) + month));
    let back = at(-600_000);
    assert_eq!(endless.paused_at(back), Some(back + month));
}

#[test]
fn a_busy_integration_is_not_written_with_every_call() {
    let mut state = active();
    let first = state.version;
    for second in 0..600 {
        let now = at(0) + TimeDelta::seconds(second);
        let change = transition(&state, Event::CallSucceeded { used: NEWEST }, now).unwrap();
        assert!(change.history.is_none());
        state = change.state;
    }
    assert_eq!(state.version - first, 10);
    let back = step(&state, Event::CallSucceeded { used: NEWEST }, -90).state;
    assert_eq!(back.last_sync_at, Some(at(-90)));
}

#[test]
fn the_history_says_who_and_why() {
    let ann = Some(Actor::from("ann"));
    let version = CredentialsVersion(1);
    let saved = Event::CredentialsSaved {
        version,
        by: ann.clone(),
    };
    let saved = step(&State::new(), saved, 0);
    let first = saved.history.unwrap();
    assert_eq!((first.from, first.to), (None, Pending));
    assert_eq!((first.actor, first.version), (ann, 1));
    assert_eq!(first.event, "credentials_saved");

    let failed = Event::TestFailed {
        used: version,
        message: "The key was refused.".to_owned(),
        auth_refused: false,
    };
    let second = step(&saved.state, failed, 1).history.unwrap();
    assert_eq!((second.from, second.to), (Some(Pending), Error));
    assert_eq!(second.reason, Some(ReasonCode::TestFailed));
    assert_eq!(second.message.as_deref(), Some("The key was refused."));
}

#[test]
fn a_state_of_before_the_newer_fields_can_be_read() {
    let mut json = serde_json::to_value(State::new()).unwrap();
    let fields = json.as_object_mut().unwrap();
    for newer in ["failed_checks", "reauth_notified_at", "has_credentials"] {
        assert!(fields.remove(newer).is_some());
    }
    assert_eq!(serde_json::from_value::<State>(json).unwrap(), State::new());
}

fn active() -> State {
    let mut state = states(Active).pop().unwrap();
    assert!(state.runs_jobs());
    state.last_sync_at = Some(at(-10));
    state
}

fn failed() -> Event {
    Event::CallFailed {
        used: NEWEST,
        message: "No answer.".to_owned(),
        paused_until: None,
    }
}

fn step(state: &State, event: Event, minute: i64) -> Change {
    transition(state, event, at(minute)).unwrap()
}
