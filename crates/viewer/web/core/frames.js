/** The newest frames, as they came, and to be read. */

import { Ring } from './ring.js';

/** Frames that are kept; the oldest goes. */
export const MAX_FRAMES = 200;
/** How long all of them may be, in characters; the oldest go, the newest always stays. */
export const MAX_CHARACTERS = 8_000_000;

/** The most characters of JSON that are shown; copying takes all. */
export const MAX_SHOWN = 100_000;

export class Frames {
  constructor(limits = { frames: MAX_FRAMES, characters: MAX_CHARACTERS }) {
    this.limits = limits;
    this.clear();
  }

  clear() {
    this.ring = new Ring(this.limits.frames);
    this.characters = 0;
    this.next = 1;
  }

  /** Frames that had to go. */
  get gone() {
    return this.next - 1 - this.ring.length;
  }

  /** Takes note of frames that are missing here. */
  addGap(gap, time) {
    this.add('', { gap, time });
  }

  /** Keeps the text of a frame, beside what is known of it. */
  add(text, about) {
    const gone = this.ring.push({ id: this.next, text, ...about });
    this.next += 1;
    this.characters += text.length - (gone?.text.length ?? 0);
    while (this.characters > this.limits.characters && this.ring.length > 1) {
      this.characters -= this.ring.shift().text.length;
    }
  }
}

/** JSON with line breaks; of several lines of it, each by itself; of what is none, the text itself. */
export function pretty(text) {
  return prettyOf(text) ?? text.split('\n').filter(Boolean).map((line) => prettyOf(line) ?? line).join('\n');
}

function prettyOf(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return undefined;
  }
}
