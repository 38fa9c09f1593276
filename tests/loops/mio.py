"""The server on one thread and mio: `mio.py FOLDER`, where its program is."""

import sys

from serving import ALL, asked, run

server = [f"{sys.argv[1]}/example-mio", "127.0.0.1:0"]
run("mio", [asked(check, *server) for check in ALL])
