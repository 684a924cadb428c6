//! What surrounds the message, call or contact of an event.

use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::lenient;
use crate::ids::{ActivityId, ContactId, ConversationId, PhoneNumberId, UserId};

connector_http::open_enum! {
    /// Which way a message or a call went.
    pub enum Direction {
        /// To one of your numbers.
        Incoming = "incoming",
        /// From one of your numbers.
        Outgoing = "outgoing",
    }
}

/// Something the vendor looks up for an event, and sometimes cannot.
///
/// An empty list is an answer ("nobody"); the other two are not. Whoever needs to know then asks the API.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lookup<T> {
    /// The vendor looked, and this is what it found, which may be nothing.
    Known(T),
    /// The vendor could not look it up in time, or left it out although it exists. It says nothing about what there is.
    Unavailable,
    /// This kind of payload does not carry it.
    NotReported,
}

impl<T> Lookup<T> {
    /// Returns what was found, or `None` if that is not known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(found) => Some(found),
            Self::Unavailable | Self::NotReported => None,
        }
    }

    /// Returns what was found by value, or `None` if that is not known.
    pub fn into_known(self) -> Option<T> {
        match self {
            Self::Known(found) => Some(found),
            Self::Unavailable | Self::NotReported => None,
        }
    }
}

/// The numbers that take part in a call.
///
/// Usually E.164, but callers may also be short codes, or `anonymous`, `blocked` and `restricted` in any case: do not
/// parse them.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Participants {
    /// Numbers of your workspace.
    pub workspace: Vec<String>,
    /// Everybody else's.
    pub external: Vec<String>,
    /// Numbers of which the payload does not say on which side they are (`v4`).
    pub unsorted: Vec<String>,
}

impl Participants {
    /// Returns all numbers: external, then unsorted, then of the workspace.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        [&self.external, &self.unsorted, &self.workspace]
            .into_iter()
            .flatten()
            .map(String::as_str)
    }

    /// Sorts the two ends of a call by its direction.
    pub(super) fn from_ends(
        direction: Option<&Direction>,
        from: Option<String>,
        to: Option<Vec<String>>,
    ) -> Option<Self> {
        if from.is_none() && to.is_none() {
            return None;
        }
        let (from, to): (Vec<_>, _) = (from.into_iter().collect(), to.unwrap_or_default());
        Some(match direction {
            Some(Direction::Incoming) => Self {
                workspace: to,
                external: from,
                ..Self::default()
            },
            Some(Direction::Outgoing) => Self {
                workspace: from,
                external: to,
                ..Self::default()
            },
            _ => Self {
                unsorted: from.into_iter().chain(to).collect(),
                ..Self::default()
            },
        })
    }
}

impl fmt::Debug for Participants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            workspace,
            external,
            unsorted,
        } = self;
        f.debug_struct("Participants")
            .field("workspace", &workspace.len())
            .field("external", &external.len())
            .field("unsorted", &unsorted.len())
            .finish()
    }
}

/// `data` of every payload: `object` and `deepLink` up to `v4`; `resource`, `context` and `links` in dated ones.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Data<T> {
    #[serde(alias = "resource")]
    object: Option<T>,
    #[serde(default, deserialize_with = "lenient::object")]
    context: Option<Context>,
    #[serde(default, deserialize_with = "lenient::object")]
    links: Option<Links>,
    #[serde(default, deserialize_with = "lenient::text")]
    deep_link: Option<String>,
}

#[derive(Deserialize)]
struct Links {
    #[serde(default, deserialize_with = "lenient::text")]
    quo: Option<String>,
}

/// What an event is about, made from the object and the context of any generation.
pub(super) trait FromWire: Sized {
    /// The object, with the keys of every generation.
    type Wire: DeserializeOwned;

    /// `None` if the object lacks what makes it one.
    fn from_wire(wire: Self::Wire, context: Context) -> Option<Self>;
}

impl<T> Data<T> {
    /// Takes the link, and what the event is about.
    pub(super) fn open<E: FromWire<Wire = T>>(self) -> (Option<String>, Option<Box<E>>) {
        let link = self.deep_link.or_else(|| self.links?.quo);
        let context = self.context.unwrap_or_default();
        (
            link,
            self.object
                .and_then(|object| E::from_wire(object, context))
                .map(Box::new),
        )
    }
}

/// `data.context` of dated payloads.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Context {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) org_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) phone_number_id: Option<PhoneNumberId>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) phone_number_type: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) conversation_id: Option<ConversationId>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) user_id: Option<UserId>,
    #[serde(default, deserialize_with = "lenient::object")]
    pub(super) contacts: Option<WireContacts>,
    #[serde(default, deserialize_with = "lenient::object")]
    pub(super) participants: Option<WireParticipants>,
    #[serde(default, deserialize_with = "lenient::number")]
    pub(super) sender_identifier: Option<String>,
    #[serde(default, deserialize_with = "lenient::numbers")]
    pub(super) recipient_identifiers: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient::texts")]
    pub(super) shared_with_ids: Option<Vec<String>>,
    /// Of tasks.
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) actor_id: Option<UserId>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) activity_id: Option<ActivityId>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) phone_number_group_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireContacts {
    #[serde(default, deserialize_with = "lenient::texts")]
    ids: Option<Vec<ContactId>>,
    #[serde(default, deserialize_with = "lenient::text")]
    lookup_status: Option<LookupStatus>,
}

#[derive(Deserialize)]
pub(super) struct WireParticipants {
    #[serde(default, deserialize_with = "lenient::numbers")]
    workspace: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient::numbers")]
    external: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient::text")]
    resolution: Option<LookupStatus>,
}

/// `lookupStatus` and `resolution`: all that matters is whether the vendor could look.
#[derive(PartialEq)]
enum LookupStatus {
    Unavailable,
    Done,
}

impl From<&str> for LookupStatus {
    fn from(status: &str) -> Self {
        match status {
            "unavailable" => Self::Unavailable,
            _ => Self::Done,
        }
    }
}

/// Which contacts an event concerns, from the dated context or the legacy object.
pub(super) fn contacts(
    dated: Option<WireContacts>,
    legacy: Option<Vec<ContactId>>,
    single: Option<ContactId>,
) -> Lookup<Vec<ContactId>> {
    match dated {
        Some(WireContacts {
            lookup_status: Some(LookupStatus::Unavailable),
            ..
        }) => Lookup::Unavailable,
        Some(WireContacts { ids: Some(ids), .. }) => Lookup::Known(ids),
        Some(_) | None => match (legacy, single) {
            (Some(ids), _) => Lookup::Known(ids),
            (None, Some(id)) => Lookup::Known(vec![id]),
            (None, None) => Lookup::NotReported,
        },
    }
}

/// Who took part, from the dated context, or else from what the object itself says.
pub(super) fn participants(
    dated: Option<WireParticipants>,
    of_object: impl FnOnce() -> Lookup<Participants>,
) -> Lookup<Participants> {
    match dated.map(WireParticipants::into_lookup) {
        Some(Lookup::Known(participants)) => Lookup::Known(participants),
        // A dated voicemail also says from whom to whom, whatever the vendor could look up.
        Some(unknown) => match of_object() {
            Lookup::Known(participants) => Lookup::Known(participants),
            _ => unknown,
        },
        None => of_object(),
    }
}

impl WireParticipants {
    fn into_lookup(self) -> Lookup<Participants> {
        if self.resolution == Some(LookupStatus::Unavailable) {
            return Lookup::Unavailable;
        }
        if self.workspace.is_none() && self.external.is_none() {
            return Lookup::NotReported;
        }
        Lookup::Known(Participants {
            workspace: self.workspace.unwrap_or_default(),
            external: self.external.unwrap_or_default(),
            unsorted: Vec::new(),
        })
    }
}
