//! Which templates are taken, and what becomes of them.

use std::fmt;

use chrono::{DateTime, SubsecRound, Utc};
use serde::Serialize;
use serde_json::Value;
use url::{Host, Url};

use super::check::InvalidSchema;
use super::validate::write_some;
use super::{ConfigSchema, IntegrationTemplate, NewTemplate};
use crate::ids::{Actor, TemplateId};

/// One thing that is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TemplateProblem {
    /// Which field, as a JSON pointer: `/display_name`, or a place within `/config_schema`.
    pub pointer: String,
    /// What is wrong, as a sentence without its subject: `must not be empty`.
    pub message: String,
}

impl fmt::Display for TemplateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.pointer, self.message)
    }
}

/// Everything that is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct InvalidTemplate(Vec<TemplateProblem>);

impl InvalidTemplate {
    /// Returns what is wrong.
    pub fn problems(&self) -> &[TemplateProblem] {
        &self.0
    }
}

impl fmt::Display for InvalidTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the template cannot be used: ")?;
        write_some(f, &self.0)
    }
}

impl std::error::Error for InvalidTemplate {}

impl NewTemplate {
    /// Checks it and makes a template of it. One without a schema gets that of a config without fields.
    ///
    /// # Errors
    ///
    /// [`InvalidTemplate`] with everything that is wrong with it. A name is `[a-z0-9_]{1,64}`; the display name and
    /// the category are not empty; texts have a limit each; a webhook URL is `https`, or leads to this machine; a
    /// schema is one that [`ConfigSchema`] takes.
    pub fn into_template(
        self,
        id: TemplateId,
        now: DateTime<Utc>,
        created_by: Option<Actor>,
    ) -> Result<IntegrationTemplate, InvalidTemplate> {
        let mut template = IntegrationTemplate::new(id, self, stored_time(now));
        template.created_by = created_by;
        accept(template)
    }
}

/// Cuts a time to microseconds, which is what databases keep: a template read back equals the one written.
pub(super) fn stored_time(time: DateTime<Utc>) -> DateTime<Utc> {
    time.trunc_subsecs(6)
}

/// Checks a template. Returns it with its schemas as they are in force.
pub(super) fn accept(
    mut template: IntegrationTemplate,
) -> Result<IntegrationTemplate, InvalidTemplate> {
    let mut problems = Vec::new();
    check_name(&template.name, &mut problems);
    for (field, text, rule) in [
        (
            "/display_name",
            Some(&template.display_name),
            Rule::line(100).filled(),
        ),
        (
            "/description",
            Some(&template.description),
            Rule::text(2_000),
        ),
        (
            "/category",
            Some(&template.category),
            Rule::line(64).filled(),
        ),
        ("/icon", template.icon.as_ref(), Rule::line(2_048).filled()),
        (
            "/setup_instructions",
            Some(&template.setup_instructions),
            Rule::text(64 * 1024),
        ),
        (
            "/webhook_url",
            template.webhook_url.as_ref(),
            Rule::line(2_048).filled(),
        ),
        (
            "/api_version",
            template.api_version.as_ref(),
            Rule::line(64).filled(),
        ),
    ] {
        if let Some(message) = text.and_then(|text| rule.broken_by(text)) {
            add(&mut problems, field, message);
        }
    }
    if template
        .webhook_url
        .as_deref()
        .is_some_and(|url| !is_safe_url(url))
    {
        let message =
            "must be a web address with https, or one of this machine, without a password";
        add(&mut problems, "/webhook_url", message);
    }
    for (field, schema, parsed) in [
        (
            "/config_schema",
            &mut template.config_schema,
            ConfigSchema::parse as fn(&Value) -> Result<ConfigSchema, InvalidSchema>,
        ),
        (
            "/settings_schema",
            &mut template.settings_schema,
            ConfigSchema::parse_settings,
        ),
    ] {
        match parsed(schema) {
            Ok(parsed) => *schema = parsed.as_value().clone(),
            Err(refused) => {
                for problem in refused.problems() {
                    let pointer = format!("{field}{}", problem.pointer);
                    add(&mut problems, &pointer, &problem.message);
                }
            }
        }
    }
    if problems.is_empty() {
        Ok(template)
    } else {
        Err(InvalidTemplate(problems))
    }
}

/// Makes the error of one problem.
pub(super) fn refuse(problems: Vec<(String, &str)>) -> InvalidTemplate {
    let problem = |(pointer, message): (String, &str)| TemplateProblem {
        pointer,
        message: message.to_owned(),
    };
    InvalidTemplate(problems.into_iter().map(problem).collect())
}

fn add(problems: &mut Vec<TemplateProblem>, pointer: &str, message: impl Into<String>) {
    problems.push(TemplateProblem {
        pointer: pointer.to_owned(),
        message: message.into(),
    });
}

fn check_name(name: &str, problems: &mut Vec<TemplateProblem>) {
    let plain = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !plain {
        let message = "must be 1 to 64 of the letters a to z, digits and _";
        add(problems, "/name", message);
    }
}

/// What a text may be.
struct Rule {
    max_chars: usize,
    one_line: bool,
    filled: bool,
}

impl Rule {
    fn line(max_chars: usize) -> Self {
        Self {
            max_chars,
            one_line: true,
            filled: false,
        }
    }

    fn text(max_chars: usize) -> Self {
        Self {
            one_line: false,
            ..Self::line(max_chars)
        }
    }

    fn filled(self) -> Self {
        Self {
            filled: true,
            ..self
        }
    }

    fn broken_by(&self, text: &str) -> Option<String> {
        let breaks_a_line = |c: char| !self.one_line && matches!(c, '\n' | '\r' | '\t');
        if self.filled && text.trim().is_empty() {
            Some("must not be empty".to_owned())
        } else if text.chars().nth(self.max_chars).is_some() {
            Some(format!(
                "must be at most {} characters long",
                self.max_chars
            ))
        } else if text.chars().any(|c| c.is_control() && !breaks_a_line(c)) {
            Some("must not contain control characters".to_owned())
        } else {
            None
        }
    }
}

fn is_safe_url(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && local);
    scheme && url.username().is_empty() && url.password().is_none()
}
