/** What the page knows: pictures, what was found on them, and what was corrected. Views listen to its changes. */
import {movedPoint} from './points.js';

const BURST = 800; // milliseconds within which moves of one point are undone together

/**
 * A picture: its file, a URL to show it, `state` (asking for a type, looking, done, failed), the tag it was asked with,
 * the service's answer, and the points as corrected: {x, y, score, found, moved, v}, v as in annotations: 1, 0, -1.
 * `given` is the length the user knows: {name, cm}.
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

  add(file, name) {
    const picture = {id: this.#next++, file, name, url: URL.createObjectURL(file), state: 'asking', tag: null,
      answer: null, points: null, fault: '', given: null, past: [], future: [], controller: null, mark: null};
    this.pictures.push(picture);
    this.show(this.current && this.current.state !== 'failed' ? this.current : picture);
    return picture;
  }

  remove(picture) {
    picture.controller?.abort();
    URL.revokeObjectURL(picture.url);
    const at = this.pictures.indexOf(picture);
    this.pictures.splice(at, 1);
    this.show(this.current === picture ? this.pictures[Math.min(at, this.pictures.length - 1)] ?? null : this.current);
  }

  show(picture) {
    if (picture !== this.current) this.selected = null;
    this.current = picture;
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
    const points = Object.entries(answer.keypoints).map(([name, point]) => [name, {...point, moved: false, v: 1}]);
    Object.assign(picture, {state: 'done', answer, points: Object.fromEntries(points), fault: ''});
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
    this.current.points[name] = {...this.current.answer.keypoints[name], moved: false, v: 1};
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
