/** The nearest ancestor (or the element itself) of an event's target that matches, or null. */
export function closest(event, selector) {
  return event.target instanceof Element ? event.target.closest(selector) : null;
}

/** Call `handler(element, event)` on clicks inside any present or future element that matches. */
export function onClick(selector, handler) {
  document.addEventListener('click', (event) => {
    const element = closest(event, selector);
    if (element) handler(element, event);
  });
}

/** Show another state of this page: swap it in place where htmx is there, else navigate. Back undoes both. */
export function visit(url) {
  if (!window.htmx) return location.assign(url);
  return window.htmx.ajax('GET', url, { target: 'body', swap: 'innerMorph', push: url });
}
