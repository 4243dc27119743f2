/** Heat maps over the picture: one tile a keypoint, in one grey picture that came with the answer. */

/** The heat maps of an answer, ready to draw; `names` are the keypoints in the order of the tiles. */
export async function heatOf(answer, names) {
  const image = new Image();
  image.src = answer.heatmaps.image;
  await image.decode();
  const [width, height] = [image.naturalWidth, image.naturalHeight / names.length];
  const canvas = Object.assign(document.createElement('canvas'), {width, height: image.naturalHeight});
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const all = context.getImageData(0, 0, width, image.naturalHeight).data;
  return {names, width, height, box: answer.heatmaps.box, values: all.filter((_, i) => i % 4 === 0)};
}

/** Draw the highest response of the keypoints, of all where none is named, on a canvas that lies over the picture. */
export function drawHeat(canvas, heat, keypoint, size) {
  const {names, width, height, values, box: [left, top, wide, high]} = heat;
  const cells = width * height;
  const chosen = keypoint ? [names.indexOf(keypoint)] : names.map((_, i) => i);
  Object.assign(canvas, {width, height});
  const image = new ImageData(width, height);
  for (let i = 0; i < cells; i++) {
    let value = 0;
    for (const tile of chosen) value = Math.max(value, values[tile * cells + i]);
    image.data.set([255, 70 + value * 0.72, value > 170 ? (value - 170) * 2 : 0, Math.min(255, value * 1.3)], i * 4);
  }
  canvas.getContext('2d').putImageData(image, 0, 0);
  const percent = (value, whole) => `${(value / whole) * 100}%`;
  Object.assign(canvas.style, {left: percent(left + 0.5, size.width), top: percent(top + 0.5, size.height),
    width: percent(wide, size.width), height: percent(high, size.height)});
}
