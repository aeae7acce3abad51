// TextEncoder, TextDecoder, atob, btoa.
(function (p, native) {
  "use strict";

  class TextEncoder {
    get encoding() { return "utf-8"; }
    encode(input = "") {
      return new p.Uint8Array(native.utf8Encode(p.text(input)));
    }
    encodeInto(source, target) {
      if (p.typedName(target) !== "Uint8Array") throw new p.TypeError("encodeInto needs a Uint8Array");
      const text = p.text(source);
      const room = p.typedCount(target);
      let read = 0;
      let written = 0;
      while (read < text.length) {
        const unit = p.charCodeAt(text, read);
        const pair = unit >= 0xd800 && unit <= 0xdbff;
        const size = unit < 0x80 ? 1 : unit < 0x800 ? 2 : pair ? 4 : 3;
        if (written + size > room) break;
        written += size;
        read += pair ? 2 : 1;
      }
      p.typedSet(target, new p.Uint8Array(native.utf8Encode(p.substring(text, 0, read))));
      return { read, written };
    }
  }
  p.tag(TextEncoder, "TextEncoder");
  p.expose("TextEncoder", TextEncoder);

  const labels = {
    __proto__: null,
    "utf-8": "utf-8", utf8: "utf-8", "unicode-1-1-utf-8": "utf-8", unicode11utf8: "utf-8", unicode20utf8: "utf-8", "x-unicode20utf8": "utf-8",
    "utf-16le": "utf-16le", "utf-16": "utf-16le", unicode: "utf-16le", "ucs-2": "utf-16le", "iso-10646-ucs-2": "utf-16le", csunicode: "utf-16le", unicodefeff: "utf-16le",
  };
  class TextDecoder {
    #encoding;
    #fatal;
    #ignoreBOM;
    #held = new p.Uint8Array(0);
    #begun = false;
    constructor(label = "utf-8", options) {
      const encoding = labels[p.toLowerCase(p.trim(`${label}`))];
      if (encoding === undefined) throw new p.RangeError(`The encoding "${label}" is not supported; utf-8 and utf-16le are`);
      this.#encoding = encoding;
      this.#fatal = !!options?.fatal;
      this.#ignoreBOM = !!options?.ignoreBOM;
    }
    get encoding() { return this.#encoding; }
    get fatal() { return this.#fatal; }
    get ignoreBOM() { return this.#ignoreBOM; }
    decode(input, options) {
      const stream = !!options?.stream;
      const span = input === undefined ? [new p.ArrayBuffer(0), 0, 0] : p.needSpan(input, "the input of decode");
      let buffer = span[0];
      let start = span[1];
      let length = span[2];
      const kept = p.typedCount(this.#held);
      if (kept > 0) {
        const whole = new p.Uint8Array(kept + length);
        p.typedSet(whole, this.#held);
        p.typedSet(whole, new p.Uint8Array(buffer, start, length), kept);
        buffer = p.span(whole)[0];
        start = 0;
        length += kept;
      }
      const wide = this.#encoding === "utf-16le";
      let held = 0;
      if (stream) held = wide ? wideHeld(new p.Uint8Array(buffer, start, length), length) : native.utf8Held(buffer, start, length);
      this.#held = new p.Uint8Array(p.bufferSlice(buffer, start + length - held, start + length));
      const decode = wide ? native.utf16Decode : native.utf8Decode;
      let text = decode(buffer, start, length - held, this.#fatal);
      if (text === null || text === undefined) {
        this.#held = new p.Uint8Array(0);
        this.#begun = false;
        throw new p.TypeError(`The data is not valid ${this.#encoding}`);
      }
      if (!this.#begun && text.length > 0) {
        this.#begun = true;
        if (!this.#ignoreBOM && p.charCodeAt(text, 0) === 0xfeff) text = p.substring(text, 1);
      }
      if (!stream) this.#begun = false;
      return text;
    }
  }
  const wideHeld = (bytes, length) => {
    const odd = length % 2;
    const last = length - odd - 1;
    return last > 0 && (bytes[last] & 0xfc) === 0xd8 ? odd + 2 : odd;
  };
  p.tag(TextDecoder, "TextDecoder");
  p.expose("TextDecoder", TextDecoder);

  p.utf8 = (span) => {
    const text = native.utf8Decode(span[0], span[1], span[2], false);
    return p.charCodeAt(text, 0) === 0xfeff ? p.substring(text, 1) : text;
  };

  p.expose("atob", function atob(data) {
    if (arguments.length === 0) throw new p.TypeError("atob needs a text");
    const buffer = native.base64Decode(p.text(data));
    if (buffer === null || buffer === undefined) throw new p.DOMException("The text is not base64", "InvalidCharacterError");
    const bytes = new p.Uint8Array(buffer);
    const parts = [];
    for (let at = 0; at < bytes.length; at += 4096) {
      const chunk = [];
      for (let i = at; i < at + 4096 && i < bytes.length; i++) p.push(chunk, bytes[i]);
      p.push(parts, p.apply(p.fromCharCode, undefined, chunk));
    }
    return p.join(parts, "");
  });
  p.expose("btoa", function btoa(data) {
    if (arguments.length === 0) throw new p.TypeError("btoa needs a text");
    const text = `${data}`;
    const bytes = new p.Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) {
      const unit = p.charCodeAt(text, i);
      if (unit > 255) throw new p.DOMException("The text has characters outside Latin-1", "InvalidCharacterError");
      bytes[i] = unit;
    }
    const span = p.span(bytes);
    return native.base64Encode(span[0], span[1], span[2]);
  });
});
