/** Rings: the newest so many of something, the oldest first. */

/** A ring of values. */
export class Ring {
  /** @param {number} capacity how many it holds; one more takes the place of the oldest. */
  constructor(capacity) {
    this.capacity = capacity;
    this.clear();
  }

  /** Adds a value; returns the one that had to go, if any. */
  push(value) {
    if (this.length < this.capacity) {
      this.values[(this.first + this.length) % this.capacity] = value;
      this.length += 1;
      return undefined;
    }
    const gone = this.values[this.first];
    this.values[this.first] = value;
    this.first = (this.first + 1) % this.capacity;
    return gone;
  }

  /** Takes the oldest out. */
  shift() {
    if (this.length === 0) return undefined;
    const gone = this.values[this.first];
    this.values[this.first] = undefined;
    this.first = (this.first + 1) % this.capacity;
    this.length -= 1;
    return gone;
  }

  /** The value at a place; a negative one counts from the newest. */
  at(index) {
    const place = index < 0 ? this.length + index : index;
    if (place < 0 || place >= this.length) return undefined;
    return this.values[(this.first + place) % this.capacity];
  }

  /** Keeps the newest `capacity` values and holds no more from now on. */
  shrink(capacity) {
    const kept = this.toArray().slice(-capacity);
    this.capacity = capacity;
    this.values = kept;
    this.first = 0;
    this.length = kept.length;
  }

  clear() {
    this.values = [];
    this.first = 0;
    this.length = 0;
  }

  toArray() {
    return Array.from(this);
  }

  *[Symbol.iterator]() {
    for (let index = 0; index < this.length; index += 1) yield this.at(index);
  }
}

/** How many rows a table begins with. */
const FIRST_ROWS = 16;

/** A ring of rows of numbers: 8 bytes a number, and no object for a row. */
export class Rows {
  /**
   * @param {number} width numbers in a row
   * @param {number} capacity rows that it holds
   */
  constructor(width, capacity) {
    this.width = width;
    this.capacity = capacity;
    this.first = 0;
    this.length = 0;
    this.cells = new Float64Array(width * Math.min(FIRST_ROWS, capacity));
  }

  /** How many numbers it has room for. */
  get size() {
    return this.cells.length;
  }

  push(...row) {
    const rows = this.cells.length / this.width;
    if (this.length === rows && rows < this.capacity) this.#resize(Math.min(rows * 2, this.capacity));
    const room = this.cells.length / this.width;
    this.cells.set(row, ((this.first + this.length) % room) * this.width);
    if (this.length < room) this.length += 1;
    else this.first = (this.first + 1) % room;
  }

  /** The number in a column of a row; a negative row counts from the newest. */
  get(row, column) {
    const place = row < 0 ? this.length + row : row;
    if (place < 0 || place >= this.length) return Number.NaN;
    const room = this.cells.length / this.width;
    return this.cells[((this.first + place) % room) * this.width + column];
  }

  /** Keeps the newest `capacity` rows and holds no more from now on. */
  shrink(capacity) {
    this.capacity = capacity;
    if (this.cells.length / this.width > capacity) this.#resize(capacity);
  }

  #resize(rows) {
    const cells = new Float64Array(rows * this.width);
    const kept = Math.min(this.length, rows);
    for (let row = 0; row < kept; row += 1) {
      for (let column = 0; column < this.width; column += 1) {
        cells[row * this.width + column] = this.get(this.length - kept + row, column);
      }
    }
    this.cells = cells;
    this.first = 0;
    this.length = kept;
  }
}
