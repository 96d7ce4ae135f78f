import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Watch } from '../web/watch.js';

/** WebSockets that were made, the newest last; what happens to each is said by `happens`. */
function sockets(t) {
  const made = [];
  globalThis.WebSocket = class {
    constructor(address) {
      this.address = address;
      made.push(this);
    }

    close() {
      this.isClosed = true;
    }
  };
  globalThis.fetch = () => Promise.reject(new TypeError('fetch failed'));
  // Time passes when it is told to.
  const { setTimeout } = globalThis;
  let waiting = [];
  globalThis.setTimeout = (act) => waiting.push(act);
  t.after(() => {
    globalThis.setTimeout = setTimeout;
  });
  const newest = () => made.at(-1);
  return {
    made,
    /** What the newest asks for. */
    asked: () => new URL(newest().address).search.slice(1),
    open: () => newest().onopen({}),
    send: (message) => newest().onmessage({ data: JSON.stringify(message) }),
    /** The newest ends, and the page comes again. */
    breaks: async () => {
      newest().onclose({ code: 1006 });
      // What it asks by a plain request is answered first.
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
      const due = waiting;
      waiting = [];
      for (const act of due) act();
    },
  };
}

/** A watch, and what it has told. */
function watching() {
  const heard = [];
  const tell = (kind) => (...said) => heard.push([kind, ...said]);
  const watch = new Watch({
    opened: () => {},
    changed: () => {},
    data: (signal, { number }) => heard.push(['data', signal, number]),
    raw: tell('raw'),
    gap: ({ kind }) => heard.push(['gap', kind]),
    replaced: tell('replaced'),
  });
  const show = (path, parameters = [], { raw = false, again = false, token = '' } = {}) => watch.show({ base: 'http://h/', request: { path, parameters, replay: raw ? '20' : 'all' }, raw, again, token });
  return { watch, show, told: () => heard.splice(0) };
}

const hello = (epoch, seq, recovered = false) => ({ type: 'hello', epoch, seq, recovered });
const data = (epoch, seq, signal = 'logs') => ({ type: 'data', epoch, seq, signal, receivedAt: '2026-11-22T16:00:00Z', data: { number: seq } });
const SHOP = ['resource.service.name', 'shop'];

/**
 * Scenario: logs; then another filter while traces are shown; back; the first filter again.
 * Guarantees: what another filter has let through is replaced by what the history holds; under the
 * same filter, the view goes on where it was left, and nothing is replaced.
 */
test('a filter that is changed elsewhere', (t) => {
  const { asked, open, send } = sockets(t);
  const { show, told } = watching();
  const come = (...messages) => [open(), ...messages.map((message) => send(message))];
  show('ws/logs');
  assert.equal(asked(), 'replay=all&envelope=true');
  come(hello('e1', '0'), data('e1', '1'));
  show('ws/traces');
  come(hello('e1', '0'));
  show('ws/logs');
  assert.equal(asked(), 'since=e1%3A1&envelope=true');
  come(hello('e1', '1', true), data('e1', '2'));
  assert.deepEqual(told(), [['data', 'logs', '1'], ['data', 'logs', '2']]);
  show('ws/traces', [SHOP]);
  assert.deepEqual(told(), [['replaced', 'traces']]);
  come(hello('e1', '0'));
  show('ws/logs', [SHOP]);
  assert.deepEqual(told(), [['replaced', 'logs']]);
  assert.equal(asked(), 'resource.service.name=shop&replay=all&envelope=true');
  come(hello('e1', '0'), data('e1', '1'));
  show('ws/logs');
  assert.deepEqual(told(), [['data', 'logs', '1'], ['replaced', 'logs']]);
  assert.equal(asked(), 'replay=all&envelope=true');
});

/**
 * Scenario: logs, then raw frames of other paths, of logs too, and back; raw frames once more.
 * Guarantees: the logs go on where they were left; raw frames of another path are replaced, with the
 * newest of the history before them, and those of the same path are not.
 */
test('raw frames beside logs', (t) => {
  const { asked, open, send } = sockets(t);
  const { show, told } = watching();
  show('ws/logs');
  open();
  send(hello('e1', '5'));
  show('ws', [], { raw: true });
  assert.equal(asked(), 'replay=20');
  open();
  show('ws/logs', [], { raw: true });
  assert.deepEqual(told(), [['replaced', 'raw']]);
  assert.equal(asked(), 'replay=20');
  open();
  show('ws/logs');
  assert.equal(asked(), 'since=e1%3A5&envelope=true');
  show('ws/logs', [], { raw: true });
  assert.equal(asked(), '');
  assert.deepEqual(told(), []);
});

/**
 * Scenario: the relay is started anew, with exports before the page is back, while logs are watched;
 * traces were left before that.
 * Guarantees: each view tells of it once, and then gets all that the history holds, once; what still
 * comes over the first connection is not taken.
 */
test('a relay that was started anew', async (t) => {
  const { made, asked, open, send, breaks } = sockets(t);
  const { watch, show, told } = watching();
  show('ws/traces');
  open();
  send(hello('e1', '5'));
  show('ws/logs');
  open();
  send(hello('e1', '5'));
  send(data('e1', '6'));
  await breaks();
  for (const path of ['ws/logs', 'ws/traces']) {
    if (path !== 'ws/logs') show(path);
    assert.match(asked(), /^since=e1/);
    open();
    send(hello('e2', '2'));
    assert.equal(asked(), 'replay=all&envelope=true');
    assert.ok(made.at(-2).isClosed);
    made.at(-2).onmessage({ data: JSON.stringify(data('e2', '3')) });
    open();
    send(hello('e2', '0'));
    for (const seq of ['1', '2', '3']) send(data('e2', seq));
  }
  const all = ['1', '2', '3'].map((seq) => ['data', 'logs', seq]);
  assert.deepEqual(told(), [['data', 'logs', '6'], ['gap', 'restart'], ...all, ['gap', 'restart'], ...all]);
  assert.equal(watch.link.breaks, 2);
});

/**
 * Scenario: raw frames; the relay is not there yet, comes, and goes once more.
 * Guarantees: the first connection that is made begins with what the history holds, and without a gap;
 * the one after a break doesn't, and tells of it.
 */
test('raw frames before the relay is there', async (t) => {
  const { asked, open, breaks } = sockets(t);
  const { show, told } = watching();
  show('ws', [], { raw: true });
  await breaks();
  assert.equal(asked(), 'replay=20');
  open();
  assert.deepEqual(told(), []);
  await breaks();
  assert.equal(asked(), '');
  open();
  assert.deepEqual(told(), [['gap', 'break']]);
});

/**
 * Scenario: logs whose connection breaks; the relay refuses the page; it is asked to try again, then
 * with another token; and it is asked for what it watches already.
 * Guarantees: it is the same view that goes on, nothing is replaced or asked for twice, and a history
 * that is too short is a break.
 */
test('a refusal between', async (t) => {
  const { made, asked, open, send, breaks } = sockets(t);
  const { show, told } = watching();
  show('ws/logs');
  open();
  send(hello('e1', '5'));
  show('ws/logs');
  assert.equal(made.length, 1);
  await breaks();
  globalThis.fetch = async () => ({ status: 401, text: async () => 'no' });
  await breaks();
  const refused = made.length;
  show('ws/logs', [], { again: true });
  assert.equal(made.length, refused + 1);
  show('ws/logs', [], { token: 'secret' });
  assert.equal(asked(), 'since=e1%3A5&envelope=true');
  open();
  send(hello('e1', '7', false));
  assert.deepEqual(told(), [['gap', 'break']]);
});
