// A canvas knows no CSS variables, and ours depend on the theme: let the browser resolve them.
const PROBE = document.createElement('span');
PROBE.hidden = true;

/** The colour of a token such as "c1" or "faint", as `rgb(…)`, optionally see-through. */
export function color(token, opacity = 1) {
  if (!PROBE.isConnected) document.documentElement.append(PROBE);
  PROBE.style.color = `var(--${token})`;
  const solid = getComputedStyle(PROBE).color;
  if (opacity === 1) return solid;
  const [red, green, blue] = solid.match(/[\d.]+/g);
  return `rgb(${red} ${green} ${blue} / ${opacity})`;
}
