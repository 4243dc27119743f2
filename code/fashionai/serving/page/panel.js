/** Beside the picture: its type, its points, its lengths, and the files to take along. */
import {find, make, title, words} from './dom.js';
import {KINDS, save} from './files.js';
import {lengthsOf, scaleOf} from './lengths.js';
import {SEEMS, VISIBILITY, classesOf, seemsOf} from './stage.js';

export class Panel {
  #store; #ask; #focus; #root = find('#panel'); #all = false;
  #points = make('section', {}); #lengths = make('section', {});

  /** `ask(picture, tag)` requests a prediction; `focus(name)` takes the keyboard to a point of the picture. */
  constructor(store, ask, focus) {
    this.#store = store;
    this.#ask = ask;
    this.#focus = focus;
  }

  render() {
    const picture = this.#store.current;
    this.#root.replaceChildren();
    if (!picture) return;
    if (!picture.answer) {
      this.#root.append(make('p', {class: 'file'}, picture.name), make('p', {class: 'soft'},
        picture.state === 'failed' ? 'There is no prediction for this picture.' : 'The points and lengths will appear here.'));
      return;
    }
    this.#root.append(this.#type(picture));
    this.#root.append(this.#points, this.#lengths, this.#takes(), keys());
    this.sync();
  }

  /** Bring points and lengths up to date, without taking away a field that is being typed in. */
  sync() {
    const picture = this.#store.current;
    if (!picture?.answer) return;
    const typing = this.#lengths.contains(document.activeElement) && document.activeElement.name;
    const held = this.#points.contains(document.activeElement) && document.activeElement.id;
    this.#points.replaceChildren(make('h2', {}, 'Points'), this.#list(picture));
    this.#lengths.replaceChildren(...this.#table(picture));
    this.#lengths.hidden = !this.#lengths.childElementCount;
    if (typing) this.#lengths.querySelector(`[name="${typing}"]`)?.focus();
    if (held) document.getElementById(held)?.focus();
  }

  #type(picture) {
    const {answer, state} = picture;
    const {type} = answer;
    const choice = make('select', {'aria-label': 'Type of this garment', disabled: state === 'looking',
      onchange: () => this.#ask(picture, choice.value)},
    ...Object.keys(this.#store.card.types).map((name) =>
      make('option', {value: name, selected: name === type}, title(name))));
    const share = answer.type_probabilities[type];
    return make('section', {}, make('p', {class: 'file', title: picture.name}, picture.name),
      make('div', {class: 'row'}, choice, make('span', {class: 'soft small'},
        share === undefined ? 'the type you chose' : `${percent(share)} likely`)),
      !answer.type_sure && this.#unsure(picture),
      picture.fault && make('p', {class: 'fault', role: 'alert'}, picture.fault));
  }

  #unsure(picture) {
    const likeliest = Object.entries(picture.answer.type_probabilities).slice(0, 2);
    return make('div', {class: 'unsure'}, make('p', {}, 'The type is uncertain. Which type is right?'),
      make('div', {class: 'row'}, ...likeliest.map(([name, share]) =>
        make('button', {type: 'button', onclick: () => this.#ask(picture, name)},
          `${title(name)} ${percent(share)}`))));
  }

  #list(picture) {
    const {selected, card} = this.#store;
    return make('ul', {class: 'points'}, ...Object.entries(picture.points).map(([name, point]) => {
      const classes = classesOf(name, point, card.low_score);
      const button = make('button', {type: 'button', id: `point-${name}`, 'aria-expanded': String(name === selected),
        onclick: () => this.#choose(name)}, make('span', {class: `swatch ${classes.split(' ')[0]}`}),
      make('span', {class: 'label'}, words(name)), make('span', {class: 'note'}, note(point, classes)));
      return make('li', {class: classes}, button, name === selected && this.#editor(name, point));
    }));
  }

  #choose(name) {
    const chosen = name === this.#store.selected ? null : name;
    this.#store.select(chosen);
    if (chosen && matchMedia('(min-width: 56rem)').matches) this.#focus(chosen);
  }

  #editor(name, point) {
    const untouched = !point.moved && point.v === 1;
    return make('div', {class: 'editor'}, make('output', {}, `x ${point.x.toFixed(1)}   y ${point.y.toFixed(1)} px`),
      make('fieldset', {class: 'choice', 'aria-label': `${words(name)} is`}, ...['1', '0', '-1'].map((v) =>
        make('label', {}, make('input', {type: 'radio', name: 'visibility', id: `visibility-${v}`, value: v,
          checked: String(point.v) === v, onchange: () => this.#store.setVisibility(name, Number(v))}),
        title(VISIBILITY[v])))),
      make('button', {type: 'button', id: 'put-back', disabled: untouched,
        onclick: () => this.#store.putBack(name)}, 'Reset'));
  }

  #table(picture) {
    const {card, pictures, cmPerPixel} = this.#store;
    const lengths = lengthsOf(card.types[picture.answer.type], picture.points, card.clearly);
    const scale = scaleOf(picture, lengths, cmPerPixel);
    if (!Object.keys(lengths).length) return [];
    const rows = Object.entries(lengths).map(([name, length]) => this.#length(picture, name, length, scale));
    return [make('h2', {}, 'Lengths'), make('table', {class: 'lengths'},
      make('thead', {}, make('tr', {},
        make('td', {}), make('th', {scope: 'col'}, 'px'), make('th', {scope: 'col'}, 'cm'))),
      make('tbody', {}, ...rows)),
    make('p', {class: 'soft small'}, scale ? `1 px is ${scale.toPrecision(3)} cm.`
      : 'If you know one length, type it in centimetres; the others are computed from it.'),
    scale && pictures.length > 1 && make('label', {class: 'small'}, make('input', {type: 'checkbox', name: 'common',
      checked: cmPerPixel !== null, onchange: (event) => this.#setCommon(event.target.checked ? scale : null)}),
    ' Use this scale for all pictures')].filter(Boolean);
  }

  #length(picture, name, length, scale) {
    const given = picture.given?.name === name;
    const cm = given ? picture.given.cm : length && scale ? (length.pixels * scale).toFixed(1) : '';
    const unsure = length && (length.doubtful || length.score < this.#store.card.low_score);
    return make('tr', {class: given ? 'given' : ''}, make('th', {scope: 'row'}, words(name),
      length?.doubtful && make('small', {class: 'doubt'}, words(length.doubtful))),
      make('td', {class: unsure ? 'low' : ''}, length ? length.pixels.toFixed(0) : '–'),
      make('td', {}, make('input', {name: `cm-${name}`, inputmode: 'decimal', autocomplete: 'off', value: String(cm),
        placeholder: '–', disabled: !length, 'aria-label': `${words(name)} in centimetres`,
        onchange: (event) => this.#store.setGiven(name, Number(event.target.value.replace(',', '.')))})));
  }

  #setCommon(scale) {
    this.#store.cmPerPixel = scale;
    this.#store.changed('points');
  }

  #takes() {
    const done = this.#store.pictures.filter(({answer}) => answer);
    const taken = () => (this.#all && done.length > 1 ? done : [this.#store.current]);
    return make('section', {}, make('h2', {}, 'Download'),
      done.length > 1 && make('p', {}, make('label', {class: 'small'}, make('input', {type: 'checkbox', name: 'all',
        checked: this.#all,
        onchange: (event) => { this.#all = event.target.checked; }}), ` All ${done.length} pictures`)),
      make('div', {class: 'takes'}, ...Object.entries(KINDS).map(([kind, {title: label, note: what}]) =>
        make('button', {type: 'button', 'data-kind': kind, onclick: () => save(kind, taken(), this.#store)}, label,
          make('small', {}, what)))));
  }
}

const percent = (share) => `${Math.round(share * 100)} %`;

function note(point, classes) {
  if (point.v < 1) return VISIBILITY[point.v];
  if (point.moved) return 'corrected';
  const seems = seemsOf(point);
  const why = seems ? `${SEEMS[seems]} · ` : classes.includes('low') ? 'check · ' : '';
  return point.found ? `${why}${point.score.toFixed(2)}` : 'guessed';
}

function keys() {
  const key = (name) => make('kbd', {}, name);
  return make('section', {class: 'keys soft small'}, 'Drag a point with the mouse, or select it with ', key('Tab'),
    ': arrow keys move it by one pixel, with ',
    key('Shift'), ' by ten. ', key('V'), ' makes it visible, hidden or absent. ', key('Ctrl'), ' ', key('Z'),
    ' undoes a change. ',
    'Please check hollow points: their score is low. A dashed point is probably hidden behind something, ',
    'a faint one is probably not in the picture.');
}
