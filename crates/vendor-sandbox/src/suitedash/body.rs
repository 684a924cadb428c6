//! Reads the bodies of requests, attribute by attribute, and gathers what is wrong with them.

use serde_json::{Map, Value};

use crate::exchange::Call;
use crate::suitedash::refusal::Refused;
use crate::suitedash::rules::Rules;

/// What a body says of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Change<T> {
    Keep,
    Clear,
    Set(T),
}

impl<T> Change<T> {
    pub(super) fn apply(self, to: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Clear => *to = None,
            Self::Set(value) => *to = Some(value),
        }
    }

    pub(super) fn set(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Body {
    attributes: Map<String, Value>,
    /// What stands before the names of attributes in problems.
    prefix: String,
    problems: Vec<(String, String)>,
}

impl Body {
    /// Reads a body; one that is not declared as JSON counts as empty.
    pub(super) fn read(call: &Call<'_>) -> Result<Self, Refused> {
        let body = call
            .json()
            .map_err(|_| Refused::bad_request("The body is not JSON"))?;
        Self::of(body.unwrap_or(Value::Object(Map::new())))
    }

    pub(super) fn of(body: Value) -> Result<Self, Refused> {
        match body {
            Value::Object(attributes) => Ok(Self {
                attributes,
                ..Self::default()
            }),
            _ => Err(Refused::bad_request("The body is not an object")),
        }
    }

    /// Says whether the body names an attribute, be it null.
    pub(super) fn has(&self, name: &str) -> bool {
        self.attributes.contains_key(name)
    }

    /// Takes a value as it is.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.attributes.remove(name)
    }

    pub(super) fn problem(&mut self, name: &str, text: &str) {
        let path = format!("{}{name}", self.prefix);
        self.problems.push((path, text.to_owned()));
    }

    pub(super) fn text(&mut self, name: &str) -> Change<String> {
        self.typed(name, "must be a string", |value| match value {
            Value::String(text) => Some(text),
            _ => None,
        })
    }

    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        self.typed(name, "must be a boolean", |value| value.as_bool())
            .set()
    }

    /// Takes a list of texts, each of them once.
    pub(super) fn texts(&mut self, name: &str) -> Change<Vec<String>> {
        self.typed(name, "must be an array of strings", |value| {
            let mut texts: Vec<String> = Vec::new();
            for item in value.as_array()? {
                let text = item.as_str()?;
                if !texts.iter().any(|known| known == text) {
                    texts.push(text.to_owned());
                }
            }
            Some(texts)
        })
    }

    /// Takes an object, whose problems go back through [`absorb`](Self::absorb).
    pub(super) fn object(&mut self, name: &str) -> Change<Self> {
        let prefix = format!("{}{name}.", self.prefix);
        self.typed(name, "must be an object", |value| match value {
            Value::Object(attributes) => Some(Self {
                attributes,
                prefix,
                problems: Vec::new(),
            }),
            // What other languages write for an empty object.
            Value::Array(items) if items.is_empty() => Some(Self {
                prefix,
                ..Self::default()
            }),
            _ => None,
        })
    }

    /// Takes what is wrong with a part over.
    pub(super) fn absorb(&mut self, part: Self) {
        self.problems.extend(part.problems);
    }

    /// Takes everything that is left.
    pub(super) fn rest(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.attributes)
    }

    /// Takes a text that must be there and not be blank.
    pub(super) fn needed(&mut self, name: &str) -> String {
        match self.text(name) {
            Change::Set(text) if !text.trim().is_empty() => text,
            Change::Set(_) | Change::Clear | Change::Keep => {
                self.problem(name, "is required");
                String::new()
            }
        }
    }

    /// Refuses if anything was wrong; what was not read is unknown here.
    pub(super) fn finish(mut self, rules: &Rules) -> Result<(), Refused> {
        if rules.options.refuse_unknown_attributes {
            for name in self.rest().keys() {
                self.problem(name, "is not an attribute");
            }
        }
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(Refused::invalid(self.problems))
        }
    }

    fn typed<T>(
        &mut self,
        name: &str,
        problem: &str,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> Change<T> {
        match self.take(name) {
            None => Change::Keep,
            Some(Value::Null) => Change::Clear,
            Some(value) => {
                if let Some(value) = read(value) {
                    return Change::Set(value);
                }
                self.problem(name, problem);
                Change::Keep
            }
        }
    }
}

/// Says whether a text can be an e-mail address, no stricter than any vendor would be.
pub(super) fn is_email(text: &str) -> bool {
    let Some((name, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let plain = |part: &str| {
        !part.is_empty()
            && !part
                .chars()
                .any(|letter| letter.is_whitespace() || letter.is_control() || letter == '@')
    };
    plain(name)
        && plain(domain)
        && domain.contains('.')
        && domain.split('.').all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn attributes_are_kept_cleared_set_or_wrong() {
        let mut body =
            Body::of(json!({ "a": "x", "b": null, "c": 1, "tags": ["x", "y", "x"] })).unwrap();
        assert_eq!(body.text("a"), Change::Set("x".to_owned()));
        assert_eq!(body.text("a"), Change::Keep, "it was taken");
        assert_eq!(body.text("b"), Change::Clear);
        assert_eq!(body.text("c"), Change::Keep);
        assert_eq!(body.texts("tags").set().unwrap(), ["x", "y"]);
        assert_eq!(
            body.problems,
            [("c".to_owned(), "must be a string".to_owned())]
        );
        assert!(Body::of(json!([])).is_err());
    }

    #[test]
    fn problems_of_a_part_are_named_by_their_path() {
        let mut body = Body::of(json!({ "company": { "name": 1 }, "address": [] })).unwrap();
        let mut company = body.object("company").set().unwrap();
        assert_eq!(company.needed("name"), "");
        body.absorb(company);
        assert!(body.object("address").set().is_some());
        let names: Vec<_> = body
            .problems
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, ["company.name", "company.name"]);
    }

    #[test]
    fn what_cannot_be_an_address_is_told_from_what_can() {
        for good in [
            "a@example.com",
            "o'neil+x@mail.example.com",
            "ä@exämple.com",
        ] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "", "a", "a@", "@b.c", "a@b", "a b@c.d", "a@b..c", "a@@b.c", "a@b.c\n", "a@.c",
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }
}
