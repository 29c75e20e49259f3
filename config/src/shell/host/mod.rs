//! One host from beginning to end: explorers, the initial manifest, and then what the engine says may run.

mod diff;
mod local;
mod remote;
mod said;
mod service;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::client::{REMOTE_COPY, REMOTE_EXEC};
use super::confdir::Conf;
use super::env::{Environment, Target};
use super::programs::{ProgramOptions, Programs};
use super::report::{self, HostReport, ObjectReport};
use super::rundir::{HostDirs, RunDir, random_hex};
use super::script::shortened;
use super::secrets::Secrets;
use super::ssh::{SshLink, SshOptions};
use super::stop::Stop;
use super::transport::{Cost, Link, TransportError};
use crate::core::engine::{Engine, Mode, Outcome};
use crate::core::model::{Model, Object, ObjectIndex};
use crate::core::name::ObjectName;
use said::said;

/// What is the same for all hosts of a run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Types, explorers, manifests.
    pub conf: Arc<Conf>,
    /// The initial manifest.
    pub manifest: PathBuf,
    /// What the run is for.
    pub mode: Mode,
    /// Scripts of one host that may run at the same time on the source host.
    pub jobs: usize,
    /// How often a lost connection is made again.
    pub retries: u32,
    /// Whether and when to stop early.
    pub stop: Stop,
    /// Secrets that parameters refer to.
    pub secrets: Secrets,
}

/// A host while its run lasts. Scripts reach it through the engine's socket.
#[derive(Debug)]
pub struct Host {
    settings: Settings,
    env: Environment,
    reach: Reach,
    engine: Mutex<Engine>,
    link: Mutex<Option<Link>>,
    cost: Mutex<Cost>,
    warnings: Mutex<Vec<String>>,
    diffs: Mutex<BTreeMap<ObjectName, String>>,
}

/// How a host is reached.
#[derive(Clone, Debug)]
pub enum Reach {
    /// By ssh.
    Ssh(SshOptions),
    /// By programs of the user.
    Programs(ProgramOptions),
    /// Not at all: objects can be defined, and that is all.
    Nothing,
}

/// Why the run on a host ends before its time.
#[derive(Debug)]
pub enum HostError {
    /// The way to the target.
    Transport(TransportError),
    /// Files of the run on the source host.
    Io(io::Error),
    /// A script without which nothing else makes sense, or a cycle of requirements.
    Failed(String),
}

impl std::fmt::Display for HostError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            HostError::Transport(error) => error.fmt(f),
            HostError::Io(error) => write!(f, "files of the run: {error}"),
            HostError::Failed(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for HostError {}

impl From<io::Error> for HostError {
    fn from(error: io::Error) -> HostError {
        HostError::Io(error)
    }
}

impl From<TransportError> for HostError {
    fn from(error: TransportError) -> HostError {
        HostError::Transport(error)
    }
}

/// Hears what happens on a host: a word or two on what it is busy with.
pub type OnStep<'a> = &'a (dyn Fn(&str) + Sync);

impl Host {
    /// A host that nothing has been done with.
    pub fn new(settings: Settings, env: Environment, reach: Reach) -> Host {
        let model = Model::new(Arc::clone(&settings.conf.types), env.dirs.marker());
        Host {
            engine: Mutex::new(Engine::new(model, settings.mode)),
            settings,
            env,
            reach,
            link: Mutex::new(None),
            cost: Mutex::default(),
            warnings: Mutex::default(),
            diffs: Mutex::default(),
        }
    }

    /// A host that is not there: objects can be defined, and that is all.
    ///
    /// # Errors
    /// Its directories cannot be made.
    pub fn without_target(dir: &RunDir, settings: Settings, target: Target) -> io::Result<Host> {
        let dirs = HostDirs::create(dir, 0)?;
        let tool = |name: &str| dir.tool(name).display().to_string();
        let env = Environment {
            target,
            socket: dir.socket(),
            number: 0,
            remote_exec: tool(REMOTE_EXEC),
            remote_copy: tool(REMOTE_COPY),
            log_level: (30, "WARNING"),
            dry: settings.mode.dry,
            dirs,
        };
        Ok(Host::new(settings, env, Reach::Nothing))
    }

    /// What its scripts find in their environment.
    pub fn environment(&self) -> &Environment {
        &self.env
    }

    /// Objects defined so far, with what they require.
    pub fn defined(&self) -> Vec<String> {
        let engine = lock(&self.engine);
        let show = |object: &Object| {
            let requires: Vec<String> = object.requires.iter().map(ToString::to_string).collect();
            if requires.is_empty() {
                object.name.to_string()
            } else {
                format!("{} requires {}", object.name, requires.join(" "))
            }
        };
        engine.model().objects().iter().map(show).collect()
    }

    /// Does everything and tells how it came out.
    pub fn run(&self, on_step: OnStep<'_>) -> HostReport {
        let began = Instant::now();
        let mask = |text: &str| self.settings.secrets.mask(text);
        let error =
            self.stages(&|what| on_step(&mask(what))).err().map(|error| shortened(&mask(&error.to_string())));
        self.hang_up();
        let objects = self.object_reports();
        let warnings = lock(&self.warnings).drain(..).map(|warning| mask(&warning)).collect();
        let seconds = began.elapsed().as_secs_f64();
        let cost = *lock(&self.cost);
        let report = HostReport::new(&self.env.target.host, error, objects, warnings, seconds, cost);
        HostReport { output: said(&self.env.dirs.global(), &self.settings.secrets), ..report }
    }

    fn stages(&self, on_step: OnStep<'_>) -> Result<(), HostError> {
        let mut run = remote::Remote::new(self);
        on_step("connecting");
        self.connect()?;
        run.global_explorers()?;
        self.objects(&mut run, on_step)?;
        if self.settings.mode.dry {
            on_step("comparing files");
            self.compare(&mut run)?;
        }
        Ok(())
    }

    /// The initial manifest, and all that follows from it.
    fn objects(&self, run: &mut remote::Remote<'_>, on_step: OnStep<'_>) -> Result<(), HostError> {
        on_step("initial manifest");
        self.initial_manifest()?;
        self.refuse_cycles()?;
        loop {
            if self.settings.stop.is_asked() {
                return Err(TransportError::Stopped.into());
            }
            let next = lock(&self.engine).manifest();
            if let Some(object) = next {
                self.type_manifest(object)?;
                self.refuse_cycles()?;
                continue;
            }
            let ready = lock(&self.engine).generations();
            if !ready.is_empty() {
                on_step(&format!("{} generating code", self.done_of_all()));
                self.generate(&ready)?;
                continue;
            }
            on_step(&self.done_of_all());
            if !run.step(on_step)? {
                return Ok(());
            }
        }
    }

    fn done_of_all(&self) -> String {
        let engine = lock(&self.engine);
        let all = engine.model().objects().len();
        let done = (0..all).filter(|index| engine.is_done(*index)).count();
        format!("{done}/{all}")
    }

    fn refuse_cycles(&self) -> Result<(), HostError> {
        let engine = lock(&self.engine);
        let Some(cycle) = engine.cycle() else { return Ok(()) };
        let names = cycle
            .iter()
            .chain(cycle.first())
            .map(|index| format!("`{}`", engine.model().object(*index).name));
        let path: Vec<String> = names.collect();
        Err(HostError::Failed(format!("requirements go in a circle: {}", path.join(" requires "))))
    }

    fn connect(&self) -> Result<(), HostError> {
        let link = match &self.reach {
            Reach::Ssh(options) => {
                let options = SshOptions { nonce: random_hex::<12>()?, ..options.clone() };
                let link = SshLink::start(&options, &self.settings.stop)
                    .map_err(|error| HostError::Failed(format!("cannot run ssh: {error}")))?;
                Link::Ssh(Box::new(link))
            }
            Reach::Programs(options) => {
                Link::Programs(Box::new(Programs::new(options.clone(), &self.settings.stop)))
            }
            Reach::Nothing => return Err(HostError::Failed("there is no target".to_owned())),
        };
        *lock(&self.link) = Some(link);
        Ok(())
    }

    /// Closes the connection, which makes the target clean up.
    fn hang_up(&self) {
        if let Some(link) = lock(&self.link).take() {
            let (now, mut cost) = (link.close(), lock(&self.cost));
            cost.processes += now.processes;
            cost.round_trips += now.round_trips;
        }
    }

    fn object_reports(&self) -> Vec<ObjectReport> {
        let engine = lock(&self.engine);
        let outcomes = engine.outcomes();
        outcomes
            .into_iter()
            .map(|(index, outcome)| self.object_report(engine.model().object(index), outcome))
            .collect()
    }

    fn object_report(&self, object: &Object, outcome: Outcome) -> ObjectReport {
        let (result, reason) = match outcome {
            Outcome::Unchanged => (report::Result::Unchanged, None),
            Outcome::Changed => (report::Result::Changed, None),
            Outcome::MayChange => (report::Result::MayChange, None),
            Outcome::Failed(why) => (report::Result::Failed, Some(why)),
            Outcome::Blocked(why) => (report::Result::Blocked, Some(why)),
            Outcome::Skipped => (report::Result::Skipped, None),
        };
        let mask = |text: &str| self.settings.secrets.mask(text);
        let code = |name| {
            let text = std::fs::read(self.env.dirs.object(&object.name).join(name)).ok()?;
            Some(mask(&String::from_utf8_lossy(&text)))
        };
        ObjectReport {
            object: mask(&object.name.to_string()),
            result,
            reason: reason.as_deref().map(|reason| shortened(&mask(reason))),
            parents: object.parents.iter().map(|parent| mask(&parent.to_string())).collect(),
            requires: object
                .requires
                .iter()
                .chain(&object.autorequires)
                .map(|name| mask(&name.to_string()))
                .collect(),
            code_local: code("code-local"),
            code_remote: code("code-remote"),
            output: said(&self.env.dirs.object(&object.name), &self.settings.secrets),
            diff: lock(&self.diffs).get(&object.name).map(|diff| mask(diff)),
        }
    }

    fn object(&self, index: ObjectIndex) -> Object {
        lock(&self.engine).model().object(index).clone()
    }

    fn warn(&self, warning: String) {
        lock(&self.warnings).push(warning);
    }
}

/// A lock that does not mind that another thread panicked: what it guards is whole between statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
