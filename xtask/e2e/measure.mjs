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
