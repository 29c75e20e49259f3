//! The objects of one host: what defining one does.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use super::args::{self, Arguments, UsageError};
use super::name::{IdError, ObjectName, split};
use super::types::{Type, Types};
use super::value::Value;

/// Index of an object in a [`Model`]. Never reused.
pub type ObjectIndex = usize;

/// An object as it was defined.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its name.
    pub name: ObjectName,
    /// Its type.
    pub kind: Arc<Type>,
    /// Its parameters, defaults included.
    pub values: BTreeMap<String, Value>,
    /// What `require` says: each once, in order.
    pub requires: Vec<ObjectName>,
    /// Objects that its manifest defined.
    pub autorequires: Vec<ObjectName>,
    /// The same without regard to requirements.
    pub children: Vec<ObjectName>,
    /// Objects whose manifests defined it.
    pub parents: Vec<ObjectName>,
    /// Manifests that defined it.
    pub sources: Vec<String>,
    /// Place in the order of manifests: that of its first parent, then a number.
    pub place: Vec<u32>,
}

impl Object {
    /// Whether a type's manifest defined it first, not the initial manifest.
    pub fn is_child(&self) -> bool {
        self.place.len() > 1
    }
}

/// One call of a type's command in a manifest.
#[derive(Clone, Debug, Default)]
pub struct Call<'a> {
    /// Name of the type.
    pub kind: &'a str,
    /// Words after it.
    pub words: &'a [Vec<u8>],
    /// Object whose type manifest calls; none: the initial manifest.
    pub parent: Option<&'a str>,
    /// The manifest that calls.
    pub manifest: &'a str,
    /// `$require`.
    pub require: &'a str,
    /// Whether `CDIST_ORDER_DEPENDENCY` is set.
    pub in_order: bool,
    /// Whether `CDIST_OVERRIDE` is set.
    pub replace: bool,
}

/// What a call did.
#[derive(Debug)]
pub struct Defined {
    /// The object.
    pub object: ObjectIndex,
    /// Whether its parameters are new: it was not there, or they were replaced.
    pub written: bool,
    /// Things that should not be used any more.
    pub warnings: Vec<String>,
}

/// Why a call defines nothing.
#[derive(Debug, PartialEq, Eq)]
pub enum DefineError {
    /// No such type; a name near it.
    UnknownType(String, Option<String>),
    /// The arguments, and how the type is used.
    Usage(UsageError, String),
    /// The object id.
    Id(IdError),
    /// The object id is not UTF-8.
    IdText,
    /// The object is there with other parameters.
    Conflict(ObjectName, String),
    /// A requirement that can be no object.
    Requirement(String, String),
}

impl DefineError {
    /// Exit code of the command: 2 for its usage, else 1.
    pub fn exit_code(&self) -> u8 {
        if matches!(self, DefineError::Usage(..)) { 2 } else { 1 }
    }
}

impl fmt::Display for DefineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DefineError::UnknownType(name, None) => write!(f, "type `{name}` does not exist"),
            DefineError::UnknownType(name, Some(near)) => {
                write!(f, "type `{name}` does not exist; did you mean `{near}`?")
            }
            DefineError::Usage(error, usage) => write!(f, "{usage}\n{error}"),
            DefineError::Id(error) => write!(f, "{error}"),
            DefineError::IdText => f.write_str("the object id is not UTF-8"),
            DefineError::Conflict(name, difference) => {
                write!(f, "object `{name}` already exists with conflicting parameters: {difference}")
            }
            DefineError::Requirement(name, why) => write!(f, "requirement `{name}`: {why}"),
        }
    }
}

impl std::error::Error for DefineError {}

/// All objects of one host.
#[derive(Debug)]
pub struct Model {
    types: Arc<Types>,
    marker: String,
    objects: Vec<Object>,
    by_name: HashMap<ObjectName, ObjectIndex>,
    /// By context (the parent's name, empty for the initial manifest): the object defined last while
    /// `CDIST_ORDER_DEPENDENCY` is set.
    last: HashMap<String, ObjectName>,
}

impl Model {
    /// A host without objects. `marker` is the directory that ends an object's path in this run.
    pub fn new(types: Arc<Types>, marker: &str) -> Model {
        Model {
            types,
            marker: marker.to_owned(),
            objects: Vec::new(),
            by_name: HashMap::new(),
            last: HashMap::new(),
        }
    }

    /// The types.
    pub fn types(&self) -> &Arc<Types> {
        &self.types
    }

    /// The marker.
    pub fn marker(&self) -> &str {
        &self.marker
    }

    /// The objects in the order of their definition.
    pub fn objects(&self) -> &[Object] {
        &self.objects
    }

    /// The object with this index.
    ///
    /// # Panics
    /// The index is of another model.
    pub fn object(&self, index: ObjectIndex) -> &Object {
        &self.objects[index]
    }

    /// The object of this name.
    pub fn find(&self, name: &ObjectName) -> Option<ObjectIndex> {
        self.by_name.get(name).copied()
    }

    /// Defines an object, or adds to the requirements of the one that is there with equal parameters.
    /// Nothing changes in case of an error.
    ///
    /// # Errors
    /// See [`DefineError`].
    pub fn define(&mut self, call: &Call<'_>) -> Result<Defined, DefineError> {
        let kind = self.kind(call.kind)?;
        let arguments =
            args::parse(&kind, call.words).map_err(|error| DefineError::Usage(error, kind.usage()))?;
        let name = self.name(&kind, &arguments)?;
        let mut requires = self.requirements(call.require)?;
        let known = self.find(&name);
        let conflict = known.and_then(|index| difference(&self.object(index).values, &arguments.values));
        if let (Some(difference), false) = (&conflict, call.replace) {
            return Err(DefineError::Conflict(name, difference.clone()));
        }
        requires.extend(self.chained(call, &name, known.is_none()));
        let Arguments { values, deprecated: mut warnings, .. } = arguments;
        if let Some(message) = &kind.deprecated {
            let why = if message.is_empty() { String::new() } else { format!(": {message}") };
            warnings.insert(0, format!("type `{}` is deprecated{why}", kind.name));
        }
        let object = match known {
            Some(index) if conflict.is_some() => {
                self.objects[index].values = values;
                index
            }
            Some(index) => index,
            None => self.insert(name, kind, values, call),
        };
        for name in requires {
            push_new(&mut self.objects[object].requires, name);
        }
        push_new(&mut self.objects[object].sources, call.manifest.to_owned());
        self.adopt(call, object);
        Ok(Defined { object, written: known.is_none() || conflict.is_some(), warnings })
    }

    /// Forgets the chain of `CDIST_ORDER_DEPENDENCY` of a context whose manifest has ended.
    pub fn end_of_manifest(&mut self, parent: Option<&str>) {
        self.last.remove(parent.unwrap_or_default());
    }

    /// Indexes of `names` that are defined.
    pub fn defined<'a>(&'a self, names: &'a [ObjectName]) -> impl Iterator<Item = ObjectIndex> + 'a {
        names.iter().filter_map(|name| self.find(name))
    }

    fn kind(&self, name: &str) -> Result<Arc<Type>, DefineError> {
        self.types.get(name).cloned().ok_or_else(|| {
            let near = inventory_core::diag::did_you_mean(name, self.types.keys().map(String::as_str));
            DefineError::UnknownType(name.to_owned(), near.map(str::to_owned))
        })
    }

    fn name(&self, kind: &Type, arguments: &Arguments) -> Result<ObjectName, DefineError> {
        let id = arguments.id.as_deref().map(std::str::from_utf8).transpose();
        let id = id.map_err(|_| DefineError::IdText)?;
        ObjectName::new(&kind.name, kind.singleton, id, &self.marker).map_err(DefineError::Id)
    }

    /// The names in `$require`.
    fn requirements(&self, text: &str) -> Result<Vec<ObjectName>, DefineError> {
        let words = text.split([' ', '\t', '\n']).filter(|word| !word.is_empty());
        let name = |word: &str| {
            let error = |why: String| DefineError::Requirement(word.to_owned(), why);
            let (kind, id) = split(word);
            let kind = self.kind(kind).map_err(|why| error(why.to_string()))?;
            ObjectName::new(&kind.name, kind.singleton, id, &self.marker)
                .map_err(|why| error(why.to_string()))
        };
        words.map(name).collect()
    }

    /// The requirement that `CDIST_ORDER_DEPENDENCY` adds, and the next link of its chain.
    fn chained(&mut self, call: &Call<'_>, name: &ObjectName, new: bool) -> Option<ObjectName> {
        let context = call.parent.unwrap_or_default();
        if !call.in_order {
            self.last.remove(context);
            return None;
        }
        let before = self.last.insert(context.to_owned(), name.clone());
        before.filter(|before| new && !call.replace && before != name)
    }

    fn insert(
        &mut self,
        name: ObjectName,
        kind: Arc<Type>,
        values: BTreeMap<String, Value>,
        call: &Call<'_>,
    ) -> ObjectIndex {
        let index = self.objects.len();
        let mut place =
            self.parent(call).map(|parent| self.objects[parent].place.clone()).unwrap_or_default();
        place.push(u32::try_from(index).unwrap_or(u32::MAX));
        self.by_name.insert(name.clone(), index);
        self.objects.push(Object {
            name,
            kind,
            values,
            requires: Vec::new(),
            autorequires: Vec::new(),
            children: Vec::new(),
            parents: Vec::new(),
            sources: Vec::new(),
            place,
        });
        index
    }

    /// Ties an object to the one whose manifest defines it.
    fn adopt(&mut self, call: &Call<'_>, child: ObjectIndex) {
        let Some(parent) = self.parent(call).filter(|parent| *parent != child) else { return };
        let (parent_name, child_name) = (self.objects[parent].name.clone(), self.objects[child].name.clone());
        if !self.objects[child].requires.contains(&parent_name) {
            push_new(&mut self.objects[parent].autorequires, child_name.clone());
        }
        push_new(&mut self.objects[parent].children, child_name);
        push_new(&mut self.objects[child].parents, parent_name);
    }

    fn parent(&self, call: &Call<'_>) -> Option<ObjectIndex> {
        let (kind, id) = split(call.parent?);
        let kind = self.types.get(kind)?;
        self.find(&ObjectName::new(&kind.name, kind.singleton, id, &self.marker).ok()?)
    }
}

fn push_new<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// The first parameter that differs, in words; values are not shown, they may be secret.
fn difference(old: &BTreeMap<String, Value>, new: &BTreeMap<String, Value>) -> Option<String> {
    let names = old.keys().chain(new.keys());
    let name = names.into_iter().find(|name| old.get(*name) != new.get(*name))?;
    Some(match (old.contains_key(name), new.contains_key(name)) {
        (true, true) => format!("`--{name}` has another value"),
        (true, false) => format!("`--{name}` was given before and is not now"),
        _ => format!("`--{name}` was not given before"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types() -> Arc<Types> {
        let kind = |name: &str, files: &[(&str, &str)]| {
            let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
            (name.to_owned(), Arc::new(Type::read(name, &files)))
        };
        let state = [("parameter/optional", "state"), ("parameter/default/state", "present")];
        Arc::new([kind("__file", &state), kind("__motd", &[("singleton", "")])].into())
    }

    fn model() -> Model {
        Model::new(types(), ".m")
    }

    fn words(words: &[&str]) -> Vec<Vec<u8>> {
        words.iter().map(|word| word.as_bytes().to_vec()).collect()
    }

    fn define(model: &mut Model, id: &str, call: Call<'_>) -> Result<ObjectIndex, DefineError> {
        let words = words(&[id]);
        model.define(&Call { kind: "__file", words: &words, ..call }).map(|defined| defined.object)
    }

    fn names(list: &[ObjectName]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_object_may_be_defined_again_with_equal_parameters_only() {
        let mut model = model();
        let first = define(&mut model, "/a", Call::default()).unwrap();
        let again = words(&["--state", "present", "a"]);
        let call = Call { kind: "__file", words: &again, require: "__motd", ..Call::default() };
        let defined = model.define(&call).unwrap();
        assert_eq!((defined.object, defined.written), (first, false));
        assert_eq!(names(&model.object(first).requires), ["__motd"]);

        let other = words(&["--state", "absent", "a"]);
        let call = Call { kind: "__file", words: &other, ..Call::default() };
        let error = model.define(&call).unwrap_err().to_string();
        assert!(error.ends_with("conflicting parameters: `--state` has another value"), "{error}");
        let defined = model.define(&Call { replace: true, ..call }).unwrap();
        assert!(defined.written);
        assert_eq!(model.object(first).values.get("state"), Some(&Value::One(b"absent".to_vec())));
    }

    #[test]
    fn requirements_are_checked_and_stored_in_one_spelling() {
        let mut model = model();
        let a = define(&mut model, "a", Call { require: "__file//b/\n__motd", ..Call::default() }).unwrap();
        assert_eq!(names(&model.object(a).requires), ["__file/b", "__motd"]);
        for (bad, why) in [("__fil/x", "did you mean"), ("__file", "requires"), ("__motd/x", "singleton")] {
            let error = define(&mut model, "c", Call { require: bad, ..Call::default() }).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
        assert_eq!(model.objects().len(), 1, "a call with an error defines nothing");
    }

    #[test]
    fn a_parent_waits_for_its_children_unless_they_require_it() {
        let mut model = model();
        let parent = define(&mut model, "p", Call::default()).unwrap();
        let from = Call { parent: Some("__file/p"), ..Call::default() };
        let child = define(&mut model, "c", from.clone()).unwrap();
        define(&mut model, "d", Call { require: "__file/p", ..from }).unwrap();
        assert_eq!(names(&model.object(parent).autorequires), ["__file/c"]);
        assert_eq!(names(&model.object(parent).children), ["__file/c", "__file/d"]);
        assert_eq!(names(&model.object(child).parents), ["__file/p"]);
        assert_eq!(model.object(child).place, [0, 1]);
    }

    #[test]
    fn order_dependency_chains_within_one_context_while_it_is_set() {
        let mut model = model();
        let on = Call { in_order: true, ..Call::default() };
        define(&mut model, "free", Call::default()).unwrap();
        let a = define(&mut model, "a", on.clone()).unwrap();
        let b = define(&mut model, "b", on.clone()).unwrap();
        let child = define(&mut model, "c", Call { parent: Some("__file/a"), ..on.clone() }).unwrap();
        define(&mut model, "off", Call::default()).unwrap();
        let d = define(&mut model, "d", on).unwrap();
        let of = |index| names(&model.object(index).requires);
        assert_eq!((of(a), of(b)), (vec![], vec!["__file/a".to_owned()]));
        assert_eq!((of(child), of(d)), (vec![], vec![]));
    }

    #[test]
    fn an_unknown_type_is_told_with_a_near_name() {
        let error = model().define(&Call { kind: "__fiel", ..Call::default() }).unwrap_err();
        assert_eq!(error.to_string(), "type `__fiel` does not exist; did you mean `__file`?");
        assert_eq!(error.exit_code(), 1);
    }
}
