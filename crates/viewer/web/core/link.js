/**
 * The state of a connection to the relay, without the connection: when to come again, from where
 * to go on, and what was lost. Times are milliseconds.
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
    /** Whether it goes on after a break, and not from where another view was left. */
    this.broken = false;
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
    this.reason = '';
  }

  /**
   * Takes note of a message that is not data.
   *
   * @returns {object|undefined} a gap, `{ kind, dropped }`: `lost` with how many exports; `break`
   *   where nobody knows what came while there was no connection, and `away` where other things
   *   were watched for longer than the relay's history goes back
   */
  told(message) {
    if (message.type === 'gap') {
      const dropped = Number(message.dropped ?? 0);
      this.lost += dropped;
      return { kind: 'lost', dropped };
    }
    if (message.type !== 'hello') return undefined;
    const asked = this.epoch !== '';
    this.epoch = message.epoch ?? '';
    // Exports come after this one, also if none has come yet.
    this.seq = message.seq ?? '';
    const { broken } = this;
    this.broken = false;
    if (!asked || message.recovered !== false) return undefined;
    return broken ? this.#broke() : { kind: 'away', dropped: 0 };
  }

  /** A connection of frames without numbers is there. Returns a gap if there was one before. */
  openedPlain() {
    const { broken } = this;
    this.broken = false;
    return broken ? this.#broke() : undefined;
  }

  #broke() {
    this.breaks += 1;
    return { kind: 'break', dropped: 0 };
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
  closed(code, random = Math.random()) {
    if (isFinal(code)) return this.refused(`the relay has closed the connection (${code})`);
    this.state = 'waiting';
    this.broken = true;
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

  /** Where the view is now, to come back to. */
  get cursor() {
    return { epoch: this.epoch, seq: this.seq };
  }

  /** Another view is asked for: it goes on from where it was left, or begins with what history holds. */
  turn({ epoch = '', seq = '' } = {}) {
    Object.assign(this, { epoch, seq, attempts: 0, broken: false, state: 'idle' });
  }
}
