//! The validating proxy, a process of its own.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};
use url::Url;

/// What the proxy writes once its port is open.
const LISTENING: &str = "Prism is listening on ";
/// Reading the specification takes two seconds on a slow machine.
const START_LIMIT: Duration = Duration::from_mins(1);
const BOOTSTRAP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/proxy/exit_with_parent.js");
const PROGRAM: &str = "node_modules/@stoplight/prism-cli/dist/index.js";

/// A proxy that listens on loopback until this is dropped.
pub(crate) struct Prism {
    base_url: Url,
    /// Killed when dropped. Its standard input is open as long as this process lives, and it ends with that.
    _child: Child,
}

impl Prism {
    /// Starts the proxy installed in `folder` before `upstream`, on a free port, and waits until it listens.
    pub(crate) async fn start(
        folder: &Path,
        specification: &Path,
        upstream: &Url,
    ) -> Result<Self, String> {
        let failed = |what: &str| format!("the proxy: {what}");
        let mut child = Command::new("node")
            .args(["--require", BOOTSTRAP])
            .arg(folder.join(PROGRAM))
            .arg("proxy")
            .arg(specification)
            .args([upstream.as_str(), "--errors"])
            .args(["--host", "127.0.0.1", "--port", "0"])
            // Its first process would outlive the second, and nobody reads colours.
            .env("NODE_ENV", "development")
            .env("NO_COLOR", "1")
            .env("FORCE_COLOR", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(&error.to_string()))?;
        let output = child.stdout.take().ok_or_else(|| failed("has no output"))?;
        let mut lines = BufReader::new(output).lines();
        let address = tokio::time::timeout(START_LIMIT, address(&mut lines))
            .await
            .map_err(|_| failed("does not listen"))?
            .map_err(|said| failed(&format!("ended before it listened:\n{said}")))?;
        let base_url = Url::parse(&address).map_err(|error| failed(&error.to_string()))?;
        let port = base_url.port().ok_or_else(|| failed("has no port"))?;
        TcpStream::connect(("127.0.0.1", port))
            .await
            .map_err(|error| failed(&error.to_string()))?;
        // It logs every exchange, and would stop at a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self {
            base_url,
            _child: child,
        })
    }

    /// The address to call in place of the sandbox's.
    pub(crate) fn base_url(&self) -> &Url {
        &self.base_url
    }
}

/// Reads the address from the proxy's log, or gives back what it said instead.
async fn address(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<String, String> {
    let mut said = String::new();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some((_, address)) = line.split_once(LISTENING) {
            return Ok(address.trim().to_owned());
        }
        said.push_str(&line);
        said.push('\n');
    }
    Err(said)
}
