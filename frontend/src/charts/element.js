// <nj-chart data-title="…" height="150"><script type="application/json">spec</script></nj-chart>
//
// Connecting the element draws, disconnecting destroys, so swaps of the page need no glue. The drawing lives in the
// shadow root, where a morph of the page cannot remove it; the light DOM holds only the data, and a change there redraws.
import uPlot from 'uplot';
import uplotCss from 'uplot/dist/uPlot.min.css?inline';
import elementCss from './element.css?inline';
import { options, timestamps } from './options.js';
import { dataTable, summary } from './table.js';
import { hideTooltip, showTooltip } from './tooltip.js';

const HEIGHT = 150;
const TABLE_HEIGHT = 200;
const AHEAD = '300px';

const sheet = new CSSStyleSheet();
sheet.replaceSync(uplotCss + elementCss);

// Charts below the fold wait until the reader comes near.
const approaching = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    approaching.unobserve(target);
    target.draw();
  }
}, { rootMargin: AHEAD });

class NjChart extends HTMLElement {
  connectedCallback() {
    if (!this.shadowRoot) this.build();
    this.style.setProperty('--h', `${this.height}px`);
    this.changes.observe(this, { childList: true, subtree: true, characterData: true });
    this.sizes.observe(this);
    approaching.observe(this);
  }

  disconnectedCallback() {
    approaching.unobserve(this);
    this.changes.disconnect();
    this.sizes.disconnect();
    this.clear();
  }

  get height() {
    return Number(this.getAttribute('height')) || HEIGHT;
  }

  get heading() {
    return this.dataset.title ?? 'Chart';
  }

  build() {
    this.attachShadow({ mode: 'open' }).adoptedStyleSheets = [sheet];
    this.plotBox = document.createElement('div');
    this.plotBox.className = 'plot';
    this.plotBox.tabIndex = 0;
    this.plotBox.setAttribute('role', 'img');
    this.plotBox.setAttribute('aria-label', this.heading);
    this.plotBox.addEventListener('keydown', (event) => this.walk(event));
    this.plotBox.addEventListener('blur', hideTooltip);
    this.addEventListener('mouseleave', hideTooltip);
    this.tableBox = document.createElement('div');
    this.tableBox.className = 'table';
    this.tableBox.tabIndex = 0;
    this.tableBox.setAttribute('role', 'region');
    this.tableBox.hidden = true;
    this.switch = document.createElement('button');
    this.switch.type = 'button';
    this.switch.textContent = 'Table';
    this.switch.setAttribute('aria-label', `${this.heading} as a table`);
    this.switch.addEventListener('click', () => this.toggleTable());
    this.shadowRoot.append(this.switch, this.plotBox, this.tableBox);
    this.changes = new MutationObserver(() => this.plot && this.draw());
    this.sizes = new ResizeObserver(() => this.fit());
  }

  draw() {
    const data = this.querySelector('script');
    if (!data) return;
    const spec = JSON.parse(data.textContent);
    if (!spec.series?.[0]?.y.length) return;
    this.spec = spec;
    this.clear();
    const settings = options(spec, {
      width: this.clientWidth || 400,
      height: this.height,
      axis: !this.hasAttribute('data-noaxis'),
      onCursor: (u) => this.point(u),
      onZoom: (from, to) => this.zoom(from, to),
    });
    this.plot = new uPlot(settings, [timestamps(spec), ...spec.series.map((series) => series.y)], this.plotBox);
    this.plotBox.setAttribute('aria-label', summary(spec, this.heading));
    this.tableBox.setAttribute('aria-label', `${this.heading}, table`);
    this.tableBox.style.height = `${Math.max(this.height, TABLE_HEIGHT)}px`;
    this.showTable(this.switch.getAttribute('aria-pressed') === 'true');
  }

  clear() {
    this.plot?.destroy();
    this.plot = null;
  }

  fit() {
    const width = this.clientWidth;
    if (this.plot && width && width !== this.plot.width) this.plot.setSize({ width, height: this.height });
  }

  /** The tooltip belongs to the chart under the pointer or in focus; the others only show the linked cursor. */
  point(u) {
    const active = this.matches(':hover') || this.shadowRoot.activeElement === this.plotBox;
    if (!active) return;
    if (u.cursor.idx == null || !(u.cursor.left >= 0)) hideTooltip();
    else showTooltip(u, this.spec);
  }

  zoom(from, to) {
    // Linked charts repeat the drag; only the one under the pointer may act on it.
    if (!this.matches(':hover') || this.hasAttribute('data-nozoom')) return;
    this.dispatchEvent(new CustomEvent('nj:zoom', { bubbles: true, detail: { from, to } }));
  }

  walk(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === 'Escape') this.plot?.setCursor({ left: -10, top: -10 });
    if (!step || !this.plot) return;
    event.preventDefault();
    const times = this.plot.data[0];
    const from = this.plot.cursor.idx ?? times.length - 1;
    const to = Math.min(times.length - 1, Math.max(0, from + step * (event.shiftKey ? 10 : 1)));
    this.plot.setCursor({ left: this.plot.valToPos(times[to], 'x'), top: 20 });
  }

  toggleTable() {
    this.showTable(this.switch.getAttribute('aria-pressed') !== 'true');
  }

  showTable(shown) {
    this.switch.setAttribute('aria-pressed', shown);
    this.switch.textContent = shown ? 'Chart' : 'Table';
    this.plotBox.hidden = shown;
    this.tableBox.hidden = !shown;
    this.tableBox.replaceChildren(...(shown ? [dataTable(this.spec, this.heading)] : []));
  }
}

customElements.define('nj-chart', NjChart);
document.addEventListener('nj:theme', () => {
  document.querySelectorAll('nj-chart').forEach((chart) => chart.plot && chart.draw());
});
