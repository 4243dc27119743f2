/** A COCO data set of pictures: the same as `predict.py --format coco`, with corrections. */

const NARROWEST = 10;
const USUAL_SHARE = [0.44, 0.62];
const THEIRS = {1: 2, 0: 1, '-1': 0};

const originalOf = (picture) => picture.original ?? picture;

/** Returns the data set. `types` are those of the service's card; images are numbered from 1, with all their garments. */
export function dataset(pictures, types, model) {
  const names = Object.keys(types);
  const categories = names.map((name, index) => ({id: index + 1, name, supercategory: 'clothes',
    keypoints: types[name].keypoints, skeleton: types[name].limbs.map((limb) =>
      limb.map((end) => types[name].keypoints.indexOf(end) + 1))}));
  const originals = [...new Set(pictures.map(originalOf))];
  const images = originals.map((original, index) => {
    const {name, answer: {size}} = pictures.find((picture) => originalOf(picture) === original);
    return {id: index + 1, file_name: name, width: size.width, height: size.height};
  });
  const annotations = pictures.map((picture, index) => {
    const {answer: {type, size}, points, box: given} = picture;
    return {id: index + 1, image_id: originals.indexOf(originalOf(picture)) + 1, category_id: names.indexOf(type) + 1,
      ...annotation(types[type].keypoints, points, size, given)};
  });
  return {info: {description: `garments found by ${model}`, visibility: 'coco', frame: 'upright'}, categories,
    annotations, images};
}

function annotation(names, points, size, given) {
  const present = names.map((name) => points[name]).filter((point) => point.v >= 0);
  const keypoints = names.flatMap((name) => {
    const {x, y, v, found, moved} = points[name];
    return v < 0 ? [0, 0, 0] : [rounded(x), rounded(y), v > 0 && !found && !moved ? 1 : THEIRS[v]];
  });
  const bbox = given ?? box(present.map(({x, y}) => [x, y]), [size.width, size.height]);
  const scores = names.map((name) => rounded(points[name].score, 3));
  return {iscrowd: 0, keypoints, num_keypoints: present.length, bbox, area: rounded(bbox[2] * bbox[3]),
    score: rounded(scores.reduce((sum, score) => sum + score, 0) / scores.length, 3), keypoint_scores: scores};
}

/** The box of points, widened if they have no extent, by the rules of `box_of` in fashionai/garments/boxes.py. */
export function box(points, limits) {
  if (!points.length) return [0, 0, ...limits];
  const axes = [0, 1].map((axis) => points.map((point) => point[axis]));
  const low = axes.map((values) => Math.min(...values));
  const high = axes.map((values) => Math.max(...values));
  const sides = low.map((value, axis) => high[axis] - value);
  const longest = Math.max(...sides);
  const [first, second] = sides.map((side, axis) => {
    const wanted = !longest ? limits[axis] * USUAL_SHARE[axis] : NARROWEST * side < longest ? longest : side;
    if (side >= wanted) return [low[axis], side];
    const start = Math.min(Math.max((low[axis] + high[axis] - wanted) / 2, 0), Math.max(limits[axis] - wanted, 0));
    const from = Math.min(start, low[axis]);
    return [from, Math.max(Math.min(start + wanted, limits[axis]), high[axis]) - from];
  });
  return [first[0], second[0], first[1], second[1]].map((value) => rounded(value));
}

const rounded = (value, digits = 2) => Number(value.toFixed(digits));
