//! Many hosts: so many at a time, each with directories of its own, none waiting for another.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::args::{Become, Reach};
use super::client::{KNOWN_HOST, REMOTE_COPY, REMOTE_EXEC};
use super::env::Environment;
use super::host::{self, Host, Settings};
use super::inventory;
use super::pins;
use super::programs::ProgramOptions;
use super::report::HostReport;
use super::rundir::{HostDirs, RunDir, random_hex};
use super::select::Selected;
use super::server::Server;
use super::ssh::{BASES, BASES_IN_MEMORY, SshOptions};
use super::transport::Cost;

/// A run over many hosts.
pub struct Fleet<'a> {
    /// The run's directory.
    pub dir: &'a RunDir,
    /// What is the same for all hosts.
    pub settings: &'a Settings,
    /// How to reach them.
    pub reach: &'a Reach,
    /// Whether to leave their directories there.
    pub keep: bool,
    /// Log level that scripts are told.
    pub log_level: (u8, &'static str),
}

/// Hears what happens.
pub trait Observer: Sync {
    /// A host is busy with something.
    fn step(&self, host: &str, what: &str);
    /// A host is finished.
    fn end(&self, report: &HostReport);
}

impl Fleet<'_> {
    /// Works on all hosts, `parallel` at a time. The reports are in the order of the hosts.
    ///
    /// # Errors
    /// The engine's socket cannot be made.
    pub fn run(
        &self,
        hosts: &[Selected],
        parallel: usize,
        observer: &dyn Observer,
    ) -> io::Result<Vec<HostReport>> {
        let server = Server::start(&self.dir.socket())?;
        let next = AtomicUsize::new(0);
        let reports: Mutex<Vec<(usize, HostReport)>> = Mutex::default();
        std::thread::scope(|scope| {
            for _ in 0..parallel.min(hosts.len()) {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let Some(host) = hosts.get(number) else { return };
                        let report = self.one(number, host, &server, observer);
                        observer.end(&report);
                        reports.lock().unwrap_or_else(PoisonError::into_inner).push((number, report));
                    }
                });
            }
        });
        let mut reports = reports.into_inner().unwrap_or_else(PoisonError::into_inner);
        reports.sort_by_key(|(number, _)| *number);
        Ok(reports.into_iter().map(|(_, report)| report).collect())
    }

    fn one(
        &self,
        number: usize,
        selected: &Selected,
        server: &Server,
        observer: &dyn Observer,
    ) -> HostReport {
        let name = &selected.target.host;
        let failed =
            |why: String| HostReport::new(name, Some(why), Vec::new(), Vec::new(), 0.0, Cost::default());
        if self.settings.stop.is_asked() {
            return failed("interrupted".to_owned());
        }
        let host = match self.prepare(number, selected) {
            Ok(host) => Arc::new(host),
            Err(error) => return failed(format!("cannot prepare the run: {error}")),
        };
        server.add(number, Arc::clone(&host) as Arc<_>);
        let mut report = host.run(&|what| observer.step(name, what));
        if let Some(error) = report.error.as_mut().filter(|error| error.contains(pins::REFUSED)) {
            let explanation = pins::explanation(selected, error);
            error.push_str(&explanation);
        }
        server.remove(number);
        if !self.keep {
            let _ = fs::remove_dir_all(self.dir.path().join(number.to_string()));
        }
        report
    }

    fn prepare(&self, number: usize, selected: &Selected) -> io::Result<Host> {
        let dirs = HostDirs::create(self.dir, number)?;
        inventory::write(&selected.files, &dirs.global().join("inventory"))?;
        let config = dirs.own("ssh_config");
        fs::write(&config, self.ssh_config(selected, &dirs)?)?;
        let (user, become_root) = login(self.reach, selected);
        let (control, spool) = (dirs.own("m"), dirs.own("batch"));
        let tool = |name: &str| self.dir.tool(name).display().to_string();
        let (exec, copy) = (self.reach.remote_exec.clone(), self.reach.remote_copy.clone());
        let env = Environment {
            target: selected.target.clone(),
            dirs,
            socket: self.dir.socket(),
            number,
            remote_exec: exec.clone().unwrap_or_else(|| tool(REMOTE_EXEC)),
            remote_copy: copy.clone().unwrap_or_else(|| tool(REMOTE_COPY)),
            log_level: self.log_level,
            dry: self.settings.mode.dry,
        };
        let reach = match exec.zip(copy) {
            Some((exec, copy)) => host::Reach::Programs(ProgramOptions {
                exec,
                copy,
                host: selected.target.host.clone(),
                variables: env.local(),
                places: self.places("/var/lib").split(' ').map(str::to_owned).collect(),
                in_memory: self.must_be_in_memory(),
                name: format!("hostbook-{}", random_hex::<12>()?),
                spool,
                silence: self.reach.timeout,
            }),
            None => host::Reach::Ssh(SshOptions {
                program: "ssh".into(),
                config,
                control,
                user,
                become_root,
                host: selected.target.host.clone(),
                silence: self.reach.timeout,
                lock_wait: self.reach.lock_wait,
                bases: self.places(BASES),
                in_memory: self.must_be_in_memory(),
                nonce: String::new(),
            }),
        };
        Ok(Host::new(self.settings.clone(), env, reach))
    }

    /// Where the private directory on a target may lie: with secrets, only where systems keep it in memory.
    fn places(&self, usual: &str) -> String {
        let usual = if self.settings.secrets.are_used() { BASES_IN_MEMORY } else { usual };
        self.reach.remote_out_path.clone().unwrap_or_else(|| usual.to_owned())
    }

    /// Whether the target is asked if that is so. A place that the operator names is taken as it is.
    fn must_be_in_memory(&self) -> bool {
        self.settings.secrets.are_used() && self.reach.remote_out_path.is_none()
    }

    /// What ssh is told: keys that the inventory pins come first, so that nothing else counts; then the operator's
    /// configuration, whose word wins; then what the inventory knows of the way.
    fn ssh_config(&self, selected: &Selected, dirs: &HostDirs) -> io::Result<String> {
        let (known, tool) = (dirs.own("known_hosts"), self.dir.tool(KNOWN_HOST));
        let mut text = pins::configuration(selected, &known, &tool)?;
        let own = match &self.reach.ssh_config {
            Some(file) => Some(std::path::absolute(file)?),
            None => std::env::var_os("HOME")
                .map(|home| Path::new(&home).join(".ssh/config"))
                .filter(|file| file.is_file()),
        };
        let include = |file: &PathBuf| format!("Include {}\n", pins::quoted(file));
        text.push_str(&own.as_ref().map(include).unwrap_or_default());
        text.push_str("Host *\n");
        if let Some(address) = selected.address {
            text.push_str(&format!("    HostName {address}\n    HostKeyAlias {}\n", selected.target.host));
        }
        text.push_str("    ConnectTimeout 15\n    ServerAliveInterval 15\n    ServerAliveCountMax 4\n");
        if self.reach.ssh_config.is_none() {
            text.push_str("Include /etc/ssh/ssh_config\n");
        }
        Ok(text)
    }
}

/// Who logs in, and what makes root of them: the command line's word, or else the inventory's, or else root, as cdist
/// has it. With `--become` alone, ssh's configuration says who. A login of the inventory's that is not root becomes root
/// by sudo, unless another program is asked for.
fn login(reach: &Reach, selected: &Selected) -> (Option<String>, Option<String>) {
    let of_inventory = selected.user.clone().filter(|_| reach.user.is_none());
    let implied = of_inventory.as_ref().filter(|user| *user != "root").map(|_| Become::Sudo);
    let become_root = reach.r#become.or(implied).map(|program| match program {
        Become::Sudo => "sudo -n".to_owned(),
        Become::Doas => "doas -n".to_owned(),
    });
    let root = || become_root.is_none().then(|| "root".to_owned());
    (reach.user.clone().or(of_inventory).or_else(root), become_root)
}
