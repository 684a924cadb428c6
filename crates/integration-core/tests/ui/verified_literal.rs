use integration_core::webhook::Verified;

fn main() {
    let _forged = Verified { body: b"{}".as_slice().into(), replay_id: None, timestamp: None, scheme: "mine" };
}
