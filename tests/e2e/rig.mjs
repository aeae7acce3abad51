// The desktop that a journey runs on: a keyring, the driver, repositories, and the app's own home.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { until, Window } from './webdriver.mjs';

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** The process of the window that runs now. */
export function windowPid() {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number);
  return pids.findLast((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/exe`) === join(process.env.DEVRIG_BIN_DIR, 'devrig-desktop');
    } catch {
      return false;
    }
  });
}

/** Each step of the shutdown may take its five seconds. */
function windowEnds() {
  return until('the last window to end', () => windowPid() === undefined, 60);
}

/**
 * The driver kills the window some time after it has answered that it closed it. A driver that is
 * ended before leaves a window behind whose page is gone, and which nobody ends.
 */
async function endWindow() {
  const pid = windowPid();
  try {
    if (pid !== undefined) process.kill(pid, 'SIGTERM');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
  await windowEnds();
}

/** Starts what a journey needs and ends all of it by its pid. */
export class Rig {
  #children = [];
  #bin = process.env.DEVRIG_BIN_DIR;

  static async start() {
    const rig = new Rig();
    if (!rig.#bin) throw new Error('DEVRIG_BIN_DIR does not say where the binaries are; use ./dev e2e');
    if (!process.env.DBUS_SESSION_BUS_ADDRESS) throw new Error('no session bus; use ./dev e2e');
    rig.folder = mkdtempSync(join(tmpdir(), 'devrig-e2e-'));
    rig.home = join(rig.folder, 'home');
    rig.env = {
      ...process.env,
      DEVRIG_HOME: rig.home,
      XDG_CONFIG_HOME: join(rig.folder, 'config'),
      XDG_CACHE_HOME: join(rig.folder, 'cache'),
      // Where the web view keeps what the page remembers.
      XDG_DATA_HOME: join(rig.folder, 'share'),
      TAURI_WEBVIEW_AUTOMATION: 'true',
      // Software rendering is all that a virtual screen has.
      LIBGL_ALWAYS_SOFTWARE: '1',
      GDK_BACKEND: 'x11',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_AUTHOR_NAME: 'A Developer',
      GIT_AUTHOR_EMAIL: 'developer@example.test',
      GIT_COMMITTER_NAME: 'A Developer',
      GIT_COMMITTER_EMAIL: 'developer@example.test',
    };
    // One daemon serves all rigs of a run, so its folder must outlive each of them.
    const { XDG_DATA_HOME: _, ...env } = rig.env;
    execFileSync('gnome-keyring-daemon', ['--unlock', '--components=secrets', '--daemonize'], {
      input: 'test\n',
      env,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    return rig;
  }

  /** Opens the app's window through a driver of its own. */
  async open() {
    // A second process would hand over to the one that is ending, and end itself.
    await windowEnds();
    this.port = await freePort();
    const driver = spawn('WebKitWebDriver', [`--port=${this.port}`, '--host=127.0.0.1'], {
      env: this.env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    this.#children.push(driver);
    return Window.open(this.port, join(this.#bin, 'devrig-desktop'));
  }

  /** Starts one of the programs, which ends with the rig. */
  start(program, ...args) {
    const child = spawn(join(this.#bin, program), args, { env: this.env, stdio: ['ignore', 'ignore', 'inherit'] });
    this.#children.push(child);
    return child;
  }

  /** Starts a program of the system, which ends with the rig. */
  run(program, ...args) {
    const child = spawn(program, args, { env: this.env, stdio: 'ignore' });
    this.#children.push(child);
    return child;
  }

  /** Waits until an owner that was started answers. */
  answers() {
    return until('DevRig to answer', () => existsSync(join(this.home, 'run/engine.sock')));
  }

  /** Runs the command line and reads its JSON. */
  devrig(...args) {
    const { status, answer, error } = this.result('', ...args);
    if (status !== 0) throw new Error(`devrig ${args.join(' ')} ended with ${status}: ${error}${JSON.stringify(answer)}`);
    return answer;
  }

  /** The same with its standard input, and without minding how it ends. */
  result(input, ...args) {
    const { status, stdout, stderr } = spawnSync(join(this.#bin, 'devrig'), ['--json', ...args], { env: this.env, encoding: 'utf8', input });
    return { status, answer: stdout === '' ? null : JSON.parse(stdout), error: stderr };
  }

  git(folder, ...args) {
    return execFileSync('git', args, { cwd: folder, env: this.env, encoding: 'utf8' });
  }

  /** Repositories with something to say: ahead of upstream, old uncommitted work, a stash. */
  repositories(folder = join(this.folder, 'code')) {
    mkdirSync(folder, { recursive: true });
    const make = (name) => {
      const upstream = join(this.folder, `${name}.git`);
      this.git(this.folder, 'init', '--quiet', '--bare', '-b', 'main', upstream);
      const path = join(folder, name);
      this.git(this.folder, 'clone', '--quiet', upstream, path);
      this.git(path, 'checkout', '--quiet', '-B', 'main');
      writeFileSync(join(path, 'README.md'), `# ${name}\n`);
      this.git(path, 'add', '.');
      this.git(path, 'commit', '--quiet', '-m', 'First words');
      this.git(path, 'push', '--quiet', '-u', 'origin', 'main');
      return path;
    };
    const ahead = make('lighthouse');
    writeFileSync(join(ahead, 'lamp.txt'), 'bright\n');
    this.git(ahead, 'add', '.');
    this.git(ahead, 'commit', '--quiet', '-m', 'Make the lamp brighter');

    const stale = make('harbour');
    const edited = join(stale, 'README.md');
    writeFileSync(edited, '# harbour\n\nUnfinished thought\n');
    const days = Date.now() / 1000 - 3 * 24 * 3600;
    utimesSync(edited, days, days);

    const stashed = make('compass');
    writeFileSync(join(stashed, 'README.md'), '# compass\n\nWork for later\n');
    this.git(stashed, 'stash', 'push', '--quiet', '-m', 'needle drawing');
    return folder;
  }

  async stop() {
    for (const child of this.#children.reverse()) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await new Promise((resolve) => child.once('exit', resolve));
      }
    }
    this.#children = [];
    await endWindow();
  }

  async end() {
    await this.stop();
    // The web view's processes outlive the window by a moment, and still write into their cache:
    // a removal that met a new file begins anew.
    await until('the rig to be removed', () => {
      try {
        rmSync(this.folder, { recursive: true, force: true });
        return true;
      } catch (error) {
        if (error.code !== 'ENOTEMPTY') throw error;
        return false;
      }
    });
  }
}
