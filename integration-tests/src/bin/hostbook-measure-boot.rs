//! `hostbook-measure-boot`: how fast boot files are delivered, beside the servers that others use for that.
//!
//! All of them serve the same file to the same client (curl) over the loopback, one after the other in
//! each round; the figures are the medians of the rounds. Processor time is the server's alone. `make
//! bench` runs it in a network namespace, on the release build.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a tool for developers: it ends where it cannot measure"
)]

use std::fs::{self, File};
use std::net::{TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch};
use integration_tests::run::{sh, succeed, wait_until};
use nix::unistd::{SysconfVar, sysconf};

const ROUNDS: usize = 3;
const MEGABYTE: usize = 1_000_000;

const SITE: &str = "[site]\nnameservers = [\"ns1.boot.test\"]\n[zone.\"boot.test\"]\n[network.lab]\n\
                    zone = \"boot.test\"\nipv4 = \"10.77.0.0/24\"\n[host.ns1]\nnetwork = \"lab\"\nip = \"10.77.0.1\"\n";

/// What is fetched in which way, by how many clients at once.
struct Load {
    what: &'static str,
    clients: usize,
    megabytes: usize,
    curl: &'static str,
    servers: &'static [Server],
}

const TFTP: &[Server] = &[Server::Ours, Server::TftpdHpa, Server::Dnsmasq];
const LOADS: [Load; 4] = [
    Load {
        what: "TFTP, 1 client",
        clients: 1,
        megabytes: 64,
        curl: "--tftp-blksize 1468 tftp://127.0.0.1/",
        servers: TFTP,
    },
    Load {
        what: "TFTP, 8 clients",
        clients: 8,
        megabytes: 16,
        curl: "--tftp-blksize 1468 tftp://127.0.0.1/",
        servers: TFTP,
    },
    Load {
        what: "HTTP, 1 client",
        clients: 1,
        megabytes: 1024,
        curl: "http://127.0.0.1/",
        servers: &[Server::Ours, Server::Nginx],
    },
    Load {
        what: "HTTP, 8 clients",
        clients: 8,
        megabytes: 256,
        curl: "http://127.0.0.1/",
        servers: &[Server::Ours, Server::Nginx],
    },
];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Server {
    Ours,
    TftpdHpa,
    Dnsmasq,
    Nginx,
}

/// A server that runs. It ends with the value.
enum Running {
    Ours(Daemon),
    Other(Child),
}

fn main() {
    sh("ip link set lo up");
    let place = Place::empty();
    place.save("site.toml", SITE);
    let root = place.path().join("boot");
    fs::create_dir(&root).unwrap();
    for load in &LOADS {
        let file = File::create(root.join(load.megabytes.to_string())).unwrap();
        file.set_len((load.megabytes * MEGABYTE) as u64).unwrap();
    }
    println!("{:<16} {:<12} {:>10} {:>22}", "", "", "MB/s", "core seconds per GB");
    let is_root = fs::read_to_string("/proc/self/setgroups").is_ok_and(|groups| groups.trim() == "allow");
    for load in &LOADS {
        let mut figures: Vec<Vec<(f64, f64)>> = vec![Vec::new(); load.servers.len()];
        for _ in 0..ROUNDS {
            for (server, figures) in load.servers.iter().zip(&mut figures) {
                // It changes its groups before it serves.
                if *server == Server::TftpdHpa && !is_root {
                    continue;
                }
                figures.push(measure(load, *server, &place, &root));
            }
        }
        for (server, figures) in load.servers.iter().zip(figures) {
            if figures.is_empty() {
                println!("{:<16} {:<12} not as an ordinary user", load.what, server.name());
                continue;
            }
            let (speed, cost) =
                (median(figures.iter().map(|one| one.0)), median(figures.iter().map(|one| one.1)));
            println!("{:<16} {:<12} {speed:>10.0} {cost:>22.2}", load.what, server.name());
        }
    }
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Megabytes a second, and core seconds of the server per gigabyte.
fn measure(load: &Load, server: Server, place: &Place, root: &Path) -> (f64, f64) {
    let running = server.start(place, root);
    let url = format!("{}{}", load.curl, load.megabytes);
    let before = running.core_seconds();
    let start = Instant::now();
    let clients: Vec<Child> = (0..load.clients)
        .map(|_| {
            let mut curl = Command::new("sh");
            curl.arg("-c").arg(format!("exec curl -sf -o /dev/null {url}")).spawn().unwrap()
        })
        .collect();
    for mut client in clients {
        assert!(client.wait().unwrap().success(), "{server:?}: {url}");
    }
    let (seconds, megabytes) = (start.elapsed().as_secs_f64(), (load.clients * load.megabytes) as f64);
    (megabytes / seconds, (running.core_seconds() - before) / megabytes * 1000.0)
}

impl Server {
    fn name(self) -> &'static str {
        match self {
            Server::Ours => "hostbook",
            Server::TftpdHpa => "tftpd-hpa",
            Server::Dnsmasq => "dnsmasq",
            Server::Nginx => "nginx",
        }
    }

    /// Starts it and waits until it answers.
    fn start(self, place: &Place, root: &Path) -> Running {
        let shown = root.to_str().unwrap();
        // Children of the server before may still have its socket.
        wait_until("port 69 to be free", || {
            ["0.0.0.0:69", "[::]:69"].into_iter().all(|everywhere| UdpSocket::bind(everywhere).is_ok())
        });
        let (program, args) = match self {
            Server::Ours => {
                let args = ["--interface", "lo", "--boot-root", shown];
                return Running::Ours(Launch::dhcpd(place).args(&args).start());
            }
            Server::TftpdHpa => ("in.tftpd", vec!["-L", "-u", "root", "-s", shown]),
            Server::Dnsmasq => {
                let own = ["--conf-file=/dev/null", "--port=0", "--enable-tftp", "--keep-in-foreground"];
                let own = own.into_iter().chain(["--user=root", "--group=root", "--pid-file="]);
                ("dnsmasq", own.collect())
            }
            Server::Nginx => ("nginx", vec!["-c", "nginx.conf", "-e", "stderr"]),
        };
        let mut command = Command::new(program);
        command.args(args);
        match self {
            Server::Dnsmasq => {
                command.arg(format!("--tftp-root={shown}"));
            }
            Server::Nginx => {
                fs::write(place.path().join("nginx.conf"), nginx(place.path(), shown)).unwrap();
                command.arg("-p").arg(place.path());
            }
            Server::Ours | Server::TftpdHpa => {}
        }
        let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        wait_until(self.name(), || self.answers());
        Running::Other(child)
    }

    fn answers(self) -> bool {
        if self == Server::Nginx {
            return TcpStream::connect("127.0.0.1:80").is_ok();
        }
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        // An error says that it is there as well.
        socket.send_to(b"\0\x01no-such-file\0octet\0", "127.0.0.1:69").is_ok()
            && socket.recv(&mut [0; 600]).is_ok()
    }
}

/// As it is usually tuned: the kernel sends files by itself.
fn nginx(place: &Path, root: &str) -> String {
    let scratch = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let scratch: String =
        scratch.iter().map(|kind| format!("{kind}_temp_path {}/nginx;", place.display())).collect();
    format!(
        "daemon off; master_process off; pid {}/nginx.pid; events {{}} http {{ {scratch} access_log off; \
         sendfile on; tcp_nopush on; server {{ listen 127.0.0.1:80; root {root}; }} }}",
        place.display()
    )
}

impl Running {
    fn pid(&self) -> u32 {
        match self {
            Running::Ours(daemon) => daemon.pid(),
            Running::Other(child) => child.id(),
        }
    }

    /// Processor time of it and of its children that have ended (proc(5): utime, stime, cutime, cstime).
    fn core_seconds(&self) -> f64 {
        let ticks = |path: PathBuf| -> u64 {
            let stat = fs::read_to_string(path).unwrap_or_default();
            let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().map(str::to_owned);
            fields.skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum()
        };
        let pid = self.pid();
        // A child that has ended counts once its parent has asked for it.
        let _ = succeed(Command::new("true"));
        let per_second = sysconf(SysconfVar::CLK_TCK).unwrap().unwrap();
        ticks(format!("/proc/{pid}/stat").into()) as f64 / per_second as f64
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Running::Other(child) = self {
            // Both fail only if it has ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
