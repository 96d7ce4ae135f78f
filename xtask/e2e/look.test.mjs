/** How the page looks, and whether everybody can use it: pictures of every view, and axe-core. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { eventually, open, shot, shows, startBrowser, startRelay, state } from './harness.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SIZES = { narrow: [400, 800], middle: [1280, 800], wide: [2560, 1300] };
/** What comes into the list after the demo has run for a while. */
const CHARTS = '#/metrics?m=http.server.request.duration&m=shop.payment.duration&m=shop.orders&m=system.cpu.utilization&by.system.cpu.utilization=attr.cpu.logical_number&window=1m';

/** The views, each with what brings it about and what shows that it is there. */
const VIEWS = {
  metrics: async (page) => page.locator('.list-row').first().waitFor(),
  charts: async (page) => {
    await page.evaluate((hash) => (location.hash = hash), CHARTS);
    await eventually(async () => (await page.locator('.card .legend-entry').count()) >= 8, 'charts have lines');
    // What history held has come when there is a rate again.
    await eventually(async () => !(await page.locator('.fact-exports').innerText()).startsWith('0 '), 'it is live');
  },
  logs: async (page) => {
    await page.keyboard.press('2');
    await page.locator('.list-row:has(.s-INFO)').last().click();
    await page.getByRole('complementary').getByText('As OTLP JSON').waitFor();
  },
  traces: async (page) => {
    await page.keyboard.press('Escape');
    await page.keyboard.press('3');
    const row = page.locator('.list-row');
    // Those of the docs show an error: in the first minute of the demo there may be none.
    if (process.env.PICTURES) {
      await page.getByLabel('Which traces').selectOption({ label: 'With errors' });
      await row.filter({ has: page.locator('.t-errors', { hasText: '3' }) }).first().click();
    } else {
      await row.filter({ hasText: 'POST /checkout' }).first().click();
    }
    await page.getByRole('complementary').locator('.span-row').first().waitFor();
  },
  raw: async (page) => {
    await page.keyboard.press('Escape');
    await page.keyboard.press('4');
    await page.locator('.list-row').last().click();
    await page.getByRole('complementary').getByText('"resource').first().waitFor();
  },
  help: async (page) => {
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Keys and filters' }).click();
    await page.getByRole('dialog').waitFor();
  },
};

/** What axe-core finds wrong, with the rules of WCAG 2.2 A and AA and its best practices. */
async function violations(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} ${target}: ${failureSummary}`));
}

/** Whether anything is wider than the window. */
async function overflows(page) {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
}

/** Scenario: the demo, every view, three widths, light and dark.
 * Guarantees: no error, nothing that axe-core minds, nothing wider than the window; a picture of
 * each. */
test('every view', async (t) => {
  const relay = await startRelay(t, ['--demo']);
  const browser = await startBrowser(t);
  // Charts of a minute need one.
  if (process.env.PICTURES) await new Promise((resolve) => setTimeout(resolve, 75_000));
  for (const [name, size] of Object.entries(SIZES)) {
    for (const colours of ['light', 'dark']) {
      await t.test(`${name}, ${colours}`, async (t) => {
        const page = await open(t, browser, relay.base, { size, colours });
        await shows(state(page), 'Live');
        const minded = [];
        for (const [view, bring] of Object.entries(VIEWS)) {
          await bring(page);
          await shot(page, `${view}-${name}-${colours}`);
          for (const violation of await violations(page)) minded.push(`${view}: ${violation}`);
          if (await overflows(page)) minded.push(`${view}: wider than the window`);
        }
        assert.deepEqual(minded, []);
        page.assertClean();
      });
    }
  }
});

/** Scenario: a browser that lacks what the page needs, and one that has it.
 * Guarantees: the page says so to the one, in words for people, and not to the other. */
test('a browser that is too old', async (t) => {
  const relay = await startRelay(t);
  const browser = await startBrowser(t);
  const page = await open(t, browser, relay.base);
  await shows(state(page), 'Live');
  const notice = page.getByText('This browser is too old for this page');
  assert.ok(await notice.isHidden());
  await page.addInitScript(() => {
    const { supports } = CSS;
    CSS.supports = (...asked) => !asked[0].includes(':has') && supports.apply(CSS, asked);
  });
  await page.reload();
  await notice.waitFor();
  page.assertClean();
});

/** Scenario: a relay that nothing was sent to; and the theme that is chosen by hand.
 * Guarantees: as above; the choice holds when the page is loaded again. */
test('the empty page', async (t) => {
  const relay = await startRelay(t);
  const browser = await startBrowser(t);
  const page = await open(t, browser, relay.base, { size: SIZES.middle });
  await page.getByRole('heading', { name: 'Waiting for metrics' }).waitFor();
  await shot(page, 'empty-middle-light');
  assert.deepEqual(await violations(page), []);
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await page.getByRole('button', { name: 'Colours: auto' }).click();
  await page.getByRole('button', { name: 'Colours: light' }).click();
  await page.getByRole('button', { name: 'Colours: dark' }).waitFor();
  assert.notEqual(await background(), light);
  await page.reload();
  await page.getByRole('button', { name: 'Colours: dark' }).waitFor();
  assert.notEqual(await background(), light);
  page.assertClean();
});
