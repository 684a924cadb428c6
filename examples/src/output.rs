//! Standard output that may be closed: `program | head -1` is no reason to panic.

use std::io::{self, ErrorKind, Write};

/// Writes `text` to standard output. A reader that has gone away is no error: there is nobody left to tell.
///
/// # Errors
///
/// When standard output cannot be written for any other reason, such as a full disk.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}
