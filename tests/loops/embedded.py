"""The server without an operating system: `embedded.py FOLDER`, where its programs are.

Every connection is a program of its own, whose standard input and output are its wire. Where the target for a Cortex-M4 is
installed, and QEMU for ARM, that is tried as well; elsewhere it says so and is skipped, unless EMBEDDED_REQUIRED=1.
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from asyncio.subprocess import PIPE
from contextlib import asynccontextmanager

from harness import HOST, UNICODE, expect
from serving import Server, answers_pings, closes_as_it_is_closed, refuses_bad_frames, run, serves_many
from websockets.asyncio.client import connect

FOLDER = sys.argv[1]
PROGRAM = "example-embedded"
TARGET = "thumbv7em-none-eabihf"
MANIFEST = "examples/embedded/Cargo.toml"

# Seconds that a program has to end by itself after its client has disconnected, which a serial line doesn't report.
GRACE = 5


class Line:
    """The address for clients, and the logs of its programs."""

    def __init__(self, command):
        self.command = command
        self.log = asyncio.Queue()
        self.address = None
        self.programs = set()

    async def serve(self, reader, writer):
        self.programs.add(asyncio.current_task())
        program = await asyncio.create_subprocess_exec(*self.command, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        log = asyncio.create_task(program.stderr.read())
        await asyncio.gather(self.up(reader, program), self.down(program, writer))
        await program.wait()
        writer.close()
        await self.log.put((await log).decode().splitlines())

    async def up(self, reader, program):
        """The client's bytes; those that the program doesn't read yet wait here."""
        try:
            while data := await reader.read(1 << 16):
                program.stdin.write(data)
        except ConnectionError:
            pass
        program.stdin.close()
        try:
            await asyncio.wait_for(program.wait(), GRACE)
        except TimeoutError:
            program.kill()

    async def down(self, program, writer):
        try:
            while data := await program.stdout.read(1 << 16):
                writer.write(data)
                await writer.drain()
            writer.write_eof()
        except (ConnectionError, RuntimeError):
            pass


@asynccontextmanager
async def line(*command):
    """Like `serving`: a program for every client."""
    this = Line(command)
    listener = await asyncio.start_server(this.serve, HOST, 0)
    this.address = "{}:{}".format(*listener.sockets[0].getsockname())
    async with listener:
        yield this
    await asyncio.gather(*this.programs)


def on(command, check, largest=1 << 20):
    async def checked():
        async with line(*command) as wire:
            server = Server(None, "ws", wire.address)
            server.log, server.largest = wire.log, largest
            await check(server)

    return check.__name__.replace("_", " "), checked


def figures(lines):
    """The part of the arena that was in use, and its size, from the last log line."""
    found = re.fullmatch(r"embedded: (\d+) bytes in use at most, the first (\d+) of (\d+) used", lines[-1])
    if not found:
        raise AssertionError(f"the last line is {lines[-1]!r}")
    return map(int, found.groups())


async def echoes(server):
    """Messages of any size, some of them much larger than all memory there is."""
    async with server.connect() as client:
        for length in [0, 1, 125, 126, 1023, 1024, 1025, 64 << 10, server.largest]:
            text = (UNICODE * (length // len(UNICODE.encode()) + 1))[: length // 2]
            for message in [text, bytes(length)]:
                await client.send(message)
                expect(await client.recv(), message)
        await client.send(["再", "见", " 👋🏽"])
        expect(await client.recv(), "再见 👋🏽")
        await client.close(3001, "再见")
    lines = await server.log.get()
    expect(lines[0], 'embedded: closed with 3001 (library or framework) "再见": the peer closed')
    most, reach, size = figures(lines)
    if not 1024 < most <= reach <= size:
        raise AssertionError(lines)
    print(f"    {lines[-1]}")


async def survives_large_heads(server):
    """A head of the largest size is accepted, one more byte is rejected, and nothing runs out of memory."""
    for length, opens in [(1500, True), (2048, False)]:
        try:
            async with connect(f"ws://{server.address}/", additional_headers={"Cookie": "c" * length}):
                expect(opens, True)
        except Exception as refused:
            if opens or "431" not in str(refused):
                raise
        figures(await server.log.get())


async def measures():
    """The measuring program finishes."""
    program = await asyncio.create_subprocess_exec(f"{FOLDER}/{PROGRAM}-figures", stderr=PIPE)
    _, log = await program.communicate()
    print(log.decode(), end="")
    expect(program.returncode, 0)
    if not log.decode().splitlines()[-1].startswith("figures: "):
        raise AssertionError("the measuring program did not finish")


async def links_no_std():
    """No symbol is of `std`, although there are symbols."""
    for program in [PROGRAM, f"{PROGRAM}-figures"]:
        with open(f"{FOLDER}/{program}", "rb") as file:
            binary = file.read()
        expect((b"4core" in binary, b"3std" in binary), (True, False))


def sizes(program):
    """Of a program's sections: code, constants, and memory."""
    table = subprocess.run(["readelf", "-SW", program], check=True, capture_output=True, text=True).stdout
    rows = re.findall(r"\] (\.\w+)\s+\w+\s+\w+ \w+ (\w+)", table)
    return {name: int(size, 16) for name, size in rows}


def cross_build():
    """Builds for the board. Returns a command that emulates it, or the reason why there is none."""
    libraries = subprocess.run(
        ["rustc", "--print", "target-libdir", "--target", TARGET], check=True, capture_output=True, text=True
    ).stdout.strip()
    if not os.path.isdir(libraries):
        return None, f"the target is missing (rustup target add {TARGET})"
    build = ["cargo", "build", "--quiet", "--release", "--target", TARGET]
    subprocess.run([*build, "--manifest-path", MANIFEST, "--target-dir", "target"], check=True)
    program = f"target/{TARGET}/release/{PROGRAM}"
    size = sizes(program)
    print(f"embedded: {TARGET}: {size['.text']} bytes of code, {size['.rodata']} of constants, {size['.bss']} of memory")
    emulator = shutil.which("qemu-system-arm")
    if not emulator:
        return None, "QEMU is missing (Debian: apt install qemu-system-arm)"
    machine = [emulator, "-machine", "mps2-an386", "-display", "none", "-monitor", "none", "-no-reboot"]
    return [*machine, "-serial", "stdio", "-serial", "file:/dev/stderr", "-kernel", program], None


host = [f"{FOLDER}/{PROGRAM}"]
checks = [("links no std", links_no_std), ("measures", measures)]
checks += [
    on(host, check)
    for check in [echoes, survives_large_heads, answers_pings, closes_as_it_is_closed, refuses_bad_frames, serves_many]
]
board, why_not = cross_build()
if board:
    for check in [echoes, survives_large_heads, answers_pings, closes_as_it_is_closed, refuses_bad_frames]:
        title, checked = on(board, check, largest=0)
        checks.append((f"Cortex-M4 {title}", checked))
run("embedded", checks)
if why_not:
    print(f"embedded: {why_not}, so the Cortex-M4 was skipped")
    sys.exit(os.environ.get("EMBEDDED_REQUIRED") == "1")
