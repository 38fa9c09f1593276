//! The extensions that two ends may agree on (RFC 6455 9.1): compression, if the crate is built with it.

use alloc::string::String;
#[cfg(feature = "deflate")]
use alloc::string::ToString;
#[cfg(feature = "deflate")]
use alloc::vec::Vec;

use super::Negotiated;
use crate::config::Config;
#[cfg(feature = "deflate")]
use crate::deflate::{self, Answer, Deflate};
use crate::error::HandshakeError;
#[cfg(not(feature = "deflate"))]
use crate::http_grammar::lists;

/// What a client offers.
#[derive(Clone, Debug)]
pub(crate) struct Offered {
    #[cfg(feature = "deflate")]
    deflate: Vec<Deflate>,
}

/// What a server takes of the offers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Accepted {
    #[cfg(feature = "deflate")]
    deflate: Option<Answer>,
}

#[cfg(feature = "deflate")]
impl Offered {
    pub(crate) fn new(config: &Config) -> Self {
        Self { deflate: config.deflate.clone() }
    }

    /// The value of the header, if there is one to send.
    pub(crate) fn header(&self) -> Option<String> {
        (!self.deflate.is_empty()).then(|| deflate::offers(&self.deflate))
    }

    /// What was agreed on, if the answer is one to what was offered.
    pub(crate) fn check<'a>(&self, answer: impl Iterator<Item = &'a [u8]>) -> Result<Negotiated, HandshakeError> {
        Ok(Negotiated { deflate: deflate::check(&self.deflate, answer)?, ..Negotiated::new() })
    }
}

#[cfg(feature = "deflate")]
impl Accepted {
    pub(crate) fn new<'a>(config: &Config, offers: impl Iterator<Item = &'a [u8]>) -> Result<Self, HandshakeError> {
        Ok(Self { deflate: deflate::answer(&config.deflate, offers)? })
    }

    /// The value of the header, if there is one to send.
    pub(crate) fn header(self) -> Option<String> {
        self.deflate.map(|answer| answer.to_string())
    }

    pub(crate) fn negotiated(self) -> Negotiated {
        Negotiated { deflate: self.deflate.map(|answer| answer.params), ..Negotiated::new() }
    }
}

#[cfg(not(feature = "deflate"))]
#[expect(clippy::unused_self, reason = "it has something to tell where there is an extension")]
impl Offered {
    pub(crate) fn new(_: &Config) -> Self {
        Self {}
    }

    pub(crate) fn header(&self) -> Option<String> {
        None
    }

    pub(crate) fn check<'a>(&self, answer: impl Iterator<Item = &'a [u8]>) -> Result<Negotiated, HandshakeError> {
        let mut any = false;
        lists::extensions(answer, |_| any = true)?;
        if any { Err(HandshakeError::ExtensionNotOffered) } else { Ok(Negotiated::new()) }
    }
}

#[cfg(not(feature = "deflate"))]
#[expect(clippy::unused_self, reason = "it has something to tell where there is an extension")]
impl Accepted {
    pub(crate) fn new<'a>(_: &Config, offers: impl Iterator<Item = &'a [u8]>) -> Result<Self, HandshakeError> {
        lists::extensions(offers, |_| {})?;
        Ok(Self {})
    }

    pub(crate) fn header(self) -> Option<String> {
        None
    }

    pub(crate) fn negotiated(self) -> Negotiated {
        Negotiated::new()
    }
}
