// `data-confirm` asks before a form is sent; `data-autosubmit` sends a form as soon as a choice is made;
// `data-clear` empties a form that was accepted, because a morph keeps what was typed.
import { closest } from './dom.js';

document.addEventListener('submit', (event) => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (question && !window.confirm(question)) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}, true);

document.addEventListener('change', (event) => closest(event, '[data-autosubmit]')?.form?.requestSubmit());

document.addEventListener('htmx:before:response', (event) => {
  const { response, sourceElement } = event.detail.ctx;
  if (response.raw.ok && sourceElement?.matches?.('form[data-clear]')) sourceElement.reset();
});
