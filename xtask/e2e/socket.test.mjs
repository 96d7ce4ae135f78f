/** The browser's own WebSocket and `fetch`, as pages of others use them: docs/websocket.md and
 * docs/stream.md without the viewer. */

import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { gauge, metrics, point } from './exports.mjs';
import { certificate, eventually, open, send, startBrowser, startRelay } from './harness.mjs';
import { startPipe } from './proxy.mjs';

const TOKEN = 'c2VjcmV0+/_~token.-==';
const AGREED = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';

/** An export of a gauge, and as the relay shows it. */
const one = (value, points = 1) => metrics([gauge('seen', Array.from({ length: points }, (_, at) => point(1000 + at, value, { at })), '1')]);

/** The number in a frame of `one`. */
const value = ({ resourceMetrics }) => resourceMetrics[0].scopeMetrics[0].metrics[0].gauge.dataPoints[0].asDouble;

/** What the page does: everything that happens to its sockets goes into `seen`, by the socket's name. */
function prepare() {
  window.seen = {};
  window.sockets = {};
  window.watch = (name, path, protocols) => {
    const socket = new WebSocket(new URL(path, location.href.replace('http', 'ws')), protocols);
    const seen = { messages: [] };
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => Object.assign(seen, { protocol: socket.protocol, extensions: socket.extensions });
    socket.onmessage = ({ data }) => seen.messages.push(typeof data === 'string' ? data : [...new Uint8Array(data)]);
    socket.onclose = ({ code, reason, wasClean }) => Object.assign(seen, { closed: { code, reason, wasClean } });
    window.seen[name] = seen;
    window.sockets[name] = socket;
    return new Promise((resolve, reject) => {
      socket.addEventListener('open', () => resolve());
      socket.addEventListener('error', () => reject(new Error('no session')));
    });
  };
}

/** A page of the relay's origin without a script of its own, and what the browser's network says of its sockets. */
async function startPage(t, base, options = {}) {
  const browser = await startBrowser(t);
  const page = await open(t, browser, `${base}healthz`, options);
  const network = await page.context().newCDPSession(page);
  const [handshakes, frames] = [[], []];
  network.on('Network.webSocketHandshakeResponseReceived', ({ response }) => handshakes.push(response));
  network.on('Network.webSocketFrameReceived', ({ response }) => frames.push(response));
  await network.send('Network.enable');
  await page.evaluate(prepare);
  const seen = (name) => page.evaluate((key) => window.seen[key], name);
  return Object.assign(page, {
    handshakes,
    frames,
    seen,
    /** Opens a socket; the rest is what a `WebSocket` takes. */
    watch: (name, path, protocols) => page.evaluate(([...rest]) => window.watch(...rest), [name, path, protocols]),
    /** Waits for so many messages, and gives all. */
    messages: async (name, count) => {
      const length = () => page.evaluate((key) => window.seen[key].messages.length, name);
      await eventually(async () => (await length()) >= count, `${count} messages`);
      return (await seen(name)).messages;
    },
    /** Waits for the end. */
    closed: async (name) => {
      await eventually(() => page.evaluate((key) => Boolean(window.seen[key].closed), name), `${name} is closed`);
      return (await seen(name)).closed;
    },
  });
}

/** The value of a header, whatever its case. */
function header(headers, wanted) {
  return Object.entries(headers).find(([name]) => name.toLowerCase() === wanted)?.[1];
}

/** Scenario: a page opens sockets for texts and for protobuf; long and short exports, messages of
 * its own, up to the limit of what a client may send and beyond.
 * Guarantees: permessage-deflate is agreed on; all frames are read as they were sent; over a pipe
 * that counts, they take a fifth of their length at most; what the page sends harms nothing, and
 * too much of it is closed with 1009. */
const reads = (scheme) => async (t) => {
  const flags = scheme === 'https' ? certificate() : [];
  if (!flags) return t.skip('needs openssl');
  const relay = await startRelay(t, flags);
  const pipe = await startPipe(t, relay.port);
  const base = pipe.base.replace('http', scheme);
  const page = await startPage(t, base, { ignoreHTTPSErrors: true });
  const sent = [one(1), one(2, 500), one(3, 2000), one(4, 500)];
  await page.watch('texts', 'ws/metrics');
  await page.watch('bytes', 'ws/metrics?format=protobuf');
  await eventually(() => page.handshakes.length === 2, 'two handshakes');
  for (const { headers } of page.handshakes) assert.equal(header(headers, 'sec-websocket-extensions'), AGREED);
  assert.match((await page.seen('texts')).extensions, /permessage-deflate/);
  await page.evaluate(() => {
    for (const message of ['hello', 'round and round '.repeat(10_000), new Uint8Array(1 << 20)]) window.sockets.texts.send(message);
  });
  const before = pipe.received();
  for (const request of sent) await page.evaluate(([body]) => fetch('v1/metrics', { method: 'POST', headers: { 'content-type': 'application/json' }, body }), [JSON.stringify(request)]);
  const texts = await page.messages('texts', sent.length);
  const bytes = await page.messages('bytes', sent.length);
  assert.deepEqual(texts.map((text) => JSON.parse(text)), sent);
  const length = [...texts, ...bytes].reduce((sum, message) => sum + message.length, 0);
  const taken = pipe.received() - before;
  assert.ok(taken < length / 5, `${taken} bytes for ${length}`);
  // What the network saw is what the page got: text (1) and binary (2).
  await eventually(() => page.frames.length >= 2 * sent.length, 'frames');
  const below = page.frames.filter(({ opcode }) => opcode === 1).map(({ payloadData }) => payloadData);
  assert.deepEqual(below, texts);
  const binary = page.frames.filter(({ opcode }) => opcode === 2).map(({ payloadData }) => [...Buffer.from(payloadData, 'base64')]);
  assert.deepEqual(binary, bytes);
  await page.evaluate(() => window.sockets.texts.send('x'.repeat((1 << 20) + 1)));
  assert.equal((await page.closed('texts')).code, 1009);
  assert.equal((await page.seen('bytes')).closed, undefined);
};
test('Chromium reads compressed frames', reads('http'));
test('Chromium reads compressed frames over TLS', reads('https'));

/** Scenario: a relay that asks watchers for a token; sockets with none, with a wrong one, and with
 * the right one as subprotocol; then the token goes.
 * Guarantees: the first two get no session; the third gets the subprotocol back that is no secret,
 * frames, and in the end 3500. */
test('a token as subprotocol, taken back', async (t) => {
  const tokens = join(mkdtempSync(join(tmpdir(), 'otlp-relay-e2e-')), 'tokens');
  writeFileSync(tokens, `${TOKEN}\n`);
  const relay = await startRelay(t, ['--watch-token-file', tokens]);
  const page = await startPage(t, relay.base);
  const offers = (token) => ['otlp-relay', `bearer.${Buffer.from(token).toString('base64url')}`];
  await assert.rejects(page.watch('none', 'ws'));
  await assert.rejects(page.watch('wrong', 'ws', offers(`${TOKEN}${TOKEN}`)));
  await page.watch('right', 'ws', offers(TOKEN));
  assert.equal((await page.seen('right')).protocol, 'otlp-relay');
  await send(relay.base, 'metrics', one(1));
  assert.deepEqual(JSON.parse((await page.messages('right', 1))[0]), one(1));
  writeFileSync(tokens, 'another-token-of-this-test\n');
  relay.reload();
  const { code, wasClean } = await page.closed('right');
  assert.deepEqual([code, wasClean], [3500, true]);
});

/** Scenario: a page with an envelope loses its connection, comes back with `since`, and the relay
 * shuts down.
 * Guarantees: it has every export once; the shutdown is 1001, behind the last of them. */
test('a page resumes, and sees the shutdown', async (t) => {
  const relay = await startRelay(t);
  const pipe = await startPipe(t, relay.port);
  const page = await startPage(t, pipe.base);
  await page.watch('first', 'ws/metrics?envelope=true');
  for (const number of [1, 2]) await send(relay.base, 'metrics', one(number));
  const [hello, ...first] = (await page.messages('first', 3)).map((text) => JSON.parse(text));
  assert.equal(hello.type, 'hello');
  assert.deepEqual(first.map(({ data }) => value(data)), [1, 2]);
  pipe.cut();
  assert.deepEqual(await page.closed('first'), { code: 1006, reason: '', wasClean: false });
  for (const number of [3, 4]) await send(relay.base, 'metrics', one(number));
  pipe.mend();
  await page.watch('second', `ws/metrics?envelope=true&since=${hello.epoch}:${first.at(-1).seq}`);
  await send(relay.base, 'metrics', one(5));
  await relay.stop();
  assert.deepEqual(await page.closed('second'), { code: 1001, reason: 'shutting down', wasClean: true });
  const [again, ...second] = (await page.seen('second')).messages.map((text) => JSON.parse(text));
  assert.deepEqual(again, { type: 'hello', epoch: hello.epoch, seq: '2', recovered: true });
  assert.deepEqual(second.map(({ data }) => value(data)), [3, 4, 5]);
});

/** Scenario: a page fetches `/stream/metrics`, and reads lines as they come; the relay shuts down.
 * Guarantees: each export is a line as soon as it is there, and the body ends as it should. */
test('fetch reads lines', async (t) => {
  const relay = await startRelay(t);
  const page = await startPage(t, relay.base);
  await page.evaluate(async () => {
    const response = await fetch('stream/metrics');
    window.answer = { status: response.status, type: response.headers.get('content-type') };
    window.lines = [];
    const reading = async () => {
      let rest = '';
      for (const reader = response.body.pipeThrough(new TextDecoderStream()).getReader(); ; ) {
        const { done, value } = await reader.read();
        if (done) break;
        const parts = (rest + value).split('\n');
        rest = parts.pop();
        window.lines.push(...parts);
      }
      return rest === '' ? 'whole' : rest;
    };
    reading().then((end) => Object.assign(window.answer, { end }), (error) => Object.assign(window.answer, { end: String(error) }));
  });
  const expected = [];
  for (const [number, points] of [[1, 1], [2, 5000], [3, 1]]) {
    expected.push(one(number, points));
    await send(relay.base, 'metrics', expected.at(-1));
    await eventually(async () => (await page.evaluate(() => window.lines.length)) === expected.length, 'a line');
  }
  const lines = await page.evaluate(() => window.lines);
  assert.deepEqual(lines.map((line) => JSON.parse(line)), expected);
  await relay.stop();
  await eventually(() => page.evaluate(() => window.answer.end), 'the end');
  assert.deepEqual(await page.evaluate(() => window.answer), { status: 200, type: 'application/x-ndjson', end: 'whole' });
});
