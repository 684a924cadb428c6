//! Regions, by the numbering plans that are known.

use std::fmt;
use std::str::FromStr;

use phonenumber::country;
use thiserror::Error;

/// The country whose national number formats are meant: an ISO 3166 code of two letters.
///
/// ```
/// use contact_sync::Region;
///
/// assert_eq!("gb".parse::<Region>(), Ok(Region::GB));
/// assert!("Atlantis".parse::<Region>().is_err());
/// ```
#[derive(Copy, Clone, PartialEq, Eq)]
pub struct Region(country::Id);

impl Region {
    /// The United States.
    pub const US: Self = Self(country::US);
    /// Canada.
    pub const CA: Self = Self(country::CA);
    /// The United Kingdom.
    pub const GB: Self = Self(country::GB);
    /// Germany.
    pub const DE: Self = Self(country::DE);
    /// Australia.
    pub const AU: Self = Self(country::AU);

    pub(super) fn id(self) -> country::Id {
        self.0
    }

    /// Returns the two letters.
    pub fn code(&self) -> &str {
        self.0.as_ref()
    }
}

/// Says that a text names no region whose numbering plan is known.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Error)]
#[error("not a region code of two letters, such as US")]
pub struct UnknownRegion;

impl FromStr for Region {
    type Err = UnknownRegion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.trim()
            .to_ascii_uppercase()
            .parse()
            .map(Self)
            .map_err(|_| UnknownRegion)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Region({})", self.code())
    }
}
