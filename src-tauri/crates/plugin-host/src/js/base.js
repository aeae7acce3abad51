// What every other file here stands on: copies of the built-ins taken before any plugin code
// runs, so that a plugin which changes a prototype changes only itself.
(function (p, native) {
  "use strict";

  const { apply, construct, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
  // Shadowed here, so that no name below means whatever a plugin has put in its place.
  const { TypeError, Error, Date } = globalThis;
  const unbound = (method) => (self, ...args) => apply(method, self, args);
  const getter = (prototype, name) => {
    const { get } = getOwnPropertyDescriptor(prototype, name);
    return (self) => apply(get, self, []);
  };

  p.native = native;
  p.apply = apply;
  p.construct = construct;
  p.ownKeys = ownKeys;
  p.getPrototypeOf = getPrototypeOf;
  p.getOwnPropertyDescriptor = getOwnPropertyDescriptor;
  p.Promise = Promise;
  p.Error = Error;
  p.TypeError = TypeError;
  p.RangeError = RangeError;
  p.SyntaxError = SyntaxError;
  p.String = String;
  p.Number = Number;
  p.Object = Object;
  p.Array = Array;
  p.Date = Date;
  p.RegExp = RegExp;
  p.ArrayBuffer = ArrayBuffer;
  p.Uint8Array = Uint8Array;
  p.DataView = DataView;
  p.Symbol = Symbol;
  p.iterator = Symbol.iterator;
  p.stringify = JSON.stringify;
  p.parse = JSON.parse;
  p.isArray = Array.isArray;
  p.keys = Object.keys;
  p.freeze = Object.freeze;
  p.create = Object.create;
  p.setPrototypeOf = Object.setPrototypeOf;
  p.isView = ArrayBuffer.isView;
  p.floor = Math.floor;
  p.isInteger = Number.isInteger;
  p.isFinite = Number.isFinite;

  // Maps and sets whose methods are their own: safe to use whatever happens to Map.prototype.
  const own = (Class, names) => {
    class Safe extends Class {}
    for (let i = 0; i < names.length; i++) {
      defineProperty(Safe.prototype, names[i], getOwnPropertyDescriptor(Class.prototype, names[i]));
    }
    p.setPrototypeOf(Safe.prototype, null);
    p.freeze(Safe.prototype);
    return Safe;
  };
  p.SafeMap = own(Map, ["get", "set", "has", "delete", "forEach", "size"]);
  p.SafeSet = own(Set, ["add", "has", "delete", "forEach", "size", "clear"]);
  p.SafeWeakMap = own(WeakMap, ["get", "set", "has"]);

  p.then = unbound(Promise.prototype.then);
  p.slice = unbound(Array.prototype.slice);
  p.push = (list, value) => defineProperty(list, list.length, { value, writable: true, enumerable: true, configurable: true, __proto__: null });
  p.join = unbound(Array.prototype.join);
  p.sort = unbound(Array.prototype.sort);
  p.shift = unbound(Array.prototype.shift);
  p.splice = unbound(Array.prototype.splice);
  p.arrayValues = unbound(Array.prototype.values);
  p.hasOwn = Object.hasOwn;
  p.toWellFormed = unbound(String.prototype.toWellFormed);
  p.toLowerCase = unbound(String.prototype.toLowerCase);
  p.toUpperCase = unbound(String.prototype.toUpperCase);
  p.trim = unbound(String.prototype.trim);
  p.substring = unbound(String.prototype.substring);
  p.startsWith = unbound(String.prototype.startsWith);
  p.indexOf = unbound(String.prototype.indexOf);
  p.charCodeAt = unbound(String.prototype.charCodeAt);
  p.fromCharCode = String.fromCharCode;
  p.test = unbound(RegExp.prototype.exec);
  p.toISOString = unbound(Date.prototype.toISOString);
  p.getTime = unbound(Date.prototype.getTime);
  p.now = Date.now;
  p.functionToString = unbound(Function.prototype.toString);
  p.objectToString = unbound(Object.prototype.toString);
  p.bufferSlice = unbound(ArrayBuffer.prototype.slice);
  p.bufferLength = getter(ArrayBuffer.prototype, "byteLength");
  const TypedArray = getPrototypeOf(Uint8Array);
  p.TypedArray = TypedArray;
  const typedBuffer = getter(TypedArray.prototype, "buffer");
  const typedOffset = getter(TypedArray.prototype, "byteOffset");
  const typedLength = getter(TypedArray.prototype, "byteLength");
  p.typedName = getter(TypedArray.prototype, Symbol.toStringTag);
  p.typedCount = getter(TypedArray.prototype, "length");
  const viewBuffer = getter(DataView.prototype, "buffer");
  const viewOffset = getter(DataView.prototype, "byteOffset");
  const viewLength = getter(DataView.prototype, "byteLength");
  p.typedSet = unbound(TypedArray.prototype.set);
  p.mapSize = getter(Map.prototype, "size");
  p.mapForEach = unbound(Map.prototype.forEach);
  p.mapSet = unbound(Map.prototype.set);
  p.setSize = getter(Set.prototype, "size");
  p.setForEach = unbound(Set.prototype.forEach);
  p.setAdd = unbound(Set.prototype.add);
  p.regexpSource = getter(RegExp.prototype, "source");
  p.regexpFlags = getter(RegExp.prototype, "flags");
  p.Map = Map;
  p.Set = Set;

  // A function, or undefined: for `typeof x === "function"` in one place.
  p.isFunction = (value) => typeof value === "function";
  p.isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function";
  // Text as the web's USVString: lone surrogates replaced.
  p.text = (value) => p.toWellFormed(`${value}`);
  // Does the call throw? The built-in getters throw on a foreign receiver, which tells the kind
  // of an object without trusting its prototype.
  p.isKind = (probe, value) => {
    try {
      probe(value);
      return true;
    } catch {
      return false;
    }
  };
  p.isBuffer = (value) => p.isObject(value) && p.isKind(p.bufferLength, value);

  // [buffer, offset, length] of anything that holds bytes; undefined for the rest.
  p.span = (value) => {
    if (!p.isObject(value)) return undefined;
    if (p.isView(value)) {
      return p.typedName(value) === undefined
        ? [viewBuffer(value), viewOffset(value), viewLength(value)]
        : [typedBuffer(value), typedOffset(value), typedLength(value)];
    }
    return p.isBuffer(value) ? [value, 0, p.bufferLength(value)] : undefined;
  };
  p.needSpan = (value, what) => {
    const span = p.span(value);
    if (span === undefined) throw new TypeError(`${what} must be an ArrayBuffer, a typed array or a DataView`);
    return span;
  };

  // Puts a value where the web has it: hidden from enumeration, replaceable.
  p.expose = (name, value) =>
    defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true, __proto__: null });
  // Methods of our classes are enumerable on the web; their tag names them in console output.
  p.tag = (Class, name) =>
    defineProperty(Class.prototype, Symbol.toStringTag, { value: name, configurable: true, __proto__: null });
  p.hide = (object, name, value) =>
    defineProperty(object, name, { value, writable: true, configurable: true, __proto__: null });

  // Threads do not exist here, and a shared buffer is memory that no other rule thinks of.
  delete globalThis.SharedArrayBuffer;
  delete globalThis.Atomics;
  // A call site would hand out our own functions.
  const before = Error.prepareStackTrace;
  Error.prepareStackTrace = (_, sites) => sites;
  const site = new Error().stack[0];
  Error.prepareStackTrace = before;
  delete getPrototypeOf(site).getFunction;
  delete getPrototypeOf(site).getThis;

  class DevRigError extends Error {
    constructor(message, options) {
      super(message);
      const given = options === undefined || options === null ? p.create(null) : options;
      p.hide(this, "code", given.code === undefined ? "PLUGIN_FAILED" : `${given.code}`);
      p.hide(this, "retryable", given.retryable === true);
      if (given.hint !== undefined && given.hint !== null) p.hide(this, "hint", `${given.hint}`);
      if (typeof given.retryAfterMs === "number") p.hide(this, "retryAfterMs", given.retryAfterMs);
      if (given.cause !== undefined) p.hide(this, "cause", given.cause);
    }
  }
  p.hide(DevRigError.prototype, "name", "DevRigError");
  p.DevRigError = DevRigError;
  p.error = (code, message, hint, retryable, retryAfterMs) =>
    new DevRigError(message, { __proto__: null, code, hint, retryable, retryAfterMs });

  // JSON text of a value, made once. `toJSON` on a built-in prototype is a plugin's doing and is
  // not asked; on an object or class of the plugin's own it is.
  const bare = [Object.prototype, Array.prototype, String.prototype, Number.prototype, Boolean.prototype, BigInt.prototype, Symbol.prototype, Function.prototype];
  const dateToJSON = Date.prototype.toJSON;
  const clean = () => {
    for (let i = 0; i < bare.length; i++) if (p.hasOwn(bare[i], "toJSON")) return false;
    return Date.prototype.toJSON === dateToJSON && Date.prototype.toISOString === toISOString;
  };
  const toISOString = Date.prototype.toISOString;
  const polluted = (method) => {
    for (let i = 0; i < bare.length; i++) {
      const found = getOwnPropertyDescriptor(bare[i], "toJSON");
      if (found !== undefined && (found.value === method || found.get !== undefined)) return true;
    }
    return false;
  };
  const plain = (key, given, open) => {
    let value = given;
    if (p.isObject(value)) {
      if (p.isKind(p.getTime, value)) return p.isFinite(p.getTime(value)) ? p.toISOString(value) : null;
      const method = value.toJSON;
      if (p.isFunction(method) && !polluted(method)) value = apply(method, value, [key]);
    }
    if (typeof value !== "object" || value === null) return value;
    if (open.has(value)) throw new TypeError("circular reference");
    open.add(value);
    let copy;
    if (p.isArray(value)) {
      copy = [];
      for (let i = 0, length = value.length; i < length; i++) p.push(copy, plain(`${i}`, value[i], open));
      p.setPrototypeOf(copy, null);
    } else {
      copy = p.create(null);
      const keys = p.keys(value);
      for (let i = 0; i < keys.length; i++) copy[keys[i]] = plain(keys[i], value[keys[i]], open);
    }
    open.delete(value);
    return copy;
  };
  p.encode = (value, what) => {
    let text;
    try {
      text = p.stringify(clean() ? value : plain("", value, new p.SafeSet()));
    } catch (cause) {
      if (cause === null) throw cause; // out of memory
      let reason = "it cannot be read";
      try {
        reason = `${cause.message}`;
      } catch {}
      throw new DevRigError(`${what} cannot be sent as JSON: ${reason}`, {
        __proto__: null,
        code: "INVALID_INPUT",
        hint: "Pass plain data: no cycles, no BigInt, no getters that throw.",
        cause,
      });
    }
    return text === undefined ? "null" : text;
  };
});
