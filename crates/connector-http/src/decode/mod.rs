//! Bytes to values, and what may be said when that fails.

mod path;

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::error::Category;

/// Where and how an answer's JSON differs from what was expected.
///
/// serde's own error is not kept: its text prints values.
#[derive(Debug)]
pub(crate) struct DecodeFault {
    category: Category,
    line: usize,
    column: usize,
    path: String,
}

impl fmt::Display for DecodeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.category {
            Category::Syntax | Category::Io => "not valid json",
            Category::Eof => "the json ends too early",
            Category::Data => "the json has another shape than expected",
        })?;
        if !self.path.is_empty() {
            write!(f, " at {}", self.path)?;
        }
        write!(f, ", line {} column {}", self.line, self.column)
    }
}

impl std::error::Error for DecodeFault {}

/// Reads JSON. Only a failure pays for finding out where.
pub(crate) fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, DecodeFault> {
    serde_json::from_slice(body).map_err(|error| fault(body, &error))
}

#[cold]
fn fault(body: &[u8], error: &serde_json::Error) -> DecodeFault {
    let category = error.classify();
    let offset = match category {
        Category::Eof => body.len(),
        _ => path::offset(body, error.line(), error.column()),
    };
    DecodeFault {
        category,
        line: error.line(),
        column: error.column(),
        path: path::at(body, offset),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Data {
        #[serde(rename = "data")]
        _data: Vec<Contact>,
    }

    #[derive(Debug, Deserialize)]
    struct Contact {
        #[serde(rename = "id")]
        _id: u32,
        #[serde(rename = "fields", default)]
        _fields: HashMap<String, bool>,
    }

    fn told(body: &str) -> String {
        json::<Data>(body.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_fault_says_where_and_not_what() {
        insta::assert_snapshot!(told(r#"{"data":[{"id":1},{"id":"canary"}]}"#), @"the json has another shape than expected at data.1.id, line 1 column 32");
        insta::assert_snapshot!(told(r#"{"data":[{"id":1}"#), @"the json ends too early at data, line 1 column 17");
        insta::assert_snapshot!(told("<html>canary</html>"), @"not valid json, line 1 column 1");
        insta::assert_snapshot!(told(""), @"the json ends too early, line 1 column 0");
        insta::assert_snapshot!(told(r#"{"data":[]} canary"#), @"not valid json, line 1 column 13");
        insta::assert_snapshot!(told(r#"{"data":[{"id":1,"fields":{"canary@example.com":1}}]}"#), @"the json has another shape than expected at data.0.fields.*, line 1 column 49");
    }
}
