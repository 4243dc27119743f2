/** Points of a garment, as both pages change them: {x, y, score, found, moved, v}, v as in annotations: 1, 0, -1. */

/** The point at another place, inside the picture; an absent one becomes visible. */
export function movedPoint(point, x, y, {width, height}) {
  const rounded = (value, size) => Math.round(Math.min(Math.max(value, 0), size - 1) * 100) / 100;
  return {...point, x: rounded(x, width), y: rounded(y, height), moved: true, v: point.v < 0 ? 1 : point.v};
}
