//! A single deadline for all stages of connecting.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{ConnectError, ConnectStage};

/// The time by which connecting must be complete, if limited.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    /// Creates a deadline from now on.
    pub(super) fn after(timeout: Option<Duration>) -> Self {
        Self(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    /// Returns the output of a future if it is ready before the deadline, otherwise an error that names the stage.
    pub(super) async fn within<F: Future>(self, stage: ConnectStage, future: F) -> Result<F::Output, ConnectError> {
        match self.0 {
            Some(deadline) => timeout_at(deadline, future).await.map_err(|_| ConnectError::Timeout(stage)),
            None => Ok(future.await),
        }
    }
}
