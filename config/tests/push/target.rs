//! A target: a root directory of its own and an sshd in it, on loopback, with its own keys and port.
//!
//! The root shares `/usr` with this machine, read-only, and has everything else for itself. sshd and all
//! that it starts live in namespaces that end with the test.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A running target.
pub(crate) struct Target {
    /// Everything of it.
    pub(crate) dir: PathBuf,
    /// Its root directory, as seen from outside.
    pub(crate) root: PathBuf,
    /// The port of its sshd.
    pub(crate) port: u16,
    sshd: Child,
}

/// What a run printed and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_hostbook-config");

const MAKE_ROOT: &str = r#"
set -eu
mkdir -p "$R" && cd "$R"
mkdir -p usr etc var/lib var/tmp var/log var/cache tmp run/sshd dev proc root home opt srv mnt
for link in bin sbin lib lib64 lib32 libx32; do [ ! -L /$link ] || ln -s "$(readlink /$link)" $link; done
cp -a /etc/. etc/
rm -rf etc/ssh/ssh_host_* etc/ssh/sshd_config.d
chmod 1777 tmp var/tmp
cp ../hostkey etc/ssh/own_key
cp ../user.pub etc/ssh/own_authorized
chmod 600 etc/ssh/own_key etc/ssh/own_authorized
cat >etc/ssh/own_config <<EOF
Port $PORT
ListenAddress 127.0.0.1
HostKey /etc/ssh/own_key
PidFile none
AuthorizedKeysFile /etc/ssh/own_authorized
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
UsePAM no
UseDNS no
MaxStartups 300
MaxSessions 30
Subsystem sftp internal-sftp
EOF
"#;

const START: &str = r#"
set -eu
mount --bind /usr "$R/usr"
mount -o remount,ro,bind "$R/usr"
mount -t proc proc "$R/proc"
mount -t tmpfs -o mode=755 dev "$R/dev"
mknod -m 666 "$R/dev/null" c 1 3
mknod -m 666 "$R/dev/zero" c 1 5
mknod -m 666 "$R/dev/urandom" c 1 9
mknod -m 666 "$R/dev/random" c 1 8
ln -s /proc/self/fd "$R/dev/fd"
eval "$MORE"
exec chroot "$R" /usr/sbin/sshd -D -e -f /etc/ssh/own_config
"#;

impl Target {
    /// A new target.
    pub(crate) fn start(name: &str) -> Target {
        Target::start_with(name, "", "")
    }

    /// A new target; `make` are shell commands run in its root before it starts, `mounts` as it starts.
    pub(crate) fn start_with(name: &str, make: &str, mounts: &str) -> Target {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        assert!(nix::unistd::geteuid().is_root(), "these tests need root");
        assert!(Path::new("/usr/sbin/sshd").exists(), "install openssh-server");
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}-{count}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        for key in ["hostkey", "user"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(dir.join(key))
                .status();
            assert!(made.unwrap().success());
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let root = dir.join("root");
        let made = Command::new("sh")
            .args(["-c", &format!("{MAKE_ROOT}\n{make}")])
            .env("R", &root)
            .env("PORT", port.to_string())
            .status();
        assert!(made.unwrap().success(), "the root directory");
        let log = fs::File::create(dir.join("sshd.log")).unwrap();
        let sshd = Command::new("unshare")
            .args([
                "--mount",
                "--uts",
                "--pid",
                "--fork",
                "--kill-child=KILL",
                "--propagation",
                "private",
                "sh",
                "-c",
                START,
            ])
            .env("R", &root)
            .env("MORE", mounts)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let target = Target { dir, root, port, sshd };
        target.write_ssh_config();
        target.wait();
        target
    }

    fn write_ssh_config(&self) {
        let key = fs::read_to_string(self.dir.join("hostkey.pub")).unwrap();
        fs::write(self.dir.join("known_hosts"), format!("target {key}")).unwrap();
        let dir = self.dir.display();
        let config = format!(
            "Host *\n HostName 127.0.0.1\n Port {}\n IdentityFile {dir}/user\n IdentitiesOnly yes\n\
             UserKnownHostsFile {dir}/known_hosts\n HostKeyAlias target\n StrictHostKeyChecking yes\n LogLevel ERROR\n",
            self.port
        );
        fs::write(self.ssh_config(), config).unwrap();
    }

    fn wait(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(
                Instant::now() < deadline,
                "sshd: {}",
                fs::read_to_string(self.dir.join("sshd.log")).unwrap_or_default()
            );
            std::thread::yield_now();
        }
    }

    /// ssh configuration that leads to it, for every name.
    pub(crate) fn ssh_config(&self) -> PathBuf {
        self.dir.join("ssh_config")
    }

    /// A file or directory of the target, seen from outside.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// The text of a file of the target.
    pub(crate) fn text(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// A configuration directory with these files. Names of types' scripts need no mode: they run by `sh -e`.
    pub(crate) fn conf(&self, files: &[(&str, &str)]) -> PathBuf {
        let conf = self.dir.join("conf");
        let _ = fs::remove_dir_all(&conf);
        for (path, text) in files {
            let path = conf.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fs::create_dir_all(&conf).unwrap();
        conf
    }

    /// The command `hostbook-config COMMAND`, to be completed and run.
    pub(crate) fn command(&self, command: &str) -> Command {
        let mut run = Command::new(PROGRAM);
        run.arg(command).arg("--ssh-config").arg(self.ssh_config()).args([
            "--timeout",
            "60",
            "--lock-wait",
            "30",
        ]);
        run.env("HOME", &self.dir)
            .env_remove("CDIST_PATH")
            .env_remove("HOSTBOOK_INVENTORY")
            .current_dir(&self.dir);
        run
    }

    /// Runs `hostbook-config COMMAND` with a configuration directory for the host `t1`.
    pub(crate) fn run(&self, command: &str, files: &[(&str, &str)], more: &[&str]) -> Ran {
        let conf = self.conf(files);
        ran(self.command(command).arg("-c").arg(conf).args(more).arg("t1"))
    }

    /// Programs for `--remote-exec` and `--remote-copy` that lead here without sshd, and the file with their calls.
    /// The root directory has this machine's `/dev`, with a place in memory.
    pub(crate) fn programs(&self) -> (String, String, PathBuf) {
        let calls = self.dir.join("calls");
        let program = |name: &str, text: String| {
            let path = self.dir.join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
            path.display().to_string()
        };
        let (root, log) = (self.root.display(), calls.display());
        let inside = format!(
            "unshare -m sh -c 'mount --bind /usr {root}/usr; mount --rbind /dev {root}/dev; exec chroot {root} sh -c \"$*\"' --"
        );
        let exec = format!(
            "#!/bin/sh\nhost=$1; shift\necho exec $host $__target_host \"$@\" >>{log}\nexec {inside} \"$@\"\n"
        );
        let copy = format!("#!/bin/sh\necho copy \"$2\" >>{log}\n{inside} \"cat >${{2#*:}}\" <\"$1\"\n");
        (program("exec", exec), program("copy", copy), calls)
    }

    /// What a run left behind where its private directory and its lock may lie.
    pub(crate) fn leftovers(&self) -> Vec<PathBuf> {
        let places = ["run", "tmp", "var/tmp", "var/lib"].map(|place| self.root.join(place));
        let entries = places.iter().flat_map(|place| fs::read_dir(place).unwrap());
        entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.file_name().unwrap().to_string_lossy().contains("hostbook"))
            .collect()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.sshd.kill();
        let _ = self.sshd.wait();
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

/// Runs a command to its end.
pub(crate) fn ran(command: &mut Command) -> Ran {
    let output = command.stdin(Stdio::null()).output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Ran {
    /// Asserts the exit code, with all that was printed.
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// The JSON report of the first host.
    #[track_caller]
    pub(crate) fn host(&self) -> serde_json::Value {
        let report: serde_json::Value =
            serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        report["hosts"][0].clone()
    }

    /// Objects of the first host that came out as `result`.
    #[track_caller]
    pub(crate) fn objects(&self, result: &str) -> Vec<String> {
        let host = self.host();
        let objects = host["objects"].as_array().unwrap().iter().filter(|object| object["result"] == result);
        objects.map(|object| object["object"].as_str().unwrap().to_owned()).collect()
    }
}
