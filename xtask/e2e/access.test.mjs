/** Behind a path prefix, with a token, over TLS. */

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { gauge, metrics, point, seconds } from './exports.mjs';
import { certificate, open, send, shows, startBrowser, startRelay, state } from './harness.mjs';
import { startPrefix } from './proxy.mjs';

const one = () => metrics([gauge('seen', [point(seconds(), 1)])]);
const TOKEN = 'c2VjcmV0+/_~token.-==';
/** A file with that token. */
const tokenFile = () => {
  const tokens = join(mkdtempSync(join(tmpdir(), 'otlp-relay-e2e-')), 'tokens');
  writeFileSync(tokens, `${TOKEN}\n`);
  return tokens;
};
const enter = async (page, token) => {
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Watch' }).click();
};
const row = (page) => page.locator('.list-row', { hasText: 'seen' });

/** Scenario: the page below a prefix: by the relay's own flag, asked for with and without a slash,
 * and by a proxy that takes the prefix off.
 * Guarantees: everything is found, and the addresses that it tells hold the prefix. */
test('a path prefix', async (t) => {
  const relay = await startRelay(t, ['--base-path', '/tools/otel']);
  const plain = await startRelay(t);
  const proxy = await startPrefix(t, plain.port, '/deep/er');
  const browser = await startBrowser(t);
  for (const [url, base] of [[`${relay.base}tools/otel`, `${relay.base}tools/otel/`], [`${relay.base}tools/otel/`, `${relay.base}tools/otel/`], [proxy.base, proxy.base]]) {
    const page = await open(t, browser, url);
    await shows(state(page), 'Live');
    await page.keyboard.press('4');
    await shows(page.locator('.commands summary code'), `${base.replace('http', 'ws')}ws`);
    await page.keyboard.press('1');
    await send(base, 'metrics', one());
    await row(page).waitFor();
    page.assertClean();
  }
});

/** Scenario: a relay with a certificate that the browser is told to trust.
 * Guarantees: everything goes over TLS. */
test('TLS', async (t) => {
  const flags = certificate();
  if (!flags) return t.skip('needs openssl');
  const relay = await startRelay(t, flags);
  const browser = await startBrowser(t);
  const page = await open(t, browser, relay.base, { ignoreHTTPSErrors: true });
  await shows(state(page), 'Live');
  await page.getByText(`OTEL_EXPORTER_OTLP_ENDPOINT=https://${relay.host}`).waitFor();
  await page.keyboard.press('4');
  await shows(page.locator('.commands summary code'), `wss://${relay.host}/ws`);
  page.assertClean();
});

/** Scenario: a relay whose watchers need a token; a wrong one, then the right one; the page again.
 * Guarantees: the page asks for it, says why it was refused, and keeps it for this tab alone: in no
 * address. */
test('a token', async (t) => {
  const relay = await startRelay(t, ['--watch-token-file', tokenFile()]);
  const browser = await startBrowser(t);
  const page = await open(t, browser, relay.base, { allowed: /401|WebSocket connection/ });
  await page.getByRole('heading', { name: 'This relay asks for a token' }).waitFor();
  await enter(page, 'wrong');
  await page.getByText('It was refused').waitFor();
  await enter(page, TOKEN);
  await shows(state(page), 'Live');
  await send(relay.base, 'metrics', one());
  await row(page).waitFor();
  await page.reload();
  await row(page).waitFor();
  await shows(state(page), 'Live');
  for (const address of [page.url(), ...page.sockets]) if (address.includes('token')) throw new Error(address);
  page.assertClean();
});

/** Scenario: the same, before raw frames: the page is opened there, and the token is entered.
 * Guarantees: the lines for other programs show the token's place, and never the token. */
test('commands with a token', async (t) => {
  const relay = await startRelay(t, ['--watch-token-file', tokenFile()]);
  const browser = await startBrowser(t);
  const page = await open(t, browser, `${relay.base}#/raw`, { allowed: /401|WebSocket connection/ });
  await page.getByRole('heading', { name: 'This relay asks for a token' }).waitFor();
  await enter(page, TOKEN);
  await shows(state(page), 'Live');
  await page.getByText('Watch this elsewhere').click();
  await shows(page.getByRole('region', { name: 'websocat' }), `websocat -B 16777216 -H="Authorization: Bearer $TOKEN" 'ws://${relay.host}/ws'`);
  await shows(page.getByRole('region', { name: 'curl' }), `curl -N -H "Authorization: Bearer $TOKEN" 'http://${relay.host}/stream'`);
  await shows(page.getByRole('region', { name: 'Python' }), /os\.environ\['TOKEN'\]/);
  page.assertClean();
});
