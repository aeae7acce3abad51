// Figures of the real programs, with DEVRIG_BIN_DIR as for the journeys. Each part runs on a rig of its own; names on the
// command line choose some.
//
//   github   from the token to rows on screen, 10,000 threads
//   keys     a key to the next frame, at 1,000 and at 1,000,000 items (--items N for another number)
//   start    from the start of the process to rows on screen; memory of the window
//   tray     memory in the tray without a window, and with it
//   idle     an engine without a window and with 100 flows that wait: ready, memory, processor
//   triage   100 mixed items worked through with the keyboard: keys and seconds

import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';

import { startFrames, Tray } from './desktopPeers.mjs';
import { startGithub } from './fakeGithub.mjs';
import { Rig, windowPid } from './rig.mjs';
import { Key, until } from './webdriver.mjs';

async function onRig(work) {
  const rig = await Rig.start();
  try {
    await work(rig);
  } finally {
    await rig.window?.close().catch(() => {});
    await rig.end();
  }
}

const shown = () => document.querySelectorAll('[role="listbox"] [role="option"]').length;
const rows = (rig, count, seconds = 60) => until(`${count} rows`, async () => (await rig.window.run(shown)) >= count, seconds);

async function github() {
  await onRig(async (rig) => {
    const service = await startGithub('inbox:10000');
    rig.devrig('plugin', 'settings', 'github', '--set', `baseUrl=${service.url}`, '--set', 'backfillDays=150');
    rig.devrig('settings', 'set', 'onboarding.finished', 'true');
    rig.window = await rig.open();
    await until('the page', async () => (await rig.window.text()).includes('Inbox'));
    rig.devrig('plugin', 'grant', 'github', '--all');
    // The page itself notes when rows stand, so that the driver's own pauses do not count.
    await rig.window.run(() => {
      const look = () => (document.querySelectorAll('[role="option"]').length >= 10 ? (window.rowsAt = Date.now()) : requestAnimationFrame(look));
      look();
    });
    const begun = Date.now();
    rig.result('ghp_good', 'secret', 'set', 'github_token', '--plugin', 'github');
    const at = await until('the first rows', () => rig.window.run(() => window.rowsAt ?? 0));
    console.log(`github: rows on screen ${at - begun} ms after the token was given`);
    await until('all', () => rig.devrig('inbox', 'stats').total >= 10_000, 120);
    console.log(`github: all 10,000 after ${((Date.now() - begun) / 1000).toFixed(1)} s`);
    service.close();
  });
}

/** Items as a script would push them, in batches that fit a pipe. */
async function fill(rig, count) {
  const child = spawn(join(process.env.DEVRIG_BIN_DIR, 'devrig'), ['inbox', 'import', '-'], { env: rig.env, stdio: ['pipe', 'ignore', 'inherit'] });
  const topics = ['timeout in the worker', 'flaky test', 'cache misses', 'release notes', 'broken link', 'slow query', 'dark theme', 'retry budget'];
  const at = Date.now();
  for (let n = 0; n < count; n++) {
    const item = {
      externalId: `n${n}`, type: n % 3 === 0 ? 'issue' : 'pull_request', title: `${topics[n % topics.length]} number ${n}`, body: `Seen on host ${n % 97}: ${topics[(n * 7) % topics.length]}, ${topics[(n * 3) % topics.length]}.`,
      repo: `org${n % 13}/repo${n % 211}`, actor: `person${n % 57}`, threadKey: `t${n % 400_000}`, externalUpdatedAt: new Date(at - (count - n) * 1_000).toISOString(),
    };
    if (!child.stdin.write(`${JSON.stringify(item)}\n`)) await once(child.stdin, 'drain');
  }
  child.stdin.end();
  await once(child, 'exit');
}

async function keys() {
  for (const count of sizes) {
    await onRig(async (rig) => {
      const begun = Date.now();
      await fill(rig, count);
      console.log(`keys: ${count} items were imported in ${((Date.now() - begun) / 1000).toFixed(0)} s`);
      rig.devrig('settings', 'set', 'onboarding.finished', 'true');
      rig.window = await rig.open();
      await rows(rig, 10);
      await rig.window.run(() => document.querySelector('[role="listbox"]').focus());
      // Each change is followed by its way back where there is one, so that the list stays as it is.
      for (const [name, sequence] of [['j', ['j', 'k']], ['k', ['k', 'j']], ['u', ['u', 'u']], ['e', ['e', 'z']], ['z', ['e', 'z']]]) {
        const times = await rig.window.runAsync(measure, name, sequence, 100);
        const at = (part) => times[Math.floor(times.length * part)].toFixed(0);
        console.log(`keys: ${count} items, ${name} to the next frame: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms (${times.length} presses)`);
      }
    });
  }
}

/** In the page: presses keys and takes the time until the frame after each was drawn. */
async function measure(wanted, sequence, rounds) {
  const times = [];
  const frame = () => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
  const pause = (ms) => new Promise((over) => setTimeout(over, ms));
  for (let round = 0; round < rounds; round++) {
    for (const key of sequence) {
      const begun = performance.now();
      document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
      await frame();
      if (key === wanted) times.push(performance.now() - begun);
      await pause(60);
    }
  }
  return times.sort((a, b) => a - b);
}

async function start() {
  await onRig(async (rig) => {
    await fill(rig, 20_000);
    rig.devrig('settings', 'set', 'onboarding.finished', 'true');
    // The first start fills the web view's own caches.
    for (const name of ['first', 'second', 'third']) {
      rig.window = await rig.open();
      const pid = windowPid();
      await rows(rig, 10);
      const at = await rig.window.run(() => Number(sessionStorage.getItem('devrig.rowsAt') ?? 0) || Date.now());
      console.log(`start: ${name} time, rows ${Math.round(at - startedAt(pid))} ms after the process began (driven, so at most)`);
      const all = [pid, ...descendants(pid)];
      const share = all.reduce((sum, each) => sum + pss(each), 0);
      console.log(`start: memory with the window ${(share / 1024).toFixed(0)} MB in ${all.length} processes, the core's ${(pss(pid) / 1024).toFixed(0)} MB`);
      await rig.window.close();
      await rig.stop();
      rig.window = undefined;
      // A second process would only raise the window of the first.
      await until('the window to end', () => windowPid() === undefined);
    }
    const owner = rig.start('devrig', 'start');
    await rig.answers();
    await new Promise((later) => setTimeout(later, 3_000));
    console.log(`start: memory without a window ${(([owner.pid, ...descendants(owner.pid)].reduce((sum, each) => sum + pss(each), 0)) / 1024).toFixed(0)} MB`);
  });
}

async function tray() {
  await onRig(async (rig) => {
    await fill(rig, 20_000);
    rig.devrig('settings', 'set', 'onboarding.finished', 'true');
    const panel = await Tray.start(rig);
    await startFrames(rig);
    rig.start('devrig-desktop', '--hidden');
    await rig.answers();
    await until('the icon', () => panel.item());
    await new Promise((later) => setTimeout(later, 5_000));
    const share = () => {
      const pid = windowPid();
      const all = [pid, ...descendants(pid)];
      return `${(all.reduce((sum, each) => sum + pss(each), 0) / 1024).toFixed(0)} MB in ${all.length} processes`;
    };
    console.log(`tray: memory without a window ${share()}`);
    panel.choose('Open DevRig');
    await new Promise((later) => setTimeout(later, 5_000));
    console.log(`tray: memory with it ${share()}`);
  });
}

/** Waits on schedules, requests and the inbox, and none of them comes. */
const WAITING = [
  { id: 'often', type: 'cron', expression: '0 3 1 1 *' },
  { id: 'hook', type: 'webhook' },
  { id: 'new', type: 'inbox', query: 'author:nobody' },
];

async function idle() {
  await onRig(async (rig) => {
    let owner = rig.start('devrig', 'start');
    await rig.answers();
    const ids = Array.from({ length: 100 }, (_, n) => `flow-${n}`);
    const files = ids.map((id, n) => {
      const file = join(rig.folder, `${id}.flow.json`);
      const nodes = [{ id: 'set', type: 'action', action: 'data.set', config: { fields: { n } } }];
      writeFileSync(file, JSON.stringify({ id, schemaVersion: 1, name: id, triggers: [WAITING[n % 3]], nodes }));
      return file;
    });
    rig.devrig('flow', 'import', ...files);
    for (const id of ids) {
      rig.devrig('flow', 'publish', id);
      rig.devrig('flow', 'enable', id);
    }
    for (let round = 0; round < 5; round++) {
      owner.kill('SIGTERM');
      await once(owner, 'exit');
      const begun = performance.now();
      owner = rig.start('devrig', 'start');
      await connected(join(rig.home, 'run/engine.sock'));
      console.log(`idle: ready ${Math.round(performance.now() - begun)} ms after it was started`);
    }
    await pause(10_000);
    const [before, from] = [ticksOf(owner.pid), performance.now()];
    await pause(60_000);
    const share = ((ticksOf(owner.pid) - before) * 10) / (performance.now() - from);
    const all = [owner.pid, ...descendants(owner.pid)];
    console.log(`idle: ${(all.reduce((sum, each) => sum + pss(each), 0) / 1024).toFixed(0)} MB in ${all.length} processes, ${(share * 100).toFixed(2)} % of a core over a minute`);
  });
}

const pause = (ms) => new Promise((over) => setTimeout(over, ms));

/** Resolves when somebody takes connections at the socket. */
async function connected(path) {
  for (;;) {
    const is = await new Promise((told) => {
      const socket = connect(path, () => told(true)).on('error', () => told(false));
      socket.on('connect', () => socket.destroy());
    });
    if (is) return;
    await pause(2);
  }
}

/** Processor time that a process has had, in hundredths of a second. */
function ticksOf(pid) {
  const stat = statOf(pid);
  return Number(stat[11]) + Number(stat[12]);
}

/** What a person does to each of 100 items that came from several places: the keys that it takes, by kind. */
const PLAN = [
  ['merged, closed and passed again: done by a rule', 20, []],
  ['of a bot: selected as a group and done at once', 20, null],
  ['read and done', 30, ['e']],
  ['opened, read, done', 15, [Key.enter, 'e']],
  ['snoozed until tomorrow', 8, ['h', '1']],
  ['starred and kept', 5, ['s', 'j']],
  ['muted', 2, ['m']],
];

async function triage() {
  await onRig(async (rig) => {
    // A sync brings them, so that the rules that ship apply; here scripts do, and new items of scripts count as arrivals.
    const lines = [];
    let n = 0;
    for (const [kind, count] of PLAN) {
      for (let each = 0; each < count; each++, n++) {
        const ended = kind.startsWith('merged');
        const bot = kind.startsWith('of a bot');
        lines.push({
          externalId: `n${n}`, type: ended ? 'pull_request' : 'issue', title: `${kind} ${each}`, body: `Number ${n}.`,
          repo: bot ? 'acme/dependencies' : `acme/part${n % 7}`, actor: bot ? 'dependabot[bot]' : `person${n % 9}`, reason: 'subscribed',
          ...(ended ? { state: each % 2 ? 'merged' : 'closed' } : {}), threadKey: `t${n}`, externalUpdatedAt: new Date(Date.now() - n * 60_000).toISOString(),
        });
      }
    }
    const owner = rig.start('devrig', 'start');
    await rig.answers();
    rig.result(lines.map((line) => JSON.stringify(line)).join('\n'), 'inbox', 'import', '-');
    await until('the rules', () => rig.devrig('inbox', 'list', 'is:done', '--limit', '100').items.length === 20);
    rig.devrig('settings', 'set', 'onboarding.finished', 'true');
    owner.kill('SIGTERM');
    rig.window = await rig.open();
    await rows(rig, 10);
    await rig.window.run(() => document.querySelector('[role="listbox"]').focus());
    const begun = Date.now();
    let keys = 0;
    // The bots' first: filtered, all selected, done.
    await rig.window.press('/');
    await rig.window.type('[aria-label="Filter"]', 'author:dependabot[bot]');
    keys += 1 + 'author:dependabot[bot]'.length;
    await until('the bots alone', async () => (await rig.window.run(shown)) === 20);
    await rig.window.run(() => document.querySelector('[role="listbox"]').focus());
    await rig.window.press('*', 'a', 'e');
    keys += 3;
    await until('the bots to be done', () => rig.devrig('inbox', 'list', 'is:done', '--limit', '200').items.length === 40);
    await rig.window.run(() => document.querySelector('[aria-label="Filter"]').focus());
    await rig.window.press(Key.escape);
    keys += 1;
    await until('the others', async () => (await rig.window.run(shown)) >= 20);
    await rig.window.run(() => document.querySelector('[role="listbox"]').focus());
    for (const [, count, each] of PLAN.slice(2)) {
      for (let item = 0; item < count; item++) {
        await rig.window.press(...each);
        keys += each.length;
        if (each[0] === 'h') await until('the list again', () => rig.window.run(() => !document.querySelector('[role="dialog"]')));
      }
    }
    const left = await until('the end', () => {
      const { items } = rig.devrig('inbox', 'list', 'is:inbox', '--limit', '100');
      return items.length <= 5 && items;
    });
    console.log(`triage: 100 items with ${keys} keys in ${((Date.now() - begun) / 1000).toFixed(1)} s, driven; ${left.length} stay, starred`);
  });
}

const numbers = () => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number);

function statOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function descendants(pid) {
  const parents = new Map();
  for (const each of numbers()) {
    try {
      parents.set(each, Number(statOf(each)[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const found = [];
  const visit = (of) => {
    for (const [child, parent] of parents) {
      if (parent !== of) continue;
      found.push(child);
      visit(child);
    }
  };
  visit(pid);
  return found;
}

/** Proportional share of memory, in kilobytes. */
function pss(pid) {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** When a process began, as the wall clock has it. */
function startedAt(pid) {
  const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  const ticks = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout);
  return Date.now() - (uptime - Number(statOf(pid)[19]) / ticks) * 1_000;
}

const PARTS = { github, keys, start, tray, idle, triage };
const words = process.argv.slice(2);
const sizes = words.includes('--items') ? [Number(words[words.indexOf('--items') + 1])] : [1_000, 1_000_000];
const chosen = Object.keys(PARTS).filter((part) => words.includes(part));
for (const part of chosen.length > 0 ? chosen : Object.keys(PARTS)) await PARTS[part]();
process.exit(0);
