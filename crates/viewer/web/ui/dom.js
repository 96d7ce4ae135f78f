/** Elements, made without markup in strings: what telemetry holds can never become part of the page. */

/**
 * An element. `properties` are its DOM properties; those that hold a dash, and `role`, become
 * attributes; `on` holds listeners, `data` a data set. Children are nodes or texts; `null`,
 * `undefined` and `false` are none.
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name === 'on') for (const [event, handle] of Object.entries(value)) element.addEventListener(event, handle);
    else if (name === 'data') Object.assign(element.dataset, value);
    else if (name === 'role' || name.includes('-')) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

/** An icon of one path, 16 units wide. It says nothing to who doesn't see it. */
export function icon(path) {
  const element = document.createElementNS(SVG, 'svg');
  element.setAttribute('viewBox', '0 0 16 16');
  element.setAttribute('aria-hidden', 'true');
  element.classList.add('icon');
  const shape = document.createElementNS(SVG, 'path');
  shape.setAttribute('d', path);
  element.append(shape);
  return element;
}

export const ICONS = {
  pause: 'M5 3v10M11 3v10',
  play: 'M4.500 2.800v10.400L13 8z',
  clear: 'M3 4.500h10M6 4.500v-1.500h4v1.500M4.500 4.500l.6 8.500h5.800l.6-8.500',
  close: 'M4 4l8 8M12 4l-8 8',
  back: 'M9.500 3.500L5 8l4.500 4.500',
  copy: 'M6 6h7v7H6zM3 10V3h7',
  sun: 'M8 5.200a2.800 2.800 0 1 0 0 5.600a2.800 2.800 0 1 0 0-5.600M8 1.500v1.500M8 13v1.500M1.500 8H3M13 8h1.500M3.400 3.400l1 1M11.600 11.600l1 1M12.600 3.400l-1 1M4.400 11.600l-1 1',
  help: 'M5.800 6a2.200 2.200 0 1 1 3.200 2c-.7.400-1 .800-1 1.600M8 12.200v.1',
  add: 'M8 3v10M3 8h10',
};

/** A button with an icon, and a name for who doesn't see it. */
export function iconButton(name, label, act, properties = {}) {
  return h('button', { type: 'button', className: 'icon-button', title: label, 'aria-label': label, on: { click: act }, ...properties }, icon(ICONS[name]));
}

/** A choice of a few. `options` are `[value, text]`. */
export function choice(label, options, value, choose, properties = {}) {
  const list = h('select', { 'aria-label': label, ...properties, on: { change: () => choose(list.value) } },
    options.map(([value, text]) => h('option', { value }, text)));
  list.value = value;
  return list;
}

/** Gives an element these children, if they are not what it has. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter(Boolean));
  return element;
}

/** Sets a text, if it is another: an element that doesn't change isn't painted again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A button that copies what `text()` returns, and says so. */
export function copyButton(label, text) {
  const button = iconButton('copy', label, async () => {
    await copy(text());
    button.classList.add('done');
    button.setAttribute('aria-label', 'copied');
    setTimeout(() => {
      button.classList.remove('done');
      button.setAttribute('aria-label', label);
    }, 1500);
  });
  return button;
}

/** Copies a text. Over plain HTTP from another machine, browsers have no clipboard for pages. */
async function copy(text) {
  if (navigator.clipboard) {
    try {
      return await navigator.clipboard.writeText(text);
    } catch {
      // Not allowed: the way below may be.
    }
  }
  const area = h('textarea', { value: text, className: 'hidden', readOnly: true });
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}
