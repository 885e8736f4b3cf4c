// Light or dark: the system decides until the reader does; a cookie lets the server render the choice at once.
import { onClick } from './dom.js';

const YEAR = 60 * 60 * 24 * 365;
const system = matchMedia('(prefers-color-scheme: dark)');
const announce = () => document.dispatchEvent(new Event('nj:theme'));

function remember(theme) {
  const secure = location.protocol === 'https:' ? ';secure' : '';
  document.cookie = `theme=${theme};path=/;max-age=${YEAR};samesite=lax${secure}`;
}

onClick('[data-theme-toggle]', () => {
  const root = document.documentElement;
  const current = root.dataset.theme || (system.matches ? 'dark' : 'light');
  root.dataset.theme = current === 'dark' ? 'light' : 'dark';
  remember(root.dataset.theme);
  announce();
});

system.addEventListener('change', announce);
