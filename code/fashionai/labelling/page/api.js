/** The service of the project. Its refusals are faults with a status; it is 0 where another attempt may succeed. */
import {Fault, answerOf, asked} from './editor/replies.js';

export const get = (path) => ask(path);
export const post = (path, body) => ask(path, 'POST', body);
export const put = (path, body, keepalive = false) => ask(path, 'PUT', body, keepalive);

async function ask(path, method = 'GET', body = undefined, keepalive = false) {
  const headers = body ? {'Content-Type': 'application/json'} : {};
  try {
    return await answerOf(await asked(`api/${path}`, {method, headers, keepalive, body: body && JSON.stringify(body)}));
  } catch (fault) {
    throw fault.status === 503 ? new Fault(fault.message, 0) : fault;
  }
}
