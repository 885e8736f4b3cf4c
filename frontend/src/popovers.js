// A choice made in a popover closes it; a swap that keeps the page would otherwise leave it open.
import { onClick } from './dom.js';

onClick('.pop :is(a, button)', (choice) => choice.closest('[popover]')?.hidePopover());
