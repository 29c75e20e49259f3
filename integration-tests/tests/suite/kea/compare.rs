//! Two conversations against each other, field by field, and the page that explains what differs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use integration_tests::place::workspace;

/// The field that tells replies of one type from those of others.
pub(in crate::suite) const REPLY: &str = "reply";

/// What a reply says, by the name of its field; empty: there is none.
pub(in crate::suite) type Fields = BTreeMap<String, String>;

/// A field that differs.
pub(in crate::suite) struct Difference<'a, A> {
    pub(in crate::suite) ask: &'a A,
    pub(in crate::suite) field: &'a str,
    /// Empty: there is no such field, or no reply.
    pub(in crate::suite) ours: &'a str,
    pub(in crate::suite) theirs: &'a str,
    /// Everything that both say.
    pub(in crate::suite) all: [&'a Fields; 2],
}

/// What all scenarios have shown.
#[derive(Default)]
pub(in crate::suite) struct Verdict {
    needed: BTreeSet<&'static str>,
    failures: Vec<String>,
    scenarios: usize,
    messages: usize,
}

impl Verdict {
    /// Compares what was said to both servers in the scenario `name`, which says that it differs by these
    /// words. `word` explains a difference.
    pub(in crate::suite) fn judge<A: PartialEq>(
        &mut self,
        (name, differs): (&str, &[&str]),
        [ours, theirs]: [&[(A, Fields)]; 2],
        word: impl Fn(&Difference<'_, A>) -> Option<&'static str>,
    ) {
        let (found, unexplained) = differences(ours, theirs, word);
        let said: BTreeSet<&str> = differs.iter().copied().collect();
        for difference in unexplained {
            self.failures.push(format!("{name}: {difference}"));
        }
        if found != said {
            self.failures.push(format!("{name}: differs by {found:?}, and says {said:?}"));
        }
        self.needed.extend(found);
        self.scenarios += 1;
        self.messages += ours.len();
    }

    /// Ends the test: fails by what was found, and by what stands on the page of that name below
    /// `docs/reference` and is not needed, or the other way round.
    pub(in crate::suite) fn end(mut self, page: &str, log: &str) {
        let text = fs::read_to_string(workspace().join("docs/reference").join(page)).unwrap();
        let words = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
        let explained: BTreeSet<&str> = words.map(|(word, _)| word).collect();
        for word in explained.symmetric_difference(&self.needed) {
            let where_ =
                if explained.contains(word) { "explained, and nothing needs it" } else { "not on the page" };
            self.failures.push(format!("`{word}` is {where_}"));
        }
        println!("{} scenarios, {} messages to each server", self.scenarios, self.messages);
        assert!(self.failures.is_empty(), "{}\n{log}", self.failures.join("\n"));
    }
}

/// The words that explain what differs, and what no word explains.
fn differences<A: PartialEq>(
    ours: &[(A, Fields)],
    theirs: &[(A, Fields)],
    word: impl Fn(&Difference<'_, A>) -> Option<&'static str>,
) -> (BTreeSet<&'static str>, Vec<String>) {
    let (mut words, mut unexplained) = (BTreeSet::new(), Vec::new());
    for (place, ((ask, our), (their_ask, their))) in ours.iter().zip(theirs).enumerate() {
        let mut names: BTreeSet<&String> = our.keys().chain(their.keys()).collect();
        if our.get(REPLY) != their.get(REPLY) {
            // Nothing in them can be compared.
            names.retain(|name| *name == REPLY);
        }
        for field in names {
            let value = |all: &Fields| all.get(field).cloned().unwrap_or_default();
            let (ours, theirs) = (value(our), value(their));
            let difference = Difference { ask, field, ours: &ours, theirs: &theirs, all: [our, their] };
            if ours == theirs {
                continue;
            }
            match word(&difference) {
                Some(word) => {
                    words.insert(word);
                }
                None => unexplained
                    .push(format!("message {}, {field}: ours `{ours}`, Kea's `{theirs}`", place + 1)),
            }
        }
        if ask != their_ask && words.is_empty() {
            unexplained.push(format!("message {}: the clients say different things", place + 1));
        }
    }
    if ours.len() != theirs.len() {
        unexplained.push(format!("{} messages to ours, {} to Kea", ours.len(), theirs.len()));
    }
    (words, unexplained)
}
