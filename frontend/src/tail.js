// Live tail: `data-tail` marks the box that polled lines are appended to, `#tail-poll` the element that polls. The box
// keeps the newest lines and follows them unless the reader has scrolled up; polls rest while the reader has paused
// (`data-tail-pause`) or the page is out of sight. Functions report at different times, so a poll also brings the
// last seconds again: `data-line`, the place of a line, tells which of them are new and where they belong.
import { onClick } from './dom.js';

const KEEP = 300;
const NEAR = 80;
const POLL = '#tail-poll';

const boxes = () => document.querySelectorAll('[data-tail]');
const paused = () => document.querySelector('[data-tail-pause][aria-pressed=true]') !== null;
const polls = (event) => event.detail.ctx?.sourceElement?.matches?.(POLL);

function before(row, place) {
  let above = row.previousElementSibling;
  while (above && above.dataset.line > place) above = above.previousElementSibling;
  return above;
}

function merge(box) {
  const known = new Set();
  for (const row of [...box.children]) {
    const place = row.dataset.line;
    if (known.has(place)) {
      row.remove();
      continue;
    }
    known.add(place);
    const above = before(row, place);
    if (above === row.previousElementSibling) continue;
    if (above) above.after(row);
    else box.prepend(row);
  }
}

function settle(box) {
  merge(box);
  while (box.childElementCount > KEEP) box.firstElementChild.remove();
  if (!box.dataset.away) box.scrollTop = box.scrollHeight;
}

function settleAll() {
  if (document.querySelector('[data-tail]')?.childElementCount) document.querySelector('#no-lines')?.remove();
  boxes().forEach(settle);
}

document.addEventListener('scroll', (event) => {
  const box = event.target;
  if (!(box instanceof Element) || !box.matches('[data-tail]')) return;
  if (box.scrollHeight - box.scrollTop - box.clientHeight < NEAR) delete box.dataset.away;
  else box.dataset.away = 'true';
}, true);

document.addEventListener('htmx:before:request', (event) => {
  if (polls(event) && (paused() || document.hidden)) event.preventDefault();
});

document.addEventListener('htmx:after:swap', settleAll);

onClick('[data-tail-pause]', (button) => {
  button.setAttribute('aria-pressed', button.getAttribute('aria-pressed') !== 'true');
});

settleAll();
document.querySelector('#linked')?.scrollIntoView({ block: 'center' });
