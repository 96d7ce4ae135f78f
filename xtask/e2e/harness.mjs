/** A relay, a browser, and pages that are watched for everything that should not happen. */

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { chromium } from 'playwright-core';

/** How long anything may take on a machine that has other things to do, in milliseconds. */
export const PATIENCE = 60_000;

/** Starts the relay that `RELAY` names, until the test `t` has ended. `port` is 0 for a free one. */
export async function startRelay(t, flags = [], port = 0) {
  const child = spawn(process.env.RELAY, ['--listen', `127.0.0.1:${port}`, ...flags], { env: withoutSettings(), stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  const stop = async (signal = 'SIGTERM') => {
    child.kill(signal);
    await exited;
  };
  t.after(() => stop('SIGKILL'));
  const [host, scheme] = await listening(child, exited);
  return {
    host,
    base: `${scheme}://${host}/`,
    port: Number(host.split(':')[1]),
    /** Has it read its files again. */
    reload: () => child.kill('SIGHUP'),
    /** Ends it, as SIGTERM does or at once. */
    stop,
  };
}

/** The environment, without what it says to a relay. */
function withoutSettings() {
  const others = ([name]) => name !== 'RUST_LOG' && !name.startsWith('OTLP_RELAY_');
  return Object.fromEntries(Object.entries(process.env).filter(others));
}

/** The flags of a relay with a certificate that nobody trusts; nothing without openssl. */
export function certificate() {
  const folder = mkdtempSync(join(tmpdir(), 'otlp-relay-e2e-'));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  try {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', cert], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  return ['--tls-cert', cert, '--tls-key', key];
}

/** Waits for the line that says where it listens. What comes after it is read and dropped. */
function listening(child, exited) {
  return new Promise((resolve, reject) => {
    const lines = [];
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        const found = /listening on (https?):\/\/(\S+)/.exec(line);
        if (found) resolve([found[2], found[1]]);
      });
    }
    exited.then(() => reject(new Error(`the relay has ended:\n${lines.join('\n')}`)));
  });
}

/** Sends an export as OTLP JSON. */
export async function send(base, signal, request, headers = {}) {
  const response = await fetch(new URL(`v1/${signal}`, base), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(request),
  });
  assert.equal(response.status, 200, await response.text());
}

/** What Chromium needs to run as root, without a network but the loopback. */
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** Starts the browser that `CHROMIUM` names, with an empty profile, until the test has ended. */
export async function startBrowser(t) {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ARGS });
  t.after(() => browser.close());
  return browser;
}

/**
 * Opens a page until the test has ended, and takes note of errors, of violations of its policy (Chromium tells of both on
 * the console), and of requests that leave the relay.
 *
 * @param {object} options `size`, `colours`, `allowed` (a pattern of errors that are meant to
 *   happen), and what `newContext` takes
 */
export async function open(t, browser, url, { size = [1280, 800], colours = 'light', allowed, ...context } = {}) {
  const [width, height] = size;
  const opened = await browser.newContext({ viewport: { width, height }, colorScheme: colours, timezoneId: 'UTC', locale: 'en-GB', ...context });
  t.after(() => opened.close());
  opened.setDefaultTimeout(PATIENCE);
  const page = await opened.newPage();
  const problems = [];
  const sockets = [];
  const note = (problem) => !allowed?.test(problem) && problems.push(problem);
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && note(message.text()));
  page.on('pageerror', (error) => note(error.stack));
  page.on('request', (request) => {
    if (!request.url().startsWith('data:') && new URL(request.url()).origin !== new URL(url).origin) note(`left: ${request.url()}`);
  });
  page.on('websocket', (socket) => sockets.push(socket.url()));
  await page.goto(url);
  return Object.assign(page, {
    /** The addresses of WebSockets, the newest last. */
    sockets,
    /** Fails if anything has happened that should not. */
    assertClean: () => assert.deepEqual(problems, []),
  });
}

/** Waits until the newest WebSocket's address fulfils a condition. */
export async function watched(page, condition, text) {
  await eventually(() => page.sockets.length > 0 && condition(new URL(page.sockets.at(-1))), () => `${text}: ${page.sockets.at(-1)}`);
}

/** Waits until a condition holds. */
export async function eventually(condition, text) {
  const end = Date.now() + PATIENCE;
  while (!(await condition())) {
    if (Date.now() > end) assert.fail(typeof text === 'function' ? text() : text);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Waits until the text of something is what is expected. */
export async function shows(locator, expected) {
  let text;
  await eventually(
    async () => {
      text = (await locator.allInnerTexts()).join('\n').trim();
      return expected instanceof RegExp ? expected.test(text) : text === expected;
    },
    () => `${expected} was expected, shown is:\n${text}`,
  );
}

/** The state of the connection, as the page says it. */
export const state = (page) => page.locator('.state-text');

/** Takes a picture; the folder is `SHOTS`. */
export async function shot(page, name) {
  mkdirSync(process.env.SHOTS, { recursive: true });
  await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` });
}
