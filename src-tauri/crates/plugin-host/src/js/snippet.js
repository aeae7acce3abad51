// What every snippet of `code.js` finds beside the language, and what reads its result. It is part
// of the image that each run starts from, so what is done here costs a run nothing.
(function (p, native) {
  "use strict";

  const { apply, defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;
  const { Error, Map, Object, Promise, Set, String, TypeError } = globalThis;
  const { isArray } = Array;
  const { stringify } = JSON;
  const unbound = (method) => (self, ...args) => apply(method, self, args);
  const slice = unbound(String.prototype.slice);
  const wellFormed = unbound(String.prototype.toWellFormed);
  const test = unbound(RegExp.prototype.exec);
  const has = unbound(Set.prototype.has);
  const add = unbound(Set.prototype.add);
  const remove = unbound(Set.prototype.delete);
  const sizeOf = (Class) => {
    const { get } = getOwnPropertyDescriptor(Class.prototype, "size");
    return (value) => apply(get, value, []);
  };
  const mapSize = sizeOf(Map);
  const setSize = sizeOf(Set);
  const isKind = (probe, value) => {
    try {
      probe(value);
      return true;
    } catch {
      return false;
    }
  };
  const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";
  const hidden = (object, name, value) =>
    defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true, __proto__: null });

  // Threads do not exist here, and a shared buffer is memory that no other rule thinks of.
  delete globalThis.SharedArrayBuffer;
  delete globalThis.Atomics;
  // A call site would hand out our own functions.
  const before = Error.prepareStackTrace;
  Error.prepareStackTrace = (_, sites) => sites;
  const site = new Error().stack[0];
  Error.prepareStackTrace = before;
  delete Object.getPrototypeOf(site).getFunction;
  delete Object.getPrototypeOf(site).getThis;

  hidden(Math, "random", native.chance);

  // ---- what is not there ----

  const refuse = (name, instead) => {
    const refused = { [name]: () => { throw new TypeError(`${name} does not exist in code.js: ${instead}`); } };
    hidden(globalThis, name, refused[name]);
  };
  const request = "put an http.request node before it and read its answer from `nodes`";
  for (const name of ["fetch", "XMLHttpRequest", "WebSocket"]) refuse(name, request);
  refuse("require", "modules cannot be loaded. For a request, put an http.request node before it");
  for (const name of ["setTimeout", "setInterval", "setImmediate"]) {
    refuse(name, "put a flow.delay node before or after it");
  }

  // ---- what is there once it is used ----

  const write = native.log;
  native.log = (level, text) => write(level, wellFormed(text));
  const web = [
    "console", "URL", "URLSearchParams", "TextEncoder", "TextDecoder", "structuredClone", "crypto", "CryptoKey",
    "atob", "btoa", "queueMicrotask", "performance", "DOMException", "AbortController", "AbortSignal", "Event",
    "CustomEvent", "EventTarget",
  ];
  let loaded = false;
  const load = () => {
    if (loaded) return;
    loaded = true;
    native.load(native);
  };
  for (const name of web) {
    defineProperty(globalThis, name, {
      get() {
        load();
        return globalThis[name];
      },
      set(value) { hidden(globalThis, name, value); },
      enumerable: false,
      configurable: true,
      __proto__: null,
    });
  }

  // ---- the result ----

  // JSON.stringify leaves functions out and makes `{}` of a promise. In a result that is a mistake
  // which nobody would see, so there, and only there, it is an error.
  let finishing = false;
  const guard = (Class, otherwise) => {
    hidden(Class.prototype, "toJSON", { toJSON() {
      if (finishing) throw new TypeError("not JSON");
      return otherwise(this);
    } }.toJSON);
  };
  const itself = (value) => value;
  guard(Function, () => undefined);
  for (const Class of [BigInt, Promise, Map, Set]) guard(Class, itself);

  const finish = (value) => {
    finishing = true;
    return stringify(value);
  };

  const simple = /^[A-Za-z_$][\w$]*$/;
  const step = (path, key) =>
    isArray(key) ? `${path}[${key[0]}]` : test(simple, key) ? `${path}.${key}` : `${path}[${stringify(slice(key, 0, 50))}]`;
  const kindOf = (value) => {
    if (typeof value === "function") return "a function";
    if (typeof value === "bigint") return "a BigInt: turn it into a text with String, or into a number with Number";
    if (typeof value !== "object" || value === null) return undefined;
    if (native.isPromise(value)) return "a promise: await it, or await Promise.all of several";
    if (isKind(mapSize, value)) return "a Map: turn it into an object with Object.fromEntries";
    if (isKind(setSize, value)) return "a Set: turn it into an array with Array.from";
    return undefined;
  };
  // Finds what cannot be written, by the same way that JSON.stringify goes.
  const find = (given, path, open, seen) => {
    const kind = kindOf(given);
    if (kind !== undefined) return `${path} is ${kind}`;
    if (!isObject(given)) return undefined;
    if (has(open, given)) return `${path} is a part of itself`;
    if (has(seen, given)) return undefined;
    add(open, given);
    add(seen, given);
    const value = typeof given.toJSON === "function" ? given.toJSON() : given;
    let found;
    if (isArray(value)) {
      for (let i = 0; i < value.length && found === undefined; i++) found = find(value[i], step(path, [i]), open, seen);
    } else if (isObject(value)) {
      const keys = Object_keys(value);
      for (let i = 0; i < keys.length && found === undefined; i++) found = find(value[keys[i]], step(path, keys[i]), open, seen);
    } else if (value !== given) {
      found = find(value, path, open, seen);
    }
    remove(open, given);
    return found;
  };
  const Object_keys = Object.keys;
  // A sentence on what in the result is no JSON; undefined when nothing is found.
  const explain = (value) => {
    finishing = false;
    try {
      return find(value, "output", new Set(), new Set());
    } catch {
      return undefined;
    }
  };

  // ---- errors ----

  // Name, message and trace of anything thrown, read with care: it may be a proxy, or have getters
  // that throw.
  const text = (object, name) => {
    try {
      const value = object[name];
      return typeof value === "string" ? wellFormed(slice(value, 0, 8000)) : undefined;
    } catch {
      return undefined;
    }
  };
  const describe = (thrown) => {
    if (isObject(thrown)) {
      const message = text(thrown, "message") ?? "an object without a message was thrown";
      return [text(thrown, "name") ?? "Error", message, text(thrown, "stack") ?? ""];
    }
    let message;
    try {
      message = wellFormed(slice(String(thrown), 0, 8000));
    } catch {
      message = typeof thrown;
    }
    return ["Error", `${message} was thrown, which is no Error`, ""];
  };

  // Rejections that nobody handles, newest first.
  let rejected = null;
  let count = 0;
  const rejection = (promise, reason, handled) => {
    if (!handled && count < 100) {
      count++;
      rejected = { __proto__: null, promise, reason, rest: rejected };
    } else if (handled) {
      for (let entry = rejected; entry !== null; entry = entry.rest) {
        if (entry.promise === promise) entry.promise = undefined;
      }
    }
  };
  const tellRejections = (main) => {
    for (let entry = rejected; entry !== null; entry = entry.rest) {
      if (entry.promise === undefined || entry.promise === main) continue;
      const [name, message] = describe(entry.reason);
      native.log("error", `Nobody awaited what failed: ${name}: ${message}`);
    }
  };

  return { __proto__: null, load, finish, explain, describe, rejection, tellRejections };
});
