//! Every descriptor in one table, so that a changed path or idempotency class shows up as a diff.

use std::fmt::Write as _;

#[test]
fn the_table_of_endpoints() {
    let mut table = String::new();
    for endpoint in suitedash_client::endpoints() {
        writeln!(
            table,
            "{:<32} {:<6} {:<34} {:<13} {:<7} {:?}",
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
fn every_endpoint_names_its_page_and_the_day_it_was_read() {
    for endpoint in suitedash_client::endpoints() {
        assert!(
            endpoint
                .docs
                .starts_with("https://app.suitedash.com/secure-api/"),
            "{}",
            endpoint.name
        );
        assert!(endpoint.docs.contains("read 20"), "{}", endpoint.name);
        assert!(
            !endpoint.refuses_with_503,
            "{}: the vendor documents no such thing",
            endpoint.name
        );
    }
}
