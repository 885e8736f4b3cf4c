// Everything that every page needs. Pages work without it; it makes them quicker to use.
import './app.css';
import './clipboard.js';
import './forms.js';
import './keyboard.js';
import './palette.js';
import './popovers.js';
import './range.js';
import './requests.js';
import './tabs.js';
import './tail.js';
import './theme.js';
import './times.js';
