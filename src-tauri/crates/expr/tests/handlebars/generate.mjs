// Rewrites agreed.json with what an installed handlebars.js makes of the cases:
//
//   npm install --prefix /tmp/handlebars handlebars
//   node generate.mjs /tmp/handlebars/node_modules/handlebars
//
// The crate's test renders the same cases and must get the same text.

import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { groups, shop } from './cases.mjs';

const folder = process.argv[2];
if (!folder) {
  console.error('Usage: node generate.mjs PATH-TO-HANDLEBARS');
  process.exit(2);
}
const require = createRequire(import.meta.url);
const Handlebars = require(resolve(folder));

// Helpers are each application's own. These do in JavaScript what ours of the same name do, so
// that calls can be compared.
const given = (args) => args.slice(0, -1);
const something = (value) => !Handlebars.Utils.isEmpty(value) && value !== 0;
const helpers = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  gt: (a, b) => a > b,
  gte: (a, b) => a >= b,
  lt: (a, b) => a < b,
  lte: (a, b) => a <= b,
  and: (...args) => given(args).every(something),
  or: (...args) => given(args).some(something),
  not: (a) => !something(a),
  upper: (text) => String(text ?? '').toUpperCase(),
  join: (list, separator) => list.join(separator),
  default: (...args) => given(args).find((value) => value != null && value !== ''),
  json: (value, { hash }) => JSON.stringify(value ?? null, null, hash.indent),
  truncate(text, length, { hash }) {
    const [chars, suffix] = [[...text], [...String(hash.suffix ?? '…')]];
    if (chars.length <= length) return text;
    return [...chars.slice(0, Math.max(0, length - suffix.length)), ...suffix].slice(0, length).join('');
  },
  raw(options) {
    return options.fn(this);
  },
};
Handlebars.registerHelper(helpers);

const render = (template, data) => Handlebars.compile(template)(structuredClone(data));

const cases = [];
const refused = [];
for (const [group, list] of Object.entries(groups)) {
  for (const [template, data = shop] of list) {
    try {
      const html = render(template, data);
      cases.push({ group, template, ...(data === shop ? {} : { data }), html });
    } catch (error) {
      refused.push(`${JSON.stringify(template)}: ${String(error.message).split('\n')[0]}`);
    }
  }
}

if (refused.length > 0) {
  console.error(`handlebars.js does not render these; they are no cases:\n${refused.join('\n')}`);
  process.exit(1);
}

const lines = cases.map((one) => `    ${JSON.stringify(one)}`).join(',\n');
const text = `{\n  "handlebars": "${Handlebars.VERSION}",\n  "shop": ${JSON.stringify(shop)},\n  "cases": [\n${lines}\n  ]\n}\n`;
writeFileSync(new URL('agreed.json', import.meta.url), text);
console.log(`${cases.length} cases, handlebars.js ${Handlebars.VERSION}`);
