//! What most hosts do not have, or have in common: it takes eight octets where it is not.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use super::{HostRest, NicRest};

/// A value that is mostly the empty one, which takes no memory then. Reads as the value itself.
pub struct Rare<T>(Option<Arc<T>>);

/// What can be [`Rare`].
pub trait Empty: Default + PartialEq + 'static {
    /// The default value, which is not kept.
    fn empty() -> &'static Self;
}

macro_rules! empty {
    ($($kind:ty),*) => {$(
        impl Empty for $kind {
            #[inline]
            fn empty() -> &'static $kind {
                static EMPTY: LazyLock<$kind> = LazyLock::new(Default::default);
                &EMPTY
            }
        }
    )*};
}

empty!(HostRest, NicRest, Box<[Arc<str>]>);

impl<T: Empty> Rare<T> {
    /// Keeps `value`, unless it is the empty one.
    pub fn new(value: T) -> Rare<T> {
        Rare((value != *T::empty()).then(|| Arc::new(value)))
    }
}

impl<T> Rare<T> {
    /// The value; `None` if it is the empty one.
    pub fn get(&self) -> Option<&T> {
        self.0.as_deref()
    }

    /// The same, to be shared.
    pub(super) fn shared(&self) -> Option<&Arc<T>> {
        self.0.as_ref()
    }

    /// Shares `value`, which is not the empty one.
    pub(super) fn of(value: &Arc<T>) -> Rare<T> {
        Rare(Some(Arc::clone(value)))
    }
}

impl<T: Empty + Clone> Rare<T> {
    /// Changes the value, its own copy if others share it.
    pub fn edit(&mut self, change: impl FnOnce(&mut T)) {
        let mut value = T::clone(self);
        change(&mut value);
        *self = Rare::new(value);
    }
}

impl<T> Clone for Rare<T> {
    /// Shares the value.
    fn clone(&self) -> Rare<T> {
        Rare(self.0.clone())
    }
}

impl<T> Default for Rare<T> {
    fn default() -> Rare<T> {
        Rare(None)
    }
}

impl<T: Empty> Deref for Rare<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match &self.0 {
            Some(value) => value,
            None => T::empty(),
        }
    }
}

impl<T: Empty> PartialEq for Rare<T> {
    fn eq(&self, other: &Rare<T>) -> bool {
        **self == **other
    }
}

impl<T: Empty + Eq> Eq for Rare<T> {}

impl<T: Empty + fmt::Debug> fmt::Debug for Rare<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
