// node main.mjs [--port N] [--seed small|inbox:COUNT]: prints its address as JSON, ends with its
// standard input or on SIGTERM.

import { parseArgs } from 'node:util';
import { githubSchema } from './graphql.mjs';
import { startFake } from './server.mjs';
import { largeWorld, smallWorld } from './world.mjs';

const { values } = parseArgs({ options: { port: { type: 'string', default: '0' }, seed: { type: 'string', default: 'small' } } });
const [, count] = values.seed.split(':');
githubSchema();
const fake = await startFake({ port: Number(values.port), world: count ? largeWorld(Number(count)) : smallWorld() });
console.log(JSON.stringify({ url: fake.url, control: `${fake.url}/_control` }));
const end = () => process.exit(0);
process.on('SIGTERM', end);
process.stdin.on('end', end).resume();
