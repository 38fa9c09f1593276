//! Who runs on which CPU: the server on the first that it may run on, the load on the last.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

pub(crate) fn to_first_cpu() -> Option<usize> {
    to_one_of(|cpus| cpus.first().copied())
}

pub(crate) fn to_last_cpu() -> Option<usize> {
    to_one_of(|cpus| cpus.last().copied())
}

/// `None` where that can't be, or there is nothing to choose from.
fn to_one_of(choose: impl Fn(&[usize]) -> Option<usize>) -> Option<usize> {
    let allowed = sched_getaffinity(None).ok()?;
    let cpus: Vec<_> = (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu)).collect();
    let cpu = choose(&cpus).filter(|_| cpus.len() > 1)?;
    let mut only = CpuSet::new();
    only.set(cpu);
    sched_setaffinity(None, &only).ok().map(|()| cpu)
}
