/** What a page costs, as its browser tells it: long tasks, heaps, nodes, listeners. */

import { readFileSync } from 'node:fs';

/** Begins to note the tasks of the page over 50 ms. */
export async function noteTasks(page) {
  await page.evaluate(() => {
    window.tasks = [];
    new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map(({ startTime, duration }) => ({ startTime, duration, view: location.hash })))).observe({ type: 'longtask' });
  });
}

/** Those that were noted, the longest first, without those of measuring itself: `{ duration, view }`. */
export async function longTasks(page, measured) {
  const tasks = await page.evaluate(() => window.tasks);
  const own = ({ startTime, duration }) => measured.some(([from, to]) => startTime < to && startTime + duration > from);
  return tasks.filter((task) => !own(task)).sort((one, other) => other.duration - one.duration);
}

/** Begins to trace the tasks of a page, for some minutes at most: all of it is held in memory. */
export async function traceTasks(browser, page) {
  await browser.startTracing(page, { categories: ['toplevel'] });
}

/**
 * The processor time of the page's longest tasks, in milliseconds, the longest first, without those
 * of the spans of the page's time that were `measured`. Unlike their duration, it doesn't depend on
 * what else the machine does.
 */
export async function processorTimes(browser, page, measured) {
  const before = await page.evaluate(() => performance.now());
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  const isMain = ({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain';
  const threads = new Set(traceEvents.filter(isMain).map(({ pid, tid }) => `${pid} ${tid}`));
  const tasks = traceEvents.filter(({ name, tdur, pid, tid }) => name.endsWith('RunTask') && tdur && threads.has(`${pid} ${tid}`));
  // The end of the trace is now; its clock is another than the page's.
  const end = Math.max(...tasks.map(({ ts, dur }) => ts + dur));
  const timeOf = (ts) => before - (end - ts) / 1000;
  const own = ({ ts, dur }) => measured.some(([from, to]) => timeOf(ts) < to && timeOf(ts + dur) > from);
  return tasks.filter((task) => !own(task)).map(({ tdur }) => tdur / 1000).sort((one, other) => other - one);
}

/** Measures a page and its worker again and again. */
export class Gauge {
  /** Spans of the page's time in which it was made to collect garbage. */
  measured = [];

  static async of(browser, page) {
    const gauge = new Gauge();
    gauge.page = page;
    gauge.session = await page.context().newCDPSession(page);
    gauge.browser = await browser.newBrowserCDPSession();
    await gauge.session.send('Performance.enable');
    gauge.worker = await workerOf(gauge.session);
    return gauge;
  }

  /** A sample, after garbage was collected; bytes, but for nodes and listeners. */
  async sample() {
    const from = await this.page.evaluate(() => performance.now());
    await this.session.send('HeapProfiler.collectGarbage');
    await this.worker('HeapProfiler.collectGarbage');
    const { usedSize: heap } = await this.session.send('Runtime.getHeapUsage');
    const { usedSize, backingStorageSize } = await this.worker('Runtime.getHeapUsage');
    const { metrics } = await this.session.send('Performance.getMetrics');
    const metric = (wanted) => metrics.find(({ name }) => name === wanted).value;
    const sample = { heap, workerHeap: usedSize + backingStorageSize, nodes: metric('Nodes'), listeners: metric('JSEventListeners'), process: await this.#resident() };
    this.measured.push([from, await this.page.evaluate(() => performance.now())]);
    return sample;
  }

  /** What the process of the page holds, its worker included; 0 where there is no /proc. */
  async #resident() {
    const { processInfo } = await this.browser.send('SystemInfo.getProcessInfo');
    const sizes = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => {
      try {
        return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))[1]) * 1024;
      } catch {
        return 0;
      }
    });
    return Math.max(...sizes);
  }
}

/** What sends commands to the page's worker, which has a session within that of the page. */
async function workerOf(session) {
  const attached = new Promise((resolve) => session.on('Target.attachedToTarget', ({ sessionId }) => resolve(sessionId)));
  await session.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
  const sessionId = await attached;
  const waiting = new Map();
  session.on('Target.receivedMessageFromTarget', ({ message }) => {
    const { id, result, error } = JSON.parse(message);
    const { resolve, reject } = waiting.get(id) ?? {};
    waiting.delete(id);
    if (error) reject?.(new Error(error.message));
    else resolve?.(result);
  });
  let sent = 0;
  return (method, params = {}) => {
    sent += 1;
    const id = sent;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      session.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method, params }) }).catch(reject);
    });
  };
}
