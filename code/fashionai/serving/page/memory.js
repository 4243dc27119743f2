/** What this browser keeps over a reload: the pictures, what was found in them, and the corrections (IndexedDB). */

const PAUSE = 100; // milliseconds in which changes are written together
const FILES = 'files';
const PICTURES = 'pictures';

export class Memory {
  #db = null; #written = new Map(); #pictures = []; #timer = 0; #failed;

  /** `failed(reason)` is called once, when the browser keeps nothing, or nothing more. */
  constructor(failed) {
    this.#failed = failed;
  }

  /** The kept pictures in their order, each with its file: {key, sum, at, name, number, box, tag, answer, points, given}. */
  async recall() {
    try {
      this.#db = await opened(`garment points ${new URL('./', location.href).pathname}`);
      const stores = this.#db.transaction([FILES, PICTURES]);
      const [files, sums, records] = await Promise.all([done(stores.objectStore(FILES).getAll()),
        done(stores.objectStore(FILES).getAllKeys()), done(stores.objectStore(PICTURES).getAll())]);
      const bySum = new Map(sums.map((sum, index) => [sum, files[index]]));
      const whole = records.filter(({sum}) => bySum.has(sum)).sort((a, b) => a.at - b.at || a.number - b.number);
      for (const record of whole) this.#written.set(record.key, {state: stateOf(record), sum: record.sum});
      return whole.map((record) => ({...record, file: bySum.get(record.sum)}));
    } catch (error) {
      this.#give(error);
      return [];
    }
  }

  /** Write what has changed in these pictures, which are all that there are; those without a key are not kept. */
  keep(pictures) {
    this.#pictures = pictures;
    if (!this.#db || this.#timer) return;
    this.#timer = setTimeout(() => this.flush(), PAUSE);
  }

  /** Write at once. */
  async flush() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (!this.#db) return;
    try {
      await this.#write(this.#pictures.filter(({key, state}) => key && state !== 'failed'));
    } catch (error) {
      this.#give(error);
    }
  }

  async #write(pictures) {
    const records = pictures.map(recordOf);
    const changed = records.filter((record) => this.#written.get(record.key)?.state !== stateOf(record));
    const keys = new Set(records.map(({key}) => key));
    const gone = [...this.#written.keys()].filter((key) => !keys.has(key));
    if (!changed.length && !gone.length) return;
    const had = new Set([...this.#written.values()].map(({sum}) => sum));
    const wanted = new Set(records.map(({sum}) => sum));
    const writing = this.#db.transaction([FILES, PICTURES], 'readwrite');
    for (const {sum, file} of pictures) if (!had.has(sum)) writing.objectStore(FILES).put(file, sum);
    for (const sum of had) if (!wanted.has(sum)) writing.objectStore(FILES).delete(sum);
    for (const record of changed) {
      writing.objectStore(PICTURES).put(record);
      this.#written.set(record.key, {state: stateOf(record), sum: record.sum});
    }
    for (const key of gone) {
      writing.objectStore(PICTURES).delete(key);
      this.#written.delete(key);
    }
    await new Promise((resolve, reject) => {
      writing.oncomplete = resolve;
      writing.onabort = () => reject(writing.error);
    });
  }

  #give(error) {
    this.#db = null;
    this.#failed(error.message);
  }
}

function recordOf({key, sum, at, name, number, box, tag, answer, points, given}) {
  return {key, sum, at, name, number, box, tag, answer, points, given};
}

function stateOf({tag, answer, points, given}) {
  return JSON.stringify([tag, answer?.type, answer?.model, answer?.seconds, points, given]);
}

function opened(name) {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(FILES);
    request.result.createObjectStore(PICTURES, {keyPath: 'key'});
  };
  return done(request);
}

function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
