// A small WebDriver client for WebKitWebDriver: just what the journeys use.

import { writeFile } from 'node:fs/promises';

const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

/** Keys that have no character of their own (WebDriver §17.4.2). */
export const Key = {
  escape: '\uE00C',
  enter: '\uE007',
  down: '\uE015',
  up: '\uE013',
  shift: '\uE008',
  control: '\uE009',
};

async function ask(base, method, path, body) {
  const answer = await fetch(base + path, {
    method,
    headers: { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(60_000),
  });
  const { value } = await answer.json();
  if (!answer.ok) throw new Error(`${method} ${path}: ${value?.error}: ${value?.message}`);
  return value;
}

/** Waits until `probe` gives something true; says what it waited for when it never does. */
export async function until(what, probe, seconds = 20) {
  const deadline = Date.now() + seconds * 1000;
  let last;
  while (Date.now() < deadline) {
    try {
      const value = await probe();
      if (value) return value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`waited ${seconds} s for ${what}${last ? `: ${last.message}` : ''}`);
}

/** One running window. */
export class Window {
  #base;

  static async open(port, binary, args = []) {
    const driver = `http://127.0.0.1:${port}`;
    await until('the driver', () => ask(driver, 'GET', '/status'));
    const { sessionId } = await ask(driver, 'POST', '/session', {
      capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': { binary, args } } },
    });
    const window = new Window();
    window.#base = `${driver}/session/${sessionId}`;
    return window;
  }

  close() {
    return ask(this.#base, 'DELETE', '');
  }

  /** Runs a function in the page; its arguments and answer are JSON. */
  run(body, ...args) {
    const script = typeof body === 'function' ? `return (${body})(...arguments)` : body;
    return ask(this.#base, 'POST', '/execute/sync', { script, args });
  }

  /** Runs an async function in the page. */
  runAsync(body, ...args) {
    const script = `const done = arguments[arguments.length - 1];
      (${body})(...[...arguments].slice(0, -1)).then((value) => done({ value }), (error) => done({ error: error?.message ?? JSON.stringify(error) }));`;
    return ask(this.#base, 'POST', '/execute/async', { script, args }).then((answer) => {
      if (answer.error) throw new Error(answer.error);
      return answer.value;
    });
  }

  async find(selector) {
    const found = await ask(this.#base, 'POST', '/element', {
      using: 'css selector',
      value: selector,
    });
    return found[ELEMENT];
  }

  /** The visible control of that role's elements whose name is `name`, when it can be used. */
  async control(tags, name) {
    const found = await ask(this.#base, 'POST', '/execute/sync', {
      script: `const [tags, name] = arguments;
        return [...document.querySelectorAll(tags)].find((element) => {
          const label = element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ?? element.textContent;
          return label.trim() === name && !element.disabled && element.getClientRects().length > 0;
        }) ?? null;`,
      args: [tags, name],
    });
    if (!found) throw new Error(`no ${tags} named ${JSON.stringify(name)}`);
    return found[ELEMENT];
  }

  async click(tags, name) {
    const element = await until(`${tags} ${name}`, () => this.control(tags, name));
    await ask(this.#base, 'POST', `/element/${element}/click`, {});
  }

  /** Clicks the link whose text holds `text`, once it is there. */
  follow(text) {
    const click = (words) => {
      const link = [...document.querySelectorAll('a')].find((each) => each.textContent.includes(words));
      link?.click();
      return link !== undefined;
    };
    return until(`a link with ${JSON.stringify(text)}`, () => this.run(click, text));
  }

  async type(selector, text) {
    const element = await until(selector, () => this.find(selector));
    await ask(this.#base, 'POST', `/element/${element}/value`, { text });
  }

  /** Presses keys as a person does: to whatever has the focus. `Shift+z` holds one down. */
  async press(...keys) {
    const actions = [];
    for (const key of keys) {
      const [modifier, plain] =
        key.length > 1 && key.includes('+') ? key.split('+') : [undefined, key];
      const held = modifier && Key[modifier.toLowerCase()];
      if (held) actions.push({ type: 'keyDown', value: held });
      actions.push({ type: 'keyDown', value: plain }, { type: 'keyUp', value: plain });
      if (held) actions.push({ type: 'keyUp', value: held });
    }
    await ask(this.#base, 'POST', '/actions', {
      actions: [{ type: 'key', id: 'keyboard', actions }],
    });
  }

  /** What a person can read. */
  text() {
    return this.run(() => document.body.innerText);
  }

  sees(text, seconds) {
    return until(
      `the text ${JSON.stringify(text)}`,
      async () => (await this.text()).includes(text),
      seconds,
    );
  }

  async screenshot(file) {
    const image = await ask(this.#base, 'GET', '/screenshot');
    await writeFile(file, Buffer.from(image, 'base64'));
  }
}
