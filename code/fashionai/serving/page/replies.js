/** Answers of a service, for both pages. Errors are sentences for people; `status` is 0 if the service does not answer. */

const MEANINGS = {413: 'the picture is too large for the service, or for a proxy before it (413)'};

export class Fault extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** The response, whatever its status. An aborted request is an AbortError. */
export async function asked(url, options = {}) {
  try {
    return await fetch(url, options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Fault('The service does not answer. Is it still running?', 0);
  }
}

/** The JSON of a response; throws the reason where it is a refusal. */
export async function answerOf(response) {
  if (!response.ok) throw await faultOf(response);
  return response.json().catch(() => ({}));
}

/** Why a response is a refusal, in the words of the service if it gives any. */
export async function faultOf(response) {
  const {status, statusText} = response;
  const said = (await response.json().catch(() => ({}))).detail;
  const detail = said ?? MEANINGS[status] ?? `the service answered ${status} ${statusText}`;
  return new Fault(`${detail.charAt(0).toUpperCase()}${detail.slice(1)}.`, status);
}
