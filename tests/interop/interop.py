"""Python's `websockets` against the examples: `interop.py SERVER CLIENT ECHO`, the paths of their binaries."""

import asyncio
import logging
import sys
from concurrent.futures import ThreadPoolExecutor

import clients
import compression
import servers
from harness import passes


async def main(server, client, echo):
    # A thread for every blocking client, so that none waits for another.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(128))
    # A few checks at a time: some only wait for a deadline.
    gate = asyncio.Semaphore(4)
    checks = [*clients.checks(server), *servers.checks(client), *compression.checks(echo, server)]
    passed = await asyncio.gather(*(passes(title, check, gate) for title, check in checks))
    if not all(passed):
        sys.exit(f"interop: {passed.count(False)} of {len(passed)} checks failed")
    print(f"interop: {len(passed)} checks passed")


if __name__ == "__main__":
    # Errors that the checks provoke aren't printed.
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    asyncio.run(main(*sys.argv[1:]))
