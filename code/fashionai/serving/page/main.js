/** Connects the parts: pictures are added, predicted, shown, and kept over a reload. */
import {fetchCard, isTooLarge, predict, preview} from './api.js';
import {boxShape, drawBox} from './boxes.js';
import {find, make, say, title} from './dom.js';
import {dropped} from './folders.js';
import {Gallery} from './gallery.js';
import {Memory} from './memory.js';
import {Panel} from './panel.js';
import {Stage} from './stage.js';
import {Store, isCorrected, titleOf} from './store.js';
import {sumOf} from './sums.js';

const AUTO = 'auto';
const store = new Store();
const stage = new Stage(store, ask, showAnother);
const panel = new Panel(store, ask, stage);
const gallery = new Gallery(store, showAnother);
const memory = new Memory((reason) => notice(`This browser does not keep your corrections: ${reason}`));
let drawing = null;
let drawnOn = null;

store.addEventListener('change', ({detail}) => {
  const {pictures, current} = store;
  find('#welcome').hidden = pictures.length > 0;
  find('#work').hidden = find('#anew').hidden = !pictures.length;
  find('#undo').disabled = !current?.past.length;
  find('#redo').disabled = !current?.future.length;
  find('#another').disabled = !current?.answer;
  for (const name of ['names', 'heat']) find(`#${name}`).setAttribute('aria-pressed', String(store[name]));
  if (drawing && drawnOn !== current) endDrawing();
  if (detail === 'pictures') gallery.render();
  for (const view of [stage, panel]) detail === 'pictures' ? view.render() : view.sync();
  if (detail === 'pictures') showBoxes();
  memory.keep(pictures);
});

/** Requests the prediction of a picture as a type, or AUTO. */
async function ask(picture, tag) {
  if (!tag) return;
  picture.controller?.abort();
  const controller = picture.controller = new AbortController();
  store.looking(picture, tag);
  try {
    store.answered(picture, await predict(picture, tag, store.card.limits, controller.signal));
    say(`${titleOf(picture)}: ${title(picture.answer.type)}, ${Object.keys(picture.points).length} points`);
    if (picture.original.unseen) showAnother(picture);
  } catch (error) {
    if (picture.controller !== controller || error.name === 'AbortError') return;
    store.failed(picture, error.message);
  }
}

/** The browser cannot show a picture: if the service can read it, its preview is shown in its place. */
async function showAnother({original}) {
  original.unseen = true;
  if (!original.answer || original.previewed) return;
  original.previewed = true;
  try {
    store.showAs(original, URL.createObjectURL(await preview(original.file)));
  } catch {
    store.showAs(original, null);
  }
}

/** Adds files: [{file, name}]. A picture that is there already is shown. */
async function take(files) {
  if (!store.card || !files.length) return;
  find('#notice').hidden = true;
  const tag = find('#work').hidden ? find('#welcome .tag').value : find('#work .tag').value;
  const added = files.map(({file, name}) => store.add(file, name, tag));
  for (const picture of added) {
    const same = await sameAs(picture);
    if (!store.pictures.includes(picture)) continue;
    if (!same) {
      ask(picture, tag);
      continue;
    }
    store.remove(picture);
    store.show(same);
    notice(`${same.name} is here already.`);
  }
}

/** The picture with the same name and bytes; null if there is none. */
async function sameAs(picture) {
  if (isTooLarge(picture.file, store.card.limits)) return null;
  const bytes = await picture.file.arrayBuffer().catch(() => null); // a file that is gone fails when it is sent
  return bytes && store.identify(picture, sumOf(new Uint8Array(bytes)));
}

const named = (files) => [...files].map((file) => ({file, name: file.name || 'pasted.png'}));

/** Brings the pictures of the last time back, with their corrections. */
async function recall() {
  const records = await memory.recall();
  const {types, model, told_types: told} = store.card;
  for (const record of records) {
    const {answer, tag} = record;
    const fits = answer?.model === model && String(Object.keys(answer.keypoints)) === String(types[answer.type]?.keypoints);
    store.restore({...record, tag: types[tag] ? tag : told.length ? AUTO : null}, fits);
  }
  if (!records.length) return;
  store.show(store.pictures[0]);
  const several = records.length > 1;
  const what = several ? `${records.length} pictures of the last time are` : 'The picture of the last time is';
  notice(`${what} here again, with your corrections.`);
  for (const picture of store.pictures.filter(({state}) => state === 'looking')) ask(picture, picture.tag);
}

function anew() {
  const corrected = store.pictures.filter(({points}) => points && Object.values(points).some(isCorrected)).length;
  const question = corrected ? `Remove all pictures, and the corrections of ${corrected} of them?` : 'Remove all pictures?';
  if (!confirm(question)) return;
  store.clear();
  find('#notice').hidden = true;
  find('#welcome .choose').focus();
}

/** A line below the header, until it is closed or pictures are added. */
function notice(text) {
  find('#notice').hidden = false;
  find('#notice p').textContent = text;
}

function startDrawing() {
  if (drawing) {
    endDrawing();
    return;
  }
  const {current} = store;
  const {width, height} = current.answer.size;
  drawnOn = current;
  drawing = drawBox(find('#stage'), stage, [width, height], (box) => {
    drawing = null;
    showDrawing();
    if (!box) return;
    const tag = find('#work .tag').value;
    ask(store.addGarment(current.original, box, tag), tag);
  }, true);
  showDrawing();
}

function endDrawing() {
  drawing?.();
  drawing = drawnOn = null;
  showDrawing();
}

function showDrawing() {
  find('#another').setAttribute('aria-pressed', String(Boolean(drawing)));
  find('#stage').classList.toggle('drawing', Boolean(drawing));
  find('#hint').hidden = !drawing;
  find('#hint').replaceChildren(...(drawing ? ['Draw a box around the other garment. ', make('span', {class: 'by-keys'},
    'By keyboard: arrow keys, with Shift for its size, then Enter. Escape ends this.')] : []));
}

/** The boxes of the garments of the picture that have one. */
function showBoxes() {
  stage.frame?.querySelectorAll('.box').forEach((box) => box.remove());
  const {current} = store;
  if (!current?.answer || !stage.frame) return;
  for (const garment of store.garmentsOf(current)) {
    if (!garment.box) continue;
    stage.frame.append(boxShape(garment.box, current.answer.size, {number: garment.number, own: garment === current,
      show: () => store.show(garment)}));
  }
}

function listen() {
  const input = find('#files');
  for (const button of document.querySelectorAll('.choose')) button.addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    take(named(input.files));
    input.value = '';
  });
  const tags = [...document.querySelectorAll('.tag')];
  for (const tag of tags) tag.addEventListener('change', () => tags.forEach((other) => { other.value = tag.value; }));
  find('#undo').addEventListener('click', () => store.undo());
  find('#redo').addEventListener('click', () => store.redo());
  for (const name of ['names', 'heat']) {
    find(`#${name}`).addEventListener('click', () => {
      store[name] = !store[name];
      store.changed('points');
    });
  }
  find('#another').addEventListener('click', startDrawing);
  find('#anew').addEventListener('click', anew);
  find('#notice button').addEventListener('click', () => { find('#notice').hidden = true; });
  addEventListener('paste', (event) => take(named(event.clipboardData.files)));
  addEventListener('keydown', undoByKey);
  addEventListener('keydown', (event) => event.key === 'Escape' && endDrawing());
  addEventListener('pagehide', () => memory.flush());
  listenToDrops();
}

function undoByKey(event) {
  const key = event.key.toLowerCase();
  if (!(event.ctrlKey || event.metaKey) || event.target.matches('input') || !'zy'.includes(key)) return;
  event.preventDefault();
  if (key === 'y' || event.shiftKey) store.redo();
  else store.undo();
}

function listenToDrops() {
  const veil = find('#veil');
  addEventListener('dragover', (event) => {
    if (![...event.dataTransfer.types].includes('Files')) return;
    event.preventDefault();
    veil.hidden = false;
  });
  addEventListener('dragleave', (event) => { if (!event.relatedTarget) veil.hidden = true; });
  addEventListener('drop', (event) => {
    event.preventDefault();
    veil.hidden = true;
    takeDropped(event.dataTransfer);
  });
}

async function takeDropped(transfer) {
  try {
    const {files, skipped} = await dropped(transfer);
    await take(files);
    const what = skipped > 1 ? `${skipped} files that are not pictures were` : '1 file that is not a picture was';
    if (skipped) notice(`${what} left out.`);
  } catch (error) {
    notice(`The folder cannot be read: ${error.message}`);
  }
}

/** What the service can do goes into the header and the choices of types. */
function introduce(card) {
  store.card = card;
  const sizes = card.contracts.map(({input_hw: [height, width]}) => `${width}×${height}`);
  find('#model').textContent = [card.model, ...sizes].join(' · ');
  const first = card.told_types.length ? [AUTO, 'Automatic'] : ['', 'Ask for each picture'];
  const options = [first, ...Object.keys(card.types).map((type) => [type, title(type)])];
  for (const tag of document.querySelectorAll('.tag')) {
    tag.replaceChildren(...options.map(([value, text]) => make('option', {value}, text)));
  }
}

try {
  introduce(await fetchCard());
  listen();
  await recall();
} catch (error) {
  find('#welcome .drop').append(make('p', {class: 'fault', role: 'alert'}, error.message));
}
