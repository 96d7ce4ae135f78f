/** Connections that break, relays that start again, and what the page says of it. */

import { test } from 'node:test';

import { gauge, logs, metrics, point, seconds } from './exports.mjs';
import { open, send, shows, startBrowser, startRelay, state } from './harness.mjs';
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

/** Scenario: the relay is killed and started again on its port, and an export comes.
 * Guarantees: the page comes back by itself, keeps what it has, shows what is new, and says that
 * nobody knows what was missed. */
test('a relay that starts again', async (t) => {
  const relay = await startRelay(t);
  const browser = await startBrowser(t);
  const page = await open(t, browser, `${relay.base}#/logs`, { allowed: BROKEN });
  await send(relay.base, 'logs', logs(seconds(), [[9, 'before']]));
  await shows(bodies(page), 'before');
  await relay.stop('SIGKILL');
  await shows(state(page), 'Reconnecting');
  const again = await startRelay(t, [], relay.port);
  await shows(state(page), 'Live');
  await send(again.base, 'logs', logs(seconds(), [[9, 'after']]));
  await shows(bodies(page), 'before\nafter');
  await page.locator('.gap-row').waitFor();
  await shows(page.locator('.fact-lost'), '0 lost + 1 unknown');
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
  await chart.getByText('Marked: what came before the relay was reached again is not known.').waitFor();
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
