use super::*;
use inventory_core::load_texts;

const GLOBALS: &str = r#"
[site]
nameservers = ["ns1.lab.example.org"]
[zone."lab.example.org"]
[network.servers]
zone = "lab.example.org"
ipv4 = "10.20.0.0/24"
ipv6 = "2001:db8:20::/64"
pool = "10.20.0.200-10.20.0.250"
unknown = "boot:discover"
[network.oob]
zone = "lab.example.org"
ipv4 = "10.99.0.0/24"
[boot.discover]
kernel = "discover/linux"
cmdline = "net={{ network.name }}"
[host.ns1]
network = "servers"
ip = "10.20.0.2"
[host.pool1]
network = "servers"
mac = "52:54:00:00:00:21"
state = "install"
boot = "debian12"
[host.old]
network = "servers"
mac = "52:54:00:00:00:22"
ip = "10.20.0.22"
state = "retired"
boot = "debian12"
"#;
const PROFILE: &str = r#"
[boot.debian12]
kernel = "debian12/linux"
initrd = "debian12/initrd.gz"
cmdline = "url={{ boot_url }}/file/preseed.cfg hostname={{ host.name }}"
files = { "preseed.cfg" = "templates/preseed.cfg.j2" }
"#;
const TEMPLATE: &str = "hostname {{ host.name }}\ndone {{ done_url }}\n";

fn snapshot(web1: &str, profile: &str, template: &str) -> Arc<Snapshot> {
    let web1 = format!(
        "[host.web1]\nnetwork = \"servers\"\nmac = \"52:54:00:00:00:11\"\nip = \"10.20.0.11\"\n{web1}\n"
    );
    let files = [
        ("globals.toml", GLOBALS),
        ("profile.toml", profile),
        ("web1.toml", &web1),
        ("templates/preseed.cfg.j2", template),
    ];
    Arc::new(load_texts(&files).unwrap_or_else(|errors| panic!("{errors:?}")))
}

const INSTALL: &str = "state = \"install\"\nboot = \"debian12\"";

fn service() -> Service {
    Service::new(Installs::new(&[7; 32]))
}

fn asker(peer: &str) -> Asker {
    Asker { peer: peer.parse().unwrap(), server_url: "http://10.20.0.1".to_owned(), now_ms: 0 }
}

fn web1() -> Whom {
    Whom::Host("web1.lab.example.org".into())
}

fn ask(service: &mut Service, version: Option<&str>, what: What, snapshot: &Arc<Snapshot>) -> Answer {
    service.answer(&web1(), version, &what, &asker("10.20.0.11"), snapshot)
}

fn text(answer: Answer) -> (String, BootEvent) {
    match answer {
        Answer::Text(text, event) => (text, event),
        other => panic!("{other:?}"),
    }
}

fn refused(answer: &Answer) -> BootEvent {
    match answer {
        Answer::Refused(event, _) => *event,
        other => panic!("{other:?}"),
    }
}

fn event(service: &mut Service, snapshot: &Arc<Snapshot>) -> BootEvent {
    text(ask(service, None, What::Script, snapshot)).1
}

/// The token in the file that the installer gets.
fn token(service: &mut Service, snapshot: &Arc<Snapshot>) -> Box<str> {
    let (file, _) = text(ask(service, None, What::File("preseed.cfg".into()), snapshot));
    file.trim_end().rsplit('/').next().unwrap().into()
}

/// The report with this token, without host keys.
fn told(token: Box<str>) -> What {
    What::Done(Report { token, host_keys: Vec::new() })
}

const DONE: Answer = Answer::Done(HostKeys::None);

#[test]
fn a_host_to_be_installed_boots_its_kernel_with_its_command_line() {
    let snapshot = snapshot(INSTALL, PROFILE, TEMPLATE);
    let (script, event) = text(ask(&mut service(), None, What::Script, &snapshot));
    let version = version_of(snapshot.hash);
    let cmdline = format!(
        "url=http://10.20.0.1/hostbook/web1.lab.example.org/{version}/file/preseed.cfg hostname=web1"
    );
    assert_eq!(event, BootEvent::Script);
    assert!(
        script.contains(&format!("\nkernel http://10.20.0.1/debian12/linux initrd=initrd0 {cmdline}\n")),
        "{script}"
    );
    let (made, _) = text(ask(&mut service(), None, What::CommandLine, &snapshot));
    assert_eq!(made, cmdline);
}

#[test]
fn an_installation_happens_once_and_a_changed_reinstall_value_starts_the_next() {
    let mut service = service();
    let first = snapshot(INSTALL, PROFILE, TEMPLATE);
    assert_eq!(event(&mut service, &first), BootEvent::Script);
    assert_eq!(event(&mut service, &first), BootEvent::Script, "as long as it is not done");
    let done = told(token(&mut service, &first));
    assert_eq!(ask(&mut service, None, done.clone(), &first), DONE);
    assert_eq!(event(&mut service, &first), BootEvent::LocalDisk);
    for _ in 0..3 {
        assert_eq!(ask(&mut service, None, done.clone(), &first), DONE, "told again is told");
    }

    // Neither another edit nor active and back begins it again.
    let other = snapshot(&format!("{INSTALL}\ntags = \"web\""), PROFILE, TEMPLATE);
    assert_eq!(event(&mut service, &other), BootEvent::LocalDisk);

    let again = snapshot(&format!("{INSTALL}\nreinstall = \"2\""), PROFILE, TEMPLATE);
    assert_eq!(event(&mut service, &again), BootEvent::Script);
    assert_eq!(refused(&ask(&mut service, None, done, &again)), BootEvent::BadToken, "of the last one");
    let done = told(token(&mut service, &again));
    assert_eq!(ask(&mut service, None, done, &again), DONE);
    assert_eq!(event(&mut service, &again), BootEvent::LocalDisk);
}

#[test]
fn an_active_host_boots_from_its_disk_unless_it_always_boots_from_the_network() {
    let mut service = service();
    let active = snapshot("boot = \"debian12\"", PROFILE, TEMPLATE);
    assert_eq!(event(&mut service, &active), BootEvent::LocalDisk);
    let always = snapshot("boot = \"debian12\"\nnetboot = \"always\"", PROFILE, TEMPLATE);
    assert_eq!(event(&mut service, &always), BootEvent::Script);
    let always = snapshot(&format!("{INSTALL}\nnetboot = \"always\""), PROFILE, TEMPLATE);
    let done = told(token(&mut service, &always));
    assert_eq!(ask(&mut service, None, done, &always), DONE);
    assert_eq!(event(&mut service, &always), BootEvent::Script, "always is always");
    let none = snapshot("", PROFILE, TEMPLATE);
    assert_eq!(event(&mut service, &none), BootEvent::LocalDisk);
}

#[test]
fn planned_and_retired_hosts_get_nothing() {
    let planned = snapshot("state = \"planned\"\nboot = \"debian12\"", PROFILE, TEMPLATE);
    let answer = ask(&mut service(), None, What::Script, &planned);
    assert_eq!(refused(&answer), BootEvent::NotServed);
    let old = Whom::Host("old.lab.example.org".into());
    let answer = service().answer(&old, None, &What::Script, &asker("10.20.0.22"), &planned);
    assert_eq!(refused(&answer), BootEvent::NotServed);
}

#[test]
fn nobody_gets_what_is_made_for_another_machine() {
    let snapshot = snapshot(INSTALL, PROFILE, TEMPLATE);
    for peer in ["10.20.0.12", "10.99.0.11", "192.0.2.1", "2001:db8::11", "2001:db8:20::12"] {
        for what in [What::Script, What::File("preseed.cfg".into())] {
            let answer = service().answer(&web1(), None, &what, &asker(peer), &snapshot);
            assert_eq!(refused(&answer), BootEvent::OtherMachine, "{peer} {what:?}");
        }
    }
    // A host without an address of its own may have any of its network.
    let pool1 = Whom::Host("pool1.lab.example.org".into());
    let ask = |peer| service().answer(&pool1, None, &What::Script, &asker(peer), &snapshot);
    assert_eq!(text(ask("10.20.0.201")).1, BootEvent::Script);
    for peer in ["10.99.0.9", "10.20.0.11"] {
        assert_eq!(refused(&ask(peer)), BootEvent::OtherMachine, "{peer}");
    }
}

/// Boots web1 and returns the version in its script.
fn version(service: &mut Service, snapshot: &Arc<Snapshot>) -> String {
    let (script, _) = text(ask(service, None, What::Script, snapshot));
    script.split("/hostbook/web1.lab.example.org/").nth(1).unwrap()[..12].to_owned()
}

#[test]
fn an_old_version_gives_nothing_to_whoever_gets_nothing_any_more() {
    let before = snapshot(INSTALL, PROFILE, TEMPLATE);
    let mut service = service();
    let version = version(&mut service, &before);
    let file = || What::File("preseed.cfg".into());
    let mut after = |text: &str| {
        let snapshot = Arc::new(
            load_texts(&[
                ("globals.toml", GLOBALS),
                ("profile.toml", PROFILE),
                ("web1.toml", text),
                ("templates/preseed.cfg.j2", TEMPLATE),
            ])
            .unwrap(),
        );
        ask(&mut service, Some(&version), file(), &snapshot)
    };
    let web1 = "network = \"servers\"\nboot = \"debian12\"\nmac = \"52:54:00:00:00:11\"\nip = ";
    let retired = format!("[host.web1]\nstate = \"retired\"\n{web1}\"10.20.0.11\"");
    assert_eq!(refused(&after(&retired)), BootEvent::NotServed);
    assert_eq!(refused(&after("")), BootEvent::NotFound, "its entry is gone");
    let renamed = format!("[host.db1]\nstate = \"install\"\n{web1}\"10.20.0.11\"");
    assert!(text(after(&renamed)).0.starts_with("hostname web1\n"), "the boot goes on as it began");
    let moved = format!("[host.web1]\nstate = \"install\"\n{web1}\"10.20.0.12\"\n");
    assert!(text(after(&moved)).0.starts_with("hostname web1\n"));
    let taken = format!("{moved}[host.db1]\nnetwork = \"servers\"\nip = \"10.20.0.11\"");
    assert_eq!(refused(&after(&taken)), BootEvent::OtherMachine);
}

#[test]
fn an_old_version_is_forgotten_after_a_day_and_never_installs_who_is_active_by_now() {
    let (mut service, before) = (service(), snapshot(INSTALL, PROFILE, TEMPLATE));
    let version = version(&mut service, &before);
    let active = snapshot("boot = \"debian12\"", PROFILE, "new");
    let (_, event) = text(ask(&mut service, Some(&version), What::Script, &active));
    assert_eq!(event, BootEvent::LocalDisk);
    let mut file_at = |now_ms| {
        let asker = Asker { now_ms, ..asker("10.20.0.11") };
        text(service.answer(&web1(), Some(&version), &What::File("preseed.cfg".into()), &asker, &active)).0
    };
    assert!(file_at(kept::AGE_MS - 1).starts_with("hostname web1\n"));
    assert_eq!(file_at(kept::AGE_MS), "new");
}

#[test]
fn a_report_counts_by_its_token_whatever_was_edited_since() {
    let before = snapshot(INSTALL, PROFILE, TEMPLATE);
    for edited in [
        "[host.web1]\nmac = \"52:54:00:00:00:11\"\nip = \"10.20.0.77\"",
        "[host.db1]\nmac = \"52:54:00:00:00:11\"",
    ] {
        let mut service = service();
        let token = token(&mut service, &before);
        let edited = format!("{edited}\nnetwork = \"servers\"\n{INSTALL}\n");
        let files = [
            ("globals.toml", GLOBALS),
            ("profile.toml", PROFILE),
            ("web1.toml", &edited),
            ("templates/preseed.cfg.j2", TEMPLATE),
        ];
        let after = Arc::new(load_texts(&files).unwrap());
        let guess = told("0".repeat(token.len()).into());
        assert_eq!(refused(&ask(&mut service, None, guess, &after)), BootEvent::BadToken);
        assert_eq!(ask(&mut service, None, told(token), &after), DONE, "{edited}");
        let name = if edited.starts_with("[host.db1]") { "db1" } else { "web1" };
        let whom = Whom::Host(format!("{name}.lab.example.org").into());
        let peer = if name == "db1" { "10.20.0.201" } else { "10.20.0.77" };
        let script = service.answer(&whom, None, &What::Script, &asker(peer), &after);
        assert_eq!(text(script).1, BootEvent::LocalDisk, "{edited}");
    }
}

#[test]
fn an_edit_between_two_stages_of_a_boot_changes_nothing_in_it() {
    let mut service = service();
    let before = snapshot(INSTALL, PROFILE, TEMPLATE);
    let version = version(&mut service, &before);
    // The profile loses the file, and the template says something else.
    let profile = "[boot.debian12]\nkernel = \"new/linux\"\n";
    let after = snapshot(&format!("{INSTALL}\ntags = \"x\""), profile, "new");
    let file = || What::File("preseed.cfg".into());
    let (old, _) = text(ask(&mut service, Some(&version), file(), &after));
    assert!(old.starts_with("hostname web1\n"), "{old}");
    assert_eq!(refused(&ask(&mut service, None, file(), &after)), BootEvent::NotFound);
    assert_eq!(
        refused(&ask(&mut service, Some("0123456789ab"), file(), &after)),
        BootEvent::NotFound,
        "a version that is not known any more means the current one"
    );
    let (next, _) = text(ask(&mut service, None, What::Script, &after));
    assert!(next.contains("kernel http://10.20.0.1/new/linux"), "the next boot is by the new one: {next}");
}

#[test]
fn snapshots_that_are_kept_for_boots_are_few() {
    let mut service = service();
    for number in 0..100 {
        let snapshot = snapshot(&format!("{INSTALL}\ntags = \"t{number}\""), PROFILE, TEMPLATE);
        text(ask(&mut service, None, What::Script, &snapshot));
        assert!(service.kept.count() <= kept::KEPT);
    }
    assert_eq!(service.kept.count(), kept::KEPT);
}

#[test]
fn unknown_machines_boot_the_profile_of_their_network_only_from_there() {
    let snapshot = snapshot(INSTALL, PROFILE, TEMPLATE);
    let ask = |network: &str, peer| {
        service().answer(&Whom::Unknown(network.into()), None, &What::Script, &asker(peer), &snapshot)
    };
    let (script, _) = text(ask("servers", "10.20.0.201"));
    assert!(script.contains("kernel http://10.20.0.1/discover/linux net=servers\n"), "{script}");
    assert_eq!(refused(&ask("servers", "10.99.0.9")), BootEvent::OtherMachine);
    assert_eq!(refused(&ask("oob", "10.99.0.9")), BootEvent::NotServed);
    assert_eq!(refused(&ask("none", "10.99.0.9")), BootEvent::OtherMachine);
}

#[test]
fn a_script_of_ones_own_is_a_template_or_is_elsewhere() {
    let own = "[boot.debian12]\nscript = \"templates/preseed.cfg.j2\"\n";
    let snapshot_own = snapshot(INSTALL, own, "#!ipxe\necho {{ host.name }}\n");
    let (script, _) = text(ask(&mut service(), None, What::Script, &snapshot_own));
    assert_eq!(script, "#!ipxe\necho web1\n");
    let url = "[boot.debian12]\nscript = \"http://boot.example.org/x.ipxe\"\n";
    let (script, _) = text(ask(&mut service(), None, What::Script, &snapshot(INSTALL, url, "")));
    assert_eq!(script, "#!ipxe\nchain --replace http://boot.example.org/x.ipxe\n");
}
