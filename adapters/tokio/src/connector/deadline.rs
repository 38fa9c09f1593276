//! One deadline for everything that connecting takes.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::{ConnectError, ConnectStage};

/// The time at which connecting ends in any case, if there is one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Option<Instant>);

impl Deadline {
    /// A deadline that counts from now.
    pub(super) fn after(timeout: Option<Duration>) -> Self {
        Self(timeout.and_then(|timeout| Instant::now().checked_add(timeout)))
    }

    /// The output of a future if that is ready before the deadline; else an error that names the stage.
    pub(super) async fn within<F: Future>(self, stage: ConnectStage, future: F) -> Result<F::Output, ConnectError> {
        match self.0 {
            Some(deadline) => timeout_at(deadline, future).await.map_err(|_| ConnectError::Timeout(stage)),
            None => Ok(future.await),
        }
    }
}
