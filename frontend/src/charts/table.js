// The same data for those who would rather read it: one row per bucket, the newest first.
import { bucket, formatter, told, usual } from './format.js';

export function dataTable(spec, title) {
  const table = document.createElement('table');
  table.createCaption().textContent = title;
  const head = table.createTHead().insertRow();
  for (const name of ['Time', ...spec.series.map((series) => series.l), ...(spec.expected ? [spec.expected.l ?? 'Usual'] : [])]) {
    const cell = document.createElement('th');
    cell.scope = 'col';
    cell.textContent = name;
    head.append(cell);
  }
  const body = table.createTBody();
  const format = formatter(spec.fmt);
  for (let index = spec.series[0].y.length - 1; index >= 0; index -= 1) {
    const row = body.insertRow();
    row.insertCell().textContent = bucket(spec.t0 + index * spec.dt, spec.dt);
    for (const series of spec.series) row.insertCell().textContent = format(told(series)[index]);
    if (spec.expected) row.insertCell().textContent = usual(spec, index);
  }
  return table;
}

/** What a screen reader says of the chart. */
export function summary(spec, title) {
  const format = formatter(spec.fmt);
  const said = spec.series.map((series) => {
    const known = told(series).filter((value) => value != null);
    return known.length
      ? `${series.l}: latest ${format(known.at(-1))}, highest ${format(Math.max(...known))}`
      : `${series.l}: no data`;
  });
  const marks = spec.marks?.length ? ` ${spec.marks.length} deployments.` : '';
  return `${title}. ${said.join('; ')}.${marks}`;
}
