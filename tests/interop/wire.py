"""The bytes on the wire: a tap between two endpoints, their frames, and an inflater with the negotiated window."""

import asyncio
import re
import zlib
from contextlib import asynccontextmanager
from dataclasses import dataclass

from harness import HOST, expect

RSV1 = 0x40

# The bytes that end a flush and aren't sent.
TAIL = b"\x00\x00\xff\xff"


class Wire:
    """Both directions of a connection, as they were sent."""

    def __init__(self):
        self.to_server, self.to_client = bytearray(), bytearray()

    def agreed(self):
        """The value of the response's header."""
        head = self.to_client.split(b"\r\n\r\n")[0].decode()
        found = re.search(r"^sec-websocket-extensions: *(.*?)\r?$", head, re.IGNORECASE | re.MULTILINE)
        return found and found[1]


@asynccontextmanager
async def tapped(port):
    """A port that forwards to that one, and the bytes of each connection."""
    wires = []

    async def pump(reader, writer, record):
        try:
            while data := await reader.read(1 << 16):
                record += data
                writer.write(data)
                await writer.drain()
            writer.write_eof()
        except OSError:
            writer.close()

    async def connect(reader, writer):
        wires.append(wire := Wire())
        onward_reader, onward = await asyncio.open_connection(HOST, port)
        await asyncio.gather(pump(reader, onward, wire.to_server), pump(onward_reader, writer, wire.to_client))
        writer.close()
        onward.close()

    async with await asyncio.start_server(connect, HOST, 0) as listener:
        yield listener.sockets[0].getsockname()[1], wires


@dataclass
class Message:
    opcode: int
    compressed: bool
    payload: bytes
    frames: int


def messages(data):
    """The messages after a handshake's head."""
    data = memoryview(bytes(data.split(b"\r\n\r\n", 1)[1]))
    found, parts = [], None
    while data:
        first, second = data[:2]
        length, at = second & 0x7F, 2
        if length > 125:
            at = 4 if length == 126 else 10
            length = int.from_bytes(data[2:at])
        if second & 0x80:
            key, at = bytes(data[at : at + 4]), at + 4
        payload = data[at : at + length]
        expect(len(payload), length)
        if second & 0x80:
            mask = (key * (length // 4 + 1))[:length]
            payload = (int.from_bytes(payload) ^ int.from_bytes(mask)).to_bytes(length)
        data = data[at + length :]
        expect(first & 0x30, 0)
        opcode = first & 0x0F
        if opcode >= 8:
            expect(first & 0xC0, 0x80)
            continue
        expect(opcode == 0, parts is not None)
        if opcode:
            kind, parts = (opcode, bool(first & RSV1)), []
        else:
            expect(first & RSV1, 0)
        parts.append(bytes(payload))
        if first & 0x80:
            found.append(Message(*kind, b"".join(parts), len(parts)))
            parts = None
    expect(parts, None)
    return found


class Inflater:
    """zlib with a strict window: it looks no further back than that only if it returns its output byte by byte."""

    def __init__(self, bits, takeover, strict=True):
        self.bits, self.takeover, self.strict = bits, takeover, strict
        self.stream = zlib.decompressobj(-bits)

    def message(self, message):
        if not message.compressed:
            return message.payload
        data = message.payload + TAIL
        inflated = bytearray()
        if self.strict:
            # Small chunks: unused input is copied at every call.
            for start in range(0, len(data), 16):
                piece = data[start : start + 16]
                while made := self.stream.decompress(piece, 1):
                    inflated += made
                    piece = self.stream.unconsumed_tail
        else:
            inflated += self.stream.decompress(data)
        expect((self.stream.eof, self.stream.unconsumed_tail), (False, b""))
        if not self.takeover:
            self.stream = zlib.decompressobj(-self.bits)
        return bytes(inflated)
