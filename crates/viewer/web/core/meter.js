/** How much comes in a second, over the last few. */

/** Over how many seconds the mean is taken. */
const SECONDS = 5;

export class Meter {
  constructor() {
    this.slots = new Array(SECONDS + 1).fill(0);
    this.second = 0;
  }

  /** Counts an amount at a time, in milliseconds; one that is older than all that is measured is not. */
  add(amount, now) {
    this.#turn(now);
    const second = Math.floor(now / 1000);
    if (!this.#isPast(second)) this.slots[second % this.slots.length] += amount;
  }

  /** The mean of the last whole seconds. By a clock that has gone back, it begins anew. */
  rate(now) {
    const asked = Math.floor(now / 1000);
    if (this.#isPast(asked)) {
      this.slots.fill(0);
      this.second = asked;
    }
    this.#turn(now);
    const current = this.slots[this.second % this.slots.length];
    const sum = this.slots.reduce((sum, amount) => sum + amount, 0);
    return (sum - current) / SECONDS;
  }

  #isPast(second) {
    return second <= this.second - this.slots.length;
  }

  #turn(now) {
    const second = Math.floor(now / 1000);
    const passed = Math.min(Math.max(second - this.second, 0), this.slots.length);
    for (let step = 1; step <= passed; step += 1) this.slots[(second - passed + step) % this.slots.length] = 0;
    this.second = Math.max(second, this.second);
  }
}

/**
 * How much comes over connections, by the clock of the relay, because what history holds counts for
 * when the relay received it. How far that is ahead of the clock here is taken anew for each
 * connection. The clock here has to be one that nobody sets, so that the two keep their distance.
 */
export class Flow {
  constructor() {
    this.meters = { exports: new Meter(), items: new Meter(), bytes: new Meter() };
    /** How far the relay's clock is ahead, in milliseconds, as far as can be told; else undefined. */
    this.ahead = undefined;
    /** Whether nothing has come yet over the connection that there is. */
    this.isOld = true;
  }

  /** There is another connection. */
  opened() {
    this.isOld = true;
  }

  /** Counts an export that the relay received at a time, and that came now. */
  take({ items, bytes }, time, now) {
    const ahead = time - now;
    if (this.isOld) {
      this.ahead = ahead;
      this.isOld = false;
      // If the clock is another, the meters begin anew.
      this.rates(now);
    }
    this.ahead = Math.max(this.ahead, ahead);
    this.meters.exports.add(1, time);
    this.meters.items.add(items, time);
    this.meters.bytes.add(bytes, time);
  }

  /** How much there is in a second now: `{ exports, items, bytes }`. */
  rates(now) {
    const { ahead } = this;
    const rate = (meter) => (ahead === undefined ? 0 : meter.rate(now + ahead));
    return Object.fromEntries(Object.entries(this.meters).map(([name, meter]) => [name, rate(meter)]));
  }
}
