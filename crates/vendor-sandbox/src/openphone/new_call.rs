//! What a call is placed with.

use std::time::Duration;

use serde::Deserialize;

use crate::openphone::call::CallEnd;
use crate::openphone::message_store::Direction;

/// How long it rings, unless somebody says otherwise.
const RINGING: Duration = Duration::from_secs(4);
/// How long people then talk, or how long it goes on ringing when nobody answers.
const TALKING: Duration = Duration::from_secs(20);

/// A call that is to happen; see [`Control::place_call`](crate::Control::place_call).
///
/// ```
/// use std::time::Duration;
/// use vendor_sandbox::openphone::{CallEnd, NewCall};
///
/// let call = NewCall::incoming("+12025550143", "+12025550100")
///     .end(CallEnd::Voicemail)
///     .talking(Duration::from_secs(12));
/// assert_eq!(call.end, CallEnd::Voicemail);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "independent wishes")]
pub struct NewCall {
    /// Which way it goes.
    pub direction: Direction,
    /// The other side: a number, or a word such as `anonymous`.
    pub them: String,
    /// One of the workspace's numbers, given as number or id.
    pub number: String,
    /// How it ends.
    #[serde(default = "answered")]
    pub end: CallEnd,
    /// How long it rings before somebody answers; 4 seconds by default.
    #[serde(
        default = "ringing",
        rename = "ringing_millis",
        deserialize_with = "millis"
    )]
    pub ringing: Duration,
    /// How long people talk, or how long it goes on ringing or the voicemail lasts when nobody
    /// answers; 20 seconds by default.
    #[serde(
        default = "talking",
        rename = "talking_millis",
        deserialize_with = "millis"
    )]
    pub talking: Duration,
    /// The entry of the phone menu that the caller chose before anyone was rung: its key and its
    /// name. Calls that come in alone have one.
    #[serde(default)]
    pub menu: Option<(String, String)>,
    /// Whether it is recorded, where anyone talks; by default it is.
    #[serde(default = "yes")]
    pub recorded: bool,
    /// Whether a transcript is made of the talk; by default it is.
    #[serde(default = "yes")]
    pub transcribed: bool,
    /// Whether a summary is made of the talk; by default it is.
    #[serde(default = "yes")]
    pub summarised: bool,
    /// Whether transcript and summary fail instead of being completed.
    #[serde(default)]
    pub processing_fails: bool,
    /// Whether it begins now and takes its time; by default it ends now, and took its time.
    #[serde(default)]
    pub live: bool,
}

impl NewCall {
    /// A call from outside to one of the workspace's numbers.
    pub fn incoming(from: impl Into<String>, number: impl Into<String>) -> Self {
        Self::new(Direction::Incoming, from.into(), number.into())
    }

    /// A call from one of the workspace's numbers.
    pub fn outgoing(number: impl Into<String>, to: impl Into<String>) -> Self {
        Self::new(Direction::Outgoing, to.into(), number.into())
    }

    fn new(direction: Direction, them: String, number: String) -> Self {
        Self {
            direction,
            them,
            number,
            end: CallEnd::Answered,
            ringing: RINGING,
            talking: TALKING,
            menu: None,
            recorded: true,
            transcribed: true,
            summarised: true,
            processing_fails: false,
            live: false,
        }
    }

    /// Sets how it ends.
    #[must_use]
    pub fn end(mut self, end: CallEnd) -> Self {
        self.end = end;
        self
    }

    /// Sets how long it rings.
    #[must_use]
    pub fn ringing(mut self, ringing: Duration) -> Self {
        self.ringing = ringing;
        self
    }

    /// Sets how long people talk.
    #[must_use]
    pub fn talking(mut self, talking: Duration) -> Self {
        self.talking = talking;
        self
    }

    /// Sets what the caller chose in the phone menu.
    #[must_use]
    pub fn menu(mut self, key: impl Into<String>, name: impl Into<String>) -> Self {
        self.menu = Some((key.into(), name.into()));
        self
    }

    /// Sets whether it is recorded.
    #[must_use]
    pub fn recorded(mut self, recorded: bool) -> Self {
        self.recorded = recorded;
        self
    }

    /// Sets whether a transcript is made.
    #[must_use]
    pub fn transcribed(mut self, transcribed: bool) -> Self {
        self.transcribed = transcribed;
        self
    }

    /// Sets whether a summary is made.
    #[must_use]
    pub fn summarised(mut self, summarised: bool) -> Self {
        self.summarised = summarised;
        self
    }

    /// Sets whether transcript and summary fail.
    #[must_use]
    pub fn processing_fails(mut self, fails: bool) -> Self {
        self.processing_fails = fails;
        self
    }

    /// Sets whether it begins now and takes its time.
    #[must_use]
    pub fn live(mut self, live: bool) -> Self {
        self.live = live;
        self
    }
}

fn answered() -> CallEnd {
    CallEnd::Answered
}

fn ringing() -> Duration {
    RINGING
}

fn talking() -> Duration {
    TALKING
}

fn yes() -> bool {
    true
}

fn millis<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}
