"""The server on one thread and io_uring: `io-uring.py FOLDER`, where its program is.

If the kernel has no io_uring, or forbids it, this is skipped, unless IO_URING_REQUIRED=1.
"""

import asyncio
import os
import sys

from harness import HOST, example, expect
from serving import ALL, asked, run, stops_in_order
from websockets.exceptions import ConnectionClosed

# The server's exit status if io_uring is not available.
NONE = 2

REQUEST = (
    b"GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
CLOSE, CLOSE_ANSWER = bytes.fromhex("88820000000003e8"), bytes.fromhex("880203e8")

server = [f"{sys.argv[1]}/example-io-uring", "127.0.0.1:0"]

# It has as many slots as it may open files.
SLOTS = 32
small_server = ["sh", "-c", f'ulimit -n {SLOTS} && exec "$@"', "sh", *server]


async def why_not():
    """Returns the server's message if io_uring is not available."""
    async with example(*server) as started:
        line = await started.line()
        if "listening on" in line or await started.process.wait() != NONE:
            return None
        return line


async def stops_in_order_while_somebody_talks(server):
    """A client that keeps sending gets a Close frame like the others."""
    async with server.connect("/chat") as talker:

        async def talk():
            while True:
                await talker.send("hello")
                await talker.recv()

        talking = asyncio.ensure_future(talk())
        await stops_in_order(server)
        expect(isinstance((await asyncio.gather(talking, return_exceptions=True))[0], ConnectionClosed), True)
        expect(talker.close_code, 1001)


async def answers_short_connections(server, count=3000):
    """One after another, so that each gets the slot of the one before."""
    for _ in range(count):
        reader, writer = await asyncio.open_connection(HOST, server.port)
        writer.write(REQUEST + CLOSE)
        writer.write_eof()
        answer = await reader.read()
        expect((answer[:12], answer[-4:]), (b"HTTP/1.1 101", CLOSE_ANSWER))
        writer.close()


async def lets_clients_wait_for_a_slot(server, waiting=20):
    """Clients without a free slot are neither served nor cut off until another client disconnects."""
    here = [await server.connect() for _ in range(SLOTS)]
    clients = [asyncio.ensure_future(server.connect(open_timeout=None)) for _ in range(waiting)]
    for left in range(waiting):
        await asyncio.sleep(0.1 if left < 5 else 0)
        expect(sum(client.done() for client in clients), left)
        if left % 2:
            await here.pop().close()
        else:
            here.pop().transport.abort()
        here.append(await next(asyncio.as_completed([client for client in clients if not client.done()])))
    for client in here:
        await client.send("served")
        expect(await client.recv(), "served")
    await asyncio.gather(*(client.close() for client in here))


if not (reason := asyncio.run(why_not())):
    checks = [*ALL, stops_in_order_while_somebody_talks, answers_short_connections]
    run(
        "io-uring",
        [*(asked(check, *server) for check in checks), asked(lets_clients_wait_for_a_slot, *small_server)],
    )
elif os.environ.get("IO_URING_REQUIRED") == "1":
    sys.exit(reason)
else:
    print(f"{reason}; io-uring was skipped")
