//! The two envelopes of API v1: `{data}` and `{data, totalItems, nextPageToken}`.

use connector_http::Page;
use serde::{Deserialize, Deserializer};

/// The envelope of a single answer.
#[derive(Deserialize)]
pub(crate) struct Data<T> {
    data: T,
}

impl<T> Data<T> {
    /// Opens the envelope.
    pub(crate) fn into_inner(self) -> T {
        self.data
    }
}

/// One page of a list, as the vendor answers it.
///
/// `list()` walks the pages by itself; this is what the `…_page()` methods give to a caller who
/// keeps the token on his own, such as a page of a user interface.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ListPage<T> {
    /// What stands on this page. It can be empty although a next page exists.
    pub data: Vec<T>,
    /// What the vendor says the total is. **Known to be wrong**: the vendor's own reference warns
    /// that it "is not accurately returning the total number of items". Nothing in this crate uses
    /// it; neither should a progress bar.
    #[serde(default, deserialize_with = "count_if_readable")]
    pub total_items: Option<u64>,
    /// The token of the next page; `None` on the last one.
    #[serde(default, deserialize_with = "token_unless_empty")]
    pub next_page_token: Option<String>,
}

impl<T> From<ListPage<T>> for Page<T> {
    fn from(page: ListPage<T>) -> Self {
        Self::new(page.data, page.next_page_token)
    }
}

/// A number nobody may rely on must not fail the page either.
fn count_if_readable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(serde_json::Value::deserialize(deserializer)?.as_u64())
}

/// An empty token would ask for the first page again.
fn token_unless_empty<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|token| !token.is_empty()))
}

/// Reads `null` as the empty value, for lists the vendor promises and sometimes nulls.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        r#"{"data":[1],"totalItems":1,"nextPageToken":"t"}"#,
        Some(1),
        Some("t")
    )]
    #[case(r#"{"data":[1],"totalItems":-1,"nextPageToken":null}"#, None, None)]
    #[case(r#"{"data":[1],"totalItems":"many","nextPageToken":""}"#, None, None)]
    #[case(r#"{"data":[1]}"#, None, None)]
    fn survives_what_the_vendor_gets_wrong(
        #[case] body: &str,
        #[case] total: Option<u64>,
        #[case] token: Option<&str>,
    ) {
        let page: ListPage<u8> = serde_json::from_str(body).unwrap();
        assert_eq!(page.total_items, total);
        assert_eq!(page.next_page_token.as_deref(), token);
    }

    #[test]
    fn a_page_without_data_is_an_error() {
        assert!(serde_json::from_str::<ListPage<u8>>(r#"{"nextPageToken":null}"#).is_err());
    }
}
