// Short notices at the corner of the page; they leave by themselves, and screen readers hear them.
const LIFETIME = 6000;

export function toast(text, kind = 'info') {
  const corner = document.querySelector('#toasts');
  if (!corner) return;
  const note = document.createElement('p');
  note.className = `notice notice-${kind}`;
  const words = document.createElement('span');
  words.textContent = text;
  note.append(words);
  corner.replaceChildren(note);
  setTimeout(() => note.remove(), LIFETIME);
}
