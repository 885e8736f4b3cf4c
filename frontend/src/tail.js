// Live tail: `data-tail` marks the box that polled lines are appended to, `#tail-poll` the element that polls. The box
// keeps the newest lines and follows them unless the reader has scrolled up; polls rest while the reader has paused
// (`data-tail-pause`) or the page is out of sight.
import { onClick } from './dom.js';

const KEEP = 300;
const NEAR = 80;
const POLL = '#tail-poll';

const boxes = () => document.querySelectorAll('[data-tail]');
const paused = () => document.querySelector('[data-tail-pause][aria-pressed=true]') !== null;
const polls = (event) => event.detail.ctx?.sourceElement?.matches?.(POLL);

function settle(box) {
  while (box.childElementCount > KEEP) box.firstElementChild.remove();
  if (!box.dataset.away) box.scrollTop = box.scrollHeight;
}

function settleAll() {
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
