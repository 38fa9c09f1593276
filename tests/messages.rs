//! `Message`: each conversion gives the right kind and exactly the same bytes.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use websocket_proto::{Event, Message, MessageKind};

#[test]
fn text_becomes_a_text_message() {
    const TEXT: &str = "聊天";
    let messages: [Message; 8] = [
        TEXT.into(),
        TEXT.to_owned().into(),
        (&TEXT.to_owned()).into(),
        Box::<str>::from(TEXT).into(),
        Arc::<str>::from(TEXT).into(),
        Cow::Borrowed(TEXT).into(),
        Cow::<str>::Owned(TEXT.to_owned()).into(),
        Message::try_text(TEXT.as_bytes()).unwrap(),
    ];
    for message in messages {
        assert_eq!((message.kind(), &message.payload()[..]), (MessageKind::Text, TEXT.as_bytes()));
        assert_eq!(message.as_text(), Some(TEXT));
        assert_eq!(message.clone().into_text().as_deref(), Some(TEXT));
        assert_eq!(message.into_bytes(), TEXT.as_bytes());
    }
}

#[test]
fn bytes_become_a_binary_message() {
    const DATA: [u8; 3] = [1, 2, 0xff];
    let messages: [Message; 8] = [
        DATA.into(),
        (&DATA).into(),
        DATA[..].into(),
        DATA.to_vec().into(),
        (&DATA.to_vec()).into(),
        Bytes::from_static(&DATA).into(),
        Cow::Borrowed(&DATA[..]).into(),
        Cow::<[u8]>::Owned(DATA.to_vec()).into(),
    ];
    for message in messages {
        assert_eq!((message.kind(), &message.payload()[..]), (MessageKind::Binary, &DATA[..]));
        assert_eq!((message.as_text(), message.clone().into_text()), (None, None));
        assert_eq!(message.into_bytes(), &DATA[..]);
    }
    // Binary data that happens to be text stays binary.
    assert_eq!(Message::binary("text").as_text(), None);
}

#[test]
fn bytes_that_are_not_text_are_rejected() {
    assert_eq!(Message::try_text(&b"ok\xff"[..]).unwrap_err().valid_up_to(), 2);
    assert_eq!(Message::try_text(&b"\xe8\x81"[..]).unwrap_err().valid_up_to(), 0);
}

#[test]
fn an_event_that_is_a_message_becomes_one() {
    assert_eq!(Message::try_from(Event::Text("hi".into())), Ok(Message::text("hi")));
    assert_eq!(Message::try_from(Event::Binary(b"hi".into())), Ok(Message::binary("hi")));
    for other in [Event::Ping(b"hi".into()), Event::Pong(b"hi".into())] {
        assert_eq!(Message::try_from(other.clone()), Err(other));
    }
}

#[test]
fn text_is_shown_as_text() {
    assert_eq!(format!("{:?}", Message::text("聊\n")), r#"Text("聊\n")"#);
    assert_eq!(format!("{:?}", Message::binary(&b"a\xff"[..])), r#"Binary(b"a\xff")"#);
}
