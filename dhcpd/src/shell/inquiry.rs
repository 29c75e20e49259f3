//! Questions to the worker, which alone knows the leases: for status, metrics and exports.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::writer::Waker;
use crate::view::DhcpView;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

type Question<C> = Box<dyn FnOnce(&C, &DhcpView) + Send>;

/// Who asks a worker with the core `C`.
pub(super) struct Inquirer<C> {
    questions: Sender<Question<C>>,
    waker: Waker,
}

/// Who answers.
pub(super) struct Inquiries<C>(Receiver<Question<C>>);

/// Both ends; `waker` wakes the worker.
pub(super) fn inquiries<C>(waker: Waker) -> (Inquirer<C>, Inquiries<C>) {
    let (questions, receiver) = channel();
    (Inquirer { questions, waker }, Inquiries(receiver))
}

impl<C> Inquirer<C> {
    /// Wakes the worker, so that it looks at the view.
    pub(super) fn wake(&self) {
        self.waker.wake();
    }

    /// What the worker says; `None` if it does not answer in time. Blocks until then.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&C, &DhcpView) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answers) = channel();
        let question: Question<C> = Box::new(move |core, view| {
            let _ = answer.send(question(core, view));
        });
        self.questions.send(question).ok()?;
        self.waker.wake();
        answers.recv_timeout(PATIENCE).ok()
    }
}

impl<C> Inquiries<C> {
    /// Answers what waits.
    pub(super) fn answer(&self, core: &C, view: &DhcpView) {
        while let Ok(question) = self.0.try_recv() {
            question(core, view);
        }
    }
}
