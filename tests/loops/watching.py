"""What the system knows of a server that runs: its descriptors, its memory, its time."""

import os
import time
from pathlib import Path

from faulty import Client

TICKS = os.sysconf("SC_CLK_TCK")


def descriptors(server):
    """How many descriptors it has, with those that are known to its io_uring alone."""
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
    """How many sockets a ring has of its own. What the kernel shows isn't complete while it works for the ring."""
    for _ in range(100):
        text = ring.read_text()
        if "CqOverflowList" in text:
            return text.count(": socket:[")
        time.sleep(0.01)
    raise AssertionError(f"the kernel doesn't show what the ring has: {text!r:.200}")


def settled(server):
    """How many descriptors it has when nobody is connected, once it has served somebody."""
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
    """How many packets the kernel has sent again since nobody has confirmed them in time, of all connections."""
    names, values = (line.split() for line in Path("/proc/net/netstat").read_text().splitlines()[:2])
    return int(values[names.index("TCPTimeouts")])


def state(server):
    """What it is doing, as a letter: `T` is stopped."""
    return stat(server)[0]


def cpu(server):
    """Seconds of CPU that it has used."""
    fields = stat(server)
    return (int(fields[11]) + int(fields[12])) / TICKS


def stat(server):
    # What is in parentheses may contain anything.
    return Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()


def until(condition, seconds):
    """Waits until that holds: the seconds that took, or `None` if it takes longer."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > seconds:
            return None
        time.sleep(0.02)
    return time.monotonic() - start
