//! Offers of permessage-deflate are answered as a plain reading of RFC 7692 section 7 says: the first acceptable one,
//! with no more than was offered. A client agrees to an answer exactly if its offer allows it.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use websocket_proto::{DeflateConfig, DeflateParams, HandshakeError};

#[derive(Arbitrary, Debug)]
struct Input {
    server: Settings,
    client: Settings,
    /// The lines of a request's header, and of a response's.
    offers: Vec<Vec<Part>>,
    answer: Vec<Vec<Part>>,
}

/// Settings of a [`DeflateConfig`]; window sizes outside 9 to 15 are clamped.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Settings {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: u8,
    client_max_window_bits: u8,
    offer_client_max_window_bits: bool,
}

/// A part of a value: words with a meaning, numbers, separators, and any other character that a value may contain.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Part {
    Name,
    Other,
    ServerNoContextTakeover,
    ClientNoContextTakeover,
    ServerMaxWindowBits,
    ClientMaxWindowBits,
    Semicolon,
    Comma,
    Equals,
    Quote,
    Backslash,
    Space,
    Number(u8),
    Any(u8),
}

fuzz_target!(|input: Input| {
    let (server, client) = (settings(input.server), settings(input.client));
    let offers = values(&input.offers);
    let answered = server.answer(offers.iter().map(Vec::as_slice));
    let expected = elements(&offers).and_then(|elements| {
        elements.iter().filter_map(|element| Extension::read(element)).find_map(|offer| accept(input.server, &offer))
    });
    assert_eq!(answered.as_ref().map(|(text, params)| (text.clone(), told(*params))), expected);

    let answer = values(&input.answer);
    let checked = client.check(answer.iter().map(Vec::as_slice)).map(|params| params.map(told));
    assert_eq!(checked, check(input.client, &answer));

    // Whatever the settings are, the two agree.
    let (text, params) = server.answer([client.offer().as_bytes()]).unwrap();
    let (server_resets, client_resets, server_bits, client_bits) = told(params);
    // A client whose offer doesn't name its window keeps to its own limit, which the server doesn't know.
    let hidden =
        if input.client.offer_client_max_window_bits { 15 } else { window(input.client.client_max_window_bits) };
    let agreed = (server_resets, client_resets, server_bits, client_bits.min(hidden));
    assert_eq!(client.check([text.as_bytes()]).map(|params| params.map(told)), Ok(Some(agreed)));
});

fn settings(settings: Settings) -> DeflateConfig {
    DeflateConfig::new()
        .server_no_context_takeover(settings.server_no_context_takeover)
        .client_no_context_takeover(settings.client_no_context_takeover)
        .server_max_window_bits(settings.server_max_window_bits)
        .client_max_window_bits(settings.client_max_window_bits)
        .offer_client_max_window_bits(settings.offer_client_max_window_bits)
}

/// Context takeover and window size of each side.
type Told = (bool, bool, u8, u8);

fn told(params: DeflateParams) -> Told {
    (
        params.server_no_context_takeover(),
        params.client_no_context_takeover(),
        params.server_max_window_bits(),
        params.client_max_window_bits(),
    )
}

fn window(bits: u8) -> u8 {
    bits.clamp(9, 15)
}

/// An element in which every parameter is known, valid and unique (RFC 7692 section 7). `None` stands for a parameter
/// that is absent, and for the client's window without a value.
#[derive(Debug, Default)]
struct Extension {
    server_no_context_takeover: Option<()>,
    client_no_context_takeover: Option<()>,
    server_max_window_bits: Option<u8>,
    client_max_window_bits: Option<Option<u8>>,
}

impl Extension {
    fn read(element: &[(Vec<u8>, Option<Vec<u8>>)]) -> Option<Self> {
        let ((name, _), parameters) = element.split_first().unwrap();
        if name != b"permessage-deflate" {
            return None;
        }
        let mut this = Self::default();
        for (i, (name, value)) in parameters.iter().enumerate() {
            if parameters[..i].iter().any(|(before, _)| before == name) {
                return None;
            }
            match (&name[..], value) {
                (b"server_no_context_takeover", None) => this.server_no_context_takeover = Some(()),
                (b"client_no_context_takeover", None) => this.client_no_context_takeover = Some(()),
                (b"server_max_window_bits", Some(value)) => this.server_max_window_bits = Some(bits(value)?),
                (b"client_max_window_bits", None) => this.client_max_window_bits = Some(None),
                (b"client_max_window_bits", Some(value)) => this.client_max_window_bits = Some(Some(bits(value)?)),
                _ => return None,
            }
        }
        Some(this)
    }
}

/// RFC 7692 section 7.1.2: 8 to 15, without leading zeros.
fn bits(value: &[u8]) -> Option<u8> {
    let numbers = ["8", "9", "10", "11", "12", "13", "14", "15"];
    let at = numbers.iter().position(|number| number.as_bytes() == value)?;
    Some(8 + at as u8)
}

/// The answer of a server that accepts the offer: its text, and the parameters agreed on.
fn accept(settings: Settings, offer: &Extension) -> Option<(String, Told)> {
    let mut text = String::from("permessage-deflate");
    let server_resets = settings.server_no_context_takeover || offer.server_no_context_takeover.is_some();
    if server_resets {
        text += "; server_no_context_takeover";
    }
    let client_resets = settings.client_no_context_takeover || offer.client_no_context_takeover.is_some();
    if client_resets {
        text += "; client_no_context_takeover";
    }
    let mut server_bits = window(settings.server_max_window_bits);
    if let Some(most) = offer.server_max_window_bits {
        // The compressor has no window of 8 bits.
        if most == 8 {
            return None;
        }
        server_bits = server_bits.min(most);
        assert!(server_bits <= most, "no more than asked for");
    }
    if offer.server_max_window_bits.is_some() || server_bits < 15 {
        text += &format!("; server_max_window_bits={server_bits}");
    }
    // RFC 7692 section 7.1.2.2: only if the client says that it understands, and no more than it says.
    let client_bits = match offer.client_max_window_bits {
        None => 15,
        Some(None) => window(settings.client_max_window_bits),
        Some(Some(most)) => window(settings.client_max_window_bits).min(most),
    };
    if client_bits < 15 {
        text += &format!("; client_max_window_bits={client_bits}");
    }
    Some((text, (server_resets, client_resets, server_bits, client_bits)))
}

/// The parameters that a client agrees to when it receives this answer to its offer.
fn check(settings: Settings, answer: &[Vec<u8>]) -> Result<Option<Told>, HandshakeError> {
    let elements = elements(answer).ok_or(HandshakeError::Extensions)?;
    let [element] = &elements[..] else {
        return if elements.is_empty() { Ok(None) } else { Err(HandshakeError::ExtensionNotOffered) };
    };
    if element[0].0 != b"permessage-deflate" {
        return Err(HandshakeError::ExtensionNotOffered);
    }
    let answer = Extension::read(element).ok_or(HandshakeError::ExtensionParameters)?;
    let (server_most, client_most) = (window(settings.server_max_window_bits), window(settings.client_max_window_bits));
    let server_bits = answer.server_max_window_bits.unwrap_or(15);
    let client_bits = match answer.client_max_window_bits {
        None => client_most,
        // An answer has a value.
        Some(None) => return Err(HandshakeError::ExtensionParameters),
        // RFC 7692 section 7.1.2.2: only where it was offered.
        Some(Some(_)) if !settings.offer_client_max_window_bits => return Err(HandshakeError::ExtensionParameters),
        // The size in an offer is a hint.
        Some(Some(bits)) => bits.min(client_most),
    };
    let server_resets = answer.server_no_context_takeover.is_some();
    let fits = server_bits <= server_most && (server_resets || !settings.server_no_context_takeover);
    let client_resets = answer.client_no_context_takeover.is_some() || settings.client_no_context_takeover;
    if fits {
        Ok(Some((server_resets, client_resets, server_bits, client_bits)))
    } else {
        Err(HandshakeError::ExtensionParameters)
    }
}

fn values(lines: &[Vec<Part>]) -> Vec<Vec<u8>> {
    let text = |part: &Part| match *part {
        Part::Name => b"permessage-deflate".to_vec(),
        Part::Other => b"x-other".to_vec(),
        Part::ServerNoContextTakeover => b"server_no_context_takeover".to_vec(),
        Part::ClientNoContextTakeover => b"client_no_context_takeover".to_vec(),
        Part::ServerMaxWindowBits => b"server_max_window_bits".to_vec(),
        Part::ClientMaxWindowBits => b"client_max_window_bits".to_vec(),
        Part::Semicolon => b";".to_vec(),
        Part::Comma => b",".to_vec(),
        Part::Equals => b"=".to_vec(),
        Part::Quote => b"\"".to_vec(),
        Part::Backslash => b"\\".to_vec(),
        Part::Space => b" ".to_vec(),
        Part::Number(number) => (number % 20).to_string().into(),
        Part::Any(byte) => vec![byte],
    };
    lines.iter().map(|parts| parts.iter().flat_map(text).collect()).collect()
}

type Element = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// RFC 6455 section 9.1: names with their parameters; `None` if any element is malformed. A quoted string contains a
/// token, so it has no commas and no semicolons.
fn elements(values: &[Vec<u8>]) -> Option<Vec<Element>> {
    let elements = values.iter().flat_map(|value| value.split(|byte| *byte == b',')).map(trim);
    elements.filter(|element| !element.is_empty()).map(element).collect()
}

fn element(element: &[u8]) -> Option<Element> {
    let mut parts = element.split(|byte| *byte == b';').map(trim);
    let name = parts.next().filter(|name| is_token(name))?.to_vec();
    let mut all = vec![(name, None)];
    for part in parts {
        let (name, value) = match part.iter().position(|byte| *byte == b'=') {
            None => (part, None),
            Some(equals) => (trim(&part[..equals]), Some(token(trim(&part[equals + 1..]))?)),
        };
        if !is_token(name) {
            return None;
        }
        all.push((name.to_vec(), value));
    }
    Some(all)
}

/// A token, or a quoted string that is one without its quotes and backslashes.
fn token(value: &[u8]) -> Option<Vec<u8>> {
    let value = match value {
        [b'"', quoted @ .., b'"'] => {
            let mut text = Vec::new();
            let mut bytes = quoted.iter();
            while let Some(byte) = bytes.next() {
                text.push(if *byte == b'\\' { *bytes.next()? } else { *byte });
            }
            text
        }
        _ => value.to_vec(),
    };
    is_token(&value).then_some(value)
}

/// RFC 9110 section 5.6.2.
fn is_token(text: &[u8]) -> bool {
    let is_separator = |byte: &u8| b"()<>@,;:\\\"/[]?={} \t".contains(byte);
    !text.is_empty() && text.iter().all(|byte| (0x21..0x7f).contains(byte) && !is_separator(byte))
}

fn trim(text: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| *byte != b' ' && *byte != b'\t';
    let Some(start) = text.iter().position(is_text) else { return &[] };
    &text[start..=text.iter().rposition(is_text).unwrap()]
}
