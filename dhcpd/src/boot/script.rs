//! The iPXE scripts: <https://ipxe.org/scripting>.

use std::fmt::Write as _;

use super::target::encoded;

/// What is next where nothing is to be booted from the network. UEFI firmware goes on to the next boot
/// option only if this one fails.
pub(super) fn local_disk(why: &str) -> String {
    format!("#!ipxe\n# hostbook: {why}\necho hostbook: {why}\niseq ${{platform}} efi && exit 1 || exit 0\n")
}

/// Goes on with a script that is elsewhere.
pub(super) fn elsewhere(url: &str) -> String {
    format!("#!ipxe\nchain --replace {url}\n")
}

/// Boots a kernel. Relative paths are below `server_url`.
pub(super) fn kernel(
    title: &str,
    server_url: &str,
    kernel: &str,
    initrd: &[Box<str>],
    cmdline: &str,
) -> String {
    let mut script = format!("#!ipxe\n# hostbook: {title}\necho hostbook: {title}\n");
    let _ = write!(script, "kernel {}", url(server_url, kernel));
    // The kernel finds them by name under UEFI; the BIOS passes them as one.
    for number in 0..initrd.len() {
        let _ = write!(script, " initrd=initrd{number}");
    }
    let cmdline = cmdline.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    if !cmdline.is_empty() {
        let _ = write!(script, " {cmdline}");
    }
    script.push('\n');
    for (number, path) in initrd.iter().enumerate() {
        let _ = writeln!(script, "initrd --name initrd{number} {}", url(server_url, path));
    }
    script.push_str("boot\n");
    script
}

fn url(server_url: &str, path: &str) -> String {
    if path.contains("://") { path.to_owned() } else { format!("{server_url}/{}", encoded(path)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_gets_its_command_line_and_its_initial_disks_by_name() {
        let initrd = ["d/initrd.gz".into(), "http://elsewhere/fw.cpio".into()];
        let script = kernel("web1, debian12", "http://10.0.0.1", "d/my linux", &initrd, " a=1\n  b ");
        assert_eq!(
            script,
            "#!ipxe\n# hostbook: web1, debian12\necho hostbook: web1, debian12\n\
             kernel http://10.0.0.1/d/my%20linux initrd=initrd0 initrd=initrd1 a=1 b\n\
             initrd --name initrd0 http://10.0.0.1/d/initrd.gz\n\
             initrd --name initrd1 http://elsewhere/fw.cpio\nboot\n"
        );
    }

    #[test]
    fn the_local_disk_is_next_for_firmware_of_both_kinds() {
        let script = local_disk("web1 is installed");
        assert!(script.starts_with("#!ipxe\n"), "{script}");
        assert!(script.ends_with("iseq ${platform} efi && exit 1 || exit 0\n"), "{script}");
    }
}
