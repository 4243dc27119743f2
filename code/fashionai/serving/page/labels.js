/** Where the names of points go: beside the garment, none over another, and none over a point. Pixels of the screen. */

const GAP = 3; // between two names
const AWAY = 20; // from the garment
const REACH = 9; // of a point
const STEP = 2;

/**
 * Places for names. `items`: {name, x, y, width, height}, a point and the size of its name; `area`: {left, top, right,
 * bottom}, where names may be. Returns {name, x, y, from: [x, y], to: [x, y]} for each point in the area: the upper left
 * corner of its name, and the ends of the line that leads from it to the point.
 */
export function arranged(items, area) {
  const seen = items.filter(({x, y}) => x >= area.left && x <= area.right && y >= area.top && y <= area.bottom);
  if (!seen.length) return [];
  const [low, high] = [Math.min, Math.max].map((end) => end(...seen.map(({x}) => x)));
  const {left, right} = sidesOf(seen, low, high);
  const taken = seen.map(({x, y}) => ({x: x - REACH, y: y - REACH, width: 2 * REACH, height: 2 * REACH}));
  const widest = (side) => Math.max(...side.map(({width}) => width), 0);
  const inner = {left: Math.max(low - AWAY, area.left + widest(left)), right: Math.min(high + AWAY, area.right - widest(right))};
  const placed = (side, at) => column(side, area, taken, (width) => (side === left ? at - width : at)).map(
    ({name, x, y, height, point}) => ({name, x, y, from: [at, y + height / 2], to: point}));
  return [...placed(left, inner.left), ...placed(right, inner.right)];
}

/** Points by side; those in the middle go where there are fewer. */
function sidesOf(points, low, high) {
  const middle = (low + high) / 2;
  const near = (high - low) / 10;
  const sides = {left: points.filter(({x}) => x < middle - near), right: points.filter(({x}) => x > middle + near)};
  for (const point of points.filter(({x}) => Math.abs(x - middle) <= near)) {
    sides[sides.left.length <= sides.right.length ? 'left' : 'right'].push(point);
  }
  return sides;
}

/** Names one below another: each as near to the height of its point as the others, and the points, allow. */
function column(points, area, obstacles, left) {
  const taken = [...obstacles];
  const sorted = [...points].sort((a, b) => a.y - b.y);
  const heights = spread(sorted.map(({y, height}) => ({wanted: y - height / 2, size: height + GAP})), area);
  return sorted.map(({name, x, y, width, height}, index) => {
    const box = {x: left(width), width, height, y: heights[index]};
    box.y = nearestFree(box, taken, area);
    taken.push({...box, height: height + GAP});
    return {name, ...box, point: [x, y]};
  });
}

/** Starts of intervals of one size that do not overlap and are near to the wanted ones, in their order. */
function spread(intervals, {top, bottom}) {
  const groups = [];
  for (const {wanted, size} of intervals) {
    groups.push({start: wanted, size, count: 1});
    while (groups.length > 1 && groups.at(-2).start + groups.at(-2).size > groups.at(-1).start) {
      const [second, first] = [groups.pop(), groups.pop()];
      const count = first.count + second.count;
      const start = (first.start * first.count + (second.start - first.size) * second.count) / count;
      groups.push({start, size: first.size + second.size, count});
    }
  }
  return groups.flatMap(({start, size, count}) => {
    const inside = Math.max(top, Math.min(start, bottom - size));
    return Array.from({length: count}, (_, index) => inside + index * size / count);
  });
}

/** The height nearest to the box's own where it covers nothing; its own if there is none. */
function nearestFree(box, taken, {top, bottom}) {
  const covers = (y) => taken.some((other) => box.x < other.x + other.width && other.x < box.x + box.width
    && y < other.y + other.height && other.y < y + box.height);
  for (let far = 0; far < bottom - top; far += STEP) {
    for (const y of [box.y + far, box.y - far]) if (y >= top && y + box.height <= bottom && !covers(y)) return y;
  }
  return box.y;
}
