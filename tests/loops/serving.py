"""Checks of every server among the examples, with clients of `websockets`: echo, chat, compression, close."""

import asyncio
import re
from contextlib import asynccontextmanager

from harness import HOST, LENGTHS, UNICODE, Example, example, expect
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus


class Server(Example):
    """A running server, and how to reach it: `ssl` is for clients."""

    def __init__(self, process, scheme, address, ssl=None):
        super().__init__(process)
        self.scheme, self.address, self.ssl = scheme, address, ssl
        self.port = int(address.rpartition(":")[2])

    def connect(self, path="/echo", **options):
        options.setdefault("max_size", None)
        return connect(f"{self.scheme}://{self.address}{path}", ssl=self.ssl, **options)


@asynccontextmanager
async def serving(*command, scheme="ws", ssl=None):
    """Starts a server; its first line has its address."""
    async with example(*command) as started:
        line = await started.line()
        address = re.search(rf"listening on ({re.escape(HOST)}:\d+)", line)
        if not address:
            raise AssertionError(f"the server printed {line!r} instead of its address")
        yield Server(started.process, scheme, address[1], ssl)


async def echoes(server):
    """Every length, text and binary, compressed or not, whole or in fragments."""
    for compression in [None, "deflate"]:
        async with server.connect(compression=compression) as client:
            for length in LENGTHS:
                text = (UNICODE * (length // len(UNICODE.encode()) + 1))[: length // 2]
                for message in [text, bytes(length)]:
                    await client.send(message)
                    expect(await client.recv(), message)
            await client.send(["再", "见", " 👋🏽"])
            expect(await client.recv(), "再见 👋🏽")


async def answers_pings(server):
    async with server.connect() as client:
        await (await client.ping(b"hello"))


async def closes_as_it_is_closed(server):
    async with server.connect() as client:
        await client.close(3001, "再见")
        expect(client.close_code, 3001)


async def refuses_bad_frames(server):
    async with server.connect() as client:
        client.transport.write(b"\xff\x80\0\0\0\0")
        try:
            expect(await client.recv(), "nothing")
        except ConnectionClosed as closed:
            expect(closed.rcvd.code, 1002)


async def pushes_to_all(server):
    """Every member of the chat gets every message, whatever happens to other members."""
    async with server.connect("/chat") as one, server.connect("/chat") as other:
        gone = await server.connect("/chat")
        gone.transport.abort()
        await one.send("大家好 👋")
        for client in [one, other]:
            while "大家好 👋" not in (heard := await client.recv()):
                pass
            expect(heard.endswith("大家好 👋"), True)


async def keeps_its_chat_for_its_own_pages(server):
    """A page of another site can't use the chat with a visitor's cookies (RFC 6455 section 10.2)."""
    own = f"{server.scheme.replace('ws', 'http')}://{server.address}"
    async with server.connect("/chat", origin=own):
        pass
    for origin in ["http://evil.example", "null", own + ".evil.example"]:
        try:
            async with server.connect("/chat", origin=origin):
                raise AssertionError(f"the server accepted the origin {origin}")
        except InvalidStatus as refused:
            expect(refused.response.status_code, 403)


async def serves_many(server, count=200):
    """Many at a time, each with its own messages."""

    async def talk(number):
        async with server.connect() as client:
            for turn in range(10):
                message = f"{number}-{turn} " + "字" * turn * 100
                await client.send(message)
                expect(await client.recv(), message)

    await asyncio.gather(*(talk(number) for number in range(count)))


async def stops_in_order(server):
    """On SIGTERM, it closes all connections with 1001, including a silent one, and exits."""
    async with server.connect() as one, server.connect("/chat") as other:
        # It is in the chat when it receives something, even its own message.
        await other.send("hello")
        await other.recv()
        server.process.terminate()
        for client in [one, other]:
            await client.wait_closed()
            expect(client.close_code, 1001)
    lines = await server.rest()
    expect(any("stopped" in line for line in lines), True)
    expect(await server.process.wait(), 0)


# The checks of each server; servers that handle SIGTERM have that check as well.
ALL = [
    echoes,
    answers_pings,
    closes_as_it_is_closed,
    refuses_bad_frames,
    pushes_to_all,
    keeps_its_chat_for_its_own_pages,
    serves_many,
]


def run(name, checks):
    """Runs the checks of an example, pairs of a title and a coroutine function, and prints the results."""
    import logging
    import sys

    from harness import passes

    async def main():
        gate = asyncio.Semaphore(2)
        passed = await asyncio.gather(*(passes(f"{name}: {title}", check, gate) for title, check in checks))
        if not all(passed):
            sys.exit(f"{name}: {passed.count(False)} of {len(passed)} checks failed")
        print(f"{name}: {len(passed)} checks passed")

    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    asyncio.run(main())


def asked(check, *command, **options):
    """A check with a server of its own."""

    async def with_server():
        async with serving(*command, **options) as server:
            await check(server)

    return check.__name__.replace("_", " "), with_server
