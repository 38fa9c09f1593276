// Node's `http2` (nghttp2), with frames by `ws`, against the servers and the client over HTTP/2 (RFC 8441) of examples/hyper:
//
//     http2.mjs MODULES FOLDER
//
// A folder with `ws`, and the folder of the built programs.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http2 from 'node:http2';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const [modules, folder] = process.argv.slice(2);
const { PerMessageDeflate, Receiver, Sender, extension } = createRequire(`${modules}/`)('ws');

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR } = http2.constants;
const MIB = 1 << 20;
const PATIENCE = 60_000;
const BYE = '再见 👋';

// --- Two endpoints

/** A program that runs: its lines, what is typed, its exit code and what it has written to stderr. */
async function run(name, ...args) {
  const child = spawn(`${folder}/${name}`, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const exit = once(child, 'close').then(([code]) => code);
  let errors = '';
  child.stderr.on('data', data => (errors += data));
  return {
    line: async () => (await lines.next()).value,
    type: line => child.stdin.write(`${line}\n`),
    endInput: () => child.stdin.end(),
    exit: async () => [await exit, errors],
    stop: async () => {
      child.kill('SIGKILL');
      await exit;
    },
  };
}

/** Values that arrive, one after the other, for whoever waits. */
function queue() {
  const values = [];
  const waiting = [];
  return {
    put: value => (waiting.length ? waiting.shift()(value) : values.push(value)),
    get: () => (values.length ? values.shift() : new Promise(resolve => waiting.push(resolve))),
  };
}

/** A WebSocket on a stream of HTTP/2. `deflate` is the extension, if it was agreed on. */
function webSocket(stream, isServer, deflate) {
  const extensions = deflate ? { [PerMessageDeflate.extensionName]: deflate } : {};
  const receiver = new Receiver({ isServer, extensions, maxPayload: 0 });
  const sender = new Sender(stream, extensions);
  const mask = !isServer;
  const { put, get } = queue();
  receiver.on('message', (data, isBinary) => put(isBinary ? data : data.toString()));
  receiver.on('conclude', (code, reason) => put({ code, reason: reason.toString() }));
  receiver.on('pong', payload => put({ pong: payload.toString() }));
  receiver.on('ping', payload => sender.pong(payload, mask));
  receiver.on('error', error => put({ error }));
  stream.on('data', data => receiver.write(data));
  stream.on('end', () => put('END_STREAM'));
  stream.on('error', () => {});
  stream.on('close', () => put({ reset: stream.rstCode }));
  return {
    /** The next message, Close frame, pong, or end of the stream. */
    get,
    /** A message, or a list of its fragments. */
    send: message => {
      const fragments = Array.isArray(message) ? message : [message];
      fragments.forEach((data, at) => {
        const fin = at === fragments.length - 1;
        sender.send(data, { binary: typeof data !== 'string', compress: Boolean(deflate), fin, mask });
      });
    },
    ping: payload => sender.ping(payload, mask),
    close: (code, reason) => sender.close(code, reason, mask),
    end: () => stream.end(),
  };
}

/** A server that runs, and a session of HTTP/2 with it. */
async function session(name, check) {
  const server = await run(name, '127.0.0.1:0');
  const [, port] = /listening on 127.0.0.1:(\d+)/.exec(await server.line());
  const client = http2.connect(`http://127.0.0.1:${port}`);
  try {
    await once(client, 'remoteSettings');
    await check(client, server, port);
  } finally {
    client.destroy();
    await server.stop();
  }
}

/** An extended CONNECT: the stream, and the head of the response. */
async function connect(client, path, { protocol = 'websocket', ...headers } = {}) {
  const pseudo = { ':method': 'CONNECT', ':protocol': protocol, ':scheme': 'http', ':path': path };
  const stream = client.request({ ...pseudo, 'sec-websocket-version': 13, ...headers }, { endStream: false });
  stream.on('error', () => {});
  const [head] = await once(stream, 'response');
  return [stream, head];
}

async function open(client, { isCompressed = false, ...headers } = {}) {
  const deflate = isCompressed && new PerMessageDeflate({ isServer: false, threshold: 0 });
  const offer = deflate && { 'sec-websocket-extensions': extension.format({ 'permessage-deflate': deflate.offer() }) };
  const [stream, head] = await connect(client, '/echo', { ...offer, ...headers });
  assert.equal(head[':status'], 200);
  assert.deepEqual(Object.keys(head).filter(name => /^(upgrade|connection|sec-websocket-accept)$/.test(name)), []);
  if (deflate) deflate.accept(extension.parse(head['sec-websocket-extensions'])['permessage-deflate']);
  return [webSocket(stream, false, deflate), head, stream];
}

/** A server of Node whose streams are each answered so, and our client of it. */
async function client(answer, check) {
  const answers = queue();
  const sessions = new Set();
  const server = http2.createServer({ settings: { enableConnectProtocol: true } });
  server.on('session', session => sessions.add(session));
  server.on('stream', (stream, head) => {
    stream.on('error', () => {});
    answers.put(answer(stream, head));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const ours = await run('example-http2-client', `ws://127.0.0.1:${server.address().port}/a?b=c`);
  try {
    await check(ours, answers.get);
  } finally {
    await ours.stop();
    for (const session of sessions) session.destroy();
    server.close();
  }
}

/** Accepts a request for a WebSocket. */
function accept(stream, head, isCompressed = false, headers = {}) {
  const deflate = isCompressed && new PerMessageDeflate({ isServer: true, threshold: 0 });
  const agreed = deflate && deflate.accept(extension.parse(head['sec-websocket-extensions'])['permessage-deflate']);
  stream.respond({
    ':status': 200,
    ...(deflate && { 'sec-websocket-extensions': extension.format({ 'permessage-deflate': [agreed] }) }),
    ...headers,
  });
  return webSocket(stream, true, deflate);
}

// --- Messages

const messages = () => [
  '', Buffer.alloc(0), '你好，世界', randomBytes(125), '中文 👋🏽 '.repeat(10_000), randomBytes(65_536), Buffer.alloc(5 * MIB),
  ['再', '', '见'], [Buffer.alloc(70_000), randomBytes(3)],
]; // prettier-ignore

function whole(message) {
  if (!Array.isArray(message)) return message;
  return typeof message[0] === 'string' ? message.join('') : Buffer.concat(message);
}

function same(actual, expected) {
  const equal = typeof expected === 'string' ? actual === expected : Buffer.isBuffer(actual) && expected.equals(actual);
  assert(equal, `received ${String(actual?.error ?? actual).slice(0, 50)}, expected ${String(expected).slice(0, 50)}`);
}

// --- Checks

const checks = [];

for (const name of ['example-hyper', 'example-axum']) {
  const check = (title, body) => checks.push([`${name}: ${title}`, () => session(name, body)]);

  check('announces extended CONNECT', async client => {
    assert.equal(client.remoteSettings.enableConnectProtocol, true);
  });
  check('echoes, compressed or not', async client => {
    for (const isCompressed of [false, true]) {
      const [socket] = await open(client, { isCompressed });
      for (const message of messages()) {
        socket.send(message);
        same(await socket.get(), whole(message));
      }
      socket.ping('hello');
      assert.deepEqual(await socket.get(), { pong: 'hello' });
    }
  });
  check('more than all windows hold', async client => {
    const [socket] = await open(client);
    for (let count = 0; count < 4; count++) socket.send(Buffer.alloc(5 * MIB));
    for (let count = 0; count < 4; count++) assert.equal((await socket.get()).length, 5 * MIB);
  });
  check('closes as it is closed, and the connection stays', async client => {
    for (const [code, reason] of [[1000, ''], [3001, BYE], [4999, 'x'.repeat(123)]]) {
      const [socket] = await open(client);
      socket.close(code, reason);
      assert.deepEqual(await socket.get(), { code, reason });
      assert.equal(await socket.get(), 'END_STREAM');
      socket.end();
      assert.deepEqual(await socket.get(), { reset: NGHTTP2_NO_ERROR });
    }
  });
  check('refuses bad frames', async client => {
    for (const [wrong, code] of [['ff8000000000', 1002], ['8100', 1002], ['818100000000ff', 1007]]) {
      const [socket, , stream] = await open(client);
      stream.write(Buffer.from(wrong, 'hex'));
      assert.equal((await socket.get()).code, code);
      assert.equal(await socket.get(), 'END_STREAM');
    }
  });
  check('selects a subprotocol', async client => {
    for (const [offered, selected] of [['b, echo, chat', 'chat'], ['echo', 'echo'], ['b', undefined]]) {
      const [, head] = await open(client, { 'sec-websocket-protocol': offered });
      assert.equal(head['sec-websocket-protocol'], selected);
    }
  });
  check('rejects', async (client, _, port) => {
    for (const [path, headers, status] of [
      ['/chat', { origin: 'http://evil.example' }, 403],
      ['/chat', { origin: 'null' }, 403],
      ['/chat', { origin: `http://127.0.0.1:${port}` }, 200],
      ['/echo', { protocol: 'connect-udp' }, 501],
      ['/echo', { 'sec-websocket-version': 8 }, 426],
    ]) {
      const [stream, head] = await connect(client, path, headers);
      assert.equal(head[':status'], status, JSON.stringify(headers));
      if (status === 426) assert.equal(head['sec-websocket-version'], '13');
      stream.close();
    }
  });
  check('notices a reset, and the end of a stream', async client => {
    const join = () => connect(client, '/chat').then(([stream]) => [webSocket(stream, false), stream]);
    const [stays] = await join();
    for (const leave of [stream => stream.close(NGHTTP2_CANCEL), stream => stream.end()]) {
      const [, stream] = await join();
      assert.match(await stays.get(), /joined, /);
      leave(stream);
    }
    const left = new Set();
    while (left.size < 2) {
      const [, guest] = /^\* guest-([23]) left/.exec(await stays.get()) ?? [];
      if (guest) left.add(guest);
    }
  });
}

{
  const check = (title, ...rest) => checks.push([`example-http2-client: ${title}`, () => client(...rest)]);
  const opened = async ours => assert.equal(await ours.line(), 'open over HTTP/2');

  check(
    'asks as it should',
    (stream, head) => {
      accept(stream, head).close(1000, '');
      return Object.fromEntries(Object.entries(head));
    },
    async (ours, answered) => {
      await opened(ours);
      const { ':authority': authority, 'sec-websocket-extensions': offer, ...head } = await answered();
      assert.match(authority, /^127.0.0.1:\d+$/);
      assert.match(offer, /^permessage-deflate/);
      const pseudo = { ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'http', ':path': '/a?b=c' };
      assert.deepEqual(head, { ...pseudo, 'sec-websocket-version': '13' });
      assert.match(await ours.line(), /^closed with 1000/);
      assert.deepEqual(await ours.exit(), [0, '']);
    },
  );
  for (const isCompressed of [false, true]) {
    check(
      isCompressed ? 'sends and receives, compressed' : 'sends and receives',
      (stream, head) => accept(stream, head, isCompressed),
      async (ours, answered) => {
        await opened(ours);
        const socket = await answered();
        for (const text of ['', '你好，世界', 'x'.repeat(MIB)]) {
          ours.type(text);
          same(await socket.get(), text);
          socket.send(text);
          assert.equal(await ours.line(), `< ${text}`);
        }
        socket.send(randomBytes(MIB));
        assert.equal(await ours.line(), `< ${MIB} bytes`);
        socket.send(['再', '', '见']);
        assert.equal(await ours.line(), '< 再见');
        socket.close(3001, BYE);
        assert.deepEqual(await socket.get(), { code: 3001, reason: BYE });
        socket.end();
        assert.equal(await socket.get(), 'END_STREAM');
        assert.match(await ours.line(), /^closed with 3001/);
        assert.deepEqual(await ours.exit(), [0, '']);
      },
    );
  }
  check(
    'closes at the end of its input',
    (stream, head) => accept(stream, head),
    async (ours, answered) => {
      await opened(ours);
      const socket = await answered();
      ours.endInput();
      assert.deepEqual(await socket.get(), { code: 1000, reason: '' });
      socket.close(1000, '');
      socket.end();
      assert.match(await ours.line(), /^closed with 1000/);
      assert.deepEqual(await ours.exit(), [0, '']);
    },
  );
  for (const [title, head, reason] of [
    ['403', { ':status': 403 }, /: 403 Forbidden: /],
    ['501', { ':status': 501 }, /: 501 Not Implemented: /],
    ['a subprotocol that was not offered', { ':status': 200, 'sec-websocket-protocol': 'other' }, /a subprotocol that/],
    ['an extension that was not offered', { ':status': 200, 'sec-websocket-extensions': 'other' }, /an extension that/],
  ]) {
    check(
      `reports ${title}`,
      stream => stream.respond(head),
      async ours => {
        const [code, errors] = await ours.exit();
        assert.equal(code, 1);
        assert.match(errors, reason);
      },
    );
  }
  for (const [title, finish] of [
    ['a reset', stream => stream.close(NGHTTP2_CANCEL)],
    ['END_STREAM without a Close frame', stream => stream.end()],
  ]) {
    check(
      `notices ${title}`,
      (stream, head) => {
        accept(stream, head);
        setTimeout(() => finish(stream), 100);
      },
      async ours => {
        await opened(ours);
        assert.match((await ours.exit())[1], /closed with 1006/);
      },
    );
  }
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
const account = failed ? `${failed} of ${checks.length} checks over HTTP/2 failed` : `${checks.length} checks over HTTP/2 passed`;
console.log(`interop: ${account}`);
process.exit(failed ? 1 : 0);
