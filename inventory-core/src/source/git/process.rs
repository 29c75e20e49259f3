//! Running git: one question at a time, and `cat-file --batch` for as long as files are read.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::source::FILE_OCTETS_MAX;

/// Why git gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitError(pub(super) String);

impl fmt::Display for GitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for GitError {}

/// A command that reads the repository at `directory`, whoever owns it: reading runs none of its hooks.
fn git(directory: &Path) -> Command {
    let mut git = Command::new("git");
    let whole = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    git.arg("-C").arg(directory);
    // Only the command line and the operator's own files may say so; the repository cannot.
    git.arg("-c").arg(format!("safe.directory={}", whole.display()));
    git.args([
        "-c",
        "core.fsmonitor=false",
        "--no-optional-locks",
        "--no-replace-objects",
        "--literal-pathspecs",
    ]);
    // A missing object is a damaged repository, and no reason to ask the network.
    git.env("GIT_NO_LAZY_FETCH", "1").env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
    for variable in ["GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_NAMESPACE"] {
        git.env_remove(variable);
    }
    if !is_of_hook(directory) {
        for variable in OF_HOOKS {
            git.env_remove(variable);
        }
    }
    git.stdin(Stdio::null());
    git
}

/// What git tells its hooks of their repository: a push has its objects apart until it is accepted.
const OF_HOOKS: [&str; 4] =
    ["GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH"];

/// Whether this is a hook of the repository at `directory`.
fn is_of_hook(directory: &Path) -> bool {
    let own = std::env::var_os("GIT_DIR").and_then(|own| std::fs::canonicalize(own).ok());
    own.is_some() && own == std::fs::canonicalize(directory).ok()
}

/// What git prints.
pub(super) fn ask(directory: &Path, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
    run(git(directory).args(arguments))
}

/// The same with the index that is being committed, where this is a hook of that commit.
pub(super) fn ask_index(directory: &Path, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
    let mut git = git(directory);
    if let Some(index) = std::env::var_os("GIT_INDEX_FILE").and_then(|index| std::path::absolute(index).ok())
    {
        git.env("GIT_INDEX_FILE", index);
    }
    run(git.args(arguments))
}

fn run(git: &mut Command) -> Result<Vec<u8>, GitError> {
    let output = git.output().map_err(|error| cannot_run(&error))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().next().unwrap_or("git failed").trim_start_matches("fatal: ");
    Err(GitError(line.to_owned()))
}

fn cannot_run(error: &io::Error) -> GitError {
    if error.kind() == io::ErrorKind::NotFound {
        return GitError("the program `git` is not installed".to_owned());
    }
    GitError(format!("git cannot be run: {error}"))
}

/// Reads objects by name.
#[derive(Debug)]
pub(super) struct Objects {
    directory: PathBuf,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Objects {
    pub(super) fn new(directory: &Path) -> Objects {
        Objects { directory: directory.to_owned(), running: None }
    }

    /// The octets of the object called `name`.
    pub(super) fn read(&mut self, name: &str) -> Result<Vec<u8>, GitError> {
        if self.running.is_none() {
            self.running = Some(Running::start(&self.directory)?);
        }
        let answer = self.running.as_mut().map_or_else(|| Ok(None), |running| running.read(name));
        match answer {
            Ok(Some(octets)) => Ok(octets),
            Ok(None) => Err(GitError(format!("object {name} is missing: the repository is damaged"))),
            Err(error) => {
                // Where the next answer begins is not known any more.
                self.running = None;
                Err(GitError(format!("git stopped answering: {error}")))
            }
        }
    }

    /// Ends git until the next question: a daemon looks seldom.
    pub(super) fn rest(&mut self) {
        self.running = None;
    }
}

impl Running {
    fn start(directory: &Path) -> Result<Running, GitError> {
        let mut command = git(directory);
        command
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| cannot_run(&error))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(questions), Some(answers)) => {
                Ok(Running { child, questions, answers: BufReader::new(answers) })
            }
            _ => Err(GitError("git has no pipes".to_owned())),
        }
    }

    /// `None` if there is no such object.
    fn read(&mut self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let invalid = || io::Error::new(io::ErrorKind::InvalidData, "not what cat-file says");
        self.questions.write_all(format!("{name}\n").as_bytes())?;
        let mut header = String::new();
        self.answers.by_ref().take(1024).read_line(&mut header)?;
        let mut words = header.split_whitespace().skip(1);
        let size = match (words.next(), words.next()) {
            (Some("missing"), _) => return Ok(None),
            (Some("blob"), Some(size)) => size.parse::<u64>().map_err(|_| invalid())?,
            _ => return Err(invalid()),
        };
        if size > FILE_OCTETS_MAX {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("{size} octets are too many")));
        }
        let mut octets = vec![0; usize::try_from(size).map_err(|_| invalid())?];
        self.answers.read_exact(&mut octets)?;
        let mut end = [0];
        self.answers.read_exact(&mut end)?;
        Ok(Some(octets))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It only reads, so it can be ended at any time.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
