//! `Debug` that tells whether a field is there, never what is in it.
//!
//! Models hold names, numbers, addresses and texts of persons. They end up in log lines through
//! `{:?}` of some struct three levels up, so the mask sits in the model itself. Ids, times and
//! states are printed: they say which record it is without saying who.

use std::fmt;

use super::patch::Patch;

/// What `Debug` prints in place of a personal value.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Mask {
    /// There is no value.
    Absent,
    /// There is one.
    Present,
    /// The patch clears the field.
    Cleared,
    /// There are that many.
    Items(usize),
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("absent"),
            Self::Present => f.write_str("present"),
            Self::Cleared => f.write_str("cleared"),
            Self::Items(count) => write!(f, "[{count}]"),
        }
    }
}

/// A value that can say that it is there, for [`masked_debug!`](crate::masked_debug).
pub trait Maskable {
    /// Tells presence, and nothing else.
    fn mask(&self) -> Mask;
}

impl Maskable for String {
    fn mask(&self) -> Mask {
        if self.is_empty() {
            Mask::Absent
        } else {
            Mask::Present
        }
    }
}

impl<T> Maskable for Option<T> {
    fn mask(&self) -> Mask {
        if self.is_some() {
            Mask::Present
        } else {
            Mask::Absent
        }
    }
}

impl<T> Maskable for Vec<T> {
    fn mask(&self) -> Mask {
        Mask::Items(self.len())
    }
}

impl Maskable for serde_json::Map<String, serde_json::Value> {
    fn mask(&self) -> Mask {
        Mask::Items(self.len())
    }
}

impl Maskable for serde_json::Value {
    fn mask(&self) -> Mask {
        if self.is_null() {
            Mask::Absent
        } else {
            Mask::Present
        }
    }
}

impl<T> Maskable for Patch<T> {
    fn mask(&self) -> Mask {
        match self {
            Self::Set(_) => Mask::Present,
            Self::Clear => Mask::Cleared,
            Self::Keep => Mask::Absent,
        }
    }
}

/// Writes `Debug` for a struct: the first list is printed, of the second only the presence.
///
/// The struct is taken apart without `..`, so that a new field does not compile until somebody has
/// decided on which side it belongs. For models of persons, which end up in log lines through `{:?}` of some struct
/// three levels up.
///
/// ```
/// struct Person {
///     id: u32,
///     name: String,
///     emails: Vec<String>,
/// }
///
/// connector_http::masked_debug!(Person { shown: [id], masked: [name, emails] });
///
/// let jane = Person { id: 7, name: "Jane".to_owned(), emails: vec!["jane@example.com".to_owned()] };
/// assert_eq!(format!("{jane:?}"), "Person { id: 7, name: present, emails: [1] }");
/// ```
#[macro_export]
macro_rules! masked_debug {
    ($type:ident { shown: [$($shown:ident),* $(,)?], masked: [$($masked:ident),* $(,)?] $(,)? }) => {
        impl ::std::fmt::Debug for $type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                let Self { $($shown,)* $($masked,)* } = self;
                f.debug_struct(stringify!($type))
                    $(.field(stringify!($shown), $shown))*
                    $(.field(stringify!($masked), &$crate::Maskable::mask($masked)))*
                    .finish()
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Person {
        id: u8,
        name: String,
        mail: Option<String>,
        phones: Vec<String>,
        note: Patch<String>,
    }

    crate::masked_debug!(Person {
        shown: [id],
        masked: [name, mail, phones, note]
    });

    #[test]
    fn prints_ids_and_presence_only() {
        let person = Person {
            id: 7,
            name: "canary".to_owned(),
            mail: None,
            phones: vec!["canary".to_owned(), "canary".to_owned()],
            note: Patch::Clear,
        };
        assert_eq!(
            format!("{person:?}"),
            "Person { id: 7, name: present, mail: absent, phones: [2], note: cleared }"
        );
    }
}
