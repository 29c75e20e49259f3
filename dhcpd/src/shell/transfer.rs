//! Leases as JSON lines, out of the stores of IPv4 and IPv6 and into them, while no daemon runs on them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Write, stdin, stdout};
use std::path::Path;

use daemon::exit::{Exit, Fatal};

use super::store::{LeaseStore, StoreError};
use crate::core::{Leased, Record};

/// Records of one commit.
const GROUP: usize = 4096;
/// Mistakes that are shown.
const MISTAKES_SHOWN: usize = 20;

/// Writes the latest record of each address to standard output, a line each.
///
/// # Errors
/// The store cannot be read, or nobody reads the output.
pub(super) fn export<S: LeaseStore>(stores: &mut [S; 2]) -> Result<(), Fatal> {
    let mut out = std::io::BufWriter::new(stdout().lock());
    let mut written = Ok(());
    for store in stores {
        let loaded = store.load().map_err(failed)?;
        if let Some(damage) = loaded.damage {
            eprintln!("{damage}");
        }
        for (_, record) in &loaded.records {
            written = written.and_then(|()| {
                serde_json::to_writer(&mut out, record)?;
                out.write_all(b"\n")
            });
        }
    }
    let written = written.and_then(|()| out.flush());
    written.map_err(|error| Fatal::system("write the leases", &error))
}

/// Adds the records of a file (`-`: standard input) to the store; each takes the place of what is known
/// of its address. Nothing is added if any line is wrong.
///
/// # Errors
/// A line is no record, or the store cannot be read or written.
pub(super) fn import<S: LeaseStore>(stores: &mut [S; 2], path: &Path) -> Result<(), Fatal> {
    let reader: Box<dyn BufRead> = if path.as_os_str() == "-" {
        Box::new(stdin().lock())
    } else {
        let file =
            File::open(path).map_err(|error| Fatal::system(&format!("open `{}`", path.display()), &error))?;
        Box::new(BufReader::new(file))
    };
    let (records, mistakes) = read(reader, path)?;
    if !mistakes.is_empty() {
        let more = mistakes.len().saturating_sub(MISTAKES_SHOWN);
        let mut text: Vec<String> = mistakes.into_iter().take(MISTAKES_SHOWN).collect();
        text.extend((more > 0).then(|| format!("and {more} more")));
        let text = format!("nothing was imported:\n  {}", text.join("\n  "));
        return Err(Fatal::new(text).with_exit(Exit::Failed));
    }
    let count = records.len();
    let (four, six): (Vec<_>, Vec<_>) =
        records.into_values().partition(|record| matches!(record.address, Leased::V4(_)));
    for (store, records) in stores.iter_mut().zip([four, six]) {
        let loaded = store.load().map_err(failed)?;
        let last = loaded.records.last().map_or(0, |(position, _)| *position);
        let numbered: Vec<(u64, Record)> = (last + 1..).zip(records).collect();
        for group in numbered.chunks(GROUP) {
            store.commit(group).map_err(failed)?;
        }
    }
    println!("{count} leases imported");
    Ok(())
}

/// The records by address, the last of each, and what is wrong with lines.
fn read(reader: Box<dyn BufRead>, path: &Path) -> Result<(BTreeMap<Leased, Record>, Vec<String>), Fatal> {
    let (mut records, mut mistakes) = (BTreeMap::new(), Vec::new());
    for (number, line) in (1..).zip(reader.lines()) {
        let line = line.map_err(|error| Fatal::system(&format!("read `{}`", path.display()), &error))?;
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str::<Record>(&line) {
            Ok(record) => {
                records.insert(record.address, record);
            }
            Err(error) => mistakes.push(format!("{}:{number}: {error}", path.display())),
        }
    }
    Ok((records, mistakes))
}

fn failed(error: StoreError) -> Fatal {
    Fatal::new(error.to_string()).with_exit(Exit::Failed)
}
