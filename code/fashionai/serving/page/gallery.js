/** All pictures, small, where there are several. */
import {find, make, title} from './dom.js';

export class Gallery {
  #store; #root = find('#gallery'); #cards = new Map();

  constructor(store) {
    this.#store = store;
  }

  render() {
    const {pictures, current} = this.#store;
    this.#root.hidden = pictures.length < 2;
    for (const [picture, card] of this.#cards) {
      if (!pictures.includes(picture)) {
        card.remove();
        this.#cards.delete(picture);
      }
    }
    for (const picture of pictures) {
      const card = this.#cards.get(picture) ?? this.#make(picture);
      card.className = `card ${stateOf(picture)}`;
      card.querySelector('.what').textContent = caption(picture);
      const show = card.querySelector('.show');
      show.setAttribute('aria-label', `${picture.name}, ${caption(picture)}`);
      if (picture === current) show.setAttribute('aria-current', 'true');
      else show.removeAttribute('aria-current');
    }
  }

  #make(picture) {
    const card = make('div', {},
      make('button', {class: 'show', type: 'button', onclick: () => this.#store.show(picture)},
        make('img', {src: picture.url, alt: '', loading: 'lazy'}), make('span', {class: 'what'})),
      make('button', {class: 'remove', type: 'button', 'aria-label': `Remove ${picture.name}`,
        onclick: () => this.#store.remove(picture)}, '×'));
    this.#cards.set(picture, card);
    this.#root.append(card);
    return card;
  }
}

function stateOf({state, answer}) {
  return state === 'done' && !answer.type_sure ? 'unsure-type' : state;
}

function caption({state, answer}) {
  if (state === 'failed') return 'No prediction';
  if (state === 'looking') return 'Predicting …';
  if (state === 'asking') return 'Which type?';
  return `${title(answer.type)}${answer.type_sure ? '' : '?'}`;
}
