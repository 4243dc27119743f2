/** Beside the picture: its type, its lengths, its points, and the files to take along. */
import {find, make, say, title, words} from './dom.js';
import {KINDS, TEXTS, copy, save} from './files.js';
import {lengthsOf, scaleOf} from './lengths.js';
import {pointEditor, pointRow} from './pointlist.js';
import {SEEMS, VISIBILITY, classesOf, seemsOf} from './stage.js';
import {isCorrected, titleOf} from './store.js';
import {Tabs} from './tabs.js';

export class Panel {
  #store; #ask; #stage; #root = find('#panel'); #all = false; #selected = null;
  #points = make('section', {}); #lengths = make('section', {}); #downloads = make('section', {class: 'takes'}); #shown = [];
  #tabs = new Tabs('Results', {lengths: this.#lengths, points: this.#points});

  /** `ask(picture, tag)` requests a prediction; the stage shows the path of a length, and takes the keyboard to a point. */
  constructor(store, ask, stage) {
    this.#store = store;
    this.#ask = ask;
    this.#stage = stage;
    this.#listen();
  }

  /** Show the current picture; one that has not changed stays as it is, also a field that is being typed in. */
  render() {
    const {current: picture, pictures} = this.#store;
    const shown = [picture, picture?.answer, picture?.state, picture?.fault, pictures.length > 1];
    if (picture?.answer && shown.every((value, index) => value === this.#shown[index])) {
      this.#downloads.replaceChildren(...this.#takes());
      return;
    }
    this.#shown = shown;
    this.#root.replaceChildren();
    if (!picture) return;
    if (!picture.answer) {
      this.#root.append(file(picture), picture.state === 'failed' ? make('p', {class: 'fault'}, picture.fault)
        : make('p', {class: 'soft'}, 'The points and lengths will appear here.'));
      return;
    }
    this.#downloads.replaceChildren(...this.#takes());
    this.#root.append(this.#type(picture), this.#tabs.bar, make('div', {class: 'parts'}, this.#lengths, this.#points),
      this.#downloads);
    this.sync();
  }

  /** Bring points and lengths up to date, without taking away a field that is being typed in. */
  sync() {
    const picture = this.#store.current;
    if (!picture?.answer) return;
    const typing = this.#lengths.contains(document.activeElement) && document.activeElement.name;
    const held = this.#points.contains(document.activeElement) && document.activeElement.id;
    this.#points.replaceChildren(this.#list(picture), this.#putBack(picture), keys());
    this.#lengths.replaceChildren(...this.#table(picture));
    this.#tabs.label({lengths: this.#lengths.childElementCount && 'Lengths', points: pointsTab(picture, this.#store.card)});
    if (typing) this.#lengths.querySelector(`[name="${typing}"]`)?.focus();
    if (held) document.getElementById(held)?.focus();
    if (this.#store.selected !== this.#selected) this.#bringIntoView(this.#store.selected);
    this.#selected = this.#store.selected;
  }

  /** Scroll the list of points, and nothing else. */
  #bringIntoView(name) {
    const row = document.getElementById(`point-${name}`)?.parentElement;
    if (!row) return;
    const parts = this.#points.parentElement;
    const [list, box] = [parts, row].map((element) => element.getBoundingClientRect());
    parts.scrollTop += Math.max(0, box.bottom - list.bottom) || Math.min(0, box.top - list.top);
  }

  #type(picture) {
    const {answer, state} = picture;
    const {type} = answer;
    const choice = make('select', {'aria-label': 'Type of this garment', disabled: state === 'looking',
      onchange: () => this.#ask(picture, choice.value)},
    ...Object.keys(this.#store.card.types).map((name) =>
      make('option', {value: name, selected: name === type}, title(name))));
    const share = answer.type_probabilities[type];
    return make('section', {}, file(picture),
      make('div', {class: 'row'}, choice, answer.type_sure && make('span', {class: 'soft small'},
        share === undefined ? 'the type you chose' : `${percent(share)} likely`)),
      !answer.type_sure && this.#unsure(picture),
      picture.fault && make('p', {class: 'fault', role: 'alert'}, picture.fault));
  }

  #unsure(picture) {
    const likeliest = Object.entries(picture.answer.type_probabilities).slice(0, 2);
    return make('div', {class: 'unsure'}, make('p', {}, 'The type is not certain. Which one is right?'),
      make('div', {class: 'row'}, ...likeliest.map(([name, share]) =>
        make('button', {type: 'button', onclick: () => this.#ask(picture, name)},
          `${title(name)} ${percent(share)}`))));
  }

  #list(picture) {
    const {selected, card} = this.#store;
    return make('ul', {class: 'points'}, ...Object.entries(picture.points).map(([name, point]) =>
      pointRow(name, point, {low: card.low_score, selected: name === selected, note, choose: () => this.#choose(name),
        editor: () => pointEditor(name, point, this.#store, !isCorrected(point))})));
  }

  #choose(name) {
    const chosen = name === this.#store.selected ? null : name;
    this.#store.select(chosen);
    if (chosen && matchMedia('(min-width: 56rem)').matches) this.#stage.focusPoint(chosen);
  }

  #putBack({points}) {
    return make('button', {type: 'button', id: 'put-all-back', disabled: !Object.values(points).some(isCorrected),
      onclick: () => this.#store.putAllBack()}, 'Reset all points');
  }

  /** The length under the pointer, or else the one with the keyboard, is shown on the picture. */
  #listen() {
    const trace = (element) => {
      const row = element?.closest?.('tr[data-length]') ?? this.#lengths.querySelector('tr:focus-within');
      this.#stage.trace(row ? this.#store.card.types[this.#store.current.answer.type].lengths[row.dataset.length] : []);
    };
    for (const kind of ['pointerover', 'focusin']) this.#lengths.addEventListener(kind, ({target}) => trace(target));
    this.#lengths.addEventListener('pointerleave', () => trace(null));
    this.#lengths.addEventListener('focusout', ({relatedTarget: next}) => trace(this.#lengths.contains(next) ? next : null));
  }

  #table(picture) {
    const {card, pictures, cmPerPixel} = this.#store;
    const lengths = lengthsOf(card.types[picture.answer.type], picture.points, card.clearly);
    const scale = scaleOf(picture, lengths, cmPerPixel);
    if (!Object.keys(lengths).length) return [];
    const rows = Object.entries(lengths).map(([name, length]) => this.#length(picture, name, length, scale));
    return [make('table', {class: 'lengths'},
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
    return make('tr', {class: given ? 'given' : '', 'data-length': name}, make('th', {scope: 'row'}, words(name),
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
    const {pictures, current, card} = this.#store;
    const done = pictures.filter(({answer}) => answer);
    const taken = () => (this.#all && done.length > 1 ? done : [current]);
    const button = ([kind, {title: label, note: format, what, one}]) => make('button', {type: 'button', 'data-kind': kind,
      title: what, onclick: () => this.#take(() => save(kind, one ? [current] : taken(), this.#store),
        `${label} saved`)}, label, make('small', {}, format));
    const copying = (name) => make('button', {type: 'button', 'data-copy': name, onclick: () => this.#take(
      () => copy(TEXTS[name](current, this.#store)), `${title(name)} copied`)}, title(name));
    return [make('div', {class: 'row'}, make('h2', {}, 'Download'),
      done.length > 1 && make('label', {class: 'small'}, make('input', {type: 'checkbox', name: 'all',
        checked: this.#all,
        onchange: (event) => { this.#all = event.target.checked; }}), ` all ${done.length} results`)),
    make('div', {class: 'kinds'}, ...Object.entries(KINDS).map(button)),
    make('div', {class: 'row copies'}, make('span', {class: 'soft small'}, 'Copy'),
      Object.keys(card.types[current.answer.type].lengths).length > 0 && copying('lengths'), copying('points'),
      make('span', {class: 'soft small', id: 'taken'}))];
  }

  async #take(taking, told) {
    let text = told;
    try {
      await taking();
    } catch (error) {
      text = `Not done: ${error.message}`;
    }
    if (find('#taken')) find('#taken').textContent = text;
    say(text);
  }
}

const file = (picture) => make('p', {class: 'file', title: titleOf(picture)}, titleOf(picture));

/** The number of points to check stands on the tab. */
function pointsTab({points}, {low_score: low}) {
  const doubtful = Object.entries(points).filter(([name, point]) => classesOf(name, point, low).split(' ').includes('low'));
  return doubtful.length ? `Points · check ${doubtful.length}` : 'Points';
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
  return make('p', {class: 'keys soft small'}, 'Drag a point with the mouse, or select it with ', key('Tab'),
    ': arrow keys move it by one pixel, with ',
    key('Shift'), ' by ten. ', key('V'), ' makes it visible, hidden or absent. ', key('Ctrl'), ' ', key('Z'),
    ' undoes a change. ',
    'Please check hollow points: their score is low. A dashed point is probably hidden behind something, ',
    'a faint one is probably not in the picture.');
}
