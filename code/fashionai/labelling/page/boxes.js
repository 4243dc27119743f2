/** The boxes of the garments of a picture. */
import {boxShape} from './editor/boxes.js';

/** Show the boxes of the other garments of the picture, and that of the current one. `show(id)` goes to a garment. */
export function showBoxes(stage, store, show) {
  stage.frame?.querySelectorAll('.box').forEach((box) => box.remove());
  const {full, items} = store;
  if (!full || !stage.frame) return;
  const [width, height] = full.size;
  for (const {id, box, number, picture, state} of items.values()) {
    if (picture !== full.picture || state === 'removed' || !box) continue;
    stage.frame.append(boxShape(box, {width, height}, {number, own: id === full.id, show: () => show(id)}));
  }
}
