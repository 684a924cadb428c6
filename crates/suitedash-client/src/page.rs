//! Pages of ten, counted here.
//!
//! The vendor's `nextPage` is a whole address. It is never followed: it would carry the keys wherever it points.
//! Whether there is a next page is all that is read of it.

use chrono::{DateTime, SecondsFormat, Utc};
use connector_http::{Page, Request, setters};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::check::Check;
use crate::reply::Reply;
use crate::tolerant;

/// How many pages a list reads unless told otherwise: half of the largest monthly quota but one.
pub(crate) const MAX_PAGES: u64 = 1_000;
const PAGE_SIZE: usize = 10;

/// Which records a list gives, and in which order. The same for contacts, companies and projects.
///
/// Only the time of creation can be filtered by. There is no "changed since", no search and no page size: the vendor
/// gives ten records per call, so that reading 1,000 contacts costs 100 calls of the month.
///
/// ```
/// use suitedash_client::ListQuery;
///
/// let since = chrono::DateTime::parse_from_rfc3339("2026-11-01T00:00:00Z")?.to_utc();
/// let query = ListQuery::new().created_min(since);
/// assert_eq!(query.created_min, Some(since));
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListQuery {
    /// Only records created after this moment; it is not included.
    pub created_min: Option<DateTime<Utc>>,
    /// Only records created before this moment; it is not included.
    pub created_max: Option<DateTime<Utc>>,
    /// The order. Which values are accepted is not known.
    pub order_by: Option<String>,
    /// Asks for the attributes' description with each record. Which values are accepted is not known.
    pub meta: Option<String>,
}

impl ListQuery {
    /// Asks for every record.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn check(&self, page: u64) -> Check {
        let mut check = check_page(page);
        if let (Some(min), Some(max)) = (self.created_min, self.created_max) {
            check.require(min < max, "createdMax", "must be later than createdMin");
        }
        for (value, path) in [(&self.order_by, "orderBy"), (&self.meta, "meta")] {
            if let Some(value) = value {
                check.name(value, path);
            }
        }
        check
    }

    pub(crate) fn apply(&self, request: Request, page: u64) -> Request {
        // The vendor wants an offset, and documents it in digits.
        let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, false);
        request
            .query("page", page)
            .query_opt("createdMin", self.created_min.map(time))
            .query_opt("createdMax", self.created_max.map(time))
            .query_opt("orderBy", self.order_by.as_deref())
            .query_opt("meta", self.meta.as_deref())
    }
}

setters! { ListQuery {
    /// Sets the moment after which a record was created.
    created_min: Option<DateTime<Utc>>,
    /// Sets the moment before which a record was created.
    created_max: Option<DateTime<Utc>>,
    /// Sets the order.
    order_by: Option<String>,
    /// Asks for the attributes' description with each record.
    meta: Option<String>,
} }

/// A page the vendor would refuse, or take for the first, costs no call.
pub(crate) fn check_page(page: u64) -> Check {
    let mut check = Check::new();
    check.require(page > 0, "page", "must be 1 or more");
    check
}

/// What the vendor says about the pages of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Pagination {
    /// How many records a page has: 10 so far.
    #[serde(default, deserialize_with = "tolerant::count")]
    pub page_size: Option<u64>,
    /// How many pages there are.
    #[serde(default, deserialize_with = "tolerant::count")]
    pub total_pages: Option<u64>,
    /// How many records there are.
    #[serde(default, deserialize_with = "tolerant::count")]
    pub total_items: Option<u64>,
    /// Which page this is, from 1.
    #[serde(default, deserialize_with = "tolerant::count")]
    pub current_page_number: Option<u64>,
    /// Whether the vendor names a next page.
    #[serde(default, rename = "nextPage", deserialize_with = "named")]
    pub has_next: bool,
}

fn named<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(next) => !next.is_empty(),
        Value::Number(_) => true,
        _ => false,
    })
}

/// One page of a list, for a caller who keeps the page's number on his own. `list()` walks them all.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ListPage<T> {
    /// What stands on this page.
    pub items: Vec<T>,
    /// What the vendor says about the pages; `None` if it says nothing.
    pub pagination: Option<Pagination>,
}

impl<T> From<Reply<Vec<T>>> for ListPage<T> {
    fn from(reply: Reply<Vec<T>>) -> Self {
        Self {
            items: reply.data,
            pagination: reply.pagination,
        }
    }
}

/// Where a walk is: the number of a page, and what was on the one before, so that a server that ignores the number
/// is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) page: u64,
    before: Option<u64>,
}

impl Step {
    /// Reads the token of a walk; none is the first page. A token that is none of ours is none either.
    pub(crate) fn read(token: Option<&str>) -> Option<Self> {
        let Some(token) = token else {
            return Some(Self {
                page: 1,
                before: None,
            });
        };
        let (page, before) = match token.split_once('-') {
            Some((page, before)) => (page, Some(u64::from_str_radix(before, 16).ok()?)),
            None => (token, None),
        };
        let page = page.parse().ok().filter(|page| *page > 0)?;
        Some(Self { page, before })
    }

    fn token(self) -> String {
        match self.before {
            Some(before) => format!("{}-{before:x}", self.page),
            None => self.page.to_string(),
        }
    }

    /// Makes the walk's page of the vendor's, `key` naming each record.
    ///
    /// A page that repeats the one before, or that the vendor says is another, is given out as empty and followed by
    /// itself: the walk ends there with the error for a list that goes in a circle.
    pub(crate) fn turn<T, K>(self, list: ListPage<T>, key: impl Fn(&T) -> K) -> Page<T>
    where
        K: AsRef<str>,
    {
        let ListPage { items, pagination } = list;
        let here = fingerprint(items.iter().map(key));
        let elsewhere = pagination
            .as_ref()
            .and_then(|it| it.current_page_number)
            .is_some_and(|page| page != self.page);
        // Two empty ones running as well: somebody who names a next page for ever must not cost a call each time.
        let repeated = self.before == Some(here);
        if self.page > 1 && (elsewhere || repeated) {
            return Page::new(Vec::new(), Some(self.token()));
        }
        let next = self.page.saturating_add(1);
        let more = match &pagination {
            Some(pagination) => {
                pagination.has_next && pagination.total_pages.is_none_or(|last| next <= last)
            }
            // Without a word about pages, a full one may have a follower.
            None => items.len() >= PAGE_SIZE,
        };
        let step = Self {
            page: next,
            before: Some(here),
        };
        Page::new(items, more.then(|| step.token()))
    }
}

/// FNV-1a, which is the same in every run: a cursor may be kept.
fn fingerprint(keys: impl Iterator<Item = impl AsRef<str>>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for key in keys {
        for byte in key.as_ref().bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

/// Names a text by its [`fingerprint`].
pub(crate) fn name_of(text: &str) -> String {
    format!("{:016x}", fingerprint([text].into_iter()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn page(items: &[&str], pagination: Value) -> ListPage<String> {
        ListPage {
            items: items.iter().map(|&item| item.to_owned()).collect(),
            pagination: serde_json::from_value(pagination).ok(),
        }
    }

    fn turn(token: Option<&str>, list: ListPage<String>) -> (usize, Option<String>) {
        let page = Step::read(token).unwrap().turn(list, String::clone);
        (page.items.len(), page.next)
    }

    #[rstest]
    #[case(json!({"totalPages": 2, "nextPage": "https://evil.example/?page=2"}), true)]
    #[case(json!({"totalPages": "2", "nextPage": "x"}), true)]
    #[case(json!({"nextPage": "x"}), true)]
    #[case(json!({"totalPages": 1, "nextPage": "x"}), false)]
    #[case(json!({"totalPages": 2, "nextPage": null}), false)]
    #[case(json!({"totalPages": 2, "nextPage": ""}), false)]
    #[case(json!({}), false)]
    fn goes_on_while_both_say_so(#[case] pagination: Value, #[case] more: bool) {
        let (items, next) = turn(None, page(&["a"], pagination));
        assert_eq!(items, 1);
        assert_eq!(next.is_some(), more);
        assert!(next.is_none_or(|next| next.starts_with("2-")));
    }

    #[test]
    fn without_a_word_about_pages_a_full_one_has_a_follower() {
        assert!(turn(None, page(&["x"; 10], Value::Null)).1.is_some());
        assert!(turn(None, page(&["x"; 9], Value::Null)).1.is_none());
    }

    #[test]
    fn a_page_that_repeats_the_one_before_leads_back_to_itself() {
        let more = json!({"totalPages": 9, "nextPage": "x"});
        let (_, next) = turn(None, page(&["a", "b"], more.clone()));
        let again = turn(next.as_deref(), page(&["a", "b"], more.clone()));
        assert_eq!(again, (0, next.clone()));
        let (items, after) = turn(next.as_deref(), page(&["c"], more));
        assert_eq!(items, 1);
        assert!(after.unwrap().starts_with("3-"));
    }

    #[test]
    fn one_empty_page_may_stand_in_between_and_two_lead_nowhere() {
        let more = json!({"nextPage": "x"});
        let (_, next) = turn(None, page(&["a"], more.clone()));
        let (_, next) = turn(next.as_deref(), page(&[], more.clone()));
        let (items, _) = turn(next.as_deref(), page(&["b"], more.clone()));
        assert_eq!(items, 1);
        let again = turn(next.as_deref(), page(&[], more));
        assert_eq!(again, (0, next));
    }

    #[test]
    fn a_page_that_says_it_is_another_leads_back_to_itself() {
        let first = json!({"totalPages": 9, "currentPageNumber": 1, "nextPage": "x"});
        let token = Some("2-0");
        assert_eq!(
            turn(token, page(&["c"], first)),
            (0, Some("2-0".to_owned()))
        );
    }

    #[test]
    fn joined_keys_differ_from_separate_ones() {
        assert_ne!(
            fingerprint(["ab", "c"].into_iter()),
            fingerprint(["a", "bc"].into_iter())
        );
    }

    #[rstest]
    #[case("0")]
    #[case("-1")]
    #[case("2-xyz")]
    #[case("two")]
    fn a_strange_token_is_refused(#[case] token: &str) {
        assert_eq!(Step::read(Some(token)), None);
    }

    proptest! {
        #[test]
        fn a_token_comes_back_as_it_was(page in 1u64.., before in any::<Option<u64>>()) {
            let step = Step { page, before };
            prop_assert_eq!(Step::read(Some(&step.token())), Some(step));
        }

        #[test]
        fn no_token_panics(token in any::<String>()) {
            let _ = Step::read(Some(&token));
        }
    }
}
