/** Brings the parts together: pictures come in, are looked at, and shown. */
import {fetchCard, predict} from './api.js';
import {find, make, say, title} from './dom.js';
import {Gallery} from './gallery.js';
import {Panel} from './panel.js';
import {Stage} from './stage.js';
import {Store} from './store.js';

const AUTO = 'auto';
const store = new Store();
const stage = new Stage(store, ask);
const panel = new Panel(store, ask, (name) => stage.focusPoint(name));
const gallery = new Gallery(store);

store.addEventListener('change', ({detail}) => {
  find('#welcome').hidden = store.pictures.length > 0;
  find('#work').hidden = !store.pictures.length;
  find('#undo').disabled = !store.current?.past.length;
  find('#redo').disabled = !store.current?.future.length;
  for (const name of ['names', 'heat']) find(`#${name}`).setAttribute('aria-pressed', String(store[name]));
  if (detail === 'pictures') gallery.render();
  for (const view of [stage, panel]) detail === 'pictures' ? view.render() : view.sync();
});

/** Have a picture looked at as a type, or AUTO. */
async function ask(picture, tag) {
  if (!tag) return;
  picture.controller?.abort();
  const controller = picture.controller = new AbortController();
  store.looking(picture, tag);
  try {
    store.answered(picture, await predict(picture.file, tag, store.card.limits, controller.signal));
    say(`${picture.name}: ${title(picture.answer.type)}, ${Object.keys(picture.points).length} points`);
  } catch (error) {
    if (picture.controller !== controller || error.name === 'AbortError') return;
    store.failed(picture, error.message);
  }
}

function take(files) {
  if (!store.card) return;
  const tag = find('#work').hidden ? find('#welcome .tag').value : find('#work .tag').value;
  const pictures = [...files].map((file) => [store.add(file, file.name || 'pasted.png'), tag]);
  for (const [picture] of pictures) ask(picture, tag);
}

function listen() {
  const input = find('#files');
  for (const button of document.querySelectorAll('.choose')) button.addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    take(input.files);
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
  addEventListener('paste', (event) => event.clipboardData.files.length && take(event.clipboardData.files));
  addEventListener('keydown', undoByKey);
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
    take(event.dataTransfer.files);
  });
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
} catch (error) {
  find('#welcome .drop').append(make('p', {class: 'fault', role: 'alert'}, error.message));
}
