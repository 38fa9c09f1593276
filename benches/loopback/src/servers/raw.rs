//! The bare loop: one read, the frames of data straight from one buffer to another, one write.
//!
//! It knows only whole binary and text messages, no time, and no socket that takes less than all of what is written.

use std::io::{self, ErrorKind, Read, Write};

use mio::net::TcpStream;

struct Peer {
    stream: TcpStream,
    /// Of a frame that hasn't come in whole.
    rest: Vec<u8>,
}

const INPUT: usize = 16 << 10;

pub(super) fn serve() -> io::Result<()> {
    let mut input = vec![0; INPUT];
    let mut output = Vec::with_capacity(INPUT);
    super::readiness::serve(
        |stream| Peer { stream, rest: Vec::new() },
        |peer| {
            loop {
                let kept = peer.rest.len();
                input[..kept].copy_from_slice(&peer.rest);
                let read = match peer.stream.read(&mut input[kept..]) {
                    Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                    Ok(read) => read,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                    Err(error) => return Err(error),
                };
                output.clear();
                let rest = echo(&input[..kept + read], &mut output)?;
                peer.rest.clear();
                peer.rest.extend_from_slice(rest);
                if !output.is_empty() && peer.stream.write(&output)? < output.len() {
                    return Err(ErrorKind::WriteZero.into());
                }
                if kept + read < INPUT {
                    return Ok(());
                }
            }
        },
    )
}

/// Answers every frame that is whole; what is left over is returned.
fn echo<'a>(mut input: &'a [u8], output: &mut Vec<u8>) -> io::Result<&'a [u8]> {
    loop {
        let Some((&[first, second], after)) = input.split_first_chunk() else { return Ok(input) };
        // FIN, a text or binary message; the mask.
        if first & 0xf0 != 0x80 || !matches!(first & 0x0f, 1 | 2) || second < 0x80 {
            return Err(ErrorKind::InvalidData.into());
        }
        let (length, after) = match second & 0x7f {
            126 => {
                let Some((length, after)) = after.split_first_chunk() else { return Ok(input) };
                (u16::from_be_bytes(*length).into(), after)
            }
            127 => return Err(ErrorKind::InvalidData.into()),
            length => (usize::from(length), after),
        };
        let Some((&key, after)) = after.split_first_chunk() else { return Ok(input) };
        let Some((payload, after)) = after.split_at_checked(length) else { return Ok(input) };
        match length {
            ..126 => output.extend([first, length as u8]),
            _ => {
                output.extend([first, 126]);
                output.extend((length as u16).to_be_bytes());
            }
        }
        let start = output.len();
        output.extend_from_slice(payload);
        unmask(&mut output[start..], key);
        input = after;
    }
}

fn unmask(payload: &mut [u8], key: [u8; 4]) {
    let word = u32::from_ne_bytes(key);
    let (words, rest) = payload.as_chunks_mut::<4>();
    for bytes in words {
        *bytes = (u32::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key) {
        *byte ^= key;
    }
}
