// Keeps relative times true while the page stays open; the words are those of observability/ui/units.py.
const EVERY = 10_000;

export function elapsed(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole}s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 10) return minutes % 60 ? `${hours}h ${minutes % 60}m` : `${hours}h`;
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}

function refresh() {
  if (document.hidden) return;
  for (const time of document.querySelectorAll('time[data-ago]')) {
    time.textContent = elapsed((Date.now() - Date.parse(time.dateTime)) / 1000) + time.dataset.ago;
  }
}

setInterval(refresh, EVERY);
document.addEventListener('visibilitychange', refresh);
