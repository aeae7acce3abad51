// crypto: random values, and of the subtle part digests and HMAC.
(function (p, native) {
  "use strict";

  const integers = {
    __proto__: null, Int8Array: 1, Uint8Array: 1, Uint8ClampedArray: 1, Int16Array: 1, Uint16Array: 1, Int32Array: 1,
    Uint32Array: 1, BigInt64Array: 1, BigUint64Array: 1,
  };
  const hashes = { __proto__: null, "SHA-1": 64, "SHA-256": 64, "SHA-384": 128, "SHA-512": 128 };
  const unsupported = (what) =>
    new p.DOMException(`${what} is not supported; SHA-1, SHA-256, SHA-384, SHA-512 and HMAC are`, "NotSupportedError");
  const hashName = (algorithm) => {
    const name = p.toUpperCase(`${p.isObject(algorithm) ? algorithm.name : algorithm}`);
    if (hashes[name] === undefined) throw unsupported(name);
    return name;
  };
  const isHmac = (algorithm) => p.toUpperCase(`${p.isObject(algorithm) ? algorithm.name : algorithm}`) === "HMAC";
  // The work is done at once; only the answer is a promise, as the web has it.
  const later = (work) => new p.Promise((resolve) => resolve(work()));

  class CryptoKey {
    #key;
    #hash;
    #extractable;
    #usages;
    constructor(token, key, hash, extractable, usages) {
      if (token !== native) throw new p.TypeError("Illegal constructor: use crypto.subtle.importKey");
      this.#key = key;
      this.#hash = hash;
      this.#extractable = extractable;
      this.#usages = usages;
    }
    get type() { return "secret"; }
    get extractable() { return this.#extractable; }
    get usages() { return p.slice(this.#usages); }
    get algorithm() { return { name: "HMAC", hash: { name: this.#hash }, length: p.bufferLength(this.#key) * 8 }; }
    static {
      p.mac = (key, usage, data) => {
        if (!p.isObject(key) || !(#key in key)) throw new p.TypeError("expected a CryptoKey");
        let may = false;
        for (let i = 0; i < key.#usages.length; i++) may ||= key.#usages[i] === usage;
        if (!may) throw new p.DOMException(`The key is not for "${usage}"`, "InvalidAccessError");
        const span = p.needSpan(data, "the data");
        return native.hmac(key.#hash, key.#key, span[0], span[1], span[2]);
      };
      p.rawKey = (key) => {
        if (!key.#extractable) throw new p.DOMException("The key is not extractable", "InvalidAccessError");
        return p.bufferSlice(key.#key, 0);
      };
    }
  }
  p.tag(CryptoKey, "CryptoKey");
  p.expose("CryptoKey", CryptoKey);

  const subtle = {
    digest(algorithm, data) {
      return later(() => {
        const name = hashName(algorithm);
        const span = p.needSpan(data, "the data");
        return native.digest(name, span[0], span[1], span[2]);
      });
    },
    importKey(format, data, algorithm, extractable, usages) {
      return later(() => {
        if (!isHmac(algorithm)) throw unsupported(`${algorithm?.name ?? algorithm}`);
        const hash = hashName(algorithm.hash);
        let span;
        if (format === "raw") {
          span = p.needSpan(data, "the key");
        } else if (format === "jwk") {
          const text = `${data?.k}`;
          let plain = "";
          for (let i = 0; i < text.length; i++) plain += text[i] === "-" ? "+" : text[i] === "_" ? "/" : text[i];
          const bytes = data?.kty === "oct" ? native.base64Decode(plain) : null;
          if (bytes === null || bytes === undefined) throw new p.DOMException("The key is not a symmetric JSON Web Key", "DataError");
          span = [bytes, 0, p.bufferLength(bytes)];
        } else {
          throw new p.DOMException(`Keys of the format "${format}" are not supported; raw and jwk are`, "NotSupportedError");
        }
        if (span[2] === 0) throw new p.DOMException("The key is empty", "DataError");
        const list = p.list(usages);
        for (let i = 0; i < list.length; i++) {
          if (list[i] !== "sign" && list[i] !== "verify") throw new p.DOMException(`HMAC keys cannot "${list[i]}"`, "SyntaxError");
        }
        return new CryptoKey(native, p.bufferSlice(span[0], span[1], span[1] + span[2]), hash, extractable === true, list);
      });
    },
    exportKey(format, key) {
      return later(() => {
        if (format !== "raw") throw new p.DOMException("Only raw keys are exported", "NotSupportedError");
        return p.rawKey(key);
      });
    },
    generateKey(algorithm, extractable, usages) {
      return later(() => {
        if (!isHmac(algorithm)) throw unsupported(`${algorithm?.name ?? algorithm}`);
        const hash = hashName(algorithm.hash);
        const length = algorithm.length === undefined ? hashes[hash] : p.Number(algorithm.length) / 8;
        if (!p.isInteger(length) || length < 1 || length > 65536) throw new p.DOMException("The key's length is wrong", "OperationError");
        return new CryptoKey(native, native.random(length), hash, extractable === true, p.list(usages));
      });
    },
    sign(algorithm, key, data) {
      return later(() => {
        if (!isHmac(algorithm)) throw unsupported(`${algorithm?.name ?? algorithm}`);
        return p.mac(key, "sign", data);
      });
    },
    verify(algorithm, key, signature, data) {
      return later(() => {
        if (!isHmac(algorithm)) throw unsupported(`${algorithm?.name ?? algorithm}`);
        const wanted = new p.Uint8Array(p.mac(key, "verify", data));
        const span = p.needSpan(signature, "the signature");
        const given = new p.Uint8Array(span[0], span[1], span[2]);
        const length = p.typedCount(wanted);
        if (p.typedCount(given) !== length) return false;
        // No early end: the time tells nothing about where they differ.
        let different = 0;
        for (let i = 0; i < length; i++) different |= wanted[i] ^ given[i];
        return different === 0;
      });
    },
  };

  const crypto = {
    subtle,
    getRandomValues(view) {
      if (integers[p.isView(view) ? p.typedName(view) : ""] === undefined) {
        throw new p.DOMException("getRandomValues needs a typed array of integers", "TypeMismatchError");
      }
      const span = p.span(view);
      if (span[2] > 65536) throw new p.DOMException("more than 65536 bytes were asked for", "QuotaExceededError");
      p.typedSet(new p.Uint8Array(span[0], span[1], span[2]), new p.Uint8Array(native.random(span[2])));
      return view;
    },
    randomUUID() {
      const bytes = new p.Uint8Array(native.random(16));
      bytes[6] = (bytes[6] & 0x0f) | 0x40;
      bytes[8] = (bytes[8] & 0x3f) | 0x80;
      const hex = "0123456789abcdef";
      let text = "";
      for (let i = 0; i < 16; i++) {
        if (i === 4 || i === 6 || i === 8 || i === 10) text += "-";
        text += hex[bytes[i] >> 4] + hex[bytes[i] & 15];
      }
      return text;
    },
  };
  p.expose("crypto", crypto);
});
