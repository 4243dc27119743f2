/** A magnifying glass beside the point that is dragged, since a finger hides what it points at. */

const SIDE = 132;
const ZOOM = 3;

/** Show the surroundings of (x, y) of a picture whose `unit` is picture pixels a screen pixel. */
export function showLoupe(frame, image, size, {x, y}, unit) {
  const canvas = frame.querySelector('.loupe') ?? frame.appendChild(document.createElement('canvas'));
  const ratio = window.devicePixelRatio || 1;
  canvas.className = 'loupe';
  canvas.setAttribute('aria-hidden', 'true');
  Object.assign(canvas, {width: SIDE * ratio, height: SIDE * ratio});
  place(canvas, x / unit, y / unit, size.width / unit);
  const context = canvas.getContext('2d');
  const [across, down] = [image.naturalWidth / size.width, image.naturalHeight / size.height];
  const seen = (SIDE * unit) / ZOOM;
  context.imageSmoothingQuality = 'high';
  context.drawImage(image, (x + 0.5 - seen / 2) * across, (y + 0.5 - seen / 2) * down, seen * across, seen * down, 0, 0,
    canvas.width, canvas.height);
  cross(context, canvas.width, ratio);
}

export function hideLoupe(frame) {
  frame.querySelector('.loupe')?.remove();
}

/** Above the point, or below it where there is no room. */
function place(canvas, x, y, wide) {
  const above = y - SIDE - 36 > -8;
  Object.assign(canvas.style, {left: `${Math.min(Math.max(x - SIDE / 2, 0), Math.max(0, wide - SIDE))}px`,
    top: `${above ? y - SIDE - 28 : y + 36}px`});
}

function cross(context, side, ratio) {
  const [middle, gap, length] = [side / 2, 5 * ratio, 16 * ratio];
  for (const [colour, width] of [['#000', 3.5], ['#fff', 1.5]]) {
    Object.assign(context, {strokeStyle: colour, lineWidth: width * ratio});
    context.beginPath();
    for (const sign of [-1, 1]) {
      context.moveTo(middle + sign * gap, middle);
      context.lineTo(middle + sign * length, middle);
      context.moveTo(middle, middle + sign * gap);
      context.lineTo(middle, middle + sign * length);
    }
    context.stroke();
  }
}
