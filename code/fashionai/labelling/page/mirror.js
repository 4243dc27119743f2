/** Copies one side of a garment to the other. */

/**
 * The places of the keypoints of the other side as mirror images of those of the side that has `chosen` (or else of the
 * left side): {name: {x, y, v}}. The axis of the garment is that between the pairs that are placed; without a pair it is
 * upright, through the points that have no side, or through the middle of the picture.
 */
export function mirrored({keypoints, flipped}, points, chosen, size) {
  const other = new Map(keypoints.map((name, i) => [name, flipped[i]]));
  const from = side(chosen) ?? 'left';
  const placed = (name) => points[name] && points[name].v >= 0;
  const axis = axisOf(keypoints.filter((name) => side(name) === 'left' && placed(name) && placed(other.get(name)))
    .map((name) => [points[name], points[other.get(name)]]),
  keypoints.filter((name) => other.get(name) === name && placed(name)).map((name) => points[name]), size);
  const sources = keypoints.filter((name) => side(name) === from && other.get(name) !== name && !points[name]?.unplaced);
  return Object.fromEntries(sources.map((name) => [other.get(name), {...reflect(points[name], axis), v: points[name].v}]));
}

function side(name) {
  return ['left', 'right'].find((word) => name?.split('_').includes(word)) ?? null;
}

/** A point of the axis, and the direction across it (a unit vector): medians, so that a wrong point does not matter. */
function axisOf(pairs, middles, size) {
  if (!pairs.length) {
    return {x: middles.length ? median(middles.map(({x}) => x)) : (size.width - 1) / 2, y: 0, across: {x: 1, y: 0}};
  }
  const angle = median(pairs.map(([a, b]) => Math.atan2(b.y - a.y, b.x - a.x)));
  return {x: median(pairs.map(([a, b]) => (a.x + b.x) / 2)), y: median(pairs.map(([a, b]) => (a.y + b.y) / 2)),
    across: {x: Math.cos(angle), y: Math.sin(angle)}};
}

function reflect({x, y}, axis) {
  const distance = (x - axis.x) * axis.across.x + (y - axis.y) * axis.across.y;
  return {x: x - 2 * distance * axis.across.x, y: y - 2 * distance * axis.across.y};
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}
