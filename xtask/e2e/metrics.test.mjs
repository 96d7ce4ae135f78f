/** Metrics: from an export that is posted to the row, the line and the value that are seen. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { counter, exponential, gauge, histogram, metrics, nanos, point, seconds } from './exports.mjs';
import { eventually, open, send, shows, startBrowser, startRelay, state, watched } from './harness.mjs';

const row = (page, name) => page.locator('.list-row', { has: page.getByText(name, { exact: true }) });
const card = (page, name) => page.getByRole('region', { name, exact: true });
const legend = (page, name) => card(page, name).locator('.legend-entry');

/** Scenario: nothing has come yet, then a metric comes.
 * Guarantees: the page teaches how to send, with this relay's address; then it is live by itself. */
test('from empty to live', async (t) => {
  const relay = await startRelay(t);
  const browser = await startBrowser(t);
  const page = await open(t, browser, relay.base);
  await shows(state(page), 'Live');
  await page.getByRole('heading', { name: 'Waiting for metrics' }).waitFor();
  await page.getByText(`OTEL_EXPORTER_OTLP_ENDPOINT=http://${relay.host}`).waitFor();
  await page.getByText('exporters: [otlp_http/relay]').waitFor();
  await send(relay.base, 'metrics', metrics([gauge('room.temperature', [point(seconds(), 21.5)], 'Cel')]));
  await shows(row(page, 'room.temperature').locator('.m-newest'), '21.5 Cel');
  await shows(row(page, 'room.temperature').locator('small').first(), 'gauge · Cel');
  page.assertClean();
});

/** Scenario: nothing has come yet, then a metric; a filter that it doesn't match; then all is cleared.
 * Guarantees: the page says that nothing matches while something is there, and teaches how to send when
 * nothing is. */
test('nothing matches, and nothing is there', async (t) => {
  const relay = await startRelay(t);
  const browser = await startBrowser(t);
  const page = await open(t, browser, relay.base);
  const welcome = page.getByRole('heading', { name: 'Waiting for metrics' });
  await welcome.waitFor();
  await send(relay.base, 'metrics', metrics([gauge('depth', [point(seconds(), 1)])]));
  await row(page, 'depth').waitFor();
  await page.getByLabel('Filter', { exact: true }).fill('height');
  await page.getByText('No metric matches the filter.').waitFor();
  await page.getByRole('button', { name: 'Clear' }).click();
  await welcome.waitFor();
  assert.equal(await page.getByText('No metric matches the filter.').count(), 0);
  page.assertClean();
});

/** Scenario: a counter with a reset, two routes; then a group, a filter, and values in place of rates.
 * Guarantees: rates are right, resets too; the relay is asked for this metric alone, and with the
 * filter; the address says it all, and shows the same in another window. */
test('counters', async (t) => {
  const relay = await startRelay(t);
  const browser = await startBrowser(t);
  const now = seconds();
  const at = (time, a, b, start) => metrics([counter('http.requests', [point(time, a, { route: '/a' }, start), point(time, b, { route: '/b' }, start)], '{request}'), gauge('other', [point(time, 1)])]);
  await send(relay.base, 'metrics', at(now - 20, 100, 1000, now - 100));
  await send(relay.base, 'metrics', at(now - 10, 150, 1100, now - 100));
  const page = await open(t, browser, relay.base);
  await row(page, 'http.requests').click();
  await watched(page, ({ pathname, searchParams }) => pathname === '/ws/metrics' && searchParams.getAll('metric').join() === 'http.requests', 'one metric is asked for');
  await shows(legend(page, 'http.requests'), /\/a\s+5 request\/s\s+\/b\s+10 request\/s/);
  // Both begin anew.
  await send(relay.base, 'metrics', at(now, 30, 60, now - 5));
  await shows(legend(page, 'http.requests'), /\/a\s+6 request\/s\s+\/b\s+12 request\/s/);

  await page.getByLabel('Lines of http.requests').selectOption({ label: 'all in one' });
  await shows(legend(page, 'http.requests'), /all\s+18 request\/s/);
  await page.getByLabel('Lines of http.requests').selectOption({ label: 'by route' });
  await page.getByLabel('Show http.requests as').selectOption({ label: 'Value' });
  await shows(legend(page, 'http.requests'), /\/a\s+30 request\s+\/b\s+60 request/);
  await page.getByLabel('Filter', { exact: true }).fill('attr.route=/b');
  await watched(page, ({ searchParams }) => searchParams.get('attr.route') === '/b', 'the filter is sent to the relay');
  await shows(legend(page, 'http.requests'), /^\/b\s+60 request$/);

  const shared = await open(t, browser, page.url());
  await shows(legend(shared, 'http.requests'), /^\/b\s+60 request$/);
  page.assertClean();
  shared.assertClean();
});

/** Scenario: a histogram, an exponential one and a summary.
 * Guarantees: p50, p90 and p99 as the buckets have them, and bars of the newest interval. */
test('distributions', async (t) => {
  const relay = await startRelay(t);
  const browser = await startBrowser(t);
  const now = seconds();
  const summary = { name: 'gc', unit: 's', summary: { dataPoints: [{ timeUnixNano: nanos(now), count: '3', sum: 1, quantileValues: [{ quantile: 0.5, value: 0.25 }] }] } };
  await send(relay.base, 'metrics', metrics([histogram('latency', now, [0.1, 0.2], [10, 10, 0]), exponential('payment', now, 0, 3, [100]), summary]));
  const page = await open(t, browser, `${relay.base}#/metrics?m=latency&m=payment&m=gc`);
  await shows(legend(page, 'latency'), /p50\s+100 ms\s+p90\s+180 ms\s+p99\s+198 ms/);
  await shows(legend(page, 'payment'), /p50\s+11.3 s/);
  await shows(legend(page, 'gc'), /p50\s+250 ms/);
  await page.getByRole('img', { name: 'Buckets of the newest interval: 20 values' }).waitFor();
  assert.equal(await card(page, 'latency').locator('.bucket').count(), 2);
  assert.deepEqual(new URL(page.sockets.at(-1)).searchParams.getAll('metric'), ['latency', 'payment', 'gc']);
  // Something was drawn.
  const colours = await card(page, 'latency').locator('canvas').evaluate((canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let at = 0; at < data.length; at += 4) if (data[at + 3] === 255) seen.add(`${data[at]},${data[at + 1]},${data[at + 2]}`);
    return seen.size;
  });
  assert.ok(colours > 5, `${colours} colours`);
  page.assertClean();
});

/** Scenario: a metric whose name is a glob, beside one that the glob would match; a line's own labels
 * as a filter, one of them a glob too.
 * Guarantees: the relay is asked for what is meant and nothing else. */
test('names that look like globs', async (t) => {
  const relay = await startRelay(t);
  const browser = await startBrowser(t);
  const now = seconds();
  await send(relay.base, 'metrics', metrics([gauge('jobs.*', [point(now, 1, { queue: 'a?' }), point(now, 2, { queue: 'ab' })]), gauge('jobs.done', [point(now, 3)])]));
  const page = await open(t, browser, relay.base);
  await row(page, 'jobs.*').click();
  await watched(page, ({ searchParams }) => searchParams.get('metric') === 'jobs.\\*', 'this metric alone');
  await shows(legend(page, 'jobs.*'), /a\?\s+1\s+ab\s+2/);
  await card(page, 'jobs.*').locator('.legend li').first().hover();
  await card(page, 'jobs.*').getByRole('button', { name: 'Filter by queue=a?' }).click();
  await watched(page, ({ searchParams }) => searchParams.get('attr.queue') === 'a\\?', 'this label alone');
  await shows(legend(page, 'jobs.*'), /a\?\s+1$/);
  // What the relay sends now is the proof that it means the same.
  await page.getByRole('button', { name: 'Clear' }).click();
  await send(relay.base, 'metrics', metrics([gauge('jobs.*', [point(now + 1, 5, { queue: 'a?' }), point(now + 1, 6, { queue: 'ab' })])]));
  await shows(legend(page, 'jobs.*'), /5$/);
  page.assertClean();
});

/** Scenario: more lines than a chart shows, again and again others the highest.
 * Guarantees: the chart stays one and the same picture, and lines don't come and go with each
 * export. */
test('a chart of many lines', async (t) => {
  const relay = await startRelay(t);
  const browser = await startBrowser(t);
  const now = seconds();
  const at = (time, value) => metrics([gauge('pods', Array.from({ length: 30 }, (_, one) => point(time, value(one), { one })))]);
  await send(relay.base, 'metrics', at(now - 2, (one) => one));
  const page = await open(t, browser, `${relay.base}#/metrics?m=pods`);
  await shows(legend(page, 'pods').first(), /^10\s+10$/);
  await card(page, 'pods').locator('canvas').evaluate((canvas) => (canvas.id = 'the-same'));
  await send(relay.base, 'metrics', at(now - 1, (one) => 100 - one));
  await shows(legend(page, 'pods').first(), /^10\s+90$/);
  assert.equal(await legend(page, 'pods').count(), 20);
  // In the end, the highest are shown again.
  await eventually(async () => (await legend(page, 'pods').allInnerTexts()).some((text) => /^0\s+100$/.test(text)), 'the highest');
  assert.equal(await card(page, 'pods').locator('canvas#the-same').count(), 1);
  page.assertClean();
});

/** Scenario: paused, while more comes; resumed; cleared.
 * Guarantees: what is shown stands still and the page goes on receiving; then all of it is there. */
test('pause, resume, clear', async (t) => {
  const relay = await startRelay(t);
  const browser = await startBrowser(t);
  const now = seconds();
  await send(relay.base, 'metrics', metrics([gauge('depth', [point(now - 3, 1)])]));
  const page = await open(t, browser, `${relay.base}#/metrics?m=depth`);
  await shows(legend(page, 'depth'), /\s1$/);
  await page.keyboard.press('p');
  await shows(state(page), 'Paused, still receiving');
  // What the first export brought is over.
  const rate = page.locator('.fact-exports');
  await shows(rate, '0 exports/s');
  await send(relay.base, 'metrics', metrics([gauge('depth', [point(now + 2, 7)])]));
  await eventually(async () => /[1-9]/.test(await rate.innerText()), 'it is received');
  // So is the second, and the page has been drawn many times since.
  await shows(rate, '0 exports/s');
  await shows(legend(page, 'depth'), /\s1$/);
  await page.getByRole('button', { name: 'Resume' }).click();
  await shows(legend(page, 'depth'), /\s7$/);
  await page.getByRole('button', { name: 'Clear' }).click();
  await card(page, 'depth').getByText('Waiting for its next export.').waitFor();
  page.assertClean();
});

/** Scenario: several metrics chosen by keyboard alone.
 * Guarantees: arrows move, Space chooses, Enter opens; going back leads back to the list. */
test('the keyboard is enough', async (t) => {
  const relay = await startRelay(t);
  const browser = await startBrowser(t);
  await send(relay.base, 'metrics', metrics(['a', 'b', 'c'].map((name) => gauge(name, [point(seconds(), 1)]))));
  const page = await open(t, browser, relay.base);
  await row(page, 'c').waitFor();
  await page.getByRole('listbox', { name: 'Metrics' }).focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('Space');
  await page.getByText('1 metric chosen').waitFor();
  await page.getByRole('listbox', { name: 'Metrics' }).focus();
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await card(page, 'a').waitFor();
  await card(page, 'c').waitFor();
  assert.equal(await card(page, 'b').count(), 0);
  await page.goBack();
  await row(page, 'b').waitFor();
  await page.keyboard.press('2');
  await page.getByRole('heading', { name: 'Waiting for logs' }).waitFor();
  page.assertClean();
});

/** Scenario: more series than the page keeps.
 * Guarantees: it says so, and lives. */
test('limits are said', async (t) => {
  const relay = await startRelay(t);
  const browser = await startBrowser(t);
  const points = Array.from({ length: 10_500 }, (_, at) => point(seconds(), at, { at }));
  await send(relay.base, 'metrics', metrics([gauge('many', points)]));
  const page = await open(t, browser, relay.base);
  await page.getByText('More than 10,000 series').waitFor();
  await row(page, 'many').click();
  await card(page, 'many').getByText('9,980 more lines: the 20 highest are shown').waitFor();
  page.assertClean();
});
