// Dragging over any chart narrows the whole page to that stretch of time; Back undoes it.
import { visit } from './dom.js';

const SHORTEST = 60;
const STALE = ['range', 'page', 'before', 'after'];

document.addEventListener('nj:zoom', (event) => {
  const from = Math.floor(event.detail.from);
  const to = Math.max(Math.ceil(event.detail.to), from + SHORTEST);
  const url = new URL(location.href);
  STALE.forEach((name) => url.searchParams.delete(name));
  url.searchParams.set('from', from);
  url.searchParams.set('to', to);
  visit(url.pathname + url.search);
});

// The range control opens with its text field ready to be typed in.
document.addEventListener('toggle', (event) => {
  if (event.target.id === 'range' && event.newState === 'open') event.target.querySelector('input[name=range]')?.select();
}, true);
