"""Helpers of the checks: running examples, expectations, and results."""

import asyncio
import traceback
from asyncio.subprocess import PIPE, STDOUT
from contextlib import asynccontextmanager

HOST = "127.0.0.1"

# The time limit of a check in seconds: far more than any needs.
PATIENCE = 60

MIB = 1 << 20
UNICODE = "再见 👋🏽 ça va? \U0010ffff"
LENGTHS = [0, 1, 125, 126, (64 << 10) - 1, 64 << 10, (64 << 10) + 1, 5 * MIB]


async def passes(title, check, gate):
    """Runs a check and prints its result. Returns whether it passed."""
    async with gate:
        try:
            async with asyncio.timeout(PATIENCE):
                await check()
        except Exception:
            print(f"FAILED  {title}\n{traceback.format_exc()}", flush=True)
            return False
    print(f"ok  {title}", flush=True)
    return True


def checks(namespace):
    """The checks of a module with their titles, in order."""
    for name, function in namespace.items():
        if name.startswith("check_"):
            yield name.removeprefix("check_").replace("_", " "), function


def expect(actual, expected):
    if actual != expected:
        raise AssertionError(f"{actual!r:.300} instead of {expected!r:.300}")


class Example:
    """A running example, and the lines that it prints."""

    def __init__(self, process):
        self.process = process

    async def line(self):
        return (await self.process.stdout.readline()).decode().removesuffix("\n")

    async def rest(self):
        return (await self.process.stdout.read()).decode().splitlines()

    async def type(self, *lines):
        self.process.stdin.writelines(f"{line}\n".encode() for line in lines)
        await self.process.stdin.drain()

    def end_of_input(self):
        self.process.stdin.close()

    async def ends(self, code):
        """Expects no more lines, and that exit code."""
        expect(await self.rest(), [])
        expect(await self.process.wait(), code)


@asynccontextmanager
async def example(*command):
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=STDOUT, limit=16 * MIB
    )
    try:
        yield Example(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
