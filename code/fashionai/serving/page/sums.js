/** A sum by which the page knows a picture again. It is computed here, since `crypto.subtle` is for secure pages only. */

/** 64 bits of some bytes, as 16 digits: two multiplicative hashes, mixed. It is not for protection. */
export function sumOf(bytes) {
  let [one, two] = [0xdeadbeef ^ bytes.length, 0x41c6ce57 ^ bytes.length];
  for (const byte of bytes) {
    one = Math.imul(one ^ byte, 2654435761);
    two = Math.imul(two ^ byte, 1597334677);
  }
  one = Math.imul(one ^ (one >>> 16), 2246822507) ^ Math.imul(two ^ (two >>> 13), 3266489909);
  two = Math.imul(two ^ (two >>> 16), 2246822507) ^ Math.imul(one ^ (one >>> 13), 3266489909);
  return [one, two].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
