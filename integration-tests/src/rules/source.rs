//! A source file: which of its lines are tests, where its functions are.

use super::lex::{Kind, Token, tokens};

/// One file of the workspace, lexed.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Path, relative to the workspace, with `/`.
    pub path: String,
    lines: usize,
    tokens: Vec<Token>,
    /// Token ranges that are compiled for tests only.
    tests: Vec<std::ops::Range<usize>>,
    /// Names of modules in other files that are compiled for tests only.
    test_modules: Vec<String>,
    /// The whole file is.
    is_test: bool,
}

/// A function of the product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of `fn`.
    pub first_line: usize,
    /// The line of the closing brace.
    pub last_line: usize,
}

impl SourceFile {
    /// Lexes `text`. Files below a package's `tests/` are tests.
    pub fn new(path: &str, text: &str) -> SourceFile {
        let tokens = tokens(text);
        let mut file = SourceFile {
            path: path.to_owned(),
            lines: text.lines().count(),
            tests: Vec::new(),
            test_modules: Vec::new(),
            is_test: path.split('/').nth(1) == Some("tests"),
            tokens,
        };
        file.find_tests();
        file
    }

    /// Tokens that are not tests.
    pub(super) fn product_tokens(&self) -> Vec<Token> {
        if self.is_test {
            return Vec::new();
        }
        let product = self.tokens.iter().enumerate().filter(|(at, _)| !self.in_tests(*at));
        product.map(|(_, token)| token.clone()).collect()
    }

    /// Lines that are not tests.
    pub fn product_lines(&self) -> usize {
        if self.is_test {
            return 0;
        }
        let lines_of = |range: &std::ops::Range<usize>| {
            self.tokens[range.end - 1].line - self.tokens[range.start].line + 1
        };
        self.lines - self.tests.iter().map(lines_of).sum::<usize>()
    }

    /// Lines on which `word` stands, in tests too.
    pub fn lines_of_word(&self, word: &str) -> Vec<usize> {
        self.tokens.iter().filter(|token| token.is_word(word)).map(|token| token.line).collect()
    }

    /// Functions with a body that are not tests.
    pub fn functions(&self) -> Vec<Function> {
        let mut functions = Vec::new();
        if self.is_test {
            return functions;
        }
        for at in 0..self.tokens.len() {
            // `fn(u8)` is a type: a name follows a function's `fn`.
            let Some(name) = self.tokens.get(at + 1).and_then(Token::word) else { continue };
            if self.tokens[at].is_word("fn") && !self.in_tests(at) {
                let end = item_end(&self.tokens, at);
                let (first_line, last_line) = (self.tokens[at].line, self.tokens[end - 1].line);
                functions.push(Function { name: name.to_owned(), first_line, last_line });
            }
        }
        functions
    }

    fn in_tests(&self, at: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&at))
    }

    /// Finds what `#[cfg(test)]` stands before.
    fn find_tests(&mut self) {
        let mut at = 0;
        while at < self.tokens.len() {
            if !is_cfg_test(&self.tokens[at..]) {
                at += 1;
                continue;
            }
            let start = at;
            while self.tokens.get(at).is_some_and(|token| token.is_punct('#')) {
                at = attribute_end(&self.tokens, at);
            }
            let end = item_end(&self.tokens, at);
            let item = &self.tokens[at..end];
            let module = item.iter().position(|token| token.is_word("mod"));
            if let (Some(module), true) = (module, item.last().is_some_and(|last| last.is_punct(';'))) {
                self.test_modules.extend(item.get(module + 1).and_then(Token::word).map(str::to_owned));
            }
            self.tests.push(start..end);
            at = end;
        }
    }
}

/// Marks files that are modules of tests, and what is below them.
pub(super) fn mark_test_modules(files: &mut [SourceFile]) {
    let mut places = Vec::new();
    for file in files.iter() {
        let base = file.path.trim_end_matches(".rs");
        let own = ["/mod", "/lib", "/main"].iter().find_map(|end| base.strip_suffix(end)).unwrap_or(base);
        places.extend(file.test_modules.iter().map(|module| format!("{own}/{module}")));
    }
    for file in files {
        let below = |place: &String| {
            file.path.strip_prefix(place).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        };
        file.is_test |= places.iter().any(below);
    }
}

fn is_cfg_test(tokens: &[Token]) -> bool {
    let puncts = [(0, '#'), (1, '['), (3, '('), (5, ')'), (6, ']')];
    tokens.len() > 6
        && puncts.iter().all(|(at, wanted)| tokens[*at].is_punct(*wanted))
        && tokens[2].is_word("cfg")
        && tokens[4].is_word("test")
}

/// The end of the attribute that begins at `at`.
fn attribute_end(tokens: &[Token], at: usize) -> usize {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate().skip(at + 1) {
        if token.is_punct('[') {
            depth += 1;
        } else if token.is_punct(']') {
            depth -= 1;
            if depth == 0 {
                return index + 1;
            }
        }
    }
    tokens.len()
}

/// The end of the item that begins at `at`: its `;`, or the brace that closes its body.
fn item_end(tokens: &[Token], at: usize) -> usize {
    let (mut braces, mut others) = (0, 0);
    for (index, token) in tokens.iter().enumerate().skip(at) {
        match token.kind {
            Kind::Punct('{') => braces += 1,
            Kind::Punct('(' | '[') => others += 1,
            Kind::Punct(')' | ']') => others -= 1,
            Kind::Punct('}') if braces == 1 && others == 0 => return index + 1,
            Kind::Punct('}') => braces -= 1,
            Kind::Punct(';') if braces == 0 && others == 0 => return index + 1,
            Kind::Punct(_) | Kind::Word(_) | Kind::Literal => {}
        }
        // An item without an end of its own, such as a variant: the enum's brace ends it.
        if braces < 0 {
            return index;
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
//! Head.
#[cfg(test)]
mod elsewhere;
fn long(x: fn(u8) -> [u8; 2]) {
    let s = \"}\"; // }
}

#[cfg(test)]
#[allow(x)]
mod tests {
    fn not_counted() {}
}
trait T {
    fn declared();
}
";

    #[test]
    fn tests_are_told_from_the_product() {
        let file = SourceFile::new("a/src/lib.rs", TEXT);
        assert_eq!(file.test_modules, ["elsewhere"]);
        assert_eq!(file.product_lines(), TEXT.lines().count() - 2 - 5);
        let spans: Vec<_> =
            file.functions().into_iter().map(|f| (f.name, f.first_line, f.last_line)).collect();
        assert_eq!(spans, [("long".to_owned(), 4, 6), ("declared".to_owned(), 14, 14)]);
    }

    #[test]
    fn a_module_of_tests_in_a_file_of_its_own_is_not_the_product() {
        let mut files = ["lib.rs", "elsewhere.rs", "elsewhere/more.rs", "elsewhere_not.rs"]
            .map(|name| {
                SourceFile::new(&format!("a/src/{name}"), if name == "lib.rs" { TEXT } else { "fn f() {}" })
            })
            .to_vec();
        mark_test_modules(&mut files);
        let counted: Vec<bool> = files.iter().map(|file| file.product_lines() > 0).collect();
        assert_eq!(counted, [true, false, false, true]);
        assert_eq!(SourceFile::new("a/tests/x.rs", TEXT).product_lines(), 0);
    }
}
