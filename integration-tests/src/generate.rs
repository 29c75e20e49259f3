//! Inventories of any size that pass every check: several networks of both families, hypervisors with
//! their virtual machines, aliases, tags, profiles, states. The same size and seed give the same octets.
//!
//! A file holds 100 hosts, so that editing one of many files is what an operator's edit is.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

/// Hosts in one file.
pub const HOSTS_PER_FILE: usize = 100;
/// Hosts in one network; below the pool at 250.0 of its /16.
const HOSTS_PER_NETWORK: usize = 50_000;
/// Every twentieth host is a hypervisor and carries the nineteen after it.
const HYPERVISOR_EVERY: usize = 20;

/// What to make.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Number of hosts, at most 10 million.
    pub hosts: usize,
    /// Other seeds give other tags, states and aliases.
    pub seed: u64,
}

/// A generated host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its first label.
    pub name: String,
    /// Its whole name.
    pub fqdn: String,
    /// Its network.
    pub network: String,
    /// Its hardware address.
    pub mac: String,
    /// Its addresses.
    pub ipv4: Ipv4Addr,
    /// Every host has one of each.
    pub ipv6: Ipv6Addr,
    /// First label of its alias, if it has one.
    pub alias: Option<String>,
    /// Whether it is served: not `planned`, not `retired`.
    pub served: bool,
    text: String,
}

impl Plan {
    /// How many networks there are: at least four.
    pub fn networks(self) -> usize {
        self.hosts.div_ceil(HOSTS_PER_NETWORK).max(4)
    }

    /// How many files of hosts there are.
    pub fn files(self) -> usize {
        self.hosts.div_ceil(HOSTS_PER_FILE)
    }

    /// Path of a file of hosts, below the root.
    pub fn path(self, file: usize) -> PathBuf {
        PathBuf::from(format!("hosts/{:03}/{file:06}.toml", file / 100))
    }

    /// Hosts of a file.
    pub fn hosts_of(self, file: usize) -> impl Iterator<Item = Host> {
        let first = file * HOSTS_PER_FILE;
        (first..self.hosts.min(first + HOSTS_PER_FILE)).map(move |number| self.host(number))
    }

    /// Text of a file of hosts.
    pub fn file(self, file: usize) -> String {
        self.hosts_of(file).map(|host| host.text).collect()
    }

    /// Writes the inventory below `root`, which is made if it is missing.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write(self, root: &Path) -> io::Result<()> {
        fs::create_dir_all(root)?;
        fs::write(root.join("site.toml"), self.globals())?;
        for file in 0..self.files() {
            let path = root.join(self.path(file));
            if file.is_multiple_of(100) {
                fs::create_dir_all(path.parent().unwrap_or(root))?;
            }
            fs::write(path, self.file(file))?;
        }
        Ok(())
    }

    /// Text of everything that is not a host.
    pub fn globals(self) -> String {
        let mut text = String::from(
            "[site]\nnameservers = [\"ns1.example.net\"]\ncontact = \"hostmaster@example.net\"\n\n\
             [profile.web]\ntags = [\"web\"]\ncpu = 2\n\n[profile.db]\ntags = [\"db\"]\ncpu = 4\n\n\
             [boot.debian12]\nkernel = \"debian12/linux\"\ninitrd = [\"debian12/initrd.gz\"]\n",
        );
        for network in 0..self.networks() {
            let _ = write!(
                text,
                "\n[zone.\"n{network}.example.net\"]\nttl = \"1h\"\nrecords = \"@ MX 10 mail.example.net.\"\n\n\
                 [network.n{network}]\nzone = \"n{network}.example.net\"\nipv4 = \"10.{network}.0.0/16\"\n\
                 ipv6 = \"2001:db8:{network:x}::/64\"\ngateway = \"10.{network}.255.254\"\n\
                 dns = [\"10.{network}.255.253\"]\npool = [\"10.{network}.250.0-10.{network}.250.255\"]\n\
                 lease = \"12h\"\n"
            );
        }
        text
    }

    /// The host with this number.
    pub fn host(self, number: usize) -> Host {
        // Whole files in turn, so that a file's hosts share a network, as a rack's do.
        let file = number / HOSTS_PER_FILE;
        let network = file % self.networks();
        let within = file / self.networks() * HOSTS_PER_FILE + number % HOSTS_PER_FILE;
        let low = u16::try_from(within + 256).unwrap_or(u16::MAX).to_be_bytes();
        let second = u8::try_from(network).unwrap_or(u8::MAX);
        let wide = u16::from(second);
        let ipv4 = Ipv4Addr::new(10, second, low[0], low[1]);
        let ipv6 = Ipv6Addr::new(0x2001, 0xdb8, wide, 0, 0, 0, 1, u16::from_be_bytes(low));
        let random = mix(self.seed ^ number as u64);
        let hypervisor = number - number % HYPERVISOR_EVERY;
        let name = format!("h{number}");
        let id = u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes();
        let mut host = Host {
            fqdn: format!("{name}.n{network}.example.net"),
            network: format!("n{network}"),
            mac: format!("52:54:{:02x}:{:02x}:{:02x}:{:02x}", id[0], id[1], id[2], id[3]),
            alias: random.is_multiple_of(5).then(|| format!("service-{number}")),
            served: true,
            text: String::new(),
            name,
            ipv4,
            ipv6,
        };
        host.write(random, (number != hypervisor).then_some(hypervisor));
        host
    }
}

impl Host {
    /// Writes the entry; `vmhost` is the number of the hypervisor if it is a virtual machine.
    fn write(&mut self, random: u64, vmhost: Option<usize>) {
        let text = &mut self.text;
        let _ = write!(
            text,
            "[host.{}]\nnetwork = \"{}\"\nmac = \"{}\"\nip = [\"{}\", \"{}\"]\n",
            self.name, self.network, self.mac, self.ipv4, self.ipv6
        );
        if let Some(alias) = &self.alias {
            let _ = writeln!(text, "alias = [\"{alias}\"]");
        }
        let Some(vmhost) = vmhost else {
            // Others run on it: it is always there.
            text.push_str("tags = [\"hypervisor\"]\nmemory = \"256 GiB\"\n\n");
            return;
        };
        match random >> 8 & 3 {
            0 => text.push_str("use = \"web\"\n"),
            1 => text.push_str("use = \"db\"\n"),
            2 => text.push_str("tags = [\"batch\", \"prod\"]\n"),
            _ => {}
        }
        match random >> 16 & 63 {
            0 => text.push_str("state = \"planned\"\n"),
            1 => text.push_str("state = \"retired\"\n"),
            2 => text.push_str("state = \"install\"\nboot = \"debian12\"\n"),
            _ => {}
        }
        self.served = random >> 16 & 63 > 1;
        let _ = write!(
            text,
            "memory = \"{} GiB\"\ndisk = {{ root = \"40 GiB\" }}\nvmhost = \"h{vmhost}\"\n\n",
            1 << (random >> 24 & 3)
        );
    }
}

/// One well-mixed number from another (SplitMix64).
pub fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}
