// docs/cli.md against the truth: every command is run with --json, and TypeScript holds its answer
// against the shape that the page gives. DEVRIG_WRITE_DOCS=1 writes the page's shapes anew.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { startGithub } from '../fakeGithub.mjs';
import { fences } from '../fences.mjs';
import { until } from '../webdriver.mjs';

export const name = 'the command line: every command, and the shape of what it prints';

const at = (path) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const PAGE = at('docs/cli.md');
/** These print no JSON. */
const WITHOUT = ['start', 'completions', 'split export'];
/** What is queued today ends in the outbox or in a later sync, so that no dead job can be had here; and no effect in doubt. */
const NOT_RUN = ['run decide', 'job retry', 'job discard'];
/** What no call of the window's has. */
const OWN_SHAPES = `/** It was done. */
export type Done = { ok: true };

/** By key. */
export type Settings = { [key: string]: unknown };

export type Backup = { path: string };

/** The database before, where there was one, is kept. */
export type Restored = { ok: true, kept: string | null };

/** Lines that were stored, and why others were not. */
export type ImportReport = Imported & { wrong: string[] };

/** What became of a flow's file. */
export type FlowImport = {
  file: string,
  saved: FlowSaved | null,
  /** What became of the parts of a workflow of n8n. */
  report: N8nReport | null,
  /** The files that it was written into instead of being saved. */
  written: string[],
  error: Error | null,
};
`;

export async function journey(rig) {
  const fake = await startGithub();
  rig.start('devrig', 'start');
  await rig.answers();
  try {
    const answers = await run(rig, fake.url);
    const documented = commandsOf(PAGE);
    assert.deepEqual(Object.keys(documented).sort(), leaves(rig).filter((leaf) => !WITHOUT.includes(leaf)).sort(), 'every command is on the page, and no other');
    assert.deepEqual(Object.keys(documented).filter((command) => !(command in answers)), NOT_RUN, 'every command was run');
    if (process.env.DEVRIG_WRITE_DOCS) writeShapes(documented);
    check(rig, documented, answers);
  } finally {
    fake.close();
  }
}

/** What each command printed, run in an order in which each has something to tell. */
async function run(rig, url) {
  const answers = {};
  const call = (text, { args = [], input = '', fails = false } = {}) => {
    const words = [...text.split(' '), ...args];
    const { status, answer, error } = rig.result(input, ...words);
    assert.equal(status, fails ? 1 : 0, `${words.join(' ')} ended with ${status}: ${error}${JSON.stringify(answer)}`);
    (answers[text] ??= []).push(answer);
    return answer;
  };

  call('status');
  call('doctor');
  call('plugin settings', { args: ['github', '--set', `baseUrl=${url}`, '--set', 'backfillDays=150'] });
  call('plugin grant', { args: ['github', '--all'] });
  call('plugin connect', { args: ['github'], input: 'ghp_wrong', fails: true });
  call('plugin connect', { args: ['github'], input: 'ghp_good' });
  call('plugin sync', { args: ['github'] });
  for (const command of ['plugin list', 'plugin status', 'plugin account list', 'secret list', 'secret status', 'secret unlock', 'job list', 'job dead', 'job stats', 'settings get', 'metrics', 'db check', 'db clean']) call(command);
  call('plugin show', { args: ['github'] });
  call('plugin logs', { args: ['github'] });
  call('plugin account add', { args: ['github', 'work'] });
  call('secret set', { args: ['github_token', '--plugin', 'github', '--account', 'work'], input: 'ghp_other' });
  call('secret delete', { args: ['github_token', '--plugin', 'github', '--account', 'work'] });
  call('plugin account remove', { args: ['github', 'work'] });
  call('secret rotate');
  call('secret keep', { args: ['keychain'] });
  call('settings set', { args: ['appearance.theme', 'dark'] });
  call('db backup');

  const list = call('inbox list', { args: ['--limit', '2'] });
  call('inbox list', { args: ['--cursor', list.next] });
  const { id } = list.items[0];
  call('inbox search', { args: ['retry'] });
  call('inbox show', { args: [id] });
  for (const command of ['read', 'unread', 'done', 'star', 'mute']) call(`inbox ${command}`, { args: [id] });
  call('inbox done', { args: [id, '--not'] });
  call('inbox snooze', { args: [id, '--until', '3h'] });
  call('inbox label', { args: [id, '--add', 'later'] });
  call('inbox priority', { args: ['--query', 'is:any', '--set', 'high'] });
  call('inbox undo');
  call('inbox redo');
  call('inbox history');
  call('inbox stats');
  call('inbox attention');
  call('inbox action', { args: [id, 'github.comment', '--input', '{"body": "From a script"}'] });
  call('inbox outbox');
  call('inbox import', { args: ['-'], input: '{"externalId":"1","type":"note","title":"From a script"}\n' });
  call('inbox import', { args: ['-'], input: '{"externalId":"2"}\n', fails: true });

  call('split add', { args: ['Bugs', 'label:bug', '--at', '1'] });
  call('split list');
  call('split remove', { args: ['Bugs'] });
  call('split import', { args: ['-'], input: '# mine\nBugs = label:bug is:unread\n' });
  const says = ['--query', 'is:any', '--do', 'label=seen', '--do', 'priority=low'];
  call('rule try', { args: says });
  call('rule add', { args: ['Everything', ...says] });
  call('rule disable', { args: ['Everything'] });
  call('rule enable', { args: ['Everything'] });
  call('rule list');
  call('rule delete', { args: ['Everything'] });

  const file = join(rig.folder, 'rounds.flow.json');
  const rounds = (items, position) => {
    const rest = { id: 'rest', type: 'action', action: 'flow.delay', config: { ms: 20 } };
    const each = { id: 'each', type: 'action', action: 'flow.loop', config: { items }, body: { nodes: [rest] }, position };
    const answer = { id: 'answer', type: 'action', action: 'http.respond', config: { body: { items: items.length } } };
    const morning = { id: 'morning', type: 'cron', expression: '0 9 * * 1-5' };
    const mark = { id: 'mark', type: 'action', action: 'data.set', config: { fields: { marked: true } } };
    const hook = { id: 'hook', type: 'webhook', path: 'rounds' };
    return JSON.stringify({ id: 'rounds', name: 'Rounds', triggers: [morning, hook], nodes: [each, answer, mark], edges: [{ source: 'each', target: 'answer' }, { source: 'answer', target: 'mark' }] });
  };
  writeFileSync(file, rounds([1, 2], { x: 1, y: 2 }));
  call('flow validate', { args: ['-'], input: '{"name": 3, "nodes": [{"id": "a", "type": "action", "action": "no.such"}]}', fails: true });
  call('flow create', { args: [file] });
  call('flow create', { args: ['-'], input: '{"id": "sleeper", "name": "Sleeper", "nodes": [{"id": "sleep", "type": "action", "action": "flow.delay", "config": {"ms": 3600000}}]}' });
  writeFileSync(file, rounds([1, 2, 3], { x: 4, y: 2 }));
  call('flow import', { args: [file] });
  call('flow import', { args: [file, join(rig.folder, 'nowhere.flow.json')], fails: true });
  const workflow = { name: 'Brought', nodes: [{ name: 'Start', type: 'n8n-nodes-base.manualTrigger', typeVersion: 1, parameters: {}, position: [0, 0] }], connections: {} };
  call('flow import', { args: ['-', '--into', join(rig.folder, 'brought')], input: JSON.stringify(workflow) });
  call('flow validate', { args: ['sleeper'] });
  const watched = join(rig.folder, 'watched');
  mkdirSync(watched);
  writeFileSync(join(watched, 'bad.flow.json'), '{');
  call('settings set', { args: ['flows.folder', JSON.stringify(watched)] });
  await until('the folder to be read', () => call('flow files').files.length === 1, 30);
  for (const command of ['show', 'versions', 'export', 'publish', 'enable']) call(`flow ${command}`, { args: ['rounds'] });
  call('trigger list');
  call('tunnel start', { args: ['--', 'sh', '-c', 'echo https://rounds.example.org; exec sleep 60', '{port}'] });
  assert.equal(call('tunnel status').publicUrl, 'https://rounds.example.org/');
  call('tunnel stop');
  call('trigger show', { args: ['rounds', 'morning'] });
  call('trigger pause', { args: ['rounds', 'morning'] });
  call('trigger resume', { args: ['rounds', 'morning'] });
  call('trigger fire', { args: ['rounds', 'morning'] });
  call('trigger events', { args: ['rounds'] });
  call('flow disable', { args: ['rounds'] });
  call('flow diff', { args: ['rounds', '1', '2'] });
  call('flow restore', { args: ['Rounds', '1'] });
  call('flow list');
  call('flow allow', { args: ['rounds', 'command:make', 'network:api.example.com'] });
  call('flow forbid', { args: ['rounds', 'command:make'] });
  call('flow permissions', { args: ['rounds'] });
  call('flow files');
  call('flow actions');
  call('flow triggers');
  const done = call('flow run', { args: ['rounds', '--input', '{"day": "today"}', '--wait'] });
  assert.equal(done.status, 'completed');
  const [called, ...others] = call('metrics').actions;
  assert.ok(called.action === 'data.set' && called.done > 0 && called.failed === 0 && others.length === 0, 'what was called is counted');
  call('run show', { args: [done.id] });
  const alone = call('flow run-node', { args: ['rounds', 'each', '--from-run', done.id, '--wait'] });
  assert.deepEqual([alone.kind, alone.status], ['node', 'completed']);
  assert.equal(call('run logs', { args: [done.id] }).length, 1, 'nobody waited for the answer, and the run says so');
  const asleep = call('flow run', { args: ['sleeper'] });
  call('run cancel', { args: [asleep.id] });
  call('run list', { args: ['--flow', 'sleeper'] });
  const again = call('run retry', { args: [asleep.id] });
  call('run cancel', { args: [again.id] });
  call('run replay', { args: [done.id, '--latest'] });
  call('run discard', { args: [asleep.id] });
  call('flow delete', { args: ['sleeper'] });
  const asks = join(rig.folder, 'asks.flow.json');
  const ask = { id: 'ask', type: 'action', action: 'flow.wait', config: { for: 'approval', message: 'Deploy?' } };
  writeFileSync(asks, JSON.stringify({ id: 'asks', name: 'Asks', nodes: [ask] }));
  writeFileSync(join(rig.folder, 'asks.test.json'), JSON.stringify({ tests: [{ name: 'yes', pins: { ask: { approved: true } }, expect: { nodes: { ask: {} } } }] }));
  call('flow test', { args: [asks] });
  call('flow create', { args: [asks] });
  for (const answer of ['approve', 'reject']) {
    const asked = call('flow run', { args: ['asks', '--wait', '2'], fails: true });
    assert.equal(call('approval list')[0].run, asked.id);
    call(`approval ${answer}`, { args: [asked.id, '--note', 'from the page'] });
  }
  call('flow backtest', { args: ['asks'] });
  const holds = { type: 'exists', ref: { type: 'context', path: 'trigger.payload' } };
  call('expr eval', { args: ['--lang', 'condition', JSON.stringify(holds), '--input', '-'], input: '{"trigger": {"payload": 1}}' });

  call('expr cron-next', { args: ['0 9 * * 1-5', '--tz', 'Europe/Berlin', '--from', '2026-11-20T09:30:00Z', '-n', '2'] });
  call('expr helpers');
  call('expr eval', { args: ['--lang', 'template', '{{list}}', '--input', '-'], input: '{"list": [1, 2]}' });

  const broken = join(rig.folder, 'broken');
  mkdirSync(broken);
  writeFileSync(join(broken, 'devrig-plugin.json'), '{ "name": "Broken" }');
  call('plugin check', { args: [broken], fails: true });
  const whole = join(rig.folder, 'whole');
  mkdirSync(whole);
  const manifest = {
    name: 'whole', version: '1.0.0', displayName: 'Whole', description: 'Fails for good', author: 'A Developer', engine: '*', main: 'index.js', permissions: ['inbox:write'],
    capabilities: { dataSources: [{ id: 'whole.items', name: 'Items' }], actions: [{ id: 'whole.fail', name: 'Fail' }] },
  };
  writeFileSync(join(whole, 'devrig-plugin.json'), JSON.stringify(manifest));
  writeFileSync(join(whole, 'index.js'), `export default { activate(sdk) {
    sdk.dataSources.register('whole.items', { async sync(cursor, ds) {
      await ds.storeItems([{ externalId: '1', type: 'note', title: 'Wholly new' }]);
      return { cursor: '1' };
    } });
    sdk.actions.register('whole.fail', () => { throw new sdk.DevRigError('never', { code: 'REFUSED', retryable: false }); });
  } };`);
  call('plugin install', { args: [whole] });
  call('plugin grant', { args: ['whole', '--all'] });
  call('plugin sync', { args: ['whole'] });
  const [{ id: item }] = call('inbox search', { args: ['wholly'] }).items;
  const failing = call('inbox action', { args: [item, 'whole.fail'] });
  await until('the action to fail for good', () => call('inbox outbox').some((row) => row.id === failing.id && row.state === 'failed'), 30);
  call('plugin disable', { args: ['whole'] });
  call('plugin enable', { args: ['whole'] });
  call('plugin uninstall', { args: ['whole'] });
  call('plugin revoke', { args: ['github', 'inbox:write'] });
  call('audit', { args: ['--limit', '5'] });
  const copy = answers['db backup'][0].path;
  call('stop');
  call('db restore', { args: [copy] });
  return answers;
}

/** The commands of the page, with the shape that each prints. */
function commandsOf(page) {
  const rows = readFileSync(page, 'utf8').matchAll(/^\| `devrig ([a-z -]+)` \| `([^`]+)` \|/gm);
  return Object.fromEntries([...rows].map(([, command, shape]) => [command, shape]));
}

/** The commands that the program itself has. */
function leaves(rig, words = []) {
  const help = execFileSync(join(process.env.DEVRIG_BIN_DIR, 'devrig'), [...words, '--help'], { env: rig.env, encoding: 'utf8' });
  const [, list] = /^Commands:\n((?: {2}.*\n)+)/m.exec(help) ?? [];
  if (list === undefined) return [words.join(' ')];
  const names = [...list.matchAll(/^ {2}([a-z-]+)/gm)].map(([, word]) => word).filter((word) => word !== 'help');
  return names.flatMap((word) => leaves(rig, [...words, word]));
}

/** Each answer as a literal of its shape: TypeScript refuses what is missing, more, or of another type. */
function check(rig, documented, answers) {
  const [{ text: shapes }] = fences(PAGE).filter(({ language }) => language === 'ts');
  const literals = Object.entries(answers).flatMap(([command, given]) =>
    given.map((answer) => `// devrig ${command}\nsink = ${JSON.stringify(answer)} satisfies ${documented[command]};\n`));
  const file = join(rig.folder, 'shapes.ts');
  writeFileSync(file, `${shapes}\nexport let sink: unknown;\n${literals.join('')}`);
  const tsc = at('node_modules/typescript/bin/tsc');
  const { status, stdout } = spawnSync(process.execPath, [tsc, '--noEmit', '--strict', '--target', 'es2022', '--types', '', file], { encoding: 'utf8' });
  assert.equal(status, 0, `docs/cli.md does not say what is printed (DEVRIG_WRITE_DOCS=1 writes its shapes anew):\n${stdout}`);
}

/** The shapes that the commands need, out of the window's own. */
function writeShapes(documented) {
  const bindings = `${OWN_SHAPES}\n${readFileSync(at('ui/src/platform/bindings.ts'), 'utf8')}`;
  const all = new Map();
  for (const [text, type] of bindings.matchAll(/^(?:\/\*\*(?:(?!\*\/)[^])*\*\/\n)?export type (\w+) = [^]*?;$(?=\n\n|\n*$)/gm)) all.set(type, text);
  const needed = new Set(['Error']);
  const visit = (text) => {
    for (const [word] of text.matchAll(/\b[A-Z]\w+/g)) {
      if (!all.has(word) || needed.has(word)) continue;
      needed.add(word);
      visit(all.get(word).replaceAll(/\/\*\*[^]*?\*\//g, ''));
    }
  };
  visit(all.get('Error').replace('Error', ''));
  visit(Object.values(documented).join(' '));
  const tidy = (text) => text.replaceAll('/**  ', '/** ').replaceAll('\t', '  ');
  const shapes = [...needed].sort().map((type) => tidy(all.get(type))).join('\n\n');
  const page = readFileSync(PAGE, 'utf8');
  writeFileSync(PAGE, page.replace(/^```ts\n[^]*?^```$/m, () => `\`\`\`ts\n${shapes}\n\`\`\``));
}
