// console, whose lines go to the plugin's log.
(function (p, native) {
  "use strict";

  const quote = (text) => p.stringify(text);
  const simple = /^[A-Za-z_$][\w$]*$/;
  const className = (value) => {
    try {
      const name = p.getPrototypeOf(value)?.constructor?.name;
      return typeof name === "string" && name !== "" ? name : "Object";
    } catch {
      return "Object";
    }
  };
  const MOST = 100; // entries shown of one collection

  const inspect = (value, depth, open) => {
    switch (typeof value) {
      case "string": return quote(value);
      case "bigint": return `${value}n`;
      case "symbol": return p.String(value);
      case "function": return `[Function ${value.name || "(anonymous)"}]`;
      case "object": break;
      default: return Object_is(value, -0) ? "-0" : `${value}`;
    }
    if (value === null) return "null";
    if (open.has(value)) return "[Circular]";
    if (p.isKind(p.getTime, value)) return p.isFinite(p.getTime(value)) ? p.toISOString(value) : "Invalid Date";
    if (value instanceof p.Error) return p.describe(value);
    const name = className(value);
    if (p.isURL(value)) return `URL ${value.href}`;
    if (p.isParams(value)) return `URLSearchParams ${quote(p.paramsText(value))}`;
    if (depth < 0) return p.isArray(value) ? "[Array]" : `[${name}]`;
    open.add(value);
    const parts = [];
    let shape = "{}";
    let prefix = name === "Object" ? "" : `${name} `;
    const deeper = (entry) => inspect(entry, depth - 1, open);
    if (p.isArray(value) || (p.isView(value) && p.typedName(value) !== undefined)) {
      shape = "[]";
      prefix = name === "Array" ? "" : `${name}(${value.length}) `;
      for (let i = 0; i < value.length && i < MOST; i++) p.push(parts, deeper(value[i]));
      if (value.length > MOST) p.push(parts, `… ${value.length - MOST} more`);
    } else if (p.isKind(p.mapSize, value)) {
      prefix = `Map(${p.mapSize(value)}) `;
      p.mapForEach(value, (held, key) => { if (parts.length < MOST) p.push(parts, `${deeper(key)} => ${deeper(held)}`); });
    } else if (p.isKind(p.setSize, value)) {
      prefix = `Set(${p.setSize(value)}) `;
      p.setForEach(value, (held) => { if (parts.length < MOST) p.push(parts, deeper(held)); });
    } else if (p.isKind(p.regexpSource, value) && p.objectToString(value) === "[object RegExp]") {
      open.delete(value);
      return `/${p.regexpSource(value)}/${p.regexpFlags(value)}`;
    } else if (p.isBuffer(value)) {
      p.push(parts, `byteLength: ${p.bufferLength(value)}`);
    } else {
      const keys = p.keys(value);
      for (let i = 0; i < keys.length && i < MOST; i++) {
        const found = p.getOwnPropertyDescriptor(value, keys[i]);
        const shown = found?.get !== undefined ? "[Getter]" : deeper(found?.value);
        p.push(parts, `${p.test(simple, keys[i]) ? keys[i] : quote(keys[i])}: ${shown}`);
      }
      if (keys.length > MOST) p.push(parts, `… ${keys.length - MOST} more`);
    }
    open.delete(value);
    if (parts.length === 0) return `${prefix}${shape}`;
    const inner = p.join(parts, ", ");
    const wide = shape === "{}" ? ` ${inner} ` : inner;
    return `${prefix}${shape[0]}${wide}${shape[1]}`;
  };
  const Object_is = Object.is;
  const show = (value) => {
    try {
      return inspect(value, 3, new p.SafeSet());
    } catch (error) {
      if (error === null) throw error;
      return "[unreadable]";
    }
  };

  const format = (args) => {
    const parts = [];
    let next = 0;
    if (typeof args[0] === "string" && args.length > 1 && p.indexOf(args[0], "%") >= 0) {
      const text = args[0];
      let out = "";
      next = 1;
      for (let i = 0; i < text.length; i++) {
        const kind = text[i] === "%" ? text[i + 1] : undefined;
        if (kind === "%") {
          out += "%";
          i++;
        } else if (kind !== undefined && next < args.length && p.indexOf("sdifoOjc", kind) >= 0) {
          const value = args[next++];
          i++;
          if (kind === "s") out += p.isObject(value) ? show(value) : p.String(value);
          else if (kind === "d") out += p.isObject(value) ? "NaN" : `${p.Number(value)}`;
          else if (kind === "i") out += p.isObject(value) ? "NaN" : `${parseInt_(value)}`;
          else if (kind === "f") out += typeof value === "symbol" ? "NaN" : `${parseFloat_(value)}`;
          else if (kind === "j") out += p.encode(value, "a log line");
          else if (kind !== "c") out += show(value);
        } else {
          out += text[i];
        }
      }
      p.push(parts, out);
    }
    for (; next < args.length; next++) p.push(parts, typeof args[next] === "string" ? args[next] : show(args[next]));
    return p.join(parts, " ");
  };
  const parseInt_ = parseInt;
  const parseFloat_ = parseFloat;
  p.show = show;

  let indent = "";
  const line = (level, args) => native.log(level, indent + format(args), "null");
  const counts = new p.SafeMap();
  const clocks = new p.SafeMap();
  const console = {
    log: (...args) => line("info", args),
    info: (...args) => line("info", args),
    warn: (...args) => line("warn", args),
    error: (...args) => line("error", args),
    debug: (...args) => line("debug", args),
    trace: (...args) => line("debug", [format(args) || "Trace", `\n${native.readableStack(new p.Error().stack)}`]),
    dir: (value) => line("info", [show(value)]),
    table: (value) => line("info", [show(value)]),
    assert: (held, ...args) => { if (!held) line("error", args.length === 0 ? ["Assertion failed"] : ["Assertion failed:", format(args)]); },
    count: (label = "default") => {
      const count = (counts.get(label) ?? 0) + 1;
      if (counts.size < 1000) counts.set(label, count);
      line("info", [`${label}: ${count}`]);
    },
    countReset: (label = "default") => counts.delete(label),
    group: (...args) => {
      if (args.length > 0) line("info", args);
      if (indent.length < 40) indent += "  ";
    },
    groupEnd: () => { indent = p.substring(indent, 2); },
    time: (label = "default") => { if (clocks.size < 1000) clocks.set(label, native.now()); },
    timeEnd: (label = "default") => {
      const start = clocks.get(label);
      clocks.delete(label);
      if (start !== undefined) line("info", [`${label}: ${native.now() - start} ms`]);
    },
  };
  console.groupCollapsed = console.group;
  console.timeLog = (label = "default") => {
    const start = clocks.get(label);
    if (start !== undefined) line("info", [`${label}: ${native.now() - start} ms`]);
  };
  p.expose("console", console);
});
