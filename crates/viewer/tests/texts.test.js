import assert from 'node:assert/strict';
import { test } from 'node:test';

import { curl, python, websocat } from '../web/core/commands.js';
import { labelsOf } from '../web/core/attributes.js';
import { clauseText, globOf, globPattern, matcher, MAX_CLAUSES, MAX_SENT, parseFilter } from '../web/core/filter.js';
import { bytes, count, duration, plain, quantity, scaleTexts } from '../web/core/format.js';
import { Frames, MAX_SHOWN, pretty } from '../web/core/frames.js';
import { frameDetail, frameRow, gapText } from '../web/core/rows.js';
import { MAX_CHARTS } from '../web/core/view.js';
import { labelText, splitLabels } from '../web/ui/labels.js';

/** Guarantees: clauses of the relay are told from text; quotes hold together. */
test('filters are read', () => {
  assert.deepEqual(parseFilter('Time out attr.a="x y" resource.service.name=shop-* metric=m a=b attr.=c attr.k='), {
    clauses: [{ name: 'attr.a', value: 'x y' }, { name: 'resource.service.name', value: 'shop-*' }, { name: 'metric', value: 'm' }],
    words: ['time', 'out', 'a=b', 'attr.=c', 'attr.k='],
  });
  assert.deepEqual(parseFilter('"two words"').words, ['two words']);
  assert.deepEqual(parseFilter('attr.k==v').clauses, [{ name: 'attr.k', value: '=v' }]);
  const text = clauseText('attr.k', 'a b');
  assert.deepEqual(parseFilter(text).clauses, [{ name: 'attr.k', value: 'a b' }]);
});

/** Guarantees: globs as the relay's: `*`, `?`, a backslash before those and itself, and nothing
 * else is special; the glob of a value matches it alone. */
test('globs', () => {
  for (const [glob, yes, no] of [['a*', ['a', 'abc'], ['ba']], ['a?c', ['abc', 'a😀c'], ['ac', 'abbc']], ['a.b[c]+', ['a.b[c]+'], ['axbc']], ['*', ['', 'x\ny'], []], ['(^$|)\\', ['(^$|)\\'], ['']], ['a\\*\\?\\\\*', ['a*?\\', 'a*?\\b'], ['ab?\\', 'a\\*?\\']]]) {
    for (const text of yes) assert.ok(globPattern(glob).test(text), `${glob} ${text}`);
    for (const text of no) assert.ok(!globPattern(glob).test(text), `${glob} ${text}`);
  }
  for (const value of ['a', 'a*b?', 'C:\\dir\\', '\\*', '[a]']) {
    const pattern = globPattern(globOf(value));
    assert.ok(pattern.test(value) && !pattern.test(`${value}x`) && !pattern.test(value.replace(/[*?\\]/, 'x') + (/[*?\\]/.test(value) ? '' : 'x')), value);
  }
});

/** Guarantees: alternatives of one name, all of different names. */
test('matching', () => {
  const item = { labels: [['a', '1']], resource: [['r', 'x']], scope: 's' };
  const matches = (text) => matcher(parseFilter(text).clauses)?.(item);
  assert.ok(matches('attr.a=2 attr.a=1 resource.r=x scope=s'));
  assert.ok(!matches('attr.a=1 resource.r=y'));
  assert.ok(!matches('attr.b=*'));
  assert.equal(matches('metric=a text'), undefined);
});

/**
 * Scenario: items with a list, a map and bytes, and filters for their texts and for anything.
 * Guarantees: as in the relay, only `*` matches those, and nothing matches what isn't there.
 */
test('matching what has no text', () => {
  const values = { list: { arrayValue: { values: [{ stringValue: 'a' }] } }, map: { kvlistValue: {} }, bytes: { bytesValue: 'AQI=' }, text: { stringValue: '[a]' } };
  const item = { labels: labelsOf(Object.entries(values).map(([key, value]) => ({ key, value }))), resource: [], scope: '' };
  const matches = (text) => matcher(parseFilter(text).clauses)(item);
  for (const name of Object.keys(values)) {
    assert.ok(matches(`attr.${name}=*`) && matches(`attr.${name}=**`), name);
    assert.equal(matches(`attr.${name}=[a*`), name === 'text', name);
  }
  assert.ok(!matches('attr.map={*') && !matches('attr.bytes=AQI=') && !matches('attr.other=*'));
});

/**
 * Scenario: a filter of more clauses than the relay takes, beside as many charts as there may be.
 * Guarantees: all together, no more are sent than it takes; the rest is text.
 */
test('the most clauses', () => {
  const { clauses, words } = parseFilter(Array.from({ length: 70 }, (_, at) => `attr.k${at}=v`).join(' '));
  assert.equal(clauses.length, MAX_CLAUSES);
  assert.equal(words.length, 70 - MAX_CLAUSES);
  assert.equal(MAX_CLAUSES + MAX_CHARTS, MAX_SENT);
});

/** Guarantees: three digits, the unit that fits, and UCUM's units as people read them. */
test('quantities', () => {
  assert.deepEqual([0, 0.5, 12.345, 999.9, 1000, 12_345, 1.5e6, -2500, 1e-5, NaN].map((value) => plain(value)), ['0', '0.5', '12.3', '1k', '1k', '12.3k', '1.5M', '-2.5k', '1.0e-5', 'NaN']);
  assert.deepEqual([0, 1023, 1024, 1.5 * 2 ** 30].map((value) => bytes(value)), ['0 B', '1023 B', '1 KiB', '1.5 GiB']);
  assert.deepEqual([0, 0.0123, 1.5, 90, 7200].map((value) => duration(value)), ['0 s', '12.3 ms', '1.5 s', '1.5 min', '2 h']);
  assert.deepEqual([quantity(2048, 'By', true), quantity(250, 'ms'), quantity(3, '{request}', true), quantity(0.5, '1'), quantity(undefined, 's')], ['2 KiB/s', '250 ms', '3 request/s', '0.5', '–']);
  assert.deepEqual([count(1, 'span'), count(1200, 'span'), count(2, 'series', 'series')], ['1 span', '1,200 spans', '2 series']);
});

/** Guarantees: the texts of a scale are exact, or tell its values apart, and are no longer than that. */
test('scales', () => {
  const text = (value, precision) => quantity(value, 'Cel', false, precision);
  assert.deepEqual(scaleTexts([0, 10, 20], text), ['0 Cel', '10 Cel', '20 Cel']);
  assert.deepEqual(scaleTexts([29.45, 29.5, 29.55], text), ['29.45 Cel', '29.5 Cel', '29.55 Cel']);
  assert.deepEqual(scaleTexts([100_000, 100_050], (value, precision) => plain(value, precision)), ['100k', '100.05k']);
  assert.deepEqual(scaleTexts([1024 ** 2, 1024 ** 2 + 1024], (value, precision) => bytes(value, precision)), ['1 MiB', '1.001 MiB']);
  assert.deepEqual(scaleTexts([1 / 3, 2 / 3], text), ['0.333 Cel', '0.667 Cel']);
});

/** Guarantees: what a shell or Python reads is the address, whatever it holds. */
test('commands', () => {
  assert.equal(websocat("ws://h/ws?a='b", false), "websocat -B 16777216 'ws://h/ws?a='\\''b'");
  assert.ok(curl('http://h/', true).includes('$TOKEN'));
  assert.ok(python('ws://h/"', false).includes('"ws://h/\\""'));
  assert.ok(python('ws://h/', true).includes('os.environ'));
  // Behind `-H` and a space, websocat takes the address for a header too.
  assert.equal(websocat('ws://h/ws', true), `websocat -B 16777216 -H="Authorization: Bearer $TOKEN" 'ws://h/ws'`);
  // A frame of points has several lines.
  assert.match(python('ws://h/', false), /for line in filter\(None, frame\.split\("\\n"\)\):\n {16}print\(json\.loads\(line\)\)/);
});

/** Guarantees: labels that all lines share are said once. */
test('labels', () => {
  const lines = [{ labels: [['attr.a', '1'], ['resource.r', 'x']] }, { labels: [['attr.a', '2'], ['resource.r', 'x']] }];
  const { shared, differing } = splitLabels(lines);
  assert.equal(labelText(shared), 'r=x');
  assert.deepEqual(lines.map((line) => labelText(differing(line))), ['a=1', 'a=2']);
  const alone = splitLabels([{ labels: [['attr.a', '1'], ['resource.r', 'x'], ['quantile', 'p50']] }]);
  assert.equal(labelText(alone.shared), 'r=x');
  assert.equal(labelText(alone.differing({ labels: [['attr.a', '1'], ['resource.r', 'x'], ['quantile', 'p50']] })), 'a=1 · p50');
  assert.deepEqual(splitLabels([]).shared, []);
});

/** Guarantees: so many frames, and so much text; the newest always stays. */
test('frames', () => {
  const frames = new Frames({ frames: 3, characters: 10 });
  for (const text of ['aaa', 'bbb', 'ccc', 'ddd']) frames.add(text, { time: 1 });
  assert.deepEqual(frames.ring.toArray().map(({ text }) => text), ['bbb', 'ccc', 'ddd']);
  frames.add('eeeeee', {});
  assert.deepEqual(frames.ring.toArray().map(({ text }) => text), ['ddd', 'eeeeee']);
  assert.equal(frames.gone, 3);
  frames.addGap('missing', 7);
  assert.deepEqual(frames.ring.toArray().map(frameRow).at(-1), { id: 6, gap: 'missing', time: 7 });
  frames.add('f'.repeat(99), {});
  assert.equal(frames.ring.length, 1);
  assert.equal(frames.characters, 99);
});

/** Guarantees: JSON is broken into lines, each line of several by itself, and nothing else changes;
 * of a long one a part is shown, and its whole length is known. */
test('what is read of frames', () => {
  assert.equal(pretty('{"a":[1]}'), '{\n  "a": [\n    1\n  ]\n}');
  assert.equal(pretty('{"a":1}\n{"b":2}\nno JSON\n'), '{\n  "a": 1\n}\n{\n  "b": 2\n}\nno JSON');
  const text = JSON.stringify(Array.from({ length: 60_000 }, () => 1));
  const { shown, length, text: whole } = frameDetail({ id: 1, text });
  assert.deepEqual([shown.length, length, whole], [MAX_SHOWN, pretty(text).length, text]);
});

/** Guarantees: what is missing is said in words, and how much of it where that is known. */
test('gaps are named', () => {
  assert.equal(gapText('lost', 1200), '1,200 exports lost here');
  assert.match(gapText('break', 0), /not known/);
  assert.match(gapText('away', 0), /other views/);
  assert.match(gapText('restart', 0), /started again/);
});
