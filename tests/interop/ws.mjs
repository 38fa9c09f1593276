// Node's `ws` against echo.rs and the server example: `ws.mjs MODULES SERVER ECHO`, a folder with `ws` and two binaries.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { on, once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const [modules, serverBinary, echoBinary] = process.argv.slice(2);
const { WebSocket, WebSocketServer } = createRequire(`${modules}/`)('ws');

const KIB = 1024;
const MIB = KIB * KIB;
const PATIENCE = 60_000;

// --- Two endpoints

/** An example that runs, and its lines. */
async function run(binary, ...args) {
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    line: async () => (await lines.next()).value,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
    },
  };
}

/** What a socket hears, one after the other. */
function ears(socket) {
  const heard = on(socket, 'message', { close: ['close'] });
  return async () => {
    const { value, done } = await heard.next();
    assert(!done, 'closed');
    const [data, isBinary] = value;
    return isBinary ? data : data.toString();
  };
}

function words(settings) {
  return Object.entries(settings).map(([name, value]) => (value === true ? name : `${name}=${value}`));
}

/** `ws` names them otherwise. Everything is compressed, however short. */
function options(settings) {
  const camel = name => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  const entries = Object.entries(settings).map(([name, value]) => [camel(name), value]);
  return { maxPayload: 0, perMessageDeflate: { threshold: 0, ...Object.fromEntries(entries) } };
}

function agreement(ours, theirs) {
  const sides = ['server', 'client'];
  const flags = sides.map(side => `${side}_no_context_takeover`).filter(name => ours[name] || theirs[name]);
  const bits = sides
    .map(side => `${side}_max_window_bits`)
    .map(name => `${name}=${Math.min(ours[name] ?? 15, theirs[name] ?? 15)}`);
  return ['open, permessage-deflate', ...flags, ...bits].join('; ');
}

/** Has `ws` say all that and hear it back from echo.rs in that role; how many bytes went each way. */
async function exchange(role, sent, ours = {}, theirs = {}) {
  let echo, listener, socket;
  try {
    let transport;
    if (role === 'server') {
      echo = await run(echoBinary, ...words(ours));
      const [, port] = /:(\d+)$/.exec(await echo.line());
      socket = new WebSocket(`ws://127.0.0.1:${port}/`, options(theirs));
      socket.once('upgrade', response => (transport = response.socket));
      await once(socket, 'open');
    } else {
      listener = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options(theirs) });
      await once(listener, 'listening');
      const connected = once(listener, 'connection');
      echo = await run(echoBinary, `ws://127.0.0.1:${listener.address().port}/`, ...words(ours));
      const [connection, request] = await connected;
      socket = connection;
      transport = request.socket;
    }
    const hear = ears(socket);
    assert.equal(await echo.line(), agreement(ours, theirs));
    assert.equal(socket.extensions, 'permessage-deflate');
    for (const message of sent) {
      if (Array.isArray(message)) {
        message.forEach((fragment, at) => socket.send(fragment, { fin: at === message.length - 1 }));
      } else {
        socket.send(message);
      }
    }
    for (const message of sent) {
      same(await hear(), whole(message));
    }
    const counts = { there: transport.bytesWritten, here: transport.bytesRead };
    const closed = once(socket, 'close');
    socket.close(1000);
    assert.equal((await closed)[0], 1000);
    assert.equal(await echo.line(), 'closed with 1000 (normal closure): the peer closed');
    return counts;
  } finally {
    socket?.terminate();
    listener?.close();
    await echo?.stop();
  }
}

function whole(message) {
  if (!Array.isArray(message)) return message;
  return typeof message[0] === 'string' ? message.join('') : Buffer.concat(message);
}

/** Megabytes that differ are no use in a message. */
function same(actual, expected) {
  const equal = typeof expected === 'string' ? actual === expected : Buffer.isBuffer(actual) && expected.equals(actual);
  assert(equal, `received ${String(actual).slice(0, 50)} (${actual.length}), expected ${String(expected).slice(0, 50)}`);
}

// --- Messages

const text = times => '中文压缩测试 👋🏽 再见 🧑‍🚀, '.repeat(times); // Of 48 bytes.
const zeros = length => Buffer.alloc(length);

const record = (_, id) => JSON.stringify({ id, name: `客户 ${id % 7}`, at: id * 1.5, city: '上海', mood: '🙂', paid: true });
const records = length => Array.from({ length }, record);

/** Pieces of random data, again and again: up to 40 KB apart. */
function farRepeats(count) {
  const pieces = Array.from({ length: 100 }, (_, at) => randomBytes(10 + at * 7));
  const place = () => Math.floor(pieces.length * Math.random() ** 2);
  return Array.from({ length: count }, () => Buffer.concat([pieces[place()], pieces[place()], pieces[place()]]));
}

const variety = () => [
  '', zeros(0), 'x', zeros(1), text(2), 'a'.repeat(125), zeros(125), randomBytes(125),
  text(1300), zeros(64 * KIB), randomBytes(64 * KIB),
  ['你', '', '好'.repeat(300), '🙂'], [zeros(0), Buffer.alloc(3000, 255), zeros(0), randomBytes(100)], records(50),
  ...records(200), ...farRepeats(50),
];

const giants = () => [text(110_000), zeros(5 * MIB), randomBytes(5 * MIB), [zeros(3 * MIB), randomBytes(2 * MIB)]];

// --- Checks

const both = { server_no_context_takeover: true, client_no_context_takeover: true };
const windows = (server, client = server) => ({ server_max_window_bits: server, client_max_window_bits: client });
const checks = [];

for (const role of ['server', 'client']) {
  const check = (title, body) => checks.push([`our ${role}: ${title}`, body]);
  const other = role === 'server' ? 'client' : 'server';

  for (const [title, settings] of [
    ['takeover', {}],
    ['no takeover of ours', { [`${role}_no_context_takeover`]: true }],
    ['no takeover of theirs', { [`${other}_no_context_takeover`]: true }],
    ['no takeover', both],
  ]) {
    check(`every window, ${title}`, async () => {
      for (let bits = 9; bits <= 15; bits++) {
        const sent = variety();
        // The two endpoints ask in turn.
        await exchange(role, sent, ...(bits % 2 ? [windows(bits), settings] : [settings, windows(bits)]));
      }
    });
    check(`5 MiB, ${title}`, async () => {
      for (const bits of [10, 15]) {
        const { there, here } = await exchange(role, giants(), windows(bits), settings);
        // Of 20 MiB, 7 are random.
        assert(there < 7.6 * MIB && here < 7.6 * MIB, `${there} ${here}`);
      }
    });
  }
  check('windows of two sizes', async () => {
    for (const [ours, theirs] of [
      [windows(15, 9), {}],
      [windows(9, 15), {}],
      [{}, windows(10, 14)],
      [{ server_max_window_bits: 11 }, { client_max_window_bits: 10 }],
    ]) {
      await exchange(role, variety(), ours, theirs);
    }
  });
  check('prepared and plain and fragments by turns', async () => {
    for (let bits = 9; bits <= 15; bits++) {
      for (const theirs of [{}, { [`${role}_no_context_takeover`]: true }]) {
        await exchange(role, [...farRepeats(100), ...variety()], { ...windows(bits), mixed: true }, theirs);
      }
    }
  });
  check('many messages share a context', async () => {
    const sent = records(3_000);
    const shared = await exchange(role, sent);
    const apart = await exchange(role, sent, both);
    assert(shared.here < apart.here / 2 && shared.there < apart.there / 2, `${shared.here} ${apart.here}`);
  });
}

checks.push(['our chat reaches every window', async () => {
  const server = await run(serverBinary, '127.0.0.1:0', '--quiet');
  const guests = [];
  try {
    const [, port] = /^listening on 127.0.0.1:(\d+)/.exec(await server.line());
    const all = async expected => {
      for (const { hear } of guests) same(await hear(), expected);
    };
    for (const compression of [
      { perMessageDeflate: false }, { perMessageDeflate: true }, options(windows(10)), options(both), options(windows(9, 15)),
    ]) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`, compression);
      const hear = ears(socket);
      const guest = { socket, hear };
      guests.push(guest);
      socket.once('upgrade', response => (guest.transport = response.socket));
      await once(socket, 'open');
      assert.equal(socket.extensions, compression.perMessageDeflate ? 'permessage-deflate' : '');
      await all(`* guest-${guests.length} joined, ${guests.length} here`);
    }
    const said = [...records(200), text(40), text(1300), text(110_000), '', zeros(0), ...farRepeats(100)];
    for (const [turn, message] of said.entries()) {
      const speaker = turn % guests.length;
      guests[speaker].socket.send(message);
      await all(typeof message === 'string' ? `guest-${speaker + 1}: ${message}` : message);
    }
    // Connections with the window of the prepared message get it compressed; smaller windows only if it is short.
    const [plain, large, small, alone, least] = guests.map(({ transport }) => transport.bytesRead);
    const counts = `${[plain, large, small, alone, least]}`;
    assert(large < plain / 10 && alone < plain / 10 && small < plain + KIB && least < plain + KIB, counts);
  } finally {
    for (const { socket } of guests) socket.terminate();
    await server.stop();
  }
}]);

let failed = 0;
for (const [title, body] of checks) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('not done in time')), PATIENCE);
  });
  try {
    await Promise.race([body(), late]);
    console.log(`ok  ws: ${title}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ws: ${title}\n${error.stack}`);
  } finally {
    clearTimeout(timer);
  }
}
const account = failed ? `${failed} of ${checks.length} checks with ws failed` : `${checks.length} checks with ws passed`;
console.log(`interop: ${account}`);
process.exit(failed ? 1 : 0);
