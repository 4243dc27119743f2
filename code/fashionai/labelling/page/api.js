/** The service of the project. Errors are sentences for people; `status` is 0 if the service does not answer. */

export class Fault extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

export const get = (path) => asked(path);
export const post = (path, body) => asked(path, 'POST', body);
export const put = (path, body, keepalive = false) => asked(path, 'PUT', body, keepalive);

async function asked(path, method = 'GET', body = undefined, keepalive = false) {
  const headers = body ? {'Content-Type': 'application/json'} : {};
  let response;
  try {
    response = await fetch(`api/${path}`, {method, headers, keepalive, body: body && JSON.stringify(body)});
  } catch {
    throw new Fault('The service does not answer. Is it still running?', 0);
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const detail = answer.detail ?? `the service answered ${response.status} ${response.statusText}`;
  throw new Fault(`${detail.charAt(0).toUpperCase()}${detail.slice(1)}.`, response.status === 503 ? 0 : response.status);
}
