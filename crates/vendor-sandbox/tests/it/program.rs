use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::{exchange, keys};

/// A running program, killed when the test is done with it.
struct Program(Child);

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_vendor-sandbox"))
            .arg("serve")
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        Self(child.unwrap())
    }

    fn line(&mut self) -> Value {
        serde_json::from_str(&self.text()).unwrap()
    }

    fn text(&mut self) -> String {
        let mut line = String::new();
        let stdout = self.0.stdout.as_mut().unwrap();
        BufReader::with_capacity(1, stdout)
            .read_line(&mut line)
            .unwrap();
        line
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself already.
        let _ = self.0.kill();
        self.0.wait().unwrap();
    }
}

async fn get(about: &Value, path: &str) -> u16 {
    let address = about["base_url"]
        .as_str()
        .unwrap()
        .strip_prefix("http://")
        .unwrap();
    let key = about["api_key"].as_str().unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: {key}\r\nconnection: close\r\n\r\n"
    );
    exchange(address, request.as_bytes()).await.unwrap().status
}

/// Lists the contacts of SuiteDash; returns the status and how many there are.
async fn contacts(about: &Value) -> (u16, u64) {
    let text = |name: &str| about[name].as_str().unwrap();
    let address = text("base_url").strip_prefix("http://").unwrap();
    let path = text("api_url").strip_prefix(text("base_url")).unwrap();
    let (public_id, secret) = (text("public_id"), text("secret_key"));
    let request = format!(
        "GET {path}/contacts HTTP/1.1\r\nhost: {address}\r\nx-public-id: {public_id}\r\n\
         x-secret-key: {secret}\r\nconnection: close\r\n\r\n"
    );
    let answer = exchange(address, request.as_bytes()).await.unwrap();
    let total = answer.json()["meta"]["pagination"]["totalItems"].as_u64();
    (answer.status, total.unwrap_or_default())
}

#[tokio::test]
async fn suitedash_has_the_fourth_port_and_a_month_that_ends() {
    // Ports that are free now may be taken by then, so several are tried.
    for _ in 0..20 {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port().min(65_000);
        drop(free);
        let base = port.to_string();
        let arguments = ["--port-base", &base, "--json", "--monthly-quota", "1"];
        let mut program = Program::start(&arguments);
        if program.text().is_empty() {
            continue;
        }
        let about = program.line();
        let expected = format!("http://127.0.0.1:{}", port + 3);
        assert_eq!(about["base_url"], expected);
        assert_eq!(contacts(&about).await.0, 200);
        assert_eq!(contacts(&about).await.0, 429);
        return;
    }
    panic!("no four free ports");
}

#[tokio::test]
async fn it_serves_after_a_line_of_json_per_vendor_until_interrupted() {
    let mut program = Program::start(&["--port-base", "0", "--json", "--contacts", "100"]);
    let line = program.text();
    let suitedash = program.line();
    let about: Value = serde_json::from_str(&line).unwrap();
    let found = ["vendor", "base_url", "api_key", "webhook_key"]
        .map(|name| line.find(&format!("\"{name}\":")));
    assert!(found.is_sorted() && found[0].is_some(), "{line}");
    assert_eq!(keys(&about).len(), 4);
    assert_eq!(about["vendor"], "openphone");
    assert_eq!(get(&about, "/v1/contacts?maxResults=50").await, 200);
    let names = ["api_url", "base_url", "public_id", "secret_key", "vendor"];
    assert_eq!(keys(&suitedash), names);
    assert_eq!(suitedash["vendor"], "suitedash");
    assert_eq!(contacts(&suitedash).await, (200, 100));

    let id = program.0.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    assert!(program.0.wait().unwrap().success());
    let mut rest = String::new();
    program
        .0
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut rest)
        .unwrap();
    assert_eq!(rest, "", "a line per vendor and no more");
}

#[tokio::test]
async fn a_taken_port_is_told_and_ends_it() {
    let mut first = Program::start(&[
        "--port-base",
        "0",
        "--json",
        "--rate-limit",
        "off",
        "--workers",
        "2",
    ]);
    let about = first.line();
    assert_eq!(get(&about, "/v1/phone-numbers").await, 200);
    let port = about["base_url"]
        .as_str()
        .unwrap()
        .rsplit_once(':')
        .unwrap()
        .1;
    let mut second = Program::start(&["--port-base", port]);
    assert!(!second.0.wait().unwrap().success());
    let mut problem = String::new();
    second
        .0
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut problem)
        .unwrap();
    assert!(
        problem.contains(&format!("port {port} is already in use")),
        "{problem}"
    );
    assert!(problem.contains("--port-base"), "{problem}");
}

#[tokio::test]
async fn options_are_checked_and_work() {
    for wrong in [
        ["--fault-rate", "2"],
        ["--rate-limit", "some"],
        ["--rate-limit", "0"],
        ["--port-base", "99999"],
        ["--port-base", "65533"],
        ["--monthly-quota", "many"],
    ] {
        let mut program = Program::start(&wrong);
        assert!(!program.0.wait().unwrap().success(), "{wrong:?}");
    }
    let mut program = Program::start(&[
        "--port-base",
        "0",
        "--json",
        "--seed",
        "7",
        "--rate-limit",
        "1",
    ]);
    let mut again = Program::start(&["--port-base", "0", "--json", "--seed", "7"]);
    assert_eq!(program.line()["api_key"], again.line()["api_key"]);
}

#[test]
fn a_rate_limit_of_nothing_is_refused_with_the_way_out() {
    let mut program = Program::start(&["--port-base", "0", "--rate-limit", "0"]);
    assert!(!program.0.wait().unwrap().success());
    let mut problem = String::new();
    let stderr = program.0.stderr.as_mut().unwrap();
    stderr.read_to_string(&mut problem).unwrap();
    assert!(
        problem.contains("0 would refuse every request; \"off\" lifts the limit"),
        "{problem}"
    );
}

#[test]
fn without_json_it_prints_a_sheet_to_copy_from() {
    let mut program = Program::start(&["--port-base", "0"]);
    let stdout = program.0.stdout.as_mut().unwrap();
    let mut lines = BufReader::new(stdout).lines();
    let mut line = || lines.next().unwrap().unwrap();
    assert_eq!(line(), "OpenPhone (Quo)");
    let rest: Vec<String> = (0..9).map(|_| line()).collect();
    let text = rest.join("\n");
    assert!(
        text.contains("http://127.0.0.1:") && text.contains("curl -s"),
        "{text}"
    );
}
