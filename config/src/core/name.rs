//! Names of objects: `__type/id`, or `__type` for a singleton.

use std::fmt;
use std::sync::Arc;

/// A type and, unless the type is a singleton, an object id. Made by [`ObjectName::new`] only, so that an
/// id in it is always legal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectName {
    kind: Arc<str>,
    id: Option<Arc<str>>,
}

/// Why a text is no object id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdError {
    /// The type is not a singleton and there is no id.
    Missing,
    /// The type is a singleton and there is an id.
    Singleton,
    /// Nothing but slashes.
    Empty,
    /// `//` inside.
    EmptyComponent,
    /// A component `.` or `..`: two ids would share a directory.
    DotComponent,
    /// A component is the marker that ends an object's directory.
    Marker,
    /// A zero octet, which no file name can hold.
    Zero,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            IdError::Missing => "the type requires an object id",
            IdError::Singleton => "the type is a singleton and takes no object id",
            IdError::Empty => "the object id is empty",
            IdError::EmptyComponent => "the object id has `//` in it",
            IdError::DotComponent => "the object id has a component `.` or `..`",
            IdError::Marker => "the object id has the object marker in it",
            IdError::Zero => "the object id has a zero octet in it",
        })
    }
}

impl std::error::Error for IdError {}

impl ObjectName {
    /// The name of an object of type `kind`. One leading and one trailing `/` of the id are dropped, so
    /// `/etc/motd` and `etc/motd` are the same object.
    ///
    /// # Errors
    /// The id is missing, there although the type is a singleton, or cannot be a path below the type's
    /// directory.
    pub fn new(kind: &str, singleton: bool, id: Option<&str>, marker: &str) -> Result<ObjectName, IdError> {
        let id = match (id, singleton) {
            (None, true) => None,
            (Some(_), true) => return Err(IdError::Singleton),
            (None, false) => return Err(IdError::Missing),
            (Some(id), false) => Some(Arc::from(legal(id, marker)?)),
        };
        Ok(ObjectName { kind: Arc::from(kind), id })
    }

    /// The type.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The id; empty for a singleton.
    pub fn id(&self) -> &str {
        self.id.as_deref().unwrap_or_default()
    }

    /// Directory of the object below the run's `object/`: `type/id/marker`.
    pub fn directory(&self, marker: &str) -> String {
        match &self.id {
            Some(id) => format!("{}/{id}/{marker}", self.kind),
            None => format!("{}/{marker}", self.kind),
        }
    }
}

/// Splits a name as it stands in `require`: everything up to the first `/` is the type. A trailing slash
/// alone (`__motd/`) is no id.
pub fn split(name: &str) -> (&str, Option<&str>) {
    match name.split_once('/') {
        Some((kind, id)) if !id.is_empty() => (kind, Some(id)),
        Some((kind, _)) => (kind, None),
        None => (name, None),
    }
}

fn legal<'a>(id: &'a str, marker: &str) -> Result<&'a str, IdError> {
    let id = id.strip_prefix('/').unwrap_or(id);
    let id = id.strip_suffix('/').unwrap_or(id);
    if id.is_empty() {
        return Err(IdError::Empty);
    }
    if id.contains('\0') {
        return Err(IdError::Zero);
    }
    for component in id.split('/') {
        match component {
            "" => return Err(IdError::EmptyComponent),
            "." | ".." => return Err(IdError::DotComponent),
            _ if component == marker => return Err(IdError::Marker),
            _ => {}
        }
    }
    Ok(id)
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => write!(f, "{}/{id}", self.kind),
            None => f.write_str(&self.kind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Result<String, IdError> {
        ObjectName::new("__file", false, Some(text), ".m").map(|name| name.id().to_owned())
    }

    #[test]
    fn a_leading_and_a_trailing_slash_do_not_count() {
        assert_eq!(id("/etc/motd/"), Ok("etc/motd".to_owned()));
        assert_eq!(id("/etc/motd"), id("etc/motd"));
    }

    #[test]
    fn ids_that_could_not_be_a_directory_of_their_own_are_refused() {
        assert_eq!(id("/"), Err(IdError::Empty));
        assert_eq!(id(""), Err(IdError::Empty));
        assert_eq!(id("a//b"), Err(IdError::EmptyComponent));
        assert_eq!(id("."), Err(IdError::DotComponent));
        assert_eq!(id("../../etc/passwd"), Err(IdError::DotComponent));
        assert_eq!(id("a/.m"), Err(IdError::Marker));
    }

    #[test]
    fn blanks_quotes_newlines_and_unicode_are_legal() {
        for strange in ["a b", "it's \"so\"", "two\nlines", "grüße/日本"] {
            assert_eq!(id(strange), Ok(strange.to_owned()));
        }
    }

    #[test]
    fn singletons_have_no_id_and_others_need_one() {
        assert_eq!(ObjectName::new("__motd", true, Some("x"), ".m"), Err(IdError::Singleton));
        assert_eq!(ObjectName::new("__file", false, None, ".m"), Err(IdError::Missing));
        let motd = ObjectName::new("__motd", true, None, ".m").unwrap();
        assert_eq!((motd.to_string().as_str(), motd.directory(".m").as_str()), ("__motd", "__motd/.m"));
    }

    #[test]
    fn a_required_name_is_split_at_its_first_slash() {
        assert_eq!(split("__file/etc/x"), ("__file", Some("etc/x")));
        assert_eq!(split("__file//etc/x"), ("__file", Some("/etc/x")));
        assert_eq!(split("__motd"), ("__motd", None));
    }
}
