/** Sparklines: a line without axes, drawn into a canvas. */

import { h } from './dom.js';
import { colour } from './theme.js';

const WIDTH = 120;
const HEIGHT = 26;

/** A canvas with the line of these values; `undefined` is passed over. */
export function sparkline(values) {
  const ratio = window.devicePixelRatio || 1;
  const canvas = h('canvas', { className: 'spark', width: WIDTH * ratio, height: HEIGHT * ratio, 'aria-hidden': 'true' });
  const points = [];
  values.forEach((value, at) => {
    if (Number.isFinite(value)) points.push([at, value]);
  });
  if (points.length === 0) return canvas;
  const all = points.map(([, value]) => value);
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const span = most - least || 1;
  const pen = canvas.getContext('2d');
  pen.scale(ratio, ratio);
  const x = (at) => 2 + (at / Math.max(values.length - 1, 1)) * (WIDTH - 5);
  const y = (value) => (most === least ? HEIGHT / 2 : HEIGHT - 3 - ((value - least) / span) * (HEIGHT - 6));
  pen.strokeStyle = pen.fillStyle = colour('--accent');
  pen.lineWidth = 1.25;
  pen.lineJoin = 'round';
  pen.beginPath();
  for (const [at, value] of points) pen.lineTo(x(at), y(value));
  pen.stroke();
  const [at, value] = points.at(-1);
  pen.beginPath();
  pen.arc(x(at), y(value), 1.8, 0, 7);
  pen.fill();
  return canvas;
}
