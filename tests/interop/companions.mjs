// Node's `ws` and its own WebSocket against the companion crates, over `ws` and `wss`:
//
//     companions.mjs MODULES CERTIFICATE BINARY...
//
// A folder with `ws`, a certificate with its key, and the binaries of tokio_echo.rs and blocking_echo.rs. Node's own WebSocket
// trusts the certificate by NODE_EXTRA_CA_CERTS.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createPlainServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';

const [modules, certificate, ...binaries] = process.argv.slice(2);
const ws = createRequire(`${modules}/`)('ws');
const pem = readFileSync(certificate);

const MIB = 1 << 20;
const PATIENCE = 60_000;
const BYE = '再见 👋';

const sentence = '中文压缩测试 👋🏽 再见 🧑‍🚀, '; // 48 bytes
const messages = () => ['', '你好，世界', sentence.repeat(MIB / 48), Buffer.alloc(0), randomBytes(300), randomBytes(MIB)];

/** Starts a binary; `line` is its next line, `exit` its exit code. */
function run(binary, ...args) {
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const exit = once(child, 'exit').then(([code]) => code);
  let errors = '';
  child.stderr.on('data', data => (errors += data));
  return {
    line: async () => (await lines.next()).value,
    exit: async () => [await exit, errors],
    stop: async () => {
      child.kill('SIGKILL');
      await exit;
    },
  };
}

/** What happens to a socket, of `ws` or of Node: `message`, `failed`, `closed` as [code, reason]. */
function watch(socket) {
  socket.binaryType = 'arraybuffer';
  const received = [];
  const waiting = [];
  const deliver = data => (waiting.length ? waiting.shift()(data) : received.push(data));
  socket.addEventListener('message', ({ data }) => deliver(typeof data === 'string' ? data : Buffer.from(data)));
  const closed = new Promise(resolve => {
    socket.addEventListener('close', ({ code, reason }) => {
      resolve([code, reason]);
      deliver(undefined);
    });
  });
  const failed = new Promise(resolve => socket.addEventListener('error', resolve));
  return { closed, failed, message: () => (received.length ? received.shift() : new Promise(resolve => waiting.push(resolve))) };
}

function opened(socket) {
  return new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('close', ({ code }) => reject(new Error(`closed with ${code}`)));
  });
}

/** Messages go to the echo and come back. */
async function exchange(socket, watched) {
  const sent = messages();
  for (const message of sent) socket.send(message);
  for (const message of sent) {
    const echo = await watched.message();
    const isSame = typeof message === 'string' ? echo === message : Buffer.isBuffer(echo) && message.equals(echo);
    assert(isSame, `${String(echo).slice(0, 50)} instead of ${String(message).slice(0, 50)}`);
  }
}

/** The peer closes because a message asks it to, or we do. */
async function close(socket, watched, byPeer) {
  if (byPeer) socket.send(`close 4002 ${BYE}`);
  else socket.close(4002, BYE);
  assert.deepEqual(await watched.closed, [4002, BYE]);
}

/** How the echo prints the end. The answer of Node's own WebSocket to a Close frame may be without its reason. */
function checkEnd(line, byPeer, hasReason = true) {
  const ends = [`closed with 4002 (private use) "${BYE}"`, ...(hasReason ? [] : ['closed with 4002 (private use)'])];
  const by = byPeer ? 'we closed with 4002 (private use)' : 'the peer closed';
  assert(ends.some(end => line === `${end}: ${by}`), line);
}

// --- Clients of our server

/** `ws` offers compression or doesn't; Node's own depends on its version. */
const clients = [
  ['ws', (uri, protocols) => new ws.WebSocket(uri, protocols, { ca: pem }), 'permessage-deflate'],
  ['ws without compression', (uri, protocols) => new ws.WebSocket(uri, protocols, { ca: pem, perMessageDeflate: false }), ''],
];
if (typeof WebSocket === 'function') clients.push(['Node', (uri, protocols) => new WebSocket(uri, protocols), undefined]);
else console.log("companions: this Node has no WebSocket of its own, which was not tried");

async function withServer(binary, isSecure, body) {
  const server = run(binary, ...(isSecure ? ['--certificate', certificate] : []));
  try {
    const [, port] = /^listening on .*:(\d+)$/.exec(await server.line());
    await body(`${isSecure ? 'wss' : 'ws'}://localhost:${port}`, server);
  } finally {
    await server.stop();
  }
}

async function talk(connect, compression, uri, server) {
  for (const byPeer of [false, true]) {
    const socket = connect(`${uri}/`, ['unheard-of', 'echo']);
    const watched = watch(socket);
    await opened(socket);
    assert.equal(socket.protocol, 'echo');
    if (compression !== undefined) assert.equal(socket.extensions, compression);
    await exchange(socket, watched);
    await close(socket, watched, byPeer);
    checkEnd(await server.line(), byPeer, !byPeer || socket instanceof ws.WebSocket);
  }
}

async function isRejected(connect, uri, server) {
  const socket = connect(`${uri}/reject`, []);
  const watched = watch(socket);
  if (socket instanceof ws.WebSocket) {
    const [, response] = await once(socket, 'unexpected-response');
    const body = await response.setEncoding('utf8').toArray();
    assert.deepEqual([response.statusCode, body.join('')], [403, 'not here']);
  } else {
    // Node 20 has no `close` after it.
    await watched.failed;
  }
  assert.equal(await server.line(), 'the request was rejected with status 403');
}

// --- Our client of a server of `ws`

async function withWsServer(isSecure, options, body) {
  const listener = isSecure ? createTlsServer({ cert: pem, key: pem }) : createPlainServer();
  const server = new ws.WebSocketServer({ server: listener, maxPayload: 0, ...options });
  try {
    await once(listener.listen(0, '127.0.0.1'), 'listening');
    await body(`${isSecure ? 'wss' : 'ws'}://localhost:${listener.address().port}/`, server);
  } finally {
    for (const client of server.clients) client.terminate();
    listener.close();
  }
}

const clientArgs = (uri, isSecure) => [uri, ...(isSecure ? ['--certificate', certificate] : [])];
const handleProtocols = offered => {
  assert.deepEqual([...offered], ['unheard-of', 'echo']);
  return 'echo';
};

async function serve(binary, isSecure, perMessageDeflate) {
  await withWsServer(isSecure, { handleProtocols, perMessageDeflate }, async (uri, server) => {
    for (const byPeer of [false, true]) {
      const connection = once(server, 'connection');
      const client = run(binary, ...clientArgs(uri, isSecure));
      try {
        const [socket] = await connection;
        const watched = watch(socket);
        assert.equal(socket.extensions, perMessageDeflate ? 'permessage-deflate' : '');
        await exchange(socket, watched);
        await close(socket, watched, byPeer);
        checkEnd(await client.line(), byPeer);
        assert.deepEqual(await client.exit(), [0, '']);
      } finally {
        await client.stop();
      }
    }
  });
}

async function reject(binary, isSecure) {
  const verifyClient = (_, answer) => answer(false, 403, 'not here');
  await withWsServer(isSecure, { verifyClient }, async uri => {
    const client = run(binary, ...clientArgs(uri, isSecure));
    const [code, errors] = await client.exit();
    assert.equal(code, 1);
    assert.match(errors, /Rejected\(Response .*403/s);
  });
}

async function distrust(binary) {
  await withWsServer(true, {}, async uri => {
    const client = run(binary, uri);
    const [code, errors] = await client.exit();
    assert.equal(code, 1);
    assert.match(errors, /Tls .*UnknownIssuer/s);
  });
}

// --- All of it

const checks = [];
for (const binary of binaries) {
  const name = basename(binary);
  for (const isSecure of [false, true]) {
    const scheme = isSecure ? 'wss' : 'ws';
    for (const [kind, connect, compression] of clients) {
      const client = `${name}: a client of ${kind} over ${scheme}`;
      checks.push([client, () => withServer(binary, isSecure, talk.bind(null, connect, compression))]);
      checks.push([`${client} is rejected`, () => withServer(binary, isSecure, isRejected.bind(null, connect))]);
    }
    const server = `${name}: a server of ws over ${scheme}`;
    checks.push([server, () => serve(binary, isSecure, true)]);
    checks.push([`${server} without compression`, () => serve(binary, isSecure, false)]);
    checks.push([`${server} rejects`, () => reject(binary, isSecure)]);
  }
  checks.push([`${name}: a certificate that nobody vouches for`, () => distrust(binary)]);
}

let failed = 0;
for (const [title, body] of checks) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('not done in time')), PATIENCE);
  });
  try {
    await Promise.race([body(), late]);
    console.log(`ok  ${title}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${title}\n${error.stack}`);
  } finally {
    clearTimeout(timer);
  }
}
console.log(`companions: ${failed ? `${failed} of ` : ''}${checks.length} checks with Node ${failed ? 'failed' : 'passed'}`);
process.exit(failed ? 1 : 0);
