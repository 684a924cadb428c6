use integration_core::webhook::Verified;

fn parse(_delivery: &Verified<'_>) {}

fn main() {
    parse(b"{}".as_slice());
}
