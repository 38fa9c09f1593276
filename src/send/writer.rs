//! Messages that the caller writes step by step, directly into the output if possible.

use alloc::vec::Vec;
use core::fmt;
#[cfg(feature = "std")]
use std::io;

use bytes::BufMut;

use crate::error::{SendError, SendWithError};
use crate::slices::part;
use crate::utf8;

/// A writer for the text message that [`Connection::send_text_with`](crate::Connection::send_text_with) sends.
///
/// It implements [`core::fmt::Write`] and, with the feature `std`, `std::io::Write`. Bytes are validated as UTF-8 when
/// the message is complete, so a character may be split between two writes.
#[derive(Debug)]
pub struct TextWriter<'a> {
    buffer: &'a mut Vec<u8>,
    /// Set once bytes were written that may not be UTF-8.
    is_unchecked: bool,
}

impl TextWriter<'_> {
    /// Calls `write` with a writer that appends to the buffer.
    pub(crate) fn append_to<R, E>(
        buffer: &mut Vec<u8>,
        write: impl FnOnce(&mut TextWriter<'_>) -> Result<R, E>,
    ) -> Result<R, SendWithError<E>> {
        let start = buffer.len();
        let mut writer = TextWriter { buffer, is_unchecked: false };
        let written = write(&mut writer).map_err(SendWithError::Write)?;
        if writer.is_unchecked {
            utf8::validate(part(writer.buffer, start..)).map_err(|_| SendError::InvalidUtf8)?;
        }
        Ok(written)
    }

    /// Appends text.
    #[inline]
    pub fn push_str(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }

    /// Appends a character.
    #[inline]
    pub fn push(&mut self, character: char) {
        self.push_str(character.encode_utf8(&mut [0; 4]));
    }
}

impl fmt::Write for TextWriter<'_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text);
        Ok(())
    }
}

#[cfg(feature = "std")]
impl io::Write for TextWriter<'_> {
    #[inline]
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.write_all(data)?;
        Ok(data.len())
    }

    #[inline]
    fn write_all(&mut self, data: &[u8]) -> io::Result<()> {
        self.is_unchecked = true;
        self.buffer.extend_from_slice(data);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A writer for the binary message that [`Connection::send_binary_with`](crate::Connection::send_binary_with) sends.
///
/// With the feature `std` it implements `std::io::Write`.
#[derive(Debug)]
pub struct BinaryWriter<'a> {
    buffer: &'a mut Vec<u8>,
}

impl BinaryWriter<'_> {
    /// Calls `write` with a writer that appends to the buffer.
    pub(crate) fn append_to<R, E>(
        buffer: &mut Vec<u8>,
        write: impl FnOnce(&mut BinaryWriter<'_>) -> Result<R, E>,
    ) -> Result<R, SendWithError<E>> {
        write(&mut BinaryWriter { buffer }).map_err(SendWithError::Write)
    }

    /// Appends bytes.
    #[inline]
    pub fn extend_from_slice(&mut self, data: &[u8]) {
        self.buffer.extend_from_slice(data);
    }

    /// Returns a [`BufMut`] that appends to the message, for encoders that need one.
    ///
    /// ```
    /// use bytes::{Buf, BufMut};
    /// use websocket_proto::{Config, Connection, Negotiated};
    ///
    /// let mut conn = Connection::upgraded_server(Negotiated::new(), Config::new());
    /// conn.send_binary_with(|writer| {
    ///     writer.buf_mut().put_u32(7);
    ///     Ok::<_, std::convert::Infallible>(())
    /// })?;
    /// assert_eq!(conn.output().chunk(), [0x82, 4, 0, 0, 0, 7]);
    /// # Ok::<(), websocket_proto::SendWithError<std::convert::Infallible>>(())
    /// ```
    #[inline]
    pub fn buf_mut(&mut self) -> impl BufMut + '_ {
        &mut *self.buffer
    }
}

#[cfg(feature = "std")]
impl io::Write for BinaryWriter<'_> {
    #[inline]
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.write_all(data)?;
        Ok(data.len())
    }

    #[inline]
    fn write_all(&mut self, data: &[u8]) -> io::Result<()> {
        self.extend_from_slice(data);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
