"""WebSockets of headless Chromium against the echo servers of tests/interop on the companion crates, over ws and wss.

    companions.py PROGRAMS SCRATCH
"""

import contextlib
import re
import signal
import subprocess
import sys

from browser import PATIENCE, Browser, Failed, check, until

BYE = "再见 👋"

# Talks to the server at a URL, has one of the two close, and gives what it saw.
TALK = """
    const [url, byServer, bye, done] = arguments;
    const socket = new WebSocket(url, ["unheard-of", "echo"]);
    socket.binaryType = "arraybuffer";
    const MIB = 1 << 20, KIB = 1 << 10;
    const random = length => {
        const bytes = new Uint8Array(length);
        for (let at = 0; at < length; at += 64 * KIB) crypto.getRandomValues(bytes.subarray(at, at + 64 * KIB));
        return bytes.buffer;
    };
    const text = "中文压缩测试 👋🏽 再见 🧑‍🚀, ";
    const sent = ["", "你好，世界", text.repeat(MIB / 48), new ArrayBuffer(0), random(300), random(MIB)];
    const same = (one, other) => typeof one == "string" ? one === other : one.byteLength === other.byteLength
        && new Uint8Array(one).every((byte, at) => byte === new Uint8Array(other)[at]);
    let errors = 0, echoed = 0, opened = null;
    socket.onerror = () => errors++;
    socket.onopen = () => {
        opened = [socket.protocol, socket.extensions];
        for (const message of sent) socket.send(message);
    };
    socket.onmessage = ({data}) => {
        if (!same(sent[echoed], data)) return done(`message ${echoed} comes back as another`);
        if (++echoed < sent.length) return;
        if (byServer) socket.send(`close 4002 ${bye}`);
        else socket.close(4002, bye);
    };
    socket.onclose = ({code, reason, wasClean}) => done({opened, echoed, errors, end: [code, reason, wasClean]});
"""


@contextlib.contextmanager
def serving(program, arguments, file):
    """A server that runs: its port, and its lines."""

    def lines():
        with open(file, encoding="utf-8") as log:
            return log.read().splitlines()

    with open(file, "w") as log:
        server = subprocess.Popen([program, *arguments], stdout=log, stderr=subprocess.STDOUT)
    try:
        until(lines, lambda: "the server doesn't listen")
        yield re.search(r":(\d+)$", lines()[0])[1], lines
    finally:
        server.kill()
        server.wait()


def try_server(tab, uri, lines):
    # A page from elsewhere may not connect to this machine.
    tab.call("POST", "/url", {"url": f"{uri}/".replace("ws", "http", 1)})
    check(tab.run("return document.title"), "Echo")
    for by_server in False, True:
        seen = tab.call("POST", "/execute/async", {"script": TALK, "args": [f"{uri}/", by_server, BYE]})
        check(seen, {"opened": ["echo", "permessage-deflate"], "echoed": 6, "errors": 0, "end": [4002, BYE, True]})
    rejected = tab.call("POST", "/execute/async", {"script": TALK, "args": [f"{uri}/reject", False, BYE]})
    check(rejected, {"opened": None, "echoed": 0, "errors": 1, "end": [1006, "", False]})
    end = f'closed with 4002 (private use) "{BYE}": '
    expected = [end + "the peer closed", end + "we closed with 4002 (private use)", "the request was rejected with status 403"]
    # Pages are requested as well.
    ends = lambda: [line for line in lines() if re.match("closed|the request was rejected", line)]
    until(lambda: ends() == expected, lambda: f"the server printed {lines()}")


def main():
    programs, scratch = sys.argv[1:]
    certificate = f"{scratch}/certificate.pem"
    with open(certificate, "wb") as file:
        subprocess.run([f"{programs}/certificate"], stdout=file, check=True)
    # Nobody vouches for the certificate.
    browser = Browser(scratch, acceptInsecureCerts=True)
    try:
        tab = browser.tab("about:blank")
        tab.call("POST", "/timeouts", {"script": PATIENCE * 1000})
        for program in "tokio-echo", "blocking-echo":
            for scheme, arguments in [("ws", []), ("wss", ["--certificate", certificate])]:
                name = f"{program} over {scheme}"
                try:
                    with serving(f"{programs}/{program}", arguments, f"{scratch}/server-{program}-{scheme}") as (port, lines):
                        try_server(tab, f"{scheme}://127.0.0.1:{port}", lines)
                except Failed as failed:
                    sys.exit(f"browser: failed: {name}: {failed}")
                print(f"browser: {name}", flush=True)
    finally:
        browser.quit()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("browser: stopped"))
    main()
