// fetch, Headers, Request, Response. The request itself is the broker's: nothing here is trusted
// by it, the checks only tell the plugin early and in the web's own words.
(function (p, native) {
  "use strict";

  const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
  const edges = /^[\t\n\r ]*([^]*?)[\t\n\r ]*$/;
  const badValue = /[\0\r\n]/;
  const latin = /^[\0-\xff]*$/;
  const forbidden = {
    __proto__: null, host: 1, cookie: 1, cookie2: 1, connection: 1, "content-length": 1, "keep-alive": 1, te: 1, trailer: 1,
    "transfer-encoding": 1, upgrade: 1, via: 1, expect: 1, origin: 1, referer: 1, "accept-charset": 1, "accept-encoding": 1, date: 1,
  };

  const headerName = (name) => {
    const text = `${name}`;
    if (p.test(token, text) === null) throw new p.TypeError(`"${p.substring(text, 0, 60)}" is not a header name`);
    return p.toLowerCase(text);
  };
  const headerValue = (value) => {
    const text = p.test(edges, `${value}`)[1];
    if (p.test(badValue, text) !== null || p.test(latin, text) === null) {
      throw new p.TypeError("a header value has a line break, NUL, or characters outside Latin-1");
    }
    return text;
  };

  class Headers {
    #rows = []; // [name, value], in order of arrival
    constructor(init) {
      if (init === undefined || init === null) return;
      if (!p.isObject(init)) throw new p.TypeError("Headers needs an object, pairs or Headers");
      if (#rows in init) {
        for (let i = 0; i < init.#rows.length; i++) p.push(this.#rows, init.#rows[i]);
      } else if (init[p.iterator] !== undefined && init[p.iterator] !== null) {
        const list = p.list(init);
        for (let i = 0; i < list.length; i++) {
          const pair = p.list(list[i]);
          if (pair.length !== 2) throw new p.TypeError("each header has a name and a value");
          this.#append(pair[0], pair[1]);
        }
      } else {
        const keys = p.ownKeys(init);
        for (let i = 0; i < keys.length; i++) {
          if (p.getOwnPropertyDescriptor(init, keys[i])?.enumerable) this.#append(keys[i], init[keys[i]]);
        }
      }
    }
    #append(name, value) { p.push(this.#rows, [headerName(name), headerValue(value)]); }
    #without(name) {
      const rows = [];
      for (let i = 0; i < this.#rows.length; i++) if (this.#rows[i][0] !== name) p.push(rows, this.#rows[i]);
      this.#rows = rows;
    }
    // Sorted and joined by name, cookies apart.
    #view() {
      const names = [];
      const rows = p.slice(this.#rows);
      p.sort(rows, (a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
      for (let i = 0; i < rows.length; i++) {
        const last = names[names.length - 1];
        if (last !== undefined && last[0] === rows[i][0] && rows[i][0] !== "set-cookie") last[1] += `, ${rows[i][1]}`;
        else p.push(names, [rows[i][0], rows[i][1]]);
      }
      return names;
    }
    static {
      p.isHeaders = (value) => p.isObject(value) && #rows in value;
      p.headerRows = (headers) => headers.#rows;
      p.headersOf = (rows) => {
        const headers = new Headers();
        headers.#rows = rows;
        return headers;
      };
      p.getHeader = (headers, name) => {
        let found = null;
        for (let i = 0; i < headers.#rows.length; i++) {
          if (headers.#rows[i][0] === name) found = found === null ? headers.#rows[i][1] : `${found}, ${headers.#rows[i][1]}`;
        }
        return found;
      };
    }
    append(name, value) { this.#append(name, value); }
    delete(name) { this.#without(headerName(name)); }
    get(name) { return p.getHeader(this, headerName(name)); }
    getSetCookie() {
      const found = [];
      for (let i = 0; i < this.#rows.length; i++) if (this.#rows[i][0] === "set-cookie") p.push(found, this.#rows[i][1]);
      return found;
    }
    has(name) { return p.getHeader(this, headerName(name)) !== null; }
    set(name, value) {
      const row = [headerName(name), headerValue(value)];
      this.#without(row[0]);
      p.push(this.#rows, row);
    }
    forEach(callback, self) {
      if (!p.isFunction(callback)) throw new p.TypeError("forEach needs a function");
      const view = this.#view();
      for (let i = 0; i < view.length; i++) p.apply(callback, self, [view[i][1], view[i][0], this]);
    }
    *entries() {
      const view = this.#view();
      for (let i = 0; i < view.length; i++) yield view[i];
    }
    *keys() {
      const view = this.#view();
      for (let i = 0; i < view.length; i++) yield view[i][0];
    }
    *values() {
      const view = this.#view();
      for (let i = 0; i < view.length; i++) yield view[i][1];
    }
  }
  p.hide(Headers.prototype, p.iterator, Headers.prototype.entries);
  p.tag(Headers, "Headers");
  p.expose("Headers", Headers);

  // A body as bytes with the type that it brings along.
  const bodyOf = (body) => {
    if (body === null || body === undefined) return { __proto__: null, span: null, type: null };
    if (p.isParams(body)) {
      return { __proto__: null, span: spanOf(p.paramsText(body)), type: "application/x-www-form-urlencoded;charset=UTF-8" };
    }
    const given = p.span(body);
    if (given !== undefined) {
      // A copy: what the plugin does to its buffer later is not sent.
      return { __proto__: null, span: [p.bufferSlice(given[0], given[1], given[1] + given[2]), 0, given[2]], type: null };
    }
    return { __proto__: null, span: spanOf(p.text(body)), type: "text/plain;charset=UTF-8" };
  };
  const spanOf = (text) => {
    const buffer = native.utf8Encode(text);
    return [buffer, 0, p.bufferLength(buffer)];
  };
  const empty = () => [new p.ArrayBuffer(0), 0, 0];

  // What Request and Response share: one body, read once.
  class Body {
    #span = null;
    #used = false;
    get body() { return null; }
    get bodyUsed() { return this.#used; }
    static {
      p.giveBody = (it, span) => { it.#span = span; };
      p.bodySpan = (it) => it.#span;
      p.isUsed = (it) => it.#used;
    }
    #read(convert) {
      return new p.Promise((resolve) => {
        if (this.#used) throw new p.TypeError("The body has been read already; clone() before reading twice");
        if (this.#span !== null) this.#used = true;
        let span = this.#span ?? empty();
        // A body that came as base64 is decoded when somebody wants it.
        if (typeof span === "string") {
          const buffer = native.base64Decode(span);
          if (buffer === null || buffer === undefined) throw new p.TypeError("The body is not readable");
          span = [buffer, 0, p.bufferLength(buffer)];
        }
        this.#span = this.#span === null ? null : empty();
        resolve(convert(span));
      });
    }
    text() { return this.#read(p.utf8); }
    json() { return this.#read((span) => p.parse(p.utf8(span))); }
    arrayBuffer() { return this.#read((span) => p.bufferSlice(span[0], span[1], span[1] + span[2])); }
    bytes() { return this.#read((span) => new p.Uint8Array(p.bufferSlice(span[0], span[1], span[1] + span[2]))); }
  }

  const methods = { __proto__: null, DELETE: 1, GET: 1, HEAD: 1, OPTIONS: 1, POST: 1, PUT: 1, PATCH: 1 };
  const redirects = { __proto__: null, follow: 1, error: 1, manual: 1 };
  class Request extends Body {
    #url;
    #method = "GET";
    #headers;
    #redirect = "follow";
    #signal;
    constructor(input, init) {
      super();
      const from = p.isObject(input) && #url in input ? input : undefined;
      const options = p.isObject(init) ? init : p.create(null);
      if (from === undefined) {
        const text = p.isURL(input) ? input.href : `${input}`;
        const url = new p.URL(text);
        // Where one reader of URLs sees a path, another sees a user name.
        if (p.test(/^[^?#]*\\/, text) !== null) throw new p.TypeError("A URL with a backslash cannot be fetched; write /");
        if (url.username !== "" || url.password !== "") {
          throw new p.TypeError("A URL with user name and password cannot be fetched; use an Authorization header");
        }
        url.hash = "";
        this.#url = url.href;
      } else {
        this.#url = from.#url;
        this.#method = from.#method;
        this.#redirect = from.#redirect;
      }
      if (options.method !== undefined) {
        const method = `${options.method}`;
        const upper = p.toUpperCase(method);
        if (p.test(token, method) === null) throw new p.TypeError(`"${p.substring(method, 0, 60)}" is not a method`);
        if (upper === "CONNECT" || upper === "TRACE" || upper === "TRACK") throw new p.TypeError(`The method ${upper} is not allowed`);
        this.#method = methods[upper] === undefined ? method : upper;
      }
      this.#headers = new Headers(options.headers === undefined ? from?.#headers : options.headers);
      const rows = p.headerRows(this.#headers);
      for (let i = 0; i < rows.length; i++) {
        const name = rows[i][0];
        if (forbidden[name] !== undefined || p.startsWith(name, "proxy-") || p.startsWith(name, "sec-")) {
          throw new p.TypeError(`The header "${name}" cannot be set by a plugin`);
        }
      }
      if (options.redirect !== undefined) {
        this.#redirect = `${options.redirect}`;
        if (redirects[this.#redirect] === undefined) throw new p.TypeError("redirect is follow, error or manual");
      }
      const followed = options.signal === undefined ? from?.#signal : options.signal;
      this.#signal = p.makeSignal();
      if (followed !== undefined && followed !== null) {
        if (p.isAborted(followed)) p.fireSignal(this.#signal, p.signalReason(followed));
        else p.onAbort(followed, () => p.fireSignal(this.#signal, p.signalReason(followed)));
      }
      if (options.body !== undefined && options.body !== null) {
        if (this.#method === "GET" || this.#method === "HEAD") throw new p.TypeError(`A ${this.#method} request has no body`);
        const body = bodyOf(options.body);
        p.giveBody(this, body.span);
        if (body.type !== null && p.getHeader(this.#headers, "content-type") === null) this.#headers.set("content-type", body.type);
      } else if (from !== undefined && p.bodySpan(from) !== null) {
        if (p.isUsed(from)) throw new p.TypeError("The body has been read already");
        p.giveBody(this, p.bodySpan(from));
      }
    }
    static {
      p.isRequest = (value) => p.isObject(value) && #url in value;
      p.requestParams = (request) => {
        const params = { __proto__: null, url: request.#url, method: request.#method, headers: p.headerRows(request.#headers), redirect: request.#redirect };
        const span = p.bodySpan(request);
        if (span !== null) params.body = native.base64Encode(span[0], span[1], span[2]);
        return params;
      };
      p.requestSignal = (request) => request.#signal;
    }
    get url() { return this.#url; }
    get method() { return this.#method; }
    get headers() { return this.#headers; }
    get redirect() { return this.#redirect; }
    get signal() { return this.#signal; }
    clone() {
      if (p.isUsed(this)) throw new p.TypeError("The body has been read already");
      return new Request(this);
    }
  }
  p.tag(Request, "Request");
  p.expose("Request", Request);

  const nullBody = { __proto__: null, 101: 1, 204: 1, 205: 1, 304: 1 };
  class Response extends Body {
    #status;
    #statusText;
    #headers;
    #url = "";
    #redirected = false;
    #type = "default";
    constructor(body, init) {
      super();
      const options = p.isObject(init) ? init : p.create(null);
      this.#status = options.status === undefined ? 200 : p.Number(options.status);
      if (!p.isInteger(this.#status) || this.#status < 200 || this.#status > 599) throw new p.RangeError("the status is from 200 to 599");
      this.#statusText = options.statusText === undefined ? "" : `${options.statusText}`;
      this.#headers = new Headers(options.headers);
      if (body !== undefined && body !== null) {
        if (nullBody[this.#status] !== undefined) throw new p.TypeError(`A response with status ${this.#status} has no body`);
        const made = bodyOf(body);
        p.giveBody(this, made.span);
        if (made.type !== null && p.getHeader(this.#headers, "content-type") === null) this.#headers.set("content-type", made.type);
      }
    }
    static json(data, init) {
      const text = p.stringify(data);
      if (text === undefined) throw new p.TypeError("The value is not JSON");
      const headers = new Headers(init?.headers);
      if (!headers.has("content-type")) headers.set("content-type", "application/json");
      return new Response(text, { __proto__: null, status: init?.status, statusText: init?.statusText, headers });
    }
    static error() {
      const response = new Response();
      response.#type = "error";
      response.#status = 0;
      return response;
    }
    static {
      p.received = (reply) => {
        const response = new Response();
        response.#type = "basic";
        response.#status = reply.status;
        response.#statusText = reply.statusText ?? "";
        response.#url = reply.url ?? "";
        response.#redirected = reply.redirected === true;
        const rows = [];
        for (let i = 0; i < reply.headers.length; i++) p.push(rows, [p.toLowerCase(reply.headers[i][0]), reply.headers[i][1]]);
        response.#headers = p.headersOf(rows);
        p.giveBody(response, reply.body ?? "");
        return response;
      };
    }
    get status() { return this.#status; }
    get statusText() { return this.#statusText; }
    get ok() { return this.#status >= 200 && this.#status <= 299; }
    get headers() { return this.#headers; }
    get url() { return this.#url; }
    get redirected() { return this.#redirected; }
    get type() { return this.#type; }
    clone() {
      if (p.isUsed(this)) throw new p.TypeError("The body has been read already");
      const copy = new Response();
      copy.#status = this.#status;
      copy.#statusText = this.#statusText;
      copy.#headers = new Headers(this.#headers);
      copy.#url = this.#url;
      copy.#redirected = this.#redirected;
      copy.#type = this.#type;
      p.giveBody(copy, p.bodySpan(this));
      return copy;
    }
  }
  p.tag(Response, "Response");
  p.expose("Response", Response);

  // `call` says which running handler the request belongs to.
  p.fetch = (call, input, init) =>
    new p.Promise((resolve, reject) => {
      const request = new Request(input, init);
      if (p.isUsed(request) || (p.isRequest(input) && p.isUsed(input))) throw new p.TypeError("The body has been read already");
      const signal = p.requestSignal(request);
      if (p.isAborted(signal)) throw p.signalReason(signal);
      const params = p.requestParams(request);
      const timeout = p.isObject(init) ? init.timeoutMs : undefined;
      if (timeout !== undefined) params.timeoutMs = p.Number(timeout);
      const forget = p.onAbort(signal, () => reject(p.signalReason(signal)));
      p.ask(
        call,
        "http.fetch",
        params,
        (reply) => {
          forget();
          resolve(p.received(reply));
        },
        (failure) => {
          forget();
          // The web rejects with a TypeError; what DevRig knows rides along.
          const error = new p.TypeError(`fetch failed: ${failure.message}`);
          p.hide(error, "code", failure.code);
          p.hide(error, "retryable", failure.retryable);
          if (failure.retryAfterMs !== undefined) p.hide(error, "retryAfterMs", failure.retryAfterMs);
          if (failure.hint !== undefined) p.hide(error, "hint", failure.hint);
          p.hide(error, "cause", failure);
          reject(error);
        },
      );
    });
  p.expose("fetch", function fetch(input, init) {
    return p.fetch(p.currentCall(), input, init);
  });
});
