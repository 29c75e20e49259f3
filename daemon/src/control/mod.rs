//! The control socket: how the operator's tool asks a running daemon.
//!
//! A Unix stream socket with JSON lines: the client sends `{"get":"status"}`, at most [`MAX_REQUEST`]
//! bytes, and gets one line back; then it may ask again. An answer `{"error":"…"}` is a refusal. Who may
//! ask is decided by the socket's owner and mode, 0660; who may have something done, by [`Request::is_by_owner`].

mod client;
mod error;
mod server;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use client::ask;
pub use error::ControlError;
pub use server::Server;

/// Where dhcpd listens unless it is told otherwise.
pub const DHCPD: &str = "/run/hostbook/dhcpd.sock";
/// Where dnsd listens unless it is told otherwise.
pub const DNSD: &str = "/run/hostbook/dnsd.sock";
/// How long a daemon has to answer: one that takes longer is in trouble.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Longest request line, in bytes.
pub const MAX_REQUEST: usize = 64 * 1024;

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What to get or do, such as `status`.
    pub get: String,
    /// Details, as the request's kind defines them; null when there are none.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub args: Value,
    /// The user that asks, as the kernel says; `None` where it does not.
    #[serde(skip)]
    pub uid: Option<u32>,
}

impl Request {
    /// A request without details.
    pub fn new(get: impl Into<String>) -> Request {
        Request { get: get.into(), args: Value::Null, uid: None }
    }

    /// Whether root asks, or the user that this process runs as: who else may ask what a daemon knows may not
    /// tell it what to do.
    pub fn is_by_owner(&self) -> bool {
        self.uid.is_some_and(|uid| uid == 0 || uid == nix::unistd::geteuid().as_raw())
    }
}

/// The answer to a request that is not served, for a daemon's handler.
pub fn refuse(why: impl Into<String>) -> Value {
    json!({ "error": why.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TempDir;
    use std::io::{Read, Write};
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::{Path, PathBuf};

    const LONG: Duration = Duration::from_secs(60);

    /// Serves on its own thread until dropped.
    struct Running {
        path: PathBuf,
        stop: Option<tokio::sync::oneshot::Sender<()>>,
        thread: Option<std::thread::JoinHandle<()>>,
        _temp: TempDir,
    }

    impl Running {
        fn start(handler: impl Fn(Request) -> Value + Send + Sync + 'static) -> Running {
            let temp = TempDir::new("control");
            let path = temp.path().join("run/dnsd.sock");
            let server = Server::bind(&path, None).unwrap();
            let (stop, stopped) = tokio::sync::oneshot::channel();
            let thread = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    tokio::select! {
                        stopped = server.serve(handler) => panic!("{stopped:?}"),
                        _ = stopped => {}
                    }
                });
            });
            Running { path, stop: Some(stop), thread: Some(thread), _temp: temp }
        }

        /// Sends raw bytes, ends the sending side, returns all that comes back.
        fn raw(&self, bytes: &[u8]) -> String {
            let mut stream = UnixStream::connect(&self.path).unwrap();
            let _ = stream.write_all(bytes);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            text
        }
    }

    impl Drop for Running {
        fn drop(&mut self) {
            drop(self.stop.take());
            self.thread.take().unwrap().join().unwrap();
        }
    }

    fn echo(request: Request) -> Value {
        match request.get.as_str() {
            "status" => json!({ "args": request.args, "text": "two\nlines" }),
            other => refuse(format!("unknown request `{other}`")),
        }
    }

    #[test]
    fn a_question_gets_its_answer_and_a_refusal_its_reason() {
        let server = Running::start(echo);
        let answer = ask(&server.path, &Request::new("status"), LONG).unwrap();
        assert_eq!(answer, json!({ "args": null, "text": "two\nlines" }));
        let with_args = Request { args: json!({ "network": "oob" }), ..Request::new("status") };
        assert_eq!(ask(&server.path, &with_args, LONG).unwrap()["args"]["network"], "oob");
        let refused = ask(&server.path, &Request::new("nonsense"), LONG).unwrap_err();
        assert_eq!(refused.to_string(), "unknown request `nonsense`");
    }

    #[test]
    fn who_asks_is_what_the_kernel_says_and_not_the_request() {
        let server = Running::start(|request| json!([request.uid, request.is_by_owner()]));
        let own = nix::unistd::geteuid().as_raw();
        assert_eq!(server.raw(b"{\"get\":\"x\",\"uid\":4242}"), format!("[{own},true]\n"));
        let other = Request { uid: Some(own + 4242), ..Request::new("x") };
        assert!(!other.is_by_owner() && !Request::new("x").is_by_owner());
    }

    #[test]
    fn several_questions_on_one_connection_are_answered_in_order() {
        let server = Running::start(|request| json!(request.get));
        assert_eq!(server.raw(b"{\"get\":\"a\"}\n{\"get\":\"b\"}\n{\"get\":\"c\"}"), "\"a\"\n\"b\"\n\"c\"\n");
    }

    #[test]
    fn a_line_that_is_no_request_is_refused_and_the_next_one_answered() {
        let server = Running::start(|request| json!(request.get));
        let text = server.raw(b"\xff\xfe\n{\"get\":7}\n[]\n{\"get\":\"ok\"}\n");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(lines[..3].iter().all(|line| line.starts_with("{\"error\":\"not a request:")), "{text}");
        assert_eq!(lines[3], "\"ok\"");
    }

    #[test]
    fn a_request_without_end_is_cut_off_at_the_limit() {
        let server = Running::start(echo);
        let text = server.raw(&vec![b'x'; MAX_REQUEST + 1]);
        assert_eq!(text, "{\"error\":\"the request is longer than 65536 bytes\"}\n");
    }

    #[test]
    fn a_request_that_takes_long_keeps_nobody_else_waiting() {
        let (told, heard) = std::sync::mpsc::channel();
        let heard = std::sync::Mutex::new(heard);
        let server = Running::start(move |request| match request.get.as_str() {
            "wait" => json!(heard.lock().unwrap().recv_timeout(LONG).is_ok()),
            _ => json!(told.send(()).is_ok()),
        });
        let mut waiting = UnixStream::connect(&server.path).unwrap();
        waiting.write_all(b"{\"get\":\"wait\"}\n").unwrap();
        assert_eq!(ask(&server.path, &Request::new("go on"), LONG).unwrap(), true);
        let mut answer = [0; 5];
        waiting.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"true\n");
    }

    #[test]
    fn a_large_answer_arrives_whole() {
        let server = Running::start(|_| json!("x".repeat(3 << 20)));
        let answer = ask(&server.path, &Request::new("leases"), LONG).unwrap();
        assert_eq!(answer.as_str().unwrap().len(), 3 << 20);
    }

    #[test]
    fn clients_beyond_the_limit_are_told_so_and_served_when_others_have_gone() {
        let server = Running::start(|request| json!(request.get));
        let idle: Vec<UnixStream> = (0..server::MAX_CLIENTS)
            .map(|_| {
                // An answered question proves that this client has been accepted.
                let mut stream = UnixStream::connect(&server.path).unwrap();
                stream.write_all(b"{\"get\":\"x\"}\n").unwrap();
                stream.read_exact(&mut [0; 4]).unwrap();
                stream
            })
            .collect();
        assert_eq!(server.raw(b""), "{\"error\":\"too many clients at once\"}\n");
        drop(idle);
        while ask(&server.path, &Request::new("x"), LONG).is_err() {
            std::thread::yield_now();
        }
    }

    #[test]
    fn the_socket_is_for_owner_and_group_and_goes_with_the_server() {
        let server = Running::start(echo);
        let path = server.path.clone();
        let metadata = std::fs::symlink_metadata(&path).unwrap();
        assert!(metadata.file_type().is_socket());
        assert_eq!(metadata.permissions().mode() & 0o777, 0o660);
        drop(server);
        assert!(!path.exists());
    }

    #[test]
    fn a_socket_that_another_daemon_has_put_in_its_place_is_left_alone() {
        let temp = TempDir::new("control");
        let path = temp.path().join("x.sock");
        let old = Server::bind(&path, None).unwrap();
        std::fs::remove_file(&path).unwrap();
        let _new = UnixListener::bind(&path).unwrap();
        drop(old);
        assert!(path.exists());
    }

    #[test]
    fn a_socket_where_nobody_answers_is_replaced_and_one_in_use_is_not() {
        let temp = TempDir::new("control");
        let path = temp.path().join("x.sock");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let server = Server::bind(&path, None).unwrap();
        let error = Server::bind(&path, None).unwrap_err();
        assert_eq!(error.to_string(), format!("another daemon answers at `{}`", path.display()));
        drop(server);

        std::fs::write(&path, b"precious").unwrap();
        let error = Server::bind(&path, None).unwrap_err();
        assert!(error.to_string().ends_with("is not a socket"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    }

    #[test]
    fn a_client_is_told_what_is_wrong_and_what_to_do() {
        use crate::explain::Explain;
        let temp = TempDir::new("control");
        let missing = temp.path().join("dnsd.sock");
        let error = ask(&missing, &Request::new("status"), LONG).unwrap_err();
        assert_eq!(error.to_string(), format!("no daemon listens at `{}`", missing.display()));
        assert!(error.help().unwrap().starts_with("is hostbook-dnsd running?"), "{:?}", error.help());

        let dead = temp.path().join("dead.sock");
        drop(UnixListener::bind(&dead).unwrap());
        assert!(matches!(ask(&dead, &Request::new("status"), LONG), Err(ControlError::NotRunning { .. })));

        let long = Path::new("/tmp").join("x".repeat(200));
        let error = ask(&long, &Request::new("status"), LONG).unwrap_err();
        assert!(error.to_string().contains("cannot connect to"), "{error}");
    }

    #[test]
    fn a_daemon_that_says_nothing_or_nonsense_or_hangs_up_is_an_error() {
        let temp = TempDir::new("control");
        let path = temp.path().join("x.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let once = |reply: &'static [u8]| {
            let listener = listener.try_clone().unwrap();
            let thread = std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                stream.read_exact(&mut [0; 8]).unwrap();
                stream.write_all(reply).unwrap();
            });
            let error = ask(&path, &Request::new("status"), LONG).unwrap_err();
            thread.join().unwrap();
            error
        };
        assert!(matches!(once(b"HTTP/1.1 400\n"), ControlError::BadAnswer { .. }));
        assert!(matches!(once(b"{\"half\":"), ControlError::BadAnswer { .. }));
        assert!(matches!(once(b""), ControlError::BadAnswer { .. }));
        let timeout = ask(&path, &Request::new("status"), Duration::from_millis(1)).unwrap_err();
        assert!(matches!(timeout, ControlError::Timeout { .. }), "{timeout:?}");
    }
}
