//! Where a reading stopped, as a text to keep.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const VERSION: &str = "c1.";
const END: &str = "end";

/// Where the reading of a list stopped: a page's token and how many of its items were taken.
///
/// Kept as a text ([`Display`](fmt::Display) and [`FromStr`], or serde) between two runs of a job; its content is
/// nobody's business.
///
/// ```
/// use connector_http::Cursor;
///
/// let kept = Cursor::default().to_string();
/// assert_eq!(kept.parse::<Cursor>()?, Cursor::default());
/// # Ok::<(), connector_http::InvalidCursor>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Cursor {
    place: Place,
    taken: usize,
}

/// A page of a list.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// The page with this token, the first one without.
    Page(Option<String>),
    /// After the last page.
    End,
}

impl Cursor {
    pub(super) fn new(place: Place, taken: usize) -> Self {
        Self { place, taken }
    }

    pub(super) fn into_parts(self) -> (Place, usize) {
        (self.place, self.taken)
    }

    /// Returns the place behind the last page, for who knows that nothing more is wanted of a list.
    pub fn end() -> Self {
        Self::new(Place::End, 0)
    }

    /// Returns whether the list was read to its end.
    pub fn is_end(&self) -> bool {
        self.place == Place::End
    }
}

/// The beginning of a list.
impl Default for Cursor {
    fn default() -> Self {
        Self::new(Place::Page(None), 0)
    }
}

/// A token is the vendor's and may hold anything, so it is not printed here.
impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor")
            .field("end", &self.is_end())
            .field("taken", &self.taken)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::End => write!(f, "{VERSION}{END}"),
            Place::Page(None) => write!(f, "{VERSION}{}", self.taken),
            Place::Page(Some(token)) => write!(f, "{VERSION}{}.{token}", self.taken),
        }
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let rest = text.strip_prefix(VERSION).ok_or(InvalidCursor)?;
        if rest == END {
            return Ok(Self::new(Place::End, 0));
        }
        let (count, page) = match rest.split_once('.') {
            Some((_, "")) => return Err(InvalidCursor),
            Some((count, token)) => (count, Some(token.to_owned())),
            None => (rest, None),
        };
        let taken = count.parse().map_err(|_| InvalidCursor)?;
        Ok(Self::new(Place::Page(page), taken))
    }
}

/// A text that is no [`Cursor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCursor;

impl fmt::Display for InvalidCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a cursor of this crate")
    }
}

impl std::error::Error for InvalidCursor {}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Cursor::default(), "c1.0")]
    #[case(Cursor::new(Place::Page(None), 7), "c1.7")]
    #[case(Cursor::new(Place::Page(Some("a.b".to_owned())), 3), "c1.3.a.b")]
    #[case(Cursor::new(Place::Page(Some("end".to_owned())), 0), "c1.0.end")]
    #[case(Cursor::end(), "c1.end")]
    fn a_cursor_is_kept_as_a_text(#[case] cursor: Cursor, #[case] text: &str) {
        assert_eq!(cursor.to_string(), text);
        assert_eq!(text.parse::<Cursor>(), Ok(cursor.clone()));
        let json = serde_json::to_string(&cursor).unwrap();
        assert_eq!(serde_json::from_str::<Cursor>(&json).unwrap(), cursor);
    }

    #[rstest]
    #[case("")]
    #[case("c1.")]
    #[case("c1.x")]
    #[case("c1.-1")]
    #[case("c1.1.")]
    #[case("c2.1")]
    #[case("1.token")]
    #[case("c1.99999999999999999999999")]
    fn another_text_is_refused(#[case] text: &str) {
        assert_eq!(text.parse::<Cursor>(), Err(InvalidCursor));
    }

    #[test]
    fn debug_keeps_the_token_to_itself() {
        let cursor: Cursor = "c1.2.canary".parse().unwrap();
        assert_eq!(format!("{cursor:?}"), "Cursor { end: false, taken: 2, .. }");
    }

    proptest! {
        #[test]
        fn any_token_comes_back(token in ".+", taken in any::<usize>()) {
            let cursor = Cursor::new(Place::Page(Some(token)), taken);
            prop_assert_eq!(cursor.to_string().parse::<Cursor>(), Ok(cursor));
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = text.parse::<Cursor>();
        }
    }
}
