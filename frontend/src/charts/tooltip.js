// One tooltip for all charts. It is built from text nodes: names of series and deployments come from customers.
import { bucket, formatter, told, usual } from './format.js';

const REACH = 7;
let element;

function tooltip() {
  if (!element?.isConnected) {
    element = document.createElement('div');
    element.className = 'tip';
    element.hidden = true;
    document.body.append(element);
  }
  return element;
}

export function hideTooltip() {
  if (element) element.hidden = true;
}

export function showTooltip(u, spec) {
  const { left, top, idx } = u.cursor;
  const near = (spec.marks ?? []).filter((mark) => Math.abs(u.valToPos(mark.t, 'x') - left) < REACH);
  const tip = tooltip();
  tip.replaceChildren(
    part('time', bucket(spec.t0 + idx * spec.dt, spec.dt) + stillFilling(spec, idx)),
    ...spec.series.map((series) => value(series, idx, formatter(spec.fmt))),
    ...(usual(spec, idx) ? [part('usual', `${spec.expected.l ?? 'usually'} ${usual(spec, idx)}`)] : []),
    ...near.map(deployment),
  );
  tip.hidden = false;
  place(tip, u.over.getBoundingClientRect(), left, top);
}

function stillFilling(spec, index) {
  return spec.partial && index === spec.series[0].y.length - 1 ? ', still filling' : '';
}

function part(name, ...content) {
  const row = document.createElement('div');
  row.dataset.part = name;
  row.append(...content);
  return row;
}

function bold(text) {
  const strong = document.createElement('b');
  strong.textContent = text;
  return strong;
}

function value(series, index, format) {
  const dot = document.createElement('span');
  dot.className = 'dot';
  dot.style.background = `var(--${series.c})`;
  return part('series', dot, series.l, bold(format(told(series)[index])));
}

function deployment(mark) {
  return part('mark', bold(`Deployment ${mark.label}`), mark.text ?? '');
}

function place(tip, area, left, top) {
  const width = tip.offsetWidth;
  let x = area.left + left + 14;
  if (x + width > innerWidth - 8) x = area.left + left - width - 14;
  tip.style.left = `${Math.max(8, x)}px`;
  tip.style.top = `${Math.max(8, area.top + Math.min(top, area.height) - 20)}px`;
}
