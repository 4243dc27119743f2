/**
 * What the page knows of the project. Every change goes to the service at once; views listen to `change` events.
 *
 * `current` is the garment that is shown, in the form that the editor takes: {id, name, url, state, answer: {type,
 * size}, points}; a point is {x, y, score, found, moved, v, own, proposed, unplaced}. `own`: a person has placed it or
 * marked it absent. `proposed`: the network has a place for it. `unplaced`: nobody knows where it is.
 */
import {movedPoint} from './editor/points.js';
import {get, post, put} from './api.js';

const SETTLED = 250; // milliseconds without a move, after which a place is saved
const RETRY = 1500; // milliseconds between attempts to save
const LAST = 1e9; // the rank of garments without one
const REMEMBERED = 'garment-labels';

export class LabelStore extends EventTarget {
  card = null;
  items = new Map();
  current = null;
  full = null;
  selected = null;
  names = false;
  heat = false;
  waiting = 0;
  counts = {};
  filter = {sort: 'next', state: 'open', kind: '', doubt: ''};
  person = '';
  unsaved = 0;
  fault = '';
  #clock = 0; #ranks = new Map(); #revisions = new Map(); #pending = null; #timer = 0; #chain = Promise.resolve();
  #kept = new Set(); #mark = ''; #dragging = false;

  constructor() {
    super();
    try {
      const kept = JSON.parse(localStorage.getItem(REMEMBERED) ?? '{}');
      this.person = kept.person ?? '';
      Object.assign(this.filter, kept.filter);
    } catch { /* the browser keeps nothing */ }
  }

  /** Tell the views; `what` says which part: pictures (another garment, or the list), or points. */
  changed(what) {
    this.dispatchEvent(new CustomEvent('change', {detail: what}));
  }

  async open() {
    this.card = await get('project');
    this.person ||= this.card.person;
    await this.refresh();
    await this.rank();
    const wanted = Number(location.hash.slice(1));
    const first = this.items.has(wanted) ? wanted : this.list()[0]?.id;
    if (first) await this.show(first);
    else this.changed('pictures');
  }

  remember() {
    try {
      localStorage.setItem(REMEMBERED, JSON.stringify({person: this.person, filter: this.filter}));
    } catch { /* the browser keeps nothing */ }
  }

  /** The garments that the filter shows, in its order; and those that were shown since the filter was chosen. */
  list() {
    const {sort} = this.filter;
    const shown = [...this.items.values()].filter((item) => item.state !== 'removed'
      && (this.#kept.has(item.id) || this.#passes(item)));
    const by = {name: (a, b) => a.name.localeCompare(b.name) || a.number - b.number,
      latest: (a, b) => (b.at ?? '').localeCompare(a.at ?? '') || a.id - b.id,
      next: (a, b) => this.#rankOf(a) - this.#rankOf(b) || a.id - b.id};
    return shown.sort(by[sort]);
  }

  #passes(item) {
    const {state, kind, doubt} = this.filter;
    return (!state || item.state === state) && (!kind || item.type === kind)
      && (!doubt || (doubt === 'unsure') === (item.unsure !== 0));
  }

  #rankOf(item) {
    return this.#ranks.get(item.id) ?? LAST + item.id;
  }

  /** Ask what to label next: in the beginning, when all proposals are there, and when a person chooses this order. */
  async rank() {
    this.#ranks = new Map((await get('order')).map((id, rank) => [id, rank]));
    this.changed('pictures');
  }

  async setFilter(name, value) {
    this.filter[name] = value;
    this.#kept.clear();
    this.remember();
    if (name === 'sort' && value === 'next') await this.#after(() => this.rank());
    const list = this.list();
    if (list.length && !list.some(({id}) => id === this.current?.id)) await this.show(list[0].id);
    else this.changed('pictures');
  }

  /** Fetch what changed since the last time: by others, and new proposals. */
  async refresh() {
    const news = await get(`items?since=${this.#clock}`);
    this.fault = '';
    const complete = this.waiting && !news.waiting;
    this.#clock = news.clock;
    this.waiting = news.waiting;
    this.counts = news.counts;
    for (const item of news.items) this.items.set(item.id, item);
    const mine = news.items.find(({id}) => id === this.current?.id);
    if (mine && !this.#pending && !this.unsaved && this.#isNews(mine)) {
      const other = mine.revision !== this.#revisions.get(mine.id);
      await this.#load(mine.id);
      if (other) this.notice(`${mine.person} changed this garment.`);
    }
    if (complete) await this.rank();
    this.changed('list');
  }

  #isNews(item) {
    const {proposal} = this.full;
    return item.revision !== this.#revisions.get(item.id) || !proposal || this.current.state === 'looking'
      || item.type !== this.full.type || item.unsure !== this.full.unsure;
  }

  notice(text) {
    this.dispatchEvent(new CustomEvent('notice', {detail: text}));
  }

  async show(id) {
    this.flush();
    if (id !== this.current?.id) this.selected = null;
    this.#kept.add(id);
    await this.#after(() => this.#load(id));
    if (this.full?.id === id) history.replaceState(null, '', `#${id}`);
  }

  /** The garment `step` places further in the list; the one after the last is the first. */
  neighbour(step) {
    const list = this.list();
    if (!list.length) return null;
    const at = list.findIndex(({id}) => id === this.current?.id);
    return list[(at + step + list.length) % list.length].id;
  }

  /** The next garment that passes the filter and is still to do; null if there is none. */
  nextToDo() {
    const list = this.list();
    const at = list.findIndex(({id}) => id === this.current?.id);
    const others = [...list.slice(at + 1), ...list.slice(0, Math.max(at, 0))];
    return others.find((item) => item.state === 'open' && this.#passes(item))?.id ?? null;
  }

  async #load(id) {
    this.#take(await get(`items/${id}`));
  }

  /** Show a garment as the service knows it. */
  #take(full) {
    this.#revisions.set(full.id, full.revision);
    this.items.set(full.id, full);
    this.full = full;
    const {type, proposal, label} = full;
    const [width, height] = full.size;
    const before = this.current;
    const waits = !proposal || (this.card.finds.includes(type) && proposal.type !== type);
    const same = before?.id === full.id && before.answer?.type === type;
    const answer = type ? (same ? before.answer : {type, size: {width, height}}) : null;
    this.current = same && before ? before : {id: full.id, name: full.name, url: `api/pictures/${full.picture}/image`};
    Object.assign(this.current, {answer, state: waits && this.card.finds.length ? 'looking' : 'done',
      points: answer && pointsOf(this.card.types[type].keypoints, label.points, waits ? null : proposal, full.size)});
    if (this.selected && !this.current.points?.[this.selected]) this.selected = null;
    this.changed('pictures');
  }

  select(name) {
    this.selected = name;
    this.changed('points');
  }

  /** Before a change of a point; changes with one mark are saved as one. The editor begins a drag with null: it is one
      change, which is saved when the point is dropped. */
  begin(mark) {
    if (this.#pending && (!mark || this.#pending.mark !== mark)) this.flush();
    this.#mark = mark;
    this.#dragging = mark === null;
  }

  dropped() {
    this.#dragging = false;
    this.flush();
  }

  move(name, x, y) {
    const {points, answer} = this.current;
    points[name] = {...movedPoint(points[name], x, y, answer.size), own: true, unplaced: false, found: true, score: 1};
    this.#edited(`${name} moved`);
  }

  nudge(name, dx, dy) {
    const {x, y, unplaced} = this.current.points[name];
    if (unplaced) return;
    this.begin(`nudge ${name}`);
    this.move(name, x + dx, y + dy);
  }

  setVisibility(name, v) {
    if (this.current.points[name].unplaced && v >= 0) return;
    this.begin('');
    this.#give(name, {v});
    this.#edited(`${name} ${{1: 'visible', 0: 'occluded', [-1]: 'absent'}[v]}`);
    this.flush();
  }

  /** Many places at once: {name: {x, y, v}}. */
  place(places, action) {
    this.begin('');
    for (const [name, {x, y, v}] of Object.entries(places)) {
      this.current.points[name] = movedPoint({...this.current.points[name], v: 1}, x, y, this.current.answer.size);
      this.#give(name, {v});
    }
    this.#edited(action);
    this.flush();
  }

  /** Back to the proposal; the garment is to be reviewed again if there is none. */
  putBack(name) {
    this.begin('');
    const {keypoints} = this.card.types[this.current.answer.type];
    const rest = Object.fromEntries(Object.entries(this.#label().points).filter(([other]) => other !== name));
    this.current.points = pointsOf(keypoints, rest, this.full.proposal, this.full.size);
    const known = !this.current.points[name].unplaced;
    if (this.full.state === 'reviewed') {
      if (known) this.#give(name, {});
      else this.full.state = 'open';
    }
    this.#edited(`${name} reset`);
    this.flush();
  }

  setType(type) {
    this.begin('');
    this.selected = null;
    this.#queue({...this.#label(), type, points: {}, state: 'open'}, 'type');
    this.flush();
    return this.#after(() => this.#load(this.full.id));
  }

  /** Reviewed: all points are as they are shown. Returns a keypoint that is still to be placed, or null. */
  accept() {
    if (!this.current?.answer) return 'type';
    const missing = Object.keys(this.current.points).find((name) => this.current.points[name].unplaced);
    if (missing) return missing;
    if (this.full.state === 'reviewed') return null;
    for (const name of Object.keys(this.current.points)) this.#give(name, {});
    this.#setState('reviewed', 'accepted');
    return null;
  }

  skip() {
    this.#setState(this.full.state === 'skipped' ? 'open' : 'skipped', 'skipped');
  }

  /** Take a garment with a box back. */
  remove() {
    if (this.full.number === 1) return;
    this.#setState('removed', 'removed');
  }

  async draw(box) {
    const full = await post(`pictures/${this.full.picture}/items`, {box, person: this.person});
    this.items.set(full.id, full);
    await this.show(full.id);
  }

  undo() {
    return this.#step('undo');
  }

  redo() {
    return this.#step('redo');
  }

  async #step(which) {
    this.flush();
    const {id} = this.full;
    await this.#after(async () => {
      const full = await post(`items/${id}/${which}`, {revision: this.#revisions.get(id), person: this.person});
      if (this.full.id === id) this.#take(full);
    });
  }

  #setState(state, action) {
    this.begin('');
    this.full.state = state;
    this.items.get(this.full.id).state = state;
    this.#queue(this.#label(), action);
    this.flush();
    this.changed('pictures');
  }

  /** A point is now a person's, with these values. */
  #give(name, values) {
    const point = this.current.points[name];
    this.current.points[name] = {...point, own: true, unplaced: false, found: true, score: 1, ...values};
  }

  #label() {
    const own = Object.entries(this.current.points ?? {}).filter(([, point]) => point.own);
    const {type} = this.current.answer ?? {type: null};
    const points = Object.fromEntries(own.map(([name, {x, y, v}]) => [name, [x, y, v]]));
    return {state: this.full.state, type, box: this.full.label.box, points};
  }

  #edited(action) {
    this.#queue(this.#label(), action);
    this.changed('points');
  }

  #queue(label, action) {
    this.#pending = {id: this.full.id, label, action, mark: this.#mark};
    clearTimeout(this.#timer);
    if (!this.#dragging) this.#timer = setTimeout(() => this.flush(), SETTLED);
  }

  /** Send what is not sent yet. */
  flush(leaving = false) {
    clearTimeout(this.#timer);
    const change = this.#pending;
    if (!change) return;
    this.#pending = null;
    this.unsaved++;
    this.changed('list');
    if (leaving) this.#put(change, true).catch(() => {});
    else this.#after(() => this.#send(change));
  }

  /** Everything is saved, or was refused. */
  settled() {
    this.flush();
    return this.#chain;
  }

  /** Send a change; try again for as long as the service does not answer. */
  async #send(change) {
    for (;;) {
      try {
        await this.#put(change);
        return;
      } catch (error) {
        if (error.status !== 0) throw error;
        this.fault = error.message;
        this.changed('list');
        await new Promise((resume) => setTimeout(resume, RETRY));
      }
    }
  }

  async #put({id, label, action}, leaving = false) {
    const body = {label, action, revision: this.#revisions.get(id), person: this.person};
    const full = await put(`items/${id}`, body, leaving);
    this.fault = '';
    this.unsaved--;
    this.#revisions.set(id, full.revision);
    this.items.set(id, full);
    if (this.full.id === id) {
      Object.assign(this.full, full, {state: this.#pending || this.unsaved ? this.full.state : full.state});
    }
    this.changed('list');
  }

  /** Do it after what is under way; a refusal is shown, and the garment is as the service knows it. */
  #after(work) {
    this.#chain = this.#chain.then(work).catch(async (error) => {
      this.unsaved = 0;
      this.notice(error.message);
      if (this.full) await this.#load(this.full.id).catch(() => {});
    });
    return this.#chain;
  }
}

/** All keypoints: as a person placed them, or else as proposed, or else unplaced. */
function pointsOf(keypoints, own, proposal, [width, height]) {
  return Object.fromEntries(keypoints.map((name) => {
    const [px, py, score, found] = proposal?.points[name] ?? [];
    const proposed = px !== undefined;
    if (own[name]) {
      const [x, y, v] = own[name];
      return [name, {x, y, v, proposed, own: true, unplaced: false, score: 1, found: true,
        moved: v >= 0 && (!proposed || Math.hypot(px - x, py - y) > 0.02)}];
    }
    if (proposed) {
      return [name, {x: px, y: py, v: 1, score, found, proposed, moved: false, own: false, unplaced: false}];
    }
    return [name, {x: (width - 1) / 2, y: (height - 1) / 2, v: -1, score: 0, found: false, proposed, moved: false,
      own: false, unplaced: true}];
  }));
}
