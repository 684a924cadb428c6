use integration_core::webhook::Verified;

fn main() {
    let _forged = Verified::new(b"{}", "mine");
}
