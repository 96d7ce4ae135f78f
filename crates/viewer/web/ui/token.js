/** The form that asks for a token, where watching needs one. */

import { h } from './dom.js';

const KEY = 'otlp-relay.token';

/** The token that was entered in this tab. It is kept until the tab is closed, and in no address. */
export function knownToken() {
  try {
    return sessionStorage.getItem(KEY) ?? '';
  } catch {
    return '';
  }
}

/** A form that calls `enter(token)`. */
export function tokenForm(enter) {
  const input = h('input', { type: 'password', autocomplete: 'off', spellcheck: false, id: 'token', required: true });
  const submit = (event) => {
    event.preventDefault();
    const token = input.value.trim();
    if (!token) return;
    try {
      sessionStorage.setItem(KEY, token);
    } catch {
      // Without storage it holds until the page is loaded again.
    }
    enter(token);
  };
  const why = h('p', { className: 'note', role: 'alert' });
  const form = h('form', { className: 'token', on: { submit } },
    h('h2', { className: 'title' }, 'This relay asks for a token'),
    why,
    h('label', { htmlFor: 'token' }, 'Token'),
    h('div', { className: 'token-row' }, input, h('button', { type: 'submit', className: 'button primary' }, 'Watch')));
  return { form, why, focus: () => input.focus() };
}
