/** Lengths along paths over points: `a > b` leads from point to point, `a + b` is the middle of two. */

/**
 * Of a type of the service's card, by name: in pixels, with the lowest score of the points, and why it is doubtful, ''
 * where it is not. Null where every path lacks a point.
 */
export function lengthsOf(type, points, clearly) {
  const sides = Object.fromEntries(Object.entries(type.lengths).map(([name, paths]) =>
    [name, believed(paths.map((path) => along(path, points)).filter(Boolean), clearly)]));
  const doubts = doubtsOf(type, sides, clearly);
  return Object.fromEntries(Object.entries(sides).map(([name, taken]) =>
    [name, taken.length ? {...merged(taken), doubtful: doubts[name].join('; ')} : null]));
}

/** The centimetres of a pixel, by the length that is known, else that of all pictures; null where neither is. */
export function scaleOf(picture, lengths, common) {
  const pixels = picture.given && lengths[picture.given.name]?.pixels;
  return pixels ? picture.given.cm / pixels : common;
}

const usable = (point) => point && point.v >= 0 && (point.found || point.moved);
const trust = (point) => (point.moved ? 1 : point.score);

/** Of two sides, the one with the clearly higher score; otherwise all. */
function believed(sides, clearly) {
  const best = sides.filter((side) => sides.every((other) => other === side || side.score - other.score > clearly));
  return best.length ? best : sides;
}

/** The mean of sides, with their lowest score; null of none. */
function merged(sides) {
  if (!sides.length) return null;
  return {pixels: sides.reduce((sum, {pixels}) => sum + pixels, 0) / sides.length,
    score: Math.min(...sides.map(({score}) => score))};
}

/** Why lengths are doubtful, lists by name. Of two that contradict each other: both, or the clearly lower-scored one. */
function doubtsOf({side_limits: sideLimits, pair_limits: pairLimits}, sides, clearly) {
  const reasons = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  for (const [name, most] of Object.entries(sideLimits)) {
    const [short, long] = sides[name].map(({pixels}) => pixels).sort((a, b) => a - b);
    if (long !== undefined && ratio(long, short) > most) {
      reasons[name].push(`one ${name} is ${ratio(long, short).toFixed(2)} x the other: up to ${most.toFixed(2)} is usual`);
    }
  }
  for (const [first, second, low, high] of pairLimits) {
    const [one, other] = [merged(sides[first]), merged(sides[second])];
    const times = one && other && ratio(one.pixels, other.pixels);
    if (!times || (times >= low && times <= high)) continue;
    const reason = `${first} is ${times.toFixed(2)} x ${second}: ${low.toFixed(2)} to ${high.toFixed(2)} is usual`;
    if (one.score - other.score <= clearly) reasons[first].push(reason);
    if (other.score - one.score <= clearly) reasons[second].push(reason);
  }
  return reasons;
}

/** To hundredths, as it is said and as the limits are; lengths below a pixel count as one. */
const ratio = (length, other) => Math.round(100 * Math.max(length, 1) / Math.max(other, 1)) / 100;

/** The places through which a path leads, as [x, y]; null where one of its points is not known. */
export function stopsOf(path, points) {
  const places = placesOf(path, points);
  if (!places.flat().every(usable)) return null;
  return places.map((ends) => ['x', 'y'].map((axis) => ends.reduce((sum, end) => sum + end[axis], 0) / ends.length));
}

const placesOf = (path, points) => path.split(' > ').map((place) => place.split(' + ').map((name) => points[name]));

function along(path, points) {
  const stops = stopsOf(path, points);
  if (!stops) return null;
  const pixels = stops.slice(1).reduce((sum, [x, y], i) => sum + Math.hypot(x - stops[i][0], y - stops[i][1]), 0);
  return {pixels, score: Math.min(...placesOf(path, points).flat().map(trust))};
}
