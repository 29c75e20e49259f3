//! `[boot.X]`.

use super::field::{Field, Spanned};
use super::read::{self, Findings};
use crate::diag::{Finding, Rule};
use crate::span::Span;
use crate::toml::{Entry, Table};

/// `[boot.X]` as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootDecl {
    /// Its name.
    pub name: Box<str>,
    /// The header.
    pub span: Span,
    /// Path or URL of the kernel.
    pub kernel: Field<Box<str>>,
    /// Paths or URLs of the initial RAM disks.
    pub initrd: Field<Vec<Spanned<Box<str>>>>,
    /// Kernel command line.
    pub cmdline: Field<Box<str>>,
    /// Path or URL of an iPXE script.
    pub script: Field<Box<str>>,
    /// Served names and their templates.
    pub files: Vec<(Box<str>, Spanned<Box<str>>)>,
}

pub(super) const KEYS: &[&str] = &["kernel", "initrd", "cmdline", "script", "files"];

pub(super) fn read_boot(key: Spanned<&str>, table: Table<'_, '_>, findings: Findings<'_>) -> BootDecl {
    let mut boot = BootDecl {
        name: key.value.into(),
        span: table.span(),
        kernel: Field::Absent,
        initrd: Field::Absent,
        cmdline: Field::Absent,
        script: Field::Absent,
        files: Vec::new(),
    };
    // Whether what seems missing may be there, under a name that is not known.
    let mut vague = false;
    for entry in table.entries() {
        match entry.key() {
            "kernel" => boot.kernel = read::field(entry, findings, read::path_or_url),
            "initrd" => boot.initrd = read::list(entry, findings, read::path_or_url),
            "cmdline" => boot.cmdline = read::field(entry, findings, read::boxed),
            "script" => boot.script = read::field(entry, findings, read::path_or_url),
            "files" => boot.files = read_files(entry, findings),
            _ => {
                read::unknown_key(entry, "a boot profile", KEYS, findings);
                vague = true;
            }
        }
    }
    if !vague {
        check_source(&boot, table, findings);
    }
    boot
}

/// Exactly one of `kernel` and `script`; `initrd` and `cmdline` go with a kernel.
fn check_source(boot: &BootDecl, table: Table<'_, '_>, findings: Findings<'_>) {
    let name = &boot.name;
    if boot.script.is_absent() {
        if boot.kernel.is_absent() {
            let message = format!("boot profile `{name}` has neither `kernel` nor `script`");
            let finding = Finding::new(Rule::MissingKey, boot.span, message);
            findings.push(finding.help("add `kernel = \"debian12/linux\"`, or an iPXE `script`"));
        }
        return;
    }
    for key in ["kernel", "initrd", "cmdline"] {
        if let (Some(entry), Some(script)) = (table.get(key), table.get("script")) {
            let message = format!("boot profile `{name}` has both `script` and `{key}`");
            let finding = Finding::new(Rule::ConflictingKeys, entry.key_span(), message);
            let finding = finding.other(script.key_span(), "the script decides everything");
            findings.push(finding.help(format!("remove `{key}`, or `script`")));
            return;
        }
    }
}

fn read_files(entry: Entry<'_, '_>, findings: Findings<'_>) -> Vec<(Box<str>, Spanned<Box<str>>)> {
    let Some(table) = read::table(entry, findings) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    for entry in table.entries() {
        let value = entry.value();
        if let Some(template) = read::path(value, findings) {
            files.push((entry.key().into(), Spanned { value: template, span: value.span() }));
        }
    }
    files
}
