/** The bar below: whether the page is connected, and how much comes. */

import { bytes, digits, grouped } from '../core/format.js';
import { fill, h, setText } from './dom.js';

const STATES = {
  idle: ['', 'Not connected'],
  connecting: ['waiting', 'Connecting'],
  open: ['live', 'Live'],
  waiting: ['waiting', 'Reconnecting'],
  refused: ['refused', 'Refused'],
};

export class StateBar {
  /** @param {object} acts `retry()` */
  constructor(bar, acts) {
    this.state = h('span', { className: 'state', role: 'status' }, h('span', { className: 'dot', 'aria-hidden': 'true' }), h('span', { className: 'state-text' }));
    this.retry = h('button', { type: 'button', className: 'link', hidden: true, on: { click: acts.retry } }, 'try again');
    this.reason = h('span', { className: 'reason' });
    this.facts = Object.fromEntries(['exports', 'items', 'bytes', 'lost', 'version'].map((name) => [name, h('span', { className: `fact fact-${name}` })]));
    fill(bar, this.state, this.retry, this.reason, h('span', { className: 'spring' }), ...Object.values(this.facts));
  }

  update(status, version) {
    const [tone, text] = STATES[status.state];
    const paused = status.paused && status.state === 'open';
    this.state.dataset.tone = paused ? 'paused' : tone;
    setText(this.state.lastChild, paused ? 'Paused, still receiving' : text);
    setText(this.reason, status.state === 'refused' ? status.reason : '');
    this.retry.hidden = status.state !== 'refused';
    setText(this.facts.exports, `${digits(status.exports)} exports/s`);
    setText(this.facts.items, `${digits(Math.round(status.items * 10) / 10)} items/s`);
    setText(this.facts.bytes, `${bytes(status.bytes)}/s`);
    setText(this.facts.lost, lostText(status));
    this.facts.lost.title = status.breaks > 0 ? 'Exports that did not come here; of those that came while the relay was out of reach, or other views were open for long, nobody knows the number' : 'Exports that did not come here';
    this.facts.lost.classList.toggle('some', status.lost > 0 || status.breaks > 0);
    setText(this.facts.version, version ? `otlp-relay ${version}` : '');
  }
}

/** What is missing: so many exports, and what nobody knows. */
function lostText({ lost, breaks }) {
  const unknown = breaks > 0 ? ` + ${breaks} unknown` : '';
  return `${grouped(lost)} lost${unknown}`;
}
