// The fake behind a judge: every REST exchange passes a contract proxy over GitHub's own description,
// and what breaks it, in the question or in the answer, is kept in `violations`.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request as send } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startFake } from '../server.mjs';

const SPEC = fileURLToPath(new URL('github-rest.json', import.meta.url));
/** What the description does not hold: GraphQL is judged by GitHub's schema, the controls are ours. */
const PAST_THE_JUDGE = /^\/(graphql|_control\/)/;

/** `{ url, world, faults, log, violations, close() }`; takes some seconds to start. */
export async function startJudged(options) {
  const fake = await startFake(options);
  const judge = await startPrism(fake.url);
  const violations = [];
  const front = createServer((request, response) => {
    const to = PAST_THE_JUDGE.test(request.url) ? fake.url : judge.url;
    const onward = send(`${to}${request.url}`, { method: request.method, headers: request.headers }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => {
        const body = Buffer.concat(chunks);
        const broken = answer.headers['sl-violations'] ?? (body.includes('stoplight.io/prism/errors') ? body.toString() : undefined);
        if (broken) violations.push(`${request.method} ${request.url}: ${broken}`);
        response.writeHead(answer.statusCode, answer.headers).end(body);
      });
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  const url = `http://127.0.0.1:${front.address().port}`;
  fake.publicUrl = url;
  const close = async () => {
    front.close();
    front.closeAllConnections();
    judge.process.kill();
    await fake.close();
  };
  return { ...fake, url, violations, close };
}

async function startPrism(upstream) {
  const port = await freePort();
  const cli = join(dirname(createRequire(import.meta.url).resolve('@stoplight/prism-cli/package.json')), 'dist/index.js');
  const prism = spawn(process.execPath, [cli, 'proxy', '--errors', '-h', '127.0.0.1', '-p', String(port), SPEC, upstream], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(prism, 'exit').then(([code]) => Promise.reject(new Error(`the judge ended with ${code}`)));
  let said = '';
  const ready = new Promise((listening) => {
    prism.stdout.on('data', (chunk) => {
      said += chunk;
      if (said.includes('Prism is listening')) listening();
    });
  });
  await Promise.race([ready, ended]);
  ended.catch(() => {});
  return { url: `http://127.0.0.1:${port}`, process: prism };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}
