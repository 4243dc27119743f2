/** What can be taken along: files of one picture or of all, and texts to copy. */
import {dataset} from './coco.js';
import {words} from './dom.js';
import {drawn} from './drawing.js';
import {lengthsOf, scaleOf} from './lengths.js';

const ABSENT = '-1_-1_-1';

/**
 * The kinds of file by name: title, ending, media type, what it is in a word (`note`) and in a sentence, and its content
 * for pictures. `one`: it is of one picture only.
 */
export const KINDS = {
  lengths: {title: 'Lengths', ending: 'lengths.csv', type: 'text/csv', note: 'CSV', what: 'A row for each garment',
    content: lengthRows},
  json: {title: 'Points', ending: 'json', type: 'application/json', note: 'JSON',
    what: 'Points, scores, corrections, lengths', content: (pictures, store) =>
      JSON.stringify(listed(pictures.map((picture) => record(picture, store))), null, 1) + '\n'},
  png: {title: 'Drawing', ending: 'points.png', type: 'image/png', note: 'PNG', one: true,
    what: 'This picture with its outline and points', content: ([picture], {card}) =>
      drawn(picture, card.types[picture.answer.type], card.low_score)},
  csv: {title: 'Submission', ending: 'csv', type: 'text/csv', note: 'CSV',
    what: 'Every point, in the form of a FashionAI submission', content: (pictures, store) => table(pictures, store, () => 1)},
  row: {title: 'Annotation', ending: 'annotation.csv', type: 'text/csv', note: 'CSV',
    what: 'For training, with your corrections: visible, hidden, absent',
    content: (pictures, store) => table(pictures, store, (point) => point.v)},
  coco: {title: 'COCO', ending: 'coco.json', type: 'application/json', note: 'JSON', what: 'A data set, for other tools',
    content: (pictures, store) => JSON.stringify(dataset(pictures, store.card.types, store.card.model)) + '\n'},
};

/** Texts of a picture to copy into a table, by name: cells are separated by tabs. */
export const TEXTS = {
  lengths: (picture, store) => tabbed([['length', 'px', 'cm'], ...Object.entries(measured(picture, store)).map(
    ([name, {pixels, cm}]) => [words(name), pixels?.toFixed(1) ?? '', cm?.toFixed(1) ?? ''])]),
  points: ({points}) => tabbed([['point', 'x', 'y', 'score'], ...Object.entries(points).filter(([, {v}]) => v >= 0).map(
    ([name, {x, y, score, moved}]) => [words(name), x.toFixed(1), y.toFixed(1), moved ? 'corrected' : score.toFixed(2)])]),
};

const tabbed = (rows) => rows.map((cells) => cells.join('\t') + '\n').join('');

/** Hand a file to the browser. */
export async function save(kind, pictures, store) {
  const {content, ending, type} = KINDS[kind];
  const stem = pictures.length === 1 ? stemOf(pictures[0]) : 'garments';
  const url = URL.createObjectURL(new Blob([await content(pictures, store)], {type}));
  const link = Object.assign(document.createElement('a'), {href: url, download: `${stem}.${ending}`});
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

function stemOf({name, number}) {
  const stem = name.split('/').pop().replace(/\.[^.]+$/, '');
  return number > 1 ? `${stem}-${number}` : stem;
}

/** Put a text on the clipboard, also on pages without the interface for it, which is for secure pages only. */
export async function copy(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = Object.assign(document.createElement('textarea'), {value: text});
  document.body.append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  if (!copied) throw new Error('The browser did not copy it.');
}

const listed = (records) => (records.length === 1 ? records[0] : records);

function record(picture, store) {
  const {answer, points, box, number} = picture;
  const keypoints = Object.entries(points).map(([name, {x, y, score, found, moved, v}]) =>
    [name, {x, y, score, found, corrected: moved, visibility: v}]);
  return {file: picture.name, ...(box && {garment: number, box}), type: answer.type, type_sure: answer.type_sure,
    type_probabilities: answer.type_probabilities, size: answer.size, keypoints: Object.fromEntries(keypoints),
    cm_per_pixel: scaleOf(picture, lengthsOfPicture(picture, store), store.cmPerPixel),
    measurements: measured(picture, store), model: answer.model};
}

const lengthsOfPicture = ({answer, points}, {card}) => lengthsOf(card.types[answer.type], points, card.clearly);

/** The lengths of a picture as the service writes them: {pixels, cm, score, doubtful} by name. */
function measured(picture, store) {
  const lengths = lengthsOfPicture(picture, store);
  const scale = scaleOf(picture, lengths, store.cmPerPixel);
  const rounded = (value, digits) => (value === null ? null : Number(value.toFixed(digits)));
  return Object.fromEntries(Object.entries(lengths).map(([name, length]) => [name, {
    pixels: rounded(length && length.pixels, 2), cm: rounded(length && scale && length.pixels * scale, 2),
    score: rounded(length && length.score, 3), doubtful: length?.doubtful || null}]));
}

/**
 * A row for each garment, with the columns of `predict.py --format lengths`: the lengths of all types, and why they are
 * doubtful. All rows have one unit: cm if a scale is known.
 */
function lengthRows(pictures, store) {
  const {types, low_score: low} = store.card;
  const names = [...new Set(Object.values(types).flatMap(({lengths}) => Object.keys(lengths)))];
  const scales = pictures.map((picture) => scaleOf(picture, lengthsOfPicture(picture, store), store.cmPerPixel));
  const value = scales.some(Boolean) ? 'cm' : 'pixels';
  const rows = pictures.map((picture, index) => {
    const {answer: {type, type_sure: sure, type_probabilities: shares}} = picture;
    const lengths = measured(picture, store);
    return [picture.name, '', '', type, sure ? '' : `its probability is ${shares[type].toFixed(2)}`,
      value === 'cm' ? 'cm' : 'px', scales[index]?.toPrecision(6), ...names.flatMap((name) =>
        [lengths[name]?.[value], lengths[name] && doubtOf(lengths[name], value, low)])];
  });
  return csv([['path', 'frame', 'garment', 'type', 'type_doubt', 'unit', 'cm_per_pixel', ...names.flatMap((name) =>
    [name, `${name}_doubt`])], ...rows]);
}

function doubtOf(length, value, low) {
  if (length.pixels === null) return 'a point was not found';
  if (length[value] === null) return 'the scale of the picture is not known';
  return [length.doubtful, length.score < low && `the score is ${length.score}`].filter(Boolean).join('; ');
}

/** A row for each picture, as FashionAI has them: there is no place for a second garment of one. */
function table(pictures, store, visibility) {
  const twice = pictures.find(({original}, index) => pictures.findIndex((one) => one.original === original) < index);
  if (twice) {
    throw new Error(`this form has one row for each picture, and ${twice.name} has several garments: take COCO.`);
  }
  const names = store.card.csv_keypoints;
  const rows = pictures.map(({name, answer, points}) => [name, answer.type, ...names.map((keypoint) => {
    const point = points[keypoint];
    const v = point ? visibility(point) : -1;
    return v < 0 ? ABSENT : `${whole(point.x)}_${whole(point.y)}_${v}`;
  })]);
  return csv([['image_id', 'image_category', ...names], ...rows]);
}

const csv = (rows) => rows.map((cells) => cells.map((cell) => quoted(String(cell ?? ''))).join(',') + '\n').join('');

const quoted = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Rounded as the service's own files are: halves to the even number. */
function whole(value) {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 ? floor + 1 : floor;
}
