//! What SuiteDash's errors mean for a job.

use suitedash_client::export::{ExportError, HistoryError};
use suitedash_client::{Delivery as Sent, Error, ErrorKind};

use crate::failure::{ErrorClass, TargetError};

/// The only operation that leaves something behind which must not be done again.
const CREATE: &str = "contacts.create";

/// Classifies the error of one call, or of the one among several that failed.
pub(super) fn classify(error: Error) -> TargetError {
    let mut failure = TargetError::new(class(&error));
    if let Some(status) = error.status() {
        failure = failure.status(status);
    }
    if let Some(code) = error.code() {
        failure = failure.code(code);
    }
    if let Some(id) = error.request_id() {
        failure = failure.request_id(id);
    }
    if let Some(wait) = error.retry_after() {
        failure = failure.retry_after(wait);
    }
    // No answer, or that of something in front of the API which gave up on it: behind it, the work may go on.
    if failure.may_have_created()
        && error.delivery() == Sent::Unknown
        && matches!(error.status(), None | Some(502 | 504))
    {
        failure = failure.still_running();
    }
    failure.source(error)
}

fn class(error: &Error) -> ErrorClass {
    if error.operation() == CREATE && matches!(error.delivery(), Sent::Unknown | Sent::Succeeded) {
        return ErrorClass::Ambiguous;
    }
    match error.kind() {
        ErrorKind::QuotaSpent => ErrorClass::QuotaSpent,
        ErrorKind::RateLimited => ErrorClass::RateLimited,
        ErrorKind::Auth | ErrorKind::ReauthorizationRequired | ErrorKind::Permission => {
            ErrorClass::Auth
        }
        ErrorKind::Conflict => ErrorClass::Conflict,
        ErrorKind::Validation | ErrorKind::Encode => ErrorClass::InvalidData,
        ErrorKind::Config | ErrorKind::Store => ErrorClass::Unavailable,
        _ => ErrorClass::Transient,
    }
}

/// Classifies what went wrong with the files: nothing of it is the contact's fault.
pub(super) fn of_export(error: ExportError) -> TargetError {
    let class = match &error {
        ExportError::Busy { .. } => ErrorClass::Transient,
        ExportError::History { source } => of_history(source),
        _ => ErrorClass::Unavailable,
    };
    TargetError::new(class).source(error)
}

pub(super) fn of_history(error: &HistoryError) -> ErrorClass {
    match error {
        HistoryError::Damaged { .. } => ErrorClass::Unavailable,
        _ => ErrorClass::Transient,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn error(kind: ErrorKind, operation: &'static str, sent: Sent) -> Error {
        Error::of_client(kind, "suitedash", operation, sent, "test")
    }

    #[rstest]
    #[case(ErrorKind::Timeout, CREATE, Sent::Unknown, ErrorClass::Ambiguous)]
    #[case(ErrorKind::Server, CREATE, Sent::Unknown, ErrorClass::Ambiguous)]
    #[case(ErrorKind::Decode, CREATE, Sent::Succeeded, ErrorClass::Ambiguous)]
    #[case(ErrorKind::Connect, CREATE, Sent::NotSent, ErrorClass::Transient)]
    #[case(
        ErrorKind::Server,
        "contacts.get",
        Sent::Unknown,
        ErrorClass::Transient
    )]
    #[case(
        ErrorKind::Timeout,
        "contacts.update",
        Sent::Unknown,
        ErrorClass::Transient
    )]
    #[case(ErrorKind::Validation, CREATE, Sent::Rejected, ErrorClass::InvalidData)]
    #[case(
        ErrorKind::Validation,
        "contacts.create_or_update",
        Sent::NotSent,
        ErrorClass::InvalidData
    )]
    #[case(
        ErrorKind::Conflict,
        "contacts.create_or_update",
        Sent::Rejected,
        ErrorClass::Conflict
    )]
    #[case(ErrorKind::QuotaSpent, CREATE, Sent::NotSent, ErrorClass::QuotaSpent)]
    #[case(ErrorKind::Auth, CREATE, Sent::Rejected, ErrorClass::Auth)]
    #[case(ErrorKind::Config, CREATE, Sent::NotSent, ErrorClass::Unavailable)]
    #[case(ErrorKind::Store, CREATE, Sent::NotSent, ErrorClass::Unavailable)]
    fn each_error_has_its_class(
        #[case] kind: ErrorKind,
        #[case] operation: &'static str,
        #[case] sent: Sent,
        #[case] class: ErrorClass,
    ) {
        let failure = classify(error(kind, operation, sent));
        assert_eq!(failure.class(), class);
        let waits = class == ErrorClass::Ambiguous && sent == Sent::Unknown;
        assert_eq!(failure.is_still_running(), waits);
    }
}
