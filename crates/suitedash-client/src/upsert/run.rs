//! The calls, in an order that never makes a contact twice and never writes to a stranger.

use connector_http::{Call, CallOptions, Delivery, Error, ErrorKind, Method};
use serde_json::{Map, Value};

use super::input::ContactInput;
use super::merge::{Merged, Stored, look_back, merge, stored_differently};
use super::outcome::{ContactAction, ContactOutcome, DryRun, Notice, PlannedCall, StepWhen};
use super::rules::{ContactPlan, ContactRules};
use super::wanted::Wanted;
use crate::client::{Client, VENDOR};
use crate::contacts::{CREATE, GET, META, UPDATE, same_person};
use crate::ids::ContactUid;
use crate::reply::Reply;

// What the calls before the one that failed have come to.
const NOT_SEEN: &str = "looked up after that, the contact was not found";
const NOT_LOOKED: &str = "it could not be looked up whether the contact exists";
const NOT_CREATED: &str =
    "the creation before it was refused, so that no contact was created; one may have been there";
const FOUND: &str = "the contact exists, and was there before";
const FOUND_AFTER: &str =
    "the contact exists: it was found after the answer to its creation was lost";

/// What is to be done.
#[derive(Clone)]
pub(super) struct Job {
    /// For errors found between the calls.
    pub(super) operation: &'static str,
    /// The contact, if it is known to exist.
    pub(super) uid: Option<ContactUid>,
    pub(super) input: ContactInput,
}

impl Job {
    fn read(&self, client: &Client, rules: &ContactRules) -> Result<Wanted, Error> {
        let may_create = self.uid.is_none();
        let now = client.inner.timer.utc_now();
        Wanted::read(self.input.clone(), rules, may_create, now, self.operation)
    }
}

/// Does it.
pub(super) async fn run(
    client: Client,
    job: Job,
    rules: ContactRules,
    options: CallOptions,
) -> Result<ContactOutcome, Error> {
    let mut wanted = job.read(&client, &rules)?;
    let mut run = Run {
        client: &client,
        rules: &rules,
        options,
        operation: job.operation,
        spent: 0,
    };
    let attributes = if wanted.needs_meta() {
        Some(run.meta().await?)
    } else {
        client.known_meta()
    };
    wanted.resolve(attributes.as_deref());
    let outcome = match (&job.uid, wanted.email.clone()) {
        (Some(uid), _) => run.of_known(uid, wanted).await,
        // Without a key there is nobody to look for, before or after.
        (None, None) => run
            .create(&wanted)
            .await
            .map(|made| run.created_now(wanted, made)),
        (None, Some(email)) => run.of_email(&email, wanted).await,
    }?;
    if let Some(email) = &outcome.contact.email {
        client.inner.known.put(email, &outcome.contact.uid);
    }
    Ok(outcome)
}

struct Run<'a> {
    client: &'a Client,
    rules: &'a ContactRules,
    options: CallOptions,
    operation: &'static str,
    spent: u32,
}

impl Run<'_> {
    async fn of_known(
        &mut self,
        uid: &ContactUid,
        wanted: Wanted,
    ) -> Result<ContactOutcome, Error> {
        let stored = self.get(uid.as_str()).await?;
        if stored.contact.uid != *uid {
            let message = "the vendor answered with another contact; nothing was written";
            return Err(Error::of_client(
                ErrorKind::Conflict,
                VENDOR,
                self.operation,
                Delivery::Rejected,
                message,
            ));
        }
        self.update(wanted, stored).await
    }

    async fn of_email(&mut self, email: &str, mut wanted: Wanted) -> Result<ContactOutcome, Error> {
        let known = self.client.inner.known.get(email).is_some();
        let read_first = known || self.rules.plan == ContactPlan::GetFirst;
        if read_first {
            if let Some(stored) = self.find(email).await? {
                return self.update(wanted, stored).await;
            }
            self.client.inner.known.forget(email);
        }
        let error = match self.create(&wanted).await {
            Ok(made) => return Ok(self.created_now(wanted, made)),
            Err(error) => error,
        };
        let lost = matches!(error.delivery(), Delivery::Unknown | Delivery::Succeeded);
        // It was looked for already, and was not there: a refusal is about the input then.
        let duplicate = !read_first && may_be_a_duplicate(&error);
        if !lost && !duplicate {
            return Err(error);
        }
        let (made, before) = (error.delivery(), self.spent);
        let stored = match self.find(email).await {
            Ok(Some(stored)) => stored,
            // Nobody is there: the refusal was about the input.
            Ok(None) if !lost => return Err(error),
            Ok(None) => return Err(error.after(made, self.spent.saturating_sub(before), NOT_SEEN)),
            // What the lost answer said stays unknown, which weighs more than why the look-up failed.
            Err(second) if lost => return Err(error.after(made, second.attempts(), NOT_LOOKED)),
            Err(second) => {
                let others = self.spent.saturating_sub(second.attempts());
                return Err(second.after(made, others, NOT_CREATED));
            }
        };
        if lost {
            wanted.notices.push(Notice::AnswerLost);
            if merge(&wanted, &stored, self.rules).body.is_empty() {
                return Ok(self.created(wanted, stored));
            }
        }
        let so_far = if lost { FOUND_AFTER } else { FOUND };
        let updated = self.update(wanted, stored).await;
        updated.map_err(|error| error.after(made, 0, so_far))
    }

    /// Writes what differs, if anything does.
    async fn update(&mut self, wanted: Wanted, stored: Stored) -> Result<ContactOutcome, Error> {
        let Merged {
            body,
            unmapped,
            notices,
        } = merge(&wanted, &stored, self.rules);
        let (action, contact, more) = if body.is_empty() {
            (ContactAction::Unchanged, stored.contact, Vec::new())
        } else {
            let uid = stored.contact.uid.clone();
            let before = self.spent;
            let written = self.put(&uid, &body).await;
            // The calls before have read, and what else they did their caller knows.
            let after = written.map_err(|error| error.after(Delivery::NotSent, before, FOUND))?;
            let seen = look_back(&body, &stored, &after);
            (ContactAction::Updated, after.contact, seen)
        };
        let mut outcome = ContactOutcome {
            action,
            contact,
            calls_spent: self.spent,
            unmapped: wanted.unmapped,
            notices: wanted.notices,
        };
        outcome.unmapped.extend(unmapped);
        outcome.notices.extend(notices);
        outcome.notices.extend(more);
        if outcome.contact.last_name.is_some() && !body.contains_key("last_name") {
            // There was a name: the placeholder was not needed.
            outcome.notices.retain(|it| *it != Notice::PlaceholderUsed);
        }
        Ok(outcome)
    }

    /// What was made, and what of it is not as it was sent.
    fn created_now(&self, mut wanted: Wanted, made: Stored) -> ContactOutcome {
        let sent = serde_json::to_value(wanted.to_new_contact(self.rules));
        if let Ok(Value::Object(sent)) = sent {
            wanted.notices.extend(stored_differently(&sent, &made));
        }
        self.created(wanted, made)
    }

    fn created(&self, wanted: Wanted, made: Stored) -> ContactOutcome {
        ContactOutcome {
            action: ContactAction::Created,
            contact: made.contact,
            calls_spent: self.spent,
            unmapped: wanted.unmapped,
            notices: wanted.notices,
        }
    }

    /// Somebody of this e-mail, and of no other.
    async fn find(&mut self, email: &str) -> Result<Option<Stored>, Error> {
        match self.get(email).await {
            Ok(stored) => {
                same_person(&stored.contact, email, self.operation)?;
                Ok(Some(stored))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn get(&mut self, identifier: &str) -> Result<Stored, Error> {
        let request = self.client.http().request(&GET);
        let call = request
            .path("identifier", identifier)
            .fetch_map(Reply::into_data);
        self.spend(call).await
    }

    async fn create(&mut self, wanted: &Wanted) -> Result<Stored, Error> {
        let contact = wanted.to_new_contact(self.rules);
        let request = self.client.http().request(&CREATE).json(&contact);
        let request = contact.check().guard(request, self.operation);
        self.spend(request.fetch_map(Reply::into_data)).await
    }

    async fn put(&mut self, uid: &ContactUid, body: &Map<String, Value>) -> Result<Stored, Error> {
        let request = self.client.http().request(&UPDATE);
        let call = request
            .path("identifier", uid)
            .json(body)
            .fetch_map(Reply::into_data);
        self.spend(call).await
    }

    async fn meta(&mut self) -> Result<std::sync::Arc<crate::meta::Attributes>, Error> {
        let options = self.options;
        let read = self.client.meta_with(|call| options.apply(call)).await;
        let (attributes, calls) = read?;
        self.spent = self.spent.saturating_add(calls);
        Ok(attributes)
    }

    /// Makes a call and counts its attempts.
    async fn spend<T: Send + 'static>(&mut self, call: Call<T>) -> Result<T, Error> {
        let answer = self.options.apply(call).with_response().await;
        let attempts = match &answer {
            Ok(answer) => answer.attempts,
            Err(error) => error.attempts(),
        };
        self.spent = self.spent.saturating_add(attempts);
        Ok(answer?.value)
    }
}

/// No status and no text for a duplicate is published. 422 is the documented candidate; a success that says it failed
/// and a 409 are the others. The look-up decides.
fn may_be_a_duplicate(error: &Error) -> bool {
    match error.status() {
        Some(409 | 422) => true,
        Some(status) => (200..300).contains(&status) && error.delivery() == Delivery::Rejected,
        None => false,
    }
}

/// Shows the calls without making one.
pub(super) fn dry_run(client: &Client, job: &Job, rules: &ContactRules) -> Result<DryRun, Error> {
    let mut wanted = job.read(client, rules)?;
    let mut steps = Vec::new();
    let known_meta = client.known_meta();
    if wanted.needs_meta() && known_meta.is_none() {
        steps.push(PlannedCall::new(Method::Get, META.path, StepWhen::Always));
    }
    wanted.resolve(known_meta.as_deref());
    let get = |when| PlannedCall::new(Method::Get, GET.path, when);
    let create = |when| {
        let body = serde_json::to_value(wanted.to_new_contact(rules)).unwrap_or_default();
        PlannedCall::new(Method::Post, CREATE.path, when).with_body(body)
    };
    let update = || {
        let body = Stored::blank().map(|blank| merge(&wanted, &blank, rules).body);
        let body = Value::Object(body.unwrap_or_default());
        PlannedCall::new(Method::Put, UPDATE.path, StepWhen::IfDifferent).with_body(body)
    };
    let read_first = rules.plan == ContactPlan::GetFirst
        || wanted
            .email
            .as_deref()
            .is_some_and(|email| client.inner.known.get(email).is_some());
    match (&job.uid, &wanted.email) {
        (Some(_), _) => steps.extend([get(StepWhen::Always), update()]),
        (None, None) => steps.push(create(StepWhen::Always)),
        (None, Some(_)) if read_first => {
            steps.extend([
                get(StepWhen::Always),
                create(StepWhen::IfNotFound),
                update(),
            ]);
        }
        (None, Some(_)) => {
            steps.extend([
                create(StepWhen::Always),
                get(StepWhen::IfNotCreated),
                update(),
            ]);
        }
    }
    Ok(DryRun {
        steps,
        unmapped: wanted.unmapped,
        notices: wanted.notices,
    })
}
