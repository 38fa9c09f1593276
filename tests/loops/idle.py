"""Measures the memory of idle connections to a server: `idle.py PROGRAM [COUNT...]`.

PROGRAM is examples/mio with its feature `memory`.

Each connection opens as a browser's does, compression offered, has one compressed message of 1 KiB echoed, and is idle
from then on, except for the server's pings. The kernel's memory for sockets is not measured.
"""

import asyncio
import base64
import os
import re
import resource
import signal
import struct
import sys
import zlib

COUNTS = [1_000, 2_000, 5_000, 10_000]

MESSAGE = ('{"user":"好","text":"' + " ".join(f"word {number}" for number in range(200))).encode()[:1_022] + b'"}'

# How many open at the same time: fewer than fit into the listener's queue.
AT_A_TIME = 100

# From so many on, the next address: one has some 28,000 ports for connections to one server.
OF_AN_ADDRESS = 20_000

# A browser's request headers.
REQUEST = (
    "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 "
    "Safari/537.36\r\nUpgrade: websocket\r\nOrigin: http://{host}\r\nSec-WebSocket-Version: 13\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9,zh;q=0.8\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef\r\nSec-WebSocket-Key: {key}\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
)

TEXT, PING, PONG = 1, 9, 10


class Browser:
    """A connection; each message that it receives releases `heard`."""

    def __init__(self, reader, writer, heard):
        self.reader, self.writer, self.heard = reader, writer, heard

    @classmethod
    async def open(cls, host, port, path, number, heard):
        local = (f"127.0.0.{1 + number // OF_AN_ADDRESS}", 0)
        reader, writer = await asyncio.open_connection(host, port, local_addr=local)
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(REQUEST.format(path=path, host=f"{host}:{port}", key=key).encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101 ") or b"permessage-deflate" not in head:
            raise AssertionError(f"the server answered {head!r}")
        return cls(reader, writer, heard)

    def say(self, message):
        compressor = zlib.compressobj(wbits=-15)
        data = compressor.compress(message) + compressor.flush(zlib.Z_SYNC_FLUSH)
        self.send(0x40 | TEXT, data.removesuffix(b"\x00\x00\xff\xff"))

    def send(self, first, payload):
        key = os.urandom(4)
        length = len(payload)
        header = bytes([0x80 | first, 0x80 | length]) if length < 126 else struct.pack(">BBH", 0x80 | first, 0xFE, length)
        masked = bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))
        self.writer.write(header + key + masked)

    async def frame(self):
        first, length = await self.reader.readexactly(2)
        if length == 126:
            (length,) = struct.unpack(">H", await self.reader.readexactly(2))
        return first, await self.reader.readexactly(length)

    async def listen(self):
        """Answers pings and inflates messages, with the window of those before as long as the server keeps it."""
        inflater = zlib.decompressobj(wbits=-15)
        while True:
            first, payload = await self.frame()
            if first & 0x0F == PING:
                self.send(PONG, payload)
                continue
            message = inflater.decompress(payload + b"\x00\x00\xff\xff") if first & 0x40 else payload
            if first & 0x8F != 0x80 | TEXT or message != MESSAGE:
                raise AssertionError(f"{first:#x} {message!r:.300} instead of the message")
            self.heard.release()


class Crowd:
    """Connections to one server, and the memory that it reports."""

    def __init__(self, server, port, path):
        self.server, self.port, self.path = server, port, path
        self.browsers, self.listening = [], []
        self.heard = asyncio.Semaphore(0)

    async def grow(self, count):
        gate = asyncio.Semaphore(AT_A_TIME)

        async def one(number):
            async with gate:
                browser = await Browser.open("127.0.0.1", self.port, self.path, number, self.heard)
                self.browsers.append(browser)
                self.listening.append(asyncio.create_task(browser.listen()))

        new = range(len(self.browsers), count)
        await asyncio.gather(*(one(number) for number in new))
        return self.browsers[new.start :]

    async def hear(self, messages):
        """Waits until so many messages have come, or a connection has failed."""

        async def all_of_them():
            for _ in range(messages):
                await self.heard.acquire()

        async with asyncio.timeout(120):
            wanted = asyncio.create_task(all_of_them())
            await asyncio.wait([wanted, *self.listening], return_when=asyncio.FIRST_COMPLETED)
        for task in self.listening:
            if task.done():
                task.result()

    async def memory(self):
        """The memory of the process, as the kernel reports it, and that of the connections, as the server reports it."""
        self.server.send_signal(signal.SIGUSR1)
        async with asyncio.timeout(10):
            line = (await self.server.stdout.readline()).decode()
        said = re.match(r"mio: (\d+) connections of (\d+) bytes own (-?\d+) bytes of heap", line)
        connections, size, owned = map(int, said.groups())
        if connections != len(self.browsers):
            raise AssertionError(f"{connections} connections, not {len(self.browsers)}")
        with open(f"/proc/{self.server.pid}/smaps_rollup") as rollup:
            kib = dict(re.findall(r"^(\w+): +(\d+) kB", rollup.read(), re.M))
        private = int(kib["Private_Clean"]) + int(kib["Private_Dirty"])
        return Memory(line.strip(), connections, size, owned, int(kib["Rss"]), int(kib["Pss"]), private)


class Memory:
    def __init__(self, line, connections, size, owned, *kib):
        self.line, self.connections, self.size, self.owned, self.kib = line, connections, size, owned, kib

    def each(self, first):
        """The memory of the process per connection, in bytes, without the first: resident, proportional, private."""
        more = max(1, self.connections - first.connections)
        return [1024 * (now - then) / more for now, then in zip(self.kib, first.kib)]

    def print(self, first):
        resident, fair, private = self.each(first)
        print(
            f"{self.connections:12,} {self.kib[0]:12,} {resident:14,.0f} {fair:10,.0f} {private:12,.0f}"
            f" {self.size:12,} {self.owned / self.connections:12,.1f}",
            flush=True,
        )


async def serve(program):
    server = await asyncio.create_subprocess_exec(program, "127.0.0.1:0", stdout=asyncio.subprocess.PIPE)
    line = (await server.stdout.readline()).decode()
    return server, int(re.search(r"listening on 127\.0\.0\.1:(\d+)", line)[1])


async def measure(program, path, counts):
    """Grows a crowd from the first connection, for which the server gets what all share, from count to count.

    In the chat, one says something to all at the end; elsewhere, each has a message echoed.
    """
    server, port = await serve(program)
    crowd = Crowd(server, port, path)
    rows = []

    async def measure_now():
        rows.append(await crowd.memory())
        rows[-1].print(rows[0])

    try:
        for count in [1, *counts]:
            new = await crowd.grow(count)
            # In the chat, only while nobody else would hear it.
            if path != "/chat" or count == 1:
                for browser in new:
                    browser.say(MESSAGE)
                await crowd.hear(len(new))
            await measure_now()
        if path == "/chat":
            crowd.browsers[0].say(MESSAGE)
            await crowd.hear(count)
            await measure_now()
        print(rows[-1].line)
        return rows
    finally:
        for task in crowd.listening:
            task.cancel()
        server.kill()
        await server.wait()


async def main(program, counts):
    print(
        f"{'connections':>12} {'process, KiB':>12} {'resident each':>14} {'Pss each':>10} {'private each':>12}"
        f" {'Connection':>12} {'heap of each':>12}   (bytes, beyond the first connection)"
    )
    print("each has had a message of 1 KiB echoed, and is idle:")
    first, *rows = await measure(program, "/echo", counts)
    print("in the chat, and after a message of 1 KiB from one to all:")
    _, quiet, told = await measure(program, "/chat", counts[-1:])

    failed = [f"{row.connections} connections own {row.owned} bytes" for row in [*rows, told] if row.owned != 0]
    least, most, last = rows[0].each(first), max(row.each(first) for row in rows), rows[-1].each(first)
    if last[2] > 1.25 * least[2]:
        failed.append("memory grows faster than the number of connections")
    left = told.kib[2] - quiet.kib[2]
    if left > 256:
        failed.append(f"the broadcast left {left} KiB")
    if failed:
        sys.exit("idle: " + "; ".join(failed))
    print(
        f"idle: {counts[-1]:,} connections take {last[0]:,.0f} bytes each of the process (at most {most[0]:,.0f} from "
        f"{counts[0]:,} on), {rows[-1].size} of these in the crate, none on the heap; a broadcast to all left {left} KiB"
    )


if __name__ == "__main__":
    counts = [int(count) for count in sys.argv[2:]] or COUNTS
    # This process and the server have a descriptor for each connection.
    needed, (_, most) = counts[-1] + 100, resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < needed:
        sys.exit(
            f"idle: {counts[-1]} connections need {needed} descriptors, but `ulimit -Hn` is {most}: "
            "raise it, or pass a smaller COUNT"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, most))
    asyncio.run(main(sys.argv[1], counts))
