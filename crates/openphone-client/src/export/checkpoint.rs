//! Where an export stopped, to be kept.

use chrono::{DateTime, Utc};
use connector_http::Cursor;
use serde::{Deserialize, Deserializer, Serialize, de};

use super::range::ExportRange;
use crate::ids::{ConversationId, PhoneNumberId};

const VERSION: u32 = 1;

/// Where an export stopped: the number, the conversation and the page, or over the dated API the page alone.
///
/// Kept between two runs of a job through serde. It carries its version, and one of another version is
/// refused when it is read. The vendor says nothing about how long its page tokens live: if resuming
/// ends with a [`Validation`](crate::ErrorKind::Validation) of the vendor's, begin anew.
///
/// ```
/// # async fn example(client: openphone_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let mut calls = client.calls().export(..).items();
/// let _ = calls.next().await;
/// let kept = serde_json::to_string(&calls.checkpoint())?;
///
/// let checkpoint = serde_json::from_str(&kept)?;
/// let mut calls = client.calls().export(..).resume(checkpoint).items();
/// # let _ = calls.next().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportCheckpoint {
    #[serde(deserialize_with = "known_version")]
    version: u32,
    kind: Kind,
    range: ExportRange,
    pub(crate) place: Place,
}

/// What is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Calls,
    Messages,
    DatedCalls,
    DatedMessages,
}

/// Where in the walk; over the dated API, in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    Start,
    In(NumberPlace),
    Listed(Cursor),
    End,
}

/// Where in the conversations of one number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NumberPlace {
    pub(super) number: PhoneNumberId,
    /// In a pass over what moved: the newest activity of the pass before. What is older was seen.
    pub(super) seen_until: Option<DateTime<Utc>>,
    /// The newest activity when this pass began.
    pub(super) newest: Option<DateTime<Utc>>,
    /// The page of conversations under way.
    pub(super) conversations: Cursor,
    /// The conversation under way; the page's first if there is none.
    pub(super) thread: Option<ThreadPlace>,
}

/// Where in one conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ThreadPlace {
    pub(super) conversation: ConversationId,
    pub(super) items: Cursor,
}

impl ExportCheckpoint {
    pub(crate) fn start(kind: Kind, range: ExportRange) -> Self {
        Self {
            version: VERSION,
            kind,
            range,
            place: Place::Start,
        }
    }

    /// The same export at another place.
    pub(crate) fn at(&self, place: Place) -> Self {
        Self {
            place,
            ..self.clone()
        }
    }

    /// Tells whether both are of one export.
    pub(crate) fn is_of(&self, other: &Self) -> bool {
        (self.kind, self.range) == (other.kind, other.range)
    }

    /// Tells whether the export was read to its end.
    pub fn is_end(&self) -> bool {
        self.place == Place::End
    }
}

fn known_version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        VERSION => Ok(VERSION),
        _ => Err(de::Error::custom(
            "a checkpoint of another version of this crate",
        )),
    }
}
