//! Runs every case once and checks every byte of its results: for CI.

use zlib_rs::{Inflate, InflateFlush};

use crate::cases::Case;
use crate::entries::{self, Entry};
use crate::jobs::{Deflate, Job, Send, Task};
use crate::pipe::Sink;
use crate::tally::Tally;
use crate::wire::{Role, Written, written};

/// Panics if the result of an entry is wrong; returns the names of the entries that ran.
pub(crate) fn check(case: &Case) -> Vec<&'static str> {
    let task = case.prepare(true);
    let mut names = Vec::new();
    for &entry in entries::ALL {
        let Some(mut work) = task.job.work(entry) else { continue };
        names.push(entry.name());
        // Twice, because the second pass begins with what the first one left.
        let outputs = [(); 2].map(|()| {
            task.assert(entry, work());
            sink(&task).and_then(Sink::take_record)
        });
        let mut inflater = Inflate::new(false, 15);
        for output in outputs.iter().flatten() {
            check_output(entry, &task, output, &mut inflater);
        }
    }
    names
}

fn sink(task: &Task) -> Option<&Sink> {
    match &task.job {
        Job::Receive(_) | Job::Many(_) | Job::Inflate(_) => None,
        Job::Send(job) => Some(&job.sink),
        Job::Echo(job) => Some(&job.sink),
        Job::Accept(job) => Some(&job.sink),
        Job::Connect(job) => Some(&job.sink),
        Job::Deflate(job) => Some(&job.sink),
    }
}

/// Parses what an entry has written in a pass.
fn check_output(entry: &dyn Entry, task: &Task, output: &[u8], inflater: &mut Inflate) {
    let text = String::from_utf8_lossy(output);
    match &task.job {
        Job::Receive(_) | Job::Many(_) | Job::Inflate(_) => {}
        Job::Send(job) => check_sent(job, &written(output)),
        Job::Echo(_) => {
            let mut tally = Tally::new(true);
            for frame in written(output) {
                assert!(frame.first_byte == 0x82 && !frame.masked);
                tally.visit(&frame.payload);
            }
            task.assert(entry, tally);
        }
        Job::Accept(job) => {
            assert_eq!(text.matches("HTTP/1.1 101 ").count() as u64, job.request.messages);
            // RFC 6455 section 1.3 has that answer to the key.
            assert_eq!(text.matches("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=").count() as u64, job.request.messages);
        }
        Job::Connect(job) => {
            let line = format!("GET {} HTTP/1.1\r\n", job.path);
            assert_eq!(text.matches(&line).count() as u64, task.messages);
        }
        Job::Deflate(job) => check_deflated(job, &written(output), inflater),
    }
}

fn check_sent(job: &Send, frames: &[Written]) {
    assert_eq!(frames.len() as u64, job.messages);
    for frame in frames {
        assert_eq!(frame.first_byte, 0x82);
        assert_eq!(frame.masked, job.role == Role::Client);
        assert_eq!(frame.payload, job.payload);
    }
}

fn check_deflated(job: &Deflate, frames: &[Written], inflater: &mut Inflate) {
    assert_eq!(frames.len(), job.messages.len());
    for (frame, message) in frames.iter().zip(job.messages.iter()) {
        assert!(frame.first_byte == 0xc1 && !frame.masked);
        if !job.takeover {
            inflater.reset(false);
        }
        let mut payload = frame.payload.to_vec();
        payload.extend([0, 0, 0xff, 0xff]);
        let mut text = vec![0; message.len() + 300];
        let start = inflater.total_out();
        inflater.decompress(&payload, &mut text, InflateFlush::SyncFlush).expect("a compressed message");
        text.truncate((inflater.total_out() - start) as usize);
        assert!(text == *message);
    }
}
