/** Traces: the table, and the waterfall of the one that is open. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { seconds, spans } from './exports.mjs';
import { open, send, shows, startBrowser, startRelay } from './harness.mjs';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const id = (number) => number.toString(16).padStart(16, '0');

/** Scenario: a trace in two exports, children first, with an error and a span whose parent never
 * comes.
 * Guarantees: one row with root, duration, spans and errors; a waterfall in order of the tree, bars
 * where they belong; what is missing is said; a span shows all that it holds. */
test('a trace', async (t) => {
  const relay = await startRelay(t);
  const browser = await startBrowser(t);
  const now = seconds() - 2;
  const page = await open(t, browser, `${relay.base}#/traces`);
  await page.getByRole('heading', { name: 'Waiting for traces' }).waitFor();
  await send(relay.base, 'traces', spans(TRACE, now, [
    { id: id(3), parent: id(1), name: 'charge card', from: 0.5, to: 1, error: 'declined' },
    { id: id(9), parent: id(8), name: 'lost child', from: 0.6, to: 0.7 },
  ], 'payment'));
  await send(relay.base, 'traces', spans(TRACE, now, [
    { id: id(2), parent: id(1), name: 'load cart', from: 0.1, to: 0.3 },
    { id: id(1), name: 'POST /checkout', from: 0, to: 1 },
  ]));
  const row = page.locator('.list-row');
  await shows(row.locator('.t-name strong'), 'POST /checkout');
  await shows(row.locator('.t-name small'), 'shop · 2 services');
  await shows(row.locator('.t-duration'), '1 s');
  await shows(row.locator('.t-spans'), '4');
  await shows(row.locator('.t-errors'), '1');
  await row.click();
  const trace = page.getByRole('complementary', { name: 'Trace' });
  await shows(trace.locator('.span-name'), /^POST \/checkout\s*, shop,\s+load cart\s*, shop,\s+!\s*charge card\s*, payment,\s+lost child\s*, payment,$/);
  await trace.getByText(`parent ${id(8)} not received`).waitFor();
  const part = (name) => trace.locator('.span-row', { hasText: name }).locator('.span-bar').evaluate((bar) => {
    const [bars, track] = [bar.getBoundingClientRect(), bar.parentElement.getBoundingClientRect()];
    return [(bars.left - track.left) / track.width, bars.width / track.width].map((value) => Math.round(value * 100) / 100);
  });
  assert.deepEqual(await part('POST /checkout'), [0, 1]);
  assert.deepEqual(await part('load cart'), [0.1, 0.2]);
  assert.deepEqual(await part('charge card'), [0.5, 0.5]);
  await trace.getByRole('button', { name: /charge card/ }).click();
  await shows(trace.getByRole('row', { name: 'Error' }).locator('td'), 'declined');
  await shows(trace.getByRole('row', { name: 'http.route' }).locator('td'), /^\/checkout/);
  await trace.getByText('As OTLP JSON').click();
  await trace.getByText('"message": "declined"').waitFor();
  // More of the trace comes, and what is open stays.
  await send(relay.base, 'traces', spans(TRACE, now, [{ id: id(4), parent: id(3), name: 'bank', from: 0.6, to: 0.9 }], 'payment'));
  await trace.getByRole('button', { name: /bank/ }).waitFor();
  await shows(trace.getByRole('row', { name: 'Error' }).locator('td'), 'declined');

  const shared = await open(t, browser, page.url());
  await shared.getByRole('button', { name: /charge card/ }).waitFor();
  await page.keyboard.press('Escape');
  await trace.waitFor({ state: 'hidden' });
  await send(relay.base, 'traces', spans('1'.repeat(32), now + 1, [{ id: id(1), name: 'GET /ok', from: 0, to: 0.1 }]));
  await shows(row.locator('.t-name strong'), 'GET /ok\nPOST /checkout');
  await page.getByLabel('Which traces').selectOption({ label: 'With errors' });
  await shows(row.locator('.t-name strong'), 'POST /checkout');
  assert.ok(page.url().endsWith('#/traces?failed'));
  page.assertClean();
  shared.assertClean();
});

/** Scenario: more traces than are kept; a filter.
 * Guarantees: the newest are kept, and it is said that others are gone; names are found. */
test('many traces', async (t) => {
  const relay = await startRelay(t);
  const browser = await startBrowser(t);
  const now = seconds() - 1000;
  for (let batch = 0; batch < 6; batch += 1) {
    const requests = Array.from({ length: 100 }, (_, at) => spans(id(batch * 100 + at + 1).padStart(32, '0'), now + batch * 100 + at, [{ id: id(1), name: `trace ${batch * 100 + at}`, from: 0, to: 0.1 }]));
    await send(relay.base, 'traces', { resourceSpans: requests.flatMap(({ resourceSpans }) => resourceSpans) });
  }
  const page = await open(t, browser, `${relay.base}#/traces`);
  await page.getByText('500 traces; older ones are gone').waitFor();
  await shows(page.locator('.list-row .t-name strong').first(), 'trace 599');
  await page.getByLabel('Filter', { exact: true }).fill('"trace 321"');
  await shows(page.locator('.list-row .t-name strong'), 'trace 321');
  page.assertClean();
});
