// Live tail: `data-tail` marks the box that polled lines are appended to. It keeps the newest lines, follows them
// unless the reader has scrolled up, and rests while paused (`data-tail-toggle`) or out of sight.
import { onClick } from './dom.js';

const KEEP = 300;
const NEAR = 80;

function atBottom(box) {
  return box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
}

function settle(box) {
  while (box.childElementCount > KEEP) box.firstElementChild.remove();
  if (!box.dataset.away) box.scrollTop = box.scrollHeight;
}

function target(event) {
  const { ctx } = event.detail;
  return ctx?.target instanceof Element ? ctx.target.closest('[data-tail]') : null;
}

document.addEventListener('scroll', (event) => {
  if (!(event.target instanceof Element) || !event.target.matches('[data-tail]')) return;
  if (atBottom(event.target)) delete event.target.dataset.away;
  else event.target.dataset.away = 'true';
}, true);

document.addEventListener('htmx:before:request', (event) => {
  const box = target(event);
  if (box && (box.dataset.paused || document.hidden)) event.preventDefault();
});

document.addEventListener('htmx:after:swap', (event) => {
  const box = target(event);
  if (box) settle(box);
});

onClick('[data-tail-toggle]', (button) => {
  const box = document.querySelector('[data-tail]');
  const paused = button.getAttribute('aria-pressed') !== 'true';
  button.setAttribute('aria-pressed', paused);
  if (paused) box.dataset.paused = 'true';
  else delete box.dataset.paused;
});

document.querySelectorAll('[data-tail]').forEach(settle);
