/** Elements, made in one line. */

const SVG = 'http://www.w3.org/2000/svg';

/** An element: attributes by name (`onclick` and its like are listeners, false and null leave out), then children. */
export function make(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function makeSvg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

export const find = (selector) => document.querySelector(selector);

/** `armpit_left` as people write it. */
export const words = (name) => name.replaceAll('_', ' ');
export const title = (name) => words(name).replace(/^./, (letter) => letter.toUpperCase());

/** Which side a keypoint is on, for its colour. */
export const side = (name) => (name.includes('left') ? 'left' : name.includes('right') ? 'right' : 'middle');

/** Tell it to those who cannot see it. */
export function say(text) {
  find('#said').textContent = text;
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}
