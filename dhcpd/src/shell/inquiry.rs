//! Questions to the worker, which alone knows the leases: for status, metrics and exports.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::writer::Waker;
use crate::core::Core;
use crate::view::DhcpView;

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

type Question = Box<dyn FnOnce(&Core, &DhcpView) + Send>;

/// Who asks.
#[derive(Debug)]
pub(super) struct Inquirer {
    questions: Sender<Question>,
    waker: Waker,
}

/// Who answers.
#[derive(Debug)]
pub(super) struct Inquiries(Receiver<Question>);

/// Both ends; `waker` wakes the worker.
pub(super) fn inquiries(waker: Waker) -> (Inquirer, Inquiries) {
    let (questions, receiver) = channel();
    (Inquirer { questions, waker }, Inquiries(receiver))
}

impl Inquirer {
    /// What the worker says; `None` if it does not answer in time. Blocks until then.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Core, &DhcpView) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answers) = channel();
        let question: Question = Box::new(move |core, view| {
            let _ = answer.send(question(core, view));
        });
        self.questions.send(question).ok()?;
        self.waker.wake();
        answers.recv_timeout(PATIENCE).ok()
    }
}

impl Inquiries {
    /// Answers what waits.
    pub(super) fn answer(&self, core: &Core, view: &DhcpView) {
        while let Ok(question) = self.0.try_recv() {
            question(core, view);
        }
    }
}
