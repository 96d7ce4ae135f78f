/**
 * The state of a connection to the relay, without the connection: when to come again, from where
 * to go on, and what was lost; and where views were left. Times are milliseconds.
 */

/** Before the first attempt to come again, and at most. */
const FIRST_WAIT = 250;
const LONGEST_WAIT = 5000;
/** Codes that say "don't come again" (the relay's protocol; 1008 is RFC 6455's "policy"). */
const isFinal = (code) => code === 1008 || (code >= 3500 && code <= 3999);

export class Link {
  constructor() {
    /** `idle`, `connecting`, `open`, `waiting` or `refused`. */
    this.state = 'idle';
    /** The number of the newest publication that was seen, and the hub's life that it is of. */
    this.epoch = '';
    this.seq = '';
    this.attempts = 0;
    /** Whether there was a connection for this view, now or before it was left. */
    this.reached = false;
    /** Whether it goes on after a break, and not from where another view was left. */
    this.broken = false;
    /** Since when it is not connected; 0 if it is, or never was. */
    this.since = 0;
    /** Why it was refused, for people. */
    this.reason = '';
    /** Publications that the relay has told to be lost. */
    this.lost = 0;
    /** How often nobody knows what was lost: the relay started anew, or history was too short. */
    this.breaks = 0;
  }

  /** A connection is begun. Returns the parameters that make it go on where the last one was. */
  begin(replay) {
    this.state = 'connecting';
    if (this.epoch && this.seq) return [['since', `${this.epoch}:${this.seq}`]];
    return replay ? [['replay', replay]] : [];
  }

  opened() {
    this.state = 'open';
    this.attempts = 0;
    this.reached = true;
    this.reason = '';
  }

  /**
   * Takes note of a message that is not data.
   *
   * @returns {object|undefined} a gap, `{ kind, dropped, since }`: `lost` with how many exports, and
   *   three that nobody knows more of than since when: `break` where history doesn't hold all that
   *   came while there was no connection, `away` where other things were watched for longer than it
   *   goes back, and `restart` where the relay was started anew. After that one a connection has to
   *   be begun again: all that its history holds is new here
   */
  told(message) {
    if (message.type === 'gap') {
      const dropped = Number(message.dropped ?? 0);
      this.lost += dropped;
      return { kind: 'lost', dropped, since: 0 };
    }
    if (message.type !== 'hello') return undefined;
    const asked = this.epoch !== '' && this.seq !== '';
    if (asked && message.epoch !== this.epoch) {
      Object.assign(this, { epoch: '', seq: '' });
      return this.#unknown('restart');
    }
    this.epoch = message.epoch ?? '';
    // Exports come after this one, also if none has come yet.
    this.seq = message.seq ?? '';
    if (asked && message.recovered === false) return this.#unknown(this.broken ? 'break' : 'away');
    this.#mend();
    return undefined;
  }

  /** A connection of frames without numbers is there. Returns a gap if there was one before. */
  openedPlain() {
    if (this.broken) return this.#unknown('break');
    this.#mend();
    return undefined;
  }

  #unknown(kind) {
    const { since } = this;
    this.breaks += 1;
    this.#mend();
    return { kind, dropped: 0, since };
  }

  /** Nothing is missing from here on. */
  #mend() {
    Object.assign(this, { broken: false, since: 0 });
  }

  /** Takes note of data. Returns whether it is new: what is replayed may have been seen. */
  passed(message) {
    if (message.seq === undefined) return true;
    const seen = message.epoch === this.epoch && this.seq !== '' && Number(message.seq) <= Number(this.seq);
    if (seen) return false;
    this.epoch = message.epoch;
    this.seq = message.seq;
    return true;
  }

  /** The connection has ended, or was not made. Returns how long to wait, if at all. */
  closed(code, now, random = Math.random()) {
    // Where there was none, nothing is missing.
    if (this.reached) Object.assign(this, { broken: true, since: this.since || now });
    if (isFinal(code)) return this.refused(`the relay has closed the connection (${code})`);
    this.state = 'waiting';
    const wait = Math.min(FIRST_WAIT * 2 ** this.attempts, LONGEST_WAIT);
    this.attempts += 1;
    return wait * (0.5 + random / 2);
  }

  /** There is no use in coming again. */
  refused(reason) {
    this.state = 'refused';
    this.reason = reason;
    return undefined;
  }

  /** The same view is asked for once more, after a refusal: it goes on after the break. */
  retry() {
    Object.assign(this, { attempts: 0, state: 'idle' });
  }

  /** Where the view is left, to come back to. */
  leave(now) {
    const { epoch, seq, reached, since } = this;
    return { epoch, seq, reached, since: reached ? since || now : 0 };
  }

  /** Another view is asked for: it goes on from where it was left, or begins with what history holds. */
  turn({ epoch = '', seq = '', reached = false, since = 0 } = {}) {
    Object.assign(this, { epoch, seq, reached, since, attempts: 0, broken: false, state: 'idle' });
  }
}

/** The most views of one store that are come back to without asking for all that history holds. */
const MAX_PLACES = 20;
/** The store to which several requests add: its points have times, so that none of them counts twice. */
const SHARED = 'metrics';

/**
 * Where views were left, and which requests have filled what is kept. A store is `metrics`, `logs`,
 * `traces` or `raw`; a request is `{ path, parameters }`.
 */
export class Places {
  constructor() {
    /** By store, the request that has filled it, as a text. */
    this.filled = new Map();
    /** By store, where its views were left, by their requests; the newest last. */
    this.left = new Map();
    /** Whether the shared store was cleared while the view was watched that is now. */
    this.cleared = false;
  }

  /**
   * A request is watched. Returns whether what its store holds was let through by another one, and
   * has to go; where views of it were left is forgotten then.
   */
  enter(store, request) {
    const key = keyOf(request);
    const before = this.filled.get(store);
    this.filled.set(store, key);
    if (store === SHARED && before !== key) this.cleared = false;
    if (store === SHARED || before === undefined || before === key) return false;
    this.left.delete(store);
    return true;
  }

  /** The reader has cleared a store. What is shared by several views begins anew for all others. */
  clear(store) {
    if (store !== SHARED) return;
    this.left.delete(store);
    this.cleared = true;
  }

  /** A view is left. */
  leave(store, request, cursor) {
    const views = this.left.get(store) ?? new Map();
    this.left.set(store, views);
    views.delete(keyOf(request));
    views.set(keyOf(request), { request, cursor, isWhole: !(store === SHARED && this.cleared) });
    if (views.size > MAX_PLACES) views.delete(views.keys().next().value);
  }

  /** From where a view goes on: where it was left, or a later one that has shown all that it shows. */
  cursorOf(store, request) {
    const views = [...(this.left.get(store)?.values() ?? [])];
    const serves = (view) => keyOf(view.request) === keyOf(request) || (view.isWhole && covers(view.request, request));
    return views.findLast((view) => view.cursor.reached && serves(view))?.cursor;
  }
}

function keyOf({ path, parameters }) {
  return JSON.stringify([path, parameters]);
}

/**
 * Whether all that a request asks for is asked for by a wider one. Values of one name are
 * alternatives, and different names all have to match.
 */
function covers(wide, narrow) {
  if (wide.path !== narrow.path) return false;
  const valuesOf = ({ parameters }, wanted) => parameters.filter(([name]) => name === wanted).map(([, value]) => value);
  return wide.parameters.every(([name]) => {
    const [allowed, asked] = [valuesOf(wide, name), valuesOf(narrow, name)];
    return asked.length > 0 && asked.every((value) => allowed.includes(value));
  });
}
