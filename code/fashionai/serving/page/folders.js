/** Files of a drop, also those of dropped folders. */

const PICTURE = /\.(jpe?g|png|webp|bmp|tiff?|hei[cf]|avif|gif)$/i;

/**
 * The dropped files: {files: [{file, name}], skipped}. A file of a folder has its path as its name; those that are not
 * pictures by their name are skipped, and counted.
 */
export async function dropped(transfer) {
  const entries = [...transfer.items].filter(({kind}) => kind === 'file').map((item) => item.webkitGetAsEntry?.());
  const files = [...transfer.files]; // both lists are empty after the first wait
  if (!entries.some((entry) => entry?.isDirectory)) {
    return {files: files.map((file) => ({file, name: file.name})), skipped: 0};
  }
  const all = (await Promise.all(entries.map((entry) => filesOf(entry, true)))).flat();
  const pictures = all.filter(({name, direct}) => direct || PICTURE.test(name));
  pictures.sort((a, b) => a.name.localeCompare(b.name, undefined, {numeric: true}));
  return {files: pictures, skipped: all.length - pictures.length};
}

async function filesOf(entry, direct = false) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{file, name: entry.fullPath.replace(/^\//, '') || file.name, direct}];
  }
  const reader = entry.createReader();
  const inside = [];
  for (;;) { // a reader gives some entries at a time
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) break;
    inside.push(...some);
  }
  return (await Promise.all(inside.map((one) => filesOf(one)))).flat();
}
