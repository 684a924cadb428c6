//! Every descriptor in one table, so that a changed path or idempotency class shows up as a diff.

use std::fmt::Write as _;

use openphone_client::dated;

#[test]
fn the_table_of_endpoints() {
    let mut table = String::new();
    for endpoint in dated::endpoints() {
        writeln!(
            table,
            "{:<36} {:<6} {:<46} {:<13} {:<7} {:?}",
            endpoint.name,
            endpoint.method.as_str(),
            endpoint.path,
            format!("{:?}", endpoint.idempotency),
            endpoint.rate_class.as_str(),
            endpoint.success,
        )
        .unwrap();
    }
    insta::assert_snapshot!(table);
}

#[test]
fn every_endpoint_is_dated_and_names_its_page_and_the_day_it_was_read() {
    for endpoint in dated::endpoints() {
        let docs = endpoint.docs;
        assert!(endpoint.name.starts_with("dated."), "{}", endpoint.name);
        assert!(
            docs.starts_with("https://www.quo.com/docs/2026-03-30/"),
            "{docs}"
        );
        assert!(docs.contains("(read 20"), "{docs}");
        assert!(!endpoint.path.starts_with("/v1"), "{}", endpoint.path);
        assert!(!endpoint.refuses_with_503, "{}", endpoint.name);
    }
}
