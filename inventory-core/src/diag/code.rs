//! The rules that an inventory is checked against, one stable code each.
//!
//! A code never changes its meaning and is never given to another rule. `docs/reference/diagnostics.md` lists
//! them; a test keeps that page and this table equal.

/// Whether a finding keeps the inventory from being served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The inventory is refused; the last good one stays in force.
    Error,
    /// Something is odd; the inventory is served.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    pub const fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

macro_rules! rules {
    ($($code:literal $severity:ident $variant:ident $slug:literal $what:literal;)*) => {
        /// A rule. Its number is stable, see [`Rule::code`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $(#[doc = $what] $variant,)*
        }

        impl Rule {
            /// Every rule, by code.
            pub const ALL: &'static [Rule] = &[$(Rule::$variant),*];

            /// `HB` and three digits.
            pub const fn code(self) -> &'static str {
                match self { $(Rule::$variant => concat!("HB", $code),)* }
            }

            /// A short name in words, with hyphens.
            pub const fn slug(self) -> &'static str {
                match self { $(Rule::$variant => $slug,)* }
            }

            /// What the rule says is wrong, in one sentence.
            pub const fn what(self) -> &'static str {
                match self { $(Rule::$variant => $what,)* }
            }

            /// Whether breaking the rule is an error or a warning.
            pub const fn severity(self) -> Severity {
                match self { $(Rule::$variant => Severity::$severity,)* }
            }
        }
    };
}

rules! {
    // Reading the files.
    "001" Error Syntax "syntax" "The text is not valid TOML.";
    "002" Error UnreadableFile "unreadable-file" "A file or directory cannot be read, is not UTF-8, or is too large.";
    "003" Error EmptyInventory "empty-inventory" "There is no `*.toml` file at all; an unmounted directory must not delete everything.";
    "004" Error UnknownKey "unknown-key" "A key that the table does not have.";
    "005" Error WrongType "wrong-type" "A value of another type than the key takes.";
    "006" Error MissingKey "missing-key" "A key that the table needs is not there.";
    "007" Error DefinedTwice "defined-twice" "The same site, network, zone, host, profile or boot profile is defined in two places, or a key stands twice.";
    "008" Error MixedNics "mixed-nics" "`mac`, `ip`, `network` stand both on the host and on its nics.";
    "009" Error UnquotedFqdn "unquoted-fqdn" "A host's name with dots is not quoted, so TOML reads nested tables.";
    // Values.
    "010" Error InvalidName "invalid-name" "A name breaks the rules for host names (RFC 1123) or domain names (RFC 1035).";
    "011" Error InvalidMac "invalid-mac" "A hardware address is malformed, all zeros or multicast.";
    "012" Error InvalidAddress "invalid-address" "A text is not an IP address, or one of the wrong family.";
    "013" Error InvalidPrefix "invalid-prefix" "A text is not a network in prefix notation, has host bits set, or a useless length.";
    "014" Error InvalidRange "invalid-range" "An address range is malformed or runs backwards.";
    "015" Error InvalidDuration "invalid-duration" "A duration is malformed, lacks its unit, or is out of bounds.";
    "016" Error InvalidSize "invalid-size" "A size is malformed, lacks its unit, or is out of bounds.";
    "017" Error InvalidChoice "invalid-choice" "A word that is none of those allowed.";
    "018" Error OutOfBounds "out-of-bounds" "A number is too small or too large.";
    "019" Error PathOutsideRoot "path-outside-root" "A path leaves its root, or is absolute.";
    "020" Error UnknownOption "unknown-option" "A DHCP option that has no such name or number.";
    "021" Error InvalidOption "invalid-option" "A DHCP option's value does not fit the option's type, or hostbook sets that option itself.";
    "022" Error InvalidRecord "invalid-record" "A master-file line that cannot be read.";
    "023" Error ConflictingKeys "conflicting-keys" "Two keys that exclude each other.";
    "024" Error InvalidIdentifier "invalid-identifier" "A client identifier, DUID or relay port that cannot be read.";
    "025" Error TemplateSyntax "template-syntax" "A template that cannot be read.";
    "026" Error SecretInside "secret-inside" "The file of a key is not named by an absolute path: secrets lie outside the inventory.";
    "027" Error InvalidHostKey "invalid-host-key" "A public key of an ssh server that cannot be read.";
    // References.
    "030" Error UnknownNetwork "unknown-network" "A reference to a network that is not defined.";
    "031" Error NoZone "no-zone" "A name lies in no zone of the inventory.";
    "032" Error UnknownProfile "unknown-profile" "A reference to a profile that is not defined.";
    "033" Error UnknownBoot "unknown-boot" "A reference to a boot profile that is not defined.";
    "034" Error UnknownHost "unknown-host" "A reference to a host that is not defined.";
    "035" Error AmbiguousHost "ambiguous-host" "A short name that hosts of several zones have.";
    "036" Error ProfileCycle "profile-cycle" "Profiles that use each other in a circle.";
    "037" Error MissingFile "missing-file" "A master file, template or script that is not there.";
    "038" Error NoSuchKey "no-such-key" "Secondaries or updates sign with a key that is not defined.";
    // Two things that cannot both be.
    "040" Error DuplicateMac "duplicate-mac" "A hardware address is used twice in one network.";
    "041" Error DuplicateAddress "duplicate-address" "An IP address is given to two interfaces.";
    "042" Error DuplicateName "duplicate-name" "A name is given twice.";
    "043" Error CnameBesideData "cname-beside-data" "An alias or CNAME stands beside other data (RFC 1034, section 3.6.2).";
    "044" Error DuplicateIdentifier "duplicate-identifier" "A client identifier, DUID or relay port is used twice in one network.";
    "045" Error NetworkOverlap "network-overlap" "Two networks share addresses.";
    "046" Warning DuplicateRecord "duplicate-record" "The same record is written twice.";
    "047" Warning TtlsDiffer "ttls-differ" "Records of one RRset have different TTLs (RFC 2181, section 5.2); the smallest is served.";
    // Things that do not fit together.
    "050" Error OutsideNetwork "outside-network" "An address lies outside its network.";
    "051" Error InsidePool "inside-pool" "A host's address lies inside a pool.";
    "052" Error ReservedAddress "reserved-address" "An address that no host can have: network, broadcast, multicast, loopback, unspecified.";
    "053" Error BadGateway "bad-gateway" "The gateway lies outside its network or inside a pool.";
    "054" Error PoolOutsideNetwork "pool-outside-network" "A pool or exclusion lies outside its network, or holds its network or broadcast address.";
    "055" Error PoolOverlap "pool-overlap" "Two pools share addresses.";
    "056" Error OutOfZone "out-of-zone" "A record's owner lies outside its zone.";
    "057" Error BadAlias "bad-alias" "An alias is a zone's apex, or lies in no zone.";
    "058" Error InstallWithoutBoot "install-without-boot" "A host to be installed has no boot profile.";
    "059" Error PrimaryNic "primary-nic" "More than one nic is the primary one, or none is left.";
    "060" Error VmOnVm "vm-on-vm" "A virtual machine's `vmhost` is itself a virtual machine.";
    "061" Error NoNameservers "no-nameservers" "A zone has no name servers.";
    "062" Error ReverseUnfit "reverse-unfit" "An explicit reverse zone does not belong to the network's addresses.";
    "063" Error TemplateFails "template-fails" "A template cannot be rendered for a host that uses it: mostly a variable that the host does not have.";
    "064" Error MissingSoa "missing-soa" "A whole master file has no SOA record.";
    "065" Error SignedTwice "signed-twice" "A zone that hostbook signs has records of DNSSEC itself, as a file has that was signed already.";
    // Odd, but served. 075 was for zones with a master file, before they were served.
    "070" Warning MemoryOvercommit "memory-overcommit" "The virtual machines of a host are promised more memory than it has.";
    "071" Warning NoAddress "no-address" "An interface can get no address: it has none, and its network has no pool.";
    "072" Warning NameserverWithoutAddress "nameserver-without-address" "A name server lies in a zone of ours and has no address there.";
    "073" Warning TargetIsAlias "target-is-alias" "An MX, SRV or NS record points to an alias (RFC 2181, section 10.3).";
    "074" Warning TargetMissing "target-missing" "An MX, SRV or CNAME record points to a name in a zone of ours that does not exist.";
    "076" Warning BootServerMissing "boot-server-missing" "Machines are installed in a network without `boot-server`, while another network has one.";
    "077" Warning LinkOfOne "link-of-one" "A network names a link that no other network is on.";
}

impl Rule {
    /// The rule with this code, in any case; `None` if there is none.
    pub fn from_code(code: &str) -> Option<Rule> {
        Rule::ALL.iter().copied().find(|rule| rule.code().eq_ignore_ascii_case(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_slugs_are_unique_and_sorted() {
        assert!(Rule::ALL.windows(2).all(|pair| pair[0].code() < pair[1].code()));
        let mut slugs: Vec<_> = Rule::ALL.iter().map(|rule| rule.slug()).collect();
        slugs.sort_unstable();
        assert!(slugs.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
