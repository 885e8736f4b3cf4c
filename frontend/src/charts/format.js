// Figures as observability/ui/units.py writes them, for axes and tooltips.
const SCALES = [['B', 1e9, 1e9], ['M', 1e6, 1e6], ['k', 1e3, 1e4]];

function trimmed(value, digits) {
  return String(Number(value.toFixed(digits)));
}

function count(value) {
  const size = Math.abs(value);
  for (const [suffix, scale, from] of SCALES) {
    if (size >= from) return trimmed(value / scale, size / scale < 10 ? 2 : 1) + suffix;
  }
  return size < 10 ? trimmed(value, 2) : Math.round(value).toLocaleString('en');
}

function percent(value) {
  if (value > 0 && value < 0.01) return '<0.01%';
  return `${trimmed(value, value < 10 ? 2 : 1)}%`;
}

function milliseconds(value) {
  if (value >= 3_600_000) return `${trimmed(value / 3_600_000, 1)} h`;
  if (value >= 60_000) return `${trimmed(value / 60_000, 1)} min`;
  if (value >= 1000) return `${trimmed(value / 1000, value < 10_000 ? 2 : 1)} s`;
  return value > 0 && value < 1 ? `${trimmed(value, 2)} ms` : `${Math.round(value)} ms`;
}

function megabytes(value) {
  return `${value < 10 ? trimmed(value, 2) : Math.round(value).toLocaleString('en')} MB`;
}

function dollars(value) {
  if (value === 0 || value >= 1) return `$${value.toFixed(2)}`;
  // Two telling digits, however small: ticks of 0.00005 and 0.0001 must not read alike.
  const digits = Math.min(9, 1 - Math.floor(Math.log10(value)));
  return `$${value.toFixed(Math.max(2, digits))}`;
}

const FORMATS = { count, pct: percent, ms: milliseconds, mb: megabytes, usd: dollars };

/** The formatter of a spec's `fmt`; a value that is not known reads as a dash. */
export function formatter(name) {
  const format = FORMATS[name] ?? count;
  return (value) => (value == null ? '–' : format(value));
}

const two = (number) => String(number).padStart(2, '0');

/** All times are UTC, as everywhere on the page. */
export function clock(seconds) {
  const at = new Date(seconds * 1000);
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
}

export function day(seconds) {
  const at = new Date(seconds * 1000);
  return `${at.getUTCDate()} ${at.toLocaleDateString('en', { month: 'short', timeZone: 'UTC' })}`;
}

/** What was usual in a bucket; nothing where nobody knows. */
export function usual(spec, index) {
  const { low, high } = spec.expected ?? {};
  const format = formatter(spec.fmt);
  return low?.[index] == null ? '' : `${format(low[index])} to ${format(high[index])}`;
}

/** The bucket that begins at `start` and lasts `step` seconds. */
export function bucket(start, step) {
  if (step >= 86_400) return day(start);
  return `${day(start)}, ${clock(start)} to ${clock(start + step)} UTC`;
}

/** What a series says of each bucket; a part of a stack is drawn higher than it is. */
export function told(series) {
  return series.own ?? series.y;
}
