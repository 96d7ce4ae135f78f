/** The tab of raw frames: what the relay sends, and how to get it elsewhere. */

import * as commands from '../core/commands.js';
import { bytes, clock, count, grouped } from '../core/format.js';
import { addressOf, FORMATS, PATHS, requestOf } from '../core/view.js';
import { code, Details } from './details.js';
import { choice, fill, h, setText } from './dom.js';
import { List } from './list.js';
import { gapText } from './logs.js';

const ROW = 30;

export class RawTab {
  /** @param {object} app `view`, `base`, `token`, `go(change)`, `refresh()`, `pause(on)`, `query(question)` */
  constructor(app) {
    this.app = app;
    this.details = new Details({ label: 'Frame', close: () => this.close() });
    this.details.element.classList.add('wide');
    this.list = new List({
      label: 'Frames, the newest last',
      rowHeight: ROW,
      follows: true,
      idOf: ({ id }) => id,
      render: rowOf,
      open: ({ id, gap }) => !gap && this.#open(id),
      moved: () => app.refresh(),
      left: () => app.pause(true),
      head: h('div', { className: 'list-head frame-row', 'aria-hidden': 'true' }, h('span', {}, 'Time'), h('span', {}, 'Signal'), h('span', { className: 'number' }, 'Size'), h('span', { className: 'f-begin' }, 'Begins')),
    });
    this.commands = h('details', { className: 'commands' });
    this.count = h('p', { className: 'note count' });
    this.empty = h('p', { className: 'nothing' }, 'Waiting for a frame.');
    this.listArea = h('div', { className: 'fill column' }, this.commands, this.count, this.empty, this.list.element);
    this.element = h('div', { className: 'fill split' }, this.listArea, this.details.element);
  }

  controls() {
    const { view, go } = this.app;
    this.#showCommands();
    return [
      choice('Path', PATHS.map((path) => [path, `/${path}`]), view.path, (path) => go({ path })),
      choice('Format', FORMATS.map((format) => [format, `format=${format}`]), view.format, (format) => go({ format })),
    ];
  }

  ask() {
    return { ask: 'frames', ...this.list.range() };
  }

  show({ total, gone, from, rows, fresh }) {
    this.empty.hidden = total > 0;
    this.list.element.hidden = total === 0;
    setText(this.count, `${count(total, 'frame')}${gone > 0 ? '; older ones are gone' : ''}${fresh > 0 ? `; ${grouped(fresh)} new while paused` : ''}`);
    this.list.update({ total, from, rows });
  }

  resumed() {
    this.list.follow();
  }

  close() {
    this.details.close();
    this.list.setOpen(undefined);
  }

  #showCommands() {
    const { view, base, token } = this.app;
    const { path, parameters } = requestOf(view);
    const address = addressOf(base, path, parameters);
    const lines = addressOf(base, path.replace('ws', 'stream'), parameters, 'http');
    const protected_ = Boolean(token);
    const signature = `${address} ${protected_}`;
    if (this.signature === signature) return;
    this.signature = signature;
    const { open } = this.commands;
    fill(
      this.commands,
      h('summary', {}, 'Watch this elsewhere ', h('code', {}, address)),
      h('div', { className: 'command-list' },
        h('h3', {}, 'websocat'), code('websocat', commands.websocat(address, protected_)),
        h('h3', {}, 'curl: one line of JSON an export, over plain HTTP'), code('curl', commands.curl(lines, protected_)),
        h('h3', {}, 'Python, with pip install websockets'), code('Python', commands.python(address, protected_))),
    );
    this.commands.open = open;
  }

  async #open(id) {
    this.list.setOpen(id);
    const { detail } = await this.app.query({ ask: 'frame', of: id });
    if (!detail) return;
    const { text, shown, length, time, signal, items } = detail;
    const facts = [clock(time), signal, signal && count(items, 'item'), bytes(text.length)].filter(Boolean).join(' · ');
    this.details.show('Frame', h('p', { className: 'note' }, facts), code('Frame', shown, text, length));
  }
}

function rowOf({ gap, time, signal, length, begin }, element) {
  element.classList.toggle('gap-row', Boolean(gap));
  if (gap) return [gapText(gap)];
  return [
    h('span', { className: 'l-time' }, clock(time)),
    h('span', {}, signal || '–'),
    h('span', { className: 'number' }, bytes(length)),
    h('span', { className: 'f-begin' }, begin),
  ];
}
