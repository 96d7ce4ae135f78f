/** The newest frames, as they came. */

import { Ring } from './ring.js';

/** Frames that are kept; the oldest goes. */
export const MAX_FRAMES = 200;
/** How long all of them may be, in characters; the oldest go, the newest always stays. */
export const MAX_CHARACTERS = 8_000_000;

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
