import type { DevRigSDK, GitState, InboxItem, InboxItemInput, SyncContext, SyncHandlerResult } from "@devrig/sdk";
import { conditions, itemPrefix } from "./conditions.ts";
import type { Settings } from "./settings.ts";

/** Repositories that are read at once. */
const AT_ONCE = 4;
const PAGE = 500;

/** Reads all repositories, stores what changed, and closes what no longer holds. */
export async function syncRepositories(
  sdk: DevRigSDK,
  settings: Settings,
  cursor: string | undefined,
  ds: SyncContext,
): Promise<SyncHandlerResult> {
  const { repositories, complete } = await discoverAll(sdk, settings);
  const wanted: InboxItemInput[] = [];
  /** Of these we know nothing now, so their items stay as they are. */
  const unread: string[] = [];
  let done = 0;
  await inParallel(repositories, AT_ONCE, async (path) => {
    ds.signal.throwIfAborted();
    try {
      const state = await sdk.git.state(path);
      wanted.push(...conditions(state, settings, new Date()));
    } catch (error) {
      unread.push(path);
      sdk.log.warn(`${path} could not be read: ${message(error)}`, { hint: hint(error) });
    }
    done += 1;
    await ds.reportSyncProgress({ current: done, total: repositories.length, message: path });
  });
  wanted.sort((a, b) => (a.externalId < b.externalId ? -1 : 1));

  const next = await digest({ wanted, repositories, unread: unread.sort(), complete });
  if (next === cursor) return { cursor: next, itemCount: 0 };

  const known = await ownItems(ds);
  const changed = wanted.filter((item) => !isSame(item, known.get(item.externalId)));
  const closed = [...known.values()]
    .filter((item) => item.state === "open" && !wanted.some(({ externalId }) => externalId === item.externalId))
    .filter((item) => complete && !unread.some((path) => item.externalId.startsWith(itemPrefix(path))))
    .map(close);
  for (const batch of batches([...changed, ...closed], 100)) await ds.storeItems(batch);
  return { cursor: next, itemCount: changed.length + closed.length };
}

/** The same item, over: nothing is left to do, and it does not come back to attention. */
export function close(item: InboxItem): InboxItemInput {
  return {
    externalId: item.externalId,
    type: item.type,
    title: item.title,
    body: item.body,
    state: "resolved",
    isActionable: false,
    priority: "low",
    metadata: item.metadata,
    ...(item.threadKey !== null && { threadKey: item.threadKey }),
    ...(item.repo !== null && { repo: item.repo }),
    ...(item.reason !== null && { reason: item.reason }),
    ...(item.actor !== null && { actor: item.actor }),
    ...(item.externalCreatedAt !== null && { externalCreatedAt: item.externalCreatedAt }),
    ...(item.externalUpdatedAt !== null && { externalUpdatedAt: item.externalUpdatedAt }),
  };
}

/** The items that one repository gives now. */
export async function readRepository(sdk: DevRigSDK, settings: Settings, repository: string): Promise<InboxItemInput[]> {
  const state: GitState = await sdk.git.state(repository);
  return conditions(state, settings, new Date());
}

async function discoverAll(sdk: DevRigSDK, settings: Settings): Promise<{ repositories: string[]; complete: boolean }> {
  const found = new Set<string>();
  const failures: unknown[] = [];
  for (const folder of settings.folders) {
    try {
      const { repositories } = await sdk.git.discover(folder, { depth: settings.depth });
      for (const path of repositories) found.add(path);
    } catch (error) {
      failures.push(error);
      sdk.log.warn(`${folder} could not be searched: ${message(error)}`, { hint: hint(error) });
    }
  }
  // With nothing at all to go by, the person should see why; with some of it, that is worth having.
  if (failures.length > 0 && failures.length === settings.folders.length) throw failures[0];
  return { repositories: [...found].sort(), complete: failures.length === 0 };
}

async function ownItems(ds: SyncContext): Promise<Map<string, InboxItem>> {
  const items = new Map<string, InboxItem>();
  for (let offset = 0; ; offset += PAGE) {
    const page = await ds.queryItems({ limit: PAGE, offset, orderBy: "created_at" });
    for (const item of page) items.set(item.externalId, item);
    if (page.length < PAGE) return items;
  }
}

function isSame(item: InboxItemInput, known: InboxItem | undefined): boolean {
  if (known === undefined) return false;
  return (
    item.title === known.title &&
    (item.body ?? "") === known.body &&
    item.state === known.state &&
    item.priority === known.priority &&
    sameTime(item.externalUpdatedAt, known.externalUpdatedAt)
  );
}

function sameTime(a: string | undefined, b: string | null): boolean {
  return Date.parse(a ?? "") === Date.parse(b ?? "") || (a ?? null) === b;
}

async function inParallel<T>(list: T[], most: number, work: (one: T) => Promise<void>): Promise<void> {
  const queue = list.values();
  const worker = async () => {
    for (const one of queue) await work(one);
  };
  await Promise.all(Array.from({ length: most }, worker));
}

function* batches<T>(list: T[], size: number): Generator<T[]> {
  for (let at = 0; at < list.length; at += size) yield list.slice(at, at + size);
}

async function digest(value: unknown): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(value)));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function hint(error: unknown): string | undefined {
  return (error as { hint?: string } | null)?.hint;
}
