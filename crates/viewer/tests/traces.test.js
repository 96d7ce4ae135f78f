import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LIMITS, summaryOf, Traces, waterfall } from '../web/core/traces.js';
import { attributes, spans } from './samples.js';

function collect(...requests) {
  const traces = new Traces();
  requests.forEach((request) => traces.add(request));
  return traces;
}
const shape = (trace) => waterfall(trace).map(({ span, depth, orphan }) => [span.id, depth, orphan]);

/** Guarantees: spans of several requests, in any order, are one trace with the right root. */
test('assembly', () => {
  const traces = collect(
    spans([{ id: 'child', parent: 'root', from: 2, to: 3, status: { code: 2 } }], { 'service.name': 'pay' }),
    spans([{ id: 'root', name: 'GET /', from: 1, to: 5 }]),
    spans([{ id: 'root', name: 'GET /', from: 1, to: 5 }]),
  );
  const [summary] = traces.summaries();
  const { name, service, services, rooted, duration, begin, spans: count, errors } = summary;
  assert.deepEqual({ name, service, services, rooted, duration, begin, count, errors }, { name: 'GET /', service: 'shop', services: 2, rooted: true, duration: 4000, begin: 1000, count: 2, errors: 1 });
});

/** Guarantees: the earliest span stands for a root that is missing. */
test('without a root', () => {
  const traces = collect(spans([{ id: 'b', parent: 'gone', from: 3 }, { id: 'a', parent: 'gone', from: 2 }]));
  const summary = summaryOf(traces.get('t'));
  assert.deepEqual([summary.name, summary.rooted], ['a', false]);
});

/** Guarantees: parents before children, siblings by time, orphans at the top; every span once. */
test('waterfalls', () => {
  const traces = collect(
    spans([
      { id: 'c2', parent: 'r', from: 3 },
      { id: 'c1', parent: 'r', from: 2 },
      { id: 'g', parent: 'c1', from: 2.5 },
      { id: 'r', from: 1, to: 9 },
      { id: 'lost', parent: 'gone', from: 4 },
    ]),
  );
  assert.deepEqual(shape(traces.get('t')), [['r', 0, ''], ['c1', 1, ''], ['g', 2, ''], ['c2', 1, ''], ['lost', 0, 'missing']]);
});

/** Guarantees: spans that are their own parents, or each other's, are shown, and it ends. */
test('circles', () => {
  const traces = collect(spans([{ id: 'a', parent: 'b', from: 1 }, { id: 'b', parent: 'a', from: 2 }, { id: 'self', parent: 'self', from: 3 }]));
  assert.deepEqual(shape(traces.get('t')), [['self', 0, 'circle'], ['a', 0, 'circle'], ['b', 1, '']]);
});

/** Guarantees: so many traces and spans, the ones without news go first; of a great trace the rest
 * is counted. */
test('limits', () => {
  const traces = new Traces({ traces: 3, spans: 8, spansOfTrace: 4 });
  for (const trace of ['1', '2', '3']) traces.add(spans([{ id: 'a', trace }]));
  traces.add(spans([{ id: 'b', trace: '1' }]));
  traces.add(spans([{ id: 'a', trace: '4' }]));
  assert.deepEqual([...traces.byId.keys()], ['3', '1', '4']);
  for (let at = 0; at < 10; at += 1) traces.add(spans([{ id: `s${at}`, trace: '5' }]));
  assert.deepEqual([traces.get('5').spans.size, traces.get('5').left], [4, 6]);
  assert.equal(summaryOf(traces.get('5')).spans, 10);
  assert.ok(traces.spans <= 8);
  assert.equal(traces.spans, [...traces.byId.values()].reduce((sum, { spans }) => sum + spans.size, 0));
  assert.ok(LIMITS.spansOfTrace < LIMITS.spans);
});

/**
 * Scenario: spans that come again, larger, smaller and of another resource, also in a trace that is
 * full; then everything has to go.
 * Guarantees: each counts once, with the size of the one that is kept; none of them is told to be left
 * out.
 */
test('spans that come again', () => {
  const traces = new Traces({ ...LIMITS, traces: 1, spansOfTrace: 2 });
  const send = (id, text, resource) => traces.add(spans([{ id, trace: 'a', attributes: attributes({ text }) }], resource));
  send('1', 'x');
  const { characters } = traces;
  for (let again = 0; again < 10; again += 1) send('1', 'x');
  assert.equal(traces.characters, characters);
  send('1', 'x'.repeat(101), { 'service.name': 'shop', more: '' });
  assert.ok(traces.characters > characters + 100);
  send('1', 'x');
  assert.deepEqual([traces.characters, traces.spans, traces.get('a').size], [characters, 1, characters]);
  for (const id of ['2', '3', '2', '1', '2']) send(id, 'y');
  assert.deepEqual([traces.get('a').left, traces.spans, traces.get('a').spans.get('1').labels[0][1]], [1, 2, 'y']);
  traces.add(spans([{ id: '1', trace: 'b' }]));
  assert.deepEqual([traces.characters, traces.spans], [traces.get('b').size, 1]);
});

/** Guarantees: spans that hold much, or whose resources do, push others out before memory ends; the
 * newest trace stays. */
test('limits of size', () => {
  const traces = new Traces({ ...LIMITS, characters: 10_000 });
  const big = (trace, resource = 'x') => {
    const request = spans([{ id: 'a', trace }]);
    request.resourceSpans[0].resource = { attributes: attributes({ note: resource }) };
    request.resourceSpans[0].scopeSpans[0].spans[0].attributes = attributes({ text: 'y'.repeat(4000) });
    return request;
  };
  for (const trace of ['1', '2', '3']) traces.add(big(trace));
  assert.deepEqual([...traces.byId.keys()], ['2', '3']);
  traces.add(big('4', 'z'.repeat(50_000)));
  assert.deepEqual([...traces.byId.keys()], ['4']);
  traces.add(spans([{ id: 'b', trace: '5' }]));
  assert.deepEqual([...traces.byId.keys()], ['5']);
  assert.ok(traces.characters > 0 && traces.characters < 10_000);
});
