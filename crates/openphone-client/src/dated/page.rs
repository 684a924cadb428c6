//! The envelope of a list: `{data, nextCursor}`.

use connector_http::Page;
use serde::{Deserialize, Deserializer};

/// The largest page of nearly every list.
pub(super) const MAX_LIMIT: u32 = 50;

/// One page of a list, as the dated API answers it.
///
/// `list()` walks the pages by itself; this is what the `…_page()` methods give to a caller who keeps
/// the cursor on his own, such as a page of a user interface.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ListPage<T> {
    /// What stands on this page. It can be empty although a next page exists.
    pub data: Vec<T>,
    /// The cursor of the next page; `None` on the last one.
    #[serde(default, deserialize_with = "cursor_unless_empty")]
    pub next_cursor: Option<String>,
}

impl<T> From<ListPage<T>> for Page<T> {
    fn from(page: ListPage<T>) -> Self {
        Self::new(page.data, page.next_cursor)
    }
}

/// An empty cursor would ask for the first page again.
fn cursor_unless_empty<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|cursor| !cursor.is_empty()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(r#"{"data":[1],"nextCursor":"c"}"#, Some("c"))]
    #[case(r#"{"data":[1],"nextCursor":null}"#, None)]
    #[case(r#"{"data":[1],"nextCursor":"","more":{}}"#, None)]
    #[case(r#"{"data":[1]}"#, None)]
    fn a_list_ends_without_a_cursor(#[case] body: &str, #[case] cursor: Option<&str>) {
        let page: ListPage<u8> = serde_json::from_str(body).unwrap();
        assert_eq!(page.next_cursor.as_deref(), cursor);
    }

    #[test]
    fn a_page_without_data_is_an_error() {
        assert!(serde_json::from_str::<ListPage<u8>>(r#"{"nextCursor":null}"#).is_err());
    }
}
