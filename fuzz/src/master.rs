//! Master files: each is read to its end, every mistake has a place, and what is right reads the same
//! when it is written out again.

use inventory_core::diag::{Finding, Rule};
use inventory_core::name::Name;
use inventory_core::records::{Files, Record, Unopened, present, read_master};
use inventory_core::span::{FileId, Span};

use dnsd::core::{self, Outcome, QueryContext, Transport};
use dnsd::view::{DnsView, ZoneRecord};

/// Ends a file and begins the next, which `$INCLUDE` finds by its number.
const FORM_FEED: u8 = 0x0c;
/// What a zone is called.
const ZONE: &str = "example.org";

/// Files of one input.
struct Parts<'p>(Vec<&'p str>);

impl Files for Parts<'_> {
    fn open(&mut self, path: &str, _: FileId) -> Result<(FileId, String), Unopened> {
        let number = path.parse::<u32>().ok();
        let text = number.and_then(|number| self.0.get(usize::try_from(number).ok()?));
        match (number, text) {
            (Some(number), Some(text)) => Ok((FileId(number), (*text).to_owned())),
            _ => Err(Unopened { rule: Rule::MissingFile, message: "none".to_owned(), help: "" }),
        }
    }
}

/// Checks what becomes of `octets`: files with form feeds between them.
///
/// # Panics
/// A promise is broken.
pub fn survive(octets: &[u8]) {
    let octets = octets.get(..OCTETS_MAX).unwrap_or(octets);
    let texts: Vec<String> = octets
        .split(|octet| *octet == FORM_FEED)
        .map(|part| String::from_utf8_lossy(part).into_owned())
        .collect();
    let parts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let origin = Name::parse(ZONE, None).unwrap();
    let mut findings = Vec::new();
    let first = parts[0];
    let records = read_master(FileId(0), first, &origin, &mut Parts(parts.clone()), &mut findings);
    for finding in &findings {
        let others = finding.others.iter().map(|(span, _)| span);
        for span in std::iter::once(&finding.span).chain(others) {
            is_there(*span, &parts, finding);
        }
    }
    for record in records.iter().take(RECORDS_MAX) {
        reads_back(record);
    }
    if findings.is_empty() && parts.len() == 1 {
        serve(first);
    }
}

/// Longer ones say nothing new.
const OCTETS_MAX: usize = 16_384;
/// Records of which each is written out again.
const RECORDS_MAX: usize = 256;

fn is_there(span: Span, parts: &[&str], finding: &Finding) {
    let text = parts[usize::try_from(span.file.0).unwrap()];
    let (start, end) = (usize::try_from(span.start).unwrap(), usize::try_from(span.end).unwrap());
    assert!(text.get(start..end).is_some(), "{finding:#?}");
}

/// A record means the same when it is written out.
fn reads_back(record: &Record) {
    let ttl = record.ttl.map_or(String::new(), |ttl| ttl.to_string());
    let owner = if record.owner.is_root() { String::new() } else { record.owner.to_string() };
    let line = format!("{owner}. {ttl} IN {} {}\n", record.rtype, present(record.rtype, &record.rdata));
    let mut findings = Vec::new();
    let again = read_master(FileId(0), &line, &Name::root(), &mut Parts(Vec::new()), &mut findings);
    assert!(findings.is_empty(), "{line}{findings:#?}");
    let [again] = again.as_slice() else { panic!("{line}: {again:#?}") };
    assert_eq!(
        (&again.owner, again.ttl, again.rtype, &again.rdata, &again.target),
        (&record.owner, record.ttl, record.rtype, &record.rdata, &record.target),
        "{line}"
    );
}

/// If an inventory may have the file, its zone is served, and every record of it is in an answer or in a
/// part of the zone that is not ours to answer for.
fn serve(text: &str) {
    let site = format!("[zone.\"{ZONE}\"]\nfile = \"x.zone\"\n");
    let Ok(snapshot) = inventory_core::load_texts(&[("site.toml", &site), ("x.zone", text)]) else { return };
    let mut view = DnsView::build(&snapshot);
    view.set_serials(|_| 7);
    for record in view.records().iter().take(RECORDS_MAX) {
        ask(&view, record);
    }
}

fn ask(view: &DnsView, record: &ZoneRecord) {
    let mut query = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    query.extend_from_slice(record.owner.as_wire());
    query.extend_from_slice(&record.rtype.to_be_bytes());
    query.extend_from_slice(&[0, 1]);
    let mut reply = vec![0; 65_535];
    let outcome = core::answer(view, &query, QueryContext::anonymous(Transport::Tcp), &mut reply);
    let Outcome::Answered { octets, truncated: false, .. } = outcome else {
        panic!("{record}: {outcome:?}");
    };
    // 23 octets of RDATA or fewer may be compressed away; longer data without names stands as it is.
    let said = &reply[..octets];
    let answered = reply[7] > 0 || reply[6] > 0;
    if answered && OPAQUE.contains(&record.rtype) {
        assert!(said.windows(record.rdata.len()).any(|part| part == &*record.rdata), "{record}: {said:02x?}");
    }
}

/// Types whose data has no names: A, TXT, AAAA, DS, SSHFP, TLSA, CAA.
const OPAQUE: [u16; 7] = [1, 16, 28, 43, 44, 52, 257];
