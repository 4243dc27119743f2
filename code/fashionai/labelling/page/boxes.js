/** The boxes of the garments of a picture, and drawing one more. */
import {make} from './editor/dom.js';

const SMALLEST = 8; // pixels of the screen

/** Show the boxes of the other garments of the picture, and that of the current one. `show(id)` goes to a garment. */
export function showBoxes(stage, store, show) {
  stage.frame?.querySelectorAll('.box').forEach((box) => box.remove());
  const {full, items} = store;
  if (!full || !stage.frame) return;
  const [width, height] = full.size;
  for (const item of items.values()) {
    const {box} = item;
    if (item.picture !== full.picture || item.state === 'removed' || !box) continue;
    const own = item.id === full.id;
    const shape = make('button', {class: `box${own ? ' own' : ''}`, type: 'button', tabindex: -1,
      'aria-label': `Garment ${item.number} of this picture`, onclick: () => !own && show(item.id)},
    make('span', {}, String(item.number)));
    shape.style.cssText = placed(box, width, height);
    stage.frame.append(shape);
  }
}

/** Let a box be drawn on the picture; `done(box)` gets left, top, width and height in pixels of the picture, or null. */
export function drawBox(root, stage, size, done) {
  const [width, height] = size;
  const from = {};
  const shape = make('div', {class: 'box own drawn'});
  const inside = (event) => {
    const {x, y} = stage.at(event);
    return {x: Math.min(Math.max(x, 0), width - 1), y: Math.min(Math.max(y, 0), height - 1)};
  };
  const boxTo = (at) => [Math.min(from.x, at.x), Math.min(from.y, at.y), Math.abs(at.x - from.x), Math.abs(at.y - from.y)];
  const down = (event) => {
    event.preventDefault();
    event.stopPropagation();
    Object.assign(from, inside(event), {clientX: event.clientX, clientY: event.clientY});
    stage.frame.append(shape);
    root.setPointerCapture(event.pointerId);
    root.addEventListener('pointermove', move);
    root.addEventListener('pointerup', up, {once: true});
  };
  const move = (event) => { shape.style.cssText = placed(boxTo(inside(event)), width, height); };
  const up = (event) => {
    const far = Math.min(Math.abs(event.clientX - from.clientX), Math.abs(event.clientY - from.clientY)) >= SMALLEST;
    end();
    done(far ? boxTo(inside(event)).map((value) => Math.round(value * 100) / 100) : null);
  };
  const end = () => {
    root.removeEventListener('pointerdown', down, {capture: true});
    root.removeEventListener('pointermove', move);
    shape.remove();
  };
  root.addEventListener('pointerdown', down, {capture: true});
  return end;
}

function placed([left, top, wide, high], width, height) {
  const percent = (value, whole) => `${(value / whole) * 100}%`;
  return `left:${percent(left + 0.5, width)};top:${percent(top + 0.5, height)};`
    + `width:${percent(wide, width)};height:${percent(high, height)}`;
}
