//! The vendor's two error shapes: its own, and that of the gateway before it.

use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use crate::exchange::Reply;
use crate::openphone::ids::Ids;

/// The area of the API, the first two digits of every error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Area {
    Calls,
    Messages,
    Webhooks,
    PhoneNumbers,
    CallSummaries,
    /// The code of transcripts is that of tasks.
    Transcripts,
    Tasks,
    CustomFields,
    Contacts,
    Recordings,
    Conversations,
    Users,
    Voicemails,
    /// The workspace itself, which only the dated API shows; its errors have no codes.
    Organization,
}

impl Area {
    const fn digits(self) -> &'static str {
        match self {
            Self::Calls => "01",
            Self::Messages => "02",
            Self::Webhooks => "03",
            Self::PhoneNumbers => "04",
            Self::CallSummaries => "05",
            Self::Transcripts | Self::Tasks => "06",
            Self::CustomFields => "07",
            Self::Contacts => "08",
            Self::Recordings => "09",
            Self::Conversations => "10",
            Self::Users => "11",
            Self::Voicemails => "12",
            Self::Organization => "00",
        }
    }
}

/// One entry of `errors`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Issue {
    pub(super) path: String,
    pub(super) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<Value>,
    pub(super) schema: Schema,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Schema {
    pub(super) r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pattern: Option<String>,
}

/// An error in the shape of the vendor's specification.
#[derive(Clone, Debug)]
pub(super) struct ApiError {
    area: Area,
    /// The two digits between area and status that tell titles of one status apart.
    variant: &'static str,
    status: StatusCode,
    title: &'static str,
    message: String,
    description: Option<&'static str>,
    errors: Vec<Issue>,
}

#[derive(Serialize)]
struct Body<'a> {
    message: &'a str,
    code: String,
    status: u16,
    docs: &'static str,
    title: &'static str,
    trace: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [Issue],
}

#[derive(Serialize)]
struct DatedBody<'a> {
    title: &'static str,
    message: &'a str,
    docs: &'static str,
    trace: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [Issue],
}

impl ApiError {
    fn plain(area: Area, variant: &'static str, status: StatusCode, title: &'static str) -> Self {
        let message = title.to_owned();
        Self {
            area,
            variant,
            status,
            title,
            message,
            description: None,
            errors: Vec::new(),
        }
    }

    fn described(mut self, description: &'static str) -> Self {
        self.description = Some(description);
        self
    }

    /// A request that breaks the schema. The message is the one seen in a live answer.
    pub(super) fn invalid(area: Area, errors: Vec<Issue>) -> Self {
        Self {
            errors,
            ..Self::refused(area, "The input was invalid".to_owned())
        }
    }

    /// A request that keeps the schema and still cannot be served.
    pub(super) fn refused(area: Area, message: String) -> Self {
        let plain = Self::plain(area, "00", StatusCode::BAD_REQUEST, "Bad Request");
        Self { message, ..plain }
    }

    pub(super) fn not_found(area: Area) -> Self {
        Self::plain(area, "00", StatusCode::NOT_FOUND, "Not Found")
    }

    pub(super) fn forbidden(area: Area) -> Self {
        Self::plain(area, "00", StatusCode::FORBIDDEN, "Forbidden")
    }

    /// An opaque conflict: the vendor does not say which field collided.
    pub(super) fn contact_conflict() -> Self {
        Self::plain(Area::Contacts, "00", StatusCode::CONFLICT, "Conflict")
    }

    pub(super) fn custom_field_item() -> Self {
        let title = "Invalid Custom Field Item";
        Self::plain(Area::Contacts, "01", StatusCode::BAD_REQUEST, title).described(title)
    }

    pub(super) fn too_many_participants() -> Self {
        let title = "Too Many Participants";
        Self::plain(Area::Calls, "01", StatusCode::BAD_REQUEST, title).described(title)
    }

    pub(super) fn open_tasks_limit_reached() -> Self {
        let title = "Open Tasks Limit Reached";
        Self::plain(Area::Tasks, "00", StatusCode::PAYMENT_REQUIRED, title)
    }

    pub(super) fn not_phone_number_user(area: Area) -> Self {
        let title = "Not Phone Number User";
        let variant = if area == Area::Messages { "02" } else { "01" };
        Self::plain(area, variant, StatusCode::FORBIDDEN, title).described(title)
    }

    pub(super) fn a2p_not_approved() -> Self {
        let title = "A2P Registration Not Approved";
        Self::plain(Area::Messages, "06", StatusCode::BAD_REQUEST, title).described(title)
    }

    pub(super) fn subscription_expired() -> Self {
        let title = "Subscription Expired";
        Self::plain(Area::Messages, "01", StatusCode::PAYMENT_REQUIRED, title)
            .described("Your subscription has expired")
    }

    pub(super) fn daily_cap_reached() -> Self {
        let title = "A2P 10DLC Daily Message Cap Reached";
        Self::plain(Area::Messages, "04", StatusCode::FORBIDDEN, title)
    }

    pub(super) fn server(area: Area) -> Self {
        Self::plain(area, "01", StatusCode::INTERNAL_SERVER_ERROR, "Unknown")
    }

    /// A request that breaks the schema, as the dated API says it.
    pub(super) fn failed_validation(area: Area, errors: Vec<Issue>) -> Self {
        let fields = if errors.len() == 1 { "field" } else { "fields" };
        let message = format!("Validation failed for {} {fields}.", errors.len());
        Self {
            errors,
            ..Self::refused(area, message)
        }
    }

    /// A request that is understood and cannot be carried out; only the dated API knows it.
    pub(super) fn unprocessable(area: Area, message: String) -> Self {
        let title = "Unprocessable Entity";
        let plain = Self::plain(area, "00", StatusCode::UNPROCESSABLE_ENTITY, title);
        Self { message, ..plain }
    }

    /// An answer of the dated API that has a status and no more to say.
    pub(super) fn of_status(area: Area, status: StatusCode, message: &str) -> Self {
        let title = status.canonical_reason().unwrap_or("Unknown");
        let plain = Self::plain(area, "00", status, title);
        Self {
            message: message.to_owned(),
            ..plain
        }
    }

    /// Writes the error as the dated API does: without code and status.
    pub(super) fn dated_reply(&self, ids: &mut Ids) -> Reply {
        let body = DatedBody {
            title: self.title,
            message: &self.message,
            docs: "https://quo.com/docs",
            trace: ids.decimal(),
            errors: &self.errors,
        };
        Reply::json(self.status, &body)
    }

    /// The first thing that is wrong, for a reader of the sandbox's own errors.
    pub(super) fn summary(&self) -> String {
        match self.errors.first() {
            Some(issue) => format!("{}: {}", issue.path, issue.message),
            None => self.message.clone(),
        }
    }

    pub(super) fn reply(&self, ids: &mut Ids) -> Reply {
        let status = self.status.as_u16();
        let body = Body {
            message: &self.message,
            code: format!("{}{}{status}", self.area.digits(), self.variant),
            status,
            docs: "https://quo.com/docs",
            title: self.title,
            trace: ids.decimal(),
            description: self.description,
            errors: &self.errors,
        };
        Reply::json(self.status, &body)
    }
}

#[derive(Serialize)]
struct GatewayBody {
    error: GatewayError,
}

#[derive(Serialize)]
struct GatewayError {
    message: &'static str,
    key: &'static str,
    trace: String,
}

/// Answers in the gateway's shape, which no specification has: `{"error":{message,key,trace}}`.
pub(super) fn gateway(
    status: StatusCode,
    message: &'static str,
    key: &'static str,
    ids: &mut Ids,
) -> Reply {
    let error = GatewayError {
        message,
        key,
        trace: ids.decimal(),
    };
    Reply::json(status, &GatewayBody { error })
}
