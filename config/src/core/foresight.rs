//! Which objects a plan cannot be sure of.
//!
//! What an object will be like is known as long as nothing has changed when its turn comes: a push looks
//! at all such objects before it changes anything (see [`Engine::runs`](super::engine::Engine::runs)), so
//! it finds them as the plan did. An object is *late* if its turn comes after a change: something that it
//! requires changes, or the manifest that defines it is late. It is *uncertain* if it is late, or if what
//! its own manifest defined changes, since its code is generated after that.

use super::model::{Model, ObjectIndex};
use super::name::ObjectName;

/// By object, whether it is uncertain. `changes` tells of each whether it would change.
///
/// Cost: a few passes over all objects and their requirements, few because most requirements point at
/// what was defined earlier.
pub fn uncertain(model: &Model, changes: impl Fn(ObjectIndex) -> bool) -> Vec<bool> {
    let count = model.objects().len();
    let (mut late, mut uncertain) = (vec![false; count], vec![false; count]);
    let mut pass = |index: ObjectIndex| {
        let object = model.object(index);
        let touched = |names: &[ObjectName], uncertain: &[bool]| {
            model.defined(names).any(|other| changes(other) || uncertain.get(other) == Some(&true))
        };
        let is_late = |late: &[bool], uncertain: &[bool]| {
            // One manifest that is not late is enough to define it in time.
            let mut parents = model.defined(&object.parents);
            let defined_late = object.is_child() && parents.all(|parent| late.get(parent) == Some(&true));
            defined_late || touched(&object.requires, uncertain)
        };
        let now_late = late.get(index) == Some(&true) || is_late(&late, &uncertain);
        let now_uncertain = now_late || touched(&object.autorequires, &uncertain);
        let before = (late.get(index).copied(), uncertain.get(index).copied());
        if let (Some(late), Some(uncertain)) = (late.get_mut(index), uncertain.get_mut(index)) {
            *late = now_late;
            *uncertain |= now_uncertain;
        }
        before != (late.get(index).copied(), uncertain.get(index).copied())
    };
    // Both ways, so that a long chain of requirements in either direction needs no pass per link.
    while (0..count).chain((0..count).rev()).filter(|index| pass(*index)).count() > 0 {}
    uncertain
}
