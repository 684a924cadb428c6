//! Answers that come from what stands before the operations.

use http::StatusCode;

use crate::exchange::Reply;
use crate::openphone::error::{ApiError, Area, gateway};
use crate::openphone::ids::Ids;
use crate::vendor::Refusal;

const UNKNOWN_ROUTE: &str = include_str!("unknown_route.html");
const BAD_GATEWAY: &str = include_str!("bad_gateway.html");

/// Refuses a request to API v1, or one that found no operation.
pub(super) fn refuse(refusal: Refusal, area: Area, ids: &mut Ids) -> Reply {
    let unauthorized =
        |message, ids| gateway(StatusCode::UNAUTHORIZED, message, "Unauthorized", ids);
    match refusal {
        Refusal::UnknownRoute | Refusal::WrongMethod | Refusal::NoPage => {
            Reply::html(StatusCode::NOT_FOUND, UNKNOWN_ROUTE)
        }
        Refusal::MissingKey => unauthorized("Missing authorization header", ids),
        Refusal::WrongKey => unauthorized("Unauthorized", ids),
        // No body of a live 429 is known: this is the gateway's shape for its other answers.
        Refusal::TooManyRequests => {
            let status = StatusCode::TOO_MANY_REQUESTS;
            gateway(status, "API rate limit exceeded", "TooManyRequests", ids)
        }
        Refusal::BodyTooLarge => {
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            gateway(
                status,
                "Request size limit exceeded",
                "PayloadTooLarge",
                ids,
            )
        }
        Refusal::UnreadableId => {
            let message = "Failed to decode the id in the path".to_owned();
            ApiError::refused(area, message).reply(ids)
        }
        // API v1 knows no versions.
        Refusal::WrongVersion => ApiError::refused(area, "Unknown version".to_owned()).reply(ids),
        Refusal::ServerError(StatusCode::INTERNAL_SERVER_ERROR) | Refusal::Unsuccessful => {
            ApiError::server(area).reply(ids)
        }
        Refusal::ServerError(status) => {
            let (message, key) = match status {
                StatusCode::BAD_GATEWAY => ("Bad gateway", "BadGateway"),
                StatusCode::SERVICE_UNAVAILABLE => ("Service unavailable", "ServiceUnavailable"),
                StatusCode::GATEWAY_TIMEOUT => ("Gateway timeout", "GatewayTimeout"),
                _ => ("Unknown", "Unknown"),
            };
            gateway(status, message, key, ids)
        }
        Refusal::HtmlErrorPage => Reply::html(StatusCode::BAD_GATEWAY, BAD_GATEWAY),
    }
}
