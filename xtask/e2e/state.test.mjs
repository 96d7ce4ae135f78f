/** Connections that break, relays that start again, and what the page says of it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { gauge, logs, metrics, point, seconds, spans } from './exports.mjs';
import { eventually, open, send, shows, startBrowser, startRelay, state, watched } from './harness.mjs';
import { startPipe } from './proxy.mjs';

const bodies = (page) => page.locator('.list-row .l-body');
/** What browsers say of connections that are refused or cut. */
const BROKEN = /ERR_|WebSocket connection|Failed to load resource/;

/** Scenario: the connection is cut; records come meanwhile; it can be made again.
 * Guarantees: the page says that it reconnects, comes back by itself, and has lost nothing and shows
 * nothing twice. */
test('a connection is resumed', async (t) => {
  const relay = await startRelay(t);
  const pipe = await startPipe(t, relay.port);
  const browser = await startBrowser(t);
  const page = await open(t, browser, `${pipe.base}#/logs`, { allowed: BROKEN });
  await shows(state(page), 'Live');
  await send(relay.base, 'logs', logs(seconds(), [[9, 'one']]));
  await shows(bodies(page), 'one');
  pipe.cut();
  await shows(state(page), 'Reconnecting');
  await send(relay.base, 'logs', logs(seconds(), [[9, 'two']]));
  await send(relay.base, 'logs', logs(seconds(), [[9, 'three']]));
  pipe.mend();
  await shows(state(page), 'Live');
  await shows(bodies(page), 'one\ntwo\nthree');
  await shows(page.locator('.fact-lost'), '0 lost');
  page.assertClean();
});

/** Scenario: the relay is killed and started again on its port; exports come before the page reaches
 * it, and after.
 * Guarantees: the page comes back by itself, keeps what it has, shows all that the new relay has
 * accepted, once, and says between them that nobody knows what was missed. */
test('a relay that starts again', async (t) => {
  const relay = await startRelay(t);
  const pipe = await startPipe(t, relay.port);
  const browser = await startBrowser(t);
  const page = await open(t, browser, `${pipe.base}#/logs`, { allowed: BROKEN });
  await send(relay.base, 'logs', logs(seconds(), [[9, 'before']]));
  await shows(bodies(page), 'before');
  pipe.cut();
  await relay.stop('SIGKILL');
  await shows(state(page), 'Reconnecting');
  const again = await startRelay(t, [], relay.port);
  await send(again.base, 'logs', logs(seconds(), [[9, 'meanwhile']]));
  pipe.mend();
  await shows(bodies(page), 'before\nmeanwhile');
  await send(again.base, 'logs', logs(seconds(), [[9, 'after']]));
  await shows(bodies(page), 'before\nmeanwhile\nafter');
  await shows(page.locator('.list-row'), /before[\s\S]*— the relay was started again: nobody knows what is missing here —[\s\S]*meanwhile[\s\S]*after/);
  await shows(page.locator('.fact-lost'), '0 lost + 1 unknown');
  page.assertClean();
});

/** Scenario: logs and traces are seen; the relay is killed and started again while metrics are; records
 * and a trace come; the reader goes back to logs and traces.
 * Guarantees: all that the new relay has accepted is there, beside what was; both views say that the
 * relay was started again, and each counts. */
test('a relay that starts again while other views are open', async (t) => {
  const relay = await startRelay(t);
  const browser = await startBrowser(t);
  const page = await open(t, browser, `${relay.base}#/logs`, { allowed: BROKEN });
  const trace = (number, name) => spans(`${number}`.repeat(32), seconds(), [{ id: '00000000000000aa', name, from: 0, to: 0.1 }]);
  const names = page.locator('.list-row .t-name strong');
  await send(relay.base, 'logs', logs(seconds(), [[9, 'before']]));
  await shows(bodies(page), 'before');
  await page.keyboard.press('3');
  await send(relay.base, 'traces', trace(1, 'GET /before'));
  await shows(names, 'GET /before');
  await page.keyboard.press('1');
  await send(relay.base, 'metrics', metrics([gauge('depth', [point(seconds(), 1)])]));
  await page.locator('.list-row', { hasText: 'depth' }).waitFor();
  await relay.stop('SIGKILL');
  await shows(state(page), 'Reconnecting');
  const again = await startRelay(t, [], relay.port);
  await shows(page.locator('.fact-lost'), '0 lost + 1 unknown');
  await send(again.base, 'logs', logs(seconds(), [[9, 'meanwhile']]));
  await send(again.base, 'traces', trace(2, 'GET /meanwhile'));
  await page.keyboard.press('2');
  await shows(bodies(page), 'before\nmeanwhile');
  await page.locator('.gap-row', { hasText: 'the relay was started again' }).waitFor();
  await shows(page.locator('.fact-lost'), '0 lost + 2 unknown');
  await page.keyboard.press('3');
  await eventually(async () => (await names.allInnerTexts()).sort().join() === 'GET /before,GET /meanwhile', 'both traces');
  await shows(page.locator('.missing'), /^At \d\d:\d\d:\d\d\.\d{3}: the relay was started again: nobody knows what is missing here\.$/);
  await shows(page.locator('.fact-lost'), '0 lost + 3 unknown');
  page.assertClean();
});

/** Scenario: a relay that keeps no history; traces are left, one comes, and they are come back to.
 * Guarantees: the page says since when something may be missing, and counts it. */
test('traces that were left for too long', async (t) => {
  const relay = await startRelay(t, ['--history-bytes', '0']);
  const browser = await startBrowser(t);
  const page = await open(t, browser, `${relay.base}#/traces`);
  const trace = (number, name) => spans(`${number}`.repeat(32), seconds(), [{ id: '00000000000000aa', name, from: 0, to: 0.1 }]);
  const names = page.locator('.list-row .t-name strong');
  await shows(state(page), 'Live');
  await send(relay.base, 'traces', trace(1, 'GET /seen'));
  await shows(names, 'GET /seen');
  await page.keyboard.press('2');
  await watched(page, ({ pathname }) => pathname === '/ws/logs', 'logs');
  await send(relay.base, 'traces', trace(2, 'GET /missed'));
  await page.keyboard.press('3');
  await shows(page.locator('.missing'), /^At \d\d:\d\d:\d\d\.\d{3}: other views were open for so long that not all that came is here\.$/);
  await shows(names, 'GET /seen');
  await shows(page.locator('.fact-lost'), '0 lost + 1 unknown');
  page.assertClean();
});

/** Scenario: the relay can't be reached when raw frames are asked for first; then it can.
 * Guarantees: they begin with what the history holds, and nothing is said to be missing. */
test('raw frames that wait for the relay', async (t) => {
  const relay = await startRelay(t);
  const pipe = await startPipe(t, relay.port);
  const browser = await startBrowser(t);
  const page = await open(t, browser, pipe.base, { allowed: BROKEN });
  await shows(state(page), 'Live');
  await send(relay.base, 'logs', logs(seconds(), [[9, 'early']]));
  pipe.cut();
  await shows(state(page), 'Reconnecting');
  await page.keyboard.press('4');
  await page.getByRole('heading', { name: 'Raw' }).waitFor();
  // More than what is under way for the view before.
  const before = pipe.refused();
  await eventually(() => pipe.refused() >= before + 6, 'attempts');
  pipe.mend();
  await shows(page.locator('.list-row > :nth-child(2)'), 'logs');
  await shows(page.locator('.fact-lost'), '0 lost');
  assert.equal(await page.locator('.gap-row').count(), 0);
  page.assertClean();
});

/** Scenario: the same, before a chart, and before raw frames.
 * Guarantees: each shows where something is missing: the chart a mark and a line that is broken
 * there, the frames a row between those before and those after. */
test('gaps in charts and frames', async (t) => {
  const relay = await startRelay(t);
  const browser = await startBrowser(t);
  const chart = await open(t, browser, `${relay.base}#/metrics?m=depth`, { allowed: BROKEN });
  const raw = await open(t, browser, `${relay.base}#/raw`, { allowed: BROKEN });
  const pages = [chart, raw];
  for (const page of pages) await shows(state(page), 'Live');
  const one = (value) => metrics([gauge('depth', [point(Date.now() / 1000, value)])]);
  await send(relay.base, 'metrics', one(1));
  await shows(raw.locator('.list-row > :nth-child(2)'), 'metrics');
  await shows(chart.locator('.legend-value'), '1');
  await relay.stop('SIGKILL');
  for (const page of pages) await shows(state(page), 'Reconnecting');
  const again = await startRelay(t, [], relay.port);
  for (const page of pages) await shows(state(page), 'Live');
  await send(again.base, 'metrics', one(2));
  await shows(raw.locator('.list-row'), /metrics[\s\S]*— what came before the relay was reached again is not known —[\s\S]*metrics/);
  await shows(chart.locator('.legend-value'), '2');
  await chart.getByText('Marked: the relay was started again: nobody knows what is missing here.').waitFor();
  for (const page of pages) await shows(page.locator('.fact-lost'), '0 lost + 1 unknown');
  for (const page of pages) page.assertClean();
});

/** Scenario: exports whose JSON is longer than a frame may be.
 * Guarantees: the page says how many it has not got. */
test('losses are told', async (t) => {
  const relay = await startRelay(t, ['--max-frame', '4KiB']);
  const browser = await startBrowser(t);
  const page = await open(t, browser, relay.base);
  await shows(state(page), 'Live');
  const many = Array.from({ length: 100 }, (_, at) => point(seconds(), at, { at }));
  await send(relay.base, 'metrics', metrics([gauge('too.many', many)]));
  await send(relay.base, 'metrics', metrics([gauge('few', [point(seconds(), 1)])]));
  await page.locator('.list-row', { hasText: 'few' }).waitFor();
  await shows(page.locator('.fact-lost'), '1 lost');
  page.assertClean();
});

/** Scenario: a filter that the relay refuses, then one that it takes.
 * Guarantees: the page says why, in the relay's words, and lives again. */
test('a refusal is explained', async (t) => {
  const relay = await startRelay(t);
  const browser = await startBrowser(t);
  const page = await open(t, browser, relay.base, { allowed: BROKEN });
  const filter = page.getByLabel('Filter', { exact: true });
  await filter.fill(`attr.k=${'x'.repeat(300)}`);
  await shows(state(page), 'Refused');
  await page.getByText(/256 bytes/).waitFor();
  await filter.fill('');
  await shows(state(page), 'Live');
  page.assertClean();
});
