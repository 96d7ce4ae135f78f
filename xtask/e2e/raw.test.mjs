/** Raw frames, and how to get them elsewhere. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { gauge, logs, metrics, point, seconds } from './exports.mjs';
import { open, send, shows, startBrowser, startRelay, watched } from './harness.mjs';

/** Scenario: frames of two signals; one is opened and copied; another path and format.
 * Guarantees: frames as they came, read easily, copied exactly; the address and the lines for other
 * programs are those of the view. */
test('frames', async (t) => {
  const relay = await startRelay(t);
  const browser = await startBrowser(t);
  const page = await open(t, browser, `${relay.base}#/raw`, { permissions: ['clipboard-read', 'clipboard-write'] });
  await page.getByText('Waiting for a frame.').waitFor();
  const sent = metrics([gauge('a', [point(seconds(), 1)])]);
  await send(relay.base, 'metrics', sent);
  await send(relay.base, 'logs', logs(seconds(), [[9, 'hello']]));
  await shows(page.locator('.list-row > :nth-child(2)'), 'metrics\nlogs');
  await page.locator('.list-row', { hasText: 'resourceMetrics' }).click();
  const frame = page.getByRole('complementary', { name: 'Frame' });
  await frame.getByText('"name": "a"').waitFor();
  await frame.getByRole('button', { name: 'Copy: Frame' }).click();
  await frame.getByRole('button', { name: 'copied' }).waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  const { resourceMetrics } = JSON.parse(copied);
  assert.equal(resourceMetrics[0].scopeMetrics[0].metrics[0].name, 'a');
  assert.ok(!copied.includes('\n'), 'as it came');

  await page.getByLabel('Path').selectOption('ws/logs');
  await page.getByLabel('Format').selectOption('points');
  await page.getByLabel('Filter', { exact: true }).fill('resource.service.name=sh*');
  await watched(page, ({ pathname, search }) => pathname === '/ws/logs' && search.startsWith('?format=points&resource.service.name=sh*'), 'the view');
  await page.getByText('Watch this elsewhere').click();
  const address = `ws://${relay.host}/ws/logs?format=points&resource.service.name=sh*`;
  await shows(page.getByRole('region', { name: 'websocat' }), `websocat -B 16777216 '${address}'`);
  await shows(page.getByRole('region', { name: 'curl' }), `curl -N '${address.replace('ws://', 'http://').replace('/ws/', '/stream/')}'`);
  await shows(page.getByRole('region', { name: 'Python' }), /websockets\.connect/);
  await send(relay.base, 'logs', logs(seconds(), [[9, 'hello again']]));
  await page.locator('.list-row', { hasText: '"signal":"logs"' }).first().waitFor();
  page.assertClean();
});
