//! The daemon's end of the control socket.
//!
//! Bounded in every direction: clients, the length of a request, the time a client may take.

use std::convert::Infallible;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::stat::{Mode, fchmod};
use serde_json::Value;
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::timeout;

use super::client;
use super::{ControlError, MAX_REQUEST, Request, refuse};
use crate::privileges::User;

/// Clients served at once; the next one is sent away.
pub(super) const MAX_CLIENTS: usize = 32;
/// How long a client may take for its next request.
const REQUEST_TIME: Duration = Duration::from_secs(10);
/// How long a client may take to read its answer.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// Pause after an error of accept that does not go away by itself, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long a socket found at start may take to answer a connection.
const PROBE_TIME: Duration = Duration::from_secs(1);
const MODE: u32 = 0o660;

/// A bound control socket. Its file goes away with the value.
#[derive(Debug)]
pub struct Server {
    listener: std::os::unix::net::UnixListener,
    _file: SocketFile,
}

/// The file in the file system, removed on drop if it is still the same one.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl Server {
    /// Makes the socket at `path`, and its directory where that is missing; what it makes belongs to
    /// `owner`. Call it before privileges are given up.
    ///
    /// A socket left by a process that ended is replaced. [`ControlError::InUse`] when somebody answers
    /// there, [`ControlError::NotASocket`] when something else is in the way.
    pub fn bind(path: &Path, owner: Option<&User>) -> Result<Server, ControlError> {
        if let Some(directory) = path.parent() {
            make_directory(directory, owner)
                .map_err(|error| ControlError::system("create directory", directory, error))?;
        }
        remove_stale(path)?;
        let listener =
            open(path, owner).map_err(|error| ControlError::system("make control socket", path, error))?;
        let file = SocketFile::of(path)
            .map_err(|error| ControlError::system("look at control socket", path, error))?;
        Ok(Server { listener, _file: file })
    }

    /// Answers clients by `handler` until the future is dropped. Needs a tokio runtime with I/O and time.
    ///
    /// `handler` runs on a thread of its own for each request, so it may wait, for others too: a client that
    /// leaves does not stop it. [`refuse`] makes the answer to a request that it doesn't know.
    pub async fn serve(
        self,
        handler: impl Fn(Request) -> Value + Send + Sync + 'static,
    ) -> io::Result<Infallible> {
        let Server { listener, _file } = self;
        let listener = UnixListener::from_std(listener)?;
        let handler = Arc::new(handler);
        let mut clients = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) if clients.len() < MAX_CLIENTS => {
                        let handler = Arc::clone(&handler);
                        clients.spawn(converse(stream, handler));
                    }
                    Ok((stream, _)) => send_away(&stream),
                    Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a client of the control socket");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_) = clients.join_next() => {}
            }
        }
    }
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<SocketFile> {
        Ok(SocketFile { path: path.to_owned(), identity: identity(path)? })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|found| found == self.identity) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Device and inode, which tell a file from another that was put in its place.
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

async fn converse(stream: UnixStream, handler: Arc<impl Fn(Request) -> Value + Send + Sync + 'static>) {
    let uid = stream.peer_cred().ok().map(|peer| peer.uid());
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    loop {
        line.clear();
        let limit = MAX_REQUEST as u64 + 1;
        let mut bounded = (&mut reader).take(limit);
        let Ok(Ok(1..)) = timeout(REQUEST_TIME, bounded.read_until(b'\n', &mut line)).await else { return };
        let complete = line.ends_with(b"\n");
        let too_long = !complete && line.len() > MAX_REQUEST;
        let answer = if too_long {
            refuse(format!("the request is longer than {MAX_REQUEST} bytes"))
        } else {
            match serde_json::from_slice(&line) {
                Ok(request) => {
                    let handler = Arc::clone(&handler);
                    let answered = spawn_blocking(move || handler(Request { uid, ..request })).await;
                    answered.unwrap_or_else(|_| refuse("the daemon failed to answer: its log says why"))
                }
                Err(error) => refuse(format!("not a request: {error}")),
            }
        };
        let Ok(Ok(())) = timeout(ANSWER_TIME, writer.write_all(&to_line(&answer))).await else { return };
        if !complete {
            return;
        }
    }
}

/// Without waiting: the answer fits into the buffer of any new socket.
fn send_away(stream: &UnixStream) {
    let _ = stream.try_write(&to_line(&refuse("too many clients at once")));
}

/// JSON has no raw line feed, so the answer is one line.
fn to_line(answer: &Value) -> Vec<u8> {
    let mut line = answer.to_string().into_bytes();
    line.push(b'\n');
    line
}

fn make_directory(directory: &Path, owner: Option<&User>) -> io::Result<()> {
    if directory.as_os_str().is_empty() || directory.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o755).create(directory)?;
    give_to(owner, directory)
}

fn remove_stale(path: &Path) -> Result<(), ControlError> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(ControlError::system("look at", path, error)),
    };
    if !metadata.file_type().is_socket() {
        return Err(ControlError::NotASocket { path: path.to_owned() });
    }
    let in_use = || Err(ControlError::InUse { path: path.to_owned() });
    let Err(error) = client::connect(path, PROBE_TIME) else { return in_use() };
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(|error| ControlError::system("remove stale socket", path, error))
        }
        io::ErrorKind::NotFound => Ok(()),
        // Somebody has it and is too busy to accept.
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => in_use(),
        _ => Err(ControlError::system("ask who answers at", path, error)),
    }
}

fn open(path: &Path, owner: Option<&User>) -> io::Result<std::os::unix::net::UnixListener> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // Linux gives the file the mode of the socket less the umask: never wider than it shall be.
    fchmod(&socket, Mode::from_bits_truncate(MODE))?;
    socket.bind(&SockAddr::unix(path)?)?;
    fs::set_permissions(path, fs::Permissions::from_mode(MODE))?;
    give_to(owner, path)?;
    socket.set_nonblocking(true)?;
    socket.listen(128)?;
    Ok(OwnedFd::from(socket).into())
}

fn give_to(owner: Option<&User>, path: &Path) -> io::Result<()> {
    owner.map_or(Ok(()), |owner| chown(path, Some(owner.uid), Some(owner.gid)))
}
