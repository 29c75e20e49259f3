//! Names around a name in canonical order (RFC 4034, section 6.1).
//!
//! White lies (RFC 4470): an NSEC record goes from a name just before the one that is denied to one
//! just after all that is below it. Neither need exist. Chosen over compact denial (RFC 9824) because
//! names that do not exist get NXDOMAIN, from us as from secondaries, which have a whole chain; compact
//! denial says NOERROR to whoever does not ask otherwise.

use crate::view::Labels;

/// Octets of a label at most.
const LABEL_OCTETS_MAX: usize = 63;
/// Octets of a name at most.
const NAME_OCTETS_MAX: usize = 255;

/// The first name after `name` and all below it, of those that the zone with an apex of `apex_depth`
/// labels can have: the apex itself, if there is none.
pub(in crate::core) fn after(name: &Labels, apex_depth: usize) -> Vec<u8> {
    for depth in (apex_depth + 1..=name.count()).rev() {
        let above = name.suffix(depth - 1);
        if let Some(label) = next_label(label_of(name, depth), room(above)) {
            return joined(&label, above);
        }
    }
    name.suffix(apex_depth).to_vec()
}

/// The last name with as many labels before `name`: it has the same name above. `None` if its label is
/// the first of all.
pub(in crate::core) fn sibling_before(name: &Labels) -> Option<Vec<u8>> {
    let above = name.suffix(name.count().checked_sub(1)?);
    let label = previous_label(label_of(name, name.count()), room(above))?;
    Some(joined(&label, above))
}

/// The last name right below `name`, if there is room for any.
pub(in crate::core) fn last_below(name: &[u8]) -> Option<Vec<u8>> {
    let room = room(name);
    (room > 0).then(|| joined(&vec![0xff; room], name))
}

/// The first name below `name`, if there is room for any.
pub(in crate::core) fn first_below(name: &[u8]) -> Option<Vec<u8>> {
    (room(name) > 0).then(|| joined(&[0], name))
}

/// The first of the last `depth` labels, without its length.
fn label_of(name: &Labels, depth: usize) -> &[u8] {
    name.relative(depth, depth.saturating_sub(1)).get(1..).unwrap_or(&[])
}

/// Octets that a label below `above` may have.
fn room(above: &[u8]) -> usize {
    NAME_OCTETS_MAX.saturating_sub(above.len() + 1).min(LABEL_OCTETS_MAX)
}

fn joined(label: &[u8], above: &[u8]) -> Vec<u8> {
    [&[u8::try_from(label.len()).unwrap_or(0)], label, above].concat()
}

/// The first label after `label` of those with `most` octets at most. Upper case is lower case.
fn next_label(label: &[u8], most: usize) -> Option<Vec<u8>> {
    if label.len() < most {
        return Some([label, &[0]].concat());
    }
    let place = label.iter().rposition(|octet| *octet != 0xff)?;
    let (before, rest) = label.split_at_checked(place)?;
    let next = match rest.first()? {
        b'@' => b'[',
        octet => octet + 1,
    };
    Some([before, &[next]].concat())
}

/// The last label before `label` of those with `most` octets at most; none is empty.
fn previous_label(label: &[u8], most: usize) -> Option<Vec<u8>> {
    let (last, before) = label.split_last()?;
    let previous = match last {
        0 => return (!before.is_empty()).then(|| before.to_vec()),
        b'[' => b'@',
        octet => octet - 1,
    };
    let mut label = [before, &[previous]].concat();
    label.resize(most.max(label.len()), 0xff);
    Some(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Labels {
        Labels::of(&crate::testing::name(text))
    }

    #[test]
    fn the_names_around_a_name_are_next_to_it() {
        let name = labels("b.example");
        assert_eq!(after(&name, 1), b"\x02b\0\x07example\0");
        let before = sibling_before(&name).unwrap();
        assert_eq!(before, [&[63, b'a'][..], &[0xff; 62], b"\x07example\0"].concat());
        assert_eq!(first_below(name.as_wire()).unwrap(), b"\x01\0\x01b\x07example\0");
        assert_eq!(last_below(name.as_wire()).unwrap().len(), 64 + name.as_wire().len());
    }

    #[test]
    fn labels_of_full_length_are_counted_up_and_over_their_ends() {
        assert_eq!(next_label(b"a", 1), Some(b"b".to_vec()));
        assert_eq!(next_label(b"@", 1), Some(b"[".to_vec()), "upper case is lower case");
        assert_eq!(next_label(b"a\xff", 2), Some(b"b".to_vec()));
        assert_eq!(next_label(b"\xff\xff", 2), None);
        assert_eq!(previous_label(b"[", 1), Some(b"@".to_vec()));
        assert_eq!(previous_label(b"a\0", 63), Some(b"a".to_vec()));
        assert_eq!(previous_label(b"\0", 63), None);
        let last = Labels::of_wire(&[&[63][..], &[0xff; 63], b"\x01c\x07example\0"].concat());
        assert_eq!(after(&last, 1), b"\x02c\0\x07example\0", "after all below the name above");
        let last = Labels::of_wire(&[&[63][..], &[0xff; 63], b"\x07example\0"].concat());
        assert_eq!(after(&last, 1), b"\x07example\0", "the zone's end");
    }
}
