/** The pictures around the current one, in the order of the list. */
import {find, make, title} from './editor/dom.js';

const AROUND = 30; // pictures before and after the current one; more would make the page slow

const MARKS = {open: '', reviewed: '✓', skipped: '–'};

export function showGallery(store) {
  const root = find('#gallery');
  const list = store.list();
  const at = Math.max(0, list.findIndex(({id}) => id === store.current?.id));
  const start = Math.max(0, at - AROUND);
  const wanted = list.slice(start, at + AROUND + 1);
  const cards = new Map([...root.children].map((card) => [Number(card.dataset.id), card]));
  for (const [id, card] of cards) if (!wanted.some((item) => item.id === id)) card.remove();
  wanted.forEach((item, place) => {
    const card = cards.get(item.id) ?? made(store, item);
    if (root.children[place] !== card) root.insertBefore(card, root.children[place] ?? null);
    const button = card.firstElementChild;
    const text = `${MARKS[item.state]} ${item.type ? title(item.type) : 'No type'}`.trim();
    card.className = `card ${item.state}`;
    card.querySelector('.what').textContent = text;
    button.setAttribute('aria-label', `${item.name}, ${item.state}, ${text}`);
    button.title = item.name;
    const current = item.id === store.current?.id;
    if (current === button.hasAttribute('aria-current')) return;
    button.toggleAttribute('aria-current', current);
    if (current) card.scrollIntoView({block: 'nearest', inline: 'center'});
  });
}

function made(store, item) {
  const card = make('div', {'data-id': item.id}, make('button', {class: 'show', type: 'button',
    onclick: () => store.show(item.id)},
  make('img', {src: `api/pictures/${item.picture}/thumbnail`, alt: '', loading: 'lazy'}),
  make('span', {class: 'file'}, item.name.split('/').pop()), make('span', {class: 'what'})));
  return card;
}
