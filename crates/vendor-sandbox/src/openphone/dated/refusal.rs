//! What stands before the dated operations, in their shape of errors. What the gateway answers here
//! is not known; the specification has this shape for all of it.

use http::StatusCode;

use crate::exchange::Reply;
use crate::openphone::error::{ApiError, Area};
use crate::openphone::ids::Ids;
use crate::openphone::refusal;
use crate::vendor::Refusal;

pub(in crate::openphone) fn refuse(refused: Refusal, area: Area, ids: &mut Ids) -> Reply {
    let (status, message) = match refused {
        Refusal::UnknownRoute | Refusal::WrongMethod | Refusal::NoPage | Refusal::HtmlErrorPage => {
            return refusal::refuse(refused, area, ids);
        }
        Refusal::MissingKey => (StatusCode::UNAUTHORIZED, "Missing authorization header"),
        Refusal::WrongKey => (StatusCode::UNAUTHORIZED, "Unauthorized"),
        Refusal::TooManyRequests => (StatusCode::TOO_MANY_REQUESTS, "API rate limit exceeded"),
        Refusal::BodyTooLarge => {
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            (status, "Request size limit exceeded")
        }
        Refusal::UnreadableId => {
            let status = StatusCode::BAD_REQUEST;
            (status, "Failed to decode the id in the path")
        }
        Refusal::WrongVersion => {
            let status = StatusCode::BAD_REQUEST;
            (status, "The Quo-Api-Version header is missing or invalid")
        }
        Refusal::ServerError(status) => (status, "Unknown"),
        Refusal::Unsuccessful => (StatusCode::INTERNAL_SERVER_ERROR, "Unknown"),
    };
    ApiError::of_status(area, status, message).dated_reply(ids)
}
