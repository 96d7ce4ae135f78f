/** Work in slices, so that no task of the page is long. */

/** How long a slice may take, in milliseconds: with what the browser does for it, half a frame. */
const LENGTH = 8;

export class Slice {
  constructor() {
    this.begin = performance.now();
  }

  /** Lets others go first, once the slice is long enough. */
  async pause() {
    if (performance.now() - this.begin < LENGTH) return;
    await new Promise((resolve) => setTimeout(resolve));
    this.begin = performance.now();
  }
}
