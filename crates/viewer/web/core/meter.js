/** How much of something there is in a second, over the last few. */

/** Over how many seconds the mean is taken. */
const SECONDS = 5;

export class Meter {
  constructor() {
    this.total = 0;
    this.slots = new Array(SECONDS + 1).fill(0);
    this.second = 0;
  }

  /** Counts an amount at a time, in milliseconds. */
  add(amount, now) {
    this.#turn(now);
    this.total += amount;
    const second = Math.floor(now / 1000);
    // What is older than all that is measured counts in the total alone.
    if (second > this.second - this.slots.length) this.slots[second % this.slots.length] += amount;
  }

  /** The mean of the last whole seconds. */
  rate(now) {
    this.#turn(now);
    const current = this.slots[this.second % this.slots.length];
    const sum = this.slots.reduce((sum, amount) => sum + amount, 0);
    return (sum - current) / SECONDS;
  }

  #turn(now) {
    const second = Math.floor(now / 1000);
    const passed = Math.min(Math.max(second - this.second, 0), this.slots.length);
    for (let step = 1; step <= passed; step += 1) this.slots[(second - passed + step) % this.slots.length] = 0;
    this.second = Math.max(second, this.second);
  }
}
