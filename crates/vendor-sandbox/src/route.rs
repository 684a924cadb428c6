//! Finds the operation that a path belongs to by the templates of the operations.

use http::Method;
use percent_encoding::percent_decode_str;

use crate::exchange::Routed;
use crate::operation::Operation;

/// Finds the operation whose method and template fit. Where a word and a parameter both fit a
/// segment, the word wins. A method that a path does not have is an unknown route.
pub(crate) fn route<'a>(
    operations: impl Iterator<Item = &'a Operation>,
    method: &Method,
    path: &str,
) -> Routed {
    operations
        .filter(|operation| operation.method() == method.as_str())
        .filter_map(|operation| Some((parameters(operation.template(), path)?, *operation)))
        .min_by_key(|(parameters, _)| parameters.len())
        .map_or(Routed::Nowhere, |(parameters, operation)| {
            routed_to(operation, &parameters)
        })
}

/// Returns the segments that stand for parameters, if the path has the template's form.
fn parameters<'a>(template: &str, path: &'a str) -> Option<Vec<&'a str>> {
    let mut segments = path.split('/');
    let mut parameters = Vec::new();
    for part in template.split('/') {
        let segment = segments.next()?;
        if part.starts_with('{') {
            if segment.is_empty() {
                return None;
            }
            parameters.push(segment);
        } else if part != segment {
            return None;
        }
    }
    segments.next().is_none().then_some(parameters)
}

fn routed_to(operation: Operation, parameters: &[&str]) -> Routed {
    let decoded: Result<Vec<String>, _> = parameters
        .iter()
        .map(|text| {
            percent_decode_str(text)
                .decode_utf8()
                .map(std::borrow::Cow::into_owned)
        })
        .collect();
    match decoded {
        Ok(ids) => Routed::To { operation, ids },
        Err(_) => Routed::BadId(operation),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Operation = Operation::new("one", "GET", "/things/{id}");
    const WORD: Operation = Operation::new("word", "GET", "/things/all");
    const INNER: Operation = Operation::new("inner", "GET", "/things/{id}/parts/{part}");

    fn routed(path: &str) -> Option<(Operation, Vec<String>)> {
        match route([ONE, WORD, INNER].iter(), &Method::GET, path) {
            Routed::To { operation, ids } => Some((operation, ids)),
            _ => None,
        }
    }

    #[test]
    fn words_win_over_parameters_and_parameters_are_decoded() {
        assert_eq!(routed("/things/all"), Some((WORD, vec![])));
        assert_eq!(routed("/things/a%2Fb"), Some((ONE, vec!["a/b".into()])));
        assert_eq!(
            routed("/things/a/parts/b"),
            Some((INNER, vec!["a".into(), "b".into()]))
        );
        for path in [
            "/things/",
            "/things",
            "/things/a/parts",
            "//things/a",
            "/things/%ff",
            "",
        ] {
            assert_eq!(routed(path), None, "{path}");
        }
    }
}
