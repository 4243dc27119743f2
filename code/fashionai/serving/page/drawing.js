/** The picture with its outline and points, as a PNG file of the picture's own size. */
import {side} from './dom.js';
import {classesOf} from './stage.js';

const SHARE = 0.009; // radius of a point, of the longer side of the picture

/** A PNG of a picture; `type` is its type in the service's card, `low` the score below which points are hollow. */
export async function drawn({url, blank, answer, points}, {keypoints, outline}, low) {
  const {width, height} = answer.size;
  const canvas = Object.assign(document.createElement('canvas'), {width, height});
  const context = canvas.getContext('2d');
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  if (!blank) context.drawImage(await loaded(url), 0, 0, width, height);
  context.translate(0.5, 0.5); // (0, 0) is the middle of the first pixel
  const radius = Math.max(3, SHARE * Math.max(width, height));
  for (const [colour, thick] of [['rgb(0 0 0 / .45)', 0.55], ['#fff', 0.25]]) {
    Object.assign(context, {strokeStyle: colour, lineWidth: radius * thick, lineCap: 'round'});
    for (const ends of outline) line(context, ...ends.map((end) => points[end]));
  }
  for (const name of keypoints) if (points[name].v >= 0) dot(context, name, points[name], radius, low);
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
}

async function loaded(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

function line(context, a, b) {
  if (a.v < 0 || b.v < 0) return;
  context.beginPath();
  context.moveTo(a.x, a.y);
  context.lineTo(b.x, b.y);
  context.stroke();
}

/** Filled, or a ring where the score is low or the point is hidden. */
function dot(context, name, point, radius, low) {
  const colour = getComputedStyle(document.documentElement).getPropertyValue(`--${side(name)}`);
  const classes = classesOf(name, point, low).split(' ');
  const ring = classes.includes('low') || classes.includes('hidden');
  context.beginPath();
  context.arc(point.x, point.y, radius, 0, 2 * Math.PI);
  Object.assign(context, {lineWidth: radius * 0.75, strokeStyle: 'rgb(0 0 0 / .6)'});
  context.stroke();
  Object.assign(context, {lineWidth: radius * 0.4, strokeStyle: ring ? colour : '#fff',
    fillStyle: ring ? 'rgb(0 0 0 / .2)' : colour});
  context.fill();
  context.stroke();
}
