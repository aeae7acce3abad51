import { definePlugin } from "@devrig/sdk";
import { fetchRepository, openFolder } from "./actions.ts";
import { readSettings } from "./settings.ts";
import { syncRepositories } from "./sync.ts";

export default definePlugin({
  activate(sdk) {
    const settings = readSettings(sdk.settings);
    sdk.dataSources.register("git.repositories", {
      sync: (cursor, ds) => syncRepositories(sdk, settings, cursor, ds),
    });
    sdk.actions.register("git.fetch", (_, context) => fetchRepository(sdk, settings, context));
    sdk.actions.register("git.open_folder", (_, context) => openFolder(sdk, context));
  },
});
