// Single keys, as the help dialog (`?`) lists them. A page marks what a key presses with `data-key`, a place that
// `g …` goes to with `data-go`, and rows that `j` and `k` walk through with `data-row`.
import { onClick } from './dom.js';
import { openPalette } from './palette.js';

const SEQUENCE = 900;
let leader = 0;

function typing(event) {
  return event.target.closest('input, textarea, select, [contenteditable]');
}

function go(key) {
  document.querySelector(`[data-go="${CSS.escape(key)}"]`)?.click();
}

function walk(step) {
  const links = [...document.querySelectorAll('[data-row]')].map((row) => row.querySelector('a')).filter(Boolean);
  if (!links.length) return;
  const here = links.findIndex((link) => link.closest('[data-row]').contains(document.activeElement));
  const next = here < 0 ? 0 : Math.min(links.length - 1, Math.max(0, here + step));
  links[next].focus();
  links[next].scrollIntoView({ block: 'nearest' });
}

// A key acts on the row that has the focus, else on the page; never on a row that nobody has chosen.
function pressed(key) {
  const name = `[data-key="${CSS.escape(key)}"]`;
  const row = document.activeElement?.closest('[data-row]');
  return row?.querySelector(name) ?? document.querySelector(`${name}:not([data-row] *)`);
}

function openHelp() {
  document.querySelector('#keyboard-help')?.showModal();
}

const COMMANDS = {
  '/': openPalette,
  '?': openHelp,
  j: () => walk(1),
  k: () => walk(-1),
};

document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return;
  if (typing(event) || document.querySelector('dialog[open]')) return;
  const waited = Date.now() - leader;
  leader = event.key === 'g' ? Date.now() : 0;
  if (leader) return;
  if (waited < SEQUENCE) return go(event.key);
  const button = pressed(event.key);
  const command = button ? () => button.click() : COMMANDS[event.key];
  if (command) {
    event.preventDefault();
    command();
  }
});

onClick('[data-help-open]', openHelp);
onClick('#keyboard-help', (element, event) => event.target === element && element.close());
