"""Sends as fast as it can to a server that isn't interested any more: `flooding.py PORT CERTIFICATE after-a-close|after-a-bad-frame`.

As soon as it is cut off it comes again, until it is ended. It says how many bytes it has sent, once a second.
"""

import os
import ssl
import sys
import time
from types import SimpleNamespace

from faulty import BAD_FRAME, BINARY, CLOSE, NORMAL, Client, Fault, frame

FIRST = {"after-a-close": frame(CLOSE, NORMAL), "after-a-bad-frame": BAD_FRAME}
FLOOD = frame(BINARY, bytes(64 << 10)) * 4

port, certificate, how = sys.argv[1:]
server = SimpleNamespace(
    port=int(port), ssl=ssl.create_default_context(cafile=certificate) if certificate else None
)
# Which of the processes gets the CPU is the kernel's affair, and not what is looked at.
os.nice(10)
sent, said = 0, time.monotonic()
while True:
    client = Client(server)
    try:
        client.open()
        client.send(FIRST[how])
        while True:
            client.send(FLOOD)
            sent += len(FLOOD)
            if time.monotonic() > said + 1:
                said = time.monotonic()
                print(sent, flush=True)
    except (OSError, Fault):
        client.close()
