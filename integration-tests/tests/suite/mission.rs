//! The mission from beginning to end: an entry becomes a machine, and the machine becomes what the manifest says.
//!
//! `hv1` and `metal1` are roots of their own with an sshd, in the test's network; `hv1` runs QEMU. What a
//! machine is made of and where it runs stands in the inventory alone.

mod first_contact;

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use integration_tests::isolated::isolated;
use integration_tests::net::Lan;
use integration_tests::place::Place;
use integration_tests::programs::{Launch, program};
use integration_tests::run::{Ran, run, sh, succeed, wait_until};
use integration_tests::vm::fill_boot_root;

/// The machines that are there already; `@NAME@` is the public key of a host's sshd.
const SITE: &str = r#"
[site]
nameservers = ["ns1.lab.test"]
contact = "hostmaster@lab.test"

[zone."lab.test"]

[network.lab]
zone = "lab.test"
ipv4 = "10.77.0.0/24"
dns = ["10.77.0.1"]

[host.ns1]
network = "lab"
ip = "10.77.0.1"

[host.hv1]
network = "lab"
ip = "10.77.0.5"
tags = ["vmhost"]
memory = "4 GiB"
ssh-host-key = "@hv1@"

[host.metal1]
network = "lab"
ip = "10.77.0.6"
tags = ["web"]
ssh-host-key = "@metal1@"

[boot.memory]
kernel = "linux"
initrd = ["initrd.gz", "ssh.gz"]
cmdline = "console=ttyS0 quiet panic=-1 file={{ boot_url }}/file/start.sh"
files = { "start.sh" = "templates/start.sh.j2" }
"#;

/// What the operator writes to have one more.
const ENTRY: &str = r#"
[host.web1]
network = "lab"
mac = "52:54:00:77:00:16"
ip = "10.77.0.16"
vmhost = "hv1"
cpu = 1
memory = "512 MiB"
disk = { root = "64 MiB" }
tags = ["web"]
boot = "memory"
netboot = "always"
"#;

/// One manifest for all, hardware or not.
const MANIFEST: &str = r#"
case ",$__target_host_tags," in
    *,vmhost,*)
        for vm in "$__inventory"/vm/*; do
            [ ! -d "$vm" ] || __vm "${vm##*/}" --bridge lan0 --accel tcg
        done
        ;;
esac
case ",$__target_host_tags," in
    *,web,*)
        __directory /srv/www --parents
        echo "served by $__target_hostname" | require=__directory/srv/www __file /srv/www/index.html --source -
        require=__file/srv/www/index.html __line motto --file /srv/www/about --line 'one book of hosts'
        ;;
esac
"#;

/// What the boot profile tells the machine: whose key may log in, to report its own, and to start sshd.
const START: &str = "\
mkdir -p /root/.ssh /run/sshd
echo '@operator@' >/root/.ssh/authorized_keys
chmod 600 /etc/ssh/key
wget -q -O - --post-file /etc/ssh/key.pub {{ done_url }}
hostname {{ host.name }}
/usr/sbin/sshd -f /etc/ssh/config
echo \"ready: {{ host.fqdn }}\"
while :; do sleep 1000; done
";

const SSHD: &str = "HostKey /etc/ssh/key\nPidFile none\nUsePAM no\nUseDNS no\nStrictModes no\nPermitRootLogin yes\n\
                    PasswordAuthentication no\nLogLevel VERBOSE\n";

/// A root directory with an sshd.
const MACHINE: &str = r#"
set -eu
mkdir -p "$R"
cd "$R"
mkdir -p usr etc/ssh var/lib var/tmp tmp run/sshd dev proc root srv
for link in bin sbin lib lib64; do [ ! -L /$link ] || ln -s "$(readlink /$link)" $link; done
cp -a /etc/passwd /etc/group /etc/nsswitch.conf /etc/ld.so.cache /etc/alternatives etc/
echo 'root:*:19000:0:99999:7:::' >etc/shadow
cp "$KEY" etc/ssh/key
cp "$OPERATOR" etc/ssh/authorized
chmod 600 etc/ssh/key etc/ssh/authorized
printf '%s' "$SSHD" >etc/ssh/config
printf 'ListenAddress %s\nAuthorizedKeysFile /etc/ssh/authorized\n' "$ADDRESS" >>etc/ssh/config
mount --bind /usr usr
mount -o remount,ro,bind usr
mount -t proc proc proc
mount --rbind /dev dev
exec chroot . /usr/sbin/sshd -D -e -f /etc/ssh/config
"#;

/// sshd and what it needs beside busybox, as a second initial RAM disk.
const RAM_DISK: &str = r#"
set -eu
mkdir -p "$R"
cd "$R"
mkdir -p etc/ssh usr/sbin root run srv var/tmp
for file in /usr/sbin/sshd $(ldd /usr/sbin/sshd | grep -o '/[^ ]*'); do
    mkdir -p ".$(dirname "$file")"
    cp -L "$file" ".$file"
done
printf 'root:x:0:0::/root:/bin/sh\nsshd:x:100:65534::/run/sshd:/bin/false\n' >etc/passwd
printf 'root:x:0:\nnogroup:x:65534:\n' >etc/group
echo 'root:*:19000:0:99999:7:::' >etc/shadow
cp "$KEY" etc/ssh/key
cp "$KEY.pub" etc/ssh/key.pub
printf '%s' "$SSHD" >etc/ssh/config
find . | /bin/busybox cpio -o -H newc 2>/dev/null | gzip -1 >"$TO"
"#;

/// A firmware, a boot loader, a kernel and a shell start at a tenth of a processor where much else runs.
const PATIENCE: Duration = Duration::from_secs(600);

/// A machine that is there from the beginning. It ends with the value; its sshd's log is shown when the test fails.
struct Machine {
    root: PathBuf,
    log: PathBuf,
    sshd: Child,
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.sshd.kill();
        let _ = self.sshd.wait();
        if std::thread::panicking() {
            println!("--- {}:\n{}---", self.log.display(), fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}

/// The operator's desk: an inventory and keys.
struct Desk {
    place: Place,
}

impl Desk {
    fn new() -> Desk {
        let desk = Desk { place: Place::empty() };
        for name in ["operator", "hv1", "metal1", "web1"] {
            let mut keygen = Command::new("ssh-keygen");
            keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]).arg(desk.path(name));
            succeed(keygen);
        }
        let inventory = desk.place.inventory();
        fs::create_dir_all(inventory.join("config/manifest")).unwrap();
        fs::write(inventory.join("config/manifest/init"), MANIFEST).unwrap();
        fs::create_dir(inventory.join("templates")).unwrap();
        fs::write(inventory.join("templates/start.sh.j2"), desk.with_keys(START)).unwrap();
        fs::write(inventory.join("site.toml"), desk.with_keys(SITE)).unwrap();
        let ssh = format!(
            "Host *\n IdentityFile {}\n IdentitiesOnly yes\n UserKnownHostsFile none\n StrictHostKeyChecking yes\n",
            desk.path("operator").display()
        );
        fs::write(desk.path("ssh_config"), ssh).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn with_keys(&self, text: &str) -> String {
        ["operator", "hv1", "metal1", "web1"].iter().fold(text.to_owned(), |text, name| {
            let key = fs::read_to_string(self.path(&format!("{name}.pub"))).unwrap();
            text.replace(&format!("@{name}@"), key.trim())
        })
    }

    fn machine(&self, name: &str, address: &str) -> Machine {
        let root = self.path(&format!("root-{name}"));
        sh(&format!("ip address add {address}/24 dev lan0"));
        let log = self.path(&format!("{name}.log"));
        let mut sshd = Command::new("unshare");
        sshd.args(["--mount", "--uts", "--pid", "--fork", "--kill-child=KILL", "--propagation", "private"]);
        sshd.args(["sh", "-c", MACHINE]).env("R", &root).env("KEY", self.path(name)).env("SSHD", SSHD);
        sshd.env("OPERATOR", self.path("operator.pub")).env("ADDRESS", address);
        let sshd = sshd.stdin(Stdio::null()).stderr(fs::File::create(&log).unwrap()).spawn().unwrap();
        let machine = Machine { root, log, sshd };
        wait_until(&format!("sshd of {name}"), || TcpStream::connect((address, 22)).is_ok());
        machine
    }

    /// What the machine that boots gets by TFTP and HTTP.
    fn boot_root(&self) -> PathBuf {
        let root = self.path("boot");
        fill_boot_root(&root);
        let mut make = Command::new("sh");
        make.args(["-c", RAM_DISK])
            .env("R", self.path("ram"))
            .env("KEY", self.path("web1"))
            .env("SSHD", SSHD);
        succeed({
            make.env("TO", root.join("ssh.gz"));
            make
        });
        root
    }

    fn config(&self, verb: &str, host: &str) -> Ran {
        let mut command = program("hostbook-config");
        command
            .arg(verb)
            .arg("-i")
            .arg(self.place.inventory())
            .arg("--ssh-config")
            .arg(self.path("ssh_config"))
            .arg("--control")
            .arg(self.place.control("dhcpd"));
        command.args(["--json", host]);
        run(command)
    }
}

/// Objects of a report that came out as `result`.
fn objects(ran: &Ran, result: &str) -> Vec<String> {
    let report: serde_json::Value =
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let all =
        report["hosts"][0]["objects"].as_array().unwrap().iter().filter(|object| object["result"] == result);
    all.map(|object| object["object"].as_str().unwrap().to_owned()).collect()
}

/// What a machine's serial console shows from now on.
fn console(root: &Path) -> Arc<Mutex<String>> {
    let shown = Arc::new(Mutex::new(String::new()));
    let mut stream = UnixStream::connect(root.join("var/lib/hostbook/vm/web1/console")).unwrap();
    let text = Arc::clone(&shown);
    std::thread::spawn(move || {
        let mut octets = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut octets) {
            text.lock().unwrap().push_str(&String::from_utf8_lossy(&octets[..count]));
        }
    });
    shown
}

#[test]
#[ignore = "takes minutes: a machine boots by QEMU's own processor"]
fn an_entry_becomes_a_machine_that_is_configured_like_hardware() {
    assert!(nix::unistd::geteuid().is_root(), "this test needs root, for the machines' sshd");
    isolated(|| {
        let desk = Desk::new();
        let _lan = Lan::new("lan0", &["10.77.0.1/24"]);
        let (hv1, metal1) = (desk.machine("hv1", "10.77.0.5"), desk.machine("metal1", "10.77.0.6"));
        let boot = desk.boot_root();
        let dhcpd = Launch::dhcpd(&desk.place);
        let dhcpd = dhcpd.args(&["--interface", "lan0", "--boot-root", boot.to_str().unwrap()]).start();
        let _dnsd = Launch::dnsd(&desk.place).args(&["--listen", "10.77.0.1:53"]).start();

        // Without the entry there is no such machine, and nothing to do for its host.
        let idle = desk.config("push", "hv1");
        assert_eq!((idle.code(), objects(&idle, "changed")), (0, vec![]), "{idle:?}");
        assert_eq!(address_of("web1.lab.test"), "");

        desk.place.save("web1.toml", &desk.with_keys(ENTRY));
        let plan = desk.config("plan", "hv1");
        assert_eq!(plan.code(), 3, "{plan:?}");
        assert!(!hv1.root.join("etc/hostbook/vm/web1").exists(), "a plan makes no machine");
        let push = desk.config("push", "hv1");
        assert_eq!(push.code(), 0, "{push:?}");
        assert!(objects(&push, "changed").contains(&"__vm/web1".to_owned()), "{push:?}");
        let shown = console(&hv1.root);
        let again = desk.config("push", "hv1");
        assert_eq!((again.code(), objects(&again, "changed")), (0, vec![]), "{again:?}");

        // By DHCP, TFTP and HTTP of our own, to where it answers under its name.
        let deadline = Instant::now() + PATIENCE;
        while !shown.lock().unwrap().contains("ready: web1.lab.test") {
            assert!(Instant::now() < deadline, "web1 does not come up:\n{}", shown.lock().unwrap());
            std::thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(dhcpd.status()["counters"]["boot"]["script"], 1);
        assert_eq!(address_of("web1.lab.test"), "10.77.0.16");
        wait_until("sshd of web1", || TcpStream::connect(("10.77.0.16", 22)).is_ok());

        // The very manifest that hardware with the same tags gets.
        for host in ["web1", "metal1"] {
            let push = desk.config("push", host);
            assert_eq!(push.code(), 0, "{push:?}\n{}", shown.lock().unwrap());
            let all = ["__directory/srv/www", "__file/srv/www/index.html", "__line/motto"];
            assert_eq!(objects(&push, "changed"), all, "{host}");
            let again = desk.config("push", host);
            assert_eq!((again.code(), objects(&again, "unchanged").len()), (0, 3), "{again:?}");
        }
        fs::write(desk.path("known"), desk.with_keys("10.77.0.16 @web1@\n")).unwrap();
        let known = format!("UserKnownHostsFile={}", desk.path("known").display());
        let mut look = Command::new("ssh");
        look.arg("-F").arg(desk.path("ssh_config")).args(["-o", &known, "root@10.77.0.16"]);
        look.arg("cat /srv/www/index.html /srv/www/about; hostname");
        assert_eq!(succeed(look), "served by web1\none book of hosts\nweb1\n");
        assert_eq!(fs::read_to_string(metal1.root.join("srv/www/index.html")).unwrap(), "served by metal1\n");
    });
}

/// What our name server says about a name; nothing: there is no such name.
fn address_of(name: &str) -> String {
    sh(&format!("dig +short +tries=3 @10.77.0.1 {name} A")).trim().to_owned()
}
