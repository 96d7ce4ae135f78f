/** Where the page begins: the worker, the tabs, the address, keys. */

import { clauseText, globOf } from './core/filter.js';
import { readView, requestOf, TABS, writeView } from './core/view.js';
import { fill, h, icon, iconButton, ICONS } from './ui/dom.js';
import { helpDialog } from './ui/help.js';
import { LogsTab } from './ui/logs.js';
import { MetricsTab } from './ui/metrics.js';
import { RawTab } from './ui/raw.js';
import { StateBar } from './ui/statebar.js';
import { themeButton } from './ui/theme.js';
import { knownToken, tokenForm } from './ui/token.js';
import { TracesTab } from './ui/traces.js';

/** How long the page waits before it asks for what is new, in milliseconds. */
const PERIODS = { metrics: 500, logs: 250, traces: 250, raw: 250 };
/** How long after a key in the filter the relay is asked for another view. */
const TYPING = 400;
/** The values of labels that are offered while a filter is typed. */
const MAX_OFFERED = 200;

const TITLES = { metrics: 'Metrics', logs: 'Logs', traces: 'Traces', raw: 'Raw' };
const element = (selector) => document.querySelector(selector);

/** The page as the tabs see it. What they call are functions of their own, to be taken apart. */
class App {
  constructor() {
    this.base = new URL('.', document.baseURI).href;
    this.token = knownToken();
    this.view = readView(location.hash);
    this.paused = false;
    this.questions = new Map();
    this.asked = 0;
    this.worker = new Worker(new URL('worker.js', import.meta.url), { type: 'module' });
    this.worker.onmessage = ({ data }) => this.#answered(data);
    this.tabs = { metrics: new MetricsTab(this), logs: new LogsTab(this), traces: new TracesTab(this), raw: new RawTab(this) };
    this.bar = new StateBar(element('.bar'), { retry: () => this.#watch(true) });
    this.#makeTop();
    this.#makeFilter();
    this.#makeToken();
    addEventListener('hashchange', () => this.#goTo(readView(location.hash)));
    addEventListener('keydown', (event) => this.#pressed(event));
    document.addEventListener('visibilitychange', () => this.refresh());
    this.#show();
    this.#learn();
    this.#goOn();
  }

  /** Changes the view, and with it the address. */
  go = (change) => {
    const view = { ...this.view, ...change };
    const fragment = writeView(view);
    if (fragment === writeView(this.view)) {
      this.view = view;
      return;
    }
    // Another tab, other charts and another trace are places to come back to.
    const step = ['tab', 'metrics', 'list', 'trace'].some((name) => name in change);
    history[step ? 'pushState' : 'replaceState'](null, '', fragment);
    this.#goTo(view);
  };

  /** Asks the worker; the answer comes when it has one. */
  query = (question) => {
    this.asked += 1;
    const id = this.asked;
    return new Promise((resolve) => {
      this.questions.set(id, resolve);
      this.worker.postMessage({ id, ...question });
    });
  };

  /** Asks for what is to be seen, one question at a time. */
  refresh = async () => {
    if (document.hidden) return;
    if (this.refreshing) {
      this.again = true;
      return;
    }
    this.refreshing = true;
    try {
      await this.#askAndShow();
    } finally {
      this.refreshing = false;
    }
    if (this.again) {
      this.again = false;
      requestAnimationFrame(() => this.refresh());
    }
  };

  /** Asks again and again, with a pause between what has come and the next question. */
  #goOn = async () => {
    try {
      await this.refresh();
    } finally {
      setTimeout(this.#goOn, PERIODS[this.view.tab]);
    }
  };

  /** Pauses what is shown, or goes on. */
  pause = (on = !this.paused) => {
    if (this.paused === on) return;
    this.paused = on;
    this.worker.postMessage({ order: 'pause', on });
    const label = on ? 'Resume' : 'Pause';
    fill(this.pauseButton, icon(on ? ICONS.play : ICONS.pause), h('span', {}, label));
    this.pauseButton.setAttribute('aria-pressed', String(on));
    this.pauseButton.setAttribute('aria-label', label);
    if (!on) this.tabs[this.view.tab].resumed?.();
    this.refresh();
  };

  /** Adds to the filter. */
  addFilter = (text) => {
    const { filter } = this.view;
    if (` ${filter} `.includes(` ${text} `)) return;
    this.go({ filter: `${filter} ${text}`.trim() });
  };

  async #askAndShow() {
    const { tab } = this.view;
    const question = this.tabs[tab].ask();
    const answer = await this.query(question);
    if (tab === this.view.tab && !this.locked) await this.tabs[tab].show(answer, answer.from ?? question.from);
  }

  #goTo(view) {
    const before = this.view;
    this.view = view;
    if (before.tab !== view.tab) {
      this.tabs[before.tab].details?.close();
      this.pause(false);
    }
    this.#show();
  }

  /** Shows the view that is asked for. */
  #show() {
    const { tab, filter } = this.view;
    document.title = `${TITLES[tab]} · otlp-relay`;
    element('h1').textContent = TITLES[tab];
    for (const link of document.querySelectorAll('.tabs a')) {
      if (link.dataset.tab === tab) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
      link.href = writeView({ ...this.view, tab: link.dataset.tab, trace: '' });
    }
    if (this.filter.value !== filter && document.activeElement !== this.filter) this.filter.value = filter;
    fill(element('.controls'), this.filterBox, ...this.tabs[tab].controls());
    const main = element('#main');
    if (!this.locked && main.firstChild !== this.tabs[tab].element) fill(main, this.tabs[tab].element);
    this.#watch();
    this.refresh();
  }

  /** Tells the worker what to ask the relay for. */
  #watch(again = false) {
    const { base, token, view } = this;
    this.worker.postMessage({ order: 'watch', base, token, request: requestOf(view), raw: view.tab === 'raw', again });
  }

  #answered(message) {
    const { id, status } = message;
    this.bar.update(status, this.about?.version);
    if (status.needsToken !== this.locked) this.#lock(status);
    if (id === undefined) return;
    const resolve = this.questions.get(id);
    this.questions.delete(id);
    resolve(message);
  }

  #makeTop() {
    fill(element('.tabs'), TABS.map((tab) => h('a', { href: `#/${tab}`, data: { tab } }, TITLES[tab])));
    this.help = helpDialog();
    document.body.append(this.help);
    this.pauseButton = h('button', { type: 'button', className: 'button', 'aria-pressed': 'false', 'aria-label': 'Pause', on: { click: () => this.pause() } }, icon(ICONS.pause), h('span', {}, 'Pause'));
    fill(
      element('.top-end'),
      this.pauseButton,
      iconButton('clear', 'Clear', () => this.#clear()),
      themeButton(),
      iconButton('help', 'Keys and filters', () => this.help.showModal()),
    );
  }

  #makeFilter() {
    this.offers = h('datalist', { id: 'offers' });
    this.filter = h('input', {
      type: 'search',
      value: this.view.filter,
      placeholder: 'Filter: text, attr.KEY=VALUE, resource.KEY=VALUE',
      'aria-label': 'Filter',
      autocomplete: 'off',
      spellcheck: false,
      on: { input: () => this.#typed(), focus: () => this.#offer(), keydown: (event) => event.key === 'Enter' && this.#filterNow() },
    });
    this.filter.setAttribute('list', 'offers');
    this.filterBox = h('div', { className: 'filter' }, this.filter, this.offers);
  }

  #typed() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.#filterNow(), TYPING);
    this.#offer();
  }

  #filterNow() {
    clearTimeout(this.typing);
    this.go({ filter: this.filter.value.trim() });
  }

  /** Offers the labels that are known, behind what is typed already. */
  async #offer() {
    const { labels } = await this.query({ ask: 'labels' });
    const typed = this.filter.value.replace(/\S*$/, '');
    const last = this.filter.value.slice(typed.length);
    const [name] = last.split('=');
    const known = labels.find((label) => label.name === name);
    const parts = last.includes('=') && known ? known.values.map((value) => clauseText(name, globOf(value))) : labels.map((label) => `${label.name}=`);
    fill(this.offers, parts.slice(0, MAX_OFFERED).map((part) => h('option', { value: typed + part })));
  }

  #makeToken() {
    this.locked = false;
    this.tokenForm = tokenForm((token) => {
      this.token = token;
      this.#show();
    });
  }

  /** Asks for a token instead of showing anything, or shows everything again. */
  #lock({ needsToken, reason }) {
    this.locked = needsToken;
    this.tokenForm.why.textContent = this.token ? `It was refused: ${reason}` : 'Whoever runs it can give you one. It is kept in this browser tab only.';
    fill(element('#main'), needsToken ? this.tokenForm.form : this.tabs[this.view.tab].element);
    if (needsToken) this.tokenForm.focus();
  }

  #clear() {
    this.worker.postMessage({ order: 'clear', what: this.view.tab });
    this.pause(false);
    this.tabs[this.view.tab].close?.();
    this.refresh();
  }

  /** What the page can't know by itself. Without it, it only says less. */
  async #learn() {
    try {
      const response = await fetch(new URL('viewer/about.json', this.base));
      this.about = await response.json();
    } catch {
      this.about = undefined;
    }
  }

  #pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || this.help.open) return;
    const typing = event.target.closest('input, select, textarea');
    if (event.key === 'Escape') {
      if (typing) event.target.blur();
      else this.tabs[this.view.tab].close?.();
      return;
    }
    if (typing) return;
    const acts = { '/': () => this.filter.focus(), p: () => this.pause(), c: () => this.#clear(), '?': () => this.help.showModal() };
    const tab = TABS[Number(event.key) - 1];
    const act = acts[event.key] ?? (tab && (() => this.go({ tab, trace: '' })));
    if (!act) return;
    event.preventDefault();
    act();
  }
}

new App();
