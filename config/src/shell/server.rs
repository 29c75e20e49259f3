//! The engine's socket: what scripts on the source host ask of it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::client::CONTEXT;
use super::wire;

/// An object's definition as it comes in.
#[derive(Clone, Debug, Default)]
pub struct Definition {
    /// Name of the type.
    pub kind: Vec<u8>,
    /// What was on standard input, unless that was a terminal.
    pub stdin: Option<Vec<u8>>,
    /// The values of [`CONTEXT`], in its order, if they are set.
    pub context: [Option<Vec<u8>>; CONTEXT.len()],
    /// Words after the type's name.
    pub words: Vec<Vec<u8>>,
}

/// What a script is told.
#[derive(Debug)]
pub enum Answer {
    /// To end so.
    End {
        /// Exit code.
        code: u8,
        /// For standard output.
        stdout: Vec<u8>,
        /// For standard error.
        stderr: Vec<u8>,
    },
    /// To become this program.
    Run(Vec<OsString>),
}

impl Answer {
    /// Exit code 1 with a message.
    pub fn failure(message: &str) -> Answer {
        Answer::End { code: 1, stdout: Vec::new(), stderr: format!("{message}\n").into_bytes() }
    }
}

/// What answers for one host.
pub trait Service: Send + Sync {
    /// A manifest defines an object.
    fn define(&self, definition: Definition) -> Answer;

    /// A script calls `$__remote_exec`. `input` is what it gives to the command, if that is at hand.
    fn remote_exec(&self, words: &[Vec<u8>], input: Option<Vec<u8>>) -> Answer;

    /// A script asks for a secret.
    fn secret(&self, words: &[Vec<u8>]) -> Answer;

    /// A script calls `$__remote_copy` in the directory `here`.
    fn remote_copy(&self, here: &[u8], words: &[Vec<u8>]) -> Answer;
}

type Services = Arc<Mutex<HashMap<usize, Arc<dyn Service>>>>;

/// Listens until the program ends; hosts come and go.
#[derive(Clone)]
pub struct Server {
    services: Services,
}

impl Server {
    /// Listens on a new socket.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub fn start(socket: &Path) -> io::Result<Server> {
        let listener = UnixListener::bind(socket)?;
        let server = Server { services: Services::default() };
        let services = Arc::clone(&server.services);
        std::thread::Builder::new().name("emulator".to_owned()).spawn(move || {
            for stream in listener.incoming().flatten() {
                let services = Arc::clone(&services);
                std::thread::spawn(move || answer(stream, &services));
            }
        })?;
        Ok(server)
    }

    /// Lets `service` answer for host `number`.
    pub fn add(&self, number: usize, service: Arc<dyn Service>) {
        self.services.lock().unwrap_or_else(PoisonError::into_inner).insert(number, service);
    }

    /// Nothing answers for host `number` any more.
    pub fn remove(&self, number: usize) {
        self.services.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }
}

/// Answers one request. A script that went away does not matter to anyone.
fn answer(mut stream: UnixStream, services: &Services) {
    let Ok(request) = wire::read(&mut stream) else { return };
    let answer = handle(request, services)
        .unwrap_or_else(|| Answer::failure("the engine does not understand the request"));
    let _ = match answer {
        Answer::End { code, stdout, stderr } => wire::write(&mut stream, &[&[code], &stdout, &stderr]),
        Answer::Run(words) => {
            let words: Vec<Vec<u8>> = words.into_iter().map(OsString::into_vec).collect();
            let list: Vec<&[u8]> =
                std::iter::once(&b"run"[..]).chain(words.iter().map(Vec::as_slice)).collect();
            wire::write(&mut stream, &list)
        }
    };
}

fn handle(request: Vec<Vec<u8>>, services: &Services) -> Option<Answer> {
    let mut fields = request.into_iter();
    let (what, number) = (fields.next()?, fields.next()?);
    let number: usize = std::str::from_utf8(&number).ok()?.parse().ok()?;
    let service = services.lock().unwrap_or_else(PoisonError::into_inner).get(&number).cloned();
    let Some(service) = service else { return Some(Answer::failure("the engine is done with this host")) };
    let is_set = |field: Vec<u8>| field.first() == Some(&1);
    Some(match what.as_slice() {
        b"define" => {
            let kind = fields.next()?;
            let mut optional =
                || fields.next().zip(fields.next()).map(|(set, value)| is_set(set).then_some(value));
            let stdin = optional()?;
            let mut context = [const { None }; CONTEXT.len()];
            for value in &mut context {
                *value = optional()?;
            }
            service.define(Definition { kind, stdin, context, words: fields.collect() })
        }
        b"exec" => {
            let input = is_set(fields.next()?).then_some(fields.next()?);
            service.remote_exec(&fields.collect::<Vec<_>>(), input)
        }
        b"secret" => service.secret(&fields.collect::<Vec<_>>()),
        b"copy" => {
            let here = fields.next()?;
            service.remote_copy(&here, &fields.collect::<Vec<_>>())
        }
        _ => return None,
    })
}
