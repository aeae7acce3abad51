import type { InboxItem, InboxItemInput, InboxQuery, ItemStatus } from "../inbox.ts";
import { invalid } from "./error.ts";

const FIELDS = new Set([
  "externalId", "type", "title", "body", "preview", "sourceUrl", "priority", "isActionable", "metadata",
  "externalCreatedAt", "externalUpdatedAt", "threadKey", "actor", "repo", "reason", "labels", "state",
]);
const PRIORITIES = ["low", "normal", "high", "urgent"];
const LIMITS: Record<string, number> = { externalId: 512, title: 4096, body: 1_048_576, preview: 280 };

/** The items of one account, with DevRig's rules for storing. */
export class FakeInbox {
  readonly items = new Map<string, InboxItem>();
  /** The version that an item was marked done at. */
  readonly #doneAt = new Map<string, string>();
  #count = 0;

  store(inputs: InboxItemInput[], now: string): { created: number; updated: number } {
    if (!Array.isArray(inputs)) throw invalid("storeItems needs an array of items");
    inputs.forEach(check);
    const result = { created: 0, updated: 0 };
    for (const input of inputs) {
      const known = this.items.get(input.externalId);
      const next = complete(input, known, () => `item-${++this.#count}`, now);
      if (known === undefined) result.created++;
      else if (JSON.stringify({ ...known, updatedAt: "" }) === JSON.stringify({ ...next, updatedAt: "" })) continue;
      else result.updated++;
      this.items.set(input.externalId, this.#resurface(next));
    }
    return result;
  }

  /** Applies what an action returned. */
  update(externalId: string, change: Partial<InboxItemInput>, now: string): void {
    const known = this.items.get(externalId);
    if (known === undefined) throw invalid(`no item ${externalId} to update`);
    const input = Object.fromEntries(Object.entries(known).filter(([name, value]) => FIELDS.has(name) && value !== null));
    this.store([{ ...(input as unknown as InboxItemInput), ...change, externalId }], now);
  }

  setStatus(externalIds: string[], status: ItemStatus): void {
    for (const externalId of externalIds) {
      const item = this.items.get(externalId);
      // What is done is read already.
      if (item === undefined || (status === "read" && item.status === "archived")) continue;
      if (status === "archived") this.#doneAt.set(externalId, item.externalUpdatedAt ?? "");
      this.items.set(externalId, { ...item, status });
    }
  }

  query(query: InboxQuery = {}): InboxItem[] {
    if (query.externalIds !== undefined) {
      if (Object.keys(query).length > 1) throw invalid("externalIds stands alone in a query", "Leave the other parts out.");
      return structuredClone(query.externalIds.flatMap((id) => this.items.get(id) ?? []));
    }
    const words = (query.search ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (item: InboxItem) =>
      (query.types?.includes(item.type) ?? true) &&
      (query.status?.includes(item.status) ?? true) &&
      (query.priority?.includes(item.priority) ?? true) &&
      (query.isActionable === undefined || query.isActionable === item.isActionable) &&
      words.every((word) => `${item.title} ${item.body}`.toLowerCase().includes(word));
    const found = [...this.items.values()].filter(fits).sort(by(query.orderBy ?? "updated_at"));
    const offset = query.offset ?? 0;
    return structuredClone(found.slice(offset, offset + Math.min(query.limit ?? 50, 500)));
  }

  /** Done stays done until the source shows newer activity. */
  #resurface(item: InboxItem): InboxItem {
    const doneAt = this.#doneAt.get(item.externalId);
    if (item.status !== "archived" || doneAt === undefined) return item;
    if ((item.externalUpdatedAt ?? "") <= doneAt) return item;
    this.#doneAt.delete(item.externalId);
    return { ...item, status: "unread" };
  }
}

function by(order: NonNullable<InboxQuery["orderBy"]>): (a: InboxItem, b: InboxItem) => number {
  const key = (item: InboxItem) => {
    if (order === "priority") return String(PRIORITIES.indexOf(item.priority));
    return order === "created_at" ? item.createdAt : (item.externalUpdatedAt ?? item.updatedAt);
  };
  return (a, b) => key(b).localeCompare(key(a)) || a.externalId.localeCompare(b.externalId);
}

function complete(input: InboxItemInput, known: InboxItem | undefined, newId: () => string, now: string): InboxItem {
  return {
    id: known?.id ?? newId(),
    externalId: input.externalId,
    type: input.type,
    title: input.title,
    body: input.body ?? "",
    preview: input.preview ?? (input.body ?? "").replace(/\s+/g, " ").trim().slice(0, 280),
    sourceUrl: input.sourceUrl ?? null,
    priority: input.priority ?? "normal",
    isActionable: input.isActionable ?? false,
    metadata: structuredClone(input.metadata ?? {}),
    externalCreatedAt: input.externalCreatedAt ?? null,
    externalUpdatedAt: input.externalUpdatedAt ?? null,
    threadKey: input.threadKey ?? null,
    actor: input.actor ?? null,
    repo: input.repo ?? null,
    reason: input.reason ?? null,
    labels: [...(input.labels ?? [])],
    state: input.state ?? null,
    status: known?.status ?? "unread",
    createdAt: known?.createdAt ?? now,
    updatedAt: now,
  };
}

function check(input: InboxItemInput, index: number): void {
  const wrong = (field: string, what: string) => invalid(`item ${index} (${String(input?.externalId)}): ${field} ${what}`);
  if (typeof input !== "object" || input === null) throw wrong("it", "is no object");
  const values = input as unknown as Record<string, unknown>;
  for (const [name, value] of Object.entries(values)) {
    if (!FIELDS.has(name)) throw wrong(name, "is not a field of an item");
    const limit = LIMITS[name];
    if (limit !== undefined && typeof value === "string" && value.length > limit) throw wrong(name, `is longer than ${limit}`);
  }
  for (const name of ["externalId", "type", "title"]) {
    if (typeof values[name] !== "string" || values[name] === "") throw wrong(name, "is missing");
  }
  if (!/^[\w.-]+$/.test(input.type)) throw wrong("type", "has other characters than letters, digits, _ - .");
  if (input.sourceUrl !== undefined && !/^https?:\/\//.test(input.sourceUrl)) throw wrong("sourceUrl", "is neither http nor https");
  if (input.priority !== undefined && !PRIORITIES.includes(input.priority)) throw wrong("priority", "is none of urgent, high, normal, low");
  if ((input.labels?.length ?? 0) > 100) throw wrong("labels", "are more than 100");
  if (JSON.stringify(input.metadata ?? {}).length > 65_536) throw wrong("metadata", "is larger than 64 KiB");
  for (const name of ["externalCreatedAt", "externalUpdatedAt"] as const) {
    const time = input[name];
    if (time !== undefined && !(/^\d{4}-\d\d-\d\dT/.test(time) && Number.isFinite(Date.parse(time)))) {
      throw wrong(name, "is no RFC 3339 time");
    }
  }
}
