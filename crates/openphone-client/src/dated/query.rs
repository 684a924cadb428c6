//! How the dated API writes filters: `field=a` for one value, `field[in]=a,b` for several.

use chrono::{DateTime, Utc};
use connector_http::Request;

use crate::check::Check;

/// Adds a filter of one or more values, none if there are none.
pub(super) fn any_of<V: AsRef<str>>(
    request: Request,
    one: &str,
    several: &str,
    values: &[V],
) -> Request {
    match values {
        [] => request,
        [value] => request.query(one, value.as_ref()),
        values => request.query(several, list(values)),
    }
}

/// Adds what is to be answered along, if anything.
pub(super) fn include<V: AsRef<str>>(request: Request, parts: &[V]) -> Request {
    request.query_opt("include", (!parts.is_empty()).then(|| list(parts)))
}

/// A list as one value. A value with a comma would be read as two; [`check_values`] refuses it.
pub(super) fn list<V: AsRef<str>>(values: &[V]) -> String {
    let values: Vec<_> = values.iter().map(AsRef::as_ref).collect();
    values.join(",")
}

/// Values of a filter: not empty, which would be no filter at all, and without a comma.
pub(super) fn check_values<V: AsRef<str>>(check: &mut Check, values: &[V], path: &str) {
    for (index, value) in values.iter().map(AsRef::as_ref).enumerate() {
        let holds = !value.trim().is_empty() && !value.contains(',');
        check.require(
            holds,
            format!("{path}/{index}"),
            "must not be empty nor contain a comma",
        );
    }
}

/// An id, or another single value, of a filter.
pub(super) fn check_value<V: AsRef<str>>(check: &mut Check, value: Option<&V>, path: &str) {
    if let Some(value) = value {
        check.id(value.as_ref(), path);
    }
}

pub(super) fn check_limit(check: &mut Check, limit: u32, max: u32) {
    let message = format!("must be 1 to {max}");
    check.require((1..=max).contains(&limit), "/limit", &message);
}

/// A time span that does not end before it begins.
pub(super) fn check_span(
    check: &mut Check,
    begin: Option<DateTime<Utc>>,
    end: Option<DateTime<Utc>>,
    path: &str,
) {
    if let (Some(begin), Some(end)) = (begin, end) {
        check.require(begin <= end, path, "must not be before the beginning");
    }
}
