/**
 * What the page knows of the project. Every change goes to the service at once; views listen to `change` events.
 *
 * Changes are sent one after the other, in the order in which they were made, each with the revision that the answer
 * before it had. What the service says of a garment is put aside as long as a change of that garment is under way: the
 * answer to the change says it again.
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
  arriving = null; // a promise while another garment, or another state, is fetched; false if it did not come
  filter = {sort: 'next', state: 'open', kind: '', doubt: ''};
  person = '';
  fault = '';
  #clock = 0; #ranks = new Map(); #revisions = new Map(); #pending = null; #timer = 0; #chain = Promise.resolve();
  #kept = new Set(); #mark = ''; #dragging = false; #outbox = []; #sending = null; #ahead = new Map(); #wanted = null;

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
    // What counts is the garment that is on its way, or else the one that is shown.
    if (list.length && !list.some(({id}) => id === this.#wanted)) await this.show(list[0].id);
    else this.changed('pictures');
  }

  /** The number of garments by state, as the page shows them. */
  get counts() {
    const counts = {};
    for (const {state} of this.items.values()) counts[state] = (counts[state] ?? 0) + 1;
    return counts;
  }

  /** The number of changes that the service has not confirmed. */
  get unsaved() {
    return this.#outbox.length + (this.#pending ? 1 : 0);
  }

  /** A point is being dragged. */
  get dragging() {
    return this.#dragging;
  }

  /** A change of the garment is under way. */
  #isBusy(id) {
    return [this.#pending, ...this.#outbox].some((change) => change?.id === id) || (this.#dragging && this.full.id === id);
  }

  /** Fetch what changed since the last time: by others, and new proposals. */
  async refresh() {
    const news = await get(`items?since=${this.#clock}`);
    this.fault = '';
    const complete = this.waiting && !news.waiting;
    this.#clock = news.clock;
    this.waiting = news.waiting;
    for (const item of news.items) this.#hear(item);
    await this.#catchUp();
    if (complete) await this.rank();
    this.#lookAhead();
    this.changed('list');
  }

  /** Keep what the service says of a garment, unless the page has heard newer things. */
  #hear(item) {
    const known = this.items.get(item.id);
    if (known && item.touched < known.touched) return;
    this.items.set(item.id, known && this.#isBusy(item.id) ? {...item, state: known.state, type: known.type} : item);
  }

  /** Show the current garment anew if there is something new of it: changes by others, or its proposal. */
  async #catchUp() {
    const {full} = this;
    if (!full || this.#isBusy(full.id) || this.items.get(full.id).touched <= full.touched) return;
    const news = await get(`items/${full.id}`);
    if (this.#isBusy(full.id) || this.full.id !== full.id || news.touched <= this.full.touched) return;
    const other = news.revision !== this.#revisions.get(full.id);
    this.#take(news);
    if (other) this.notice(`${news.person} changed this garment.`);
  }

  /** Fetch the garments that are probably shown next, so that they are there at once. */
  #lookAhead() {
    const wanted = [this.nextToDo(), this.neighbour(1), this.neighbour(-1)].filter((id) => id && id !== this.full?.id);
    this.#ahead = new Map(wanted.map((id) => [id, this.#ahead.get(id)]));
    for (const id of this.#ahead.keys()) {
      const {touched} = this.items.get(id);
      if (this.#ahead.get(id)?.touched === touched) continue;
      const place = {touched, full: null};
      this.#ahead.set(id, place);
      get(`items/${id}`).then((full) => {
        Object.assign(place, {full, touched: full.touched});
        new Image().src = imageOf(full);
      }).catch(() => { place.touched = null; });
    }
  }

  notice(text) {
    this.dispatchEvent(new CustomEvent('notice', {detail: text}));
  }

  async show(id) {
    this.flush();
    this.#kept.add(id);
    this.#wanted = id;
    const known = this.#ahead.get(id)?.full;
    if (known && !this.#isBusy(id) && known.touched === this.items.get(id).touched) {
      this.#take(known);
      return;
    }
    await this.#hold(async () => {
      const full = await get(`items/${id}`).catch((error) => {
        if (this.#wanted === id) this.#wanted = this.full?.id;
        throw error;
      });
      if (this.#wanted === id) this.#take(full);
    });
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

  /** Show a garment as the service knows it. */
  #take(full) {
    this.#revisions.set(full.id, full.revision);
    this.#hear(full);
    const another = full.id !== this.full?.id;
    if (another) { // news of the garment that is shown do not call off the one that is on its way
      this.selected = null;
      this.#wanted = full.id;
    }
    this.#display(full);
    if (!another) return;
    history.replaceState(null, '', `#${full.id}`);
    this.#lookAhead();
  }

  #display(full) {
    this.full = full;
    const {type, proposal, label} = full;
    const [width, height] = full.size;
    const before = this.current;
    const old = full.model !== this.card.model && !Object.keys(proposal?.points ?? {}).length;
    const fits = proposal?.type === type && !old;
    const waits = !fits && full.state === 'open';
    const same = before?.id === full.id && before.answer?.type === type;
    const answer = type ? (same ? before.answer : {type, size: {width, height}}) : null;
    this.current = same ? before : {id: full.id, name: full.name, url: imageOf(full)};
    Object.assign(this.current, {answer, state: waits && this.card.finds.length ? 'looking' : 'done',
      points: answer && pointsOf(this.card.types[type].keypoints, label.points, fits ? proposal : null, full.size)});
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
    const {proposal, size} = this.full;
    this.current.points = pointsOf(keypoints, rest, proposal?.type === this.full.type ? proposal : null, size);
    const known = !this.current.points[name].unplaced;
    if (this.full.state === 'reviewed') {
      if (known) this.#give(name, {});
      else this.full.state = 'open';
    }
    this.#edited(`${name} reset`);
    this.flush();
  }

  /** Another type: its points are shown at once, without places until the network proposes them. */
  setType(type) {
    this.begin('');
    this.selected = null;
    const label = {...this.#label(), type, points: {}, state: 'open'};
    Object.assign(this.items.get(this.full.id), {type, state: 'open'});
    this.#queue(label, 'type');
    this.flush();
    this.#display({...this.full, type, label, state: 'open'});
  }

  /** Reviewed: all points are as they are shown. Returns null, or what it lacks: {lacks: 'type' or 'proposal'}, or
      {lacks: 'point', name: a keypoint that is still to be placed}. */
  accept() {
    if (!this.current?.answer) return {lacks: 'type'};
    const {points, state} = this.current;
    const name = Object.keys(points).find((each) => points[each].unplaced);
    if (name) return state === 'looking' ? {lacks: 'proposal'} : {lacks: 'point', name};
    if (this.full.state === 'reviewed') return null;
    for (const each of Object.keys(points)) this.#give(each, {});
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

  draw(box) {
    return this.#hold(async () => {
      const full = await post(`pictures/${this.full.picture}/items`, {box, person: this.person});
      this.#kept.add(full.id);
      this.#take(full);
    });
  }

  undo() {
    return this.#step('undo');
  }

  redo() {
    return this.#step('redo');
  }

  #step(which) {
    this.flush();
    const {id} = this.full;
    return this.#hold(async () => {
      const body = {revision: this.#revisions.get(id), person: this.person};
      const full = await post(`items/${id}/${which}`, body).catch((error) => this.#refused(id, error));
      if (this.#wanted === id) this.#take(full);
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
    const {person} = this;
    this.#pending = {id: this.full.id, label, action, person, mark: this.#mark};
    clearTimeout(this.#timer);
    if (!this.#dragging) this.#timer = setTimeout(() => this.flush(), SETTLED);
  }

  /** Send what is not sent yet, after what is on its way. */
  flush() {
    clearTimeout(this.#timer);
    const change = this.#pending;
    if (!change) return;
    this.#pending = null;
    this.#outbox.push(change);
    this.changed('list');
    this.#after(() => this.#send(change));
  }

  /** The page is left: send the newest label of each garment that was not sent, without waiting for an answer. */
  leave() {
    const left = [...this.#outbox, this.#pending].filter((change) => change && change !== this.#sending);
    this.#outbox = [];
    this.#pending = null;
    for (const change of new Map(left.map((each) => [each.id, each])).values()) {
      this.#put(change, this.#sending?.id === change.id ? 1 : 0).catch(() => {});
    }
  }

  /** Everything is saved, or was refused. */
  settled() {
    this.flush();
    return this.#chain;
  }

  /** Send a change; try again for as long as the service fails. Changes after one that was refused are not sent. */
  async #send(change) {
    while (this.#outbox.includes(change)) {
      this.#sending = change;
      const {error, ...full} = await this.#put(change).catch((fault) => ({error: fault}));
      this.#sending = null;
      if (!error) {
        this.#saved(change, full);
        return;
      }
      if (error.status >= 400 && error.status < 500) await this.#refused(change.id, error);
      this.fault = error.message;
      this.changed('list');
      await new Promise((resume) => setTimeout(resume, RETRY));
    }
  }

  #put({id, label, action, person}, ahead = 0) {
    const keepalive = true; // it goes on if the page is left meanwhile
    return put(`items/${id}`, {label, action, person, revision: this.#revisions.get(id) + ahead}, keepalive);
  }

  #saved(change, full) {
    const {id} = change;
    this.fault = '';
    this.#outbox = this.#outbox.filter((other) => other !== change);
    this.#revisions.set(id, full.revision);
    this.#hear(full);
    if (this.full.id === id && !this.#isBusy(id)) {
      this.#take(full);
      this.#catchUp().catch(() => {}); // the next poll tries it again
    }
    this.changed('list');
  }

  /** A change was refused: so are those after it, which were made without knowing why. The garment becomes as the
      service knows it. Throws the reason. */
  async #refused(id, error) {
    this.#outbox = this.#outbox.filter((change) => change.id !== id);
    if (this.#pending?.id === id) this.#pending = null;
    const full = await get(`items/${id}`);
    this.items.set(id, full);
    if (this.full.id === id) this.#take(full);
    if (this.full.id !== id) error.message = `${full.name}: ${error.message}`;
    throw error;
  }

  /** Do it after what is under way. Returns a promise: whether it was done; if not, the person is told why. */
  #after(work) {
    this.#chain = this.#chain.then(work).then(() => true, (error) => {
      this.notice(error.message);
      this.changed('list');
      return false;
    });
    return this.#chain;
  }

  /** Do what brings another garment, or another state, to the page. */
  #hold(work) {
    const arrival = this.#after(work).then((done) => {
      if (this.arriving === arrival) this.arriving = null;
      this.changed('list');
      return done;
    });
    this.arriving = arrival;
    this.changed('list');
    return arrival;
  }
}

function imageOf({picture}) {
  return `api/pictures/${picture}/image`;
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
