// htmx requests: a progress bar for the slow ones, and plain words when one fails.
import { toast } from './toast.js';

const PATIENCE = 120;
const LOGIN = '/accounts/login/';
const WORDS = {
  403: 'You are not allowed to do that. Reload the page if you signed in elsewhere meanwhile.',
  404: 'That is not there any more.',
  409: 'Somebody else changed this meanwhile. Reload the page to see how it is now.',
  413: 'That is too large.',
  429: 'Too many requests. Wait a moment and try again.',
};

let timer;
const bar = () => document.querySelector('#progress');
const polls = (ctx) => ctx?.sourceElement?.getAttribute?.('hx-trigger')?.includes('every');

document.addEventListener('htmx:before:request', (event) => {
  if (polls(event.detail.ctx)) return;
  clearTimeout(timer);
  timer = setTimeout(() => bar()?.setAttribute('class', 'on'), PATIENCE);
});

document.addEventListener('htmx:finally:request', (event) => {
  if (polls(event.detail.ctx)) return;
  clearTimeout(timer);
  if (bar()?.className === 'on') bar().className = 'done';
});

// A session that ended answers with the log-in page, which must not land inside a fragment.
document.addEventListener('htmx:before:response', (event) => {
  const { raw } = event.detail.ctx.response;
  if (raw.redirected && new URL(raw.url).pathname === LOGIN) {
    event.preventDefault();
    location.reload();
  }
});

document.addEventListener('htmx:response:error', (event) => {
  const { status } = event.detail.ctx.response;
  // 422 carries the form back with its errors, and htmx swaps it in.
  if (status !== 422 && !polls(event.detail.ctx)) toast(WORDS[status] ?? `Something went wrong (${status}).`, 'crit');
});

document.addEventListener('htmx:error', (event) => {
  if (!polls(event.detail.ctx)) toast('Nightjar could not be reached. Check the connection and try again.', 'crit');
});

// django-allauth tells in this way that a passkey was refused or the browser has none.
document.addEventListener('allauth.error', () => toast('The passkey was not used. Try again, or use another way.', 'warn'));

// A morph of the page keeps the parts that load by themselves (hx-morph-skip-children); they then look again.
document.addEventListener('htmx:after:swap', (event) => {
  if (event.detail.ctx?.target === document.body) document.body.dispatchEvent(new Event('nj:morphed'));
});
