//! The envelopes of answers, and the tokens of pages.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::openphone::error::{ApiError, Area};

#[derive(Serialize)]
pub(super) struct Data<T> {
    pub(super) data: T,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page<T> {
    data: Vec<T>,
    /// The vendor itself declares this number wrong. Here it counts the page, not the whole.
    total_items: usize,
    next_page_token: Option<String>,
}

impl<T> Page<T> {
    pub(super) fn new(data: Vec<T>, next_page_token: Option<String>) -> Self {
        Self {
            total_items: data.len(),
            data,
            next_page_token,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Token<'a> {
    last_id: std::borrow::Cow<'a, str>,
}

/// Makes the token of the next page. There is one whenever this page is full, so a list whose
/// end falls on the end of a page goes on with an empty one.
pub(super) fn next_token(length: usize, max: usize, last: Option<&str>) -> Option<String> {
    let last = last.filter(|_| length == max)?;
    let token = Token {
        last_id: last.into(),
    };
    serde_json::to_vec(&token)
        .ok()
        .map(|token| URL_SAFE_NO_PAD.encode(token))
}

/// Reads the id back that a page ended with.
pub(super) fn last_id(area: Area, token: &str) -> Result<String, ApiError> {
    URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|token| {
            let token: Token<'_> = serde_json::from_slice(&token).ok()?;
            Some(token.last_id.into_owned())
        })
        .ok_or_else(|| ApiError::refused(area, "Invalid page token".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_page_has_a_token_that_reads_back() {
        let token = next_token(10, 10, Some("USmukOMipa")).unwrap();
        assert_eq!(token, "eyJsYXN0SWQiOiJVU211a09NaXBhIn0");
        assert_eq!(last_id(Area::Users, &token).unwrap(), "USmukOMipa");
        assert_eq!(next_token(9, 10, Some("USmukOMipa")), None);
        assert_eq!(next_token(0, 10, None), None);
    }

    #[test]
    fn what_is_not_a_token_is_refused() {
        for token in ["", "!", "e30", "bm9uc2Vuc2U"] {
            assert!(last_id(Area::Users, token).is_err(), "{token}");
        }
    }
}
