// Loaded on pages inside the product; plain pages do without.
import './charts/element.js';
