//! The bare loop: one read, the frames of data straight from one buffer to another, one write.
//!
//! It knows only whole binary and text messages of up to 64 KiB, and no time.

use std::io::{self, ErrorKind, Read};

use super::INPUT;
use super::readiness::{self, Writer};

struct Peer {
    socket: Writer,
    /// Of a frame that hasn't come in whole.
    rest: Vec<u8>,
}

const MAX_FRAME: usize = (64 << 10) + 8;

pub(super) fn serve(streams: Vec<std::net::TcpStream>) -> io::Result<()> {
    let mut input = vec![0; MAX_FRAME + INPUT];
    // An answer is shorter than what it answers.
    let mut output = vec![0; MAX_FRAME + INPUT];
    readiness::serve(
        streams,
        |stream| Peer { socket: Writer::new(stream), rest: Vec::new() },
        |peer| {
            peer.socket.flush()?;
            while !peer.socket.is_blocked() {
                let kept = peer.rest.len();
                input[..kept].copy_from_slice(&peer.rest);
                let read = match peer.socket.stream.read(&mut input[kept..kept + INPUT]) {
                    Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                    Ok(read) => read,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error),
                };
                let (rest, length) = echo(&input[..kept + read], &mut output)?;
                peer.rest.clear();
                peer.rest.extend_from_slice(rest);
                peer.socket.write(&output[..length])?;
                if read < INPUT {
                    break;
                }
            }
            Ok(())
        },
    )
}

/// Answers every frame that is whole: what is left over, and how long the answers are.
fn echo<'a>(mut input: &'a [u8], output: &mut [u8]) -> io::Result<(&'a [u8], usize)> {
    let mut at = 0;
    loop {
        let Some((&[first, second], after)) = input.split_first_chunk() else { return Ok((input, at)) };
        // FIN, a text or binary message; the mask; no more than 64 KiB.
        if first & 0xf0 != 0x80 || !matches!(first & 0x0f, 1 | 2) || second < 0x80 || second == 0xff {
            return Err(ErrorKind::InvalidData.into());
        }
        let (length, after) = match second & 0x7f {
            126 => match after.split_first_chunk() {
                Some((length, after)) => (usize::from(u16::from_be_bytes(*length)), after),
                None => return Ok((input, at)),
            },
            length => (usize::from(length), after),
        };
        let Some((&key, after)) = after.split_first_chunk() else { return Ok((input, at)) };
        let Some((payload, after)) = after.split_at_checked(length) else { return Ok((input, at)) };
        let header: &[u8] = match length {
            ..126 => &[first, length as u8],
            _ => &[first, 126, (length >> 8) as u8, length as u8],
        };
        let (answer, _) = output[at..].split_at_mut(header.len() + length);
        let (front, back) = answer.split_at_mut(header.len());
        front.copy_from_slice(header);
        copy_masked(back, payload, key);
        at += answer.len();
        input = after;
    }
}

/// Copies and masks in one pass; both are of the same length.
fn copy_masked(to: &mut [u8], from: &[u8], key: [u8; 4]) {
    let (to_words, to_rest) = to.as_chunks_mut::<4>();
    let (from_words, from_rest) = from.as_chunks::<4>();
    let word = u32::from_ne_bytes(key);
    for (to, from) in to_words.iter_mut().zip(from_words) {
        *to = (u32::from_ne_bytes(*from) ^ word).to_ne_bytes();
    }
    for ((to, from), key) in to_rest.iter_mut().zip(from_rest).zip(key) {
        *to = from ^ key;
    }
}
