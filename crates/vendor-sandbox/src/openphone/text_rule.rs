//! Rules for strings, and what is said when they are broken.

use chrono::DateTime;

pub(super) const E164: &str = r"^\+[1-9]\d{1,14}$";

/// A rule for a string.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    min: usize,
    max: usize,
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Any,
    Prefix(&'static str),
    E164,
    /// The id of an own number, or a number.
    OwnNumber,
    NotBlank,
    Uri,
    DateTime,
}

impl Text {
    pub(super) const ANY: Self = Self {
        min: 0,
        max: usize::MAX,
        form: Form::Any,
    };
    pub(super) const USER_ID: Self = Self {
        form: Form::Prefix("US"),
        ..Self::ANY
    };
    pub(super) const PHONE_NUMBER_ID: Self = Self {
        form: Form::Prefix("PN"),
        ..Self::ANY
    };
    pub(super) const ACTIVITY_ID: Self = Self {
        form: Form::Prefix("AC"),
        ..Self::ANY
    };
    pub(super) const WEBHOOK_ID: Self = Self {
        form: Form::Prefix("WH"),
        ..Self::ANY
    };
    pub(super) const CONVERSATION_ID: Self = Self {
        form: Form::Prefix("CN"),
        ..Self::ANY
    };
    pub(super) const TASK_ID: Self = Self {
        form: Form::Prefix("TK"),
        ..Self::ANY
    };
    pub(super) const OWN_NUMBER: Self = Self {
        form: Form::OwnNumber,
        ..Self::ANY
    };
    pub(super) const DATE_TIME: Self = Self {
        form: Form::DateTime,
        ..Self::ANY
    };
    pub(super) const E164: Self = Self {
        form: Form::E164,
        ..Self::ANY
    };
    pub(super) const CONTENT: Self = Self {
        min: 1,
        max: 1600,
        form: Form::NotBlank,
    };
    pub(super) const URI: Self = Self {
        min: 1,
        max: 200,
        form: Form::Uri,
    };

    /// A URI of any length.
    pub(super) const ANY_URI: Self = Self {
        form: Form::Uri,
        ..Self::ANY
    };

    pub(super) const fn length(min: usize, max: usize) -> Self {
        Self {
            min,
            max,
            form: Form::Any,
        }
    }

    /// The pattern of the rule, where it has one.
    pub(super) fn pattern(self) -> Option<String> {
        match self.form {
            Form::Prefix(prefix) => Some(format!("^{prefix}(.*)$")),
            Form::E164 => Some(E164.to_owned()),
            Form::NotBlank => Some(r".*\S.*".to_owned()),
            Form::Any | Form::OwnNumber | Form::Uri | Form::DateTime => None,
        }
    }

    /// Says what is wrong with a string in the words of the dated API, whose validator is another.
    pub(super) fn dated_fault(self, text: &str) -> Option<String> {
        self.broken_by(text)?;
        let length = text.chars().count();
        Some(if length < self.min {
            format!("must NOT have fewer than {} characters", self.min)
        } else if length > self.max {
            format!("must NOT have more than {} characters", self.max)
        } else if let Some(pattern) = self.pattern() {
            format!("must match pattern \"{pattern}\"")
        } else {
            let format = if matches!(self.form, Form::DateTime) {
                "date-time"
            } else {
                "uri"
            };
            format!("must match format \"{format}\"")
        })
    }

    /// Says what is wrong with a string, if anything. Lengths count Unicode characters, as JSON
    /// Schema does; whether the vendor counts UTF-16 units instead is not known.
    pub(super) fn broken_by(self, text: &str) -> Option<String> {
        let length = text.chars().count();
        if length < self.min {
            return Some(format!(
                "Expected string length greater or equal to {}",
                self.min
            ));
        }
        if length > self.max {
            return Some(format!(
                "Expected string length less or equal to {}",
                self.max
            ));
        }
        match self.form {
            Form::Any => None,
            Form::Prefix(prefix) if text.starts_with(prefix) => None,
            Form::Prefix(prefix) => Some(format!("Expected string to match '^{prefix}(.*)$'")),
            Form::E164 if is_e164(text) => None,
            Form::E164 => Some(format!("Expected string to match '{E164}'")),
            Form::OwnNumber if text.starts_with("PN") || is_e164(text) => None,
            Form::OwnNumber => Some("Expected union value".to_owned()),
            Form::DateTime if DateTime::parse_from_rfc3339(text).is_ok() => None,
            Form::DateTime => Some("Expected string to match 'date-time' format".to_owned()),
            Form::NotBlank if text.chars().any(|char| !char.is_whitespace()) => None,
            Form::NotBlank => Some(r"Expected string to match '.*\S.*'".to_owned()),
            Form::Uri if url::Url::parse(text).is_ok() => None,
            Form::Uri => Some("Expected string to match 'uri' format".to_owned()),
        }
    }
}

pub(super) fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (2..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_e164_or_not() {
        for number in ["+12025550143", "+442079460000", "+12"] {
            assert!(is_e164(number), "{number}");
        }
        for number in [
            "",
            "+",
            "+1",
            "12025550143",
            "+02025550143",
            "+1202555014x",
            " +12025550143",
        ] {
            assert!(!is_e164(number), "{number}");
        }
        assert!(is_e164(&format!("+{}", "1".repeat(15))));
        assert!(!is_e164(&format!("+{}", "1".repeat(16))));
    }

    #[test]
    fn lengths_count_characters() {
        assert_eq!(Text::CONTENT.broken_by(&"ü".repeat(1600)), None);
        assert!(Text::CONTENT.broken_by(&"ü".repeat(1601)).is_some());
        assert!(Text::CONTENT.broken_by("").is_some());
        assert!(Text::CONTENT.broken_by(" \n\t").is_some());
    }
}
