/** Boxes of garments on a picture, and drawing one more, for both pages. A box is [left, top, width, height] in pixels. */
import {make} from './dom.js';

const SMALLEST = 8; // pixels of the screen
const FIRST = 0.5; // of the picture: the box with which the keyboard begins
const ARROWS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};
const STEP = 0.02; // of the picture

/** A box with the number of its garment; `own`: that of the current garment, which a click need not show. */
export function boxShape(box, {width, height}, {number, own, show}) {
  const shape = make('button', {class: `box${own ? ' own' : ''}`, type: 'button', tabindex: -1,
    'aria-label': `Garment ${number} of this picture`, onclick: () => !own && show()}, make('span', {}, String(number)));
  shape.style.cssText = placed(box, width, height);
  return shape;
}

/**
 * Let a box be drawn on the picture of this [width, height]: by the pointer, or with `keys` by the keyboard, where arrow
 * keys move it, with Shift its right lower corner, and Enter takes it. `done(box)` gets the box, or null for a click.
 * Returns a function that ends it.
 */
export function drawBox(root, stage, size, done, keys = false) {
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
    done(far ? rounded(boxTo(inside(event))) : null);
  };
  const byKeys = keys ? boxByKeys(stage, shape, size, (box) => { end(); done(rounded(box)); }) : null;
  const end = () => {
    root.removeEventListener('pointerdown', down, {capture: true});
    root.removeEventListener('pointermove', move);
    byKeys?.();
    shape.remove();
  };
  root.addEventListener('pointerdown', down, {capture: true});
  return end;
}

const rounded = (box) => box.map((value) => Math.round(value * 100) / 100);

/** Let arrow keys move a box, and Enter take it. Returns a function that ends it. */
function boxByKeys(stage, shape, [width, height], take) {
  const box = [width * (1 - FIRST) / 2, height * (1 - FIRST) / 2, width * FIRST, height * FIRST];
  const listen = (event) => {
    const arrow = ARROWS[event.key];
    if (!arrow && (event.key !== 'Enter' || !shape.isConnected)) return;
    event.preventDefault();
    event.stopPropagation();
    if (!arrow) {
      take(box);
      return;
    }
    stage.frame.append(shape);
    [width, height].forEach((side, axis) => {
      const by = arrow[axis] * STEP * side;
      if (event.shiftKey) box[2 + axis] = Math.min(Math.max(box[2 + axis] + by, STEP * side), side - 1 - box[axis]);
      else box[axis] = Math.min(Math.max(box[axis] + by, 0), side - 1 - box[2 + axis]);
    });
    shape.style.cssText = placed(box, width, height);
  };
  addEventListener('keydown', listen, {capture: true});
  return () => removeEventListener('keydown', listen, {capture: true});
}

function placed([left, top, wide, high], width, height) {
  const percent = (value, whole) => `${(value / whole) * 100}%`;
  return `left:${percent(left + 0.5, width)};top:${percent(top + 0.5, height)};`
    + `width:${percent(wide, width)};height:${percent(high, height)}`;
}
