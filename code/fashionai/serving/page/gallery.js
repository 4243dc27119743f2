/** All pictures, small, where there are several; and how many are done. */
import {find, make, title} from './dom.js';
import {titleOf} from './store.js';

const ROOM = 20; // pixels beside the card that is shown

export class Gallery {
  #store; #unseen; #root = find('#gallery'); #cards = new Map(); #current = null;

  /** `unseen(picture)` is called if the browser cannot show a picture. */
  constructor(store, unseen) {
    this.#store = store;
    this.#unseen = unseen;
  }

  render() {
    const {pictures, current} = this.#store;
    this.#root.hidden = pictures.length < 2;
    find('#done').textContent = pictures.length < 2 ? '' : progress(pictures);
    for (const [picture, card] of this.#cards) {
      if (!pictures.includes(picture)) {
        card.remove();
        this.#cards.delete(picture);
      }
    }
    pictures.forEach((picture, place) => {
      const card = this.#cards.get(picture) ?? this.#make(picture);
      if (this.#root.children[place] !== card) this.#root.insertBefore(card, this.#root.children[place] ?? null);
      card.className = `card ${stateOf(picture)}`;
      card.querySelector('.what').textContent = caption(picture);
      card.querySelector('.why').textContent = picture.state === 'failed' ? picture.fault : '';
      const image = card.querySelector('img');
      if (image.src !== picture.url) image.src = picture.url;
      const show = card.querySelector('.show');
      show.title = [titleOf(picture), picture.fault].filter(Boolean).join(': ');
      show.setAttribute('aria-label', [titleOf(picture), caption(picture), picture.fault].filter(Boolean).join(', '));
      if (picture === current) show.setAttribute('aria-current', 'true');
      else show.removeAttribute('aria-current');
    });
    if (current !== this.#current && current) this.#bringIntoView(this.#cards.get(current));
    this.#current = current;
  }

  /** Scroll the cards, and nothing else. */
  #bringIntoView(card) {
    const [root, box] = [this.#root, card].map((element) => element.getBoundingClientRect());
    const beyond = Math.max(0, box.right + ROOM - root.right) || Math.min(0, box.left - ROOM - root.left);
    this.#root.scrollLeft += beyond;
  }

  #make(picture) {
    const card = make('div', {},
      make('button', {class: 'show', type: 'button', onclick: () => this.#store.show(picture)},
        make('img', {src: picture.url, alt: '', loading: 'lazy',
          onerror: () => this.#unseen(picture)}), make('span', {class: 'why'}),
        make('span', {class: 'file'}, titleOf(picture).split('/').pop()), make('span', {class: 'what'})),
      make('button', {class: 'remove', type: 'button', 'aria-label': `Remove ${titleOf(picture)}`,
        onclick: () => this.#store.remove(picture)}, '×'));
    this.#cards.set(picture, card);
    return card;
  }
}

function stateOf({state, answer, blank}) {
  return `${state === 'done' && !answer.type_sure ? 'unsure-type' : state}${blank ? ' blank' : ''}`;
}

function progress(pictures) {
  const failed = pictures.filter(({state}) => state === 'failed').length;
  const done = pictures.filter(({state}) => state === 'done').length;
  return `${done + failed} of ${pictures.length} done${failed ? `, ${failed} failed` : ''}`;
}

function caption({state, answer}) {
  if (state === 'failed') return 'No result';
  if (state === 'looking') return 'Predicting …';
  if (state === 'asking') return 'Which type?';
  return `${title(answer.type)}${answer.type_sure ? '' : '?'}`;
}
