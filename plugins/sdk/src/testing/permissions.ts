import { FakeError } from "./error.ts";

/** What a plugin may do: declared in its manifest, and granted. */
export class Permissions {
  readonly #plugin: string;
  readonly #declared: Set<string>;
  readonly #granted: Set<string>;

  constructor(plugin: string, declared: string[], granted: string[] | undefined, settings: Readonly<Record<string, unknown>>) {
    this.#plugin = plugin;
    const expand = (list: string[]) => new Set(list.flatMap((permission) => withSettings(permission, settings)));
    this.#declared = expand(declared);
    this.#granted = granted === undefined ? this.#declared : expand(granted);
  }

  /** Throws the refusal that DevRig would. */
  need(permission: string): void {
    // A secret may be bound to a host: `secrets:token@api.example.com`.
    this.#needAny(permission, (held) => held === permission || (permission.startsWith("secrets:") && held.startsWith(`${permission}@`)));
  }

  /** For permissions on folders: the folder, or one that holds it. */
  needFolder(prefix: string, path: string): void {
    if (!isPlain(path)) {
      throw new FakeError(`${JSON.stringify(path)} is not an absolute path`, { code: "INVALID_INPUT" });
    }
    this.#needAny(`${prefix}:${path}`, (held) => held.startsWith(`${prefix}:`) && holds(held.slice(prefix.length + 1), path));
  }

  mayReadFolder(path: string): boolean {
    return isPlain(path) && [...this.#granted].some((held) => held.startsWith("git:read:") && holds(held.slice(9), path));
  }

  needHost(url: URL, method: string): void {
    const allows = (held: string) => held === "network" || (held.startsWith("network:") && allowsHost(held.slice(8), url, method));
    this.#needAny(`network:${url.host}`, allows);
  }

  #needAny(asked: string, allows: (held: string) => boolean): void {
    const refuse = (hint: string) =>
      new FakeError(`plugin ${this.#plugin}: needs the permission ${asked}`, { code: "REFUSED", hint });
    if (![...this.#declared].some(allows)) {
      throw refuse("Declare it under permissions in devrig-plugin.json.");
    }
    if (![...this.#granted].some(allows)) {
      throw refuse(`Grant it on the plugins page, or with: devrig plugin grant ${this.#plugin} ${asked}`);
    }
  }
}

/** `git:read:{settings.folders}` becomes one permission for each folder that is set. */
function withSettings(permission: string, settings: Readonly<Record<string, unknown>>): string[] {
  const found = /\{settings\.([^}]+)\}/.exec(permission);
  if (found === null) return [permission];
  const [place, name = ""] = found;
  const value = settings[name];
  const values = Array.isArray(value) ? value : [value];
  return values
    .filter((one): one is string => typeof one === "string" && one !== "")
    .map((one) => permission.replace(place, permission.startsWith("network:") ? hostOf(one) : one));
}

function hostOf(text: string): string {
  return URL.canParse(text) ? new URL(text).host : text;
}

function isPlain(path: string): boolean {
  const absolute = path.startsWith("/") || /^[A-Za-z]:[\\/]/.test(path);
  return absolute && !path.split(/[\\/]/).includes("..");
}

function holds(folder: string, path: string): boolean {
  const above = folder.replace(/\/+$/, "");
  return path === folder || path === above || path.startsWith(`${above}/`);
}

function allowsHost(grant: string, url: URL, method: string): boolean {
  const [target = "", ...words] = grant.split(" ").filter((word) => word !== "private");
  const slash = target.indexOf("/");
  const host = slash < 0 ? target : target.slice(0, slash);
  const path = slash < 0 ? "" : target.slice(slash);
  const methods = words.flatMap((word) => word.split(","));
  if (methods.length > 0 && !methods.includes(method)) return false;
  if (path !== "" && url.pathname !== path && !url.pathname.startsWith(`${path}/`)) return false;
  return host.startsWith("*.") ? url.host.endsWith(host.slice(1)) : url.host === host || host === "*";
}
