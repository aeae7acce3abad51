// setTimeout and friends, queueMicrotask, performance; and how errors nobody catches are told.
(function (p, native) {
  "use strict";

  const armed = new p.SafeMap();
  const arm = (what, callback, delay, args, interval) => {
    if (!p.isFunction(callback)) throw new p.TypeError(`${what} needs a function`);
    const wait = p.Number(delay);
    const id = native.setTimer(wait);
    if (id === 0) {
      throw p.error("QUOTA_EXCEEDED", "too many timers are armed", "Clear timers that are no longer needed.");
    }
    armed.set(id, { __proto__: null, callback, args, interval, wait });
    return id;
  };
  const clear = (id) => {
    const number = p.Number(id);
    // An interval keeps its first id for the plugin while the native timer changes.
    const entry = armed.get(number);
    if (entry === undefined) return;
    armed.delete(number);
    native.clearTimer(entry.current === undefined ? number : entry.current);
    if (entry.current !== undefined) renamed.delete(entry.current);
  };
  const renamed = new p.SafeMap();

  p.setTimer = (callback, delay) => arm("a timer", callback, delay, []);
  p.clearTimer = clear;
  p.fireTimer = (native_id) => {
    const id = renamed.get(native_id) ?? native_id;
    renamed.delete(native_id);
    const entry = armed.get(id);
    if (entry === undefined) return;
    if (entry.interval) {
      // Its own slot has just become free, so this cannot be refused.
      entry.current = native.setTimer(entry.wait);
      renamed.set(entry.current, id);
    } else {
      armed.delete(id);
    }
    try {
      p.apply(entry.callback, undefined, entry.args);
    } catch (error) {
      p.report("Uncaught in a timer", error);
    }
  };

  p.expose("setTimeout", function setTimeout(callback, delay = 0, ...args) {
    return arm("setTimeout", callback, delay, args, false);
  });
  p.expose("setInterval", function setInterval(callback, delay = 0, ...args) {
    return arm("setInterval", callback, delay, args, true);
  });
  p.expose("clearTimeout", function clearTimeout(id) { clear(id); });
  p.expose("clearInterval", function clearInterval(id) { clear(id); });

  const settled = new p.Promise((resolve) => resolve());
  p.hide(settled, "constructor", undefined); // so that `then` asks no species
  p.expose("queueMicrotask", function queueMicrotask(callback) {
    if (!p.isFunction(callback)) throw new p.TypeError("queueMicrotask needs a function");
    p.then(settled, () => {
      try {
        callback();
      } catch (error) {
        p.report("Uncaught in a microtask", error);
      }
    });
  });

  class Performance {
    now() { return native.now(); }
    get timeOrigin() { return origin; }
    toJSON() { return { timeOrigin: origin }; }
  }
  const origin = p.now() - native.now();
  p.tag(Performance, "Performance");
  p.expose("performance", new Performance());

  // The fields of anything thrown, read with care: it may be a proxy or have getters that throw.
  const field = (error, name) => {
    try {
      return error[name];
    } catch {
      return undefined;
    }
  };
  const clip = (value, most) => {
    if (typeof value !== "string") return undefined;
    return value.length > most ? `${p.substring(value, 0, most)}…` : value;
  };
  const known = { __proto__: null, AbortError: "CANCELLED", TimeoutError: "TIMEOUT" };
  p.failure = (error) => {
    // The engine throws null when the heap is full.
    if (error === null) {
      return { __proto__: null, name: "RangeError", code: "TOO_LARGE", message: "out of memory, or null was thrown", retryable: false };
    }
    if (!p.isObject(error)) {
      let message;
      try {
        message = `${error}`;
      } catch {
        message = typeof error;
      }
      return { __proto__: null, name: "Error", code: "PLUGIN_FAILED", message: clip(message, 8192), retryable: false };
    }
    const name = clip(field(error, "name"), 200) ?? "Error";
    const message = clip(field(error, "message"), 8192) ?? "an object without a message was thrown";
    const full = name === "InternalError" && message === "out of memory";
    const code = full ? "TOO_LARGE" : clip(field(error, "code"), 100) ?? known[name] ?? "PLUGIN_FAILED";
    const stack = clip(field(error, "stack"), 32768);
    const retryAfter = field(error, "retryAfterMs");
    return {
      __proto__: null,
      name,
      code,
      message,
      retryable: field(error, "retryable") === true,
      stack: stack === undefined ? null : native.readableStack(stack),
      hint: clip(field(error, "hint"), 2000) ?? null,
      // Neither NaN nor an infinity is JSON.
      retryAfterMs: typeof retryAfter === "number" && retryAfter >= 0 && retryAfter <= 1e12 ? retryAfter : null,
    };
  };
  p.describe = (error) => {
    const { name, message, stack } = p.failure(error);
    return `${name}: ${message}${stack ? `\n${stack}` : ""}`;
  };
  p.report = (where, error) => native.log("error", `${where}: ${p.describe(error)}`, "null");

  // Runs plugin code and tells how it ended, now or later. The `then` of a real promise is never
  // looked up: the answer must come whatever a plugin did to the prototype.
  p.settle = (run, ended, failed) => {
    let value;
    try {
      value = run();
    } catch (error) {
      failed(error);
      return;
    }
    const promise = native.isPromise(value) ? value : new p.Promise((resolve) => resolve(value));
    try {
      p.then(promise, ended, failed);
    } catch {
      // Its constructor was tampered with; with none of its own, the built-in one is used.
      p.hide(promise, "constructor", undefined);
      p.then(promise, ended, failed);
    }
  };

  // Rejections that nobody handles by the end of the turn.
  const rejected = new p.SafeMap();
  p.rejection = (promise, reason, handled) => {
    if (handled) rejected.delete(promise);
    else if (rejected.size < 100) rejected.set(promise, reason);
  };
  p.flushRejections = () => {
    if (rejected.size === 0) return;
    const reasons = [];
    rejected.forEach((reason, promise) => {
      p.push(reasons, reason);
      rejected.delete(promise);
    });
    for (let i = 0; i < reasons.length; i++) p.report("Unhandled rejection", reasons[i]);
  };

  // Any iterable as a list of our own.
  p.list = (iterable) => {
    const list = [];
    if (p.isArray(iterable)) {
      for (let i = 0; i < iterable.length; i++) p.push(list, iterable[i]);
      return list;
    }
    const method = iterable?.[p.iterator];
    if (!p.isFunction(method)) throw new p.TypeError("expected something iterable");
    const iterator = p.apply(method, iterable, []);
    const next = iterator.next;
    for (;;) {
      const step = p.apply(next, iterator, []);
      if (step.done) return list;
      p.push(list, step.value);
    }
  };
});
