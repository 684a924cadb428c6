//! The operations of an OpenAPI file.

use std::path::Path;

use connector_http::Endpoint;
use serde_json::Value;

/// What a vendor describes.
pub(crate) struct Specification {
    operations: Vec<Operation>,
}

/// One described operation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// The vendor's name of it.
    pub(crate) id: String,
    /// The method, in capitals.
    pub(crate) method: String,
    /// The path template.
    pub(crate) template: String,
}

impl Specification {
    /// Reads an OpenAPI file in JSON.
    pub(crate) fn read(file: &Path) -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let text = std::fs::read(file).map_err(|error| failed(&error))?;
        let document = serde_json::from_slice(&text).map_err(|error| failed(&error))?;
        let specification = Self::new(&document);
        if specification.operations.is_empty() {
            return Err(failed(&"describes no operation"));
        }
        Ok(specification)
    }

    pub(crate) fn new(document: &Value) -> Self {
        let paths = document["paths"].as_object().into_iter().flatten();
        let operations = paths.flat_map(|(template, methods)| {
            let methods = methods.as_object().into_iter().flatten();
            methods.filter_map(move |(method, operation)| {
                Some(Operation {
                    id: operation["operationId"].as_str()?.to_owned(),
                    method: method.to_uppercase(),
                    template: template.clone(),
                })
            })
        });
        Self {
            operations: operations.collect(),
        }
    }

    /// Every operation, in the order of the file.
    pub(crate) fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operation that a path belongs to. Where two templates fit, the one with fewer parameters is meant.
    pub(crate) fn of(&self, method: &str, path: &str) -> Option<&Operation> {
        let fitting = self
            .operations
            .iter()
            .filter(|it| it.method == method && fits(&it.template, path));
        fitting.min_by_key(|it| it.template.matches('{').count())
    }
}

impl Operation {
    /// Whether this is what a client calls there.
    pub(crate) fn is(&self, endpoint: &Endpoint) -> bool {
        self.method == endpoint.method.as_str() && self.template == endpoint.path
    }
}

fn fits(template: &str, path: &str) -> bool {
    let (mut expected, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (expected.next(), given.next()) {
            (None, None) => return true,
            (Some(expected), Some(given))
                if expected == given || (expected.starts_with('{') && !given.is_empty()) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_to_operations() {
        let specification = Specification::new(&json!({ "paths": {
            "/v1/things/{id}": { "get": { "operationId": "getThing" }, "parameters": [] },
            "/v1/things/all": { "get": { "operationId": "allThings" } },
            "/v1/things": { "post": { "operationId": "createThing" } },
        }}));
        let id = |method, path| specification.of(method, path).map(|it| it.id.as_str());
        assert_eq!(specification.operations().len(), 3);
        assert_eq!(id("GET", "/v1/things/T1"), Some("getThing"));
        assert_eq!(id("GET", "/v1/things/all"), Some("allThings"));
        assert_eq!(id("POST", "/v1/things"), Some("createThing"));
        assert_eq!(id("GET", "/v1/things"), None);
        assert_eq!(id("GET", "/v1/things/"), None);
        assert_eq!(id("GET", "/v1/things/T1/x"), None);
    }
}
