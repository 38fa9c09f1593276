"""The server on one thread and mio: `mio.py FOLDER`, where its program is."""

import asyncio
import sys

from harness import checks, expect
from serving import ALL, asked, run, serving, stops_in_order

server = [f"{sys.argv[1]}/example-mio", "127.0.0.1:0"]


async def check_clients_wait_while_it_has_no_descriptor_left():
    """No event reports that there is a free descriptor again."""
    few = ["sh", "-c", 'ulimit -n 32 && exec "$@"', "few", *server]

    served, leave = [], asyncio.Event()

    async def talk(serves):
        async with serves.connect() as client:
            await client.send("hello")
            expect(await client.recv(), "hello")
            served.append(client)
            await leave.wait()

    async with serving(*few) as serves:
        clients = [asyncio.create_task(talk(serves)) for _ in range(60)]
        await asyncio.sleep(1)
        expect(0 < len(served) < 32, True)
        # The served clients disconnect, and no new client arrives.
        leave.set()
        await asyncio.gather(*clients)
        expect(len(served), 60)


run("mio", [*(asked(check, *server) for check in [*ALL, stops_in_order]), *checks(globals())])
