"""The server on one thread and io_uring: `io-uring.py FOLDER`, where its program is.

Where the kernel has no io_uring, or forbids it, it says so and is skipped, unless IO_URING_REQUIRED=1.
"""

import asyncio
import os
import sys

from harness import example
from serving import ALL, asked, run

# What the server exits with where there is no io_uring.
NONE = 2

server = [f"{sys.argv[1]}/example-io-uring", "127.0.0.1:0"]


async def why_not():
    """What the server says where there is no io_uring."""
    async with example(*server) as started:
        line = await started.line()
        if "listening on" in line or await started.process.wait() != NONE:
            return None
        return line


if not (reason := asyncio.run(why_not())):
    run("io-uring", [asked(check, *server) for check in ALL])
elif os.environ.get("IO_URING_REQUIRED") == "1":
    sys.exit(reason)
else:
    print(f"{reason}; io-uring was not tried")
