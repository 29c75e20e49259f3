//! A little network: a bridge that the daemons serve, and machines on it, each a network namespace.

use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};

use crate::run::{sh, succeed, wait_until};

/// A bridge in the test's first namespace. Machines are attached to it by cables.
#[derive(Debug)]
pub struct Lan {
    interface: String,
}

/// A machine: a network namespace with one interface `eth0`.
#[derive(Debug)]
pub struct Machine {
    namespace: PathBuf,
}

impl Lan {
    /// Makes the bridge `interface` with `addresses`, each with its prefix length.
    pub fn new(interface: &str, addresses: &[&str]) -> Lan {
        sh(&format!("ip link add {interface} type bridge && ip link set {interface} up"));
        for address in addresses {
            add_address(interface, address, &sh);
        }
        Lan { interface: interface.to_owned() }
    }

    /// The bridge's name.
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// A new machine `name` whose interface has the hardware address `mac`. It is up and has no address.
    pub fn attach(&self, name: &str, mac: &str) -> Machine {
        let machine = Machine::alone(name);
        self.cable(&machine, "eth0", mac);
        machine
    }

    /// One more interface of a machine, plugged into this bridge. It is up and has no address.
    ///
    /// # Panics
    /// It has one of that name.
    pub fn cable(&self, machine: &Machine, interface: &str, mac: &str) {
        let (bridge, name) = (&self.interface, machine.namespace.file_name().unwrap().to_string_lossy());
        let end = if interface == "eth0" { format!("v-{name}") } else { format!("{interface}-{name}") };
        sh(&format!(
            "ip link add {end} type veth peer name {interface} address {mac} netns {name}
             ip link set {end} master {bridge} up"
        ));
        machine.sh(&format!("ip link set {interface} up"));
    }
}

impl Machine {
    /// A machine without any interface but its loopback, which is up.
    pub fn alone(name: &str) -> Machine {
        let machine = Machine { namespace: PathBuf::from("/run/netns").join(name) };
        machine.make();
        machine.sh("ip link set lo up");
        machine
    }

    /// Makes the namespace, kept by a mount of it.
    fn make(&self) {
        File::create(&self.namespace).unwrap();
        std::thread::scope(|scope| {
            let made = scope.spawn(|| {
                unshare(CloneFlags::CLONE_NEWNET).unwrap();
                let here = Some("/proc/thread-self/ns/net");
                mount(here, &self.namespace, None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
            });
            made.join().unwrap();
        });
    }

    /// Gives `eth0` an address, with its prefix length.
    pub fn add_address(&self, address: &str) {
        add_address("eth0", address, &|line| self.sh(line));
    }

    /// The command that runs another one on this machine.
    pub fn enter(&self) -> [String; 3] {
        ["nsenter".to_owned(), format!("--net={}", self.namespace.display()), "--".to_owned()]
    }

    /// A command that runs on this machine.
    pub fn command(&self, program: &str) -> Command {
        let [enter, network, end] = self.enter();
        let mut command = Command::new(enter);
        command.arg(network).arg(end).arg(program);
        command
    }

    /// What a shell command printed on this machine.
    pub fn sh(&self, line: &str) -> String {
        let mut command = self.command("sh");
        command.args(["-ec", line]);
        succeed(command)
    }

    /// Runs `act` with this machine's network.
    pub fn on<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let acted = scope.spawn(|| {
                setns(File::open(&self.namespace).unwrap(), CloneFlags::CLONE_NEWNET).unwrap();
                act()
            });
            acted.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Addresses of `eth0` without the link's own, as `10.20.0.11/24`.
    pub fn addresses(&self) -> Vec<String> {
        let text = self.sh("ip -o address show dev eth0 scope global");
        text.lines().filter_map(|line| line.split_whitespace().nth(3)).map(str::to_owned).collect()
    }

    /// The router of the default route.
    pub fn router(&self) -> Option<String> {
        let text = self.sh("ip -4 route show default");
        text.split_whitespace().nth(2).map(str::to_owned)
    }
}

/// Adds an address and waits until packets for it are taken in. Duplicates are not looked for, but even
/// so the kernel makes the route of an IPv6 address a moment later.
fn add_address(interface: &str, address: &str, sh: &dyn Fn(&str) -> String) {
    let (family, nodad) = if address.contains(':') { ("-6", "nodad") } else { ("-4", "") };
    sh(&format!("ip {family} address add {address} dev {interface} {nodad}"));
    let route = format!("local {} ", address.split('/').next().unwrap_or(address));
    wait_until(&route, || sh(&format!("ip {family} route show table local")).contains(&route));
}
