/** Tabs: one of several parts is shown. Arrow keys go from tab to tab. */
import {make} from './dom.js';

export class Tabs {
  #buttons = new Map(); #parts; #chosen;

  /** `parts`: {name: element}, the first of which is shown; `label` says what the tabs are of. */
  constructor(label, parts) {
    this.#parts = parts;
    for (const [name, part] of Object.entries(parts)) {
      this.#buttons.set(name, make('button', {type: 'button', role: 'tab', id: `tab-${name}`, 'aria-controls': `part-${name}`,
        onclick: () => this.choose(name)}));
      Object.assign(part, {id: `part-${name}`});
      part.setAttribute('role', 'tabpanel');
      part.setAttribute('aria-labelledby', `tab-${name}`);
    }
    this.bar = make('div', {class: 'tabs', role: 'tablist', 'aria-label': label, onkeydown: (event) => this.#key(event)},
      ...this.#buttons.values());
    this.choose(Object.keys(parts)[0]);
  }

  /** Name the tabs: {name: text}; a tab without a text is left out. */
  label(texts) {
    for (const [name, button] of this.#buttons) {
      button.textContent = texts[name] ?? '';
      button.hidden = !texts[name];
    }
    if (!texts[this.#chosen]) this.#show(Object.keys(texts).find((name) => texts[name]));
    else this.#show(this.#chosen);
  }

  choose(name) {
    this.#chosen = name;
    this.#show(name);
  }

  #show(chosen) {
    for (const [name, button] of this.#buttons) {
      button.setAttribute('aria-selected', String(name === chosen));
      button.tabIndex = name === chosen ? 0 : -1;
      this.#parts[name].hidden = name !== chosen;
    }
  }

  #key(event) {
    const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (!step) return;
    const names = [...this.#buttons.keys()].filter((name) => !this.#buttons.get(name).hidden);
    const at = names.findIndex((name) => this.#buttons.get(name) === document.activeElement);
    const next = names[(at + step + names.length) % names.length];
    this.choose(next);
    this.#buttons.get(next).focus();
  }
}
