//! Whom to wake: a task that receives, and perhaps another that sends.
//!
//! A transport and a timer each remember one waker, that of the last who asked. Here two may ask: both are woken then, or
//! what one of them causes (room in the output, the end of the connection) would be missed by the other.

use std::sync::Arc;
use std::task::{Context, Wake, Waker};

/// What a task waits for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wait {
    Events,
    Room,
}

#[derive(Debug, Default)]
pub(super) struct Tasks {
    for_events: Option<Waker>,
    for_room: Option<Waker>,
    /// Made when the two are different.
    both: Option<Waker>,
}

#[derive(Debug)]
struct Both(Waker, Waker);

impl Tasks {
    /// Takes note of a task that is about to wait; what is to be woken instead of it.
    pub(super) fn waker(&mut self, wait: Wait, cx: &Context<'_>) -> Waker {
        let noted = self.noted(wait);
        if !noted.as_ref().is_some_and(|noted| noted.will_wake(cx.waker())) {
            *noted = Some(cx.waker().clone());
            self.both = None;
        }
        match (&self.for_events, &self.for_room) {
            (Some(one), Some(other)) if !one.will_wake(other) => {
                let both = || Waker::from(Arc::new(Both(one.clone(), other.clone())));
                self.both.get_or_insert_with(both).clone()
            }
            _ => cx.waker().clone(),
        }
    }

    /// The task waits no more.
    pub(super) fn forget(&mut self, wait: Wait) {
        *self.noted(wait) = None;
        self.both = None;
    }

    /// Something has changed that no transport and no timer tells of.
    pub(super) fn wake(&self) {
        for waker in [&self.for_events, &self.for_room].into_iter().flatten() {
            waker.wake_by_ref();
        }
    }

    fn noted(&mut self, wait: Wait) -> &mut Option<Waker> {
        match wait {
            Wait::Events => &mut self.for_events,
            Wait::Room => &mut self.for_room,
        }
    }
}

impl Wake for Both {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.wake_by_ref();
        self.1.wake_by_ref();
    }
}
