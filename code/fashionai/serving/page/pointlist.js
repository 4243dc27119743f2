/** A list of points, for both pages: a row for each point, with an editor in the row that is selected. */
import {make, title, words} from './dom.js';
import {VISIBILITY, classesOf} from './stage.js';

/**
 * A row. `low`: a lower score is doubtful; `note(point, classes)` is said of the point; `choose()` is called by a click,
 * `editor()` for the row that is selected.
 */
export function pointRow(name, point, {low, selected, note, choose, editor}) {
  const classes = classesOf(name, point, low);
  const button = make('button', {type: 'button', id: `point-${name}`, 'aria-expanded': String(selected), onclick: choose},
    make('span', {class: `swatch ${classes.split(' ')[0]}`}), make('span', {class: 'label'}, words(name)),
    make('span', {class: 'note'}, note(point, classes)));
  return make('li', {class: `${classes}${point.unplaced ? ' unplaced' : ''}`}, button, selected && editor());
}

/** The place of a point, its visibility, and a button to reset it, which changes nothing if it is `untouched`. */
export function pointEditor(name, point, store, untouched) {
  const choices = ['1', '0', '-1'].map((v) => make('label', {}, make('input', {type: 'radio', name: 'visibility',
    id: `visibility-${v}`, value: v, checked: !point.unplaced && String(point.v) === v,
    disabled: point.unplaced && v !== '-1', onchange: () => store.setVisibility(name, Number(v))}),
  title(VISIBILITY[v])));
  return make('div', {class: 'editor'},
    make('output', {}, point.unplaced ? 'click its place in the picture'
      : `x ${point.x.toFixed(1)}   y ${point.y.toFixed(1)} px`),
    make('fieldset', {class: 'choice', 'aria-label': `${words(name)} is`}, ...choices),
    make('button', {type: 'button', id: 'put-back', disabled: untouched, onclick: () => store.putBack(name)}, 'Reset'));
}
