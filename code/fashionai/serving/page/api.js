/** The service: its card, and what it finds in a picture. Errors are sentences for people. */

const AT_ONCE = 4; // so that the service has something to look at together
const RETRIES = 20;

let under = 0;
const queue = [];

export async function fetchCard() {
  return answerOf(await asked('model'));
}

/** The answer for a picture; waits for its turn, and while the service is busy. */
export async function predict(file, tag, limits, signal) {
  if (file.size > limits.megabytes * 1e6) {
    throw new Error(`The picture has ${(file.size / 1e6).toFixed(1)} MB: the service accepts at most ${limits.megabytes} MB.`);
  }
  await turn();
  try {
    return await persistently(`predict?heatmaps=true&tag=${encodeURIComponent(tag)}`, file, signal);
  } finally {
    under--;
    queue.shift()?.();
  }
}

async function persistently(url, file, signal) {
  const headers = {'Content-Type': file.type || 'application/octet-stream'};
  for (let tries = 1; ; tries++) {
    const response = await asked(url, {method: 'POST', body: file, headers, signal});
    if (response.status !== 503 || tries === RETRIES) return answerOf(response);
    const seconds = Number(response.headers.get('Retry-After')) || 1;
    await new Promise((resume) => setTimeout(resume, seconds * 1000 * (0.5 + Math.random())));
  }
}

async function asked(url, options = {}) {
  try {
    return await fetch(url, options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Error('The service does not answer. Is it still running?');
  }
}

async function answerOf(response) {
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  const detail = body.detail ?? `the service answered ${response.status} ${response.statusText}`;
  throw new Error(`${detail.charAt(0).toUpperCase()}${detail.slice(1)}.`);
}

function turn() {
  if (under < AT_ONCE) {
    under++;
    return Promise.resolve();
  }
  return new Promise((resume) => queue.push(() => { under++; resume(); }));
}
