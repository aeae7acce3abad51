// URL and URLSearchParams over the native parser, which follows the WHATWG standard.
(function (p, native) {
  "use strict";

  const sync = new p.SafeWeakMap(); // URLSearchParams → what to do when it changes

  class URLSearchParams {
    #pairs = []; // names and values in turn
    constructor(init = "") {
      if (p.isObject(init)) {
        if (#pairs in init) {
          this.#pairs = p.slice(init.#pairs);
        } else if (init[p.iterator] !== undefined && init[p.iterator] !== null) {
          const list = p.list(init);
          for (let i = 0; i < list.length; i++) {
            const pair = p.list(list[i]);
            if (pair.length !== 2) throw new p.TypeError("each pair of URLSearchParams has a name and a value");
            this.#add(pair[0], pair[1]);
          }
        } else {
          const keys = p.ownKeys(init);
          for (let i = 0; i < keys.length; i++) {
            const found = p.getOwnPropertyDescriptor(init, keys[i]);
            if (found?.enumerable) this.#add(keys[i], init[keys[i]]);
          }
        }
      } else {
        const text = p.text(init);
        this.#read(p.startsWith(text, "?") ? p.substring(text, 1) : text);
      }
    }
    #add(name, value) {
      const texts = [p.text(name), p.text(value)];
      p.push(this.#pairs, texts[0]);
      p.push(this.#pairs, texts[1]);
    }
    #read(text) {
      this.#pairs = native.formParse(text);
    }
    #changed() {
      sync.get(this)?.(this.toString());
    }
    static {
      p.readParams = (params, text) => params.#read(text);
      p.isParams = (value) => p.isObject(value) && #pairs in value;
      p.paramsText = (params) => params.#pairs.length === 0 ? "" : native.formWrite(p.encode(params.#pairs));
    }
    get size() { return this.#pairs.length / 2; }
    append(name, value) {
      if (arguments.length < 2) throw new p.TypeError("append needs a name and a value");
      this.#add(name, value);
      this.#changed();
    }
    delete(name, value) {
      const wanted = p.text(name);
      const only = value === undefined ? undefined : p.text(value);
      this.#keep((key, held) => key !== wanted || (only !== undefined && held !== only));
      this.#changed();
    }
    #keep(test) {
      const kept = [];
      for (let i = 0; i < this.#pairs.length; i += 2) {
        if (test(this.#pairs[i], this.#pairs[i + 1])) {
          p.push(kept, this.#pairs[i]);
          p.push(kept, this.#pairs[i + 1]);
        }
      }
      this.#pairs = kept;
    }
    get(name) {
      const wanted = p.text(name);
      for (let i = 0; i < this.#pairs.length; i += 2) if (this.#pairs[i] === wanted) return this.#pairs[i + 1];
      return null;
    }
    getAll(name) {
      const wanted = p.text(name);
      const found = [];
      for (let i = 0; i < this.#pairs.length; i += 2) if (this.#pairs[i] === wanted) p.push(found, this.#pairs[i + 1]);
      return found;
    }
    has(name, value) {
      const wanted = p.text(name);
      const only = value === undefined ? undefined : p.text(value);
      for (let i = 0; i < this.#pairs.length; i += 2) {
        if (this.#pairs[i] === wanted && (only === undefined || this.#pairs[i + 1] === only)) return true;
      }
      return false;
    }
    set(name, value) {
      if (arguments.length < 2) throw new p.TypeError("set needs a name and a value");
      const wanted = p.text(name);
      const text = p.text(value);
      let placed = false;
      for (let i = 0; i < this.#pairs.length && !placed; i += 2) {
        if (this.#pairs[i] === wanted) {
          this.#pairs[i + 1] = text;
          placed = true;
        }
      }
      if (placed) {
        let seen = false;
        this.#keep((key) => key !== wanted || (!seen && (seen = true)));
      } else {
        this.#add(wanted, text);
      }
      this.#changed();
    }
    sort() {
      const rows = [];
      for (let i = 0; i < this.#pairs.length; i += 2) p.push(rows, [this.#pairs[i], this.#pairs[i + 1]]);
      p.sort(rows, (a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
      const flat = [];
      for (let i = 0; i < rows.length; i++) {
        p.push(flat, rows[i][0]);
        p.push(flat, rows[i][1]);
      }
      this.#pairs = flat;
      this.#changed();
    }
    forEach(callback, self) {
      if (!p.isFunction(callback)) throw new p.TypeError("forEach needs a function");
      for (let i = 0; i < this.#pairs.length; i += 2) p.apply(callback, self, [this.#pairs[i + 1], this.#pairs[i], this]);
    }
    *entries() {
      for (let i = 0; i < this.#pairs.length; i += 2) yield [this.#pairs[i], this.#pairs[i + 1]];
    }
    *keys() {
      for (let i = 0; i < this.#pairs.length; i += 2) yield this.#pairs[i];
    }
    *values() {
      for (let i = 0; i < this.#pairs.length; i += 2) yield this.#pairs[i + 1];
    }
    toString() { return p.paramsText(this); }
  }
  p.hide(URLSearchParams.prototype, p.iterator, URLSearchParams.prototype.entries);
  p.tag(URLSearchParams, "URLSearchParams");
  p.expose("URLSearchParams", URLSearchParams);

  const HREF = 0, ORIGIN = 1, PROTOCOL = 2, USERNAME = 3, PASSWORD = 4, HOST = 5, HOSTNAME = 6, PORT = 7, PATHNAME = 8, SEARCH = 9, HASH = 10;
  const parse = (url, base) => native.urlParse(p.text(url), base === undefined ? undefined : p.text(base));
  class URL {
    #parts;
    #params;
    constructor(url, base) {
      if (arguments.length === 0) throw new p.TypeError("URL needs a text");
      const parts = parse(url, base);
      if (parts === null) {
        const error = new p.TypeError(`Invalid URL: ${p.substring(`${url}`, 0, 200)}`);
        p.hide(error, "code", "ERR_INVALID_URL");
        throw error;
      }
      this.#parts = parts;
    }
    static canParse(url, base) { return parse(url, base) !== null; }
    static parse(url, base) {
      return parse(url, base) === null ? null : new URL(url, base);
    }
    static {
      p.isURL = (value) => p.isObject(value) && #parts in value;
    }
    #set(part, value) {
      this.#parts = native.urlSet(this.#parts[HREF], part, p.text(value));
    }
    #refresh() {
      if (this.#params !== undefined) p.readParams(this.#params, p.substring(this.#parts[SEARCH], 1));
    }
    get href() { return this.#parts[HREF]; }
    set href(value) {
      const parts = parse(value);
      if (parts === null) throw new p.TypeError("Invalid URL");
      this.#parts = parts;
      this.#refresh();
    }
    get origin() { return this.#parts[ORIGIN]; }
    get protocol() { return this.#parts[PROTOCOL]; }
    set protocol(value) { this.#set("protocol", value); }
    get username() { return this.#parts[USERNAME]; }
    set username(value) { this.#set("username", value); }
    get password() { return this.#parts[PASSWORD]; }
    set password(value) { this.#set("password", value); }
    get host() { return this.#parts[HOST]; }
    set host(value) { this.#set("host", value); }
    get hostname() { return this.#parts[HOSTNAME]; }
    set hostname(value) { this.#set("hostname", value); }
    get port() { return this.#parts[PORT]; }
    set port(value) { this.#set("port", value); }
    get pathname() { return this.#parts[PATHNAME]; }
    set pathname(value) { this.#set("pathname", value); }
    get search() { return this.#parts[SEARCH]; }
    set search(value) {
      this.#set("search", value);
      this.#refresh();
    }
    get hash() { return this.#parts[HASH]; }
    set hash(value) { this.#set("hash", value); }
    get searchParams() {
      if (this.#params === undefined) {
        this.#params = new URLSearchParams(p.substring(this.#parts[SEARCH], 1));
        sync.set(this.#params, (text) => this.#set("search", text));
      }
      return this.#params;
    }
    toString() { return this.#parts[HREF]; }
    toJSON() { return this.#parts[HREF]; }
  }
  p.URL = URL;
  p.tag(URL, "URL");
  p.expose("URL", URL);
});
