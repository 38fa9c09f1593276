//! Reading large messages from the transport directly into the buffer in which they are assembled.

use super::Receiver;
use crate::config::Config;

impl Receiver {
    /// Returns the space in the current message for the next bytes of its frame, if they may be read directly into it.
    pub(crate) fn read_buffer(&mut self, config: &Config) -> Option<&mut [u8]> {
        let rest = self.decoder.plain_frame()?;
        self.message.as_mut()?.read_buffer(rest, config)
    }

    /// Consumes up to `count` bytes that were read into that space. Returns how many it consumed.
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
