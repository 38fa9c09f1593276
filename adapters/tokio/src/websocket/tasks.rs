//! The tasks to wake: one that receives and perhaps another that sends.
//!
//! A transport and a timer each store one waker, that of the last poll. With two halves, two tasks poll them. Both are
//! then woken, because otherwise one would miss what the other causes (space in the output, the end of the connection).

use std::sync::Arc;
use std::task::{Context, Wake, Waker};

/// The thing that a task waits for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wait {
    Events,
    Space,
}

#[derive(Debug, Default)]
pub(super) struct Tasks {
    for_events: Option<Waker>,
    for_space: Option<Waker>,
    /// Created if the two tasks are different.
    both: Option<Waker>,
}

#[derive(Debug)]
struct Both(Waker, Waker);

impl Tasks {
    /// Registers a task that is about to wait. Returns the waker for the transport and the timer.
    pub(super) fn waker(&mut self, wait: Wait, cx: &Context<'_>) -> Waker {
        let registered = self.registered(wait);
        if !registered.as_ref().is_some_and(|registered| registered.will_wake(cx.waker())) {
            *registered = Some(cx.waker().clone());
            self.both = None;
        }
        match (&self.for_events, &self.for_space) {
            (Some(one), Some(other)) if !one.will_wake(other) => {
                let both = || Waker::from(Arc::new(Both(one.clone(), other.clone())));
                self.both.get_or_insert_with(both).clone()
            }
            _ => cx.waker().clone(),
        }
    }

    /// Unregisters a task that no longer waits.
    pub(super) fn unregister(&mut self, wait: Wait) {
        *self.registered(wait) = None;
        self.both = None;
    }

    /// Wakes the tasks for a change that neither the transport nor the timer reports.
    pub(super) fn wake(&self) {
        for waker in [&self.for_events, &self.for_space].into_iter().flatten() {
            waker.wake_by_ref();
        }
    }

    fn registered(&mut self, wait: Wait) -> &mut Option<Waker> {
        match wait {
            Wait::Events => &mut self.for_events,
            Wait::Space => &mut self.for_space,
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
