"""What the system knows of a server that runs: its descriptors, its memory, its time."""

import os
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def descriptors(server):
    """How many descriptors it has, with those that are known to its io_uring alone."""
    process = Path(f"/proc/{server.process.pid}")
    count = 0
    for descriptor in os.listdir(process / "fd"):
        count += 1
        try:
            if os.readlink(process / "fd" / descriptor) == "anon_inode:[io_uring]":
                count += (process / "fdinfo" / descriptor).read_text().count(": socket:[")
        except FileNotFoundError:
            pass
    return count


def resident(server):
    """Bytes of memory that are resident."""
    for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    return 0


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
