"""Three nodes and a Redis of their own: `cluster.py FOLDER`, where the program of a node is.

Where there is no redis-server, it says so and is skipped, unless REDIS_REQUIRED=1.
"""

import asyncio
import base64
import os
import shutil
import signal
import socket
import sys
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager

from harness import HOST, checks, expect
from serving import keeps_its_chat_for_its_own_pages, pushes_to_all, run, serving
from websockets.exceptions import ConnectionClosed, InvalidStatus

REDIS = shutil.which("redis-server")
program = f"{sys.argv[1]}/example-cluster"


class Redis:
    """A Redis on a port of its own, which keeps nothing when it stops."""

    def __init__(self, folder):
        self.folder = folder
        with socket.socket() as free:
            free.bind((HOST, 0))
            self.port = free.getsockname()[1]

    async def start(self):
        self.process = await asyncio.create_subprocess_exec(
            *[REDIS, "--bind", HOST, "--port", str(self.port), "--dir", self.folder],
            *["--save", "", "--appendonly", "no"],
            stdout=asyncio.subprocess.DEVNULL,
        )
        while True:
            try:
                return await self.ask("PING")
            except OSError:
                await asyncio.sleep(0.05)

    async def ask(self, command):
        reader, writer = await asyncio.open_connection(HOST, self.port)
        writer.write(f"{command}\r\n".encode())
        # A line, or so many bytes as the line says.
        answer = (await reader.readline()).decode().strip()
        if answer.startswith("$"):
            answer = (await reader.readexactly(int(answer[1:]))).decode()
        writer.close()
        return answer

    async def has_clients(self, count):
        """Waits until it has so many clients besides."""
        while f"connected_clients:{count + 1}" not in await self.ask("INFO clients"):
            await asyncio.sleep(0.01)

    async def kill(self):
        self.process.kill()
        await self.process.wait()


class Guest:
    """A client that keeps what it hears: what the server says of presence apart from what others say."""

    def __init__(self, socket):
        self.socket = socket
        self.said, self.news, self.arrived = [], [], asyncio.Event()
        # Of what it has said itself, how much has come back.
        self.name, self.back = None, 0
        self.listening = asyncio.ensure_future(self.listen())

    async def listen(self):
        try:
            async for message in self.socket:
                (self.news if message.startswith("* ") else self.said).append(message)
                self.back += message.startswith(f"{self.name}: ")
                self.arrived.set()
        except ConnectionClosed:
            pass
        finally:
            asyncio.get_running_loop().call_soon(self.arrived.set)

    async def until(self, holds):
        """Waits until that holds; an assertion if the connection ends before."""
        while not holds():
            if self.listening.done():
                code, reason = self.socket.close_code, self.socket.close_reason
                raise AssertionError(f"closed with {code} ({reason}) after {len(self.said)} messages: {self.news}")
            await self.heard()

    async def heard(self):
        """Waits until something has come, or the connection has ended."""
        self.arrived.clear()
        await self.arrived.wait()

    async def named(self):
        await self.until(lambda: self.news)
        self.name = self.news[0].split()[3].rstrip(",")
        return self

    async def sees(self, *words):
        """Waits for a line about presence with all of these words."""
        await self.until(lambda: any(all(word in line for word in words) for line in self.news))

    async def hears(self, count):
        await self.until(lambda: len(self.said) >= count)

    async def closed(self):
        await self.listening
        return self.socket.close_code


async def enters(stack, node, path="/chat"):
    """Somebody who is in, and whom all nodes know of."""
    guest = await Guest(await stack.enter_async_context(node.connect(path))).named()
    await guest.sees(guest.name, "joined")
    return guest


@asynccontextmanager
async def cluster():
    with tempfile.TemporaryDirectory() as folder:
        redis = Redis(folder)
        await redis.start()
        try:
            async with AsyncExitStack() as stack:
                nodes = [await node(stack, redis, name) for name in "abc"]
                for started in nodes:
                    await in_contact(started)
                yield redis, nodes
        finally:
            if redis.process.returncode is None:
                await redis.kill()


async def node(stack, redis, name):
    url = f"redis://{HOST}:{redis.port}"
    started = await stack.enter_async_context(serving(program, f"{HOST}:0", "--name", name, "--redis", url))
    started.name = name
    return started


async def says(node, words):
    """Waits until the node prints that."""
    while (line := await node.line()) != f"{node.name}: {words}":
        if not line:
            raise AssertionError(f"{node.name} stopped before it said {words!r}")


async def in_contact(node):
    await says(node, "in contact with the bus")


async def guests_of(stack, nodes, each=2):
    """Guests on every node, who all know of each other."""
    guests = [await enters(stack, node) for node in nodes for _ in range(each)]
    for guest in guests:
        await guest.sees(guests[-1].name)
    return guests


async def talk(guests, count, length=20):
    """Everybody says so much at the same time; all must hear all of it once, and in the same order."""
    before = len(guests[0].said)

    async def say(guest):
        for number in range(count):
            await guest.socket.send(f"{number} ".ljust(length, "啊"))

    await asyncio.gather(*map(say, guests))
    await asyncio.gather(*(guest.hears(before + count * len(guests)) for guest in guests))
    for guest in guests:
        expect(guest.said, guests[0].said)
    for guest in guests:
        own = [line.split()[1] for line in guests[0].said[before:] if line.startswith(f"{guest.name}: ")]
        expect(own, [str(number) for number in range(count)])


async def get(node, path):
    """The status of the response."""
    reader, writer = await asyncio.open_connection(HOST, node.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {node.address}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    return int(head.split()[1])


async def refused(node, path="/chat"):
    """The status that a client gets instead of a connection."""
    try:
        async with node.connect(path):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


async def check_everybody_hears_all_once_and_in_one_order():
    async with cluster() as (_, nodes), AsyncExitStack() as stack:
        guests = await guests_of(stack, nodes)
        expect([bool(guest.socket.protocol.extensions) for guest in guests], [True] * 6)
        await talk(guests, 50)
        await talk(guests, 20, 2_000)


async def check_rooms_are_apart():
    async with cluster() as (_, nodes), AsyncExitStack() as stack:
        one, other = await enters(stack, nodes[0], "/chat/tea"), await enters(stack, nodes[1], "/chat/tea")
        lobby = await enters(stack, nodes[1])
        await lobby.socket.send("in the lobby")
        await lobby.hears(1)
        await talk([one, other], 10)
        expect(len(lobby.said), 1)
        expect([await refused(nodes[0], path) for path in ["/chatter", "/chat/", "/chat/a/b"]], [404] * 3)


async def check_a_node_is_as_other_chats():
    async with cluster() as (_, nodes):
        await pushes_to_all(nodes[0])
        await keeps_its_chat_for_its_own_pages(nodes[0])
        expect([await get(nodes[0], path) for path in ["/", "/health", "/chat", "/else"]], [200, 200, 426, 426])
        for message, code in [(b"not a text", 1003), ("x" * (16 << 10), None), ("x" * ((16 << 10) + 1), 1009)]:
            async with AsyncExitStack() as stack:
                guest = await enters(stack, nodes[0])
                await guest.socket.send(message)
                if code:
                    expect(await guest.closed(), code)
                else:
                    await guest.hears(1)


async def check_members_of_a_node_that_dies_are_gone():
    async with cluster() as (_, nodes), AsyncExitStack() as stack:
        guests = await guests_of(stack, nodes)
        nodes[2].process.kill()
        staying, gone = guests[:4], guests[4:]
        expect([await guest.closed() for guest in gone], [1006] * 2)
        await talk(staying, 10)
        for guest in staying:
            await guest.sees(*(guest.name for guest in gone), "left", "4 here")
        newcomer = await enters(stack, nodes[0])
        expect([guest.name in newcomer.news[0] for guest in guests], [True] * 4 + [False] * 2)
        expect([guest.listening.done() for guest in staying], [False] * 4)


async def check_a_node_that_stops_loses_nothing():
    """Those who talk all the while are let go with 1012, and everything that they have said is heard."""
    async with cluster() as (_, nodes), AsyncExitStack() as stack:
        staying, *leaving = [await enters(stack, node) for node in [nodes[0], nodes[1], nodes[1], nodes[1]]]
        for guest in leaving:
            await staying.sees(guest.name, "joined")
        said = dict.fromkeys(leaving, 0)

        async def talk(guest):
            while not guest.listening.done():
                try:
                    await guest.socket.send(str(said[guest]))
                except ConnectionClosed:
                    return
                said[guest] += 1
                # A few are on their way all the time.
                while said[guest] > guest.back + 5 and not guest.listening.done():
                    await guest.heard()

        talking = [asyncio.ensure_future(talk(guest)) for guest in leaving]
        await staying.hears(100)
        nodes[1].process.terminate()
        expect([await guest.closed() for guest in leaving], [1012] * 3)
        await asyncio.gather(*talking)
        await staying.hears(sum(said.values()))
        for guest in leaving:
            own = [line.split(": ")[1] for line in staying.said if line.startswith(f"{guest.name}: ")]
            expect(own, [str(number) for number in range(said[guest])])
            # What they have heard has no gap, and ends where they left.
            start = staying.said.index(guest.said[0])
            expect(guest.said, staying.said[start : start + len(guest.said)])
        expect(await nodes[1].rest(), ["b: stopped, everybody has left"])
        expect(await nodes[1].process.wait(), 0)
        for guest in leaving:
            await staying.sees(guest.name, "left")


async def check_a_node_that_is_cut_off_for_a_moment_misses_nothing():
    """All nodes lose their connections, and something is said before they are back."""
    async with cluster() as (redis, nodes), AsyncExitStack() as stack:
        guests = await guests_of(stack, nodes)
        for number in range(5):
            await talk(guests, 10)
            said = f"XADD cluster:said * room lobby name redis text {number}"
            cut = await redis.ask(f"CLIENT KILL TYPE normal\r\n{said}")
            expect(int(cut.removeprefix(":")) >= 6, True)
            await asyncio.gather(*(guest.hears(61 * (number + 1)) for guest in guests))
            expect(guests[0].said[-1], f"redis: {number}")
            await redis.has_clients(6)
        await talk(guests, 10)


async def check_a_node_that_has_missed_something_keeps_nobody():
    async with cluster() as (redis, nodes), AsyncExitStack() as stack:
        guests = await guests_of(stack, nodes)
        await talk(guests, 10)
        expect(await redis.ask("XTRIM cluster:said MAXLEN 0"), ":63")
        expect([await guest.closed() for guest in guests], [1013] * 6)
        for node in nodes:
            await in_contact(node)
        await talk(await guests_of(stack, nodes), 10)


async def check_without_the_bus_nobody_is_kept():
    """Stopped, restarted without what it had, or silent: everybody is sent away with 1013, and can come back."""
    async with cluster() as (redis, nodes), AsyncExitStack() as stack:
        guests = await guests_of(stack, nodes)
        await redis.kill()
        expect([await guest.closed() for guest in guests], [1013] * 6)
        for node in nodes:
            expect((await get(node, "/health"), await refused(node)), (503, 503))
        await redis.start()
        for node in nodes:
            await in_contact(node)
            expect(await get(node, "/health"), 200)

        guests = await guests_of(stack, nodes)
        await talk(guests, 10)
        await redis.kill()
        await redis.start()
        expect([await guest.closed() for guest in guests], [1013] * 6)
        for node in nodes:
            await in_contact(node)

        guests = await guests_of(stack, nodes)
        await talk(guests, 10)
        redis.process.send_signal(signal.SIGSTOP)
        expect([await guest.closed() for guest in guests], [1013] * 6)
        redis.process.send_signal(signal.SIGCONT)
        for node in nodes:
            await in_contact(node)
        await talk(await guests_of(stack, nodes), 10)


async def check_a_node_starts_without_the_bus():
    with tempfile.TemporaryDirectory() as folder:
        redis = Redis(folder)
        async with AsyncExitStack() as stack:
            early = await node(stack, redis, "early")
            expect((await get(early, "/health"), await refused(early)), (503, 503))
            try:
                await redis.start()
                await in_contact(early)
                await talk([await enters(stack, early), await enters(stack, early)], 10)
            finally:
                await redis.kill()


async def check_one_who_does_not_read_holds_nobody_up():
    async with cluster() as (_, nodes), AsyncExitStack() as stack:
        talker, hearer = [await enters(stack, node) for node in nodes[:2]]
        small = socket.socket()
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        small.setblocking(False)
        await asyncio.get_running_loop().sock_connect(small, (HOST, nodes[0].port))
        sleeper = await stack.enter_async_context(nodes[0].connect("/chat", sock=small, max_queue=1))
        count = 1_000
        for number in range(count):
            await talker.socket.send(f"{number} {base64.b64encode(os.urandom(9_000)).decode()}")
            await hearer.hears(number - 20)
        for guest in [talker, hearer]:
            await guest.hears(count)
            expect([line.split()[1] for line in guest.said], [str(number) for number in range(count)])
        try:
            while True:
                await sleeper.recv()
        except ConnectionClosed:
            # It has some seconds to read as far as the Close frame.
            expect(sleeper.close_code in (1013, 1006), True)


if REDIS:
    run("cluster", checks(globals()))
elif os.environ.get("REDIS_REQUIRED") == "1":
    sys.exit("cluster: there is no redis-server")
else:
    print("cluster: skipped, there is no redis-server")
