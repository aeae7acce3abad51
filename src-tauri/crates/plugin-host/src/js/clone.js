// structuredClone.
(function (p) {
  "use strict";

  const refuse = (value) => {
    let what;
    try {
      what = p.isFunction(value) ? `the function ${value.name || "(anonymous)"}` : p.objectToString(value);
    } catch {
      what = typeof value;
    }
    return new p.DOMException(`${what} cannot be cloned`, "DataCloneError");
  };
  const errors = { __proto__: null, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
  const arrays = {
    __proto__: null, Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
    BigInt64Array, BigUint64Array, Float32Array, Float64Array,
  };
  if (typeof Float16Array === "function") arrays.Float16Array = Float16Array;
  const boxes = [Boolean, Number, String, BigInt];
  const unbox = [];
  for (let i = 0; i < boxes.length; i++) {
    const valueOf = boxes[i].prototype.valueOf;
    p.push(unbox, (value) => p.apply(valueOf, value, []));
  }
  const { defineProperty } = Reflect;
  const define = (object, key, value) => {
    defineProperty(object, key, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
  };

  const clone = (value, seen) => {
    if (typeof value === "symbol" || p.isFunction(value)) throw refuse(value);
    if (!p.isObject(value)) return value;
    if (seen.has(value)) return seen.get(value);
    const keep = (copy) => {
      seen.set(value, copy);
      return copy;
    };
    if (p.isKind(p.getTime, value)) return keep(new p.Date(p.getTime(value)));
    if (p.isBuffer(value)) return keep(p.bufferSlice(value, 0));
    if (p.isView(value)) {
      const span = p.span(value);
      const buffer = clone(span[0], seen);
      const name = p.typedName(value);
      return keep(name === undefined
        ? new p.DataView(buffer, span[1], span[2])
        : new arrays[name](buffer, span[1], p.typedCount(value)));
    }
    for (let i = 0; i < boxes.length; i++) {
      if (p.isKind(unbox[i], value)) return keep(p.Object(unbox[i](value)));
    }
    if (p.isKind(p.mapSize, value)) {
      const copy = keep(new p.Map());
      const pairs = [];
      p.mapForEach(value, (held, key) => p.push(pairs, [key, held]));
      for (let i = 0; i < pairs.length; i++) p.mapSet(copy, clone(pairs[i][0], seen), clone(pairs[i][1], seen));
      return copy;
    }
    if (p.isKind(p.setSize, value)) {
      const copy = keep(new p.Set());
      const held = [];
      p.setForEach(value, (entry) => p.push(held, entry));
      for (let i = 0; i < held.length; i++) p.setAdd(copy, clone(held[i], seen));
      return copy;
    }
    const tag = p.objectToString(value);
    if (tag === "[object RegExp]" && isRegExp(value)) return keep(new p.RegExp(p.regexpSource(value), p.regexpFlags(value)));
    if (isError(value)) {
      const Class = errors[value.name] ?? p.Error;
      const copy = keep(new Class(value.message === undefined ? "" : `${value.message}`));
      p.hide(copy, "stack", value.stack);
      if (p.hasOwn(value, "cause")) p.hide(copy, "cause", clone(value.cause, seen));
      return copy;
    }
    if (isOpaque(value)) throw refuse(value);
    const copy = keep(p.isArray(value) ? new p.Array(value.length) : {});
    const keys = p.keys(value);
    for (let i = 0; i < keys.length; i++) define(copy, keys[i], clone(value[keys[i]], seen));
    return copy;
  };
  // `source` answers on the prototype too, `exec` only on a real one.
  const exec = RegExp.prototype.exec;
  const isRegExp = (value) => p.isKind((regexp) => {
    const at = regexp.lastIndex;
    p.apply(exec, regexp, [""]);
    regexp.lastIndex = at;
  }, value);
  const isError = p.Error.isError ?? ((value) => value instanceof p.Error);
  const weakHas = WeakMap.prototype.has;
  const weakSetHas = WeakSet.prototype.has;
  const deref = WeakRef.prototype.deref;
  const { then } = p;
  const isOpaque = (value) =>
    p.isKind((it) => p.apply(weakHas, it, [p]), value) ||
    p.isKind((it) => p.apply(weakSetHas, it, [p]), value) ||
    p.isKind((it) => p.apply(deref, it, []), value) ||
    p.isKind((it) => then(it), value);

  p.expose("structuredClone", function structuredClone(value, options) {
    if (arguments.length === 0) throw new p.TypeError("structuredClone needs a value");
    const transfer = options?.transfer === undefined ? [] : p.list(options.transfer);
    for (let i = 0; i < transfer.length; i++) if (!p.isBuffer(transfer[i])) throw refuse(transfer[i]);
    const copy = clone(value, new p.SafeMap());
    for (let i = 0; i < transfer.length; i++) detach(transfer[i]);
    return copy;
  });
  const { transfer } = ArrayBuffer.prototype;
  const detach = (buffer) => p.apply(transfer, buffer, [0]);
});
