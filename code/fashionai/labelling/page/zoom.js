/** Looks closer at the picture: by wheel, pinch, keys, and by dragging the picture. */

const MOST = 24;
const STEP = 1.4;
const ROOM = 60; // pixels of the stage that the picture never leaves

export class Zoom {
  #root; #stage; #changed; #factor = 1; #pan = {x: 0, y: 0}; #fingers = new Map();

  /** `changed()` is called when points must be drawn for another size. `free(event)`: a drag may move the picture. */
  constructor(root, stage, changed, free) {
    this.#root = root;
    this.#stage = stage;
    this.#changed = changed;
    root.addEventListener('wheel', (event) => {
      event.preventDefault();
      this.#at(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), event.clientX, event.clientY);
    }, {passive: false});
    root.addEventListener('pointerdown', (event) => this.#down(event, free));
    root.addEventListener('pointermove', (event) => this.#move(event));
    for (const kind of ['pointerup', 'pointercancel']) {
      root.addEventListener(kind, (event) => this.#fingers.delete(event.pointerId));
    }
  }

  get factor() {
    return this.#factor;
  }

  in() {
    this.#at(STEP);
  }

  out() {
    this.#at(1 / STEP);
  }

  fit() {
    this.#set(1, 0, 0);
  }

  /** Fit a box of a picture of this size; both in pixels of the picture. */
  fitBox([left, top, width, height], [whole, high]) {
    const frame = this.#stage.frame;
    const [wide, tall] = [frame.offsetWidth / this.#factor, frame.offsetHeight / this.#factor];
    const factor = Math.min(MOST, 0.8 * Math.min(this.#root.clientWidth / (width / whole * wide),
      this.#root.clientHeight / (height / high * tall)));
    this.#set(factor, (0.5 - (left + width / 2) / whole) * wide * factor, (0.5 - (top + height / 2) / high) * tall * factor);
  }

  moveBy(x, y) {
    this.#set(this.#factor, this.#pan.x + x, this.#pan.y + y);
  }

  #down(event, free) {
    if (event.pointerType === 'touch' || free(event)) {
      this.#fingers.set(event.pointerId, {x: event.clientX, y: event.clientY});
      if (free(event) && !event.target.closest('button')) this.#root.setPointerCapture(event.pointerId);
    }
  }

  #move(event) {
    const before = this.#fingers.get(event.pointerId);
    if (!before) return;
    const now = {x: event.clientX, y: event.clientY};
    const others = [...this.#fingers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    this.#fingers.set(event.pointerId, now);
    if (others.length) {
      const [other] = others;
      const apart = (at) => Math.hypot(at.x - other.x, at.y - other.y) || 1;
      this.#at(apart(now) / apart(before), (now.x + other.x) / 2, (now.y + other.y) / 2);
      this.moveBy((now.x - before.x) / 2, (now.y - before.y) / 2);
    } else if (!event.target.closest('.point')) {
      this.moveBy(now.x - before.x, now.y - before.y);
    }
  }

  /** Zoom by a factor; the place under (x, y) of the window stays. Without a place, the middle does. */
  #at(factor, x, y) {
    const box = this.#root.getBoundingClientRect();
    const next = Math.min(Math.max(this.#factor * factor, 1), MOST);
    const from = {x: (x ?? box.left + box.width / 2) - box.left - box.width / 2,
      y: (y ?? box.top + box.height / 2) - box.top - box.height / 2};
    const ratio = next / this.#factor;
    this.#set(next, from.x - (from.x - this.#pan.x) * ratio, from.y - (from.y - this.#pan.y) * ratio);
  }

  #set(factor, x, y) {
    const frame = this.#stage.frame;
    if (!frame) return;
    const [width, height] = [frame.offsetWidth, frame.offsetHeight].map((side) => side / this.#factor * factor);
    const bound = (value, side, room) => {
      const most = factor === 1 ? 0 : Math.max(0, (side + room) / 2 - ROOM);
      return Math.min(Math.max(value, -most), most);
    };
    this.#factor = factor;
    this.#pan = {x: bound(x, width, this.#root.clientWidth), y: bound(y, height, this.#root.clientHeight)};
    this.#root.style.setProperty('--zoom', factor);
    this.#root.style.setProperty('--pan', `${this.#pan.x}px ${this.#pan.y}px`);
    this.#root.classList.toggle('zoomed', factor > 1);
    this.#changed();
  }
}
