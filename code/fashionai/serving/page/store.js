/** What the page knows: pictures, what was found on them, and what was corrected. Views listen to its changes. */
import {movedPoint} from './points.js';

const BURST = 800; // milliseconds within which moves of one point are undone together

const keyOf = (sum, name, number) => `${sum} ${number} ${name}`;

/**
 * A garment of a picture: its file, a URL to show it, `state` (asking for a type, looking, done, failed), the tag it was
 * asked with, the service's answer, and the points as corrected: {x, y, score, found, moved, v}, v as in annotations: 1,
 * 0, -1. `given` is the length the user knows: {name, cm}. A further garment of a picture has a number above 1, its
 * `box` [left, top, width, height], and the first garment as its `original`, which is itself for that one. `key` names it in
 * the browser's memory, where `corrections` {type, points} come from that wait for an answer. `unseen`: the browser
 * cannot show the file of this original. `blank`: nor has the service a file that it can show.
 */
export class Store extends EventTarget {
  pictures = [];
  current = null;
  selected = null;
  heat = false;
  names = false;
  card = null;
  cmPerPixel = null;
  #next = 1;

  /** Tell the views; `what` says which part: pictures, points, or view. */
  changed(what) {
    this.dispatchEvent(new CustomEvent('change', {detail: what}));
  }

  /** Add a picture that is to be asked for with a tag, or by the user for a type where there is none. */
  add(file, name, tag) {
    const picture = this.#made({file, name, url: URL.createObjectURL(file), tag: tag || null,
      state: tag ? 'looking' : 'asking'});
    this.show(this.current && this.current.state !== 'failed' ? this.current : picture);
    return picture;
  }

  /** Add the garment in a box of a picture, and show it. */
  addGarment(original, box, tag) {
    const {file, name, url, sum, blank} = original;
    const number = 1 + Math.max(...this.garmentsOf(original).map((garment) => garment.number));
    const picture = this.#made({original, number, box, file, name, url, sum, blank, tag: tag || null,
      state: tag ? 'looking' : 'asking', key: sum && keyOf(sum, name, number)});
    this.show(picture);
    return picture;
  }

  /** Add a picture as the browser kept it; `fits` says whether the answer is still one of this service. */
  restore({file, key, sum, at, name, number, box, tag, answer, points, given}, fits) {
    const original = number > 1 ? this.pictures.find((other) => other.sum === sum && other.name === name) : undefined;
    const kept = fits ? {answer, points, state: 'done'}
      : {state: tag ? 'looking' : 'asking', corrections: answer && {type: answer.type, points}};
    return this.#made({original, file, key, sum, at, name, number, box, tag, given, ...kept,
      url: original?.url ?? URL.createObjectURL(file)});
  }

  /** The sum of the bytes of a picture is known. Returns the same picture if there is one already, null otherwise. */
  identify(picture, sum) {
    const key = keyOf(sum, picture.name, picture.number);
    const same = this.pictures.find((other) => other !== picture && other.key === key);
    if (!same) Object.assign(picture, {sum, key});
    return same ?? null;
  }

  garmentsOf({original}) {
    return this.pictures.filter((other) => other.original === original);
  }

  #made(values) {
    const id = this.#next++;
    const picture = {id, at: values.original?.at ?? Date.now() + id / 1000, number: 1, box: null, state: 'asking', tag: null,
      answer: null, points: null, fault: '', given: null, past: [], future: [], controller: null, mark: null, key: null, sum: null,
      corrections: null, unseen: false, blank: false, ...values};
    picture.original ??= picture;
    const last = this.pictures.findLastIndex(({original}) => original === picture.original);
    this.pictures.splice(last < 0 ? this.pictures.length : last + 1, 0, picture);
    return picture;
  }

  remove(picture) {
    picture.controller?.abort();
    const at = this.pictures.indexOf(picture);
    this.pictures.splice(at, 1);
    if (!this.pictures.some(({url}) => url === picture.url)) URL.revokeObjectURL(picture.url);
    this.show(this.current === picture ? this.pictures[Math.min(at, this.pictures.length - 1)] ?? null : this.current);
  }

  /** Remove all pictures, with their corrections. */
  clear() {
    for (const {controller, url} of this.pictures) {
      controller?.abort();
      URL.revokeObjectURL(url);
    }
    this.pictures = [];
    this.cmPerPixel = null;
    this.show(null);
  }

  show(picture) {
    if (picture !== this.current) this.selected = null;
    this.current = picture;
    this.changed('pictures');
  }

  /** Show another file in place of a picture that the browser cannot show; a blank where there is none (null). */
  showAs(original, url) {
    if (url) URL.revokeObjectURL(original.url);
    for (const garment of this.garmentsOf(original)) Object.assign(garment, {url: url ?? garment.url, blank: !url});
    this.changed('pictures');
  }

  looking(picture, tag) {
    Object.assign(picture, {state: 'looking', tag, fault: ''});
    this.changed('pictures');
  }

  failed(picture, fault) {
    Object.assign(picture, {state: picture.answer ? 'done' : 'failed', fault});
    this.changed('pictures');
  }

  answered(picture, answer) {
    if (picture.answer) this.#remember(picture, null);
    const points = foundIn(answer);
    if (picture.corrections?.type === answer.type) correct(points, picture.corrections.points);
    Object.assign(picture, {state: 'done', answer, points, fault: '', corrections: null});
    if (picture === this.current) this.selected = null;
    this.changed('pictures');
  }

  select(name) {
    this.selected = name;
    this.changed('points');
  }

  /** Before a change of a point; `mark` names what may be undone in one go with it. */
  begin(mark) {
    this.#remember(this.current, mark);
  }

  move(name, x, y) {
    const {points, answer} = this.current;
    points[name] = movedPoint(points[name], x, y, answer.size);
    this.changed('points');
  }

  nudge(name, dx, dy) {
    this.begin(`nudge ${name}`);
    const {x, y} = this.current.points[name];
    this.move(name, x + dx, y + dy);
  }

  setVisibility(name, v) {
    this.begin(null);
    this.current.points[name] = {...this.current.points[name], v};
    this.changed('points');
  }

  putBack(name) {
    this.begin(null);
    this.current.points[name] = fresh(this.current.answer.keypoints[name]);
    this.changed('points');
  }

  /** Take all corrections of the picture back. */
  putAllBack() {
    this.begin(null);
    this.current.points = foundIn(this.current.answer);
    this.changed('points');
  }

  setGiven(name, cm) {
    this.current.given = cm > 0 ? {name, cm} : null;
    this.changed('points');
  }

  undo() {
    this.#swap(this.current?.past, this.current?.future);
  }

  redo() {
    this.#swap(this.current?.future, this.current?.past);
  }

  #remember(picture, mark) {
    const now = performance.now();
    const same = mark && picture.mark?.name === mark && now - picture.mark.at < BURST;
    picture.mark = mark && {name: mark, at: now};
    if (!same) picture.past.push({answer: picture.answer, points: {...picture.points}});
    picture.future.length = 0;
  }

  #swap(from, to) {
    if (!from?.length) return;
    const picture = this.current;
    to.push({answer: picture.answer, points: {...picture.points}});
    const before = from.pop();
    const otherType = before.answer !== picture.answer;
    Object.assign(picture, before, {mark: null, fault: ''});
    if (otherType) this.selected = null;
    this.changed(otherType ? 'pictures' : 'points');
  }
}

/** What a garment is called: its file, and which garment of the picture it is. */
export const titleOf = ({name, number}) => (number > 1 ? `${name}, garment ${number}` : name);

export const isCorrected = ({moved, v}) => moved || v !== 1;

const fresh = (point) => ({...point, moved: false, v: 1});

const foundIn = ({keypoints}) => Object.fromEntries(Object.entries(keypoints).map(([name, point]) => [name, fresh(point)]));

/** Bring the corrections of a person into newly found points. */
function correct(points, kept) {
  for (const [name, point] of Object.entries(kept)) {
    const {x, y, moved, v} = point;
    if (points[name] && isCorrected(point)) points[name] = {...points[name], ...(moved && {x, y}), moved, v};
  }
}
