//! The tiny client: what runs when a script calls `__file`, `$__remote_exec` or `$__remote_copy`.
//!
//! All three are links to this program; the name says which. It hands everything over to the engine that
//! runs the script and ends as the engine says. It starts for every object of every manifest, so it does
//! nothing else: no arguments are parsed here and no file is read but standard input.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use inventory_core::records::fingerprint_of;

use super::wire;
use crate::core::hex::hex;

/// Where the engine listens.
pub const SOCKET: &str = "__hostbook_socket";

/// Which host of the engine the script is for.
pub const HOST: &str = "__hostbook_host";

/// Name of the link behind `$__remote_exec`.
pub const REMOTE_EXEC: &str = "hostbook-remote-exec";

/// Name of the link behind `$__remote_copy`.
pub const REMOTE_COPY: &str = "hostbook-remote-copy";

/// Name of the link that tells ssh whether a host's key is the one that is expected.
pub const KNOWN_HOST: &str = "hostbook-known-host";

/// Name of the command that prints a secret.
pub const SECRET: &str = "hostbook-secret";

/// What a definition takes from the environment, in the order of the request.
pub const CONTEXT: [&str; 5] =
    ["require", "CDIST_ORDER_DEPENDENCY", "CDIST_OVERRIDE", "__object_name", "__cdist_manifest"];

/// Standard input of a remote command goes through the engine up to this size, else through ssh.
const INPUT_MAX: u64 = 8 << 20;

/// Acts as the client if the program was called by a name that asks for it.
pub fn dispatch() -> Option<ExitCode> {
    let mut args = env::args_os();
    let name = args.next()?;
    let name = Path::new(&name).file_name()?.to_owned();
    let rest: Vec<OsString> = args.collect();
    let result = match name.to_str()? {
        REMOTE_EXEC => remote_exec(&rest),
        REMOTE_COPY => {
            env::current_dir().and_then(|here| ask(b"copy", &[here.into_os_string().into_vec()], &rest))
        }
        KNOWN_HOST => known_host(&rest),
        SECRET => ask(b"secret", &[], &rest),
        name if name.starts_with("__") => define(name, &rest),
        _ => return None,
    };
    Some(result.unwrap_or_else(|error| {
        eprintln!("{}: {error}", name.display());
        ExitCode::FAILURE
    }))
}

fn define(name: &str, rest: &[OsString]) -> io::Result<ExitCode> {
    let mut stdin = io::stdin();
    let given = !stdin.is_terminal();
    let mut input = Vec::new();
    if given && stdin.read_to_end(&mut input).is_err() {
        input.clear();
    }
    let mut fields: Vec<Vec<u8>> = vec![name.as_bytes().to_vec(), flag(given), input];
    for variable in CONTEXT {
        let value = env::var_os(variable);
        fields.push(flag(value.is_some()));
        fields.push(value.unwrap_or_default().into_vec());
    }
    ask(b"define", &fields, rest)
}

/// What ssh's `KnownHostsCommand` is to print of a key that a host shows: a line for it if it has one of the
/// fingerprints in a file, RDATA of SSHFP records in hexadecimal digits. Only SHA-256 counts.
fn known_host(rest: &[OsString]) -> io::Result<ExitCode> {
    let words: Option<Vec<&str>> = rest.iter().map(|word| word.to_str()).collect();
    let Some([file, host, kind, key]) = words.as_deref() else { return Ok(ExitCode::from(2)) };
    let shown = fingerprint_of(kind, key).map(|rdata| hex(&rdata));
    if std::fs::read_to_string(file)?.lines().any(|line| Some(line) == shown.as_deref()) {
        println!("{host} {kind} {key}");
    }
    Ok(ExitCode::SUCCESS)
}

/// A remote command goes through the engine's connection if its input is at hand, else by an ssh of its own
/// over that connection, so that both directions flow (as `rsync` needs it).
fn remote_exec(rest: &[OsString]) -> io::Result<ExitCode> {
    let input = stdin_at_hand()?;
    let whole = input.is_some();
    ask(b"exec", &[flag(whole), input.unwrap_or_default()], rest)
}

fn stdin_at_hand() -> io::Result<Option<Vec<u8>>> {
    let stdin = io::stdin();
    let Ok(copy) = stdin.as_fd().try_clone_to_owned() else { return Ok(Some(Vec::new())) };
    let mut file = File::from(copy);
    let status = file.metadata()?;
    let null = || std::fs::metadata("/dev/null").is_ok_and(|null| null.rdev() == status.rdev());
    if status.file_type().is_char_device() && null() {
        return Ok(Some(Vec::new()));
    }
    if !status.is_file() || status.len() > INPUT_MAX {
        return Ok(None);
    }
    let mut input = Vec::new();
    file.read_to_end(&mut input)?;
    Ok(Some(input))
}

fn ask(what: &[u8], fields: &[Vec<u8>], rest: &[OsString]) -> io::Result<ExitCode> {
    let variable = |name: &str| {
        let missing = || {
            io::Error::other(format!(
                "the environment variable `{name}` is missing: not called by hostbook-config"
            ))
        };
        env::var_os(name).ok_or_else(missing)
    };
    let (socket, host) = (variable(SOCKET)?, variable(HOST)?);
    let mut list: Vec<&[u8]> = vec![what, host.as_bytes()];
    list.extend(fields.iter().map(Vec::as_slice));
    list.extend(rest.iter().map(|word| word.as_bytes()));
    let mut engine = UnixStream::connect(&socket)?;
    wire::write(&mut engine, &list)?;
    let answer = wire::read(&mut engine)?;
    match answer.split_first() {
        Some((kind, words)) if kind == b"run" => run_instead(words),
        Some((code, streams)) => {
            let [stdout, stderr] = streams else { return Err(io::ErrorKind::InvalidData.into()) };
            io::stderr().write_all(stderr)?;
            io::stdout().write_all(stdout)?;
            Ok(ExitCode::from(code.first().copied().unwrap_or(1)))
        }
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Becomes another program, as the engine says.
fn run_instead(words: &[Vec<u8>]) -> io::Result<ExitCode> {
    let mut words = words.iter().map(|word| OsString::from_vec(word.clone()));
    let program = words.next().ok_or(io::ErrorKind::InvalidData)?;
    Err(Command::new(program).args(words).exec())
}

fn flag(set: bool) -> Vec<u8> {
    vec![u8::from(set)]
}
