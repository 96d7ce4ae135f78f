/** Numbers, units and times for people. */

const SI = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];
const BINARY = [
  [2 ** 40, 'TiB'],
  [2 ** 30, 'GiB'],
  [2 ** 20, 'MiB'],
  [2 ** 10, 'KiB'],
];
/** Units of time of UCUM, in seconds. */
const TIMES = { ns: 1e-9, us: 1e-6, µs: 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600, d: 86_400 };
const SHOWN_TIMES = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
  [1e-3, 'ms'],
  [1e-6, 'µs'],
  [1e-9, 'ns'],
];

/** Three or so significant digits, or as many as are asked for, without zeros behind. */
export function digits(value, precision = 3) {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 1000) return String(Number(value.toFixed(Math.max(precision - 4, 0))));
  if (size < 0.001) return value.toExponential(precision - 2);
  return String(Number(value.toPrecision(precision)));
}

/** A plain number: `1.2k`, `34M`. */
export function plain(value, precision) {
  const scale = SI.find(([least]) => Math.abs(value) >= least * 0.9995);
  return scale && Number.isFinite(value) ? `${digits(value / scale[0], precision)}${scale[1]}` : digits(value, precision);
}

/** Bytes: `1.2 MiB`. */
export function bytes(value, precision) {
  const scale = BINARY.find(([least]) => Math.abs(value) >= least);
  return scale && Number.isFinite(value) ? `${digits(value / scale[0], precision)} ${scale[1]}` : `${digits(value, precision)} B`;
}

/** A duration in seconds: `12 ms`. */
export function duration(seconds, precision) {
  if (seconds === 0) return '0 s';
  const scale = SHOWN_TIMES.find(([least]) => Math.abs(seconds) >= least * 0.9995) ?? SHOWN_TIMES.at(-1);
  return Number.isFinite(seconds) ? `${digits(seconds / scale[0], precision)} ${scale[1]}` : String(seconds);
}

/** A value with its unit, one of UCUM as OpenTelemetry writes them; `perSecond` for rates. */
export function quantity(value, unit, perSecond = false, precision = undefined) {
  if (value === undefined || value === null) return '–';
  const per = perSecond ? '/s' : '';
  if (unit === 'By') return bytes(value, precision) + per;
  if (unit in TIMES && !perSecond) return duration(value * TIMES[unit], precision);
  const name = unitName(unit);
  if (unit === '%') return `${digits(value, precision)} %${per}`;
  return `${plain(value, precision)}${name && ` ${name}`}${per}`;
}

/** The most significant digits of a scale's texts. */
const MOST_DIGITS = 9;

/**
 * The texts of a scale's values, by `text(value, precision)`: with so many digits that more would
 * say no more; of values that have no end, with so many as tell them apart.
 */
export function scaleTexts(values, text) {
  const all = [];
  for (let precision = 3; precision <= MOST_DIGITS; precision += 1) all.push(values.map((value) => text(value, precision)));
  const whole = all.at(-1);
  const isWhole = (texts) => texts.every((one, at) => one === whole[at]);
  const areApart = (texts) => new Set(texts).size === texts.length;
  // The last is whole whatever it is, so the one before it has to be.
  return isWhole(all.at(-2)) ? all.find(isWhole) : (all.find(areApart) ?? all[0]);
}

/** A unit as people read it: without the braces of annotations, and nothing for `1`. */
export function unitName(unit) {
  if (unit === '1' || unit === '{1}') return '';
  return { By: 'bytes' }[unit] ?? unit.replace(/[{}]/g, '');
}

/** The time of a day, to the millisecond: `17:04:31.250`. */
export function clock(milliseconds) {
  if (!milliseconds) return '–';
  const date = new Date(milliseconds);
  const two = (number) => String(number).padStart(2, '0');
  const fraction = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${fraction}`;
}

const GROUPED = new Intl.NumberFormat('en');

/** A whole number with its thousands apart: `12,345`. */
export function grouped(number) {
  return GROUPED.format(number);
}

/** One thing or several: `1 series`, `2 spans`. */
export function count(number, one, several = `${one}s`) {
  return `${grouped(number)} ${number === 1 ? one : several}`;
}
