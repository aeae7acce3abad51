// A GitHub of our own on loopback: stateful, with both interfaces, and with everything that can go
// wrong. It speaks the documented wire format; see README.md for how it is started and steered.

import { createServer } from 'node:http';
import { apply, Faults } from './faults.mjs';
import { answer } from './graphql.mjs';
import { notFound, ROUTES } from './rest.mjs';
import { smallWorld } from './world.mjs';

const routes = ROUTES.map(([method, pattern, scopes, handle]) => {
  const names = [];
  const source = pattern.replaceAll(/:([a-z]+)/g, (_, name) => (names.push(name), '([^/]+)'));
  return { method, path: new RegExp(`^${source}$`), names, scopes, handle };
});

export async function startFake({ world = smallWorld(), port = 0 } = {}) {
  const fake = { world, faults: new Faults(), log: [], remaining: 5000 };
  const server = createServer((request, response) => {
    respond(fake, request, response).catch((error) => {
      console.error(error);
      response.writeHead(500).end();
    });
  });
  await new Promise((ready) => server.listen(port, '127.0.0.1', ready));
  fake.url = `http://127.0.0.1:${server.address().port}`;
  fake.close = () => new Promise((closed) => {
    server.close(closed);
    server.closeAllConnections();
  });
  return fake;
}

async function respond(fake, request, response) {
  const url = new URL(request.url, fake.url);
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const body = parseBody(text);
  if (url.pathname.startsWith('/_control/')) return control(fake, url.pathname.slice(10), body, response);

  const entry = { method: request.method, path: `${url.pathname}${url.search}`, authorised: false, conditional: 'if-modified-since' in request.headers };
  fake.log.push(entry);
  const token = fake.world.tokens.get((request.headers.authorization ?? '').replace(/^(Bearer|token) /, ''));
  const send = (status, json, headers = {}) => {
    entry.status = status;
    const content = json === null || json === undefined ? undefined : JSON.stringify(json);
    const all = {
      'x-github-media-type': 'github.v3; format=json', 'x-github-request-id': `FAKE:${fake.log.length}`, 'x-ratelimit-limit': '5000', 'x-ratelimit-remaining': String(fake.remaining),
      'x-ratelimit-reset': String(Math.floor(Date.now() / 1000) + 3600), 'x-ratelimit-resource': 'core', ...(token ? { 'x-oauth-scopes': token.scopes.join(', ') } : {}), ...headers,
    };
    if (content !== undefined) all['content-type'] = 'application/json; charset=utf-8';
    response.writeHead(status, all);
    response.end(content);
  };

  const fault = fake.faults.take(request.method, url.pathname);
  if (fault && (await apply(fault, response, send))) return undefined;
  if (!token || token.state === 'expired') return send(401, { message: 'Bad credentials', documentation_url: 'https://docs.github.com/rest', status: '401' });
  entry.authorised = true;
  if (token.state === 'sso') {
    return send(403, { message: 'Resource protected by organization SAML enforcement.', documentation_url: 'https://docs.github.com/rest' }, { 'x-github-sso': 'required; url=https://github.com/orgs/acme/sso?authorization_request=A1' });
  }
  if (url.pathname === '/graphql') {
    if (typeof body?.query !== 'string') return send(400, { message: 'Problems parsing JSON' });
    const result = await answer(fake.world, token.login, body);
    return send(200, { ...result, errors: result.errors?.map((error) => ({ message: error.message, path: error.path, type: error.extensions?.type ?? error.type })) });
  }
  return rest(fake, { request, url, body, token, send });
}

function rest(fake, { request, url, body, token, send }) {
  const { world } = fake;
  const path = byName(world, url.pathname);
  const found = routes.map((route) => ({ route, match: route.path.exec(path) })).filter(({ match }) => match);
  const chosen = found.find(({ route }) => route.method === request.method);
  if (!chosen) return send(404, notFound());
  const params = Object.fromEntries(chosen.route.names.map((name, n) => [name, decodeURIComponent(chosen.match[n + 1])]));
  const { scopes, handle } = chosen.route;
  if (scopes.length > 0 && !scopes.some((scope) => token.scopes.includes(scope))) {
    return send(request.method === 'GET' ? 404 : 403, { message: 'Resource not accessible by personal access token', documentation_url: 'https://docs.github.com/rest' }, { 'x-accepted-oauth-scopes': scopes.join(', ') });
  }
  const context = { world, login: token.login, params, query: url.searchParams, body, base: fake.publicUrl ?? fake.url, headers: request.headers };
  if ('owner' in params) {
    const asked = `${params.owner}/${params.name}`;
    context.repo = world.repo(asked);
    if (!context.repo) return send(404, notFound());
    if (context.repo.full_name.toLowerCase() !== asked.toLowerCase()) {
      const to = `${context.base}${url.pathname.replace(`/repos/${asked}`, `/repositories/${context.repo.id}`)}`;
      return send(request.method === 'GET' ? 301 : 307, { message: 'Moved Permanently', url: to, documentation_url: 'https://docs.github.com/v3/#http-redirects' }, { location: to });
    }
    if ('number' in params) {
      context.issue = context.repo.issues.get(Number(params.number));
      if (!context.issue) return send(404, notFound());
    }
  }
  if ('id' in params) {
    context.thread = world.threads.get(params.id);
    if (!context.thread || context.thread.login !== token.login) return send(404, notFound());
  }
  const [status, json, headers] = handle(context);
  // What has not changed is not counted.
  if (status !== 304) fake.remaining = Math.max(0, fake.remaining - 1);
  return send(status, json, headers);
}

/** The path of a repository that is asked for by its number, as redirects do, by its name. */
function byName(world, path) {
  const [, id, rest] = /^\/repositories\/(\d+)(\/.*)?$/.exec(path) ?? [];
  const repo = id && [...world.repos.values()].find((each) => each.id === Number(id));
  return repo ? `/repos/${repo.full_name}${rest ?? ''}` : path;
}

function parseBody(text) {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a test in another process steers it by. */
const CONTROLS = {
  fault: (fake, body) => fake.faults.add(body),
  'clear-faults': (fake) => fake.faults.clear(),
  token: (fake, { token, ...fields }) => Object.assign(fake.world.tokens.get(token) ?? (fake.world.addToken(token, fields.login), fake.world.tokens.get(token)), fields),
  push: (fake, { repo, number }) => fake.world.push(fake.world.repo(repo).issues.get(number)),
  pull: (fake, { repo, notify, reason, ...fields }) => {
    const pull = fake.world.addPull(repo, fields);
    if (notify) fake.world.notify(notify, pull, reason ?? 'subscribed');
    return { number: pull.number };
  },
  comment: (fake, { repo, number, login, body, notify }) => {
    const issue = fake.world.repo(repo).issues.get(number);
    fake.world.comment(issue, login, body);
    if (notify) fake.world.notify(notify, issue, 'comment');
  },
  rename: (fake, { from, to }) => fake.world.rename(from, to),
  issue: (fake, { repo, number }) => {
    const { kind, title, state, merged, method, labels, assignees, comments, reviews } = fake.world.repo(repo).issues.get(number);
    return { kind, title, state, merged, method, labels, assignees, comments, reviews };
  },
  threads: (fake) => [...fake.world.threads.values()].map(({ id, unread, done, subject }) => ({ id, unread, done, title: subject.title, subscription: fake.world.subscriptions.get(id) ?? 'on' })),
  log: (fake) => fake.log,
};

function control(fake, name, body, response) {
  const act = CONTROLS[name];
  if (!act) return response.writeHead(404).end();
  const answered = act(fake, body ?? {});
  response.writeHead(200, { 'content-type': 'application/json' });
  return response.end(JSON.stringify(answered ?? {}));
}
