//! `--remote-exec` and `--remote-copy`: programs of the user instead of ssh, as cdist has them.
//!
//! cdist starts them several times per explorer. Here a batch is two calls: it is copied there and run. Only
//! plain words without anything to quote are handed over, so a program may pass them on as words or as text.

use std::fs;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::script::LocalVariable;
use super::ssh::{self, Incoming};
use super::stop::Stop;
use super::transport::{Cost, OnEnd, TransportError};
use crate::core::quote::quote_text;
use crate::core::reply::Reply;

/// How the programs are called.
#[derive(Clone, Debug, Default)]
pub struct ProgramOptions {
    /// Program and first words; called with the host and a command.
    pub exec: String,
    /// Program and first words; called with a file and `HOST:PATH`.
    pub copy: String,
    /// The host.
    pub host: String,
    /// What the programs find in their environment.
    pub variables: Vec<LocalVariable>,
    /// Where the private directory on the target may lie, best first.
    pub places: Vec<String>,
    /// Whether it must lie in memory.
    pub in_memory: bool,
    /// Name of the private directory.
    pub name: String,
    /// File to put batches into on their way.
    pub spool: PathBuf,
    /// Seconds that a call may be silent.
    pub silence: u64,
}

/// A target that is reached by programs.
#[derive(Debug)]
pub struct Programs {
    options: ProgramOptions,
    stop: Stop,
    /// The private directory, once it is there.
    made: Option<String>,
    cost: Cost,
}

impl Programs {
    /// Nothing is called before the first batch.
    pub fn new(options: ProgramOptions, stop: &Stop) -> Programs {
        Programs { options, stop: stop.clone(), made: None, cost: Cost::default() }
    }

    /// What it has cost so far.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// Copies a batch to the target and runs it.
    ///
    /// # Errors
    /// See [`TransportError`].
    pub fn exchange(&mut self, text: &[u8], on_end: OnEnd<'_>) -> Result<Reply, TransportError> {
        let remote = match &self.made {
            Some(remote) => remote.clone(),
            None => self.make()?,
        };
        self.cost.round_trips += 1;
        let head = format!(
            "d={}\numask_login=$(umask)\n{}echo \"hostbook-agent ready $d\"\n",
            quote_text(&remote),
            ssh::functions()
        );
        let refused = |error: io::Error| TransportError::Refused(error.to_string());
        fs::write(&self.options.spool, [head.as_bytes(), text].concat()).map_err(refused)?;
        let to = if self.options.host.contains(':') {
            format!("[{}]", self.options.host)
        } else {
            self.options.host.clone()
        };
        let spool = self.options.spool.display().to_string();
        self.call(&self.options.copy.clone(), &[&spool, &format!("{to}:{remote}/.f")])?;
        let said = self.exec(&["/bin/sh", &format!("{remote}/.f")])?;
        let (mut incoming, mut reply) = (Incoming::default(), Reply::default());
        incoming.octets = said;
        incoming.take_in(&mut reply)?;
        reply.codes().for_each(|(number, code)| on_end(number, code));
        if reply.is_complete() {
            Ok(reply)
        } else {
            Err(TransportError::Lost("the answer is not whole".to_owned()))
        }
    }

    /// Makes the private directory in the first place that is fit for it. A place that is refused is not fit; without an
    /// answer there is nothing to know about the others either.
    fn make(&mut self) -> Result<String, TransportError> {
        let places = self.options.places.clone();
        let mut refused = TransportError::Refused(format!(
            "no directory in memory, which secrets need: tried {}; --remote-out-path names another one",
            places.join(" ")
        ));
        for place in places {
            if self.options.in_memory {
                let kind = match self.exec(&["stat", "-f", "-c", "%T", &place]) {
                    Ok(kind) => kind,
                    Err(TransportError::Refused(_)) => continue,
                    Err(error) => return Err(error),
                };
                if !matches!(kind.trim_ascii(), b"tmpfs" | b"ramfs") {
                    continue;
                }
            }
            let remote = format!("{place}/{}", self.options.name);
            match self.exec(&["mkdir", "-m", "700", &remote, &format!("{remote}/.r")]) {
                Ok(_) => {
                    self.made = Some(remote.clone());
                    return Ok(remote);
                }
                Err(error @ TransportError::Refused(_)) => refused = error,
                Err(error) => return Err(error),
            }
        }
        Err(refused)
    }

    fn exec(&mut self, words: &[&str]) -> Result<Vec<u8>, TransportError> {
        let host = self.options.host.clone();
        let all: Vec<&str> = std::iter::once(host.as_str()).chain(words.iter().copied()).collect();
        self.call(&self.options.exec.clone(), &all)
    }

    /// Calls a program and returns what it printed.
    fn call(&mut self, program: &str, words: &[&str]) -> Result<Vec<u8>, TransportError> {
        let mut parts = program.split_whitespace();
        let name = parts.next().ok_or_else(|| TransportError::Refused("no program is given".to_owned()))?;
        let mut command = Command::new(name);
        command
            .args(parts)
            .args(words)
            .envs(self.options.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        self.cost.processes += 1;
        let refused = |error: io::Error| TransportError::Refused(format!("cannot run `{program}`: {error}"));
        let mut child = command.spawn().map_err(refused)?;
        let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
        let status = self.wait(&mut child)?;
        let (stdout, stderr) = (stdout.join().unwrap_or_default(), stderr.join().unwrap_or_default());
        if status.success() {
            return Ok(stdout);
        }
        let said = String::from_utf8_lossy(&stderr);
        Err(TransportError::Refused(format!(
            "`{program} {}` ended with {status}: {}",
            words.join(" "),
            said.trim()
        )))
    }

    fn wait(&self, child: &mut Child) -> Result<std::process::ExitStatus, TransportError> {
        let deadline = Instant::now() + Duration::from_secs(self.options.silence);
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) => {}
                Err(error) => return Err(TransportError::Lost(error.to_string())),
            }
            let error = if self.stop.is_asked() {
                TransportError::Stopped
            } else if Instant::now() > deadline {
                TransportError::Silent(self.options.silence)
            } else {
                std::thread::sleep(Duration::from_millis(1));
                continue;
            };
            let _ = killpg(Pid::from_raw(i32::try_from(child.id()).unwrap_or_default()), Signal::SIGKILL);
            let _ = child.wait();
            return Err(error);
        }
    }
}

impl Drop for Programs {
    /// Takes away the private directory on the target.
    fn drop(&mut self) {
        if let Some(remote) = self.made.take() {
            self.stop = Stop::default();
            let _ = self.exec(&["rm", "-rf", &remote]);
        }
    }
}

fn collect(stream: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut octets = Vec::new();
        if let Some(mut stream) = stream {
            let _ = stream.read_to_end(&mut octets);
        }
        octets
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes the private directory by a program that notes its calls and then does as `body` says; what came of it, and
    /// the calls.
    fn made(
        name: &str,
        body: &str,
        in_memory: bool,
        stop: &Stop,
    ) -> (Result<String, TransportError>, String) {
        let here = std::env::temp_dir().join(format!("hostbook-programs-{name}-{}", std::process::id()));
        fs::create_dir_all(&here).unwrap();
        let (script, calls) = (here.join("exec"), here.join("calls"));
        fs::write(&script, format!("shift; echo \"$*\" >>{}\n{body}\n", calls.display())).unwrap();
        let options = ProgramOptions {
            exec: format!("/bin/sh {}", script.display()),
            host: "web1".to_owned(),
            places: vec!["/one".to_owned(), "/two".to_owned()],
            in_memory,
            name: "x".to_owned(),
            silence: 1,
            ..ProgramOptions::default()
        };
        let result = Programs::new(options, stop).make();
        let calls = fs::read_to_string(&calls).unwrap_or_default();
        let _ = fs::remove_dir_all(&here);
        (result, calls)
    }

    #[test]
    fn without_an_answer_no_other_place_is_asked_for() {
        for in_memory in [true, false] {
            let (result, calls) = made("silent", "exec sleep 600", in_memory, &Stop::default());
            assert!(matches!(result, Err(TransportError::Silent(1))), "{result:?}");
            assert_eq!(calls.lines().count(), 1, "{calls}");
            let stop = Stop::default();
            stop.ask();
            let (result, calls) = made("stopped", "exec sleep 600", in_memory, &stop);
            assert!(matches!(result, Err(TransportError::Stopped)), "{result:?}");
            assert!(calls.lines().count() <= 1, "{calls}");
        }
    }

    #[test]
    fn the_next_place_is_taken_if_one_is_refused_and_all_are_told() {
        let body = "case $* in *one*) exit 1 ;; stat*) echo tmpfs ;; esac";
        for in_memory in [true, false] {
            let (result, calls) = made("next", body, in_memory, &Stop::default());
            assert_eq!(result.unwrap(), "/two/x", "{calls}");
        }
        let (result, _) = made("none", "echo ext2/ext3", true, &Stop::default());
        let why = result.unwrap_err().to_string();
        assert!(why.contains("no directory in memory, which secrets need: tried /one /two"), "{why}");
    }
}
