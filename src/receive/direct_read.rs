//! Large messages: read from the transport straight to where they are assembled.

use super::Receiver;
use crate::config::Config;

impl Receiver {
    /// Space in the message in progress for the next bytes of its frame, if they may be read straight into it.
    pub(crate) fn read_buffer(&mut self, config: &Config) -> Option<&mut [u8]> {
        let rest = self.decoder.plain_frame()?;
        self.message.as_mut()?.read_buffer(rest, config)
    }

    /// Consumes up to `count` bytes that were read into that space. Returns how many those were.
    pub(crate) fn commit_read(&mut self, count: usize) -> usize {
        match (self.decoder.plain_frame(), &mut self.message) {
            (Some(rest), Some(message)) => {
                let payload = message.commit_read(count, rest);
                self.decoder.consume_in_place(payload, self.from);
                payload.len()
            }
            _ => 0,
        }
    }
}
