//! What is sent to a target in one round trip: files to put there, scripts to run, in order.
//!
//! A batch is text for a POSIX shell that has the functions of `agent.sh`. Everything foreign in it is
//! quoted: no id, value or script can be read as something else. Paths are relative to the private
//! directory of the run on the target, except where a program of the user runs.

use std::collections::BTreeSet;

use super::quote::{quote, quote_text};

/// A shell variable and its value.
pub type Variable = (&'static str, String);

/// What a script is to a target: whether several may run at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Changes nothing; runs beside others.
    Explorer,
    /// Runs alone.
    Code,
}

/// A batch being put together.
#[derive(Debug, Default)]
pub struct Batch {
    directories: BTreeSet<String>,
    puts: Vec<u8>,
    executables: Vec<String>,
    runs: Vec<u8>,
    /// Number of scripts so far.
    scripts: usize,
    /// Explorers started since the last time that all were waited for.
    beside: usize,
}

/// Explorers that run at the same time on a target.
const BESIDE_MAX: usize = 4;

/// Files given to one `chmod` or directories to one `mkdir`: far below any limit of a command line.
const WORDS_MAX: usize = 100;

/// Octets of a file in one word. In some shells `printf` is a program, and then a word has 128 KiB on Linux; escapes
/// make five of one.
const PIECE_MAX: usize = 24 << 10;

impl Batch {
    /// Puts a file there, for the user only.
    pub fn put(&mut self, path: &str, content: &[u8]) {
        self.enclose(path);
        // A shell's word holds no zero octet; `printf %b` makes them from escapes.
        let zeros = content.contains(&0);
        let (first, more) = if zeros { ("B", "C") } else { ("P", "A") };
        let pieces =
            content.chunks(PIECE_MAX).map(|piece| if zeros { escaped(piece) } else { piece.to_vec() });
        for (number, piece) in pieces.chain(content.is_empty().then(Vec::new)).enumerate() {
            let function = if number == 0 { first } else { more };
            self.puts.extend_from_slice(format!("{function} {} ", quote_text(path)).as_bytes());
            self.puts.extend_from_slice(&quote(&piece));
            self.puts.push(b'\n');
        }
    }

    /// Puts a program there.
    pub fn put_program(&mut self, path: &str, content: &[u8]) {
        self.put(path, content);
        self.executables.push(path.to_owned());
    }

    /// Runs the script at `path` with these variables. Returns its number in the reply.
    pub fn run(&mut self, kind: Kind, path: &str, variables: &[Variable]) -> usize {
        let number = self.scripts;
        self.scripts += 1;
        let exports: String =
            variables.iter().map(|(name, value)| format!(" {name}={}", in_directory(value))).collect();
        let exports = if exports.is_empty() { exports } else { format!("export{exports}; ") };
        let command = format!("{exports}exec /bin/sh -e \"$d\"/{}", quote_text(path));
        self.script(kind, number, &command);
        number
    }

    /// Runs a command line with the user's login shell, as ssh does. Its input, if there is any, follows the
    /// batch: so many octets. Returns its number in the reply.
    pub fn command(&mut self, line: &[u8], input: Option<u64>) -> usize {
        let number = self.scripts;
        self.scripts += 1;
        let mut text = match input {
            Some(size) => {
                format!("recv {size} >\"$d\"/.in || oops\nok && {{ ( exec \"${{SHELL:-/bin/sh}}\" -c ")
            }
            None => "ok && { ( exec \"${SHELL:-/bin/sh}\" -c ".to_owned(),
        }
        .into_bytes();
        text.extend_from_slice(&quote(line));
        let input = if input.is_some() { "\"$d\"/.in" } else { "/dev/null" };
        text.extend_from_slice(format!(" ) <{input} {}; F {number} $?; }}\n", streams(number)).as_bytes());
        self.runs.extend_from_slice(&text);
        number
    }

    /// Lays a file at `path`, anywhere on the target, as `scp` does: in it if it is a directory, by the name
    /// `base`; a new file gets `mode` less the login's umask. `size` octets follow the batch. They are read
    /// even if they cannot be written. Returns its number in the reply.
    pub fn receive(&mut self, path: &str, base: &str, size: u64, mode: u32) -> usize {
        let number = self.scripts;
        self.scripts += 1;
        let path = match path.strip_prefix("~/") {
            Some(rest) => format!("~/{}", quote_text(rest)),
            None if path.is_empty() => ".".to_owned(),
            None => quote_text(path),
        };
        let text = format!(
            "ok && {{ ( t={path}; [ ! -d \"$t\" ] || t=${{t%/}}/{base}; [ -e \"$t\" ] || new=1\n\
             recv {size} | {{ cat >\"$t\" || {{ cat >/dev/null; exit 1; }}; }} || exit 1\n\
             [ -z \"$new\" ] || chmod \"$(printf %o $((0{mode:o} & ~0$umask_login)))\" \"$t\" ) \
             {}; F {number} $?; }}\n",
            streams(number),
            base = quote_text(base),
        );
        self.runs.extend_from_slice(text.as_bytes());
        number
    }

    /// Number of scripts.
    pub fn scripts(&self) -> usize {
        self.scripts
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.scripts == 0 && self.puts.is_empty()
    }

    /// The text.
    pub fn text(&self) -> Vec<u8> {
        // One group: a shell reads it to its end before it runs any of it, so that a batch that was cut
        // off on its way does nothing at all.
        let mut text = b"{\nbegin\n".to_vec();
        let in_words = |command: &str, words: &mut dyn Iterator<Item = &String>, text: &mut Vec<u8>| {
            let words: Vec<String> = words.map(|word| format!(" \"$d\"/{}", quote_text(word))).collect();
            for some in words.chunks(WORDS_MAX) {
                text.extend_from_slice(format!("{command}{} || oops\n", some.concat()).as_bytes());
            }
        };
        in_words("mkdir -p", &mut self.directories.iter(), &mut text);
        text.extend_from_slice(&self.puts);
        in_words("chmod 700", &mut self.executables.iter(), &mut text);
        text.extend_from_slice(b"ready\n");
        text.extend_from_slice(&self.runs);
        if self.beside > 0 {
            text.extend_from_slice(b"wait\n");
        }
        text.extend_from_slice(b"end\n}\n");
        text
    }

    fn script(&mut self, kind: Kind, number: usize, command: &str) {
        let line = match kind {
            Kind::Explorer => {
                format!("ok && {{ ( {command} ) </dev/null {}; F {number} $?; }} &\n", streams(number))
            }
            Kind::Code => {
                format!("ok && {{ ( {command} ) </dev/null {}; F {number} $?; }}\n", streams(number))
            }
        };
        if kind == Kind::Code && self.beside > 0 || self.beside == BESIDE_MAX {
            self.runs.extend_from_slice(b"wait\n");
            self.beside = 0;
        }
        self.beside += usize::from(kind == Kind::Explorer);
        self.runs.extend_from_slice(line.as_bytes());
    }

    fn enclose(&mut self, path: &str) {
        if let Some((directory, _)) = path.rsplit_once('/') {
            self.directories.insert(directory.to_owned());
        }
    }
}

/// Octets as `printf %b` reads them.
fn escaped(content: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(content.len() * 2);
    for octet in content {
        match octet {
            b' '..=b'[' | b']'..=b'~' | b'\n' => text.push(*octet),
            other => text.extend_from_slice(format!("\\0{other:03o}").as_bytes()),
        }
    }
    text
}

/// Where a script's streams go. Numbers have six digits, so that names sort as numbers do.
fn streams(number: usize) -> String {
    format!(">\"$d\"/.r/{number:06}o 2>\"$d\"/.r/{number:06}e")
}

/// A value that begins with the mark [`HERE`] means a path in the run's directory on the target.
fn in_directory(value: &str) -> String {
    match value.strip_prefix(HERE) {
        Some(path) => format!("\"$d\"/{}", quote_text(path)),
        None => quote_text(value),
    }
}

/// Stands at the beginning of a value for the directory of the run on the target.
pub const HERE: &str = "\u{1}here/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_longer_than_a_program_may_get() {
        for content in [vec![b'x'; 300_000], [vec![0; 100_000], vec![b'\''; 100_000]].concat(), Vec::new()] {
            let mut batch = Batch::default();
            batch.put("a", &content);
            let text = String::from_utf8(batch.puts).unwrap();
            let lines: Vec<&str> = text.split_terminator("'\n").collect();
            assert!(lines.iter().all(|line| line.len() < 128 << 10));
            assert!(
                lines[0].starts_with(['P', 'B'])
                    && lines[1..].iter().all(|line| line.starts_with(['A', 'C']))
            );
        }
    }

    #[test]
    fn code_waits_for_explorers_and_explorers_run_beside_each_other() {
        let mut batch = Batch::default();
        batch.put_program("conf/explorer/os", b"echo it's");
        assert_eq!(
            batch.run(Kind::Explorer, "conf/explorer/os", &[("__explorer", format!("{HERE}conf/explorer"))]),
            0
        );
        assert_eq!(batch.run(Kind::Code, "object/a b/code-remote", &[]), 1);
        assert_eq!(
            String::from_utf8(batch.text()).unwrap(),
            "{\n\
             begin\n\
             mkdir -p \"$d\"/'conf/explorer' || oops\n\
             P 'conf/explorer/os' 'echo it'\\''s'\n\
             chmod 700 \"$d\"/'conf/explorer/os' || oops\n\
             ready\n\
             ok && { ( export __explorer=\"$d\"/'conf/explorer'; exec /bin/sh -e \"$d\"/'conf/explorer/os' ) \
             </dev/null >\"$d\"/.r/000000o 2>\"$d\"/.r/000000e; F 0 $?; } &\n\
             wait\n\
             ok && { ( exec /bin/sh -e \"$d\"/'object/a b/code-remote' ) \
             </dev/null >\"$d\"/.r/000001o 2>\"$d\"/.r/000001e; F 1 $?; }\n\
             end\n\
             }\n"
        );
    }
}
