//! What a target answers to a batch, read as it comes in.
//!
//! ```text
//! F number code        a script ended
//! X what               something could not be written; nothing after it ran
//! S                    then one line per stream: octets name
//! .                    then the octets of the streams, one after the other
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

/// How a script ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; none if it did not run.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
}

/// What is wrong with a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Garbled(pub String);

impl fmt::Display for Garbled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the target answered something strange: `{}`", self.0)
    }
}

impl std::error::Error for Garbled {}

/// Reads one reply.
#[derive(Debug, Default)]
pub struct Reply {
    line: Vec<u8>,
    stage: Stage,
    ended: BTreeMap<usize, Ended>,
    streams: VecDeque<Stream>,
    trouble: Option<String>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Lines,
    Sizes,
    Octets,
    Complete,
}

#[derive(Debug)]
struct Stream {
    left: usize,
    number: usize,
    is_error: bool,
}

/// A line is never longer than this.
const LINE_MAX: usize = 4096;

impl Reply {
    /// Takes octets in; returns how many of them belong to this reply.
    ///
    /// # Errors
    /// The octets are no reply.
    pub fn feed(&mut self, octets: &[u8]) -> Result<usize, Garbled> {
        let mut used = 0;
        while let Some(rest) = octets.get(used..).filter(|rest| !rest.is_empty()) {
            match self.stage {
                Stage::Complete => break,
                Stage::Octets => used += self.stream(rest),
                Stage::Lines | Stage::Sizes => {
                    let end = rest.iter().position(|octet| *octet == b'\n');
                    let taken = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
                    self.line.extend_from_slice(taken);
                    if self.line.len() > LINE_MAX {
                        return Err(self.garbled());
                    }
                    used += taken.len() + usize::from(end.is_some());
                    if end.is_some() {
                        self.take_line()?;
                    }
                }
            }
            self.next_stream();
        }
        Ok(used)
    }

    /// Whether nothing more is to come.
    pub fn is_complete(&self) -> bool {
        self.stage == Stage::Complete
    }

    /// What could not be written on the target.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Numbers and exit codes of the scripts that have ended so far.
    pub fn codes(&self) -> impl Iterator<Item = (usize, i32)> + '_ {
        self.ended.iter().filter_map(|(number, ended)| Some((*number, ended.code?)))
    }

    /// How script `number` ended.
    pub fn take(&mut self, number: usize) -> Ended {
        self.ended.remove(&number).unwrap_or_default()
    }

    fn take_line(&mut self) -> Result<(), Garbled> {
        let line = String::from_utf8_lossy(&self.line).into_owned();
        let mut words = line.split_ascii_whitespace();
        let mut number = || words.next().and_then(|word| word.parse::<usize>().ok());
        let understood = match (&self.stage, line.as_bytes().first()) {
            (Stage::Lines, Some(b'F')) => {
                words.next();
                let mut number = || words.next().and_then(|word| word.parse::<usize>().ok());
                number().zip(number()).and_then(|(number, code)| {
                    self.ended.entry(number).or_default().code = Some(i32::try_from(code).ok()?);
                    Some(())
                })
            }
            (Stage::Lines, Some(b'X')) => {
                self.trouble.get_or_insert_with(|| line.get(2..).unwrap_or_default().to_owned());
                Some(())
            }
            (Stage::Lines, Some(b'S')) => {
                self.stage = Stage::Sizes;
                Some(())
            }
            (Stage::Sizes, Some(b'.')) => {
                self.stage = Stage::Octets;
                Some(())
            }
            (Stage::Sizes, _) => {
                let size = number();
                size.zip(words.next()).and_then(|(size, name)| self.announce(size, name))
            }
            _ => None,
        };
        understood.ok_or_else(|| self.garbled())?;
        self.line.clear();
        Ok(())
    }

    /// Notes that a stream of `size` octets will come. `total` is what `wc` adds for several files.
    fn announce(&mut self, left: usize, name: &str) -> Option<()> {
        if name == "total" {
            return Some(());
        }
        let (number, sort) = name.split_at_checked(6)?;
        let is_error = match sort {
            "o" => false,
            "e" => true,
            _ => return None,
        };
        self.streams.push_back(Stream { left, number: number.parse().ok()?, is_error });
        Some(())
    }

    fn stream(&mut self, octets: &[u8]) -> usize {
        let Some(stream) = self.streams.front_mut() else { return 0 };
        let taken = octets.get(..stream.left.min(octets.len())).unwrap_or_default();
        let ended = self.ended.entry(stream.number).or_default();
        if stream.is_error { &mut ended.stderr } else { &mut ended.stdout }.extend_from_slice(taken);
        stream.left -= taken.len();
        taken.len()
    }

    fn next_stream(&mut self) {
        if self.stage == Stage::Octets {
            while self.streams.front().is_some_and(|stream| stream.left == 0) {
                self.streams.pop_front();
            }
            if self.streams.is_empty() {
                self.stage = Stage::Complete;
            }
        }
    }

    fn garbled(&self) -> Garbled {
        Garbled(
            String::from_utf8_lossy(self.line.get(..200.min(self.line.len())).unwrap_or_default())
                .into_owned(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SAMPLE: &[u8] =
        b"F 1 0\nF 0 3\nS\n 5 000000o\n 0 000000e\n 2 000001o\n 3 000001e\n 10 total\n.\na\nb\ncxyerr";

    fn check(mut reply: Reply) {
        assert!(reply.is_complete());
        let first = Ended { code: Some(3), stdout: b"a\nb\nc".to_vec(), stderr: Vec::new() };
        let second = Ended { code: Some(0), stdout: b"xy".to_vec(), stderr: b"err".to_vec() };
        assert_eq!((reply.take(0), reply.take(1)), (first, second));
        assert_eq!(reply.take(2), Ended::default(), "a script that did not run has no code");
    }

    #[test]
    fn a_reply_is_read_in_pieces_of_any_size_and_no_further() {
        for size in 1..SAMPLE.len() {
            let mut reply = Reply::default();
            let all = [SAMPLE, b"F"].concat();
            let used: usize = all.chunks(size).map(|piece| reply.feed(piece).unwrap()).sum();
            assert_eq!(used, SAMPLE.len());
            check(reply);
        }
    }

    #[test]
    fn a_reply_without_streams_is_complete_at_the_dot() {
        let mut reply = Reply::default();
        assert_eq!(reply.feed(b"X cannot write `conf`\nS\n.\nrest"), Ok(26));
        assert!(reply.is_complete());
        assert_eq!(reply.trouble(), Some("cannot write `conf`"));
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        for bad in [&b"hello\n"[..], b"F x 0\n", b"S\nfoo\n", b"S\n1 00000xo\n", &[b'F'; 5000]] {
            assert!(Reply::default().feed(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_octets_whatever_panic(octets in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Reply::default().feed(&octets);
        }
    }
}
