//! zlib-rs alone, from a payload without a frame into a preallocated buffer.

use zlib_rs::{DeflateConfig, DeflateFlush, Inflate as Inflater, InflateFlush};

use crate::entries::checked;
use crate::jobs::{Deflate, Inflate, LEVEL};
use crate::tally::{Tally, Work};

pub(super) fn inflate(job: &Inflate) -> Work {
    let Inflate { wire, payloads: [first, others], size, takeover } = job.clone();
    let mut stream = Inflater::new(false, 15);
    // Output that appears only with the end of the last block takes less than the 300 bytes.
    let mut room = vec![0; size + 300];
    let mut next = Some(first);
    Box::new(move || {
        let payloads = next.take().unwrap_or_else(|| others.clone());
        let mut tally = wire.tally();
        for payload in payloads.iter() {
            if !takeover {
                stream.reset(false);
            }
            let start = stream.total_out();
            stream.decompress(payload, &mut room, InflateFlush::SyncFlush).expect("a compressed message");
            let length = (stream.total_out() - start) as usize;
            stream.decompress(&[0, 0, 0xff, 0xff], &mut room[length..], InflateFlush::SyncFlush).expect("its end");
            assert!((stream.total_out() - start) as usize == size);
            tally.visit_text(checked(&room[..size]));
        }
        tally
    })
}

pub(super) fn deflate(job: Deflate) -> Work {
    let Deflate { messages, takeover, sink } = job;
    let config = DeflateConfig { window_bits: -15, ..DeflateConfig::new(LEVEL.into()) };
    let mut stream = zlib_rs::Deflate::new_with_config(config);
    let mut room = vec![0; messages.iter().map(|message| message.len()).max().unwrap_or(0) + 300];
    Box::new(move || {
        for message in messages.iter() {
            if !takeover {
                stream.reset();
            }
            let start = stream.total_out();
            stream.compress(message, &mut room, DeflateFlush::SyncFlush).expect("room");
            let length = (stream.total_out() - start) as usize;
            // A server's header (the same for all results of that length), so that the result can be checked like all
            // others.
            let payload = u16::try_from(length - 4).expect("a medium length").to_be_bytes();
            sink.write(&[0xc1, 126, payload[0], payload[1]]);
            sink.write(&room[..length - 4]);
        }
        Tally::sent(messages.len() as u64, sink.take())
    })
}
