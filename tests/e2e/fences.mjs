// The fenced blocks of a page that tests follow: their language, what is said after it, their text.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export function fences(page) {
  const blocks = [];
  for (const [, info, text] of readFileSync(page, 'utf8').matchAll(/^```(\S.*)\n([^]*?)^```$/gm)) {
    const [language, ...words] = info.split(' ');
    const said = Object.fromEntries(words.map((word) => (word.includes('=') ? word.split('=') : [word, true])));
    blocks.push({ language, ...said, text });
  }
  return blocks;
}

/** Writes the file that a block shows; false when it shows none. */
export function writeBlock(folder, { file, append, text }) {
  if (file) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  } else if (append) {
    // At the end of the one function that a plugin has.
    const path = join(folder, append);
    const before = readFileSync(path, 'utf8');
    const end = before.lastIndexOf('  },\n};\n');
    writeFileSync(path, `${before.slice(0, end)}\n${text}${before.slice(end)}`);
  }
  return Boolean(file ?? append);
}
