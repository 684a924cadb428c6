//! What the environment says about the mode and the directory of exports.

use std::env::VarError;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error::ExportError;

const MODE: &str = "SUITEDASH_MODE";
const PATH: &str = "SUITEDASH_EXPORT_PATH";

/// How contacts reach SuiteDash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "integration", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Mode {
    /// Through the Secure API, one call and more per contact.
    #[default]
    Api,
    /// Through a file that a person imports.
    Import,
}

impl Mode {
    /// Reads `SUITEDASH_MODE`, `api` or `import`; [`Mode::Api`] if it is not set.
    ///
    /// # Errors
    ///
    /// [`ExportError::Setting`] if it holds anything else; the message names both values.
    #[expect(clippy::disallowed_methods, reason = "a `from_env` constructor")]
    pub fn from_env() -> Result<Self, ExportError> {
        mode(std::env::var(MODE))
    }

    /// Returns the word for it: `api` or `import`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Import => "import",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = ExportError;

    /// Reads `api` or `import`, in any case, with blanks around it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().to_ascii_lowercase().as_str() {
            "api" => Ok(Self::Api),
            "import" => Ok(Self::Import),
            _ => Err(setting(MODE, "must be api or import")),
        }
    }
}

/// Reads the directory for exports from `SUITEDASH_EXPORT_PATH`.
///
/// # Errors
///
/// [`ExportError::Setting`] if it is not set or empty.
#[expect(clippy::disallowed_methods, reason = "a `from_env` constructor")]
pub fn directory_from_env() -> Result<PathBuf, ExportError> {
    directory(std::env::var(PATH))
}

fn mode(value: Result<String, VarError>) -> Result<Mode, ExportError> {
    match value {
        Ok(text) => text.parse(),
        Err(VarError::NotPresent) => Ok(Mode::default()),
        Err(VarError::NotUnicode(_)) => Err(setting(MODE, "must be api or import")),
    }
}

fn directory(value: Result<String, VarError>) -> Result<PathBuf, ExportError> {
    match value {
        Ok(path) if path.trim().is_empty() => Err(setting(PATH, "is empty")),
        Ok(path) => Ok(path.into()),
        Err(VarError::NotPresent) => Err(setting(PATH, "is not set")),
        // A path need not be text.
        Err(VarError::NotUnicode(path)) => Ok(path.into()),
    }
}

fn setting(variable: &'static str, reason: &'static str) -> ExportError {
    ExportError::Setting { variable, reason }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Ok("api"), Ok(Mode::Api))]
    #[case(Ok(" Import\n"), Ok(Mode::Import))]
    #[case(Err(VarError::NotPresent), Ok(Mode::Api))]
    #[case(Ok(""), Err("SUITEDASH_MODE: must be api or import"))]
    #[case(Ok("csv"), Err("SUITEDASH_MODE: must be api or import"))]
    #[case(Err(VarError::NotUnicode("x".into())), Err("SUITEDASH_MODE: must be api or import"))]
    fn reads_the_mode(#[case] value: Result<&str, VarError>, #[case] expected: Result<Mode, &str>) {
        let read = mode(value.map(str::to_owned)).map_err(|error| error.to_string());
        assert_eq!(read, expected.map_err(str::to_owned));
        if let Ok(mode) = read {
            assert_eq!(mode.to_string().parse::<Mode>().unwrap(), mode);
        }
    }

    #[rstest]
    #[case(Ok("/var/exports"), Ok("/var/exports"))]
    #[case(Ok(" "), Err("SUITEDASH_EXPORT_PATH: is empty"))]
    #[case(Err(VarError::NotPresent), Err("SUITEDASH_EXPORT_PATH: is not set"))]
    fn reads_the_directory(
        #[case] value: Result<&str, VarError>,
        #[case] expected: Result<&str, &str>,
    ) {
        let read = directory(value.map(str::to_owned)).map_err(|error| error.to_string());
        assert_eq!(read, expected.map(PathBuf::from).map_err(str::to_owned));
    }
}
