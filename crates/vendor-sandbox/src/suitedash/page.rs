//! The envelope of answers, and lists in pages of ten.

use chrono::{DateTime, SecondsFormat, Utc};
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::exchange::{Call, Reply};
use crate::suitedash::refusal::Refused;
use crate::suitedash::rules::Rules;
use crate::suitedash::store::Created;

/// How many records a page has. No parameter changes it.
const PAGE_SIZE: usize = 10;

pub(super) fn data(status: StatusCode, data: Value) -> Reply {
    Reply::json(status, &enveloped(data))
}

/// What a list asks for. Names that are not documented change nothing, `email` among them.
pub(super) struct ListQuery {
    page: u64,
    pub(super) created: Created,
}

impl ListQuery {
    pub(super) fn read(call: &Call<'_>) -> Result<Self, Refused> {
        let pairs = call.query_pairs();
        // Of several with one name the last one counts.
        let value = |wanted: &str| {
            let mut values = pairs.iter().rev();
            values
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.as_str())
        };
        let time = |name: &str| match value(name) {
            None => Ok(None),
            Some(text) => DateTime::parse_from_rfc3339(text)
                .map(|time| Some(time.with_timezone(&Utc)))
                .map_err(|_| Refused::bad_request(format!("{name} is not a date-time"))),
        };
        let created = Created {
            after: time("createdMin")?,
            before: time("createdMax")?,
        };
        if let (Some(after), Some(before)) = (created.after, created.before)
            && after >= before
        {
            let message = "createdMin must be smaller than createdMax";
            return Err(Refused::bad_request(message));
        }
        let page = value("page").and_then(|page| page.parse().ok());
        Ok(Self {
            page: page.unwrap_or(1).max(1),
            created,
        })
    }

    /// Answers one page. `select` counts the records asked for and returns some of them behind
    /// the first ones; `path` is the list's own, for the links to other pages.
    pub(super) fn reply(
        &self,
        rules: &Rules,
        path: &str,
        select: impl Fn(Created, u64, usize) -> (u64, Vec<Value>),
    ) -> Reply {
        let size = 10;
        let select = |page: u64| select(self.created, (page - 1).saturating_mul(size), PAGE_SIZE);
        let mut page = self.page;
        let (total, mut items) = select(page);
        // One that is empty is a page too.
        let pages = total.div_ceil(size).max(1);
        if rules.options.last_page_repeats && page > pages {
            page = pages;
            (_, items) = select(page);
        }
        let link = |page: u64| format!("{}{path}?page={page}", rules.origin);
        let pagination = json!({
            "pageSize": size,
            "totalPages": pages,
            "totalItems": total,
            "currentPageNumber": page,
            "previousPage": (page > 1).then(|| link(page - 1)),
            "nextPage": (page < pages).then(|| link(page + 1)),
        });
        let mut body = enveloped(items.into());
        body.insert("meta".to_owned(), json!({ "pagination": pagination }));
        Reply::json(StatusCode::OK, &body)
    }
}

/// Writes a time the way the vendor's lists take it: RFC 3339 to the second, with an offset.
pub(super) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, false)
}

fn enveloped(data: Value) -> Map<String, Value> {
    let mut envelope = Map::new();
    envelope.insert("success".to_owned(), true.into());
    envelope.insert("message".to_owned(), "".into());
    envelope.insert("data".to_owned(), data);
    envelope
}
