//! The extensions that can be negotiated (RFC 6455 section 9.1): compression, if the crate is built with it.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::Negotiated;
use crate::config::Config;
use crate::deflate::{self, Answer, DeflateConfig};
use crate::error::HandshakeError;

/// The extensions that a client offers.
#[derive(Clone, Debug)]
pub(crate) struct Offered {
    deflate: Vec<DeflateConfig>,
}

impl Offered {
    pub(crate) fn new(config: &Config) -> Self {
        Self { deflate: config.deflate.clone() }
    }

    /// Returns the value of the header, if one is to be sent.
    pub(crate) fn header(&self) -> Option<String> {
        (!self.deflate.is_empty()).then(|| deflate::write_offers(&self.deflate))
    }

    /// Returns the negotiated extensions, if the response matches the offer.
    pub(crate) fn check_response<'a>(
        &self,
        answer: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Negotiated, HandshakeError> {
        Ok(Negotiated { deflate: deflate::check_answer(&self.deflate, answer)?, ..Negotiated::new() })
    }
}

/// The extensions that a server accepts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Accepted {
    deflate: Option<Answer>,
}

impl Accepted {
    pub(crate) fn new<'a>(config: &Config, offers: impl Iterator<Item = &'a [u8]>) -> Result<Self, HandshakeError> {
        Ok(Self { deflate: deflate::answer_offers(&config.deflate, offers)? })
    }

    /// Returns the value of the header, if one is to be sent.
    pub(crate) fn header(self) -> Option<String> {
        self.deflate.map(|answer| {
            let mut value = String::new();
            // Writing to a string can't fail.
            let _ = write!(value, "{answer}");
            value
        })
    }

    pub(crate) fn negotiated(self) -> Negotiated {
        Negotiated { deflate: self.deflate.map(Answer::params), ..Negotiated::new() }
    }
}
