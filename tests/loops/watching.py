"""The system's figures of a running server: its descriptors, its memory, its CPU time."""

import os
import time
from pathlib import Path

from faulty import Client

TICKS = os.sysconf("SC_CLK_TCK")


def descriptors(server):
    """The number of its descriptors, including those that only its io_uring knows."""
    process = Path(f"/proc/{server.process.pid}")
    count = 0
    for descriptor in os.listdir(process / "fd"):
        count += 1
        try:
            is_ring = os.readlink(process / "fd" / descriptor) == "anon_inode:[io_uring]"
        except FileNotFoundError:
            continue
        if is_ring:
            count += registered(process / "fdinfo" / descriptor)
    return count


def registered(ring):
    """The number of sockets in a ring. The kernel's figures are incomplete while it works for the ring."""
    for _ in range(100):
        text = ring.read_text()
        if "CqOverflowList" in text:
            return text.count(": socket:[")
        time.sleep(0.01)
    raise AssertionError(f"the kernel doesn't show the ring's sockets: {text!r:.200}")


def settled(server):
    """The number of its descriptors without connections, after it has served one."""
    Client(server).open().leave()
    time.sleep(1)
    return descriptors(server)


def resident(server):
    """Bytes of memory that are resident."""
    for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    return 0


def retransmissions():
    """The number of packets that the kernel has retransmitted, on all connections."""
    names, values = (line.split() for line in Path("/proc/net/netstat").read_text().splitlines()[:2])
    return int(values[names.index("TCPTimeouts")])


def state(server):
    """The state of the process, as a letter: `T` is stopped."""
    return stat(server)[0]


def cpu(server):
    """Seconds of CPU that it has used."""
    fields = stat(server)
    return (int(fields[11]) + int(fields[12])) / TICKS


def stat(server):
    # The name in parentheses may contain anything.
    return Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()


def until(condition, seconds):
    """Waits until that is true. Returns the seconds that it took, or `None` after the time limit."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > seconds:
            return None
        time.sleep(0.02)
    return time.monotonic() - start
