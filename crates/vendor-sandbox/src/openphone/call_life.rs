//! The life of a call: it rings, it is answered, it ends, and what was said is worked on.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::clock;
use crate::openphone::call::{CallEnd, PhoneCall, Processing, Stage};
use crate::openphone::events::{CallEvent, Event};
use crate::openphone::message_store::Direction;
use crate::openphone::new_call::NewCall;
use crate::openphone::state::{Plan, State, Step};
use crate::webhook::Delivery;

/// Longer than any call lasts; what is longer is cut to it.
const LONGEST: TimeDelta = TimeDelta::days(1);

/// What happens next to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallStep {
    Answered,
    Ended,
    /// Recording and voicemail are there.
    Recorded,
    /// Transcript and summary are there, or have failed.
    Understood {
        failed: bool,
    },
}

/// What is to be made of the talk; asked again when the call ends.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "four independent wishes")]
pub(super) struct Wishes {
    recorded: bool,
    transcribed: bool,
    summarised: bool,
    fails: bool,
}

/// Places a call and returns its id with the webhooks that go out at once.
pub(super) fn place(
    state: &mut State,
    new: &NewCall,
    now: DateTime<Utc>,
) -> Result<(String, Vec<Delivery>), String> {
    let State {
        ids,
        workspace,
        threads,
        calls,
        ..
    } = &mut *state;
    let Some(phone) = workspace.own_number(&new.number) else {
        return Err(format!(
            "{} is not a number or number id of the workspace",
            new.number
        ));
    };
    if new.them.trim().is_empty() {
        return Err("the other side is empty".to_owned());
    }
    if new.direction == Direction::Outgoing && new.menu.is_some() {
        return Err("only who calls in chooses from the phone menu".to_owned());
    }
    match (new.direction, new.end) {
        (Direction::Incoming, CallEnd::Busy) => {
            return Err("a call that comes in does not end busy".to_owned());
        }
        (
            Direction::Outgoing,
            CallEnd::Voicemail | CallEnd::Forwarded | CallEnd::AiHandled | CallEnd::Abandoned,
        ) => return Err("only a call that comes in can end so".to_owned()),
        _ => {}
    }
    let ringing = TimeDelta::from_std(new.ringing).map_or(LONGEST, |time| time.min(LONGEST));
    let talking = TimeDelta::from_std(new.talking).map_or(LONGEST, |time| time.min(LONGEST));
    let created_at = if new.live {
        now
    } else {
        now - ringing - talking
    };
    let thread_place = threads.ensure(phone, std::slice::from_ref(&new.them), now, ids);
    let Some(thread) = threads.get(thread_place) else {
        return Err("the thread is not there".to_owned());
    };
    let id = calls.ledger.id(calls.ledger.next_place());
    let call = PhoneCall {
        id: id.clone(),
        direction: new.direction,
        them: new.them.clone(),
        own_number: phone.1.number,
        phone_number_id: Arc::clone(&thread.phone_number_id),
        conversation_id: Arc::clone(&thread.id),
        user_id: workspace.owner_of(phone.1),
        agent_id: Arc::clone(&workspace.agent_id),
        created_at,
        ringing,
        talking,
        end: new.end,
        forwarded_to: (new.end == CallEnd::Forwarded).then(|| workspace.forward_to.to_owned()),
        menu: new.menu.clone(),
        stage: Stage::Ringing,
        recording: Processing::Absent,
        voicemail: Processing::Absent,
        summary: Processing::Absent,
        transcript: Processing::Absent,
    };
    let incoming = new.direction == Direction::Incoming;
    threads.note(thread_place, id.clone(), created_at, incoming);
    let place = calls.ledger.push(thread_place, call);
    let wishes = Wishes {
        recorded: new.recorded,
        transcribed: new.transcribed,
        summarised: new.summarised,
        fails: new.processing_fails,
    };
    state.wishes.insert(place, wishes);
    let mut deliveries = Vec::new();
    if new.menu.is_some() {
        let chosen = Event::Call(CallEvent::MenuSelected, place);
        deliveries.extend(state.notify(&chosen, created_at));
    }
    deliveries.extend(state.notify(&Event::Call(CallEvent::Ringing, place), created_at));
    if new.live {
        let answered = clock::monotonic() + new.ringing;
        let steps = [
            (answered, CallStep::Answered),
            (answered + new.talking, CallStep::Ended),
        ];
        for (due, step) in steps {
            state.timeline.plan(due, Step::Call(place, step));
        }
    } else {
        let answered_at = created_at + ringing;
        deliveries.extend(state.step(place, CallStep::Answered, answered_at));
        deliveries.extend(state.step(place, CallStep::Ended, now));
    }
    Ok((id, deliveries))
}

impl State {
    /// Lets the next thing happen to a call.
    pub(super) fn step(&mut self, place: u64, step: CallStep, now: DateTime<Utc>) -> Vec<Delivery> {
        let understands = self.plan != Plan::Starter;
        let wishes = self.wishes.get(&place).copied();
        let Some(call) = self.calls.ledger.get_mut(place) else {
            return Vec::new();
        };
        let mut events = Vec::new();
        match step {
            CallStep::Answered => {
                call.stage = Stage::Talking;
                if call.end.is_answered() {
                    events.push(CallEvent::Answered);
                } else if call.end == CallEnd::Forwarded {
                    events.push(CallEvent::Forwarded);
                }
            }
            CallStep::Ended => {
                call.stage = Stage::Over;
                events.push(CallEvent::Completed);
                if call.direction == Direction::Incoming
                    && matches!(call.end, CallEnd::Missed | CallEnd::Voicemail)
                {
                    events.push(CallEvent::Missed);
                }
                begin_processing(call, wishes, understands);
                self.wishes.remove(&place);
                let fails = wishes.is_some_and(|wishes| wishes.fails);
                self.plan_processing(place, fails);
            }
            CallStep::Recorded => {
                if call.recording == Processing::InProgress {
                    call.recording = Processing::Completed;
                    events.push(CallEvent::Recorded);
                }
                if call.voicemail == Processing::InProgress {
                    call.voicemail = Processing::Completed;
                    events.push(CallEvent::VoicemailLeft);
                }
            }
            CallStep::Understood { failed } => {
                let parts = [
                    (&mut call.transcript, CallEvent::Transcribed),
                    (&mut call.summary, CallEvent::Summarised),
                ];
                for (part, event) in parts {
                    if *part != Processing::InProgress {
                        continue;
                    }
                    if failed {
                        *part = Processing::Failed;
                    } else {
                        *part = Processing::Completed;
                        events.push(event);
                    }
                }
            }
        }
        events
            .into_iter()
            .flat_map(|event| self.notify(&Event::Call(event, place), now))
            .collect()
    }

    /// Lets a planned step happen.
    pub(super) fn happen(&mut self, step: Step, now: DateTime<Utc>) -> Vec<Delivery> {
        match step {
            Step::Call(place, step) => self.step(place, step, now),
            Step::TaskOverdue(place, due) => self.overdue(place, due, now),
        }
    }

    /// Lets everything happen to the calls that is still ahead of them.
    pub(super) fn finish_calls(&mut self, now: DateTime<Utc>) -> Vec<Delivery> {
        let mut deliveries = Vec::new();
        loop {
            let mut steps = self.timeline.take(Step::is_of_a_call);
            steps.append(&mut self.held);
            if steps.is_empty() {
                return deliveries;
            }
            for step in steps {
                deliveries.extend(self.happen(step, now));
            }
        }
    }

    fn plan_processing(&mut self, place: u64, fails: bool) {
        let steps = [CallStep::Recorded, CallStep::Understood { failed: fails }];
        let Some(wait) = self.options.processing else {
            self.held.extend(steps.map(|step| Step::Call(place, step)));
            return;
        };
        let now = clock::monotonic();
        let mut due = now;
        for step in steps {
            // A wait that no clock can hold is one without an end.
            due = due
                .checked_add(wait)
                .unwrap_or(now + Duration::from_hours(24));
            self.timeline.plan(due, Step::Call(place, step));
        }
    }
}

fn begin_processing(call: &mut PhoneCall, wishes: Option<Wishes>, understands: bool) {
    if call.end == CallEnd::Voicemail {
        call.voicemail = Processing::InProgress;
    }
    let Some(wishes) = wishes.filter(|_| call.may_be_recorded()) else {
        return;
    };
    let begin = |wanted| {
        if wanted {
            Processing::InProgress
        } else {
            Processing::Absent
        }
    };
    call.recording = begin(wishes.recorded);
    call.transcript = begin(wishes.transcribed && understands);
    call.summary = begin(wishes.summarised && understands);
}
