//! The story that the demo tells.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use inventory_core::diag;

use super::lab::{CLIENT_MAC, Lab, SERVER, wait_for};
use super::{edit, push, second};
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
    result(&format!("both serve content {dhcpd:.12}: nothing was generated, nothing synchronised"));

    first_lease(&lab)?;
    new_address(&lab)?;
    broken_file(&lab)?;
    deletion(&lab)?;
    second::tell(&lab)?;
    push::deploy(&mut lab)?;
    summary();
    Ok(ExitCode::SUCCESS)
}

fn first_lease(lab: &Lab) -> Result<(), Failure> {
    step(2, "A machine boots and asks for an address");
    explain(&format!("Its MAC is {CLIENT_MAC}, and hosts/web.toml says who that is:"));
    for line in entry(&lab.inventory)? {
        output::line(&format!("      {line}"));
    }
    show("udhcpc -i eth0");
    let lease = lab.dhcp()?;
    result(&format!("address {}, router {}, for {} s", lease.address, lease.router, lease.seconds));
    result(&format!("host name {}, domain {}, resolver {}", lease.host_name, lease.domain, lease.resolvers));
    expect(&lease.address, "10.20.0.11/24")?;
    lab.use_given_resolvers()?;
    explain("The same entry gives its names, both ways, by the resolver that it was given:");
    for name in ["web1", "www.lab.example.org"] {
        let answer = lab.resolve(name);
        result(&format!("{name:<19} is {answer}"));
        expect(&answer, "10.20.0.11")?;
    }
    let back = lab.resolve_back("10.20.0.11");
    result(&format!("{:<19} is {back}", "10.20.0.11"));
    expect(&back, "web1.lab.example.org")
}

/// The entry of the machine that boots, as it stands in the file.
fn entry(inventory: &Path) -> Result<Vec<String>, Failure> {
    let text = std::fs::read_to_string(inventory.join("hosts/web.toml"))?;
    let lines = text.lines().skip_while(|line| !line.starts_with("[host.web1]"));
    Ok(lines.take_while(|line| !line.is_empty()).map(str::to_owned).collect())
}

fn new_address(lab: &Lab) -> Result<(), Failure> {
    step(3, "An operator edits one line");
    let file = lab.inventory.join("hosts/web.toml");
    change("ip     = [\"10.20.0.11\", …]", "ip     = [\"10.20.0.77\", …]");
    let start = Instant::now();
    edit::replace(&file, "\"10.20.0.11\"", "\"10.20.0.77\"")?;
    wait_for("the new address in DNS", || lab.resolve("web1") == "10.20.0.77")?;
    let milliseconds = start.elapsed().as_millis();
    result(&format!("web1 is 10.20.0.77, {milliseconds} ms after the file was saved"));
    let (old, new) = (lab.resolve_back("10.20.0.11"), lab.resolve_back("10.20.0.77"));
    expect(&new, "web1.lab.example.org")?;
    result(&format!("10.20.0.77 is {new}"));
    nothing("10.20.0.11", &old)?;
    wait_for("both daemons to serve the edit", || lab.serves_one_content())?;
    let lease = lab.dhcp()?;
    expect(&lease.address, "10.20.0.77/24")?;
    result(&format!("the machine asks DHCP again and gets {}", lease.address));
    Ok(())
}

fn broken_file(lab: &Lab) -> Result<(), Failure> {
    step(4, "A slip of the finger: web2 gets the MAC of web1");
    let file = lab.inventory.join("hosts/web.toml");
    change("mac    = \"52:54:00:aa:00:12\"", "mac    = \"52:54:00:aa:00:11\"");
    edit::replace(&file, "52:54:00:aa:00:12", "52:54:00:aa:00:11")?;
    let broken = |name: &str| lab.status(name).is_some_and(|status| status["inventory"]["ok"] == false);
    wait_for("both daemons to see the mistake", || broken("dhcpd") && broken("dnsd"))?;
    show("hostbook check");
    for diagnostic in load(&lab.inventory).err().unwrap_or_default() {
        for line in diag::terminal(&diagnostic, output::colour()).lines() {
            output::line(&format!("      {line}"));
        }
    }
    explain("The last good state stays in service meanwhile:");
    let answer = lab.resolve("web1");
    let lease = lab.dhcp()?;
    result(&format!("web1 is {answer}, and DHCP gives {}", lease.address));
    expect(&answer, "10.20.0.77")?;
    expect(&lease.address, "10.20.0.77/24")?;
    edit::replace(
        &file,
        "use    = \"web\"\nmac    = \"52:54:00:aa:00:11\"\nip     = [\"10.20.0.12\"",
        "use    = \"web\"\nmac    = \"52:54:00:aa:00:12\"\nip     = [\"10.20.0.12\"",
    )?;
    wait_for("both daemons to see it mended", || !broken("dhcpd") && !broken("dnsd"))?;
    result("the operator mends the line, and both daemons report a good inventory again");
    Ok(())
}

fn deletion(lab: &Lab) -> Result<(), Failure> {
    step(5, "What is deleted is gone as fast");
    change("alias  = [\"www\", \"shop\"]", "alias  = [\"www\"]");
    let before = lab.resolve("shop");
    expect(&before, "10.20.0.77")?;
    result(&format!("before, shop is {before}"));
    edit::replace(&lab.inventory.join("hosts/web.toml"), "\"www\", \"shop\"", "\"www\"")?;
    wait_for("the alias to go", || lab.resolve("shop").is_empty())?;
    nothing("shop", &lab.resolve("shop"))?;
    result(&format!("www is {}", lab.resolve("www")));
    Ok(())
}

fn summary() {
    say("What you saw");
    explain("* one entry in a text file gave a machine its address, its name and its reverse name");
    explain("* a saved edit was on the wire at once, in DHCP and DNS alike, deletions included");
    explain("* a mistake was refused with file, line and column, and the last good state stayed in service");
    explain("* a machine was seen, adopted, installed once, started from its disk and retired");
    explain("* a push to a bare repository was on the wire as one state, and a bad one was not accepted");
    explain("* the same two programs served all of it: nothing was generated, copied or restarted");
    explain("");
    explain(
        "Next: examples/lab is the inventory that you saw; the README tells how to serve a real network.",
    );
}

pub(super) fn say(text: &str) {
    let text = if output::colour() { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() };
    output::line(&format!("\n{text}"));
}

pub(super) fn step(number: u32, title: &str) {
    say(&format!("{number}. {title}"));
}

pub(super) fn explain(text: &str) {
    output::line(&format!("   {text}"));
}

pub(super) fn show(text: &str) {
    output::line(&format!("   $ {text}"));
}

/// Shows an edit as a diff does.
fn change(old: &str, new: &str) {
    explain("hosts/web.toml:");
    for (sign, text, colour) in [("-", old, "31"), ("+", new, "32")] {
        let line = format!("{sign} {text}");
        let line = if output::colour() { format!("\x1b[{colour}m{line}\x1b[0m") } else { line };
        output::line(&format!("      {line}"));
    }
}

/// Shows that `name` has no answer any more.
fn nothing(name: &str, answer: &str) -> Result<(), Failure> {
    if !answer.is_empty() {
        return Err(Failure::new(format!("`{name}` is still answered by `{answer}`")));
    }
    result(&format!("{name} is nothing any more"));
    Ok(())
}

pub(super) fn result(text: &str) {
    let mark = if output::colour() { "\x1b[32m=>\x1b[0m" } else { "=>" };
    output::line(&format!("   {mark} {text}"));
}

/// The demo shows what is; when it is not what it should be, it fails.
pub(super) fn expect(got: &str, wanted: &str) -> Result<(), Failure> {
    if got.contains(wanted) { Ok(()) } else { Err(Failure::new(format!("expected {wanted}, got `{got}`"))) }
}
