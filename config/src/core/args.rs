//! Arguments of an object's definition, read as cdist's emulator reads them.
//!
//! That is the grammar of Python's `argparse`: options before or after the id, `--name value` and
//! `--name=value`, unambiguous prefixes, everything after `--` positional, and a value that looks like an
//! option only as `--name=-x`. What looks like an option: it starts with `-`, is longer than that, is no
//! negative number, and has no blank in it.

use std::collections::BTreeMap;
use std::fmt;

use inventory_core::diag::did_you_mean;

use super::types::{Arity, Parameter, Type};
use super::value::Value;

/// What was written after a type's name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// The object id, as written.
    pub id: Option<Vec<u8>>,
    /// Parameters, defaults included.
    pub values: BTreeMap<String, Value>,
    /// Warnings about parameters that were given and should not be.
    pub deprecated: Vec<String>,
}

/// Why arguments cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsageError {
    /// No parameter of this name, or too many arguments; and the parameter that may be meant.
    Unrecognized(Vec<String>, Option<String>),
    /// A prefix of several parameters.
    Ambiguous(String, Vec<String>),
    /// A parameter without its value.
    NoValue(String),
    /// A boolean with a value.
    ValueOfBoolean(String, String),
    /// Required parameters that are not there.
    Missing(Vec<String>),
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UsageError::Unrecognized(words, near) => {
                write!(f, "unrecognized arguments: {}", words.join(" "))?;
                near.iter().try_for_each(|near| write!(f, "; did you mean `--{near}`?"))
            }
            UsageError::Ambiguous(word, all) => {
                write!(f, "ambiguous option: {word} could match {}", all.join(", "))
            }
            UsageError::NoValue(name) => write!(f, "argument --{name}: expected one argument"),
            UsageError::ValueOfBoolean(name, value) => {
                write!(f, "argument --{name}: ignored explicit argument '{value}'")
            }
            UsageError::Missing(names) => {
                write!(f, "the following arguments are required: {}", names.join(", "))
            }
        }
    }
}

impl std::error::Error for UsageError {}

/// What one word is.
enum Word<'a> {
    Plain,
    Option { parameter: &'a Parameter, value: Option<Vec<u8>> },
    Unknown,
}

/// Reads the arguments of an object of type `kind`.
///
/// # Errors
/// The first thing that is wrong, in the words of `argparse`.
pub fn parse(kind: &Type, words: &[Vec<u8>]) -> Result<Arguments, UsageError> {
    let mut found = Arguments::default();
    let mut unrecognized = Vec::new();
    let mut given: BTreeMap<&str, Value> = BTreeMap::new();
    let end = words.iter().position(|word| word == b"--").unwrap_or(words.len());
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        let sort = if at - 1 < end { sort(kind, word)? } else { Word::Plain };
        match sort {
            Word::Plain if at - 1 == end => {}
            Word::Plain if found.id.is_none() && !kind.singleton => found.id = Some(word.clone()),
            Word::Plain | Word::Unknown => unrecognized.push(shown(word)),
            Word::Option { parameter, value } => {
                let (value, used) = value_of(kind, parameter, value, words, at, end)?;
                at += used;
                add(&mut given, parameter, value);
            }
        }
    }
    let missing = kind
        .parameters
        .iter()
        .filter(|parameter| parameter.required && !given.contains_key(&*parameter.name));
    let mut missing: Vec<String> = missing.map(|parameter| format!("--{}", parameter.name)).collect();
    if found.id.is_none() && !kind.singleton {
        missing.push("object_id".to_owned());
    }
    if !missing.is_empty() {
        return Err(UsageError::Missing(missing));
    }
    if !unrecognized.is_empty() {
        let near = unrecognized.iter().find_map(|word| meant(kind, word));
        return Err(UsageError::Unrecognized(unrecognized, near));
    }
    finish(kind, &mut found, given);
    Ok(found)
}

/// The parameter that an unknown option may be meant for.
fn meant(kind: &Type, word: &str) -> Option<String> {
    let name = word.strip_prefix("--")?.split('=').next()?;
    did_you_mean(name, kind.parameters.iter().map(|parameter| &*parameter.name)).map(str::to_owned)
}

/// Adds defaults and collects warnings.
fn finish(kind: &Type, found: &mut Arguments, given: BTreeMap<&str, Value>) {
    for parameter in &kind.parameters {
        if let (true, Some(message)) = (given.contains_key(&*parameter.name), &parameter.deprecated) {
            let text = if message.is_empty() { "it is deprecated" } else { message };
            found
                .deprecated
                .push(format!("parameter `--{}` of type `{}`: {text}", parameter.name, kind.name));
        }
        if let (false, Some(default)) = (given.contains_key(&*parameter.name), &parameter.default) {
            found.values.insert(parameter.name.clone(), default.clone());
        }
    }
    found.values.extend(given.into_iter().map(|(name, value)| (name.to_owned(), value)));
}

/// The value of an option, and how many of the words after it were used.
fn value_of(
    kind: &Type,
    parameter: &Parameter,
    explicit: Option<Vec<u8>>,
    words: &[Vec<u8>],
    at: usize,
    end: usize,
) -> Result<(Vec<u8>, usize), UsageError> {
    match (parameter.arity, explicit) {
        (Arity::Boolean, Some(value)) => {
            Err(UsageError::ValueOfBoolean(parameter.name.clone(), shown(&value)))
        }
        (Arity::Boolean, None) => Ok((Vec::new(), 0)),
        (Arity::Single | Arity::Multiple, Some(value)) => Ok((value, 0)),
        (Arity::Single | Arity::Multiple, None) => match words.get(at) {
            Some(next) if at < end && matches!(sort(kind, next)?, Word::Plain) => Ok((next.clone(), 1)),
            _ => Err(UsageError::NoValue(parameter.name.clone())),
        },
    }
}

fn add<'a>(given: &mut BTreeMap<&'a str, Value>, parameter: &'a Parameter, value: Vec<u8>) {
    let name = &*parameter.name;
    match parameter.arity {
        Arity::Boolean => drop(given.insert(name, Value::Flag)),
        Arity::Single => drop(given.insert(name, Value::One(value))),
        Arity::Multiple => match given.entry(name).or_insert_with(|| Value::Many(Vec::new())) {
            Value::Many(values) => values.push(value),
            Value::One(_) | Value::Flag => {}
        },
    }
}

fn sort<'a>(kind: &'a Type, word: &[u8]) -> Result<Word<'a>, UsageError> {
    if word.len() < 2 || word.first() != Some(&b'-') {
        return Ok(Word::Plain);
    }
    if let Some(long) = word.strip_prefix(b"--") {
        let (name, value) = match long.iter().position(|octet| *octet == b'=') {
            Some(at) => (long.get(..at).unwrap_or_default(), long.get(at + 1..).map(<[u8]>::to_vec)),
            None => (long, None),
        };
        // A name that is whole, also with a `=` in it, wins over prefixes.
        let exact = |wanted: &[u8]| kind.parameters.iter().find(|known| known.name.as_bytes() == wanted);
        if let Some(parameter) = exact(long) {
            return Ok(Word::Option { parameter, value: None });
        }
        if let Some(parameter) = exact(name) {
            return Ok(Word::Option { parameter, value });
        }
        let mut near = kind.parameters.iter().filter(|known| known.name.as_bytes().starts_with(name));
        match (near.next(), near.next()) {
            (Some(parameter), None) => return Ok(Word::Option { parameter, value }),
            (Some(first), Some(second)) => {
                let all = [first, second].into_iter().chain(near).map(|known| format!("--{}", known.name));
                return Err(UsageError::Ambiguous(shown(word), all.collect()));
            }
            (None, _) => {}
        }
    }
    Ok(if is_negative_number(word) || word.contains(&b' ') { Word::Plain } else { Word::Unknown })
}

/// `-3`, `-3.5`, `-.5`.
fn is_negative_number(word: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    let Some(number) = word.strip_prefix(b"-") else { return false };
    match number.iter().position(|octet| *octet == b'.') {
        None => !number.is_empty() && digits(number),
        Some(at) => {
            let (whole, fraction) = number.split_at(at);
            digits(whole) && fraction.len() > 1 && digits(fraction.get(1..).unwrap_or_default())
        }
    }
}

fn shown(word: &[u8]) -> String {
    String::from_utf8_lossy(word).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kind() -> Type {
        let files = [
            ("parameter/required", "owner"),
            ("parameter/optional", "state\nstatus\nmode"),
            ("parameter/optional_multiple", "option"),
            ("parameter/boolean", "force"),
            ("parameter/default/state", "present"),
        ];
        Type::read("__t", &files.iter().map(|(p, t)| ((*p).to_owned(), (*t).to_owned())).collect())
    }

    fn read(words: &[&str]) -> Result<Arguments, UsageError> {
        parse(&kind(), &words.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>())
    }

    fn one(arguments: &Arguments, name: &str) -> String {
        match arguments.values.get(name) {
            Some(Value::One(value)) => shown(value),
            other => panic!("{name} is {other:?}"),
        }
    }

    #[test]
    fn options_stand_before_and_after_the_id_and_defaults_are_added() {
        let read = read(&["--owner", "root", "x/y", "--mode=0644", "--force"]).unwrap();
        assert_eq!(read.id.as_deref(), Some(&b"x/y"[..]));
        assert_eq!((one(&read, "mode"), one(&read, "state")), ("0644".to_owned(), "present".to_owned()));
        assert_eq!(read.values.get("force"), Some(&Value::Flag));
    }

    #[test]
    fn a_prefix_is_accepted_if_only_one_parameter_has_it() {
        assert_eq!(one(&read(&["--own", "root", "x"]).unwrap(), "owner"), "root");
        assert_eq!(
            read(&["--owner", "root", "x", "--sta", "absent"]),
            Err(UsageError::Ambiguous("--sta".to_owned(), vec!["--state".to_owned(), "--status".to_owned()]))
        );
    }

    #[test]
    fn a_value_with_a_dash_needs_the_equals_sign_unless_it_is_a_number_or_has_a_blank() {
        assert_eq!(read(&["--owner", "-x", "id"]), Err(UsageError::NoValue("owner".to_owned())));
        assert_eq!(one(&read(&["--owner=-x", "id"]).unwrap(), "owner"), "-x");
        assert_eq!(one(&read(&["--owner", "-", "id"]).unwrap(), "owner"), "-");
        assert_eq!(one(&read(&["--owner", "-1.5", "id"]).unwrap(), "owner"), "-1.5");
        assert_eq!(one(&read(&["--owner", "-x y", "id"]).unwrap(), "owner"), "-x y");
    }

    #[test]
    fn everything_after_two_dashes_is_positional() {
        assert_eq!(read(&["--owner", "r", "--", "--force"]).unwrap().id.as_deref(), Some(&b"--force"[..]));
    }

    #[test]
    fn repeated_values_are_kept_for_multiple_and_the_last_wins_for_single() {
        let read = read(&["--owner", "a", "--option", "1", "x", "--owner", "b", "--option", ""]).unwrap();
        assert_eq!(one(&read, "owner"), "b");
        assert_eq!(read.values.get("option"), Some(&Value::Many(vec![b"1".to_vec(), Vec::new()])));
    }

    #[test]
    fn mistakes_are_told() {
        assert_eq!(read(&["--nope"]), Err(UsageError::Missing(vec!["--owner".into(), "object_id".into()])));
        assert_eq!(
            read(&["--owner", "r", "x", "--nope"]),
            Err(UsageError::Unrecognized(vec!["--nope".into()], None))
        );
        let typo = read(&["--owner", "r", "--opton=1", "x"]).unwrap_err().to_string();
        assert_eq!(typo, "unrecognized arguments: --opton=1; did you mean `--option`?");
        assert_eq!(read(&["--owner", "r", "x", "y"]), Err(UsageError::Unrecognized(vec!["y".into()], None)));
        let value = UsageError::ValueOfBoolean("force".into(), "1".into());
        assert_eq!(read(&["--owner", "r", "x", "--force=1"]), Err(value));
    }

    proptest! {
        #[test]
        fn any_octets_are_values_behind_an_equals_sign(value in proptest::collection::vec(any::<u8>(), 0..40)) {
            let word = [b"--owner=".as_slice(), &value].concat();
            let read = parse(&kind(), &[word, b"id".to_vec()]).unwrap();
            prop_assert_eq!(read.values.get("owner"), Some(&Value::One(value)));
        }

        #[test]
        fn no_arguments_whatever_panic(words in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..8), 0..8)) {
            let _ = parse(&kind(), &words);
        }
    }
}
