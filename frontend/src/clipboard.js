// `data-copy` holds the text to copy; `data-copy-link` the query string that freezes this page's time range.
import { onClick } from './dom.js';
import { toast } from './toast.js';

const RANGE = ['range', 'from', 'to'];

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} copied.`, 'ok');
  } catch {
    toast('The browser did not allow copying.', 'warn');
  }
}

function frozen(query) {
  const url = new URL(location.href);
  RANGE.forEach((name) => url.searchParams.delete(name));
  new URLSearchParams(query).forEach((value, name) => url.searchParams.set(name, value));
  return url.href;
}

onClick('[data-copy]', (button) => copy(button.dataset.copy, button.dataset.copyName ?? 'Text'));
onClick('[data-copy-link]', (button) => copy(frozen(button.dataset.copyLink), 'Link'));
