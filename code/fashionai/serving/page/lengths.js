/** Lengths along paths over points: `a > b` leads from point to point, `a + b` is the middle of two. */

/** In pixels, by name, with the lowest score of the points: null where every path lacks a point. */
export function lengthsOf(paths, points) {
  return Object.fromEntries(Object.entries(paths).map(([name, sides]) => [name, meanOf(sides, points)]));
}

/** The centimetres of a pixel, by the length that is known, else that of all pictures; null where neither is. */
export function scaleOf(picture, lengths, common) {
  const pixels = picture.given && lengths[picture.given.name]?.pixels;
  return pixels ? picture.given.cm / pixels : common;
}

const usable = (point) => point && point.v >= 0 && (point.found || point.moved);
const trust = (point) => (point.moved ? 1 : point.score);

function meanOf(sides, points) {
  const taken = sides.map((path) => along(path, points)).filter(Boolean);
  if (!taken.length) return null;
  return {pixels: taken.reduce((sum, {pixels}) => sum + pixels, 0) / taken.length,
    score: Math.min(...taken.map(({score}) => score))};
}

function along(path, points) {
  const places = path.split(' > ').map((place) => place.split(' + ').map((name) => points[name]));
  if (!places.flat().every(usable)) return null;
  const stops = places.map((ends) => ['x', 'y'].map((axis) =>
    ends.reduce((sum, end) => sum + end[axis], 0) / ends.length));
  const pixels = stops.slice(1).reduce((sum, [x, y], i) => sum + Math.hypot(x - stops[i][0], y - stops[i][1]), 0);
  return {pixels, score: Math.min(...places.flat().map(trust))};
}
