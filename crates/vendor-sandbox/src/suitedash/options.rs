//! How the vendor behaves where the facts leave a choice, and where it is set.

use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::error::SandboxError;
use crate::sandbox::{Builder, Sandbox, usable_key};
use crate::suitedash::attributes::RecordKind;
use crate::suitedash::state::State;
use crate::suitedash::{SuiteDash, store};

/// Sets this vendor's keys apart from those of others.
const SALT: u64 = 0x0053_7569_7465;

/// What an update makes of a `role` in its body. The one list of its attributes that is known
/// leaves `role` out, and one client sends it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RoleInUpdate {
    /// The role changes, so that a client's demotion shows.
    #[default]
    Applied,
    /// Nothing changes, and nothing is said.
    Ignored,
    /// 422.
    Refused,
}

/// How this vendor behaves where the facts leave a choice; set through
/// [`Builder`], see [`Sandbox::suitedash`].
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
pub struct Options {
    pub(super) public_id: Option<String>,
    pub(super) monthly_quota: Option<u64>,
    pub(super) failed_calls_count: bool,
    pub(super) refused_calls_count: bool,
    pub(super) partial_updates: bool,
    pub(super) role_in_update: RoleInUpdate,
    pub(super) empty_last_name: bool,
    pub(super) loose_lookup: bool,
    pub(super) welcome_by_default: bool,
    pub(super) enveloped_meta: bool,
    pub(super) errors_by_attribute: bool,
    pub(super) duplicate_message: String,
    pub(super) refuse_unknown_attributes: bool,
    pub(super) encoded_slashes: bool,
    pub(super) last_page_repeats: bool,
    pub(super) page_origin: Option<String>,
    pub(super) fields: Vec<(RecordKind, String, String)>,
    pub(super) statuses: Vec<String>,
    pub(super) audiences: Vec<u64>,
    pub(super) worlds: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        let statuses = ["Not Started", "In Progress", "On Hold", "Completed"];
        Self {
            public_id: None,
            monthly_quota: None,
            failed_calls_count: true,
            refused_calls_count: true,
            partial_updates: true,
            role_in_update: RoleInUpdate::default(),
            empty_last_name: false,
            loose_lookup: false,
            welcome_by_default: true,
            enveloped_meta: false,
            errors_by_attribute: true,
            duplicate_message: "Contact already exists".to_owned(),
            refuse_unknown_attributes: false,
            encoded_slashes: false,
            last_page_repeats: false,
            page_origin: None,
            fields: Vec::new(),
            statuses: statuses.map(str::to_owned).to_vec(),
            audiences: Vec::new(),
            worlds: Vec::new(),
        }
    }
}

impl Builder<Options> {
    /// Takes this public id instead of one made from the seed.
    pub fn public_id(mut self, id: impl Into<String>) -> Self {
        self.vendor_mut().public_id = Some(id.into());
        self
    }

    /// Answers 429 to every operation once so many calls were made this month: 80, 400, 2,000 and
    /// 20,000 are sold. By default calls are counted and never refused.
    pub fn monthly_quota(mut self, calls: u64) -> Self {
        self.vendor_mut().monthly_quota = Some(calls);
        self
    }

    /// Says whether a call counts that did nothing, for its own fault or the vendor's. By default
    /// it does; which of the two the vendor does is not known.
    pub fn failed_calls_count(mut self, on: bool) -> Self {
        self.vendor_mut().failed_calls_count = on;
        self
    }

    /// Says whether a call counts that is answered 429 because the month is spent. By default it
    /// does; it shows in [`Control::calls_used`](crate::Control::calls_used), and after a larger
    /// quota was set.
    pub fn refused_calls_count(mut self, on: bool) -> Self {
        self.vendor_mut().refused_calls_count = on;
        self
    }

    /// Says whether an update leaves alone what it does not name, as one source has it. Turned off,
    /// it clears everything but names, role and e-mail: no source has shown that it does not.
    pub fn partial_updates(mut self, on: bool) -> Self {
        self.vendor_mut().partial_updates = on;
        self
    }

    /// Sets what an update makes of a role; by default it is applied.
    pub fn role_in_update(mut self, role: RoleInUpdate) -> Self {
        self.vendor_mut().role_in_update = role;
        self
    }

    /// Takes a last name that is empty. By default it is refused with 422; which of the two the
    /// vendor does is not known.
    pub fn empty_last_name(mut self, on: bool) -> Self {
        self.vendor_mut().empty_last_name = on;
        self
    }

    /// Answers and changes the oldest contact where nobody has the e-mail asked for, instead of 404:
    /// no source says so, and a client that compares e-mails before it writes survives it.
    pub fn loose_lookup(mut self, on: bool) -> Self {
        self.vendor_mut().loose_lookup = on;
        self
    }

    /// Says whether somebody who is created without a word about `send_welcome_email` is mailed. By
    /// default they are, the case that hurts; what the vendor does is not known.
    pub fn welcome_by_default(mut self, on: bool) -> Self {
        self.vendor_mut().welcome_by_default = on;
        self
    }

    /// Answers the meta operations in the envelope of all others. By default the attributes stand
    /// at the top, as one client reads them.
    pub fn enveloped_meta(mut self, on: bool) -> Self {
        self.vendor_mut().enveloped_meta = on;
        self
    }

    /// Says whether a 422 lists what is wrong under `errors`, which one client reads. Turned off,
    /// there is a message and no more. A duplicate never has `errors`.
    pub fn errors_by_attribute(mut self, on: bool) -> Self {
        self.vendor_mut().errors_by_attribute = on;
        self
    }

    /// Sets the message of a 422 for an e-mail that is taken, "Contact already exists" by default.
    /// No client may rely on it.
    pub fn duplicate_message(mut self, message: impl Into<String>) -> Self {
        self.vendor_mut().duplicate_message = message.into();
        self
    }

    /// Refuses attributes that no record has with 422. By default they are ignored in silence, like
    /// `notes`, which people send.
    pub fn refuse_unknown_attributes(mut self, on: bool) -> Self {
        self.vendor_mut().refuse_unknown_attributes = on;
        self
    }

    /// Takes `%2F` in a path, so that a company or project whose name has a slash is found by name.
    /// By default such a path is answered with a web server's 404, as many do.
    pub fn encoded_slashes(mut self, on: bool) -> Self {
        self.vendor_mut().encoded_slashes = on;
        self
    }

    /// Answers the last page for every page behind it. By default those are empty; which of the two
    /// the vendor does is not known.
    pub fn last_page_repeats(mut self, on: bool) -> Self {
        self.vendor_mut().last_page_repeats = on;
        self
    }

    /// Lets the links to other pages lead to this origin, like `https://elsewhere.example.com`, to
    /// see that no client follows them with its keys.
    pub fn page_links_to(mut self, origin: impl Into<String>) -> Self {
        self.vendor_mut().page_origin = Some(origin.into());
        self
    }

    /// Defines a custom field with this UID, in place of one with the same.
    pub fn custom_field(
        mut self,
        of: RecordKind,
        uid: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        self.vendor_mut().fields.push((of, uid.into(), name.into()));
        self
    }

    /// Sets the statuses of the account's projects. By default "Not Started", "In Progress",
    /// "On Hold" and "Completed".
    pub fn project_statuses<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.vendor_mut().statuses = names.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a marketing audience; there are none by default.
    pub fn audience(mut self, id: u64) -> Self {
        self.vendor_mut().audiences.push(id);
        self
    }

    /// Adds a world; there are none by default.
    pub fn world(mut self, name: impl Into<String>) -> Self {
        self.vendor_mut().worlds.push(name.into());
        self
    }

    /// Opens the port and serves on the current Tokio runtime until the sandbox is dropped.
    ///
    /// # Errors
    ///
    /// [`SandboxError::PortInUse`] or [`SandboxError::Listen`] when the port cannot be had,
    /// [`SandboxError::UnusableApiKey`] when the public id or the secret key could not stand in a
    /// header.
    pub async fn start(mut self) -> Result<Sandbox<SuiteDash>, SandboxError> {
        let chosen = self.vendor_mut().public_id.take();
        if chosen.as_deref().is_some_and(|id| !usable_key(id)) {
            return Err(SandboxError::UnusableApiKey);
        }
        self.salt(SALT);
        self.start_as(|options, rng, surroundings| {
            let drawn = store::uuid(rng.u128(..));
            SuiteDash {
                public_id: chosen.unwrap_or(drawn),
                state: Mutex::new(State::new(options, rng, surroundings)),
            }
        })
        .await
    }
}
