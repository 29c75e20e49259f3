//! The clients: how each is started, told to do something, and ended.

use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::process::{Child, Stdio};

use integration_tests::net::Machine;
use integration_tests::run::{sh, wait_for, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A client program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    Dhclient,
    Udhcpc,
    Dhcpcd,
    Networkd,
}

/// A program that runs on a machine until the value goes away.
pub(super) struct Running {
    child: Child,
    log: String,
}

/// A client on a machine.
pub(super) struct Client<'m> {
    program: Program,
    machine: &'m Machine,
    running: Running,
}

/// What networkd needs of a machine that systemd has not started.
const NETWORKD: &str = "
mkdir -p /run/systemd/network /run/systemd/netif/links /run/systemd/netif/leases
chown -R systemd-network: /run/systemd/netif || true
cat >/run/systemd/network/eth0.network <<END
[Match]
Name=eth0
[Network]
DHCP=ipv4
LinkLocalAddressing=no
IPv6AcceptRA=no
END
";
const LOG: &str = "/run/tmp/client.log";
const DHCLIENT_FILES: &str = "-pf /run/tmp/dhclient.pid -lf /run/tmp/dhclient.leases";

impl Program {
    /// The program in the foreground.
    fn command(self) -> String {
        match self {
            Program::Dhclient => format!("dhclient -4 -d -v {DHCLIENT_FILES} eth0"),
            Program::Udhcpc => "udhcpc -i eth0 -f -t 20 -T 2 -s /etc/udhcpc/default.script".to_owned(),
            Program::Dhcpcd => "dhcpcd -4 -B -d --noarp eth0".to_owned(),
            // A `/sys` that cannot be written means that there is no udev to wait for.
            Program::Networkd => {
                "unshare --mount sh -c 'mount --bind /sys /sys; mount -o remount,ro,bind /sys; \
                                  SYSTEMD_LOG_LEVEL=debug exec /lib/systemd/systemd-networkd'"
                    .to_owned()
            }
        }
    }

    /// Whether it asks for the address that it had when it starts again; udhcpc and a networkd that has
    /// crashed begin anew.
    pub(super) fn remembers(self) -> bool {
        matches!(self, Program::Dhclient | Program::Dhcpcd)
    }

    /// Whether it looks at the server's timers; udhcpc does not.
    pub(super) fn heeds_timers(self) -> bool {
        self != Program::Udhcpc
    }

    /// What it logs when it has its address and its lease is written down.
    fn settled(self) -> &'static str {
        match self {
            Program::Dhclient => "bound to ",
            Program::Udhcpc => "lease of ",
            Program::Dhcpcd => "spawned listener ",
            Program::Networkd => "-> configured",
        }
    }
}

impl Running {
    pub(super) fn start(machine: &Machine, line: &str, log: &str) -> Running {
        let mut command = machine.command("sh");
        command.args(["-c", &format!("exec {line}")]).stdin(Stdio::null());
        let file = File::options().append(true).create(true).open(log).unwrap();
        command.stdout(file.try_clone().unwrap()).stderr(file);
        Running { child: command.spawn().unwrap(), log: log.to_owned() }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("--- {}:\n{}", self.log, fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}

impl<'m> Client<'m> {
    /// Starts `program` on `machine`.
    pub(super) fn start(program: Program, machine: &'m Machine) -> Client<'m> {
        if program == Program::Networkd {
            sh(NETWORKD);
        }
        let _ = fs::remove_file(LOG);
        let running = Running::start(machine, &program.command(), LOG);
        Client { program, machine, running }
    }

    /// Waits until it has one address and is content, and returns that.
    pub(super) fn address(&self) -> Ipv4Addr {
        wait_until(&format!("{:?} to be content", self.program), || {
            fs::read_to_string(&self.running.log).unwrap().contains(self.program.settled())
        });
        wait_for(&format!("{:?} to have an address", self.program), || {
            let addresses = self.machine.addresses();
            let [only] = &*addresses else { return None };
            only.split('/').next()?.parse().ok()
        })
    }

    /// Makes it renew, if it does not by itself: udhcpc looks at no timers of the server.
    pub(super) fn renew(&self) {
        if !self.program.heeds_timers() {
            self.running.signal(Signal::SIGUSR1);
        }
    }

    /// Its end, as when the power fails: the lease stays written down, the address is gone.
    pub(super) fn crash(self) {
        let Client { machine, running, .. } = self;
        drop(running);
        machine.sh("ip address flush dev eth0; rm -rf /run/dhcpcd /run/tmp/dhclient.pid");
    }

    /// Gives the lease back.
    pub(super) fn release(self) {
        let Client { program, machine, running } = self;
        match program {
            Program::Dhclient => {
                drop(running);
                machine.sh(&format!("dhclient -4 -r {DHCLIENT_FILES} eth0 >>/run/tmp/client.log 2>&1"));
            }
            Program::Udhcpc => {
                running.signal(Signal::SIGUSR2);
                wait_until("udhcpc to have no address", || machine.addresses().is_empty());
            }
            Program::Dhcpcd => {
                // As `dhcpcd -k` does, which then waits for a process that is this test's to bury.
                running.signal(Signal::SIGALRM);
                wait_until("dhcpcd to have no address", || machine.addresses().is_empty());
            }
            Program::Networkd => {
                running.signal(Signal::SIGTERM);
                wait_until("networkd to have no address", || machine.addresses().is_empty());
            }
        }
    }
}

/// Forgets the leases that clients have written down.
pub(super) fn forget() {
    sh("rm -rf /var/lib/dhcpcd/*.lease /run/dhcpcd /run/systemd/netif /run/tmp/dhclient.*");
}
