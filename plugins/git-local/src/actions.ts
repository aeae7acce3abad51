import type { ActionContext, ActionResult, DevRigSDK, InboxItem } from "@devrig/sdk";
import type { Origin } from "./conditions.ts";
import type { Settings } from "./settings.ts";
import { close, readRepository } from "./sync.ts";

/** Fetches the item's repository, and says how the item looks now. */
export async function fetchRepository(sdk: DevRigSDK, settings: Settings, context: ActionContext): Promise<ActionResult> {
  const item = context.inboxItem;
  const origin = originOf(item);
  if (item === undefined || origin === undefined) return noRepository();
  await sdk.git.fetch(origin.repository, origin.remote === undefined ? {} : { remote: origin.remote });
  const items = await readRepository(sdk, settings, origin.repository);
  const { externalId: _, ...itemUpdate } = items.find(({ externalId }) => externalId === item.externalId) ?? close(item);
  return { success: true, output: { repository: origin.repository }, itemUpdate };
}

export async function openFolder(sdk: DevRigSDK, context: ActionContext): Promise<ActionResult> {
  const origin = originOf(context.inboxItem);
  if (origin === undefined) return noRepository();
  await sdk.desktop.openFolder(origin.repository);
  return { success: true };
}

function originOf(item: InboxItem | undefined): Origin | undefined {
  const { repository, remote } = item?.metadata ?? {};
  if (typeof repository !== "string") return undefined;
  return typeof remote === "string" ? { repository, remote } : { repository };
}

function noRepository(): ActionResult {
  return {
    success: false,
    error: { code: "INVALID_INPUT", message: "This item does not name a repository; run the action on an item of Local Git." },
  };
}
