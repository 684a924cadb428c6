//! One error for every vendor, and what it knows: above all, whether it happened.
//!
//! It must never say more than it should: no text of it holds a secret, a URL with values, a body, or the
//! vendor's own message. What the vendor said is behind accessors, for those who want it.

mod decoder;
mod snippet;

use std::fmt;
use std::time::Duration;

use http::HeaderMap;

pub use self::decoder::{ErrorDecoder, Throttle, VendorError};
pub(crate) use self::snippet::{is_plain_key, snippet};
use crate::auth::InvalidCredential;

/// Why a call failed, and what may have happened at the vendor all the same.
///
/// One pointer wide. [`Display`](fmt::Display) is one line that is safe to log, as is `Debug`;
/// [`source`](std::error::Error::source) leads to the cause.
pub struct Error(Box<Parts>);

/// What happened at the vendor, as far as anybody can know: the worst over all attempts of the call.
///
/// A job that creates something decides by it: [`NotSent`](Self::NotSent) and [`Rejected`](Self::Rejected) may be
/// tried again, [`Unknown`](Self::Unknown) means look first, [`Succeeded`](Self::Succeeded) means never again.
///
/// An outer `tokio::time::timeout` loses this knowledge together with the error: use
/// [`Call::deadline`](crate::Call::deadline) instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_enums,
    reason = "whoever decides about a repeat has to handle every case; a new one must not compile unnoticed"
)]
pub enum Delivery {
    /// No byte of the request left this machine.
    NotSent,
    /// The vendor answered, and did nothing.
    Rejected,
    /// The request may have been carried out: it left, and no answer says what became of it.
    Unknown,
    /// The vendor did it; only its answer could not be read.
    Succeeded,
}

/// What went wrong, coarsely enough to branch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No connection could be made, or it broke. [`Error::delivery`] says whether the request had left.
    Connect,
    /// The time was up: of one attempt, or of the whole call. Also status 408.
    Timeout,
    /// Too many requests, by the vendor's word or by our own pacing. [`Error::retry_after`] says when to come back.
    RateLimited,
    /// A quota (of the month, of the plan) is spent. Waiting seconds does not help.
    QuotaSpent,
    /// The credentials were refused (401), or could not be had.
    Auth,
    /// A person has to connect the account again.
    ReauthorizationRequired,
    /// The credentials are valid, but not for this (403).
    Permission,
    /// There is no such thing, or not for this account (404, 410).
    NotFound,
    /// It collides with what is there (409, 412).
    Conflict,
    /// The vendor found fault with the request (400, 422), or the client did before sending it.
    Validation,
    /// Any other refusal by the vendor: a status that fits no other kind, a redirect, a success that says it failed.
    Api,
    /// The vendor failed (5xx).
    Server,
    /// The vendor's answer cannot be read, or breaks its own rules.
    Decode,
    /// The request could not be put into bytes.
    Encode,
    /// What was downloaded could not be written where the caller wants it: a full disk, a closed pipe.
    Write,
    /// The client was built or used in a way that cannot work.
    Config,
    /// What is kept on this side and no call is made without, such as the count of a quota, could not be read or
    /// written. The vendor has no part in it.
    Store,
}

/// One field the vendor, or the client before sending, found fault with.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldError {
    /// Where: `"defaultFields.emails.0.value"`.
    pub path: String,
    /// What is wrong with it. The vendor's may repeat the value; the client's own gives the rule.
    pub message: String,
}

impl FieldError {
    /// Makes a field error.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
        }
    }
}

/// Prints the path only, if it looks like one: the message may repeat the value.
impl fmt::Debug for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FieldError")
            .field("path", &Token(&self.path).to_string())
            .finish_non_exhaustive()
    }
}

type Source = Box<dyn std::error::Error + Send + Sync>;

struct Parts {
    kind: ErrorKind,
    vendor: &'static str,
    operation: &'static str,
    delivery: Delivery,
    retryable: bool,
    /// Whether it is about another host than the vendor's API.
    elsewhere: bool,
    attempts: u32,
    status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    /// Whether `message` and `field_errors` are ours, and so may be displayed.
    own_message: bool,
    field_errors: Vec<FieldError>,
    request_id: Option<String>,
    retry_after: Option<Duration>,
    headers: Option<HeaderMap>,
    snippet: Option<String>,
    /// What the calls before the one that failed have come to, in the client's own words.
    so_far: Option<&'static str>,
    source: Option<Source>,
}

impl Error {
    /// Makes an error for something built or used in a way that cannot work: [`ErrorKind::Config`], nothing sent.
    ///
    /// `message` is shown by `Display`; it must hold no secret and no personal data.
    pub fn config(
        vendor: &'static str,
        operation: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self::new(ErrorKind::Config, vendor, operation, Delivery::NotSent).with_own_message(message)
    }

    /// Makes an error for a credential that cannot be sent: [`ErrorKind::Config`], nothing sent.
    ///
    /// ```
    /// use connector_http::{Client, Error, StaticHeaders};
    /// use secrecy::SecretString;
    ///
    /// fn connect(token: SecretString) -> Result<Client, Error> {
    ///     let auth = StaticHeaders::bearer(token)
    ///         .map_err(|invalid| Error::invalid_credential("acme", "client.build", invalid))?;
    ///     Client::builder("acme").base_url("https://api.example.com").auth(auth).build()
    /// }
    /// # assert_eq!(connect("a b\n".into()).unwrap_err().message(), Some("the credential contains a control character"));
    /// # connect("t-1".into()).unwrap();
    /// ```
    pub fn invalid_credential(
        vendor: &'static str,
        operation: &'static str,
        invalid: InvalidCredential,
    ) -> Self {
        Self::config(vendor, operation, invalid.to_string())
    }

    /// Makes an error for a request that the client refuses to send: [`ErrorKind::Validation`], nothing sent.
    ///
    /// The field errors are shown by `Display`: a path and a rule each, never a value.
    pub fn validation(
        vendor: &'static str,
        operation: &'static str,
        field_errors: Vec<FieldError>,
    ) -> Self {
        let mut error = Self::new(ErrorKind::Validation, vendor, operation, Delivery::NotSent);
        error.0.field_errors = field_errors;
        error.0.own_message = true;
        error
    }

    /// Makes an error that a vendor's client finds by itself between calls, such as an answer about somebody else.
    ///
    /// `message` is shown by `Display`; it must hold no secret and no personal data. `delivery` is what became of
    /// the whole undertaking.
    pub fn of_client(
        kind: ErrorKind,
        vendor: &'static str,
        operation: &'static str,
        delivery: Delivery,
        message: impl Into<String>,
    ) -> Self {
        Self::new(kind, vendor, operation, delivery).with_own_message(message)
    }

    /// Says what the calls before the one that failed have come to, where a client makes several as one: the worst
    /// of it counts as this error's [`delivery`](Self::delivery), their requests as its [`attempts`](Self::attempts).
    ///
    /// `so_far` is shown by `Display`, behind everything else.
    ///
    /// ```
    /// use connector_http::{Delivery, Error, ErrorKind};
    ///
    /// let look = Error::of_client(ErrorKind::QuotaSpent, "acme", "things.get", Delivery::NotSent, "the month is spent");
    /// let whole = look.after(Delivery::Rejected, 1, "nothing was created");
    /// assert_eq!((whole.delivery(), whole.attempts()), (Delivery::Rejected, 1));
    /// assert!(whole.to_string().ends_with("; nothing was created"));
    /// ```
    #[must_use]
    pub fn after(mut self, worst: Delivery, attempts: u32, so_far: &'static str) -> Self {
        self.0.delivery = self.0.delivery.max(worst);
        self.0.attempts = self.0.attempts.saturating_add(attempts);
        self.0.so_far = Some(so_far);
        self
    }

    /// Returns what the calls before the one that failed have come to, where it was one of several.
    pub fn so_far(&self) -> Option<&'static str> {
        self.0.so_far
    }

    /// Returns what went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns what happened at the vendor: the worst over all attempts of this call, so a refusal after a lost
    /// answer is still [`Delivery::Unknown`]. Look at it before repeating anything that must not happen twice.
    pub fn delivery(&self) -> Delivery {
        self.0.delivery
    }

    /// Returns whether the same call may succeed later and can do no harm if repeated.
    ///
    /// True for what the retry table would repeat for this operation: a request that was never sent, a refusal
    /// for pace, a failure of the vendor or a lost answer where sending twice is the same as once. The engine has
    /// already used its attempts or found the wait too long; a job layer reschedules, by
    /// [`retry_after`](Self::retry_after) where it is set. False says nothing about [`delivery`](Self::delivery).
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// Returns how long to wait before the next try, where the vendor or our own pacing named a time.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns the status of the last answer. `None` when none arrived.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Returns the vendor's error code.
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Returns the vendor's message, which may repeat values of the request: not for logs. For
    /// [`ErrorKind::Config`] and [`ErrorKind::Encode`] it is the client's own.
    pub fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// Returns the fields that were found faulty. The vendor's messages about them may repeat values: not for logs.
    pub fn field_errors(&self) -> &[FieldError] {
        &self.0.field_errors
    }

    /// Returns the vendor's name for the request, to quote to its support.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Returns whether it is about another place than the vendor's API, to which one of its answers led: a
    /// [`download`](crate::Client::download). It says nothing about the account or the vendor's health then.
    pub fn is_elsewhere(&self) -> bool {
        self.0.elsewhere
    }

    /// Returns how many requests were made.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns the vendor.
    pub fn vendor(&self) -> &str {
        self.0.vendor
    }

    /// Returns the operation: `"contacts.create"`.
    pub fn operation(&self) -> &str {
        self.0.operation
    }

    /// Returns the headers of the last answer.
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.0.headers.as_ref()
    }

    /// Returns the shape of the answer's body, at most 2 KiB: the keys of its JSON with every value replaced.
    /// `None` when it was not JSON.
    pub fn body_snippet(&self) -> Option<&str> {
        self.0.snippet.as_deref()
    }

    pub(crate) fn new(
        kind: ErrorKind,
        vendor: &'static str,
        operation: &'static str,
        delivery: Delivery,
    ) -> Self {
        Self(Box::new(Parts {
            kind,
            vendor,
            operation,
            delivery,
            retryable: false,
            elsewhere: false,
            attempts: 0,
            status: None,
            code: None,
            message: None,
            own_message: false,
            field_errors: Vec::new(),
            request_id: None,
            retry_after: None,
            headers: None,
            snippet: None,
            so_far: None,
            source: None,
        }))
    }

    pub(crate) fn with_own_message(mut self, message: impl Into<String>) -> Self {
        self.0.message = Some(message.into());
        self.0.own_message = true;
        self
    }

    pub(crate) fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    pub(crate) fn with_vendor_words(mut self, told: VendorError) -> Self {
        self.0.code = told.code;
        self.0.message = told.message;
        self.0.field_errors = told.field_errors;
        self.0.own_message = false;
        if told.request_id.is_some() {
            self.0.request_id = told.request_id;
        }
        self
    }

    pub(crate) fn with_request_id(mut self, id: Option<String>) -> Self {
        self.0.request_id = id;
        self
    }

    pub(crate) fn with_answer(mut self, headers: HeaderMap, snippet: Option<String>) -> Self {
        self.0.headers = Some(headers);
        self.0.snippet = snippet;
        self
    }

    pub(crate) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    pub(crate) fn with_retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = retryable;
        self
    }

    pub(crate) fn with_elsewhere(mut self) -> Self {
        self.0.elsewhere = true;
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    pub(crate) fn with_delivery(mut self, delivery: Delivery) -> Self {
        self.0.delivery = delivery;
        self
    }
}

impl ErrorKind {
    fn words(self) -> &'static str {
        match self {
            Self::Connect => "no connection",
            Self::Timeout => "timed out",
            Self::RateLimited => "rate limited",
            Self::QuotaSpent => "quota spent",
            Self::Auth => "not authenticated",
            Self::ReauthorizationRequired => "account has to be connected again",
            Self::Permission => "not permitted",
            Self::NotFound => "not found",
            Self::Conflict => "conflict",
            Self::Validation => "invalid request",
            Self::Api => "refused",
            Self::Server => "server error",
            Self::Decode => "unreadable answer",
            Self::Encode => "request cannot be encoded",
            Self::Write => "answer cannot be written",
            Self::Config => "wrong configuration",
            Self::Store => "own records cannot be used",
        }
    }
}

impl Error {
    /// Says what became of the request, where neither the kind nor a status says it already.
    fn delivery_words(&self) -> Option<&'static str> {
        match self.0.delivery {
            // Nothing else can be meant by these.
            Delivery::NotSent if matches!(self.0.kind, ErrorKind::Config | ErrorKind::Encode) => {
                None
            }
            Delivery::NotSent => Some("not sent"),
            Delivery::Rejected => None,
            Delivery::Unknown => Some("outcome unknown"),
            Delivery::Succeeded => Some("carried out"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = &*self.0;
        write!(
            f,
            "{} {}: {}",
            parts.vendor,
            parts.operation,
            match (parts.kind, parts.delivery) {
                (ErrorKind::Connect, Delivery::Unknown) => "connection lost",
                (kind, _) => kind.words(),
            }
        )?;
        if parts.own_message
            && let Some(message) = &parts.message
        {
            write!(f, ": {message}")?;
        }
        if parts.own_message {
            write!(f, "{}", Faults(&parts.field_errors))?;
        }
        let mut open = false;
        let mut sep = |f: &mut fmt::Formatter<'_>| {
            let text = if open { ", " } else { " (" };
            open = true;
            f.write_str(text)
        };
        if let Some(status) = parts.status {
            sep(f)?;
            write!(f, "status {status}")?;
        }
        if let Some(code) = &parts.code {
            sep(f)?;
            write!(f, "code {}", Token(code))?;
        }
        if let Some(id) = &parts.request_id {
            sep(f)?;
            write!(f, "request id {}", Token(id))?;
        }
        if let Some(words) = self.delivery_words() {
            sep(f)?;
            f.write_str(words)?;
        }
        if open {
            f.write_str(")")?;
        }
        match parts.so_far {
            Some(so_far) => write!(f, "; {so_far}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = &*self.0;
        let code = shown(parts.code.as_deref());
        let id = shown(parts.request_id.as_deref());
        let mut out = f.debug_struct("Error");
        out.field("kind", &parts.kind)
            .field("vendor", &parts.vendor)
            .field("operation", &parts.operation)
            .field("status", &parts.status)
            .field("code", &code)
            .field("request_id", &id)
            .field("delivery", &parts.delivery)
            .field("retryable", &parts.retryable)
            .field("retry_after", &parts.retry_after)
            .field("attempts", &parts.attempts);
        if let Some(so_far) = parts.so_far {
            out.field("so_far", &so_far);
        }
        if parts.own_message {
            out.field("message", &parts.message);
        }
        out.field("source", &parts.source).finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| &**source as _)
    }
}

/// Shows what the client found fault with: the first few fields and how many there are besides.
struct Faults<'a>(&'a [FieldError]);

impl fmt::Display for Faults<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 3;
        for (n, field) in self.0.iter().take(SHOWN).enumerate() {
            let before = if n == 0 { ": " } else { "; " };
            write!(f, "{before}{} {}", field.path, field.message)?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

/// Shows a word of the vendor's only if it looks like one: short, printable, without spaces, and neither an address
/// nor a number to call. Anything else could break the line, be a sentence with a person in it, or be the person.
struct Token<'a>(&'a str);

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if is_token(self.0) { self.0 } else { "?" })
    }
}

fn shown(word: Option<&str>) -> Option<String> {
    word.map(|word| Token(word).to_string())
}

pub(crate) fn is_token(text: &str) -> bool {
    let fits = !text.is_empty() && text.len() <= 128;
    let of_a_person = text.starts_with('+') || text.contains('@');
    fits && !of_a_person && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    fn full() -> Error {
        Error::new(
            ErrorKind::Conflict,
            "openphone",
            "contacts.create",
            Delivery::Unknown,
        )
        .with_status(409)
        .with_request_id(Some("req_7".to_owned()))
        .with_vendor_words(
            VendorError::new()
                .code("0800409")
                .message("canary@example.com exists")
                .field_errors(vec![FieldError::new(
                    "email",
                    "canary@example.com is taken",
                )]),
        )
        .with_attempts(3)
    }

    #[test]
    fn it_is_one_pointer_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
        assert_eq!(size_of::<Result<(), Error>>(), size_of::<usize>());
    }

    #[test]
    fn display_is_one_line_without_the_vendors_words() {
        insta::assert_snapshot!(full(), @"openphone contacts.create: conflict (status 409, code 0800409, request id req_7, outcome unknown)");
        let bare = Error::new(
            ErrorKind::Timeout,
            "quo",
            "messages.send",
            Delivery::Unknown,
        );
        insta::assert_snapshot!(bare, @"quo messages.send: timed out (outcome unknown)");
        let server =
            Error::new(ErrorKind::Server, "quo", "raw", Delivery::Unknown).with_status(502);
        insta::assert_snapshot!(server, @"quo raw: server error (status 502, outcome unknown)");
        let lost = Error::new(
            ErrorKind::Connect,
            "quo",
            "messages.send",
            Delivery::Unknown,
        );
        insta::assert_snapshot!(lost, @"quo messages.send: connection lost (outcome unknown)");
        let refused = Error::new(ErrorKind::Connect, "quo", "raw", Delivery::NotSent);
        insta::assert_snapshot!(refused, @"quo raw: no connection (not sent)");
        let done = Error::new(ErrorKind::Decode, "quo", "raw", Delivery::Succeeded);
        insta::assert_snapshot!(done, @"quo raw: unreadable answer (carried out)");
        let config = Error::config("quo", "client", "the base url has no host");
        insta::assert_snapshot!(config, @"quo client: wrong configuration: the base url has no host");
    }

    #[test]
    fn what_the_client_finds_fault_with_is_said_at_once() {
        let fault = |n: usize| FieldError::new(format!("/to/{n}"), "must be in E.164 form");
        let one = Error::validation("quo", "messages.send", vec![fault(0)]);
        insta::assert_snapshot!(one, @"quo messages.send: invalid request: /to/0 must be in E.164 form (not sent)");
        let many = Error::validation("quo", "messages.send", (0..5).map(fault).collect());
        insta::assert_snapshot!(many, @"quo messages.send: invalid request: /to/0 must be in E.164 form; /to/1 must be in E.164 form; /to/2 must be in E.164 form; and 2 more (not sent)");
    }

    #[test]
    fn what_came_before_weighs_and_is_said() {
        let look = Error::new(
            ErrorKind::QuotaSpent,
            "quo",
            "contacts.get",
            Delivery::NotSent,
        );
        let lost = look
            .with_attempts(1)
            .after(Delivery::Unknown, 2, "nobody was found");
        assert_eq!((lost.delivery(), lost.attempts()), (Delivery::Unknown, 3));
        insta::assert_snapshot!(lost, @"quo contacts.get: quota spent (outcome unknown); nobody was found");
        let server = Error::new(ErrorKind::Server, "quo", "contacts.get", Delivery::Unknown);
        assert_eq!(
            server.after(Delivery::Rejected, 1, "").delivery(),
            Delivery::Unknown
        );
    }

    #[test]
    fn neither_debug_nor_the_chain_repeats_what_the_vendor_said() {
        let error = full().with_source(FieldErrorHolder(FieldError::new("a", "canary")));
        let mut text = format!("{error} {error:?} {error:#?}");
        let mut cause = error.source();
        while let Some(inner) = cause {
            text = format!("{text} {inner} {inner:?}");
            cause = inner.source();
        }
        assert!(!text.contains("canary"), "{text}");
        assert_eq!(error.message(), Some("canary@example.com exists"));
        assert_eq!(
            error.field_errors()[0].message,
            "canary@example.com is taken"
        );
    }

    #[test]
    fn a_hostile_code_can_neither_break_the_line_nor_name_a_person() {
        let long = "x".repeat(129);
        for hostile in [
            "a\nb",
            "",
            "two words",
            &long,
            "ü",
            "jo@example.com",
            "+12025550143",
        ] {
            let error = Error::new(ErrorKind::Api, "quo", "raw", Delivery::Rejected)
                .with_vendor_words(VendorError::new().code(hostile));
            assert_eq!(error.to_string(), "quo raw: refused (code ?)");
            assert_eq!(error.code(), Some(hostile));
            let path = FieldError::new(hostile, "is taken");
            let told = VendorError::new().code(hostile).request_id(hostile);
            let told = format!("{:?}", told.field_errors(vec![path]));
            assert_eq!(told.matches("\"?\"").count(), 3, "{told}");
        }
    }

    #[test]
    fn the_worst_delivery_is_the_greatest() {
        assert!(Delivery::Succeeded > Delivery::Unknown);
        assert!(Delivery::Unknown > Delivery::Rejected);
        assert!(Delivery::Rejected > Delivery::NotSent);
    }

    #[derive(Debug)]
    struct FieldErrorHolder(FieldError);

    impl fmt::Display for FieldErrorHolder {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "cause at {}", self.0.path)
        }
    }

    impl std::error::Error for FieldErrorHolder {}
}
