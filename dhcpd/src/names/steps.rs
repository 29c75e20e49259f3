//! How a server is told of a name so that no machine takes another's (RFC 4703, section 5).
//!
//! A name that is not in use is taken, with a record that says by whom. One that is in use is taken over only
//! where that record says that it was this machine. What was told is taken back the same way.

use std::collections::VecDeque;

use super::message::{Prerequisite, Request, Response, Update, rtype};
use super::wanted::Registration;

/// Response codes (RFC 2136, section 2.2).
const NOERROR: u8 = 0;
const SERVFAIL: u8 = 2;
const NXDOMAIN: u8 = 3;
const YXDOMAIN: u8 = 6;
const NXRRSET: u8 = 8;

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Takes a PTR record away.
    Unpoint,
    /// Takes an address away from a name of this machine.
    RemoveAddress,
    /// Takes away who has the name, if it has no address any more.
    RemoveId,
    /// Takes a name that nobody has.
    Add,
    /// Takes a name that this machine has.
    TakeOver,
    /// Writes a PTR record.
    Point,
}

/// What a server is told of one address, request by request.
#[derive(Debug)]
pub struct Course {
    old: Option<Registration>,
    new: Option<Registration>,
    steps: VecDeque<Step>,
    /// A race was lost once.
    again: bool,
}

/// How a course ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The server knows what it was to know.
    Done,
    /// Another machine has the name, or the inventory.
    InUse,
    /// The server does not want it, with this response code.
    Refused(u8),
    /// It cannot do it at the moment: later.
    Later,
}

impl Course {
    /// From what the server knows of an address to what it is to know.
    pub fn new(old: Option<Registration>, new: Option<Registration>) -> Course {
        let mut steps = VecDeque::new();
        if let Some(old) = &old
            && new.as_ref().is_none_or(|new| (&new.name, &new.id) != (&old.name, &old.id))
        {
            steps.extend(old.pointer.as_ref().map(|_| Step::Unpoint));
            steps.extend([Step::RemoveAddress, Step::RemoveId]);
        }
        if let Some(new) = &new {
            steps.push_back(Step::Add);
            steps.extend(new.pointer.as_ref().map(|_| Step::Point));
        }
        Course { old, new, steps, again: false }
    }

    /// What the server knows when all is done.
    pub fn into_known(self) -> Option<Registration> {
        self.new
    }

    /// The next request; `None` when all are done.
    pub fn request(&self) -> Option<Request> {
        let step = *self.steps.front()?;
        let is_removal = matches!(step, Step::Unpoint | Step::RemoveAddress | Step::RemoveId);
        let about = if is_removal { self.old.as_ref() } else { self.new.as_ref() }?;
        let Registration { name, zone, pointer, id, ttl, .. } = about;
        let (address_type, address) = rtype::of(about.address);
        let in_zone = |prerequisites, updates| Request { zone: zone.clone(), prerequisites, updates };
        let is_own = || Prerequisite::Has(name.clone(), rtype::DHCID, id.clone());
        let add_address = || Update::Add(name.clone(), address_type, *ttl, address.clone());
        Some(match step {
            Step::Add => in_zone(
                vec![Prerequisite::NotInUse(name.clone())],
                vec![Update::Add(name.clone(), rtype::DHCID, *ttl, id.clone()), add_address()],
            ),
            Step::TakeOver => in_zone(
                vec![Prerequisite::InUse(name.clone()), is_own()],
                vec![Update::DeleteAll(name.clone(), address_type), add_address()],
            ),
            Step::RemoveAddress => {
                in_zone(vec![is_own()], vec![Update::Delete(name.clone(), address_type, address.clone())])
            }
            Step::RemoveId => {
                let none = |rtype| Prerequisite::HasNone(name.clone(), rtype);
                in_zone(
                    vec![is_own(), none(rtype::A), none(rtype::AAAA)],
                    vec![Update::DeleteAll(name.clone(), rtype::DHCID)],
                )
            }
            Step::Point | Step::Unpoint => {
                let (owner, reverse) = pointer.clone()?;
                let target: Box<[u8]> = name.as_wire().into();
                let updates = if step == Step::Point {
                    let all = Update::DeleteAll(owner.clone(), rtype::PTR);
                    vec![all, Update::Add(owner, rtype::PTR, *ttl, target)]
                } else {
                    vec![Update::Delete(owner, rtype::PTR, target)]
                };
                Request { zone: reverse, prerequisites: Vec::new(), updates }
            }
        })
    }

    /// Takes note of the answer to that; how it ended, if it has.
    pub fn answered(&mut self, response: Response) -> Option<Ended> {
        let Some(step) = self.steps.pop_front() else { return Some(Ended::Done) };
        let Response::Code(code) = response else { return Some(Ended::Later) };
        match (step, code) {
            (_, SERVFAIL) => return Some(Ended::Later),
            (Step::Add, YXDOMAIN) => self.steps.push_front(Step::TakeOver),
            (Step::TakeOver, NXRRSET) => return Some(Ended::InUse),
            (Step::TakeOver, NXDOMAIN) if !self.again => {
                self.again = true;
                self.steps.push_front(Step::Add);
            }
            // The name is not this machine's any more: nothing of it is to be taken away.
            (Step::RemoveAddress, NXRRSET) => {
                self.steps.retain(|step| *step != Step::RemoveId);
            }
            // Somebody else keeps that zone, or has something else to say of it.
            (Step::Unpoint | Step::RemoveAddress | Step::RemoveId | Step::Point, _) | (_, NOERROR) => {}
            (Step::Add | Step::TakeOver, code) => return Some(Ended::Refused(code)),
        }
        self.steps.is_empty().then_some(Ended::Done)
    }
}

#[cfg(test)]
mod tests {
    use inventory_core::model::Updates;
    use inventory_core::name::Name;

    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text, None).unwrap()
    }

    fn registration(label: &str) -> Registration {
        Registration {
            address: "10.20.0.100".parse().unwrap(),
            name: name(&format!("{label}.lab.example")),
            zone: name("lab.example"),
            pointer: Some((name("100.0.20.10.in-addr.arpa"), name("0.20.10.in-addr.arpa"))),
            id: Box::new([0, 0, 1, 9]),
            ttl: 600,
            updates: Updates { key: name("k"), server: "127.0.0.1:53".parse().unwrap() },
        }
    }

    /// The steps of a course whose server says these codes, and how it ends.
    fn run(mut course: Course, codes: &[u8]) -> (Vec<Step>, Option<Ended>) {
        let mut steps = Vec::new();
        for code in codes {
            steps.extend(course.steps.front().copied());
            assert!(course.request().is_some());
            if let Some(ended) = course.answered(Response::Code(*code)) {
                return (steps, Some(ended));
            }
        }
        (steps, None)
    }

    #[test]
    fn a_free_name_is_taken_and_pointed_to() {
        let course = Course::new(None, Some(registration("a")));
        assert_eq!(run(course, &[0, 0]), (vec![Step::Add, Step::Point], Some(Ended::Done)));
    }

    #[test]
    fn a_name_in_use_is_taken_over_only_by_its_own_machine() {
        let course = || Course::new(None, Some(registration("a")));
        let own = vec![Step::Add, Step::TakeOver, Step::Point];
        assert_eq!(run(course(), &[YXDOMAIN, 0, 0]), (own, Some(Ended::Done)));
        let others = vec![Step::Add, Step::TakeOver];
        assert_eq!(run(course(), &[YXDOMAIN, NXRRSET]), (others, Some(Ended::InUse)));
        let raced = vec![Step::Add, Step::TakeOver, Step::Add, Step::Point];
        assert_eq!(run(course(), &[YXDOMAIN, NXDOMAIN, 0, 0]), (raced, Some(Ended::Done)));
        assert_eq!(
            run(course(), &[YXDOMAIN, NXDOMAIN, YXDOMAIN, NXDOMAIN]).1,
            Some(Ended::Refused(NXDOMAIN))
        );
    }

    #[test]
    fn what_was_told_is_taken_back_before_another_name_is_told() {
        let course = Course::new(Some(registration("a")), Some(registration("b")));
        let steps = vec![Step::Unpoint, Step::RemoveAddress, Step::RemoveId, Step::Add, Step::Point];
        assert_eq!(run(course, &[0, 0, 0, 0, 0]), (steps, Some(Ended::Done)));
        let course = Course::new(Some(registration("a")), None);
        let steps = vec![Step::Unpoint, Step::RemoveAddress];
        assert_eq!(run(course, &[0, NXRRSET]), (steps, Some(Ended::Done)), "it is another machine's by now");
    }

    #[test]
    fn a_server_that_cannot_is_asked_later_and_one_that_does_not_want_is_not() {
        let course = || Course::new(None, Some(registration("a")));
        assert_eq!(run(course(), &[SERVFAIL]).1, Some(Ended::Later));
        assert_eq!(course().answered(Response::Nothing), Some(Ended::Later));
        assert_eq!(run(course(), &[5]).1, Some(Ended::Refused(5)));
        assert_eq!(run(course(), &[0, 9]).1, Some(Ended::Done), "the reverse zone is somebody else's");
    }
}
