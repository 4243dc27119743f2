/** Connects the parts of the labelling page, and has its keys. */
import {find, make, say, title, words} from './editor/dom.js';
import {Stage} from './editor/stage.js';
import {drawBox} from './editor/boxes.js';
import {showBoxes} from './boxes.js';
import {showGallery} from './gallery.js';
import {mirrored} from './mirror.js';
import {Panel} from './panel.js';
import {LabelStore} from './store.js';
import {Zoom} from './zoom.js';

const POLL = 2000; // milliseconds between questions for what others did
const PAN = 60;
const SHOWN = 6000;

const store = new LabelStore();
const stage = new Stage(store, () => {});
const root = find('#stage');
const panel = new Panel(store, (name) => stage.focusPoint(name));
const zoom = new Zoom(root, stage, () => stage.sync(), (event) => !event.target.closest('.point') && !drawing);
let drawing = null;
let shownId = null;

store.addEventListener('change', ({detail}) => {
  showState();
  if (detail === 'list') {
    showGallery(store);
    return;
  }
  if (store.current) {
    if (detail === 'pictures') stage.render();
    else stage.sync();
  }
  if (detail === 'pictures') {
    panel.render();
    showGallery(store);
    showBoxes(stage, store, (id) => store.show(id));
    if (store.full && store.full.id !== shownId) arrive();
  } else {
    panel.sync();
  }
});

/** Another garment is shown: as a whole, without a half drawn box. */
function arrive() {
  shownId = store.full.id;
  endDrawing();
  if (store.full.label.box) zoom.fitBox(store.full.label.box, store.full.size);
  else zoom.fit();
}

function showState() {
  const {counts, waiting, full, current, filter} = store;
  const total = Object.entries(counts).reduce((sum, [state, count]) => sum + (state === 'removed' ? 0 : count), 0);
  const done = counts.reviewed ?? 0;
  find('#progress').textContent = `${done} of ${total} reviewed`;
  Object.assign(find('#bar'), {max: total || 1, value: done});
  find('#waiting').textContent = waiting ? `the network looks at ${waiting} more` : '';
  find('#saved').textContent = saving();
  find('#saved').classList.toggle('bad', Boolean(store.fault));
  root.classList.toggle('arriving', Boolean(store.arriving));
  find('#undo').disabled = !full?.can_undo && !store.unsaved;
  find('#redo').disabled = !full?.can_redo;
  find('#names').setAttribute('aria-pressed', String(store.names));
  find('#skip').setAttribute('aria-pressed', String(full?.state === 'skipped'));
  find('#accept').textContent = full?.state === 'reviewed' ? 'Accepted' : 'Accept';
  for (const name of ['sort', 'state', 'doubt', 'kind']) find(`#${name}`).value = filter[name];
  const list = store.list();
  const at = list.findIndex(({id}) => id === current?.id);
  find('#shown').textContent = list.length ? `${at + 1} of ${list.length} shown` : 'None is like this.';
  showHint();
}

function saving() {
  if (store.fault) return store.unsaved ? `Not saved: ${store.fault}` : store.fault;
  if (store.unsaved) return 'Saving …';
  return store.full ? 'Saved' : '';
}

function showHint() {
  const hint = find('#hint');
  const unplaced = toPlace();
  root.classList.toggle('placing', Boolean(unplaced));
  hint.hidden = !drawing && !unplaced && Boolean(store.full?.type);
  if (drawing) hint.textContent = 'Draw a box around the garment. Escape ends this.';
  else if (!store.full?.type) hint.textContent = store.full ? 'Choose the type: keys 1 to 9.' : 'There is nothing to label.';
  else if (unplaced) hint.textContent = `Click where ${words(unplaced)} is. A: it is absent.`;
}

/** The keypoint that a click places: the selected one, or else the first that has no place. */
function toPlace() {
  const {current, selected} = store;
  if (!current?.points || current.state === 'looking') return null;
  if (selected && current.points[selected].unplaced) return selected;
  return Object.keys(current.points).find((name) => current.points[name].unplaced) ?? null;
}

function placeByClick() {
  let start = null;
  root.addEventListener('pointerdown', (event) => {
    start = event.target.closest('.point, button, .over') || event.button ? null : {x: event.clientX, y: event.clientY};
  });
  root.addEventListener('pointerup', (event) => {
    const name = toPlace();
    if (!start || drawing || !name || Math.hypot(event.clientX - start.x, event.clientY - start.y) > 4) return;
    const {x, y} = stage.at(event);
    const {width, height} = store.current.answer.size;
    if (x < -0.5 || y < -0.5 || x > width || y > height) return;
    store.place({[name]: {x, y, v: 1}}, `${name} placed`);
    store.select(toPlace() ?? name);
  });
}

const actions = [];

/** Do what a key or a button asks for. What is asked while another garment is fetched waits for it, so that nothing is
    lost, and nothing meets the wrong garment; if that garment does not come, it is forgotten. */
async function perform(action) {
  actions.push(action);
  if (actions.length > 1) return;
  while (actions.length) {
    let came = false;
    try {
      actions[0]();
      came = true;
      while (store.arriving) came = await store.arriving;
    } finally {
      if (came) actions.shift();
      else actions.length = 0;
    }
  }
}

async function go(id) {
  if (id !== null) await store.show(id);
}

async function accept() {
  const next = store.nextToDo();
  const {lacks, name} = store.accept() ?? {};
  if (lacks === 'type') {
    notice('Choose the type first: keys 1 to 9.');
  } else if (lacks === 'proposal') {
    notice('The network still looks for the points. Press Enter again when you see them.');
  } else if (lacks) {
    store.select(name);
    notice(`${title(name)} is not placed: click its place, or press A if it is absent.`);
  } else if (next === null) {
    notice('Every picture of this list is reviewed.');
  } else {
    await store.show(next);
  }
}

/** Not fit for training: then the next one to do; or fit again. */
async function skip() {
  if (!store.full) return;
  const next = store.nextToDo();
  store.skip();
  if (store.full.state === 'skipped') await go(next);
}

/** Points in the order of doubt: not placed, guessed, then by score; those that a person placed are certain. */
function jump() {
  const {points, state} = store.current ?? {};
  if (!points || state === 'looking') return;
  const doubtful = Object.entries(points).filter(([, point]) => !point.own)
    .map(([name, {unplaced, found, score}]) => [name, unplaced ? -2 : found ? score : -1])
    .sort((a, b) => a[1] - b[1]).map(([name]) => name);
  if (!doubtful.length) return;
  const name = doubtful[(doubtful.indexOf(store.selected) + 1) % doubtful.length];
  store.select(name);
  stage.focusPoint(name);
  say(words(name));
}

function mirror() {
  if (!store.current?.points) return;
  const {points, answer} = store.current;
  const places = mirrored(store.card.types[answer.type], points, store.selected, answer.size);
  if (Object.keys(places).length) store.place(places, 'mirror copy of a side');
}

function mark(v) {
  const name = store.selected ?? toPlace();
  if (!name) return;
  store.setVisibility(name, v);
  const next = v < 0 && toPlace();
  if (next) store.select(next);
}

function startDrawing() {
  if (drawing || !store.full) {
    endDrawing();
    return;
  }
  drawing = drawBox(root, stage, store.full.size, async (box) => {
    drawing = null;
    showDrawing();
    if (box) await store.draw(box);
  });
  showDrawing();
}

function endDrawing() {
  drawing?.();
  drawing = null;
  showDrawing();
}

function showDrawing() {
  find('#box').setAttribute('aria-pressed', String(Boolean(drawing)));
  root.classList.toggle('drawing', Boolean(drawing));
  showHint();
}

function escape() {
  endDrawing();
  document.activeElement?.blur?.();
  if (store.selected) store.select(null);
}

function chooseType(number) {
  const type = Object.keys(store.card.types)[number - 1];
  if (type && store.full && type !== store.full.type) store.setType(type);
}

/** Keys with a meaning: [keys, what they do in words, the function]. */
const KEYS = [
  [['Enter'], 'accept: all points are right; then the next one to do', accept],
  [['n', 'PageDown'], 'next', () => go(store.neighbour(1))],
  [['p', 'PageUp'], 'previous', () => go(store.neighbour(-1))],
  [['s'], 'skip: not fit for training; then the next one to do', skip],
  [['j'], 'jump to the least sure point; again: to the next one', jump],
  [['a'], 'the selected point is absent', () => mark(-1)],
  [['o'], 'the selected point is occluded', () => mark(0)],
  [['v'], 'the selected point: visible, hidden or absent in turn', null],
  [['r'], 'reset the selected point to its proposal', () => store.selected && store.putBack(store.selected)],
  [['m'], 'mirror copy: the side of the selected point (or the left one) to the other', mirror],
  [['b'], 'draw the box of another garment of the picture', startDrawing],
  [['Delete'], 'remove the box', () => store.full && store.remove()],
  [['t'], 'choose the type', () => find('#type')?.focus()],
  [['1–9'], 'the type with this number', null],
  [['h'], 'names of the points', () => toggleNames()],
  [['+', '='], 'zoom in; the wheel and two fingers do it too', () => zoom.in()],
  [['-'], 'zoom out', () => zoom.out()],
  [['0'], 'fit the picture', () => zoom.fit()],
  [['Arrow keys'], 'move the selected point by one pixel, with Shift by ten; without a point, the picture', null],
  [['Tab'], 'next point', null],
  [['z', 'Ctrl+Z'], 'undo, also after a reload', () => store.full && store.undo()],
  [['y', 'Ctrl+Y'], 'redo', () => store.full && store.redo()],
  [['Escape'], 'let the point go', escape],
  [['?'], 'this list', () => find('#help').showModal()],
];

const ONCE = new Set(['Enter', 's', 'b', 'Delete']); // keys that do nothing more while they are held down

const ARROWS = {ArrowLeft: [PAN, 0], ArrowRight: [-PAN, 0], ArrowUp: [0, PAN], ArrowDown: [0, -PAN]};

function byKey(event) {
  if (find('#help').open || store.dragging || event.altKey || event.defaultPrevented) return;
  if (event.target.matches('input:not([type=radio]), select') && event.key !== 'Escape') return;
  if (event.key === 'Enter' && event.target.matches('button:not([aria-current]), summary')) return;
  const letter = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey || event.metaKey) {
    if (letter !== 'z' && letter !== 'y') return;
    event.preventDefault();
    const step = letter === 'y' || event.shiftKey ? 'redo' : 'undo';
    perform(() => store.full && store[step]());
    return;
  }
  if (ARROWS[letter] && !store.selected) {
    zoom.moveBy(...ARROWS[letter]);
    event.preventDefault();
  } else if (/^[1-9]$/.test(letter)) {
    perform(() => chooseType(Number(letter)));
  } else {
    const action = KEYS.find(([names]) => names.includes(letter))?.[2];
    if (!action) return;
    event.preventDefault();
    if (!event.repeat || !ONCE.has(letter)) perform(action);
  }
}

function toggleNames() {
  store.names = !store.names;
  store.changed('points');
}

function notice(text) {
  const element = find('#notice');
  element.textContent = text;
  element.hidden = false;
  clearTimeout(notice.timer);
  notice.timer = setTimeout(() => { element.hidden = true; }, SHOWN);
}

function listen() {
  const clicks = {previous: () => go(store.neighbour(-1)), next: () => go(store.neighbour(1)), accept, skip,
    undo: () => store.undo(), redo: () => store.redo(), mirror, box: startDrawing, names: toggleNames,
    in: () => zoom.in(), out: () => zoom.out(), fit: () => zoom.fit(), keys: () => find('#help').showModal()};
  for (const [id, action] of Object.entries(clicks)) {
    find(`#${id}`).addEventListener('click', ({detail, currentTarget}) => {
      if (detail) currentTarget.blur(); // after a click by mouse, Enter means accept
      perform(action);
    });
  }
  for (const name of ['sort', 'state', 'kind', 'doubt']) {
    find(`#${name}`).addEventListener('change', ({target}) => store.setFilter(name, target.value));
  }
  find('#person').addEventListener('change', ({target}) => {
    store.person = target.value.trim() || store.card.person;
    store.remember();
  });
  addEventListener('keydown', byKey);
  addEventListener('pagehide', () => store.leave());
  addEventListener('pageshow', ({persisted}) => persisted && location.reload());
  addEventListener('beforeunload', (event) => store.fault && store.unsaved && event.preventDefault());
  store.addEventListener('notice', ({detail}) => notice(detail));
  placeByClick();
}

function introduce() {
  find('#kind').append(make('option', {value: ''}, 'all'),
    ...Object.keys(store.card.types).map((type) => make('option', {value: type}, title(type))));
  find('#person').value = store.person;
  find('#keylist tbody').append(...KEYS.map(([keys, what]) => make('tr', {},
    make('th', {scope: 'row'}, ...keys.map((key) => make('kbd', {}, key.length === 1 ? key.toUpperCase() : key))),
    make('td', {}, what))));
}

async function poll() {
  for (;;) {
    await new Promise((resume) => setTimeout(resume, POLL));
    try {
      await store.refresh();
    } catch (error) {
      store.fault = error.message;
      showState();
    }
  }
}

try {
  await store.open();
  introduce();
  listen();
  showState();
  poll();
} catch (error) {
  root.append(make('p', {class: 'fault', role: 'alert'}, error.message));
}
