//! A small checker for what the vendor's OpenAPI file uses of JSON Schema. A keyword, pattern or
//! format that it does not know is a problem too, so that nothing goes unchecked in silence.

use serde_json::Value;

pub(crate) struct Spec(Value);

impl Spec {
    pub(crate) fn new(spec: Value) -> Self {
        Self(spec)
    }

    fn operation(&self, id: &str) -> &Value {
        let paths = self.0["paths"].as_object().unwrap().values();
        let mut operations = paths.flat_map(|path| path.as_object().unwrap().values());
        operations
            .find(|operation| operation["operationId"] == id)
            .unwrap_or_else(|| panic!("{id} is not in the specification"))
    }

    /// Every operation with its method and path.
    pub(crate) fn operations(&self) -> Vec<(String, String, String)> {
        let paths = self.0["paths"].as_object().unwrap();
        let mut found = Vec::new();
        for (path, methods) in paths {
            for (method, operation) in methods.as_object().unwrap() {
                if let Some(id) = operation["operationId"].as_str() {
                    found.push((id.to_owned(), method.to_uppercase(), path.clone()));
                }
            }
        }
        found
    }

    /// The schema of a query parameter.
    pub(crate) fn query(&self, operation: &str, name: &str) -> &Value {
        let parameters = self.operation(operation)["parameters"].as_array().unwrap();
        let found = parameters
            .iter()
            .find(|parameter| parameter["name"] == name);
        &found.unwrap_or_else(|| panic!("{operation} has no {name}"))["schema"]
    }

    /// The schema of a request's body.
    pub(crate) fn body(&self, operation: &str) -> &Value {
        &self.operation(operation)["requestBody"]["content"]["application/json"]["schema"]
    }

    /// What is wrong with an answer; nothing if it keeps the specification.
    pub(crate) fn check(&self, operation: &str, status: u16, body: &[u8]) -> Vec<String> {
        let response = &self.operation(operation)["responses"][status.to_string()];
        if response.is_null() {
            return vec![format!("{operation} has no {status}")];
        }
        let Some(schema) = response.pointer("/content/application~1json/schema") else {
            return if body.is_empty() {
                Vec::new()
            } else {
                vec!["a body too many".to_owned()]
            };
        };
        let body: Value = serde_json::from_slice(body).unwrap();
        let mut problems = Vec::new();
        self.value(schema, &body, "", &mut problems);
        problems
    }

    fn value(&self, schema: &Value, value: &Value, path: &str, problems: &mut Vec<String>) {
        if value.is_null() && schema["nullable"] == true {
            return;
        }
        for (keyword, rule) in schema.as_object().unwrap() {
            // What a reconstructed specification says of itself constrains nothing.
            if keyword.starts_with("x-") || keyword == "nullable" {
                continue;
            }
            if keyword == "additionalProperties" {
                if *rule == true {
                    continue;
                }
                if rule.is_object() {
                    for (name, value) in value.as_object().into_iter().flatten() {
                        self.value(rule, value, &format!("{path}/{name}"), problems);
                    }
                    continue;
                }
                assert_eq!(*rule, false, "only this is known here");
                let known = &schema["properties"];
                for name in value
                    .as_object()
                    .into_iter()
                    .flat_map(|object| object.keys())
                {
                    if known[name].is_null() {
                        problems.push(format!("{path}/{name} is not known"));
                    }
                }
                continue;
            }
            self.keyword(keyword, rule, value, path, problems);
        }
    }

    fn keyword(
        &self,
        keyword: &str,
        rule: &Value,
        value: &Value,
        path: &str,
        problems: &mut Vec<String>,
    ) {
        let text = value.as_str();
        let items = value.as_array().map(|items| items.len() as u64);
        let fits = match keyword {
            "description" | "examples" | "example" | "default" | "deprecated" => true,
            "$ref" => {
                let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
                return self.value(self.0.pointer(pointer).unwrap(), value, path, problems);
            }
            "allOf" => {
                for schema in rule.as_array().unwrap() {
                    self.value(schema, value, path, problems);
                }
                return;
            }
            "properties" => {
                for (name, schema) in rule.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        self.value(schema, value, &format!("{path}/{name}"), problems);
                    }
                }
                return;
            }
            "items" => {
                for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                    self.value(rule, value, &format!("{path}/{index}"), problems);
                }
                return;
            }
            "anyOf" => rule.as_array().unwrap().iter().any(|schema| {
                let mut problems = Vec::new();
                self.value(schema, value, path, &mut problems);
                problems.is_empty()
            }),
            "type" => is_a(value, rule.as_str().unwrap()),
            "const" => value == rule,
            "enum" => rule.as_array().unwrap().contains(value),
            "required" => {
                let mut names = rule
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|name| name.as_str().unwrap());
                !value.is_object() || names.all(|name| value.get(name).is_some())
            }
            "minProperties" => value
                .as_object()
                .is_none_or(|object| object.len() as u64 >= rule.as_u64().unwrap()),
            "minItems" => items.is_none_or(|items| items >= rule.as_u64().unwrap()),
            "maxItems" => items.is_none_or(|items| items <= rule.as_u64().unwrap()),
            "minLength" => text.is_none_or(|text| length(text) >= rule.as_u64().unwrap()),
            "maxLength" => text.is_none_or(|text| length(text) <= rule.as_u64().unwrap()),
            "pattern" | "format" => {
                text.is_none_or(|text| matches(keyword, rule.as_str().unwrap(), text))
            }
            // A keyword that is not known here counts as broken.
            _ => false,
        };
        if !fits {
            problems.push(format!("{path}: {value} breaks {keyword} {rule}"));
        }
    }
}

fn length(text: &str) -> u64 {
    text.chars().count().try_into().unwrap()
}

fn is_a(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        _ => false,
    }
}

/// Says whether a text keeps a pattern or a format; one that is not known here it breaks.
fn matches(keyword: &str, rule: &str, text: &str) -> bool {
    match (keyword, rule) {
        ("pattern", "^(.*)$") => true,
        ("pattern", r"^\+[1-9]\d{1,14}$") => text
            .strip_prefix('+')
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit())),
        ("pattern", "^[0-9]+$") => {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
        }
        ("pattern", rule) => rule
            .strip_prefix('^')
            .and_then(|rule| rule.strip_suffix("(.*)$"))
            .filter(|prefix| prefix.bytes().all(|byte| byte.is_ascii_uppercase()))
            .is_some_and(|prefix| text.starts_with(prefix)),
        ("format", "date-time") => chrono::DateTime::parse_from_rfc3339(text).is_ok(),
        ("format", "email") => text
            .split_once('@')
            .is_some_and(|(name, _)| !name.is_empty()),
        ("format", "uuid") => text.len() == 36 && text.split('-').count() == 5,
        ("format", "uri" | "uri-reference") => url::Url::parse(text).is_ok(),
        _ => false,
    }
}
