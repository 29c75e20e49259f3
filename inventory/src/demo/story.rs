//! The story that the demo tells.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use inventory_core::diag;

use super::edit;
use super::lab::{CLIENT_MAC, Lab, SERVER, wait_for};
use crate::exit::{Failure, Outcome};
use crate::inventory::load;
use crate::output;

/// Tells it, in the namespaces that are there already.
pub(super) fn tell(inventory: &Path, outside: &str) -> Outcome {
    say("hostbook demo: one book of hosts, served by DHCP and DNS as it stands");
    explain("Everything happens in private network namespaces; this machine's network is not touched.");
    let mut lab = Lab::build(inventory, outside)?;
    step(1, "Two daemons on one inventory");
    explain("A cable; on its one end this inventory's server, on the other a machine that knows nothing:");
    show(&format!("hostbook-dhcpd -i {} --interface lab0", lab.inventory.display()));
    show(&format!("hostbook-dnsd  -i {} --listen {SERVER}:53", lab.inventory.display()));
    lab.start_daemons()?;
    let hash = |name: &str| {
        lab.status(name).and_then(|status| Some(status["inventory"]["hash"].as_str()?.to_owned()))
    };
    let (dhcpd, dnsd) = (hash("dhcpd").unwrap_or_default(), hash("dnsd").unwrap_or_default());
    if dhcpd != dnsd || dhcpd.is_empty() {
        return Err(Failure::new("the daemons do not serve the same content"));
    }
    result(&format!("both serve content {:.12}: nothing was generated, nothing synchronised", dhcpd));

    first_lease(&lab)?;
    rename_address(&lab)?;
    broken_file(&lab)?;
    deletion(&lab)?;
    summary();
    Ok(ExitCode::SUCCESS)
}

fn first_lease(lab: &Lab) -> Result<(), Failure> {
    step(2, "A machine boots and asks for an address");
    explain(&format!(
        "Its MAC is {CLIENT_MAC}; hosts/web.toml says who that is. The client is busybox's udhcpc."
    ));
    let lease = lab.dhcp()?;
    result(&format!("{} for {} s, router {}", lease.address, lease.seconds, lease.router));
    result(&format!("host name {}, domain {}, resolver {}", lease.host_name, lease.domain, lease.resolvers));
    expect(&lease.address, "10.20.0.11/24")?;
    lab.use_given_resolvers()?;
    explain("The same entry gives its names, both ways, through the machine's own resolver:");
    for name in ["web1", "www.lab.example.org"] {
        let answer = lab.resolve(name);
        result(&format!("{name:<22} -> {answer}"));
        expect(&answer, "10.20.0.11")?;
    }
    let back = lab.resolve_back("10.20.0.11");
    result(&format!("{:<22} -> {back}", "10.20.0.11"));
    expect(&back, "web1.lab.example.org")
}

fn rename_address(lab: &Lab) -> Result<(), Failure> {
    step(3, "An operator edits one line");
    let file = lab.inventory.join("hosts/web.toml");
    show("hosts/web.toml:  ip = [\"10.20.0.11\", …]   becomes   ip = [\"10.20.0.77\", …]");
    let start = Instant::now();
    edit::replace(&file, "\"10.20.0.11\"", "\"10.20.0.77\"")?;
    wait_for("the new address in DNS", || lab.resolve("web1").contains("10.20.0.77"))?;
    let milliseconds = start.elapsed().as_millis();
    result(&format!(
        "web1 -> {}, {milliseconds} ms after the file was saved; no daemon was restarted",
        lab.resolve("web1")
    ));
    let old = lab.resolve_back("10.20.0.11");
    let new = lab.resolve_back("10.20.0.77");
    result(&format!(
        "10.20.0.77 -> {new};  10.20.0.11 -> {}",
        if old.is_empty() { "nothing any more" } else { &old }
    ));
    expect(&new, "web1.lab.example.org")?;
    if !old.is_empty() {
        return Err(Failure::new("the old PTR record is still served"));
    }
    wait_for("the new address in DHCP", || lab.serves_one_content())?;
    let lease = lab.dhcp()?;
    result(&format!("the machine asks DHCP again: {}", lease.address));
    expect(&lease.address, "10.20.0.77/24")
}

fn broken_file(lab: &Lab) -> Result<(), Failure> {
    step(4, "A slip of the finger");
    let file = lab.inventory.join("hosts/web.toml");
    show("hosts/web.toml:  mac = \"52:54:00:aa:00:12\"   becomes   mac = \"52:54:00:aa:00:11\"");
    edit::replace(&file, "52:54:00:aa:00:12", "52:54:00:aa:00:11")?;
    let broken = |name: &str| lab.status(name).is_some_and(|status| status["inventory"]["ok"] == false);
    wait_for("both daemons to see the mistake", || broken("dhcpd") && broken("dnsd"))?;
    explain("`hostbook check` says:");
    for diagnostic in load(&lab.inventory).err().unwrap_or_default() {
        for line in diag::terminal(&diagnostic, output::colour()).lines() {
            output::line(&format!("      {line}"));
        }
    }
    let answer = lab.resolve("web1");
    let lease = lab.dhcp()?;
    result(&format!(
        "meanwhile the last good state stays in service: web1 -> {answer}, DHCP gives {}",
        lease.address
    ));
    expect(&answer, "10.20.0.77")?;
    expect(&lease.address, "10.20.0.77/24")?;
    edit::replace(
        &file,
        "use    = \"web\"\nmac    = \"52:54:00:aa:00:11\"\nip     = [\"10.20.0.12\"",
        "use    = \"web\"\nmac    = \"52:54:00:aa:00:12\"\nip     = [\"10.20.0.12\"",
    )?;
    wait_for("both daemons to see it mended", || !broken("dhcpd") && !broken("dnsd"))?;
    result("mended, and both daemons are content again");
    Ok(())
}

fn deletion(lab: &Lab) -> Result<(), Failure> {
    step(5, "Deletions delete");
    show("hosts/web.toml:  alias = [\"www\", \"shop\"]   becomes   alias = [\"www\"]");
    let before = lab.resolve("shop");
    expect(&before, "10.20.0.77")?;
    edit::replace(&lab.inventory.join("hosts/web.toml"), "\"www\", \"shop\"", "\"www\"")?;
    wait_for("the alias to go", || lab.resolve("shop").is_empty())?;
    result(&format!("shop -> was {before}, is nothing;  www -> {}", lab.resolve("www")));
    Ok(())
}

fn summary() {
    say("What you saw");
    explain("* one entry in a text file gave a machine its lease, its name and its reverse name");
    explain("* a saved edit was on the wire at once, in DHCP and DNS alike, deletions included");
    explain("* a mistake was refused with file, line and column, and the last good state stayed in service");
    explain(
        "Next: look at examples/lab, run `hostbook check -i examples/lab`, and see the README for a real LAN.",
    );
}

fn say(text: &str) {
    let text = if output::colour() { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() };
    output::line(&format!("\n{text}"));
}

fn step(number: u32, title: &str) {
    say(&format!("{number}. {title}"));
}

fn explain(text: &str) {
    output::line(&format!("   {text}"));
}

fn show(text: &str) {
    output::line(&format!("   $ {text}"));
}

fn result(text: &str) {
    let mark = if output::colour() { "\x1b[32m=>\x1b[0m" } else { "=>" };
    output::line(&format!("   {mark} {text}"));
}

/// The demo shows what is; when it is not what it should be, it fails.
fn expect(got: &str, wanted: &str) -> Result<(), Failure> {
    if got.contains(wanted) { Ok(()) } else { Err(Failure::new(format!("expected {wanted}, got `{got}`"))) }
}
