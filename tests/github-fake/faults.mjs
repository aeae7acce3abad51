// What can go wrong on the way: answers that are asked for beforehand, each for the next requests
// whose method and path match.

export class Faults {
  constructor() {
    this.list = [];
  }

  /** `{ match: "GET /notifications", times: 1, kind: "status", status: 500, ... }` */
  add(fault) {
    this.list.push({ times: 1, ...fault });
  }

  take(method, path) {
    const at = this.list.findIndex((fault) => `${method} ${path}`.startsWith(fault.match));
    if (at < 0) return undefined;
    const fault = this.list[at];
    fault.times -= 1;
    if (fault.times <= 0) this.list.splice(at, 1);
    return fault;
  }

  clear() {
    this.list = [];
  }
}

const DOCS = 'https://docs.github.com/rest';

/** Answers as the fault says; false when the request is to go on, a little later perhaps. */
export async function apply(fault, response, send) {
  switch (fault.kind) {
    case 'primary': {
      const reset = Math.floor(Date.now() / 1000) + (fault.seconds ?? 3600);
      send(fault.status ?? 403, { message: 'API rate limit exceeded for user ID 1.', documentation_url: DOCS }, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(reset) });
      return true;
    }
    case 'secondary':
      send(fault.status ?? 403, { message: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.', documentation_url: DOCS }, { 'retry-after': String(fault.seconds ?? 60) });
      return true;
    case 'status':
      send(fault.status, fault.body ?? { message: fault.message ?? 'Server Error', documentation_url: DOCS }, fault.headers ?? {});
      return true;
    case 'slow':
      await new Promise((later) => setTimeout(later, fault.ms));
      return false;
    case 'cut':
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '5000' });
      response.write('[{"id":');
      setTimeout(() => response.destroy(), 50);
      return true;
    case 'json':
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('<html>not JSON</html>');
      return true;
    case 'redirect':
      response.writeHead(302, { location: fault.to });
      response.end();
      return true;
    default:
      throw new Error(`no such fault: ${fault.kind}`);
  }
}
