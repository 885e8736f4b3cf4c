// What uPlot does not draw by itself: incidents as bands, limits as dashed lines, deployments as flags, and a veil
// over the newest bucket while it is still filling.
import { color } from './colors.js';

const FONT = '"Inter Variable", system-ui';

/** What is usual, as a shaded band behind everything; a bucket of which nothing is known leaves a gap. */
export function drawExpected(u, spec) {
  const { low, high } = spec.expected ?? {};
  if (!low) return;
  const { ctx } = u;
  ctx.save();
  ctx.fillStyle = color('info', 0.13);
  for (let from = 0; from < low.length; from += 1) {
    let to = from;
    while (to < low.length && low[to] != null && high[to] != null) to += 1;
    if (to > from) fillBetween(u, spec, low, high, from, to);
    from = to;
  }
  ctx.restore();
}

/** Each bucket as wide as it is, so that the band has steps as the data has. */
function fillBetween(u, spec, low, high, from, to) {
  const { ctx } = u;
  const x = (index) => u.valToPos(spec.t0 + index * spec.dt, 'x', true);
  const y = (value) => u.valToPos(value, 'y', true);
  ctx.beginPath();
  for (let index = from; index < to; index += 1) {
    ctx.lineTo(x(index), y(high[index]));
    ctx.lineTo(x(index + 1), y(high[index]));
  }
  for (let index = to - 1; index >= from; index -= 1) {
    ctx.lineTo(x(index + 1), y(low[index]));
    ctx.lineTo(x(index), y(low[index]));
  }
  ctx.fill();
}

/** Incident bands lie behind the data. */
export function drawBands(u, spec) {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.fillStyle = color('err', 0.09);
  for (const { a, b } of spec.bands ?? []) {
    const from = u.valToPos(Math.max(a, u.scales.x.min), 'x', true);
    const to = u.valToPos(Math.min(b ?? u.scales.x.max, u.scales.x.max), 'x', true);
    if (to > bbox.left && from < bbox.left + bbox.width) ctx.fillRect(from, bbox.top, Math.max(2, to - from), bbox.height);
  }
  ctx.restore();
}

export function drawOverlay(u, spec) {
  u.ctx.save();
  drawVeil(u, spec);
  for (const line of spec.lines ?? []) drawLimit(u, line);
  for (const mark of spec.marks ?? []) drawDeployment(u, mark);
  u.ctx.restore();
}

function drawVeil(u, spec) {
  if (!spec.partial) return;
  const { ctx, bbox } = u;
  const right = bbox.left + bbox.width;
  const left = u.valToPos(u.scales.x.max - spec.dt, 'x', true);
  ctx.fillStyle = color('base-100', 0.55);
  ctx.fillRect(left, bbox.top, right - left, bbox.height);
}

function drawLimit(u, { y: value, l: label }) {
  const { ctx, bbox } = u;
  const ratio = devicePixelRatio;
  const y = Math.round(u.valToPos(value, 'y', true)) + 0.5;
  stroke(ctx, color('warn'), [4, 4], bbox.left, y, bbox.left + bbox.width, y);
  ctx.font = `500 ${11 * ratio}px ${FONT}`;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'bottom';
  const width = ctx.measureText(label).width;
  ctx.fillStyle = color('base-100');
  ctx.fillRect(bbox.left + 4 * ratio, y - 17 * ratio, width + 6 * ratio, 14 * ratio);
  ctx.fillStyle = color('warning');
  ctx.fillText(label, bbox.left + 7 * ratio, y - 3.5 * ratio);
}

function drawDeployment(u, { t: at, bad }) {
  const { ctx, bbox } = u;
  if (at < u.scales.x.min || at > u.scales.x.max) return;
  const ratio = devicePixelRatio;
  const x = Math.round(u.valToPos(at, 'x', true)) + 0.5;
  const ink = color(bad ? 'primary' : 'mark');
  stroke(ctx, ink, [3, 3], x, bbox.top, x, bbox.top + bbox.height);
  ctx.fillStyle = ink;
  ctx.beginPath();
  ctx.moveTo(x - 4.5 * ratio, bbox.top - 7 * ratio);
  ctx.lineTo(x + 4.5 * ratio, bbox.top - 7 * ratio);
  ctx.lineTo(x, bbox.top);
  ctx.fill();
}

function stroke(ctx, ink, dash, x0, y0, x1, y1) {
  const ratio = devicePixelRatio;
  ctx.strokeStyle = ink;
  ctx.lineWidth = ratio;
  ctx.setLineDash(dash.map((length) => length * ratio));
  ctx.beginPath();
  ctx.moveTo(x0, y0);
  ctx.lineTo(x1, y1);
  ctx.stroke();
  ctx.setLineDash([]);
}
