//! A single deadline for all stages of connecting.

use std::time::{Duration, Instant};

use super::{ConnectError, ConnectStage};

/// The time by which connecting must be complete, if limited.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(pub(super) Option<Instant>);

impl Deadline {
    /// Creates a deadline from now on.
    pub(super) fn after(timeout: Option<Duration>) -> Self {
        Self(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    /// Returns the remaining time, or `None` without a deadline. If no time is left, returns an error that names the
    /// stage.
    pub(super) fn left(self, stage: ConnectStage) -> Result<Option<Duration>, ConnectError> {
        let left = self.0.map(|at| at.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) { Err(ConnectError::Timeout(stage)) } else { Ok(left) }
    }
}
