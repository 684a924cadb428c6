//! How the vendor behaves where the facts leave a choice, and where it is set.

use std::sync::Mutex;
use std::time::Duration;

use crate::error::SandboxError;
use crate::openphone::OpenPhone;
use crate::openphone::state::State;
use crate::openphone::workspace::CustomFieldKind;
use crate::sandbox::{Builder, Sandbox};

/// How long a recording takes to appear once the call is over, and a transcript after that.
const PROCESSING: Duration = Duration::from_millis(30);
/// How long the address of a recording works.
const MEDIA_SECONDS: u64 = 3_600;

/// How this vendor behaves where the facts leave a choice; set through
/// [`Builder`], see [`Sandbox::openphone`].
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
pub struct Options {
    pub(super) unique_external_ids: bool,
    pub(super) patch_keeps_reference: bool,
    pub(super) refuse_unknown_query: bool,
    pub(super) absent_is_missing: bool,
    pub(super) processing: Option<Duration>,
    pub(super) media_seconds: u64,
    pub(super) custom_fields: Vec<(String, String, CustomFieldKind)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            unique_external_ids: false,
            patch_keeps_reference: false,
            refuse_unknown_query: false,
            absent_is_missing: false,
            processing: Some(PROCESSING),
            media_seconds: MEDIA_SECONDS,
            custom_fields: Vec::new(),
        }
    }
}

impl Builder<Options> {
    /// Refuses a second contact with the same external id with the opaque 409, which was seen
    /// live although the documentation says that external ids need not be unique. Off by
    /// default.
    pub fn unique_external_ids(mut self, on: bool) -> Self {
        self.vendor_mut().unique_external_ids = on;
        self
    }

    /// Lets an update that leaves out `externalId` and `source` keep them. By default it wipes
    /// them, as one integration reported: the behaviour that a caller must survive.
    pub fn patch_keeps_reference(mut self, on: bool) -> Self {
        self.vendor_mut().patch_keeps_reference = on;
        self
    }

    /// Refuses query names that an operation does not have. By default they are ignored; which
    /// of the two the vendor does is not known.
    pub fn refuse_unknown_query(mut self, on: bool) -> Self {
        self.vendor_mut().refuse_unknown_query = on;
        self
    }

    /// Answers 404 for the summary or transcript that a call does not have. By default they are
    /// shown with the status `absent`, which the specification has; which of the two the vendor
    /// does is not known.
    pub fn absent_is_missing(mut self, on: bool) -> Self {
        self.vendor_mut().absent_is_missing = on;
        self
    }

    /// Sets how long a recording or voicemail takes to appear once the call is over; transcript
    /// and summary take as long again. 30 milliseconds by default; `None` lets them wait for
    /// [`Control::finish_calls`](crate::Control::finish_calls).
    pub fn call_processing(mut self, wait: Option<Duration>) -> Self {
        self.vendor_mut().processing = wait;
        self
    }

    /// Sets for how many seconds the address of a recording works, one hour by default. 0 gives
    /// addresses that have expired already.
    pub fn recording_url_seconds(mut self, seconds: u64) -> Self {
        self.vendor_mut().media_seconds = seconds;
        self
    }

    /// Adds the definition of a custom field, in place of one with the same key.
    pub fn custom_field(
        mut self,
        name: impl Into<String>,
        key: impl Into<String>,
        kind: CustomFieldKind,
    ) -> Self {
        self.vendor_mut()
            .custom_fields
            .push((name.into(), key.into(), kind));
        self
    }

    /// Opens the port and serves on the current Tokio runtime until the sandbox is dropped.
    ///
    /// # Errors
    ///
    /// [`SandboxError::PortInUse`] or [`SandboxError::Listen`] when the port cannot be had,
    /// [`SandboxError::UnusableApiKey`] when the key could not stand in a header.
    pub async fn start(self) -> Result<Sandbox<OpenPhone>, SandboxError> {
        self.start_as(|options, rng, surroundings| OpenPhone {
            state: Mutex::new(State::new(options, rng, surroundings)),
        })
        .await
    }
}
