//! The floors: the least work that is correct, written by hand in safe code, for these cases only.
//!
//! Received frames are checked by every rule of RFC 6455 that applies to data frames, and yielded as the API yields
//! them: `&[u8]`, and `&str` for text. These cases have no control frames, and the floors reject them.

mod compression;
mod handshake;
mod many;
mod mask;
mod receive;
mod room;
mod send;

use super::{Entry, Standing};
use crate::jobs::{Accept, Connect, Deflate, Echo, Inflate, Many, Receive, Send};
use crate::tally::Work;
use crate::wire::Role;
use send::{Secret, Trivial};

pub(crate) struct Floor;

impl Entry for Floor {
    fn name(&self) -> &'static str {
        "floor"
    }

    fn standing(&self) -> Standing {
        Standing::Floor
    }

    fn receive(&self, job: &Receive) -> Option<Work> {
        Some(match job.role {
            Role::Server => receive::work::<true>(job.wire.clone()),
            Role::Client => receive::work::<false>(job.wire.clone()),
        })
    }

    fn many(&self, job: &Many) -> Option<Work> {
        Some(many::work(job.clone()))
    }

    fn send(&self, job: &Send) -> Option<Work> {
        Some(match job.role {
            Role::Server => send::server(job.clone()),
            Role::Client => send::client(job.clone(), Secret::new()),
        })
    }

    fn echo(&self, job: &Echo) -> Option<Work> {
        Some(send::echo(job.clone()))
    }

    fn accept(&self, job: &Accept) -> Option<Work> {
        Some(handshake::accept(job.clone()))
    }

    fn connect(&self, job: &Connect) -> Option<Work> {
        Some(handshake::connect(job.clone()))
    }

    fn inflate(&self, job: &Inflate) -> Option<Work> {
        Some(compression::inflate(job))
    }

    fn deflate(&self, job: &Deflate) -> Option<Work> {
        Some(compression::deflate(job.clone()))
    }
}

/// A client with predictable masking keys: the difference is what good keys cost.
pub(crate) struct TrivialKeys;

impl Entry for TrivialKeys {
    fn name(&self) -> &'static str {
        "floor, trivial keys"
    }

    fn standing(&self) -> Standing {
        Standing::Aside
    }

    fn send(&self, job: &Send) -> Option<Work> {
        (job.role == Role::Client).then(|| send::client(job.clone(), Trivial::new()))
    }
}
