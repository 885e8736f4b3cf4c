// `data-confirm` asks before a form is sent; `data-autosubmit` sends a form as soon as a choice is made.
import { closest } from './dom.js';

document.addEventListener('submit', (event) => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (question && !window.confirm(question)) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}, true);

document.addEventListener('change', (event) => closest(event, '[data-autosubmit]')?.form?.requestSubmit());
