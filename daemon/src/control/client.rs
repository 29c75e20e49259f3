//! Asking a daemon, from a program without a runtime.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use socket2::{Domain, SockAddr, Socket, Type};

use super::{ControlError, Request};

/// The longest answer that is read: status of a million leases stays below it.
const MAX_ANSWER: usize = 1 << 30;

/// Asks the daemon at `path` and returns its answer. Waits no longer than `timeout`, which must not be zero.
pub fn ask(path: &Path, request: &Request, timeout: Duration) -> Result<Value, ControlError> {
    let deadline = Instant::now() + timeout;
    let line = exchange(path, request, deadline).map_err(|error| explain(path, timeout, error))?;
    let answer: Value = match serde_json::from_slice(&line) {
        Ok(answer) => answer,
        Err(_) if line.is_empty() => return Err(ControlError::bad_answer(path, "it hung up")),
        Err(error) => return Err(ControlError::bad_answer(path, error.to_string())),
    };
    match answer.get("error").and_then(Value::as_str) {
        Some(why) => Err(ControlError::Refused(why.to_owned())),
        None => Ok(answer),
    }
}

/// The step at which it failed matters for the message.
enum Failure {
    Connect(io::Error),
    Talk(io::Error),
}

fn explain(path: &Path, after: Duration, failure: Failure) -> ControlError {
    let path_buf = path.to_owned();
    match failure {
        Failure::Connect(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                ControlError::NotRunning { path: path_buf }
            }
            io::ErrorKind::PermissionDenied => ControlError::PermissionDenied { path: path_buf },
            // A full queue of clients: nobody accepts them.
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                ControlError::Timeout { path: path_buf, after }
            }
            _ => ControlError::system("connect to", path, error),
        },
        Failure::Talk(error) => match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                ControlError::Timeout { path: path_buf, after }
            }
            _ => ControlError::bad_answer(path, error.to_string()),
        },
    }
}

fn exchange(path: &Path, request: &Request, deadline: Instant) -> Result<Vec<u8>, Failure> {
    let mut stream = left(deadline).and_then(|left| connect(path, left)).map_err(Failure::Connect)?;
    let mut talk = || -> io::Result<Vec<u8>> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        stream.set_write_timeout(Some(left(deadline)?))?;
        stream.write_all(&line)?;
        read_line(&mut stream, deadline)
    };
    talk().map_err(Failure::Talk)
}

/// `WouldBlock` or `TimedOut` when somebody listens and does not accept.
pub(super) fn connect(path: &Path, timeout: Duration) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.connect_timeout(&SockAddr::unix(path)?, timeout)?;
    Ok(UnixStream::from(std::os::fd::OwnedFd::from(socket)))
}

/// Reads up to the first line feed, which is left out, or the end.
fn read_line(stream: &mut UnixStream, deadline: Instant) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        stream.set_read_timeout(Some(left(deadline)?))?;
        let count = match stream.read(&mut chunk) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = chunk.get(..count).unwrap_or_default();
        let end = bytes.iter().position(|byte| *byte == b'\n');
        line.extend_from_slice(bytes.get(..end.unwrap_or(count)).unwrap_or_default());
        if end.is_some() || count == 0 {
            return Ok(line);
        }
        if line.len() > MAX_ANSWER {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the answer never ends"));
        }
    }
}

fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}
