//! Who runs on which CPU: the servers on the first that the program may run on, the load on the last.

use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

#[derive(Clone, Copy)]
pub(crate) struct Cpus {
    pub(crate) servers: usize,
    pub(crate) load: usize,
}

/// Returns `None` where there is only one, or the kernel doesn't say.
pub(crate) fn choose() -> Option<Cpus> {
    let allowed = sched_getaffinity(None).ok()?;
    let mut cpus = (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu));
    Some(Cpus { servers: cpus.next()?, load: cpus.next_back()? })
}

/// Has this thread run on that CPU alone.
pub(crate) fn to(cpu: usize) -> io::Result<()> {
    let mut only = CpuSet::new();
    only.set(cpu);
    Ok(sched_setaffinity(None, &only)?)
}
