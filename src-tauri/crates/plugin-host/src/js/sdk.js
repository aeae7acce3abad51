// The SDK object, and what the worker's loop calls.
(function (p, native, MAX_IN_FLIGHT) {
  "use strict";

  // ---- host calls ----

  const MAX_WAITING = 20000;
  const pending = new p.SafeMap(); // id → [resolve, reject]
  let waiting = []; // calls over the in-flight cap, in order
  let first = 0;

  // The natives give a text with code and message where something could not be sent.
  const unsent = (text, what) => {
    const { code, message, hint } = p.parse(text);
    return p.error(code, `${what}: ${message}`, hint);
  };
  const send = (entry) => {
    const id = native.host(entry.call, entry.method, entry.params);
    if (typeof id === "string") entry.reject(unsent(id, entry.method));
    else pending.set(id, entry);
  };
  const pump = () => {
    while (first < waiting.length && pending.size < MAX_IN_FLIGHT) {
      const entry = waiting[first];
      waiting[first++] = undefined;
      send(entry);
    }
    if (first === waiting.length) {
      waiting = [];
      first = 0;
    }
  };
  // Throws what is wrong with the arguments; everything later goes to `resolve` or `reject`.
  p.ask = (call, method, params, resolve, reject) => {
    if (waiting.length - first >= MAX_WAITING) {
      throw p.error("QUOTA_EXCEEDED", `${method}: too many calls wait for an answer`, "Await calls before making more.", true);
    }
    // Serialised here and once: what the value does later changes nothing.
    const entry = { __proto__: null, call, method, params: p.encode(params, `the arguments of ${method}`), resolve, reject };
    if (pending.size < MAX_IN_FLIGHT) send(entry);
    else p.push(waiting, entry);
  };
  p.host = (call, method, params) => new p.Promise((resolve, reject) => p.ask(call, method, params, resolve, reject));
  const reply = (id, outcome) => {
    const entry = pending.get(id);
    if (entry === undefined) return;
    pending.delete(id);
    if (outcome === null) entry.reject(p.error("TOO_LARGE", `${entry.method}: out of memory while reading the answer`));
    else if (p.hasOwn(outcome, "ok")) entry.resolve(outcome.ok);
    else entry.reject(hostError(entry.method, outcome.err));
    pump();
  };
  const hostError = (method, failure) =>
    p.error(failure.code, failure.message || `${method} failed`, failure.hint ?? undefined, failure.retryable, failure.retryAfterMs);

  // ---- running handlers ----

  const running = new p.SafeMap(); // call id → its AbortSignal
  let only = 0;
  const open = (id) => {
    const signal = p.makeSignal();
    running.set(id, signal);
    only = running.size === 1 ? id : 0;
    return signal;
  };
  const close = (id) => {
    running.delete(id);
    only = 0;
    if (running.size === 1) running.forEach((_, left) => { only = left; });
  };
  // For the calls that name no handler: right while one handler runs, 0 when several do.
  p.currentCall = () => only;

  const finish = (id, run) => p.settle(
    run,
    (value) => {
      close(id);
      try {
        const left = native.done(id, p.encode(value, "the result"));
        if (typeof left === "string") fail(id, unsent(left, "the result"));
      } catch (error) {
        fail(id, error);
      }
    },
    (error) => {
      close(id);
      fail(id, error);
    },
  );
  const fail = (id, error) => native.fail(id, p.stringify(p.failure(error)));

  const abort = (id, why) => {
    const signal = running.get(id);
    if (signal === undefined) return;
    const reason = why === "timeout"
      ? new p.DOMException("The call took longer than allowed", "TimeoutError")
      : new p.DOMException("The call was cancelled", "AbortError");
    p.fireSignal(signal, reason);
  };

  // ---- the SDK ----

  const logger = () => {
    const at = (level) => (message, meta) => {
      const text = typeof message === "string" ? message : p.show(message);
      native.log(level, text, meta === undefined ? "null" : meta instanceof p.Error ? p.stringify(p.failure(meta)) : p.encode(meta, "the meta of a log line"));
    };
    return p.freeze({ debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") });
  };
  const secretsFor = (call) => p.freeze({
    ref: (name) => p.host(call(), "secrets.ref", { __proto__: null, name }),
    get: (name) => p.host(call(), "secrets.get", { __proto__: null, name }),
    basic: (user, password) => p.host(call(), "secrets.basic", { __proto__: null, user, password }),
    list: () => p.host(call(), "secrets.list", { __proto__: null }),
  });
  const httpFor = (call) => p.freeze({ fetch: (input, init) => p.fetch(call(), input, init) });

  const unsupported = (what) => () => {
    throw p.error("UNSUPPORTED", `${what} is not available in this version of DevRig`, "Update DevRig, or leave this part out of the plugin.");
  };

  let phase = "loading"; // loading, activating, active
  let refused = null; // a registration that fails the activation, even when the plugin catches it
  let info;
  const sources = new p.SafeMap();
  const actions = new p.SafeMap();
  const conditions = new p.SafeMap();
  const hooks = new p.SafeMap();
  const triggers = new p.SafeMap();
  let connection; // what asks the service who the account's secret belongs to
  const activateCallbacks = [];
  const deactivateCallbacks = [];

  const register = (kind, declared, handlers, id, handler) => {
    const refuse = (error) => {
      refused ??= error;
      throw error;
    };
    const name = `${id}`;
    if (phase === "active") throw p.error("INVALID_INPUT", `${kind} "${name}" was registered after activation`, "Register in the activate callback.");
    let known = false;
    for (let i = 0; i < declared.length; i++) known ||= declared[i] === name;
    if (!known) refuse(p.error("REFUSED", `${kind} "${p.substring(name, 0, 200)}" is not declared in the manifest`, "Add it to capabilities in devrig-plugin.json."));
    if (handlers.has(name)) refuse(p.error("CONFLICT", `${kind} "${name}" is registered twice`));
    handlers.set(name, handler);
  };

  const topics = new p.SafeMap();
  const on = (topic, handler) => {
    if (!p.isFunction(handler)) throw new p.TypeError("events.on needs a function");
    const name = `${topic}`;
    let handlers = topics.get(name);
    if (handlers === undefined) {
      handlers = [];
      topics.set(name, handlers);
      p.ask(p.currentCall(), "events.subscribe", { __proto__: null, topic: name }, () => {}, (error) => {
        topics.delete(name);
        p.report(`Cannot subscribe to "${name}"`, error);
      });
    }
    p.push(handlers, handler);
    return () => {
      for (let i = 0; i < handlers.length; i++) if (handlers[i] === handler) p.splice(handlers, i, 1);
    };
  };

  const here = () => p.currentCall();
  const quiet = (promise, what) => {
    p.settle(() => promise, undefined, (error) => p.report(what, error));
    return promise;
  };

  const deepFreeze = (value) => {
    if (typeof value !== "object" || value === null) return value;
    const keys = p.ownKeys(value);
    for (let i = 0; i < keys.length; i++) deepFreeze(value[keys[i]]);
    return p.freeze(value);
  };

  const sdk = {
    activate: (callback) => {
      if (!p.isFunction(callback)) throw new p.TypeError("devrig.activate needs a function");
      if (phase !== "loading") throw p.error("INVALID_INPUT", "devrig.activate was called after the plugin was loaded");
      p.push(activateCallbacks, callback);
    },
    deactivate: (callback) => {
      if (!p.isFunction(callback)) throw new p.TypeError("devrig.deactivate needs a function");
      p.push(deactivateCallbacks, callback);
    },
    definePlugin: (plugin) => plugin,
    dataSources: {
      register: (id, source) => {
        if (!p.isFunction(source?.sync)) throw new p.TypeError(`data source "${id}" needs a sync function`);
        register("data source", info.declared.dataSources, sources, id, source);
      },
    },
    actions: {
      register: (id, executor) => {
        const execute = p.isFunction(executor) ? executor : executor?.execute;
        if (!p.isFunction(execute)) throw new p.TypeError(`action "${id}" needs a function`);
        register("action", info.declared.actions, actions, id, { __proto__: null, execute, self: p.isFunction(executor) ? undefined : executor });
      },
    },
    triggers: {
      register: (id, handler) => {
        if (!p.isFunction(handler?.poll)) throw new p.TypeError(`trigger "${id}" needs a poll function`);
        register("trigger", info.declared.triggers, triggers, id, handler);
      },
      fire: (id, payload, options) => p.host(p.currentCall(), "triggers.fire", {
        __proto__: null, trigger: id, payload: payload === undefined ? null : payload, id: options?.id,
      }),
    },
    conditions: {
      register: (id, evaluator) => {
        const evaluate = p.isFunction(evaluator) ? evaluator : evaluator?.evaluate;
        if (!p.isFunction(evaluate)) throw new p.TypeError(`condition "${id}" needs a function`);
        register("condition", info.declared.conditions, conditions, id, { __proto__: null, evaluate, self: p.isFunction(evaluator) ? undefined : evaluator });
      },
    },
    hooks: {
      register: (id, hook) => {
        const before = hook?.before;
        const after = hook?.after;
        if (!p.isFunction(before) && !p.isFunction(after)) throw new p.TypeError(`hook "${id}" needs a before or an after function`);
        register("hook", info.declared.hooks, hooks, id, { __proto__: null, before, after, self: hook });
      },
    },
    connection: {
      register: (handler) => {
        const refuse = (error) => {
          refused ??= error;
          throw error;
        };
        if (!p.isFunction(handler?.check)) throw new p.TypeError("a connection needs a check function");
        if (phase === "active") throw p.error("INVALID_INPUT", "the connection was registered after activation", "Register in the activate callback.");
        if (info.declared.connection !== true) refuse(p.error("REFUSED", "a connection is not declared in the manifest", "Add connection to devrig-plugin.json."));
        if (connection !== undefined) refuse(p.error("CONFLICT", "the connection is registered twice"));
        connection = handler;
      },
    },
    log: logger(),
    secrets: secretsFor(here),
    http: httpFor(here),
    storage: {
      get: (key) => p.host(p.currentCall(), "storage.get", { __proto__: null, key }),
      set: (key, value) => p.host(p.currentCall(), "storage.set", { __proto__: null, key, value: value === undefined ? null : value }),
      delete: (key) => p.host(p.currentCall(), "storage.delete", { __proto__: null, key }),
      list: (prefix) => p.host(p.currentCall(), "storage.list", { __proto__: null, prefix }),
    },
    events: {
      emit: (topic, data) => p.host(p.currentCall(), "events.emit", { __proto__: null, topic, data: data === undefined ? null : data }),
      on,
    },
    notify: (message, body) => p.isObject(message)
      ? p.host(p.currentCall(), "notify", { __proto__: null, title: message.title, body: message.body ?? "" })
      : p.host(p.currentCall(), "notify", { __proto__: null, title: message, body: body ?? "" }),
    git: {
      discover: (folder, options) => p.host(p.currentCall(), "git.discover", { __proto__: null, folder, depth: options?.depth }),
      state: (repository) => p.host(p.currentCall(), "git.state", { __proto__: null, repository }),
      fetch: (repository, options) => p.host(p.currentCall(), "git.fetch", { __proto__: null, repository, remote: typeof options === "string" ? options : options?.remote }),
    },
    desktop: {
      openFolder: (path) => p.host(p.currentCall(), "desktop.openFolder", { __proto__: null, path }),
    },
    aiPipelines: { register: unsupported("sdk.aiPipelines") },
    views: { register: unsupported("sdk.views") },
    ai: { registerProvider: unsupported("sdk.ai") },
    exporters: { register: unsupported("sdk.exporters") },
    services: { register: unsupported("sdk.services") },
    DevRigError: p.DevRigError,
  };

  // ---- what the loop calls ----

  const start = (given) => {
    info = given;
    sdk.settings = deepFreeze(info.settings);
    sdk.version = info.pluginVersion;
    sdk.pluginId = info.pluginId;
    sdk.accountId = info.accountId;
    sdk.apiVersion = info.apiVersion;
    const keys = p.ownKeys(sdk);
    for (let i = 0; i < keys.length; i++) if (typeof sdk[keys[i]] === "object" && keys[i] !== "settings") p.freeze(sdk[keys[i]]);
    p.freeze(sdk);
    p.expose("devrig", sdk);
    return sdk;
  };

  const names = (handlers) => {
    const list = [];
    handlers.forEach((_, name) => p.push(list, name));
    return list;
  };
  // `loading` is the promise of the entry module.
  const activate = (loading) => {
    open(0);
    const failed = (error) => {
      close(0);
      fail(0, refused ?? error);
    };
    const next = (at) => {
      if (at < activateCallbacks.length) {
        p.settle(() => activateCallbacks[at](sdk), () => next(at + 1), failed);
      } else if (refused !== null) {
        failed(refused);
      } else {
        close(0);
        phase = "active";
        native.activated(p.encode({ __proto__: null, dataSources: names(sources), actions: names(actions), conditions: names(conditions), hooks: names(hooks), triggers: names(triggers), connection: connection !== undefined }, "the registrations"));
      }
    };
    const begin = (namespace) => {
      const plugin = namespace.default;
      if (p.isObject(plugin) && plugin !== sdk) {
        const first = plugin.activate;
        const last = plugin.deactivate;
        if (p.isFunction(first)) p.push(activateCallbacks, (sdk) => p.apply(first, plugin, [sdk]));
        if (p.isFunction(last)) p.push(deactivateCallbacks, () => p.apply(last, plugin, []));
      }
      if (activateCallbacks.length === 0) {
        throw p.error("INVALID_INPUT", "the plugin has no activate callback", "Call devrig.activate(async (sdk) => …), or export default { activate(sdk) { … } }.");
      }
      phase = "activating";
    };
    p.settle(() => loading, (namespace) => p.settle(() => begin(namespace), () => next(0), failed), failed);
  };

  const ended = (id) => {
    if (running.has(id)) return undefined;
    return new p.Promise((_, reject) => reject(p.error("INVALID_INPUT", "the sync that this object belongs to has ended")));
  };

  const sync = (id, name, input) => {
    const source = sources.get(name);
    const signal = open(id);
    const bound = (method) => (params) => ended(id) ?? p.host(id, method, params);
    const ds = p.freeze({
      storeItems: (items) => bound("inbox.storeItems")({ __proto__: null, items }),
      queryItems: (query) => bound("inbox.queryItems")(query === undefined ? { __proto__: null } : query),
      markRead: (externalIds) => bound("inbox.markRead")({ __proto__: null, externalIds }),
      archive: (externalIds) => bound("inbox.archive")({ __proto__: null, externalIds }),
      reportSyncProgress: (progress) => quiet(bound("sync.progress")(progress), "Cannot report progress"),
      backfill: input.backfill === true,
      signal,
    });
    finish(id, () => {
      if (source === undefined) throw p.error("NOT_FOUND", `data source "${name}" is not registered`);
      return source.sync(input.cursor ?? undefined, ds);
    });
  };

  const action = (id, name, input) => {
    const handler = actions.get(name);
    const signal = open(id);
    const context = p.freeze({
      inboxItem: input.item ?? undefined,
      logger: sdk.log,
      secrets: secretsFor(() => id),
      http: httpFor(() => id),
      signal,
      idempotencyKey: input.idempotencyKey,
    });
    finish(id, () => {
      if (handler === undefined) throw p.error("NOT_FOUND", `action "${name}" is not registered`);
      return p.apply(handler.execute, handler.self, [input.input, context]);
    });
  };

  // What a handler is given beside what it is asked.
  const beside = (id) => ({
    logger: sdk.log,
    secrets: secretsFor(() => id),
    http: httpFor(() => id),
    signal: open(id),
  });
  // The same, with the flow that asks.
  const asking = (id, flow) => p.freeze({ flow: p.freeze(flow), ...beside(id) });

  const poll = (id, name, input) => {
    const handler = triggers.get(name);
    const context = asking(id, input.flow);
    finish(id, () => {
      if (handler === undefined) throw p.error("NOT_FOUND", `trigger "${name}" is not registered`, "Register it in the activate callback.");
      return handler.poll(input.config, input.cursor ?? undefined, context);
    });
  };

  const condition = (id, name, input) => {
    const handler = conditions.get(name);
    const context = asking(id, input.flow);
    finish(id, () => {
      if (handler === undefined) throw p.error("NOT_FOUND", `condition "${name}" is not registered`, "Register it in the activate callback.");
      return p.apply(handler.evaluate, handler.self, [input.args, context]);
    });
  };

  const hook = (id, name, when, given) => {
    const registered = hooks.get(name);
    p.push(given, p.freeze(beside(id)));
    finish(id, () => {
      const handler = registered?.[when];
      if (!p.isFunction(handler)) throw p.error("NOT_FOUND", `hook "${name}" has no ${when} function`, "Register it in the activate callback.");
      return p.apply(handler, registered.self, given);
    });
  };
  const before = (id, name, call) => hook(id, name, "before", [call]);
  const after = (id, name, report) => hook(id, name, "after", [report.call, report.outcome]);

  const check = (id) => {
    open(id);
    finish(id, () => {
      if (connection === undefined) throw p.error("NOT_FOUND", "the plugin registered no connection");
      return connection.check();
    });
  };

  const event = (topic, data) => {
    const handlers = topics.get(topic);
    if (handlers === undefined) return;
    const list = p.slice(handlers);
    for (let i = 0; i < list.length; i++) {
      p.settle(() => list[i](data), undefined, (error) => p.report(`In the handler of "${topic}"`, error));
    }
  };

  const stop = () => {
    running.forEach((_, id) => abort(id, "cancelled"));
    const next = (at) => {
      if (at === deactivateCallbacks.length) {
        native.stopped();
        return;
      }
      const on = () => next(at + 1);
      p.settle(() => deactivateCallbacks[at](), on, (error) => {
        p.report("In the deactivate callback", error);
        on();
      });
    };
    next(0);
  };

  return p.freeze({
    start,
    activate,
    sync,
    action,
    condition,
    poll,
    before,
    after,
    check,
    abort,
    reply,
    event,
    timer: p.fireTimer,
    stop,
    rejection: p.rejection,
    flushRejections: p.flushRejections,
    describe: p.describe,
  });
});
