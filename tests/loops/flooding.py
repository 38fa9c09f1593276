"""Sends as fast as it can to a server that discards the bytes: `flooding.py PORT CERTIFICATE HOW`.

HOW is `after-a-close` or `after-a-bad-frame`; without TLS, CERTIFICATE is empty. As soon as it is cut off it comes again,
until it is ended or a minute is over. It says how many bytes it has sent, now and then.
"""

import os
import signal
import ssl
import sys
import time
from types import SimpleNamespace

from faulty import BAD_FRAME, BINARY, CLOSE, NORMAL, Client, Fault, frame

FIRST = {"after-a-close": frame(CLOSE, NORMAL), "after-a-bad-frame": BAD_FRAME}
FLOOD = frame(BINARY, bytes(64 << 10)) * 16


def main():
    signal.alarm(60)
    port, certificate, how = sys.argv[1:]
    server = SimpleNamespace(
        port=int(port), ssl=ssl.create_default_context(cafile=certificate) if certificate else None
    )
    # Sent from a file, the bytes aren't copied here, but by the server alone: so this is faster than that can read.
    file = os.memfd_create("flood")
    os.write(file, FLOOD)
    sent, said = 0, time.monotonic()
    while True:
        client = Client(server)
        try:
            client.open()
            client.send(FIRST[how])
            client.socket.settimeout(None)
            while True:
                if server.ssl:
                    client.send(FLOOD)
                    sent += len(FLOOD)
                else:
                    sent += os.sendfile(client.socket.fileno(), file, 0, len(FLOOD))
                if time.monotonic() > said + 0.5:
                    said = time.monotonic()
                    print(sent, flush=True)
        except (OSError, Fault):
            client.close()


main()
