/** Sparklines: a line without axes, as SVG, which is drawn anew without the page having to. */

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 120;
const HEIGHT = 26;

/** An empty sparkline, to be given values by `drawSpark`. */
export function sparkline() {
  const picture = document.createElementNS(SVG, 'svg');
  picture.setAttribute('class', 'spark');
  picture.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
  picture.setAttribute('preserveAspectRatio', 'none');
  picture.setAttribute('aria-hidden', 'true');
  const paths = ['spark-line', 'spark-end'].map((name) => {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('class', name);
    return path;
  });
  picture.append(...paths);
  return picture;
}

/** Draws the line of these values; `undefined` is passed over. */
export function drawSpark(picture, values) {
  const [line, end] = picture.children;
  const points = pointsOf(values);
  line.setAttribute('d', points.length > 0 ? `M${points.join('L')}` : '');
  // A line of no length with a round end is a dot.
  end.setAttribute('d', points.length > 0 ? `M${points.at(-1)}h0` : '');
}

/** Where the values are, as `x y`. */
function pointsOf(values) {
  const known = values.filter(Number.isFinite);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const x = (at) => 2 + (at / Math.max(values.length - 1, 1)) * (WIDTH - 5);
  const y = (value) => (most === least ? HEIGHT / 2 : HEIGHT - 3 - ((value - least) / (most - least)) * (HEIGHT - 6));
  const points = [];
  values.forEach((value, at) => {
    if (Number.isFinite(value)) points.push(`${x(at).toFixed(1)} ${y(value).toFixed(1)}`);
  });
  return points;
}
