// Ctrl+K: one field that finds functions, incidents and requests; without a query it lists the pages.
import { onClick } from './dom.js';

const PAUSE = 80;
let timer;
let request;

const dialog = () => document.querySelector('#palette');
const results = () => document.querySelector('#palette-results');
const options = () => [...results().querySelectorAll('[role=option]')];
const selected = () => options().findIndex((option) => option.getAttribute('aria-selected') === 'true');

export function openPalette() {
  if (!dialog() || dialog().open) return;
  dialog().showModal();
  const input = dialog().querySelector('input');
  input.value = '';
  input.focus();
  showPlaces();
}

function showPlaces() {
  results().replaceChildren(document.querySelector('#palette-places').content.cloneNode(true));
  select(0);
}

async function search(query) {
  request?.abort();
  request = new AbortController();
  const url = `${dialog().dataset.search}?q=${encodeURIComponent(query)}`;
  const answer = await fetch(url, { headers: { 'HX-Request': 'true' }, signal: request.signal });
  if (!answer.ok) throw new Error(`search answered ${answer.status}`);
  // The fragment comes from our own server, escaped by its templates.
  results().innerHTML = await answer.text();
  select(0);
}

function complain(error) {
  if (error.name === 'AbortError') return;
  results().textContent = 'The search does not answer. Try again in a moment.';
}

function select(index) {
  const all = options();
  const input = dialog().querySelector('input');
  all.forEach((option, position) => {
    option.id ||= `palette-option-${position}`;
    option.setAttribute('aria-selected', position === index);
  });
  all[index]?.scrollIntoView({ block: 'nearest' });
  if (all[index]) input.setAttribute('aria-activedescendant', all[index].id);
  else input.removeAttribute('aria-activedescendant');
}

function move(step) {
  const count = options().length;
  if (count) select((selected() + step + count) % count);
}

document.addEventListener('input', (event) => {
  if (!event.target.closest('#palette')) return;
  clearTimeout(timer);
  const query = event.target.value.trim();
  if (!query) return showPlaces();
  timer = setTimeout(() => search(query).catch(complain), PAUSE);
});

document.addEventListener('keydown', (event) => {
  if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === 'k') {
    event.preventDefault();
    return openPalette();
  }
  if (!dialog()?.open) return;
  const act = {
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
    Enter: () => options()[Math.max(0, selected())]?.click(),
  }[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});

onClick('[data-palette-open]', openPalette);
onClick('#palette', (element, event) => event.target === element && element.close());
