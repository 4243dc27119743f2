/** Beside the picture: the type, the points, why it is asked for, who changed it, and the export. */
import {find, make, title, words} from './editor/dom.js';
import {pointEditor, pointRow} from './editor/pointlist.js';
import {VISIBILITY} from './editor/stage.js';
import {post} from './api.js';

const SIGNS = {scores: 'low scores', mirror: 'another answer for the mirror image', presets: 'another answer at one pass',
  shape: 'an unusual shape', type: 'an uncertain type'};
const TELLING = {scores: 0.4, mirror: 0.05, presets: 0.05, shape: 0.3, type: 0.3}; // from here on a sign is named

export class Panel {
  #store; #focus; #root = find('#panel'); #head = make('section', {}); #points = make('section', {});
  #story = make('section', {}); #export = make('section', {}); #val = '0.2'; #formats = new Set(); #said = '';

  /** `focus(name)` takes the keyboard to a point of the picture. */
  constructor(store, focus) {
    this.#store = store;
    this.#focus = focus;
    this.#root.append(this.#head, this.#points, this.#story, this.#export);
  }

  render() {
    if (!this.#store.full) return;
    if (!this.#export.childElementCount) this.#showExport();
    this.#showHead();
    this.#showStory();
    this.sync();
  }

  /** Bring the points up to date. */
  sync() {
    const {current, selected, card} = this.#store;
    const held = this.#points.contains(document.activeElement) && document.activeElement.id;
    this.#points.replaceChildren();
    this.#points.hidden = !current?.points;
    if (!current?.points) return;
    this.#points.append(make('h2', {}, 'Points'), make('ul', {class: 'points'},
      ...Object.entries(current.points).map(([name, point]) => pointRow(name, point, {low: card.low_score,
        selected: name === selected, note, choose: () => this.#choose(name),
        editor: () => pointEditor(name, point, this.#store, !point.own)}))));
    if (held) document.getElementById(held)?.focus();
  }

  #choose(name) {
    const chosen = name === this.#store.selected ? null : name;
    this.#store.select(chosen);
    if (chosen) this.#focus(chosen);
  }

  #showHead() {
    const {full, card} = this.#store;
    const {type} = full;
    const choice = make('select', {id: 'type', 'aria-label': 'Type of this garment',
      onchange: () => this.#store.setType(choice.value)},
    !type && make('option', {value: '', selected: true, disabled: true}, 'Choose a type'),
    ...Object.keys(card.types).map((name) => make('option', {value: name, selected: name === type}, title(name))));
    const several = [...this.#store.items.values()].filter(({picture, state}) => picture === full.picture && state !== 'removed');
    this.#head.replaceChildren(make('p', {class: 'file', title: full.name}, full.name),
      make('div', {class: 'row'}, choice, make('span', {class: 'soft small'}, this.#state())),
      several.length > 1 && make('div', {class: 'row garments'}, ...several.map(({id, number}) =>
        make('button', {type: 'button', 'aria-pressed': String(id === full.id), onclick: () => this.#store.show(id)},
          `Garment ${number}`)),
      full.number > 1 && make('button', {type: 'button', id: 'remove', onclick: () => this.#store.remove()}, 'Remove box')) || '',
      full.proposal?.fault && make('p', {class: 'fault', role: 'alert'}, full.proposal.fault) || '');
  }

  #state() {
    const {full} = this.#store;
    if (full.state === 'open') return full.person ? `changed by ${full.person}` : 'to do';
    return `${full.state} by ${full.person}`;
  }

  #showStory() {
    const {full} = this.#store;
    const signs = full.proposal && full.state === 'open' ? Object.entries(full.proposal.doubt).filter(([name, value]) =>
      value >= TELLING[name]).map(([name]) => SIGNS[name]) : [];
    const lines = full.history.slice(-8).reverse().map(({kind, action, person, at}) => make('li', {},
      `${kind === 'edit' ? '' : `${kind}: `}${words(action)}, ${person}, `, make('time', {datetime: at},
        new Date(at).toLocaleString())));
    this.#story.replaceChildren(
      signs.length ? make('div', {class: 'signs'}, make('h2', {}, 'Why this one'), make('p', {class: 'small'}, signs.join(', '))) : '',
      lines.length ? make('details', {}, make('summary', {}, `Changes (${full.history.length})`),
        make('ul', {class: 'story small soft'}, ...lines)) : '');
    this.#story.hidden = !this.#story.childElementCount;
  }

  #showExport() {
    const share = make('input', {id: 'val', inputmode: 'decimal', value: this.#val, size: 4,
      onchange: () => { this.#val = share.value; }});
    const button = make('button', {type: 'button', id: 'export', onclick: () => this.#write(button, Number(share.value))},
      'Write training data');
    this.#export.replaceChildren(make('h2', {}, 'Export'), make('div', {class: 'row'}, button,
      make('label', {class: 'field small'}, 'share for validation ', share)),
    make('details', {class: 'small'}, make('summary', {}, 'Other formats too'), ...this.#store.card.formats.map((name) =>
      make('label', {class: 'format'}, make('input', {type: 'checkbox', name, onchange: ({target}) =>
        this.#formats[target.checked ? 'add' : 'delete'](name)}), name))),
    make('p', {id: 'exported', class: 'small soft', role: 'status'}, this.#said));
  }

  async #write(button, val) {
    button.disabled = true;
    await this.#store.settled();
    try {
      const {folder, counts, notes} = await post('export', {val, formats: [...this.#formats]});
      const sum = (part) => Object.values(counts[part]).reduce((a, b) => a + b, 0);
      this.#said = [`${folder}: ${sum('train')} for training, ${sum('val')} for validation.`, ...notes].join(' ');
    } catch (error) {
      this.#said = error.message;
    }
    find('#exported').textContent = this.#said;
    button.disabled = false;
  }
}

function note(point, classes) {
  if (point.unplaced) return 'not placed';
  if (point.v < 1) return VISIBILITY[point.v];
  if (point.moved) return point.proposed ? 'corrected' : 'placed';
  if (point.own) return 'kept';
  return point.found ? `${classes.includes('low') ? 'check · ' : ''}${point.score.toFixed(2)}` : 'guessed';
}
