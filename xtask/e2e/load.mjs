/**
 * What the page costs: 2,000 series, all of them in each of 10 exports a second. It prints the
 * longest tasks of the page and what its memory does; it judges nothing, for machines differ.
 *
 * Arguments: seconds, and `list` or `charts`.
 */

import { readFileSync } from 'node:fs';

import { gauge, metrics, point } from './exports.mjs';
import { open, send, startBrowser, startRelay } from './harness.mjs';

const SECONDS = Number(process.argv[2] ?? 60);
const VIEW = process.argv[3] === 'charts' ? '#/metrics?m=load.0&m=load.1&m=load.2' : '#/metrics';
const [SERIES, METRICS, PER_SECOND] = [2000, 20, 10];

/** What is to be ended when this is done. */
const ends = [];
const t = { after: (end) => ends.unshift(end) };
const relay = await startRelay(t);
const browser = await startBrowser(t);
const page = await open(t, browser, relay.base + VIEW);
await page.evaluate(() => {
  window.tasks = [];
  new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: 'longtask', buffered: false });
});
const cdp = await page.context().newCDPSession(page);
const heap = async () => {
  await cdp.send('HeapProfiler.collectGarbage');
  const { usedSize } = await cdp.send('Runtime.getHeapUsage');
  return `${(usedSize / 2 ** 20).toFixed(1)} MiB`;
};

/** What the process of the page holds, its worker included (Linux). */
const processes = await browser.newBrowserCDPSession();
const resident = async () => {
  const { processInfo } = await processes.send('SystemInfo.getProcessInfo');
  const sizes = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => {
    try {
      return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))[1]) / 1024;
    } catch {
      return 0;
    }
  });
  return `${Math.max(...sizes).toFixed(0)} MiB`;
};

const begin = Date.now();
let [sent, late, told] = [0, 0, 0];
while (Date.now() - begin < SECONDS * 1000) {
  const now = Date.now() / 1000;
  const list = Array.from({ length: METRICS }, (_, name) =>
    gauge(`load.${name}`, Array.from({ length: SERIES / METRICS }, (_, at) => point(now, Math.sin(now + at), { at, pod: `pod-${at % 10}` }))));
  await send(relay.base, 'metrics', metrics(list));
  sent += 1;
  const wait = begin + (sent * 1000) / PER_SECOND - Date.now();
  if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
  else late += 1;
  if ((Date.now() - begin) / 10_000 > told + 1) {
    told += 1;
    console.log(`${told * 10} s: heap of the page ${await heap()}, its process ${await resident()}, ${await page.locator('.bar').innerText().then((text) => text.replaceAll('\n', ' '))}`);
  }
}
const tasks = await page.evaluate(() => window.tasks.sort((one, other) => other - one));
console.log(`${sent} exports of ${SERIES} series (${late} sent late); tasks of the page over 50 ms: ${tasks.length}, the longest: ${tasks.slice(0, 5).map((task) => `${task.toFixed(0)} ms`).join(', ') || 'none'}`);
for (const end of ends) await end();
