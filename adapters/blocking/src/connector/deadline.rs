//! One deadline for everything that connecting takes.

use std::time::{Duration, Instant};

use super::{ConnectError, ConnectStage};

/// The time at which connecting ends in any case, if there is one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(pub(super) Option<Instant>);

impl Deadline {
    /// A deadline that counts from now.
    pub(super) fn after(timeout: Option<Duration>) -> Self {
        Self(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    /// The time that is left, `None` without a deadline; an error that names the stage if nothing is left.
    pub(super) fn left(self, stage: ConnectStage) -> Result<Option<Duration>, ConnectError> {
        let left = self.0.map(|at| at.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) { Err(ConnectError::Timeout(stage)) } else { Ok(left) }
    }
}
