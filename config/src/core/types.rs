//! What a type declares: its parameters and markers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::value::Value;

/// How often a parameter is given and whether it has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    /// One value.
    Single,
    /// Any number of values.
    Multiple,
    /// No value.
    Boolean,
}

/// A parameter of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, without `--`.
    pub name: String,
    /// How it is given.
    pub arity: Arity,
    /// Whether it must be given.
    pub required: bool,
    /// What it is if it is not given.
    pub default: Option<Value>,
    /// Why it should not be used any more.
    pub deprecated: Option<String>,
}

/// A type, as its directory declares it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Type {
    /// Its name, with the two underscores.
    pub name: String,
    /// Its parameters: required ones first, in the order of their files.
    pub parameters: Vec<Parameter>,
    /// Whether there is one object of it at most, without an id.
    pub singleton: bool,
    /// Whether two objects of it must not run at the same time.
    pub nonparallel: bool,
    /// Whether it belongs to installation, not to configuration.
    pub install: bool,
    /// Why it should not be used any more.
    pub deprecated: Option<String>,
    /// Names of its explorers, sorted.
    pub explorers: Vec<String>,
    /// The scripts it has.
    pub scripts: Scripts,
}

/// Which scripts a type has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scripts {
    /// `manifest`.
    pub manifest: bool,
    /// `gencode-local`.
    pub gencode_local: bool,
    /// `gencode-remote`.
    pub gencode_remote: bool,
}

/// Every type by name.
pub type Types = BTreeMap<String, Arc<Type>>;

/// The files of a type's directory that declare something, by path relative to it.
pub type TypeFiles = BTreeMap<String, String>;

impl Type {
    /// Reads the declarations of the type `name`. `files` needs the files below `parameter/` and
    /// `deprecated` with their content; of all others the name is enough.
    pub fn read(name: &str, files: &TypeFiles) -> Type {
        let has = |file: &str| files.contains_key(file);
        let under = |directory: &str| -> BTreeSet<String> {
            let entries = files.keys().filter_map(|path| path.strip_prefix(directory));
            entries.filter(|entry| !entry.contains('/')).map(str::to_owned).collect()
        };
        let script = |file: &str| has(file) || files.keys().any(|path| path.starts_with(&format!("{file}/")));
        Type {
            name: name.to_owned(),
            parameters: parameters(files),
            singleton: has("singleton"),
            nonparallel: has("nonparallel"),
            install: has("install"),
            deprecated: files.get("deprecated").map(|text| text.trim().to_owned()),
            explorers: under("explorer/").into_iter().collect(),
            scripts: Scripts {
                manifest: script("manifest"),
                gencode_local: script("gencode-local"),
                gencode_remote: script("gencode-remote"),
            },
        }
    }

    /// The parameter of this name.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// The command line of an object of this type, for messages.
    pub fn usage(&self) -> String {
        let mut usage = format!("usage: {}", self.name);
        for Parameter { name, arity, required, .. } in &self.parameters {
            let value = name.to_uppercase().replace('-', "_");
            let word = match arity {
                Arity::Boolean => format!("--{name}"),
                Arity::Single | Arity::Multiple => format!("--{name} {value}"),
            };
            usage.push_str(&if *required { format!(" {word}") } else { format!(" [{word}]") });
        }
        if !self.singleton {
            usage.push_str(" object_id");
        }
        usage
    }
}

/// The lists of parameters, and how those in them are given.
const LISTS: [(&str, Arity, bool); 5] = [
    ("parameter/required", Arity::Single, true),
    ("parameter/required_multiple", Arity::Multiple, true),
    ("parameter/optional", Arity::Single, false),
    ("parameter/optional_multiple", Arity::Multiple, false),
    ("parameter/boolean", Arity::Boolean, false),
];

fn parameters(files: &TypeFiles) -> Vec<Parameter> {
    let mut all: Vec<Parameter> = Vec::new();
    for (list, arity, required) in LISTS {
        for name in files.get(list).map(String::as_str).unwrap_or_default().lines().map(str::trim) {
            if name.is_empty() || all.iter().any(|known| known.name == name) {
                continue;
            }
            let default = files.get(&format!("parameter/default/{name}")).filter(|_| !required);
            let deprecated = files.get(&format!("parameter/deprecated/{name}"));
            all.push(Parameter {
                name: name.to_owned(),
                arity,
                required,
                default: default.and_then(|text| default_value(arity, text)),
                deprecated: deprecated.map(|text| text.trim().to_owned()),
            });
        }
    }
    all
}

fn default_value(arity: Arity, text: &str) -> Option<Value> {
    match arity {
        Arity::Single => Some(Value::One(text.trim().as_bytes().to_vec())),
        Arity::Multiple => {
            Some(Value::Many(text.trim().split('\n').map(|line| line.as_bytes().to_vec()).collect()))
        }
        Arity::Boolean => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_of(files: &[(&str, &str)]) -> Type {
        Type::read(
            "__t",
            &files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect(),
        )
    }

    #[test]
    fn parameters_are_read_with_their_defaults_and_warnings() {
        let read = type_of(&[
            ("parameter/required", "source\n\n  owner \n"),
            ("parameter/optional", "state\n"),
            ("parameter/optional_multiple", "option\n"),
            ("parameter/boolean", "force\n"),
            ("parameter/default/state", "present\n"),
            ("parameter/default/option", "a\nb\n"),
            ("parameter/deprecated/force", "it is always on\n"),
        ]);
        let names: Vec<&str> = read.parameters.iter().map(|parameter| &*parameter.name).collect();
        assert_eq!(names, ["source", "owner", "state", "option", "force"]);
        let default = |name| read.parameter(name).unwrap().default.clone();
        assert_eq!(default("state"), Some(Value::One(b"present".to_vec())));
        assert_eq!(default("option"), Some(Value::Many(vec![b"a".to_vec(), b"b".to_vec()])));
        assert_eq!(read.parameter("force").unwrap().deprecated.as_deref(), Some("it is always on"));
        assert_eq!(
            read.usage(),
            "usage: __t --source SOURCE --owner OWNER [--state STATE] [--option OPTION] [--force] object_id"
        );
    }

    #[test]
    fn markers_scripts_and_explorers_are_seen() {
        let read =
            type_of(&[("singleton", ""), ("explorer/b", ""), ("explorer/a", ""), ("manifest/10-x", "")]);
        assert!(read.singleton && !read.nonparallel && read.scripts.manifest && !read.scripts.gencode_local);
        assert_eq!(read.explorers, ["a", "b"]);
    }
}
