//! The twin of `deflate/` for builds without the feature. It has the same types, but they have no values. Code that
//! needs such a value can never run, and the compiler removes it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::error::HandshakeError;
use crate::http_grammar::lists;
use crate::role::Role;

/// Settings that cannot be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeflateConfig {}

/// Parameters that are never negotiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeflateParams {}

impl DeflateParams {
    pub(crate) fn directions(self, _: Role) -> (ReceiveCompression, SendCompression) {
        match self {}
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum ReceiveCompression {}

impl ReceiveCompression {
    pub(crate) fn context_takeover(self) -> bool {
        match self {}
    }

    pub(crate) fn window_size(self) -> usize {
        match self {}
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum SendCompression {}

impl SendCompression {
    pub(crate) fn window_bits(self) -> u8 {
        match self {}
    }

    pub(crate) fn context_takeover(self) -> bool {
        match self {}
    }

    pub(crate) fn is_enabled(self) -> bool {
        match self {}
    }

    pub(crate) fn is_worth_while(self, _: usize, _: &[DeflateConfig]) -> bool {
        match self {}
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {}

impl Answer {
    pub(crate) fn params(self) -> DeflateParams {
        match self {}
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

/// Nothing is offered.
pub(crate) fn write_offers(_: &[DeflateConfig]) -> String {
    String::new()
}

/// Nothing was offered, so nothing may be accepted.
pub(crate) fn check_answer<'a>(
    _: &[DeflateConfig],
    answer: impl Iterator<Item = &'a [u8]>,
) -> Result<Option<DeflateParams>, HandshakeError> {
    let mut any = false;
    lists::extensions(answer, |_| any = true)?;
    if any { Err(HandshakeError::ExtensionNotOffered) } else { Ok(None) }
}

/// No offer is accepted, but the grammar of the offers is still checked.
pub(crate) fn answer_offers<'a>(
    _: &[DeflateConfig],
    offers: impl Iterator<Item = &'a [u8]>,
) -> Result<Option<Answer>, HandshakeError> {
    lists::extensions(offers, |_| {})?;
    Ok(None)
}

#[derive(Debug)]
pub(crate) enum Inflater {}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Inflated {
    pub(crate) consumed: usize,
    pub(crate) written: usize,
    pub(crate) status: Status,
}

#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "nothing is inflated")]
pub(crate) enum Status {
    Continues,
    StreamEnd,
    Corrupt,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Corrupt;

impl Inflater {
    pub(crate) fn new(compression: ReceiveCompression) -> Self {
        match compression {}
    }

    pub(crate) fn begin_stream<'a>(&mut self, _: impl IntoIterator<Item = &'a [u8]>) {
        match *self {}
    }

    pub(crate) fn inflate(&mut self, _: &[u8], _: &mut [u8]) -> Inflated {
        match *self {}
    }

    pub(crate) fn finish_message(&mut self) -> Result<(), Corrupt> {
        match *self {}
    }
}

/// A window that stays empty.
#[derive(Debug, Default)]
pub(crate) struct Window {}

#[expect(clippy::unused_self, reason = "there is nothing in it")]
impl Window {
    pub(crate) fn slices(&self) -> [&[u8]; 2] {
        [&[]; 2]
    }

    pub(crate) fn add(&mut self, _: &[u8], _: usize) {}

    pub(crate) fn clear(&mut self) {}
}

#[derive(Debug)]
pub(crate) enum Compressor {}

impl Compressor {
    pub(crate) fn new(compression: SendCompression) -> Self {
        match compression {}
    }

    pub(crate) fn begin_message(&mut self, _: SendCompression, _: &[DeflateConfig], _: Option<&mut CompressorPool>) {
        match *self {}
    }

    pub(crate) fn compress(&mut self, _: &[u8], _: bool, _: SendCompression, _: &mut Vec<u8>) {
        match *self {}
    }

    pub(crate) fn is_in_message(&self) -> bool {
        match *self {}
    }

    pub(crate) fn skip_message(&mut self, _: &[u8], _: SendCompression) {
        match *self {}
    }

    pub(crate) fn return_stream(&mut self, _: &mut CompressorPool, _: SendCompression) {
        match *self {}
    }
}

#[derive(Debug, Default)]
pub(crate) struct CompressorPool;

#[expect(clippy::unused_self, reason = "there is nothing in it")]
impl CompressorPool {
    pub(crate) fn get(&mut self) -> Option<Box<Compressor>> {
        None
    }

    #[expect(clippy::boxed_local, reason = "it is a value of no type")]
    pub(crate) fn recycle(&mut self, compressor: Box<Compressor>) {
        match *compressor {}
    }
}
