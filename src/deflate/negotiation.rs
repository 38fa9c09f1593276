//! Negotiation (RFC 7692 section 7): the values of `Sec-WebSocket-Extensions`, and the resulting parameters.

use alloc::string::{String, ToString};
use core::fmt;

use super::config::{DeflateConfig, MAX_WINDOW_BITS, MIN_WINDOW_BITS};
use super::params::DeflateParams;
use crate::error::HandshakeError;
use crate::http_grammar::lists::{self, Extension, Value};

const NAME: &str = "permessage-deflate";
const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// A server's answer to an offer. `Display` writes the element of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    params: DeflateParams,
    /// The client asked for a limit. It must be answered even if it is the largest window.
    names_server_bits: bool,
}

impl Answer {
    pub(crate) fn params(self) -> DeflateParams {
        self.params
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let params = self.params;
        f.write_str(NAME)?;
        if params.server_no_context_takeover {
            write!(f, "; {SERVER_NO_CONTEXT_TAKEOVER}")?;
        }
        if params.client_no_context_takeover {
            write!(f, "; {CLIENT_NO_CONTEXT_TAKEOVER}")?;
        }
        if self.names_server_bits || params.server_max_window_bits < MAX_WINDOW_BITS {
            write!(f, "; {SERVER_MAX_WINDOW_BITS}={}", params.server_max_window_bits)?;
        }
        if params.client_max_window_bits < MAX_WINDOW_BITS {
            write!(f, "; {CLIENT_MAX_WINDOW_BITS}={}", params.client_max_window_bits)?;
        }
        Ok(())
    }
}

/// Negotiation for an opening handshake that is done elsewhere.
impl DeflateConfig {
    /// Answers a client's offers (server only). `values` are those of the request's `Sec-WebSocket-Extensions` headers.
    /// Returns the answer to the first acceptable offer, if there is one (RFC 7692 section 5). Send the string as the
    /// `Sec-WebSocket-Extensions` header of the response.
    ///
    /// ```
    /// use websocket_proto::{Config, Connection, DeflateConfig, Negotiated};
    ///
    /// let offers = ["permessage-deflate; client_max_window_bits"];
    /// let settings = DeflateConfig::new().client_max_window_bits(12);
    /// let (answer, params) = settings.answer(offers.iter().map(|value| value.as_bytes())).unwrap();
    /// assert_eq!(answer, "permessage-deflate; client_max_window_bits=12");
    ///
    /// let negotiated = Negotiated::new().deflate(params);
    /// let conn = Connection::upgraded_server(negotiated, Config::new().deflate(settings));
    /// assert_eq!(conn.deflate(), Some(params));
    /// ```
    pub fn answer<'a>(&self, offers: impl IntoIterator<Item = &'a [u8]>) -> Option<(String, DeflateParams)> {
        let answer = answer_offers(core::slice::from_ref(self), offers.into_iter()).ok()??;
        Some((answer.to_string(), answer.params))
    }

    /// Returns a client's offer, an element of the `Sec-WebSocket-Extensions` header of the request.
    pub fn offer(&self) -> String {
        write_offers(core::slice::from_ref(self))
    }

    /// Checks a server's answer (client only). `values` are those of the response's `Sec-WebSocket-Extensions` headers.
    /// Returns the negotiated parameters, or `None` if the server did not accept the offer.
    ///
    /// # Errors
    ///
    /// Fails if the header is malformed, selects an extension that was not offered, or has parameters that do not match
    /// the offer. A client must then fail the connection.
    pub fn check<'a>(
        &self,
        answer: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Option<DeflateParams>, HandshakeError> {
        check_answer(core::slice::from_ref(self), answer.into_iter())
    }
}

/// Returns the answer to the first acceptable offer. A server uses only the first settings.
pub(crate) fn answer_offers<'a>(
    settings: &[DeflateConfig],
    offers: impl Iterator<Item = &'a [u8]>,
) -> Result<Option<Answer>, HandshakeError> {
    let mut answer = None;
    lists::extensions(offers, |extension| {
        if answer.is_none()
            && let Some(settings) = settings.first()
        {
            answer = Element::read(extension).and_then(|offer| accept_offer(settings, &offer));
        }
    })?;
    Ok(answer)
}

fn accept_offer(settings: &DeflateConfig, offer: &Element) -> Option<Answer> {
    let asked = offer.server_max_window_bits.unwrap_or(MAX_WINDOW_BITS);
    // RFC 7692 section 7.1.2.1: the window must not be larger than asked for, so an unsupported size is declined.
    if asked < MIN_WINDOW_BITS {
        return None;
    }
    let client = match offer.client_max_window_bits {
        Bits::Missing => MAX_WINDOW_BITS,
        Bits::Bare => settings.client_max_window_bits,
        Bits::Value(most) => settings.client_max_window_bits.min(most),
    };
    let params = DeflateParams {
        server_no_context_takeover: settings.server_no_context_takeover || offer.server_no_context_takeover,
        // The offer is a hint, and accepting it costs nothing: the client will not use its context in any case.
        client_no_context_takeover: settings.client_no_context_takeover || offer.client_no_context_takeover,
        server_max_window_bits: asked.min(settings.server_max_window_bits),
        client_max_window_bits: client,
    };
    Some(Answer { params, names_server_bits: offer.server_max_window_bits.is_some() })
}

/// Returns the elements that offer these settings, in the order of preference.
pub(crate) fn write_offers(settings: &[DeflateConfig]) -> String {
    let mut elements = String::new();
    for settings in settings {
        if !elements.is_empty() {
            elements.push_str(", ");
        }
        elements.push_str(NAME);
        if settings.server_no_context_takeover {
            elements.extend(["; ", SERVER_NO_CONTEXT_TAKEOVER]);
        }
        if settings.client_no_context_takeover {
            elements.extend(["; ", CLIENT_NO_CONTEXT_TAKEOVER]);
        }
        if settings.server_max_window_bits < MAX_WINDOW_BITS {
            elements.extend(["; ", SERVER_MAX_WINDOW_BITS, "=", &settings.server_max_window_bits.to_string()]);
        }
        if settings.offer_client_max_window_bits {
            // Without a value, the parameter says that the client supports a limit.
            elements.extend(["; ", CLIENT_MAX_WINDOW_BITS]);
            if settings.client_max_window_bits < MAX_WINDOW_BITS {
                elements.extend(["=", &settings.client_max_window_bits.to_string()]);
            }
        }
    }
    elements
}

/// Returns the parameters of a server's response to the offers of these settings.
pub(crate) fn check_answer<'a>(
    settings: &[DeflateConfig],
    answer: impl Iterator<Item = &'a [u8]>,
) -> Result<Option<DeflateParams>, HandshakeError> {
    let (mut accepted, mut count) = (None, 0);
    lists::extensions(answer, |extension| {
        accepted = Some(extension);
        count += 1;
    })?;
    match accepted {
        None => Ok(None),
        Some(extension) if settings.is_empty() || extension.name != NAME.as_bytes() || count > 1 => {
            Err(HandshakeError::ExtensionNotOffered)
        }
        Some(extension) => {
            let answer = Element::read(extension).ok_or(HandshakeError::ExtensionParameters)?;
            let fitting = settings.iter().find_map(|settings| params_of_answer(settings, &answer));
            fitting.map(Some).ok_or(HandshakeError::ExtensionParameters)
        }
    }
}

/// Returns the parameters of an answer, if it matches the offer of these settings.
fn params_of_answer(settings: &DeflateConfig, answer: &Element) -> Option<DeflateParams> {
    // RFC 7692 sections 7.1.1.1 and 7.1.2.1: a server that accepts the offer confirms it, and does not exceed it.
    if settings.server_no_context_takeover && !answer.server_no_context_takeover {
        return None;
    }
    let server = answer.server_max_window_bits.unwrap_or(MAX_WINDOW_BITS);
    if server > settings.server_max_window_bits {
        return None;
    }
    let client = match answer.client_max_window_bits {
        // RFC 7692 section 7.1.2.2: the limit of the offer applies even without an answer.
        Bits::Missing => settings.client_max_window_bits,
        // RFC 7692 section 7.1.2.2: an answer has the parameter only if the offer has it.
        Bits::Value(_) if !settings.offer_client_max_window_bits => return None,
        // The limit of the offer also applies if the answer is larger: the offer is a hint of what we will use.
        Bits::Value(bits) => bits.min(settings.client_max_window_bits),
        Bits::Bare => return None,
    };
    Some(DeflateParams {
        server_no_context_takeover: answer.server_no_context_takeover,
        client_no_context_takeover: answer.client_no_context_takeover || settings.client_no_context_takeover,
        server_max_window_bits: server,
        client_max_window_bits: client,
    })
}

/// An element `permessage-deflate`, in an offer or an answer.
struct Element {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    client_max_window_bits: Bits,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bits {
    Missing,
    Bare,
    Value(u8),
}

impl Element {
    /// Parses an element. Returns `None` for another extension, or if a parameter is unknown, invalid or repeated (RFC
    /// 7692 section 7).
    fn read(extension: Extension<'_>) -> Option<Self> {
        if extension.name != NAME.as_bytes() {
            return None;
        }
        let mut this = Self {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: None,
            client_max_window_bits: Bits::Missing,
        };
        for (name, value) in extension.parameters() {
            let is = |known: &str| name == known.as_bytes();
            if is(SERVER_NO_CONTEXT_TAKEOVER) && value.is_none() && !this.server_no_context_takeover {
                this.server_no_context_takeover = true;
            } else if is(CLIENT_NO_CONTEXT_TAKEOVER) && value.is_none() && !this.client_no_context_takeover {
                this.client_no_context_takeover = true;
            } else if is(SERVER_MAX_WINDOW_BITS) && this.server_max_window_bits.is_none() {
                this.server_max_window_bits = Some(window_bits(value?)?);
            } else if is(CLIENT_MAX_WINDOW_BITS) && this.client_max_window_bits == Bits::Missing {
                this.client_max_window_bits = match value {
                    None => Bits::Bare,
                    Some(value) => Bits::Value(window_bits(value)?),
                };
            } else {
                return None;
            }
        }
        Some(this)
    }
}

/// Parses a decimal number from 8 to 15 without leading zeros.
fn window_bits(value: Value<'_>) -> Option<u8> {
    let mut digits = value.bytes();
    let bits = match (digits.next()?, digits.next(), digits.next()) {
        (digit @ b'0'..=b'9', None, None) => digit - b'0',
        (b'1', Some(digit @ b'0'..=b'9'), None) => 10 + digit - b'0',
        _ => return None,
    };
    (8..=MAX_WINDOW_BITS).contains(&bits).then_some(bits)
}
