// Translates our chart spec (see README.md) into uPlot's options.
import uPlot from 'uplot';
import { color } from './colors.js';
import { clock, day, formatter } from './format.js';
import { drawBands, drawExpected, drawOverlay } from './marks.js';

const DAY = 86_400;
const FONT = '11px "Inter Variable", system-ui';
const SYNC = 'nightjar';
// Nobody counts half an error: only these go between whole numbers.
const FRACTIONAL = new Set(['pct', 'ms', 'mb', 'usd']);
const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE;
// In ms; people count minutes and hours in other steps than thousands.
const DURATIONS = [
  ...[0.01, 0.1, 1, 10, 100, SECOND].flatMap((power) => [power, 2 * power, 5 * power]),
  ...[10, 20, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 5, 10, 20, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 4, 6, 12, 24, 48, 96, 192].map((hours) => hours * HOUR),
];
const WHOLE = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();

/** Each value stands in the middle of its bucket. */
export function timestamps(spec) {
  return spec.series[0].y.map((_, index) => spec.t0 + (index + 0.5) * spec.dt);
}

export function options(spec, { width, height, axis, onCursor, onZoom }) {
  const format = formatter(spec.fmt);
  return {
    width,
    height,
    // Without a time axis below it, the lowest label would be cut in half.
    padding: [14, 18, axis ? 0 : 7, 0],
    legend: { show: false },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
    series: [{}, ...spec.series.map((series) => line(series, spec))],
    scales: scales(spec),
    axes: [timeAxis(axis), valueAxis(spec.fmt, format, height)],
    cursor: cursor(spec),
    hooks: {
      drawClear: [(u) => drawExpected(u, spec), (u) => drawBands(u, spec)],
      draw: [(u) => drawOverlay(u, spec)],
      setCursor: [onCursor],
      setSelect: [(u) => select(u, onZoom)],
    },
  };
}

function line(series, spec) {
  const ink = color(series.c);
  const common = { label: series.l, stroke: ink, points: { show: false } };
  if (series.k === 'bar') {
    const radius = spec.series[0].y.length < 80 ? 0.15 : 0;
    // Parts of a stack cover one another: what shines through would be another colour.
    const fill = color(series.c, series.c === 'err' || series.own ? 1 : 0.55);
    return { ...common, fill, width: 0, paths: uPlot.paths.bars({ size: [0.82, 40], radius }) };
  }
  return { ...common, width: 1.6, spanGaps: false, fill: series.k === 'area' ? gradient(series.c) : undefined };
}

function gradient(token) {
  return (u) => {
    const shade = u.ctx.createLinearGradient(0, u.bbox.top, 0, u.bbox.top + u.bbox.height);
    shade.addColorStop(0, color(token, 0.26));
    shade.addColorStop(1, color(token, 0.02));
    return shade;
  };
}

function scales(spec) {
  const count = spec.series[0].y.length;
  const limit = Math.max(0, ...(spec.lines ?? []).map((each) => each.y));
  const usual = Math.max(0, ...(spec.expected?.high ?? []));
  return {
    x: { time: true, range: () => [spec.t0, spec.t0 + count * spec.dt] },
    // Room above the data, and above a limit that the data does not reach.
    y: { range: (u, low, high) => [0, Math.max((high ?? 0) * 1.08, usual * 1.04, limit * 1.22) || 1] },
  };
}

function timeAxis(show) {
  return {
    show,
    stroke: color('faint'),
    font: FONT,
    grid: { show: false },
    ticks: { show: false },
    size: 24,
    gap: 4,
    space: 64,
    values: timeLabels,
  };
}

function timeLabels(u, splits) {
  const span = u.scales.x.max - u.scales.x.min;
  let last;
  return splits.map((at) => {
    if (span <= 3 * DAY) return at % DAY ? clock(at) : day(at);
    const label = day(at) === last ? '' : day(at);
    last = day(at);
    return label;
  });
}

function valueAxis(name, format, height) {
  return {
    ...(FRACTIONAL.has(name) ? {} : { incrs: WHOLE }),
    ...(name === 'ms' ? { incrs: DURATIONS } : {}),
    stroke: color('faint'),
    font: FONT,
    size: (u, values) => Math.max(44, ...(values ?? []).map((text) => text.length * 6.3 + 14)),
    gap: 6,
    grid: { stroke: color('grid'), width: 1 },
    ticks: { show: false },
    space: height < 100 ? 24 : 34,
    values: (u, values) => values.map(format),
  };
}

function cursor(spec) {
  return {
    y: false,
    sync: { key: SYNC, setSeries: false },
    drag: { x: true, y: false, dist: 6, setScale: false },
    points: {
      size: 7,
      width: 2,
      stroke: (u, index) => color(spec.series[index - 1].c),
      fill: () => color('base-100'),
    },
  };
}

function select(u, onZoom) {
  const { left, width } = u.select;
  if (width < 6) return;
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  onZoom(u.posToVal(left, 'x'), u.posToVal(left + width, 'x'));
}
