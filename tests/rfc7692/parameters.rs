//! The rules of the four parameters (RFC 7692 section 7.1), written again and compared with the crate for every
//! combination.

use websocket_proto::{DeflateConfig, HandshakeError};

use crate::negotiation_paths::{Parameters, answer, check, offer, parameters, settings};

/// A parameter with an optional value, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bits {
    None,
    Bare,
    Value(u8),
}

/// An element of the header.
#[derive(Clone, Copy, Debug)]
struct Element {
    server_forgets: bool,
    client_forgets: bool,
    server_bits: Bits,
    client_bits: Bits,
}

impl Element {
    fn text(self) -> String {
        let bits = |name: &str, bits| match bits {
            Bits::None => String::new(),
            Bits::Bare => format!("; {name}"),
            Bits::Value(value) => format!("; {name}={value}"),
        };
        [
            "permessage-deflate",
            &bits("client_max_window_bits", self.client_bits),
            if self.client_forgets { "; client_no_context_takeover" } else { "" },
            &bits("server_max_window_bits", self.server_bits),
            if self.server_forgets { "; server_no_context_takeover" } else { "" },
        ]
        .concat()
    }

    fn every(bits: &[Bits]) -> impl Iterator<Item = Self> {
        let flags = [(false, false), (false, true), (true, false), (true, true)];
        flags.into_iter().flat_map(move |(server_forgets, client_forgets)| {
            bits.iter().flat_map(move |&server_bits| {
                bits.iter().map(move |&client_bits| Self { server_forgets, client_forgets, server_bits, client_bits })
            })
        })
    }
}

const BITS: [Bits; 7] =
    [Bits::None, Bits::Bare, Bits::Value(8), Bits::Value(9), Bits::Value(11), Bits::Value(14), Bits::Value(15)];

fn every_settings() -> impl Iterator<Item = Parameters> {
    [(false, false), (false, true), (true, false), (true, true)].into_iter().flat_map(|(server, client)| {
        [9, 11, 15].into_iter().flat_map(move |s| [9, 11, 15].map(|c| (server, client, s, c)))
    })
}

/// The answer of a server that wants these terms, rule by rule.
fn answered(
    (server_forgets, client_forgets, server_bits, client_bits): Parameters,
    offer: Element,
) -> Option<(String, Parameters)> {
    let asked = match offer.server_bits {
        // 7.1.2.1: it has a value, and 8 is not supported.
        Bits::Bare | Bits::Value(8) => return None,
        Bits::None => 15,
        Bits::Value(asked) => asked,
    };
    let server_forgets = server_forgets || offer.server_forgets;
    let client_forgets = client_forgets || offer.client_forgets;
    let server_bits = server_bits.min(asked);
    // 7.1.2.2: without the parameter in the offer, there is none in the answer.
    let client_bits = match offer.client_bits {
        Bits::None => 15,
        Bits::Bare => client_bits,
        Bits::Value(most) => client_bits.min(most),
    };
    let mut text = vec!["permessage-deflate".to_owned()];
    if server_forgets {
        text.push("server_no_context_takeover".into());
    }
    if client_forgets {
        text.push("client_no_context_takeover".into());
    }
    if offer.server_bits != Bits::None || server_bits < 15 {
        text.push(format!("server_max_window_bits={server_bits}"));
    }
    if client_bits < 15 {
        text.push(format!("client_max_window_bits={client_bits}"));
    }
    Some((text.join("; "), (server_forgets, client_forgets, server_bits, client_bits)))
}

/// B-85, P-16, P-18, P-23, P-24, P-26, P-31, P-32, P-36, P-38, P-40: a server's answer to every offer.
#[test]
fn every_answer_of_a_server() {
    for (i, wanted) in every_settings().enumerate() {
        let settings = settings(wanted);
        for (j, offer) in Element::every(&BITS).enumerate() {
            let text = offer.text();
            let expected = answered(wanted, offer);
            let by_value = settings.answer([text.as_bytes()]).map(|(text, params)| (text, parameters(params)));
            assert_eq!(by_value, expected, "{wanted:?} {text}");
            if (i + j) % 7 == 0 {
                assert_eq!(answer(&settings, &[&text]), expected, "{wanted:?} {text}");
            }
        }
    }
}

/// B-85, P-05, P-20, P-22, P-24, P-25, P-27, P-33, P-34, P-37, P-40: a client's result for every answer.
#[test]
fn every_check_of_a_client() {
    for (i, offered) in every_settings().enumerate() {
        let settings = settings(offered);
        let (server_forgets, client_forgets, server_bits, client_bits) = offered;
        for (j, answer) in Element::every(&BITS).enumerate() {
            let text = answer.text();
            let server = match answer.server_bits {
                Bits::None => Some(15),
                Bits::Bare => None,
                Bits::Value(bits) => Some(bits),
            };
            let client = match answer.client_bits {
                // The offer was a limit, whether the server repeats it or not.
                Bits::None => Some(client_bits),
                Bits::Bare => None,
                Bits::Value(bits) => Some(bits.min(client_bits)),
            };
            let expected = match (server, client) {
                (Some(server), Some(client)) if server <= server_bits && (answer.server_forgets || !server_forgets) => {
                    let parameters = (answer.server_forgets, answer.client_forgets || client_forgets, server, client);
                    Ok(Some(parameters))
                }
                _ => Err(HandshakeError::ExtensionParameters),
            };
            let by_value = settings.check([text.as_bytes()]).map(|params| params.map(parameters));
            assert_eq!(by_value, expected, "{offered:?} {text}");
            if (i + j) % 7 == 0 {
                assert_eq!(check(std::slice::from_ref(&settings), &[&text]), expected, "{offered:?} {text}");
            }
        }
    }
}

/// P-05, P-33, P-37: an offer may leave the client's window out. Then no answer may name it (7.1.2.2), and the client
/// keeps to its own limit in any case.
#[test]
fn the_window_of_the_client_need_not_be_offered() {
    let bare = settings((false, false, 15, 15)).offer_client_max_window_bits(false);
    assert_eq!(offer(std::slice::from_ref(&bare)).as_deref(), Some("permessage-deflate"));
    for offered in every_settings() {
        let named = settings(offered);
        let unnamed = settings(offered).offer_client_max_window_bits(false);
        let text = offer(std::slice::from_ref(&unnamed)).unwrap();
        assert_eq!(
            named.offer().replace(&text, ""),
            match offered.3 {
                15 => "; client_max_window_bits".to_owned(),
                bits => format!("; client_max_window_bits={bits}"),
            }
        );
        for answer in Element::every(&BITS) {
            let answer_text = answer.text();
            let result = unnamed.check([answer_text.as_bytes()]);
            if answer.client_bits == Bits::None {
                assert_eq!(result, named.check([answer_text.as_bytes()]), "{offered:?} {answer_text}");
            } else {
                assert_eq!(result, Err(HandshakeError::ExtensionParameters), "{offered:?} {answer_text}");
            }
        }
        // A server of this crate never names it then.
        for theirs in every_settings() {
            let (answer, params) = settings(theirs).answer([text.as_bytes()]).unwrap();
            let agreed = unnamed.check([answer.as_bytes()]).unwrap().unwrap();
            assert_eq!(
                parameters(agreed),
                (offered.0 || theirs.0, offered.1 || theirs.1, offered.2.min(theirs.2), offered.3)
            );
            assert_eq!(params.client_max_window_bits(), 15, "the server doesn't know of the client's limit");
        }
    }
}

/// P-01, P-05, P-24, P-32, P-40: every client agrees with every server of this crate, and both report the same
/// parameters.
#[test]
fn both_ends_agree_on_the_same() {
    for ours in every_settings() {
        let client = settings(ours);
        let offer = offer(std::slice::from_ref(&client)).unwrap();
        for theirs in every_settings() {
            let (answer, params) = settings(theirs).answer([offer.as_bytes()]).unwrap();
            assert_eq!(client.check([answer.as_bytes()]), Ok(Some(params)), "{offer} / {answer}");
            let agreed = (ours.0 || theirs.0, ours.1 || theirs.1, ours.2.min(theirs.2), ours.3.min(theirs.3));
            assert_eq!(parameters(params), agreed);
        }
    }
}

/// P-30: windows are from 512 bytes to 32 KiB; values outside are clamped.
#[test]
fn settings_are_held_to_what_can_be_kept() {
    let least = DeflateConfig::new().server_max_window_bits(0).client_max_window_bits(8);
    assert_eq!(least.offer(), "permessage-deflate; server_max_window_bits=9; client_max_window_bits=9");
    let most = DeflateConfig::new().server_max_window_bits(16).client_max_window_bits(255);
    assert_eq!(most.offer(), "permessage-deflate; client_max_window_bits");
}
