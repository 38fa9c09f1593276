"""Servers under faults of networks and peers: `faults.py FOLDER [SERVER...] [--only CHECK]`; FOLDER has their programs.

A check is a function that gets a server of its own and its bounds (bounds.py). It blocks, in a thread, and returns a
description of what it observed; if the server does something wrong, it raises a `Fault`.
"""

import argparse
import asyncio
import os
import resource
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass

import endings
import floods
import slow
import waiting
from bounds import bounds_of
from faulty import Fault
from harness import example
from secure import serving_securely
from serving import serving

# Checks that load the machine, or whose times load would distort, run one at a time; the others mostly wait.
ALONE = [
    endings.notices_an_end_that_comes_with_data,
    endings.survives_a_storm_of_short_connections,
    endings.serves_each_of_many_in_turn,
    waiting.leaves_those_it_has_no_room_for_waiting,
    floods.serves_others_while_some_flood_after_their_close,
    floods.serves_others_while_some_flood_after_bad_frames,
]
TOGETHER = [
    slow.gives_all_to_those_that_read_slowly,
    slow.drops_one_that_never_reads_its_echoes,
    slow.drops_one_that_never_reads_what_others_say,
    waiting.keeps_those_who_answered_while_it_was_stopped,
    waiting.drops_those_who_never_ask,
    endings.says_goodbye_when_it_is_stopped,
]


@dataclass(frozen=True)
class Kind:
    """A server, and how it is started."""

    name: str
    program: str
    is_secure: bool = False

    @asynccontextmanager
    async def started(self, folder, descriptors=None):
        command = [f"{folder}/{self.program}", "127.0.0.1:0"]
        if descriptors:
            command = ["sh", "-c", f'ulimit -n {descriptors} && exec "$@"', "sh", *command]
        async with (serving_securely if self.is_secure else serving)(*command) as server:
            loop = asyncio.get_running_loop()
            output = asyncio.create_task(drain(server.process.stdout))
            server.exit_status = lambda seconds: asyncio.run_coroutine_threadsafe(
                status(server.process, seconds), loop
            ).result()
            try:
                yield server
            finally:
                output.cancel()


async def drain(stream):
    """Reads a server's output, so that the server never blocks on it."""
    while await stream.read(1 << 16):
        pass


async def status(process, seconds):
    try:
        return await asyncio.wait_for(process.wait(), seconds)
    except TimeoutError:
        return None


KINDS = [
    Kind("chat", "chat"),
    Kind("mio", "example-mio"),
    Kind("tokio", "example-tokio"),
    Kind("tls", "example-tls", is_secure=True),
    Kind("hyper", "example-hyper"),
    Kind("axum", "example-axum"),
    Kind("io-uring", "example-io-uring"),
]

DESCRIPTORS = 4_096

# The exit status if io_uring is not available.
NO_IO_URING = 2


def main():
    parser = argparse.ArgumentParser(
        prog="faults", description="Tests the example servers under faults of networks and peers."
    )
    parser.add_argument("folder", help=argparse.SUPPRESS)
    names = ", ".join(kind.name for kind in KINDS)
    parser.add_argument("servers", nargs="*", metavar="SERVER", help=f"one of {names}; without it, all")
    parser.add_argument("--only", metavar="CHECK", help="run only the checks with CHECK in their name")
    options = parser.parse_args()
    if unknown := set(options.servers) - {kind.name for kind in KINDS}:
        parser.error(f"no such server: {', '.join(unknown)}")
    kinds = [kind for kind in KINDS if not options.servers or kind.name in options.servers]
    wanted = (options.only or "").replace("-", "_").replace(" ", "_")
    # The longest first.
    checks = [check for check in TOGETHER + ALONE if wanted in check.__name__]
    if not checks:
        names = ", ".join(check.__name__ for check in TOGETHER + ALONE)
        parser.error(f"no check has {options.only} in its name; there are {names}")
    # A connection takes a descriptor on each side.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, DESCRIPTORS)), hard))
    sys.exit(asyncio.run(run(options.folder, kinds, checks)))


async def run(folder, kinds, checks):
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(len(kinds) * len(checks)))
    alone = asyncio.Lock()
    results = await asyncio.gather(*(all_checks(kind, folder, checks, alone) for kind in kinds))
    # Repeated at the end, where it is seen.
    print()
    for lines, _ in results:
        print("\n".join(lines))
    return 1 if any(failed for _, failed in results) else 0


async def all_checks(kind, folder, checks, alone):
    """Returns the final lines about a server, and the number of failed checks."""
    if reason := await why_not(kind, folder):
        if os.environ.get("IO_URING_REQUIRED") == "1":
            return [f"{kind.name}: {reason}"], 1
        return [f"{kind.name} was skipped: {reason}"], 0
    results = await asyncio.gather(*(attempt(check, kind, folder, alone) for check in checks))
    failed = [fault for fault in results if fault]
    if not failed:
        return [f"{kind.name}: {count(checks)} passed"], 0
    return [*failed, f"{kind.name}: {len(failed)} of {count(checks)} failed"], len(failed)


def count(checks):
    return f"{len(checks)} fault check{'s' if len(checks) > 1 else ''}"


async def why_not(kind, folder):
    """Returns the message of the io_uring server if io_uring is not available."""
    if kind.name != "io-uring":
        return None
    async with example(f"{folder}/{kind.program}", "127.0.0.1:0") as started:
        line = await started.line()
        if "listening on" in line or await started.process.wait() != NO_IO_URING:
            return None
        return line


async def attempt(check, kind, folder, alone):
    """Runs a check, prints its result, and returns the fault, if there is one."""
    title = f"{kind.name}: {check.__name__.replace('_', ' ')}"
    bounds = bounds_of(kind.name)
    descriptors = bounds.descriptors if check == waiting.leaves_those_it_has_no_room_for_waiting else None
    async with alone if check in ALONE else nullcontext():
        try:
            async with kind.started(folder, descriptors) as server:
                seen = await asyncio.to_thread(check, server, bounds)
        except Fault as seen:
            fault = f"FAILED  {title}: {seen}"
        except Exception:
            fault = f"FAILED  {title}\n{traceback.format_exc()}"
        else:
            print(f"ok  {title}: {seen}", flush=True)
            return None
    print(fault, flush=True)
    return fault


if __name__ == "__main__":
    main()
