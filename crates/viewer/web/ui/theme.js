/** Light or dark: as the system has it, unless chosen otherwise here. */

import { h, icon, ICONS } from './dom.js';

const KEY = 'otlp-relay.theme';
const CHOICES = ['auto', 'light', 'dark'];
const listeners = new Set();
let colours = new Map();

/** A button that goes through the choices. */
export function themeButton() {
  const button = h('button', { type: 'button', className: 'icon-button', on: { click: next } }, icon(ICONS.sun));
  const show = () => {
    const label = `Colours: ${chosen()}`;
    button.title = label;
    button.setAttribute('aria-label', label);
  };
  listeners.add(show);
  apply();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', apply);
  return button;

  function next() {
    const choice = CHOICES[(CHOICES.indexOf(chosen()) + 1) % CHOICES.length];
    store(choice);
    apply();
  }
}

/** Calls `listener` whenever colours change. */
export function onColours(listener) {
  listeners.add(listener);
}

/** The value of a colour of the style, for canvases, which know no variables. */
export function colour(name) {
  if (!colours.has(name)) {
    const probe = h('span', { hidden: true });
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    colours.set(name, getComputedStyle(probe).color);
    probe.remove();
  }
  return colours.get(name);
}

function chosen() {
  try {
    const choice = localStorage.getItem(KEY);
    return CHOICES.includes(choice) ? choice : 'auto';
  } catch {
    return 'auto';
  }
}

function store(choice) {
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // Without storage it holds until the page is loaded again, as the attribute.
  }
}

function apply() {
  const choice = chosen();
  if (choice === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
  colours = new Map();
  for (const listener of listeners) listener();
}
