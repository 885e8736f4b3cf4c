// On a narrow screen the row of tabs scrolls; the current one should be in sight.
function reveal() {
  for (const tab of document.querySelectorAll(':is(.tabs2, .seg) [aria-current=page]')) {
    const row = tab.parentElement;
    row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
  }
}

reveal();
document.addEventListener('htmx:after:swap', reveal);
