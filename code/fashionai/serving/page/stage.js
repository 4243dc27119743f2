/** The picture with its points: to look at, to drag, and to move by arrow keys. */
import {find, make, makeSvg, say, side, title, words} from './dom.js';
import {drawHeat, heatOf} from './heat.js';
import {hideLoupe, showLoupe} from './loupe.js';

const ARROWS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
const NEXT_VISIBILITY = {1: 0, 0: -1, [-1]: 1};
export const VISIBILITY = {1: 'visible', 0: 'hidden', [-1]: 'absent'};
export const SEEMS = {occluded: 'probably hidden', absent: 'probably absent'};

export class Stage {
  #store; #ask; #root = find('#stage');
  #picture = null; #answer = null; #frame = null; #image = null; #overlay = null;
  #points = new Map(); #limbs = []; #unit = 1; #heat = null;

  /** `ask(picture, tag)` requests a prediction. The store may have `dropped()`, which is called after a drag. */
  constructor(store, ask) {
    this.#store = store;
    this.#ask = ask;
    new ResizeObserver(() => this.#frame && this.sync()).observe(this.#root);
  }

  /** Show the current picture, anew where it is another one or has another answer. */
  render() {
    const picture = this.#store.current;
    if (picture !== this.#picture || picture?.answer !== this.#answer) this.#build(picture);
    this.#root.querySelector('.over')?.remove();
    if (!picture) return;
    this.#frame.querySelector('.overlay').toggleAttribute('inert', picture.state === 'looking');
    const notice = this.#notice(picture);
    if (notice) this.#root.append(notice);
    this.sync();
  }

  /** Bring points and limbs to where they are now. */
  sync() {
    const {points} = this.#picture ?? {};
    if (!points) return;
    const {selected, names, card} = this.#store;
    this.#unit = this.#answer.size.width / (this.#frame.clientWidth || 1);
    this.#overlay.classList.toggle('named', names);
    for (const [name, element] of this.#points) {
      const point = points[name];
      element.setAttribute('transform', `translate(${point.x} ${point.y}) scale(${this.#unit})`);
      element.setAttribute('class', `point ${classesOf(name, point, card.low_score)}`);
      element.classList.toggle('selected', name === selected);
      element.setAttribute('aria-label', described(name, point));
      placeName(element.querySelector('.name'), point.x / this.#unit, point.y / this.#unit, this.#frame.clientWidth);
      element.style.display = point.v < 0 ? 'none' : '';
    }
    for (const {elements, ends} of this.#limbs) {
      const [a, b] = ends.map((end) => points[end]);
      for (const line of elements) {
        line.setAttribute('d', `M${a.x} ${a.y}L${b.x} ${b.y}`);
        line.style.display = a.v < 0 || b.v < 0 ? 'none' : '';
      }
    }
    this.#drawHeat();
  }

  /** The element that has the size of the picture on the screen; null without a picture. */
  get frame() {
    return this.#frame;
  }

  focusPoint(name) {
    this.#points.get(name)?.focus();
  }

  #build(picture) {
    this.#picture = picture;
    this.#answer = picture?.answer ?? null;
    this.#points.clear();
    this.#limbs = [];
    this.#heat = null;
    this.#root.replaceChildren();
    if (!picture) return;
    this.#image = make('img', {src: picture.url, alt: picture.name, draggable: 'false'});
    this.#overlay = makeSvg('svg', {class: 'overlay', preserveAspectRatio: 'none',
      role: 'group', 'aria-label': 'Keypoints'});
    this.#frame = make('div', {class: 'frame'}, this.#image,
      make('canvas', {class: 'heat', hidden: true}), this.#overlay);
    const {width, height} = this.#answer?.size ?? {width: 3, height: 4};
    this.#frame.style.setProperty('--ratio', width / height);
    this.#image.addEventListener('load', () => this.#answer ?? this.#frame.style.setProperty('--ratio',
      this.#image.naturalWidth / this.#image.naturalHeight));
    this.#image.addEventListener('error', () => this.#frame.classList.add('unseen'));
    this.#root.append(this.#frame);
    if (this.#answer) this.#buildPoints(width, height);
  }

  #buildPoints(width, height) {
    this.#overlay.setAttribute('viewBox', `-0.5 -0.5 ${width} ${height}`); // (0, 0) is the middle of the first pixel
    const {keypoints, limbs} = this.#store.card.types[this.#answer.type];
    this.#limbs = limbs.map((ends) => ({ends, elements: ['casing', 'line'].map((layer) =>
      makeSvg('path', {class: `limb ${layer}`}))}));
    this.#overlay.append(...this.#limbs.map(({elements}) => elements[0]),
      ...this.#limbs.map(({elements}) => elements[1]));
    for (const name of keypoints) {
      const element = makeSvg('g', {tabindex: 0, role: 'button', 'data-name': name,
        onpointerdown: (event) => this.#grab(event, name), onfocus: () => this.#store.select(name),
        onkeydown: (event) => this.#key(event, name)},
      makeSvg('circle', {class: 'reach', r: 18}), makeSvg('circle', {class: 'halo', r: 12}),
      makeSvg('circle', {class: 'rim', r: 6.5}), makeSvg('circle', {class: 'dot', r: 6.5}),
      makeSvg('circle', {class: 'core', r: 2.2}), nameTag(name));
      this.#points.set(name, element);
      this.#overlay.append(element);
    }
  }

  #grab(event, name) {
    if (event.button) return;
    event.preventDefault();
    const element = this.#points.get(name);
    const start = {...this.#store.current.points[name]};
    const from = this.at(event);
    let moving = false;
    element.focus({preventScroll: true});
    element.setPointerCapture(event.pointerId);
    const move = (moved) => {
      const at = this.at(moved);
      if (!moving && Math.hypot(at.x - from.x, at.y - from.y) < 2 * this.#unit) return;
      if (!moving) this.#store.begin(null);
      moving = true;
      this.#store.move(name, start.x + at.x - from.x, start.y + at.y - from.y);
      element.classList.add('dragged');
      showLoupe(this.#frame, this.#image, this.#answer.size, this.#store.current.points[name], this.#unit);
    };
    const end = () => {
      element.removeEventListener('pointermove', move);
      element.classList.remove('dragged');
      hideLoupe(this.#frame);
      if (moving) this.#store.dropped?.();
    };
    element.addEventListener('pointermove', move);
    element.addEventListener('lostpointercapture', end, {once: true});
  }

  #key(event, name) {
    const arrow = ARROWS[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (arrow) {
      const step = event.shiftKey ? 10 : 1;
      this.#store.nudge(name, arrow[0] * step, arrow[1] * step);
    } else if (event.key === 'v' || event.key === 'V') {
      this.#store.setVisibility(name, NEXT_VISIBILITY[this.#store.current.points[name].v]);
    } else if (event.key === 'Escape') {
      this.#points.get(name).blur();
      this.#store.select(null);
      return;
    } else {
      return;
    }
    event.preventDefault();
    say(described(name, this.#store.current.points[name]));
  }

  /** Where a pointer is, in pixels of the picture. */
  at(event) {
    const box = this.#overlay.getBoundingClientRect();
    return {x: (event.clientX - box.left) * this.#unit - 0.5, y: (event.clientY - box.top) * this.#unit - 0.5};
  }

  async #drawHeat() {
    const canvas = this.#frame.querySelector('.heat');
    const [shown, answer] = [this.#store.heat && Boolean(this.#answer.heatmaps), this.#answer];
    canvas.hidden = !shown;
    this.#frame.classList.toggle('heated', shown);
    if (!shown) return;
    this.#heat ??= heatOf(answer, this.#store.card.types[answer.type].keypoints);
    const heat = await this.#heat;
    if (answer === this.#answer) drawHeat(canvas, heat, this.#store.selected, answer.size);
  }

  #notice(picture) {
    if (picture.state === 'looking') return make('div', {class: 'over looking'}, make('p', {}, 'Predicting …'));
    if (picture.state === 'failed') {
      return make('div', {class: 'over bad', role: 'alert'}, make('p', {}, picture.fault),
        make('div', {class: 'row'},
          make('button', {type: 'button', onclick: () => this.#ask(picture, picture.tag)}, 'Try again'),
          make('button', {type: 'button', onclick: () => this.#store.remove(picture)}, 'Remove')));
    }
    if (picture.state !== 'asking') return null;
    return make('div', {class: 'over'}, make('p', {}, 'Which type of garment is it?'),
      ...Object.keys(this.#store.card.types).map((type) =>
      make('button', {type: 'button', onclick: () => this.#ask(picture, type)}, title(type))));
  }
}

/** How a point is drawn, on the picture and in the list. */
export function classesOf(name, point, low) {
  const doubtful = !point.moved && (!point.found || point.score < low);
  const seems = seemsOf(point);
  return [side(name), doubtful && 'low', point.moved && 'moved', point.v === 0 && 'hidden', point.v < 0 && 'absent',
    seems && `seems-${seems}`].filter(Boolean).join(' ');
}

/** What the network takes a point for, 'occluded' or 'absent', until the user changes it; '' if it is visible. */
export function seemsOf(point) {
  const {visibility, moved, v} = point;
  return visibility && visibility !== 'visible' && !moved && v === 1 ? visibility : '';
}

function described(name, point) {
  const {x, y, v, moved, score} = point;
  const state = moved ? 'corrected' : `score ${score.toFixed(2)}`;
  const seems = SEEMS[seemsOf(point)] ?? VISIBILITY[v];
  return `${words(name)}, x ${Math.round(x)}, y ${Math.round(y)}, ${seems}, ${state}`;
}

function nameTag(name) {
  const text = makeSvg('text', {class: 'name', 'data-side': side(name)});
  text.textContent = words(name);
  return text;
}

/** On the outer side of its point, or on the other one where the picture ends there; at its top, a little lower. */
function placeName(text, x, y, width) {
  const room = 8 * text.textContent.length + 14;
  const before = text.dataset.side === 'left' ? x > room : x > width - room;
  text.setAttribute('x', before ? -14 : 14);
  text.setAttribute('text-anchor', before ? 'end' : 'start');
  text.setAttribute('y', Math.max(4, 12 - y));
}
