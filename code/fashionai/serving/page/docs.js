/** The API's description, drawn from openapi.json: without any file from elsewhere. */
import {find, make} from './dom.js';

const row = (name, ...cells) =>
  make('tr', {}, make('th', {scope: 'row'}, name), ...cells.map((cell) =>
    make('td', {}, cell)));

function table(caption, rows) {
  return rows.length ? make('div', {class: 'wide'},
    make('table', {}, make('caption', {}, caption), make('tbody', {}, ...rows))) : '';
}

/** The type of a schema in a word or two. */
function kind(schema = {}) {
  if (schema.$ref) return schema.$ref.split('/').pop();
  if (schema.enum) return schema.enum.join(' | ');
  if (schema.anyOf) return schema.anyOf.map(kind).join(' or ');
  const items = schema.prefixItems ?? [schema.items];
  if (schema.type === 'array') return `list of ${items.map(kind).join(', ')}`;
  if (schema.additionalProperties) return `${kind(schema.additionalProperties)} by name`;
  return schema.format ?? schema.type ?? 'anything';
}

/** What the body of a response is: a schema, or a file of a type. */
function bodyOf(content = {}) {
  const json = content['application/json'];
  return json || !Object.keys(content).length ? kind(json?.schema) : Object.keys(content).join(' or ');
}

function path(url, method, {summary, parameters = [], responses, requestBody}) {
  const asked = parameters.map(({name, schema, description}) => row(name, description ?? '',
    kind(schema) + (schema.default || schema.default === false ? `, default: ${schema.default}` : '')));
  if (requestBody) asked.push(row('body', requestBody.description, Object.keys(requestBody.content).join(' or ')));
  const said = Object.entries(responses).map(([status, {description, content}]) =>
    row(status, description, bodyOf(content)));
  return make('section', {}, make('h2', {class: 'path'}, make('span', {class: 'method'}, method.toUpperCase()),
    make('code', {}, url)), make('p', {}, summary), table('Request', asked), table('Responses', said));
}

function shape(name, {description = '', properties = {}}) {
  return make('section', {class: 'shape', id: name}, make('h3', {}, name), make('p', {}, description),
    table('', Object.entries(properties).map(([key, schema]) => row(key, schema.description ?? '', kind(schema)))));
}

function examples(base, tag) {
  find('#curl').textContent = `curl --data-binary @picture.jpg '${base}predict?tag=${tag}'`;
  find('#python').textContent = [
    'import json', 'from pathlib import Path', 'from urllib.request import urlopen', '',
    `with urlopen('${base}predict?tag=${tag}', Path('picture.jpg').read_bytes()) as answer:`,
    '    garment = json.load(answer)', "print(garment['type'], garment['keypoints'])"].join('\n');
}

const api = await (await fetch('openapi.json')).json();
examples(new URL('./', location.href).href, api.paths['/predict'].post.parameters[0].schema.enum[0]);
find('#paths').append(...Object.entries(api.paths).flatMap(([url, methods]) =>
  Object.entries(methods).map(([method, what]) => path(url, method, what))));
const own = Object.entries(api.components.schemas).filter(([name]) => !name.includes('ValidationError'));
find('#shapes').append(...own.map(([name, schema]) => shape(name, schema)));
