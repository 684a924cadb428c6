//! What the vendor has no operation for: creating or updating in one, adding a form, adding tags.

mod input;
mod known;
mod merge;
mod outcome;
mod rules;
mod run;
mod wanted;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use connector_http::{CallSequence, Error, Lane};

pub use self::input::{ContactInput, ExistingValues, LeadPerson, LeadSubmission};
pub(crate) use self::known::KnownContacts;
pub use self::outcome::{
    ContactAction, ContactOutcome, DryRun, LeadContact, Notice, PlannedCall, StepWhen, Unmapped,
    UnmappedReason,
};
pub use self::rules::{ContactPlan, ContactRules, FieldRef, NotesRule, SourceRule};
use self::run::Job;
use crate::client::{Client, VENDOR};
use crate::contacts::Contacts;
use crate::ids::ContactUid;

const CREATE_OR_UPDATE: &str = "contacts.create_or_update";
const UPDATE_MERGED: &str = "contacts.update_merged";
const CREATE_LEAD: &str = "contacts.create_lead_from_submission";
const ATTACH_TAGS: &str = "contacts.attach_tags";

impl Contacts<'_> {
    /// Creates a contact, or brings an existing one of the same e-mail up to date. Calls: 1 for a new contact, 2 or 3
    /// for an existing one; see [`ContactPlan`].
    ///
    /// - An existing contact's role is never changed, its tags and custom fields are added to, its notes are appended
    ///   to with the date, and what is the same is not written.
    /// - Its e-mail is compared with the one asked for before anything is written.
    /// - A refusal that may mean "duplicate" is settled by a look-up: nobody there, and it was about the input.
    /// - After a creation whose answer is lost, the e-mail is looked up before anything else. Nobody there, and the
    ///   error stands, with [`Delivery::Unknown`](crate::Delivery::Unknown): calling again is safe. **Without an
    ///   e-mail it is not**: the lead may be there already, and another call would make another.
    ///
    /// **Not atomic**: between the read and the write somebody else may write, and two submissions of one new person
    /// at the same moment race. Serialise your own writers per e-mail.
    ///
    /// # Example
    ///
    /// ```
    /// # async fn example(client: suitedash_client::Client) -> Result<(), suitedash_client::Error> {
    /// use suitedash_client::{ContactAction, ContactInput};
    ///
    /// let jane = ContactInput::new().full_name("Jane Roe").email("jane@example.com");
    /// let planned = client.contacts().create_or_update(&jane).dry_run()?;
    /// println!("{planned:?}"); // method, path and condition of each call
    ///
    /// let outcome = client.contacts().create_or_update(&jane).await?;
    /// match outcome.action {
    ///     ContactAction::Created => println!("new, for {} call(s)", outcome.calls_spent),
    ///     _ => println!("known: {:?} {:?}", outcome.unmapped, outcome.notices),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation), unsent, when the input cannot be right, and with status 422 when
    /// the vendor says so; [`Conflict`](crate::ErrorKind::Conflict), with nothing written, when it answers with
    /// somebody else; [`QuotaSpent`](crate::ErrorKind::QuotaSpent); else the usual ones of reads and writes.
    /// [`operation`](Error::operation) tells which call failed, [`so_far`](Error::so_far) what those before it have come
    /// to: whether the contact exists by then. [`delivery`](Error::delivery) and [`attempts`](Error::attempts) are those
    /// of all of them.
    pub fn create_or_update(&self, contact: &ContactInput) -> ContactWrite<ContactOutcome> {
        let job = Job {
            operation: CREATE_OR_UPDATE,
            uid: None,
            input: contact.clone(),
        };
        ContactWrite::new(self.client(), job, |outcome| outcome)
    }

    /// Brings a contact that is known to exist up to date: 2 calls, or 1 if nothing differs. Merged as
    /// [`create_or_update`](Self::create_or_update) does; the e-mail address, too, is written if it is another.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such contact; else those of
    /// [`create_or_update`](Self::create_or_update).
    pub fn update_merged(
        &self,
        uid: &ContactUid,
        contact: &ContactInput,
    ) -> ContactWrite<ContactOutcome> {
        let job = Job {
            operation: UPDATE_MERGED,
            uid: Some(uid.clone()),
            input: contact.clone(),
        };
        ContactWrite::new(self.client(), job, |outcome| outcome)
    }

    /// Adds a filled-in form: the contact, a tag for its source, the message behind its background information.
    /// **There are no leads, deals or statuses in the API**; what comes back is the contact, and what has no place is
    /// in [`ContactOutcome::unmapped`]. Calls: as [`create_or_update`](Self::create_or_update), or 1 and 2 for a
    /// contact that is known.
    ///
    /// # Errors
    ///
    /// As [`create_or_update`](Self::create_or_update); and [`NotFound`](crate::ErrorKind::NotFound) for a known
    /// contact that is gone.
    pub fn create_lead_from_submission(
        &self,
        submission: &LeadSubmission,
    ) -> ContactWrite<LeadContact> {
        let (uid, input) = submission.clone().into_parts();
        let job = Job {
            operation: CREATE_LEAD,
            uid,
            input,
        };
        ContactWrite::new(self.client(), job, |outcome| LeadContact { outcome })
    }

    /// Adds tags to those a contact has: 2 calls, or 1 if it has them all. The vendor has no operation for it, and
    /// replaces the tags it is given: they are read, joined and written, and **somebody else's change in between is
    /// lost**. Contacts have no categories. Whether unknown tags are created is not known.
    ///
    /// # Errors
    ///
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such contact; else those of
    /// [`create_or_update`](Self::create_or_update).
    pub fn attach_tags<I>(&self, contact: &ContactUid, tags: I) -> ContactWrite<ContactOutcome>
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let job = Job {
            operation: ATTACH_TAGS,
            uid: Some(contact.clone()),
            input: ContactInput::new().tags(tags),
        };
        ContactWrite::new(self.client(), job, without_role)
    }
}

/// A role was not asked for, so that none was kept.
fn without_role(mut outcome: ContactOutcome) -> ContactOutcome {
    outcome.notices.retain(|it| *it != Notice::RoleKept);
    outcome
}

/// The three methods under the names that older documents have for them.
impl Client {
    /// The same as [`Contacts::create_or_update`].
    ///
    /// # Errors
    ///
    /// Those.
    pub fn create_or_update_contact(&self, contact: &ContactInput) -> ContactWrite<ContactOutcome> {
        self.contacts().create_or_update(contact)
    }

    /// The same as [`Contacts::create_lead_from_submission`].
    ///
    /// # Errors
    ///
    /// Those.
    pub fn create_lead_from_submission(
        &self,
        submission: &LeadSubmission,
    ) -> ContactWrite<LeadContact> {
        self.contacts().create_lead_from_submission(submission)
    }

    /// The same as [`Contacts::attach_tags`].
    ///
    /// # Errors
    ///
    /// Those.
    pub fn attach_tags<I>(&self, contact: &ContactUid, tags: I) -> ContactWrite<ContactOutcome>
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.contacts().attach_tags(contact, tags)
    }
}

/// Several calls about one contact as one thing to await, or to look at first.
///
/// `Unpin` and `Send`; nothing happens until it is awaited. The options hold for each of its calls.
#[must_use = "nothing is read or written until it is awaited"]
pub struct ContactWrite<T> {
    state: State<T>,
}

enum State<T> {
    Planned(Box<Planned<T>>),
    Running(CallSequence<T>),
}

struct Planned<T> {
    client: Client,
    job: Job,
    rules: ContactRules,
    finish: fn(ContactOutcome) -> T,
    timeout: Option<Duration>,
    deadline: Option<Duration>,
    no_retry: bool,
    lane: Lane,
}

impl<T: Send + 'static> ContactWrite<T> {
    fn new(client: &Client, job: Job, finish: fn(ContactOutcome) -> T) -> Self {
        Self {
            state: State::Planned(Box::new(Planned {
                rules: client.inner.rules.clone(),
                client: client.clone(),
                job,
                finish,
                timeout: None,
                deadline: None,
                no_retry: false,
                lane: Lane::default(),
            })),
        }
    }

    /// Uses these rules in place of the client's.
    pub fn rules(self, rules: ContactRules) -> Self {
        self.with(|planned| planned.rules = rules)
    }

    /// Uses this order of calls in place of the rules'.
    pub fn plan(self, plan: ContactPlan) -> Self {
        self.with(|planned| planned.rules.plan = plan)
    }

    /// Limits each attempt of each call to this time.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|planned| planned.timeout = Some(timeout))
    }

    /// Limits each call to this time, waits and retries included.
    pub fn deadline(self, deadline: Duration) -> Self {
        self.with(|planned| planned.deadline = Some(deadline))
    }

    /// Makes each call with one request, whatever comes of it.
    pub fn no_retry(self) -> Self {
        self.with(|planned| planned.no_retry = true)
    }

    /// Says whether somebody waits for it. Calls of [`Lane::Bulk`] do not touch the reserve of the quota.
    pub fn lane(self, lane: Lane) -> Self {
        self.with(|planned| planned.lane = lane)
    }

    /// Shows what would be sent, without a call and without counting one.
    ///
    /// # Errors
    ///
    /// [`Validation`](crate::ErrorKind::Validation) when the input cannot be right;
    /// [`Config`](crate::ErrorKind::Config) when it was awaited already.
    pub fn dry_run(self) -> Result<DryRun, Error> {
        match self.state {
            State::Planned(planned) => run::dry_run(&planned.client, &planned.job, &planned.rules),
            State::Running(_) => {
                let reason = "a write that has begun cannot be tried out";
                Err(Error::config(VENDOR, CREATE_OR_UPDATE, reason))
            }
        }
    }

    fn with(mut self, set: impl FnOnce(&mut Planned<T>)) -> Self {
        if let State::Planned(planned) = &mut self.state {
            set(planned);
        }
        self
    }
}

impl<T: Send + 'static> Planned<T> {
    fn start(self) -> CallSequence<T> {
        let Self {
            client,
            job,
            rules,
            finish,
            ..
        } = self;
        let mut calls = CallSequence::new(VENDOR, job.operation, move |options| async move {
            run::run(client, job, rules, options).await.map(finish)
        });
        if let Some(timeout) = self.timeout {
            calls = calls.timeout(timeout);
        }
        if let Some(deadline) = self.deadline {
            calls = calls.deadline(deadline);
        }
        if self.no_retry {
            calls = calls.no_retry();
        }
        calls.lane(self.lane)
    }
}

impl<T: Send + 'static> Future for ContactWrite<T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        loop {
            match &mut this.state {
                State::Running(calls) => return Pin::new(calls).poll(cx),
                State::Planned(_) => {}
            }
            let over = CallSequence::over(VENDOR, CREATE_OR_UPDATE);
            let before = std::mem::replace(&mut this.state, State::Running(over));
            if let State::Planned(planned) = before {
                this.state = State::Running(planned.start());
            }
        }
    }
}

impl<T> fmt::Debug for ContactWrite<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = match &self.state {
            State::Planned(planned) => planned.job.operation,
            State::Running(_) => "running",
        };
        f.debug_struct("ContactWrite")
            .field("operation", &operation)
            .finish_non_exhaustive()
    }
}
