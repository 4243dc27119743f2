/** What can be taken along: JSON, the two CSV forms of FashionAI, and COCO. */
import {dataset} from './coco.js';
import {lengthsOf, scaleOf} from './lengths.js';

const ABSENT = '-1_-1_-1';

/** The kinds of file by name: title, ending, what it is, and its text for pictures. */
export const KINDS = {
  json: {title: 'JSON', ending: 'json', type: 'application/json', note: 'points, scores, corrections, lengths',
    text: (pictures, store) =>
      JSON.stringify(listed(pictures.map((picture) => record(picture, store))), null, 1) + '\n'},
  csv: {title: 'CSV', ending: 'csv', type: 'text/csv', note: 'every point, as in a submission',
    text: (pictures, store) => table(pictures, store, () => 1)},
  row: {title: 'Annotation row', ending: 'annotation.csv', type: 'text/csv',
    note: 'with your corrections: visible, hidden, absent',
    text: (pictures, store) => table(pictures, store, (point) => point.v)},
  coco: {title: 'COCO', ending: 'coco.json', type: 'application/json', note: 'a data set, for other tools',
    text: (pictures, store) => JSON.stringify(dataset(pictures, store.card.types, store.card.model)) + '\n'},
};

/** Hand a file to the browser. */
export function save(kind, pictures, store) {
  const {text, ending, type} = KINDS[kind];
  const stem = pictures.length === 1 ? pictures[0].name.replace(/\.[^.]+$/, '') : 'garments';
  const url = URL.createObjectURL(new Blob([text(pictures, store)], {type}));
  const link = Object.assign(document.createElement('a'), {href: url, download: `${stem}.${ending}`});
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

const listed = (records) => (records.length === 1 ? records[0] : records);

function record(picture, store) {
  const {answer, points} = picture;
  const lengths = lengthsOf(store.card.types[answer.type], points, store.card.clearly);
  const scale = scaleOf(picture, lengths, store.cmPerPixel);
  const rounded = (value, digits) => (value === null ? null : Number(value.toFixed(digits)));
  const keypoints = Object.entries(points).map(([name, {x, y, score, found, moved, v}]) =>
    [name, {x, y, score, found, corrected: moved, visibility: v}]);
  const measurements = Object.entries(lengths).map(([name, length]) => [name, {
    pixels: rounded(length && length.pixels, 2), cm: rounded(length && scale && length.pixels * scale, 2),
    score: rounded(length && length.score, 3), doubtful: length?.doubtful || null}]);
  return {file: picture.name, type: answer.type, type_sure: answer.type_sure,
    type_probabilities: answer.type_probabilities, size: answer.size, keypoints: Object.fromEntries(keypoints),
    cm_per_pixel: scale, measurements: Object.fromEntries(measurements), model: answer.model};
}

function table(pictures, store, visibility) {
  const names = store.card.csv_keypoints;
  const rows = pictures.map(({name, answer, points}) => [quoted(name), answer.type, ...names.map((keypoint) => {
    const point = points[keypoint];
    const v = point ? visibility(point) : -1;
    return v < 0 ? ABSENT : `${whole(point.x)}_${whole(point.y)}_${v}`;
  })]);
  return [['image_id', 'image_category', ...names], ...rows].map((cells) => cells.join(',') + '\n').join('');
}

const quoted = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Rounded as the service's own files are: halves to the even number. */
function whole(value) {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 ? floor + 1 : floor;
}
