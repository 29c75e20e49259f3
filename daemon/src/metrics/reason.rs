//! Reasons: the closed list of things that can happen to a packet, a query or a lease.
//!
//! One enum feeds counters, status, log lines and tests. Labels are part of the product's interface:
//! dashboards name them, so they never change their meaning.

/// An enum whose values are counted. Made by [`counted_reasons!`](crate::counted_reasons).
pub trait CountedReason: Copy + Send + Sync + 'static {
    /// All values; the one at position `i` has index `i`.
    const ALL: &'static [Self];

    /// Position in [`ALL`](CountedReason::ALL).
    fn index(self) -> usize;

    /// Name in metrics, status and logs: lower case, words joined by `-`. Unique within the enum.
    fn label(self) -> &'static str;
}

/// Declares an enum of reasons and implements [`CountedReason`](crate::metrics::CountedReason) for it.
///
/// ```
/// daemon::counted_reasons! {
///     /// Why a query got no answer.
///     pub enum Drop {
///         /// Shorter than a DNS header.
///         TooShort => "too-short",
///         /// A response, not a query.
///         NotAQuery => "not-a-query",
///     }
/// }
/// use daemon::metrics::CountedReason;
/// assert_eq!(Drop::NotAQuery.label(), "not-a-query");
/// assert_eq!(Drop::ALL.len(), 2);
/// ```
#[macro_export]
macro_rules! counted_reasons {
    (
        $(#[$meta:meta])*
        $visibility:vis enum $name:ident {
            $( $(#[$value_meta:meta])* $value:ident => $label:literal ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $visibility enum $name {
            $( $(#[$value_meta])* $value ),+
        }

        impl $crate::metrics::CountedReason for $name {
            const ALL: &'static [$name] = &[$( $name::$value ),+];

            fn index(self) -> usize {
                self as usize
            }

            fn label(self) -> &'static str {
                match self {
                    $( $name::$value => $label ),+
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::CountedReason;

    crate::counted_reasons! {
        /// For the test.
        enum Sample {
            /// First.
            First => "first",
            /// Second.
            Second => "second",
        }
    }

    #[test]
    fn a_declared_reason_knows_its_place_and_its_label() {
        for (position, reason) in Sample::ALL.iter().enumerate() {
            assert_eq!(reason.index(), position);
        }
        assert_eq!(Sample::Second.label(), "second");
    }
}
