/** The service: its card, what it finds in a picture, and a picture that a browser can show. */
import {Fault, answerOf, asked, faultOf} from './replies.js';

const AT_ONCE = 4; // so that the service has something to look at together
const RETRIES = 20;

let under = 0;
const queue = [];

export async function fetchCard() {
  return answerOf(await asked('model'));
}

/** Whether a file has more bytes than the service accepts. */
export const isTooLarge = (file, limits) => file.size > limits.megabytes * 1e6;

/**
 * The answer for a picture, or for the garment in its box [left, top, width, height]; waits for its turn, and while the
 * service is busy.
 */
export async function predict({file, box}, tag, limits, signal) {
  if (isTooLarge(file, limits)) {
    throw new Fault(`The picture has ${(file.size / 1e6).toFixed(1)} MB: the service accepts at most ${limits.megabytes} MB.`,
      413);
  }
  const query = new URLSearchParams({heatmaps: true, tag, ...(box && {box: box.join(',')})});
  return answerOf(await inTurn(`predict?${query}`, file, signal));
}

/** The picture of a file as a JPEG blob, upright, for a browser that cannot show the file itself. */
export async function preview(file) {
  const response = await inTurn('preview', file);
  if (!response.ok) throw await faultOf(response);
  return response.blob();
}

async function inTurn(url, file, signal) {
  await turn();
  try {
    return await persistently(url, file, signal);
  } finally {
    under--;
    queue.shift()?.();
  }
}

async function persistently(url, file, signal) {
  const headers = {'Content-Type': file.type || 'application/octet-stream'};
  for (let tries = 1; ; tries++) {
    const response = await asked(url, {method: 'POST', body: file, headers, signal});
    if (response.status !== 503 || tries === RETRIES) return response;
    const seconds = Number(response.headers.get('Retry-After')) || 1;
    await new Promise((resume) => setTimeout(resume, seconds * 1000 * (0.5 + Math.random())));
  }
}

function turn() {
  if (under < AT_ONCE) {
    under++;
    return Promise.resolve();
  }
  return new Promise((resume) => queue.push(() => { under++; resume(); }));
}
