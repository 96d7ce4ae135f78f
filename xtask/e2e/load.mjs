/**
 * What the page costs: 2,000 series, all of them in each of 10 exports a second, logs and traces
 * beside them, and a reader who goes from view to view. It prints the longest tasks of the page and
 * what it holds after each round; of ten minutes or more, it fails if that grows, of less, it prints
 * what the tasks took of the processor.
 *
 * Argument: seconds.
 */

import { gauge, logs, metrics, point, spans } from './exports.mjs';
import { grown } from './growth.mjs';
import { open, send, startBrowser, startRelay } from './harness.mjs';
import { Gauge, longTasks, noteTasks, processorTimes, traceTasks } from './measure.mjs';

const SECONDS = Number(process.argv[2] ?? 60);
const [SERIES, METRICS, PER_SECOND] = [2000, 20, 10];
/** From how many seconds on growth is judged. */
const LONG = 600;
/** A round: views, and for how many seconds each is looked at. */
const ROUND = [['#/metrics', 10], ['#/metrics?m=load.0&m=load.1&m=load.2', 10], ['#/logs', 4], ['#/traces', 3], ['#/raw', 3]];
/** How much more there may be, of what there is and on top: bytes, nodes, listeners. */
const ALLOWED = {
  heap: { part: 0.05, amount: 2 ** 19 },
  workerHeap: { part: 0.05, amount: 2 ** 22 },
  nodes: { part: 0.05, amount: 200 },
  listeners: { part: 0.05, amount: 20 },
  process: { part: 0.1, amount: 2 ** 24 },
};

/** What is to be ended when this is done. */
const ends = [];
const t = { after: (end) => ends.unshift(end) };
const relay = await startRelay(t);
const browser = await startBrowser(t);
const page = await open(t, browser, relay.base);
const measure = await Gauge.of(browser, page);
await noteTasks(page);
if (SECONDS < LONG) await traceTasks(browser, page);

const begin = Date.now();
const left = () => begin + SECONDS * 1000 - Date.now();
const pause = (length) => new Promise((resolve) => setTimeout(resolve, Math.min(length, left())));
let [sent, late, seen] = [0, 0, 0];
const sending = sendAll();
const samples = [];
while (left() > 0) {
  for (const [hash, seconds] of ROUND) {
    await page.evaluate((hash) => (location.hash = hash), hash);
    await pause(seconds * 1000);
  }
  samples.push(await measure.sample());
  const ofRound = (await longTasks(page, measure.measured)).filter(({ startTime }) => startTime >= seen);
  seen = await page.evaluate(() => performance.now());
  tell(samples.at(-1), ofRound);
}
await sending;
const tasks = await longTasks(page, measure.measured);
console.log(`${sent} exports of ${SERIES} series (${late} sent late)`);
console.log(`tasks of the page over 50 ms: ${tasks.length}, the longest: ${tasks.slice(0, 5).map(({ duration, view }) => `${duration.toFixed(0)} ms at ${view}`).join(', ') || 'none'}`);
if (SECONDS < LONG) {
  const times = await processorTimes(browser, page, measure.measured);
  console.log(`processor time of the longest: ${times.slice(0, 5).map((time) => `${time.toFixed(0)} ms`).join(', ')}; of all ${times.length}: ${(times.reduce((sum, time) => sum + time, 0) / 10 / SECONDS).toFixed(1)} % of one processor`);
}
const growing = SECONDS >= LONG ? grown(samples, ALLOWED) : [];
if (SECONDS >= LONG) console.log(growing.length > 0 ? `grows: ${growing.join('; ')}` : 'nothing grows');
page.assertClean();
for (const end of ends) await end();
process.exitCode = growing.length > 0 ? 1 : 0;

/** Sends all that comes in a tenth of a second, as often as that, until the time is over. */
async function sendAll() {
  while (left() > 0) {
    const now = Date.now() / 1000;
    await send(relay.base, 'metrics', metrics(Array.from({ length: METRICS }, (_, name) => gauge(`load.${name}`, points(now)))));
    if (sent % 5 === 0) await sendOthers(now);
    sent += 1;
    const wait = begin + (sent * 1000) / PER_SECOND - Date.now();
    if (wait > 0) await pause(wait);
    else late += 1;
  }
}

function points(now) {
  return Array.from({ length: SERIES / METRICS }, (_, at) => point(now, Math.sin(now + at), { at, pod: `pod-${at % 10}` }));
}

/** Logs and a trace, never the same again. */
async function sendOthers(now) {
  const trace = (sent + 1).toString(16).padStart(32, '0');
  const list = Array.from({ length: 5 }, (_, at) => ({ id: `${at + 1}`.padStart(16, '0'), parent: at > 0 ? '1'.padStart(16, '0') : '', name: `work ${at}`, from: at / 100, to: 0.1 }));
  await send(relay.base, 'traces', spans(trace, now, list));
  await send(relay.base, 'logs', logs(now, Array.from({ length: 20 }, (_, at) => [1 + ((sent + at) % 24), `line ${at} of ${sent}`, { at }]), { trace }));
}

function tell({ heap, workerHeap, nodes, listeners, process }, [longest]) {
  const mebibytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const seconds = Math.round((Date.now() - begin) / 1000);
  console.log(`${seconds} s: heap ${mebibytes(heap)}, of the worker ${mebibytes(workerHeap)}, ${nodes} nodes, ${listeners} listeners, process ${mebibytes(process)}, longest task ${longest ? `${longest.duration.toFixed(0)} ms` : 'below 50 ms'}`);
}
