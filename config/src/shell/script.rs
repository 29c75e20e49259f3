//! Running a script on the source host.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use super::stop::Stop;

/// A variable for a local script.
pub type LocalVariable = (&'static str, OsString);

/// A script to run, and where its streams go.
#[derive(Debug)]
pub struct Script<'a> {
    /// A file, or a directory whose files run one after the other.
    pub path: &'a Path,
    /// Variables on top of the program's own environment.
    pub variables: &'a [LocalVariable],
    /// File for its standard output.
    pub stdout: &'a Path,
    /// File for its standard error.
    pub stderr: &'a Path,
}

/// Runs a script to its end. `None` when it ended well, else why not, with what it wrote to standard error.
///
/// # Errors
/// It cannot be started.
pub fn run(script: &Script<'_>, stop: &Stop) -> io::Result<Option<String>> {
    let (stdout, stderr) = (File::create(script.stdout)?, File::create(script.stderr)?);
    for file in files(script.path)? {
        let mut command = command(&file)?;
        command.envs(script.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(stdout.try_clone()?).stderr(stderr.try_clone()?);
        let mut child = command.process_group(0).spawn()?;
        let status = stop.watching(child.id(), || child.wait())?;
        if !status.success() {
            let said = fs::read(script.stderr).unwrap_or_default();
            return Ok(Some(failure(status, &said)));
        }
    }
    Ok(None)
}

/// The files of a script: itself, or those of a directory by name.
fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files: Vec<PathBuf> =
        fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    files.retain(|file| {
        file.is_file() && !file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
    });
    files.sort();
    Ok(files)
}

/// Executable files run as they are, others by `sh -e`.
fn command(file: &Path) -> io::Result<Command> {
    if fs::metadata(file)?.permissions().mode() & 0o111 != 0 {
        return Ok(Command::new(fs::canonicalize(file)?));
    }
    let mut command = Command::new("/bin/sh");
    command.arg("-e").arg(file);
    Ok(command)
}

/// Octets of what a script wrote that are shown, the last ones.
const SHOWN: usize = 4000;

/// How a script ended, for people: the code, and what it wrote to standard error.
pub fn failure(status: ExitStatus, stderr: &[u8]) -> String {
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no exit code".to_owned(),
    };
    with_stderr(&how, stderr)
}

/// `how`, and all that was written to standard error; [`shortened`] before it is shown.
pub fn with_stderr(how: &str, stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let text = text.trim_end();
    if text.is_empty() { how.to_owned() } else { format!("{how}\n{text}") }
}

/// The last 4000 octets or a little less. What is masked in a text is masked before: a secret that is cut is not found.
pub fn end(text: &str) -> &str {
    let mut starts = text.len().saturating_sub(SHOWN)..=text.len();
    starts.find_map(|start| text.get(start..)).unwrap_or_default()
}

/// The first line, which says how something ended, at most 4000 octets of it, and the [`end`] of the rest.
pub fn shortened(text: &str) -> String {
    let (how, rest) = text.split_at(text.find('\n').unwrap_or(text.len()));
    let how = (0..=SHOWN).rev().find_map(|length| how.get(..length)).unwrap_or(how);
    match rest.strip_prefix('\n') {
        Some(rest) => format!("{how}\n{}", end(rest)),
        None => how.to_owned(),
    }
}
