/** The connection to the relay: one WebSocket for what the page shows, made again when it breaks. */

import { Link, Places } from './core/link.js';
import { addressOf } from './core/view.js';

/** How long the relay may take to say why it refuses, in milliseconds. */
const PROBE_TIMEOUT = 10_000;

export class Watch {
  /**
   * @param {object} heard what to call: `opened()` when there is another connection,
   *   `data(signal, request, time, length)` for a frame that was read, `raw(text)` for one that is
   *   shown as it is, `gap(gap)`, `replaced(store)` when what a store holds was let through by
   *   another request, and `changed()` when the state of the connection is another
   */
  constructor(heard) {
    this.heard = heard;
    this.link = new Link();
    this.places = new Places();
    this.needsToken = false;
    this.key = '';
  }

  /** Watches what a view asks for; nothing happens if it is what is watched, but for `again`. */
  show({ base, request, token, raw, again }) {
    const key = JSON.stringify([base, request, token, raw]);
    if (key === this.key && !again) return;
    const store = raw ? 'raw' : request.path.replace('ws/', '');
    // With another token it is the same view.
    const isSame = this.key !== '' && this.store === store && JSON.stringify(this.request) === JSON.stringify(request);
    if (this.key && !isSame) this.places.leave(this.store, this.request, this.link.leave(Date.now()));
    Object.assign(this, { key, base, store, request, token, isRaw: raw, needsToken: false });
    this.#drop();
    if (isSame) this.link.retry();
    else this.#enter();
    this.#connect();
  }

  /** The reader has cleared a store. */
  clear(store) {
    this.places.clear(store);
  }

  #enter() {
    if (this.places.enter(this.store, this.request)) this.heard.replaced(this.store);
    this.link.turn(this.places.cursorOf(this.store, this.request));
  }

  #drop() {
    clearTimeout(this.timer);
    const socket = this.socket;
    this.socket = undefined;
    socket?.close(1000);
  }

  #connect() {
    const parameters = [...this.request.parameters, ...this.#beginning()];
    const address = addressOf(this.base, this.request.path, parameters);
    const socket = new WebSocket(address, protocols(this.token));
    this.socket = socket;
    const mine = (handle) => (event) => {
      if (this.socket === socket) handle(event);
    };
    let wasOpen = false;
    socket.onopen = mine(() => {
      wasOpen = true;
      this.link.opened();
      this.heard.opened();
      const gap = this.isRaw ? this.link.openedPlain() : undefined;
      if (gap) this.heard.gap(gap);
      this.heard.changed();
    });
    socket.onmessage = mine(({ data }) => this.#take(data));
    socket.onclose = mine(({ code }) => (wasOpen ? this.#comeAgain(code) : this.#askWhy(address)));
    this.heard.changed();
  }

  /** Where to begin. Frames without an envelope have no number to go on from. */
  #beginning() {
    const { link, request } = this;
    if (!this.isRaw) return [...link.begin(request.replay), ['envelope', 'true']];
    return link.begin(link.reached ? '' : request.replay);
  }

  #take(text) {
    if (typeof text !== 'string') return;
    if (this.isRaw) {
      this.heard.raw(text);
      return;
    }
    const message = JSON.parse(text);
    if (message.type === 'data') {
      const time = Date.parse(message.receivedAt);
      if (this.link.passed(message)) this.heard.data(message.signal, message.data, time, text.length);
      return;
    }
    const gap = this.link.told(message);
    if (gap) this.heard.gap(gap);
    if (gap?.kind === 'restart') {
      // It has begun live; what the relay has had since its start comes first over another one.
      this.#drop();
      this.#connect();
    }
  }

  #comeAgain(code) {
    const wait = this.link.closed(code, Date.now());
    if (wait !== undefined) this.timer = setTimeout(() => this.#connect(), wait);
    this.heard.changed();
  }

  /** Browsers don't say why a connection was refused. The same request without an upgrade does. */
  async #askWhy(address) {
    const socket = this.socket;
    const refusal = await whyRefused(address, this.token);
    if (this.socket !== socket) return;
    if (!refusal) {
      this.#comeAgain(1006);
      return;
    }
    this.needsToken = refusal.status === 401;
    this.link.refused(refusal.text);
    this.heard.changed();
  }
}

/** How a browser shows a token: as a subprotocol, which stands in no log of addresses. */
function protocols(token) {
  return token ? ['otlp-relay', `bearer.${base64url(token)}`] : [];
}

function base64url(text) {
  const bytes = new TextEncoder().encode(text);
  const encoded = btoa(String.fromCharCode(...bytes));
  return encoded.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** What the relay says to a request that it won't serve, `undefined` if it may later. */
async function whyRefused(address, token) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  try {
    const response = await fetch(address.replace(/^ws/, 'http'), { headers, signal: AbortSignal.timeout(PROBE_TIMEOUT) });
    // 426: it would have been served; 429 and 503: come again.
    if (![400, 401, 403, 404].includes(response.status)) return undefined;
    const text = await response.text();
    return { status: response.status, text: messageOf(text) };
  } catch {
    return undefined;
  }
}

/** The message of a `google.rpc.Status` in JSON, or the text itself. */
function messageOf(text) {
  try {
    return JSON.parse(text).message ?? text;
  } catch {
    return text.slice(0, 500);
  }
}
