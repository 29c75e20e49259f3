//! One ssh per host, and over it the shell that stays on the target.
//!
//! The system's `ssh` is used, with the operator's configuration, agent and jump hosts. It is also the master
//! of its own control socket, so that what must flow both ways (`rsync` by a type) gets a session of its own
//! without another login. It ends with the run, whatever happens.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::pins::{doubled, without_tokens};
use super::stop::Stop;
use super::transport::{Cost, OnEnd, TransportError, Upload};
use crate::core::quote::quote_text;
use crate::core::reply::Reply;

/// How a host is reached.
#[derive(Clone, Debug, Default)]
pub struct SshOptions {
    /// The program.
    pub program: OsString,
    /// ssh configuration made for this host.
    pub config: PathBuf,
    /// Control socket.
    pub control: PathBuf,
    /// Login name, over the configuration's.
    pub user: Option<String>,
    /// Program that makes the login user root: `sudo -n`, `doas -n`.
    pub become_root: Option<String>,
    /// Name that ssh gets.
    pub host: String,
    /// Seconds without any sign of the target after which it is given up.
    pub silence: u64,
    /// Seconds to wait for another run on the target.
    pub lock_wait: u64,
    /// Where the private directory on the target may lie, best first, blanks between.
    pub bases: String,
    /// Whether it must lie in memory.
    pub in_memory: bool,
    /// What makes the private directory's name unknown to others.
    pub nonce: String,
}

impl SshOptions {
    /// The command line of ssh up to and with the host, for a session over `control`.
    pub fn command(&self, master: bool) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec![self.program.clone(), "-F".into(), self.config.clone().into()];
        // A word of its own; ssh replaces tokens in it all the same.
        words.extend(["-S".into(), doubled(&self.control.display().to_string()).into()]);
        let own = if master {
            &["ControlMaster=yes", "ControlPersist=no", "RemoteCommand=none", "RequestTTY=no"][..]
        } else {
            &["ControlMaster=no", "RemoteCommand=none"][..]
        };
        let always = ["BatchMode=yes", "ClearAllForwardings=yes", "PermitLocalCommand=no"];
        for option in own.iter().chain(&always) {
            words.extend(["-o".into(), OsString::from(option)]);
        }
        if let Some(user) = &self.user {
            words.extend(["-o".into(), OsString::from(format!("User={user}"))]);
        }
        words
    }

    /// The command line of scp before its own arguments, over the same connection.
    pub fn copy_command(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> =
            vec!["scp".into(), "-q".into(), "-F".into(), self.config.clone().into()];
        words.extend([
            "-o".into(),
            format!("ControlPath={}", without_tokens(&self.control)).into(),
            "-o".into(),
            "ControlMaster=no".into(),
            "-o".into(),
            "BatchMode=yes".into(),
        ]);
        if let Some(user) = &self.user {
            words.extend(["-o".into(), OsString::from(format!("User={user}"))]);
        }
        words
    }
}

/// The text of the shell that stays.
const AGENT: &str = include_str!("agent.sh");

/// The functions that batches call.
const FUNCTIONS: &str = include_str!("functions.sh");

/// Where its directory may lie. Memory first: it is fast, full disks do not matter, and nothing stays.
pub const BASES: &str = "/run /dev/shm /tmp /var/tmp /var/lib";

/// Those of them that systems keep in memory.
pub const BASES_IN_MEMORY: &str = "/run /dev/shm";

/// What the login shell gets, be it of the Bourne, C or fish family: no newline, no `!`, no `\\'` in it. It
/// reads the agent's text line by line, which takes no octet too many, and runs it when it has all of it.
const BOOTSTRAP: &str = r#"exec @become@ /bin/sh -c 's=; n=$(printf "\nx"); while IFS= read -r l; do case $l in .) eval "$s"; exit;; esac; s=$s$l${n%x}; done'"#;

/// Octets of noise by login scripts that are skipped.
const NOISE_MAX: usize = 1 << 20;

/// A connection.
#[derive(Debug)]
pub struct SshLink {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    said: Arc<Mutex<Vec<u8>>>,
    /// Ends when ssh has said everything.
    listener: JoinHandle<()>,
    stop: Stop,
    silence: Duration,
    /// Octets to send; the agent's text waits here for the first batch.
    outgoing: Vec<u8>,
    incoming: Incoming,
    cost: Cost,
}

impl SshLink {
    /// Starts ssh. Whether it gets through shows with the first batch, which goes along.
    ///
    /// # Errors
    /// ssh cannot be started.
    pub fn start(options: &SshOptions, stop: &Stop) -> io::Result<SshLink> {
        let words = options.command(true);
        let mut command = Command::new(&options.program);
        command.args(words.iter().skip(1)).arg("-T").arg("--").arg(&options.host);
        let become_root = options.become_root.as_deref().unwrap_or_default();
        command.arg(BOOTSTRAP.replace("@become@", become_root)).process_group(0);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let missing = || io::Error::other("a pipe is missing");
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        fcntl(&stdin, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        fcntl(&stdout, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        let said = Arc::new(Mutex::new(Vec::new()));
        let listener = keep_last(child.stderr.take().ok_or_else(missing)?, Arc::clone(&said));
        Ok(SshLink {
            child,
            stdin: Some(stdin),
            stdout,
            said,
            listener,
            stop: stop.clone(),
            silence: Duration::from_secs(options.silence),
            outgoing: agent_text(options),
            incoming: Incoming::default(),
            cost: Cost { processes: 1, round_trips: 0 },
        })
    }

    /// What it has cost so far.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Number of the ssh process.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Sends a frame, and a file right behind it if the frame reads one; waits for the reply.
    ///
    /// # Errors
    /// See [`TransportError`].
    pub fn exchange(
        &mut self,
        text: &[u8],
        upload: Option<Upload>,
        on_end: OnEnd<'_>,
    ) -> Result<Reply, TransportError> {
        self.cost.round_trips += 1;
        self.outgoing.extend_from_slice(format!("{}\n", text.len()).as_bytes());
        self.outgoing.extend_from_slice(text);
        let mut upload = upload.map(|upload| upload.content.take(upload.size));
        let (mut reply, mut told) = (Reply::default(), 0);
        let mut deadline = Instant::now() + self.silence;
        loop {
            if self.send_and_receive(&mut upload)? {
                deadline = Instant::now() + self.silence;
                self.incoming.take_in(&mut reply)?;
                let codes: Vec<(usize, i32)> = reply.codes().collect();
                if codes.len() > told {
                    told = codes.len();
                    codes.into_iter().for_each(|(number, code)| on_end(number, code));
                }
                if reply.is_complete() {
                    return Ok(reply);
                }
            } else if Instant::now() > deadline {
                return Err(TransportError::Silent(self.silence.as_secs()));
            }
            if self.stop.is_asked() {
                return Err(TransportError::Stopped);
            }
        }
    }

    /// Waits a moment for the connection and moves octets either way. `false` if none moved.
    fn send_and_receive(&mut self, upload: &mut Option<io::Take<File>>) -> Result<bool, TransportError> {
        const MOMENT: u16 = 100;
        if let (true, Some(file)) = (self.outgoing.is_empty(), &mut *upload) {
            let mut some = Vec::new();
            file.take(256 << 10)
                .read_to_end(&mut some)
                .map_err(|error| TransportError::Lost(error.to_string()))?;
            match usize::try_from(file.limit().min(64 << 10)) {
                // The file became shorter meanwhile; the target waits for what was announced.
                Ok(missing @ 1..) if some.is_empty() => {
                    some = vec![0; missing];
                    file.set_limit(file.limit() - missing as u64);
                }
                _ if some.is_empty() => *upload = None,
                _ => {}
            }
            self.outgoing = some;
        }
        let (may_read, may_write) = {
            let mut fds = vec![PollFd::new(self.stdout.as_fd(), PollFlags::POLLIN)];
            if let (Some(stdin), false) = (&self.stdin, self.outgoing.is_empty()) {
                fds.push(PollFd::new(stdin.as_fd(), PollFlags::POLLOUT));
            }
            match poll(&mut fds, PollTimeout::from(MOMENT)) {
                Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                Err(error) => return Err(TransportError::Lost(error.to_string())),
            }
            let any = |at: usize| fds.get(at).and_then(PollFd::any).unwrap_or_default();
            (any(0), any(1))
        };
        let wrote = may_write && self.send()?;
        let read = may_read && self.receive()?;
        Ok(wrote || read)
    }

    fn send(&mut self) -> Result<bool, TransportError> {
        let Some(stdin) = &mut self.stdin else { return Ok(false) };
        match stdin.write(&self.outgoing) {
            Ok(count) => {
                self.outgoing.drain(..count);
                Ok(count > 0)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            // Why shows on the other pipe.
            Err(_) => {
                self.outgoing.clear();
                Ok(false)
            }
        }
    }

    fn receive(&mut self) -> Result<bool, TransportError> {
        let mut octets = [0; 65536];
        match self.stdout.read(&mut octets) {
            Ok(0) => Err(self.gone()),
            Ok(count) => {
                self.incoming.octets.extend_from_slice(octets.get(..count).unwrap_or_default());
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(TransportError::Lost(error.to_string())),
        }
    }

    /// The error for a connection that ended: ssh's own words.
    fn gone(&mut self) -> TransportError {
        self.stdin = None;
        let deadline = Instant::now() + Duration::from_secs(2);
        let status = self.wait_until(deadline);
        // Its last words may be on their way still.
        while !self.listener.is_finished() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&said);
        let text = text.trim();
        let why = if !text.is_empty() {
            text.to_owned()
        } else {
            status.map_or_else(
                || "ssh closed its output".to_owned(),
                |status| format!("ssh ended with {status}"),
            )
        };
        if self.incoming.ready { TransportError::Lost(why) } else { TransportError::Refused(why) }
    }

    fn wait_until(&mut self, deadline: Instant) -> Option<ExitStatus> {
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            if Instant::now() > deadline {
                return None;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Octets from the target that are not used yet.
#[derive(Debug, Default)]
pub struct Incoming {
    /// The octets.
    pub octets: Vec<u8>,
    /// Whether the greeting came.
    ready: bool,
}

impl Incoming {
    /// Feeds what came in to the reply; before it, looks for the greeting, behind whatever a login prints.
    ///
    /// # Errors
    /// The target refuses to take part, or says something else than it should.
    pub fn take_in(&mut self, reply: &mut Reply) -> Result<(), TransportError> {
        while !self.ready {
            let Some(end) = self.octets.iter().position(|octet| *octet == b'\n') else {
                if self.octets.len() > NOISE_MAX {
                    return Err(TransportError::Refused("the login writes without end".to_owned()));
                }
                return Ok(());
            };
            let line: Vec<u8> = self.octets.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            match line.trim_end().split_once("hostbook-agent ") {
                Some((_, greeting)) if greeting.starts_with("ready ") => self.ready = true,
                Some((_, reason)) => return Err(TransportError::Refused(reason.to_owned())),
                None => {}
            }
        }
        let used = reply.feed(&self.octets).map_err(TransportError::Garbled)?;
        self.octets.drain(..used);
        Ok(())
    }
}

impl Drop for SshLink {
    /// Ends the session: the agent sees the end of its input and cleans up. ssh that does not end by itself
    /// is ended.
    fn drop(&mut self) {
        self.stdin = None;
        if self.wait_until(Instant::now() + Duration::from_secs(5)).is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The agent's text as the bootstrap reads it, comments left out.
fn agent_text(options: &SshOptions) -> Vec<u8> {
    let (name, bases) = (quote_text(&format!("hostbook-{}", options.nonce)), quote_text(&options.bases));
    let wait_max = options.lock_wait;
    let (functions, agent) = (without_comments(FUNCTIONS), without_comments(AGENT));
    let memory = if options.in_memory { "1" } else { "" };
    format!("n={name}; bases={bases}; memory={memory}; wait_max={wait_max}\n{functions}{agent}.\n")
        .into_bytes()
}

/// The functions that batches call, as text.
pub fn functions() -> String {
    without_comments(FUNCTIONS)
}

fn without_comments(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Reads a stream to its end and keeps the last of it.
fn keep_last(mut stream: impl Read + Send + 'static, kept: Arc<Mutex<Vec<u8>>>) -> JoinHandle<()> {
    const KEPT: usize = 8192;
    std::thread::spawn(move || {
        let mut octets = [0; 1024];
        while let Ok(count @ 1..) = stream.read(&mut octets) {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend_from_slice(octets.get(..count).unwrap_or_default());
            let surplus = kept.len().saturating_sub(KEPT);
            kept.drain(..surplus);
        }
    })
}
