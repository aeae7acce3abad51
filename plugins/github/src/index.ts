import { definePlugin, type ActionContext, type ActionResult } from "@devrig/sdk";
import * as issues from "./actions/issues.ts";
import * as pulls from "./actions/pulls.ts";
import * as threads from "./actions/threads.ts";
import { Client } from "./client.ts";
import { checkConnection } from "./connection.ts";
import { syncNotifications } from "./notifications.ts";
import { CHECKS, ISSUES, PULL_REQUESTS, syncSearch } from "./search.ts";
import { readSettings } from "./settings.ts";

type Action = (client: Client, input: unknown, context: ActionContext) => Promise<ActionResult>;

const ACTIONS: Record<string, Action> = {
  "github.merge": pulls.merge,
  "github.approve": pulls.approve,
  "github.request_changes": pulls.requestChanges,
  "github.request_review": pulls.requestReview,
  "github.rerun_failed": pulls.rerunFailed,
  "github.comment": issues.comment,
  "github.close": issues.close,
  "github.reopen": issues.reopen,
  "github.create_issue": issues.createIssue,
  "github.add_labels": issues.addLabels,
  "github.remove_labels": issues.removeLabels,
  "github.assign": issues.assign,
  "github.unassign": issues.unassign,
  "github.mark_read": threads.markRead,
  "github.mark_done": threads.markDone,
  "github.unsubscribe": threads.unsubscribe,
  "github.subscribe": threads.subscribe,
};

export default definePlugin({
  activate(sdk) {
    const client = new Client(sdk, readSettings(sdk.settings));
    sdk.connection.register({ check: () => checkConnection(client) });
    sdk.dataSources.register("github.notifications", { sync: (cursor, ds) => syncNotifications(client, cursor, ds) });
    for (const [source, searches] of [["pull_requests", PULL_REQUESTS], ["issues", ISSUES], ["checks", CHECKS]] as const) {
      sdk.dataSources.register(`github.${source}`, { sync: (cursor, ds) => syncSearch(client, searches, cursor, ds) });
    }
    for (const [id, action] of Object.entries(ACTIONS)) {
      sdk.actions.register(id, (input, context) => action(client, input, context));
    }
  },
});
