//! Control frames, which may be split by the input and may be between the fragments of a message.

use alloc::borrow::Cow;
use alloc::boxed::Box;

use super::payload::Payload;
use super::received::Received;
use crate::error::ProtocolError;
use crate::frame::{CloseFrame, MAX_CONTROL_PAYLOAD, OpCode};
use crate::slices::{copy_to, part};

/// The payload of a control frame that was split by the input.
#[derive(Debug)]
pub(super) struct CutControl {
    payload: [u8; MAX_CONTROL_PAYLOAD],
    length: usize,
}

/// Returns a control frame once it is complete. `cut` has the part that was received before.
#[inline(always)]
pub(super) fn receive_control<'b>(
    cut: &mut Option<Box<CutControl>>,
    opcode: OpCode,
    payload: Payload<'b>,
) -> Result<Option<Received<'b>>, ProtocolError> {
    if cut.is_none() && payload.rest == 0 {
        return control(opcode, Cow::Borrowed(payload.unmasked())).map(Some);
    }
    collect(cut, opcode, payload)
}

#[cold]
fn collect(
    cut: &mut Option<Box<CutControl>>,
    opcode: OpCode,
    payload: Payload<'_>,
) -> Result<Option<Received<'static>>, ProtocolError> {
    let is_last = payload.rest == 0;
    let bytes = payload.unmasked();
    let collected = cut.get_or_insert_with(|| Box::new(CutControl { payload: [0; MAX_CONTROL_PAYLOAD], length: 0 }));
    // The length was checked with the header.
    let end = collected.length + bytes.len();
    copy_to(&mut collected.payload, collected.length, bytes);
    collected.length = end;
    if !is_last {
        if opcode == OpCode::Close {
            CloseFrame::check_start(part(&collected.payload, ..end))?;
        }
        return Ok(None);
    }
    let payload = part(&collected.payload, ..end).to_vec();
    *cut = None;
    control(opcode, Cow::Owned(payload)).map(Some)
}

#[inline]
fn control(opcode: OpCode, payload: Cow<'_, [u8]>) -> Result<Received<'_>, ProtocolError> {
    match opcode {
        OpCode::Close => CloseFrame::parse(&payload).map(Received::Close),
        OpCode::Pong => Ok(Received::Pong(payload)),
        opcode => {
            debug_assert_eq!(opcode, OpCode::Ping, "only control frames come here");
            Ok(Received::Ping(payload))
        }
    }
}
