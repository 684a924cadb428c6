//! What a run came to: what was touched, what was broken, and whether that may be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use connector_http::Endpoint;

use crate::explained::Explained;
use crate::specification::Specification;
use crate::surface::Walk;
use crate::violation::Violation;

/// The result of one surface; it prints as the lines of the report.
pub(crate) struct Report {
    described: usize,
    covered: usize,
    exchanges: usize,
    /// Described, and not in the client.
    absent: Vec<String>,
    /// In the client, and never answered with a status that its endpoint names as success.
    untouched: Vec<String>,
    /// In the client, and not described.
    undescribed: Vec<String>,
    failures: Vec<String>,
    violations: usize,
    /// Those that no entry explains, with how often they were seen.
    unexplained: Vec<(Breach, usize)>,
    /// The entries that explain nothing.
    stale: Vec<String>,
}

/// An operation and what it broke.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Breach {
    operation: String,
    violation: Violation,
}

impl Report {
    pub(crate) fn new(
        specification: &Specification,
        endpoints: &[&Endpoint],
        walk: &Walk,
        explained: &Explained,
    ) -> Self {
        let mut answered = BTreeSet::new();
        let mut breaches: BTreeMap<Breach, usize> = BTreeMap::new();
        for exchange in &walk.exchanges {
            let operation = specification.of(&exchange.method, &exchange.path);
            let name = operation.map_or_else(
                || format!("{} (not described)", exchange.method),
                |operation| operation.id.clone(),
            );
            for violation in &exchange.violations {
                let breach = Breach {
                    operation: name.clone(),
                    violation: violation.clone(),
                };
                // Which item of a list it was stands in the words, and does not make it another breach.
                match breaches
                    .keys()
                    .find(|known| known.is_like(&breach))
                    .cloned()
                {
                    Some(known) => *breaches.entry(known).or_default() += 1,
                    None => drop(breaches.insert(breach, 1)),
                }
            }
            answered.insert((name, exchange.status));
        }

        let operations = specification.operations();
        let (mut covered, mut absent, mut untouched) = (0, Vec::new(), Vec::new());
        for operation in operations {
            let succeeded = |endpoint: &&Endpoint| {
                let mut statuses = endpoint.success.iter();
                statuses.any(|status| answered.contains(&(operation.id.clone(), *status)))
            };
            match endpoints.iter().find(|it| operation.is(it)) {
                None => absent.push(operation.id.clone()),
                Some(endpoint) if succeeded(endpoint) => covered += 1,
                Some(_) => untouched.push(operation.id.clone()),
            }
        }
        let undescribed = endpoints
            .iter()
            .filter(|endpoint| !operations.iter().any(|it| it.is(endpoint)))
            .map(|endpoint| endpoint.name.to_owned())
            .collect();

        let entries = explained.entries();
        let stale = entries.iter().filter(|entry| {
            !breaches
                .keys()
                .any(|breach| breach.is(&entry.operation, &entry.place, &entry.rule))
        });
        let violations = breaches.len();
        let stale = stale
            .map(|entry| format!("{} {} {}", entry.operation, entry.place, entry.rule))
            .collect();
        breaches.retain(|breach, _| {
            !entries
                .iter()
                .any(|entry| breach.is(&entry.operation, &entry.place, &entry.rule))
        });
        Self {
            described: operations.len(),
            covered,
            exchanges: walk.exchanges.len(),
            absent,
            untouched,
            undescribed,
            failures: walk.failures.clone(),
            violations,
            unexplained: breaches.into_iter().collect(),
            stale,
        }
    }

    /// Whether the client and the sandbox keep the specification as far as it is right, and all of it was tried.
    pub(crate) fn is_clean(&self) -> bool {
        self.untouched.is_empty()
            && self.undescribed.is_empty()
            && self.failures.is_empty()
            && self.unexplained.is_empty()
            && self.stale.is_empty()
    }
}

impl Breach {
    fn is(&self, operation: &str, place: &str, rule: &str) -> bool {
        self.operation == operation && self.violation.place == place && self.violation.rule == rule
    }

    fn is_like(&self, other: &Self) -> bool {
        self.is(
            &other.operation,
            &other.violation.place,
            &other.violation.rule,
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "operations_covered={}/{}", self.covered, self.described)?;
        writeln!(f, "exchanges={}", self.exchanges)?;
        writeln!(
            f,
            "violations={} explained={} unexplained={} stale={}",
            self.violations,
            self.violations - self.unexplained.len(),
            self.unexplained.len(),
            self.stale.len(),
        )?;
        for (what, names) in [
            ("not in the client", &self.absent),
            ("untouched", &self.untouched),
            ("not described", &self.undescribed),
            ("explained, and gone", &self.stale),
            ("failed", &self.failures),
        ] {
            for name in names {
                writeln!(f, "{what}: {name}")?;
            }
        }
        for (
            Breach {
                operation,
                violation,
            },
            times,
        ) in &self.unexplained
        {
            let Violation { place, rule, says } = violation;
            writeln!(
                f,
                "unexplained ({times}x): {operation} {place} {rule}: {says}"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use connector_http::Method;
    use rstest::rstest;

    use super::*;
    use crate::judge::Exchange;

    const GET: Endpoint =
        Endpoint::new("things.get", Method::Get, "/v1/things/{id}").success(&[200]);
    const OTHER: Endpoint = Endpoint::new("others.get", Method::Get, "/v1/others");

    fn specification() -> Specification {
        let document = serde_json::json!({ "paths": {
            "/v1/things/{id}": { "get": { "operationId": "getThing" } },
            "/v1/more": { "get": { "operationId": "more" } },
        }});
        Specification::new(&document)
    }

    fn walk(status: u16, violations: &[(&str, &str)]) -> Walk {
        let violation = |(place, rule): &(&str, &str)| Violation {
            place: (*place).to_owned(),
            rule: (*rule).to_owned(),
            says: String::new(),
        };
        Walk {
            exchanges: vec![Exchange {
                method: "GET".to_owned(),
                path: "/v1/things/T1".to_owned(),
                status,
                violations: violations.iter().map(violation).collect(),
            }],
            failures: Vec::new(),
        }
    }

    fn explained() -> Explained {
        Explained::one("getThing", "response.200.body.a", "type")
    }

    #[rstest]
    #[case::as_explained(200, &[("response.200.body.a", "type")], true, (1, 0, 0))]
    #[case::another_rule(200, &[("response.200.body.a", "type"), ("response.200.body.a", "format")], false, (1, 1, 0))]
    #[case::gone(200, &[], false, (0, 0, 1))]
    #[case::another_place(200, &[("response.200.body.b", "type")], false, (0, 1, 1))]
    fn only_what_is_explained_may_be_broken(
        #[case] status: u16,
        #[case] violations: &[(&str, &str)],
        #[case] clean: bool,
        #[case] (known, unexplained, stale): (usize, usize, usize),
    ) {
        let walk = walk(status, violations);
        let report = Report::new(&specification(), &[&GET], &walk, &explained());
        assert_eq!(report.is_clean(), clean);
        let all = known + unexplained;
        let line =
            format!("violations={all} explained={known} unexplained={unexplained} stale={stale}\n");
        assert!(report.to_string().contains(&line), "{report}");
    }

    #[test]
    fn an_operation_of_the_client_must_have_succeeded_and_be_described() {
        let explained = Explained::of("none").unwrap();
        let report = Report::new(&specification(), &[&GET], &walk(200, &[]), &explained);
        assert!(report.is_clean());
        let text = report.to_string();
        assert!(text.contains("operations_covered=1/2\n"), "{text}");
        assert!(text.contains("not in the client: more\n"), "{text}");

        for status in [404, 201] {
            let report = Report::new(&specification(), &[&GET], &walk(status, &[]), &explained);
            assert!(!report.is_clean());
            assert!(report.to_string().contains("untouched: getThing\n"));
        }

        let endpoints = [&GET, &OTHER];
        let report = Report::new(&specification(), &endpoints, &walk(200, &[]), &explained);
        assert!(!report.is_clean());
        assert!(report.to_string().contains("not described: others.get\n"));
    }

    #[test]
    fn a_flow_that_failed_fails_the_run() {
        let mut walk = walk(200, &[]);
        walk.failures.push("tasks: no".to_owned());
        let explained = Explained::of("none").unwrap();
        let report = Report::new(&specification(), &[&GET], &walk, &explained);
        assert!(!report.is_clean());
        assert!(report.to_string().contains("failed: tasks: no\n"));
    }
}
