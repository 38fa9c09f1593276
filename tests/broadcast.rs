//! One message for many connections: prepared once, and in memory once.

#[path = "support/heap.rs"]
mod heap;
#[path = "support/mod.rs"]
mod support;

use bytes::Buf;
use heap::{Counting, heap_of};
use support::{drain, server};
use websocket_proto::{CloseCode, Config, Connection, MessageKind, Negotiated, PreparedMessage, SendError};

/// On the wire, a prepared message is the same as an ordinary one, at every size, for both roles.
#[test]
fn a_prepared_message_is_an_ordinary_one() {
    for size in [0, 1, 125, 126, 4000, 4096, 65_535, 65_536, 100_000] {
        for (kind, message) in [
            (MessageKind::Text, PreparedMessage::new("x".repeat(size))),
            (MessageKind::Binary, PreparedMessage::new(vec![b'x'; size])),
        ] {
            assert_eq!((message.kind(), message.payload().len()), (kind, size));
            for role in support::ROLES {
                let mut prepared = support::open(role);
                let mut ordinary = support::open(role);
                prepared.send_prepared(&message).unwrap();
                match kind {
                    MessageKind::Text => ordinary.send_text(&"x".repeat(size)).unwrap(),
                    MessageKind::Binary => ordinary.send_binary(&vec![b'x'; size]).unwrap(),
                }
                assert_eq!(drain(&mut prepared), drain(&mut ordinary), "{kind:?} of {size}");
            }
        }
    }
}

/// It can't be sent when no message can, and changes nothing then.
#[test]
fn a_prepared_message_keeps_the_rules() {
    let news = PreparedMessage::new("news");
    let mut conn = server();
    conn.send_fragment(MessageKind::Text, b"a", false).unwrap();
    let pending = conn.pending_output();
    assert_eq!(conn.send_prepared(&news), Err(SendError::UnfinishedMessage));
    assert_eq!(conn.pending_output(), pending);
    let mut conn = support::server_with(Config::new().max_pending_output(6));
    conn.send_prepared(&news).unwrap();
    assert!(!conn.can_send());
    assert_eq!(conn.send_prepared(&news), Err(SendError::OutputFull));
    conn.output().advance(1);
    assert!(conn.can_send());
    conn.close(CloseCode::NORMAL, "").unwrap();
    assert_eq!(conn.send_prepared(&news), Err(SendError::Closed));
    assert_eq!(Connection::server(Config::new()).send_prepared(&news), Err(SendError::Connecting));
}

/// A large one is shared by all connections: its payload is in memory once.
#[test]
fn a_broadcast_copies_no_payload() {
    let config = std::sync::Arc::new(Config::new());
    let mut conns: Vec<_> =
        (0..1000).map(|_| Connection::upgraded_server(Negotiated::new(), std::sync::Arc::clone(&config))).collect();
    let news = PreparedMessage::new(vec![7; 64 << 10]);
    let ((), heap) = heap_of(|| conns.iter_mut().for_each(|conn| conn.send_prepared(&news).unwrap()));
    assert!(heap.peak < 1000 * 512, "{heap:?}");
    for conn in &mut conns {
        assert_eq!(conn.output().chunk().as_ptr(), conns_payload(&news), "the same bytes");
    }
}

fn conns_payload(news: &PreparedMessage) -> *const u8 {
    // The header of ten bytes precedes the payload.
    news.payload().as_ptr().wrapping_sub(10)
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A message that is prepared from borrowed text or bytes is the same as one that is prepared from owned ones.
#[test]
fn borrowed_messages_are_prepared_alike() {
    for text in ["", "大家好", &"x".repeat(70_000)] {
        assert_eq!(PreparedMessage::text(text), PreparedMessage::new(String::from(text)));
        assert_eq!(PreparedMessage::text(String::from(text)), PreparedMessage::new(text));
        let data = text.as_bytes();
        assert_eq!(PreparedMessage::binary(data), PreparedMessage::new(data.to_vec()));
        assert_ne!(PreparedMessage::binary(data), PreparedMessage::text(text));
    }
}
