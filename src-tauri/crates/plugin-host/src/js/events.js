// DOMException, Event, EventTarget, AbortController, AbortSignal.
(function (p, native) {
  "use strict";

  const codes = {
    __proto__: null, IndexSizeError: 1, NotFoundError: 8, NotSupportedError: 9, InvalidStateError: 11,
    SyntaxError: 12, InvalidAccessError: 15, TypeMismatchError: 17, NetworkError: 19, AbortError: 20,
    QuotaExceededError: 22, TimeoutError: 23, DataCloneError: 25,
  };
  class DOMException extends p.Error {
    #name;
    constructor(message = "", name = "Error") {
      super(`${message}`);
      // The second argument may be options, as newer specifications have it.
      if (p.isObject(name)) {
        if ("cause" in name) p.hide(this, "cause", name.cause);
        this.#name = name.name === undefined ? "Error" : `${name.name}`;
      } else {
        this.#name = `${name}`;
      }
    }
    get name() {
      return this.#name;
    }
    get code() {
      return codes[this.#name] ?? 0;
    }
  }
  p.tag(DOMException, "DOMException");
  p.DOMException = DOMException;
  p.expose("DOMException", DOMException);

  class Event {
    #type;
    #cancelable;
    #prevented = false;
    #stopped = false;
    #target = null;
    #at = native.now();
    constructor(type, init) {
      if (arguments.length === 0) throw new p.TypeError("Event needs a type");
      this.#type = p.text(type);
      this.#cancelable = !!init?.cancelable;
    }
    get type() { return this.#type; }
    get target() { return this.#target; }
    get currentTarget() { return this.#target; }
    get cancelable() { return this.#cancelable; }
    get bubbles() { return false; }
    get defaultPrevented() { return this.#prevented; }
    get timeStamp() { return this.#at; }
    preventDefault() { if (this.#cancelable) this.#prevented = true; }
    stopPropagation() {}
    stopImmediatePropagation() { this.#stopped = true; }
    static aim(event, target) { event.#target = target; }
    static isStopped(event) { return event.#stopped; }
  }
  const { aim, isStopped } = Event;
  delete Event.aim;
  delete Event.isStopped;
  p.tag(Event, "Event");
  p.Event = Event;
  p.expose("Event", Event);

  class CustomEvent extends Event {
    #detail;
    constructor(type, init) {
      super(type, init);
      this.#detail = init?.detail ?? null;
    }
    get detail() { return this.#detail; }
  }
  p.tag(CustomEvent, "CustomEvent");
  p.expose("CustomEvent", CustomEvent);

  let drop;
  class EventTarget {
    #listeners = [];
    addEventListener(type, listener, options) {
      if (listener === null || listener === undefined) return;
      if (!p.isObject(listener)) throw new p.TypeError("a listener is a function or an object with handleEvent");
      const name = p.text(type);
      const once = p.isObject(options) && !!options.once;
      const signal = p.isObject(options) ? options.signal : undefined;
      if (signal !== undefined && isAborted(signal)) return;
      for (let i = 0; i < this.#listeners.length; i++) {
        if (this.#listeners[i].name === name && this.#listeners[i].listener === listener) return;
      }
      p.push(this.#listeners, { __proto__: null, name, listener, once, removed: false });
      if (signal !== undefined) onAbort(signal, () => drop(this, name, listener));
    }
    removeEventListener(type, listener) {
      drop(this, p.text(type), listener);
    }
    dispatchEvent(event) {
      if (!p.isObject(event) || !(#listeners in this)) throw new p.TypeError("dispatchEvent needs an Event");
      aim(event, this);
      const handler = this[`on${event.type}`];
      if (p.isFunction(handler)) guard(handler, this, event);
      const listeners = p.slice(this.#listeners);
      for (let i = 0; i < listeners.length; i++) {
        const entry = listeners[i];
        if (entry.name !== event.type || entry.removed) continue;
        if (entry.once) drop(this, entry.name, entry.listener);
        if (p.isFunction(entry.listener)) guard(entry.listener, this, event);
        else if (p.isFunction(entry.listener.handleEvent)) guard(entry.listener.handleEvent, entry.listener, event);
        if (isStopped(event)) break;
      }
      return !event.defaultPrevented;
    }
    static {
      drop = (target, name, listener) => {
        const listeners = target.#listeners;
        for (let i = 0; i < listeners.length; i++) {
          if (listeners[i].name === name && listeners[i].listener === listener) {
            listeners[i].removed = true;
            p.splice(listeners, i, 1);
            return;
          }
        }
      };
    }
  }
  const dispatch = EventTarget.prototype.dispatchEvent;
  // A listener that throws stops neither the others nor the one who dispatched.
  function guard(listener, self, event) {
    try {
      p.apply(listener, self, [event]);
    } catch (error) {
      p.report("Uncaught in an event listener", error);
    }
  }
  p.tag(EventTarget, "EventTarget");
  p.expose("EventTarget", EventTarget);

  let building = false;
  class AbortSignal extends EventTarget {
    #aborted = false;
    #reason = undefined;
    // Our own followers, which plugin code can neither see nor remove.
    #followers = [];
    onabort = null;
    constructor() {
      if (!building) throw new p.TypeError("Illegal constructor: use AbortController");
      super();
      p.hide(this, "onabort", null);
    }
    get aborted() { return this.#aborted; }
    get reason() { return this.#reason; }
    throwIfAborted() {
      if (this.#aborted) throw this.#reason;
    }
    static abort(reason) {
      const signal = make();
      fire(signal, reason);
      return signal;
    }
    static timeout(milliseconds) {
      const signal = make();
      p.setTimer(() => fire(signal, new DOMException("The operation timed out.", "TimeoutError")), p.Number(milliseconds));
      return signal;
    }
    static any(signals) {
      const list = p.list(signals);
      const signal = make();
      for (let i = 0; i < list.length; i++) {
        if (isAborted(list[i])) {
          fire(signal, list[i].#reason);
          return signal;
        }
      }
      for (let i = 0; i < list.length; i++) onAbort(list[i], () => fire(signal, list[i].#reason));
      return signal;
    }
    static {
      p.isSignal = (value) => p.isObject(value) && #followers in value;
      p.signalReason = (signal) => signal.#reason;
      p.fireSignal = (signal, reason) => {
        if (signal.#aborted) return;
        signal.#aborted = true;
        signal.#reason = reason === undefined ? new DOMException("This operation was aborted", "AbortError") : reason;
        const followers = signal.#followers;
        signal.#followers = [];
        for (let i = 0; i < followers.length; i++) followers[i]();
        p.apply(dispatch, signal, [new Event("abort")]);
      };
      p.onAbort = (signal, follower) => {
        p.push(signal.#followers, follower);
        return () => {
          for (let i = 0; i < signal.#followers.length; i++) {
            if (signal.#followers[i] === follower) p.splice(signal.#followers, i, 1);
          }
        };
      };
      p.isAborted = (signal) => {
        if (!p.isSignal(signal)) throw new p.TypeError("expected an AbortSignal");
        return signal.#aborted;
      };
    }
  }
  const { fireSignal: fire, onAbort, isAborted } = p;
  const make = () => {
    building = true;
    try {
      return new AbortSignal();
    } finally {
      building = false;
    }
  };
  p.makeSignal = make;
  p.tag(AbortSignal, "AbortSignal");
  p.expose("AbortSignal", AbortSignal);

  class AbortController {
    #signal = make();
    get signal() { return this.#signal; }
    abort(reason) { fire(this.#signal, reason); }
  }
  p.tag(AbortController, "AbortController");
  p.expose("AbortController", AbortController);
});
