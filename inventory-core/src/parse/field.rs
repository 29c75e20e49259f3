//! A key's value as it was found.

use crate::span::Span;

/// Value of a key, or why there is none.
///
/// `Broken` keeps one mistake from becoming two: the key was there, so it is not missing, but
/// nothing that depends on it can be judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Field<T> {
    /// The key is not there.
    #[default]
    Absent,
    /// The key is there; its value was refused.
    Broken,
    /// The value and where it stands.
    Set(T, Span),
}

impl<T> Field<T> {
    /// The value; `None` when absent or broken.
    pub fn get(&self) -> Option<&T> {
        match self {
            Field::Set(value, _) => Some(value),
            Field::Absent | Field::Broken => None,
        }
    }

    /// The value itself; `None` when absent or broken.
    pub fn into_value(self) -> Option<T> {
        match self {
            Field::Set(value, _) => Some(value),
            Field::Absent | Field::Broken => None,
        }
    }

    /// Where the value stands; `None` when absent or broken.
    pub fn span(&self) -> Option<Span> {
        match self {
            Field::Set(_, span) => Some(*span),
            Field::Absent | Field::Broken => None,
        }
    }

    /// Whether the key is not there.
    pub fn is_absent(&self) -> bool {
        matches!(self, Field::Absent)
    }

    /// Whether the key is there with a value that was refused.
    pub fn is_broken(&self) -> bool {
        matches!(self, Field::Broken)
    }

    /// `value` at `span`, or broken.
    pub fn from_option(value: Option<T>, span: Span) -> Field<T> {
        value.map_or(Field::Broken, |value| Field::Set(value, span))
    }

    /// The same with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Field<U> {
        match self {
            Field::Absent => Field::Absent,
            Field::Broken => Field::Broken,
            Field::Set(value, span) => Field::Set(change(value), span),
        }
    }
}

impl<T: Clone> Field<T> {
    /// Takes the value of `base` where this one is absent.
    pub fn inherit(&mut self, base: &Field<T>) {
        if self.is_absent() {
            *self = base.clone();
        }
    }
}

/// A value and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}
