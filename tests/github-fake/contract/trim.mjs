// Cuts GitHub's description of its REST interface down to the operations that the fake answers.
//
//   node tests/github-fake/contract/trim.mjs api.github.com.json > tests/github-fake/contract/github-rest.json
//
// The whole description is in the npm package @octokit/openapi (MIT; info.version tells which).

import { readFileSync } from 'node:fs';
import { ROUTES } from '../rest.mjs';

const whole = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const shape = (path) => path.replaceAll(/\{[^}]+\}|:[a-z]+/g, '*');
const wanted = new Set(ROUTES.map(([method, path]) => `${method.toLowerCase()} ${shape(path)}`));

const PROSE = new Set(['summary', 'examples', 'example', 'externalDocs', 'x-github', 'tags']);
const NAMED = new Set(['properties', 'schemas', 'parameters', 'responses', 'headers']);
/** Without prose and examples: a judge needs neither. `areNames` when the keys are names of things. */
function bare(value, areNames = false) {
  if (Array.isArray(value)) return value.map((each) => bare(each));
  // A response needs a description, if only an empty one.
  const inner = (key, held) => (key === 'description' && typeof held === 'string' ? '' : bare(held, !areNames && NAMED.has(key)));
  if (value === null || typeof value !== 'object') return value;
  const out = Object.fromEntries(Object.entries(value).filter(([key]) => areNames || !PROSE.has(key)).map(([key, held]) => [key, inner(key, held)]));
  // Prism leaves a body unjudged when a schema has `nullable` and no `type`: said with `enum` instead.
  if (out.nullable === true && !('type' in out)) {
    delete out.nullable;
    const any = ['oneOf', 'anyOf'].find((each) => each in out);
    if (any) out[any].push({ enum: [null] });
    else if (out.allOf) {
      out.anyOf = [{ allOf: out.allOf }, { enum: [null] }];
      delete out.allOf;
    }
  }
  return out;
}

const { openapi, info, servers, paths, components } = whole;
const cut = { openapi, info: { title: info.title, version: info.version, license: info.license }, servers, paths: {}, components: {} };
for (const [path, operations] of Object.entries(paths)) {
  for (const [method, operation] of Object.entries(operations)) {
    if (wanted.has(`${method} ${shape(path)}`)) (cut.paths[path] ??= {})[method] = bare(operation);
  }
}
const todo = [cut.paths];
while (todo.length > 0) {
  const at = todo.pop();
  if (at === null || typeof at !== 'object') continue;
  const [, kind, name] = /^#\/components\/([^/]+)\/(.+)$/.exec(at.$ref ?? '') ?? [];
  if (kind && !(name in (cut.components[kind] ?? {}))) {
    (cut.components[kind] ??= {})[name] = bare(components[kind][name]);
    todo.push(cut.components[kind][name]);
  }
  todo.push(...Object.values(at));
}
const missing = [...wanted].filter((each) => !Object.entries(cut.paths).some(([path, operations]) => Object.keys(operations).some((method) => each === `${method} ${shape(path)}`)));
if (missing.length > 0) throw new Error(`GitHub does not describe ${missing.join(', ')}`);
process.stdout.write(`${JSON.stringify(cut)}\n`);
