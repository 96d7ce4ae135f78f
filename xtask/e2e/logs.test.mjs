/** Logs: the live tail, filters, and all of a record. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { logs, seconds, spans } from './exports.mjs';
import { eventually, open, send, shows, startBrowser, startRelay, watched } from './harness.mjs';

const bodies = (page) => page.locator('.list-row .l-body');
const TRACE = '0af7651916cd43dd8448eb211c80319c';

/** Scenario: records before and after the page was opened; a text filter, also while paused; a
 * least severity; an attribute.
 * Guarantees: the tail is live and in order; the filter works on what is there while it is paused;
 * severity and attributes are asked of the relay. */
test('the tail and its filters', async (t) => {
  const relay = await startRelay(t);
  const browser = await startBrowser(t);
  await send(relay.base, 'logs', logs(seconds(), [[9, 'started'], [17, 'payment failed', { 'user.id': 'u7' }]]));
  const page = await open(t, browser, `${relay.base}#/logs`);
  await shows(bodies(page), 'started\npayment failed');
  await send(relay.base, 'logs', logs(seconds(), [[13, 'slow']], { service: 'bank' }));
  await shows(bodies(page), 'started\npayment failed\nslow');
  await shows(page.locator('.list-row .severity'), 'INFO\nERROR\nWARN');

  await page.getByRole('button', { name: 'Pause' }).click();
  await send(relay.base, 'logs', logs(seconds(), [[9, 'while paused']]));
  await page.getByText('1 new while paused').waitFor();
  const filter = page.getByLabel('Filter', { exact: true });
  await filter.fill('FAILED');
  await shows(bodies(page), 'payment failed');
  await filter.fill('');
  await shows(bodies(page), 'started\npayment failed\nslow');
  await page.getByRole('button', { name: 'Resume' }).click();
  await shows(bodies(page), 'started\npayment failed\nslow\nwhile paused');

  await page.getByLabel('Least severity').selectOption({ label: 'Warn and up' });
  await watched(page, ({ searchParams }) => searchParams.get('severity') === 'WARN', 'severity');
  await shows(bodies(page), 'payment failed\nslow');
  await filter.fill('resource.service.name=bank');
  await watched(page, ({ searchParams }) => searchParams.get('resource.service.name') === 'bank', 'the resource');
  await shows(bodies(page), 'slow');
  page.assertClean();
});

/** Scenario: records of two services; a filter is typed on another tab; then raw frames of logs are
 * looked at, and the same filter's logs again.
 * Guarantees: the tail shows what the filter leaves, once and in order, whatever was shown before. */
test('a filter from another tab', async (t) => {
  const relay = await startRelay(t);
  const browser = await startBrowser(t);
  await send(relay.base, 'logs', logs(seconds(), [[9, 'of shop']]));
  await send(relay.base, 'logs', logs(seconds(), [[9, 'of bank']], { service: 'bank' }));
  const page = await open(t, browser, `${relay.base}#/logs`);
  const tab = (name) => page.getByRole('link', { name, exact: true }).click();
  await shows(bodies(page), 'of shop\nof bank');
  await tab('Traces');
  await page.getByLabel('Filter', { exact: true }).fill('resource.service.name=shop');
  await watched(page, ({ pathname, searchParams }) => pathname === '/ws/traces' && searchParams.get('resource.service.name') === 'shop', 'the filter');
  await tab('Logs');
  await watched(page, ({ pathname, searchParams }) => pathname === '/ws/logs' && searchParams.get('resource.service.name') === 'shop', 'filtered logs');
  await send(relay.base, 'logs', logs(seconds(), [[9, 'more of shop']]));
  await shows(bodies(page), 'of shop\nmore of shop');

  await tab('Raw');
  await page.getByLabel('Path').selectOption('ws/logs');
  await watched(page, ({ pathname, searchParams }) => pathname === '/ws/logs' && !searchParams.has('envelope'), 'raw frames');
  await shows(page.locator('.list-row > :nth-child(2)'), 'logs\nlogs');
  await tab('Logs');
  await watched(page, ({ searchParams }) => searchParams.has('since'), 'what came meanwhile');
  await send(relay.base, 'logs', logs(seconds(), [[9, 'last of shop']]));
  await shows(bodies(page), 'of shop\nmore of shop\nlast of shop');
  page.assertClean();
});

/** Scenario: records with doubles, a list, a map and bytes as attributes; a double's button is pressed.
 * Guarantees: what the relay's filters can't compare has no button; a double is written as the relay
 * compares it, so that the record stays and the others go. */
test('filters of values that are no strings', async (t) => {
  const relay = await startRelay(t);
  const browser = await startBrowser(t);
  const odd = (text, values) => {
    const request = logs(seconds(), [[9, text]]);
    request.resourceLogs[0].scopeLogs[0].logRecords[0].attributes = Object.entries(values).map(([key, value]) => ({ key, value }));
    return request;
  };
  const list = { arrayValue: { values: [{ stringValue: 'a' }] } };
  const map = { kvlistValue: { values: [{ key: 'k', value: { intValue: '1' } }] } };
  await send(relay.base, 'logs', odd('three', { ratio: { doubleValue: 3 }, large: { doubleValue: 1e300 }, list, map, bytes: { bytesValue: 'AQI=' } }));
  await send(relay.base, 'logs', odd('four', { ratio: { doubleValue: 4 }, large: { doubleValue: 1e300 } }));
  const page = await open(t, browser, `${relay.base}#/logs`);
  await shows(bodies(page), 'three\nfour');
  await bodies(page).getByText('three').click();
  const record = page.getByRole('complementary', { name: 'Log record' });
  for (const name of ['list', 'map', 'bytes']) {
    await record.getByRole('row', { name }).waitFor();
    assert.equal(await record.getByRole('row', { name }).getByRole('button').count(), 0, name);
  }
  await record.getByRole('button', { name: 'Filter by attr.large=1e+300' }).click();
  await watched(page, ({ searchParams }) => searchParams.get('attr.large') === '1e+300', 'a large double');
  await shows(bodies(page), 'three\nfour');
  await record.getByRole('button', { name: 'Filter by attr.ratio=3.0' }).click();
  await watched(page, ({ searchParams }) => searchParams.get('attr.ratio') === '3.0', 'a whole double');
  await shows(bodies(page), 'three');
  page.assertClean();
});

/** Scenario: a record is opened; its attribute becomes a filter; its trace is followed, and back.
 * Guarantees: all of the record is there; the trace shows the record. Coming back shows no record
 * twice. */
test('a record and its trace', async (t) => {
  const relay = await startRelay(t);
  const browser = await startBrowser(t);
  const now = seconds();
  await send(relay.base, 'logs', logs(now, [[17, 'declined', { 'card.type': 'visa' }]], { trace: TRACE }));
  await send(relay.base, 'traces', spans(TRACE, now, [{ id: '00000000000000aa', name: 'POST /pay', from: 0, to: 0.25 }]));
  const page = await open(t, browser, `${relay.base}#/logs`);
  await bodies(page).getByText('declined').click();
  const record = page.getByRole('complementary', { name: 'Log record' });
  await shows(record.getByRole('row', { name: 'card.type' }).locator('td'), /visa/);
  await record.getByText('As OTLP JSON').click();
  await record.getByText('"severityNumber": 17').waitFor();
  await record.getByRole('link', { name: /Show trace/ }).click();
  const trace = page.getByRole('complementary', { name: 'Trace' });
  await trace.getByRole('button', { name: /POST \/pay\s*, shop,\s*250 ms/ }).waitFor();
  await trace.getByText('declined').waitFor();
  await page.goBack();
  await shows(bodies(page), 'declined');
  await send(relay.base, 'logs', logs(now, [[9, 'later']]));
  await shows(bodies(page), 'declined\nlater');
  page.assertClean();
});

/** Scenario: thousands of records; the reader scrolls up.
 * Guarantees: the list pauses by itself and says so; only rows in sight are in the document. */
test('scrolling up pauses', async (t) => {
  const relay = await startRelay(t);
  const browser = await startBrowser(t);
  for (let batch = 0; batch < 6; batch += 1) {
    await send(relay.base, 'logs', logs(seconds(), Array.from({ length: 1000 }, (_, at) => [9, `line ${batch * 1000 + at}`])));
  }
  const page = await open(t, browser, `${relay.base}#/logs`);
  await page.getByText('5,000 records; older ones are gone').waitFor();
  await bodies(page).getByText('line 5999', { exact: true }).waitFor();
  assert.ok((await page.locator('.list-row').count()) < 100);
  await page.getByRole('listbox').evaluate((list) => (list.scrollTop = 0));
  await page.getByRole('button', { name: 'Resume' }).waitFor();
  await bodies(page).getByText('line 1000', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Resume' }).click();
  await bodies(page).getByText('line 5999', { exact: true }).waitFor();
  await eventually(async () => (await page.getByRole('button', { name: 'Pause' }).count()) === 1, 'it goes on');
  page.assertClean();
});

/** Scenario: a record of which an attribute is very long.
 * Guarantees: as much as anybody reads is shown, in a box that leaves room for the rest, and all of
 * it in the JSON; the row stays one line. */
test('a very long attribute', async (t) => {
  const relay = await startRelay(t);
  const browser = await startBrowser(t);
  await send(relay.base, 'logs', logs(seconds(), [[9, `first\nsecond ${'long '.repeat(500)}`, { stack: 'x'.repeat(50_000), after: 'here' }]]));
  const page = await open(t, browser, `${relay.base}#/logs`);
  await bodies(page).click();
  const record = page.getByRole('complementary', { name: 'Log record' });
  const box = record.getByRole('region', { name: 'stack' });
  assert.match(await box.textContent(), /^x{10000}… 40,000 more characters$/);
  assert.ok((await box.boundingBox()).height < 200);
  await record.getByRole('row', { name: 'after' }).waitFor();
  await record.getByText('As OTLP JSON').click();
  assert.ok((await record.getByRole('region', { name: 'As OTLP JSON' }).textContent()).includes('x'.repeat(50_000)));
  assert.ok((await page.locator('.list-row').boundingBox()).height < 40);
  page.assertClean();
});
