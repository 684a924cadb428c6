//! A PostgreSQL server for tests: the one at `DATABASE_URL`, or a private one that lives as long as the test program.
//!
//! [`schema`] gives every test a schema of its own. Where there is no server and nothing to start one with, it prints
//! a line and gives none; with `CONNECTORS_REQUIRE_POSTGRES=1` that is a failure. A private server syncs nothing, which
//! is quick; with `CONNECTORS_POSTGRES_DURABLE=1` it does, as one of a host. A program that measures asks for the one or
//! the other by [`schema_on`].

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use sqlx::Connection;
use sqlx::postgres::PgConnection;

/// A schema that nobody else uses. It is not there yet, and gone when this is dropped.
pub(crate) struct Schema {
    pub(crate) name: String,
    server: &'static Server,
}

impl Schema {
    pub(crate) fn url(&self) -> &'static str {
        &self.server.url
    }

    /// Opens a connection of the test's own.
    pub(crate) async fn connection(&self) -> PgConnection {
        PgConnection::connect(self.url()).await.unwrap()
    }

    /// Runs statements, in which `{schema}` stands for the schema.
    pub(crate) async fn run(&self, sql: &str) {
        let sql = sql.replace("{schema}", &self.name);
        let mut connection = self.connection().await;
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&mut connection)
            .await
            .unwrap();
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        // A private server ends with the program, and everything in it.
        if self.server.private {
            return;
        }
        let drop = format!("drop schema if exists {} cascade", self.name);
        let url = self.url();
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let mut connection = PgConnection::connect(url).await.unwrap();
                let drop = sqlx::AssertSqlSafe(drop);
                sqlx::raw_sql(drop).execute(&mut connection).await.unwrap();
            });
        });
        let dropped = dropping.join();
        if !std::thread::panicking() {
            dropped.unwrap();
        }
    }
}

/// What a private server does with what it is told to commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disk {
    /// It waits until the disk has it, as the servers of hosts do.
    Waits,
    /// It is quick, and forgetful when the machine stops.
    Forgets,
}

/// Returns a schema of its own, or none where there is no server to be had.
pub(crate) fn schema() -> Option<Schema> {
    let durable = std::env::var_os("CONNECTORS_POSTGRES_DURABLE");
    schema_on(if durable.is_some_and(|value| value == "1") {
        Disk::Waits
    } else {
        Disk::Forgets
    })
}

/// Returns a schema on a server of this kind. The one at `DATABASE_URL` is what it is: one of a host, that waits.
pub(crate) fn schema_on(disk: Disk) -> Option<Schema> {
    static GIVEN: OnceLock<Option<Server>> = OnceLock::new();
    static WAITS: OnceLock<Option<Server>> = OnceLock::new();
    static FORGETS: OnceLock<Option<Server>> = OnceLock::new();
    let server = match disk {
        _ if std::env::var_os("DATABASE_URL").is_some() => &GIVEN,
        Disk::Waits => &WAITS,
        Disk::Forgets => &FORGETS,
    };
    let server = server.get_or_init(|| {
        let server = Server::find(disk);
        if server.is_none() {
            // What `eprintln!` prints is not shown of a test that passes.
            let line =
                "skipped: no DATABASE_URL, and no initdb to start a PostgreSQL server with\n";
            std::io::stderr().write_all(line.as_bytes()).unwrap();
            let required = std::env::var_os("CONNECTORS_REQUIRE_POSTGRES");
            assert!(
                required.is_none_or(|value| value != "1"),
                "PostgreSQL is required"
            );
        }
        server
    });
    let name = format!("t_{}", uuid::Uuid::new_v4().simple());
    server.as_ref().map(|server| Schema { name, server })
}

struct Server {
    url: String,
    private: bool,
    /// The script. Its input is open while the test program lives; when it closes, however the program ended, the
    /// script ends the server.
    _script: Option<Child>,
}

/// Makes a server, says that it is there, waits for the end of its input, and takes the server away again.
const SCRIPT: &str = r#"
trap '' HUP INT PIPE TERM
dir=$1 port=$2 PATH=$3:$PATH settings=$4
cd "$dir"
if initdb --pgdata=data --username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync >log 2>&1 &&
    pg_ctl --pgdata=data --log=log --wait --timeout=60 --options="-h 127.0.0.1 -p $port -k '' \
        -c max_connections=300 $settings" \
        start >>log 2>&1
then echo ready
else echo failed; tail -n 20 log
fi
exec 1>&- 2>&-
read -r _
pg_ctl --pgdata=data --mode=immediate stop >/dev/null 2>&1
cd /
rm -rf "$dir"
"#;

const FORGETS: &str = "-F -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=16MB";
const WAITS: &str = "-c shared_buffers=128MB";

impl Server {
    fn find(disk: Disk) -> Option<Self> {
        if let Some(url) = std::env::var_os("DATABASE_URL") {
            return Some(Self {
                url: url.into_string().unwrap(),
                private: false,
                _script: None,
            });
        }
        let programs = programs()?;
        // The port that was free may be taken by the time the server wants it.
        let started = Self::start(&programs, disk).or_else(|_| Self::start(&programs, disk));
        Some(started.unwrap())
    }

    fn start(programs: &Path, disk: Disk) -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        // Kept on purpose: the script removes it.
        let directory = tempfile::Builder::new()
            .prefix("integration-store-postgres-")
            .tempdir()
            .unwrap()
            .keep();
        let settings = match disk {
            Disk::Waits => WAITS,
            Disk::Forgets => FORGETS,
        };
        let mut command = Command::new("sh");
        command
            .args(["-c", SCRIPT, "sh"])
            .arg(&directory)
            .arg(port.to_string())
            .arg(programs)
            .arg(settings)
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        as_somebody_else_than_root(&mut command, &directory);
        let mut script = command.spawn().unwrap();
        let mut said = BufReader::new(script.stdout.take().unwrap());
        let mut first = String::new();
        said.read_line(&mut first).unwrap();
        if first.trim() == "ready" {
            return Ok(Self {
                url: format!("postgres://postgres@127.0.0.1:{port}/postgres"),
                private: true,
                _script: Some(script),
            });
        }
        let mut rest = String::new();
        said.read_to_string(&mut rest).unwrap();
        drop(script.stdin.take());
        script.wait().unwrap();
        Err(rest)
    }
}

/// Finds the directory of `initdb` and `pg_ctl`: the one on the path, or the newest of the places that Debian uses.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut installed: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|versions| {
            versions
                .flatten()
                .map(|version| version.path().join("bin"))
                .collect()
        })
        .unwrap_or_default();
    installed.sort_by_key(|bin| {
        let version = bin
            .parent()
            .and_then(Path::file_name)
            .and_then(|name| name.to_str());
        version.and_then(|version| version.parse::<u32>().ok())
    });
    std::env::split_paths(&path)
        .chain(installed.into_iter().rev())
        .find(|directory| directory.join("initdb").exists() && directory.join("pg_ctl").exists())
}

/// The server refuses to be run by root: then it is run by the user `postgres`.
#[cfg(unix)]
fn as_somebody_else_than_root(command: &mut Command, directory: &Path) {
    use std::os::unix::fs::{MetadataExt, chown};
    use std::os::unix::process::CommandExt;

    // Signals that a terminal sends to the test program are not for the script.
    command.process_group(0);
    if std::fs::metadata(directory).unwrap().uid() != 0 {
        return;
    }
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap();
    let ids = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == "postgres").then_some(())?;
        Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
    });
    assert!(ids.is_some(), "run by root, and there is no user postgres");
    let (user, group) = ids.unwrap();
    chown(directory, Some(user), Some(group)).unwrap();
    command.uid(user).gid(group);
}

#[cfg(not(unix))]
fn as_somebody_else_than_root(_command: &mut Command, _directory: &Path) {}
