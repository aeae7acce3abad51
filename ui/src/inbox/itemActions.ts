import { create } from 'zustand';

import type { ActionInfo, ItemSummary, PluginInfo } from '../platform/wire';

export type ItemAction = { id: string; name: string; run: () => void };

/** What the plugin of the item in focus can do with it, for the palette. */
export const useItemActions = create<{ actions: readonly ItemAction[] }>(() => ({ actions: [] }));

/** The actions of an item's plugin that apply to it: by type, or all of those that name none. */
export function actionsFor(item: ItemSummary, plugins: readonly PluginInfo[]): ActionInfo[] {
  const plugin = plugins.find((each) => each.name === item.plugin && each.state === 'active');
  if (!plugin) return [];
  const sources = new Set(plugin.dataSources.map((source) => source.id));
  // An item does not say which data source it came from; one that an action names may be its own.
  return plugin.actions.filter(
    ({ appliesTo }) => appliesTo.length === 0 || appliesTo.includes(item.type) || appliesTo.some((name) => sources.has(name)),
  );
}

/** Whether an action has anything to ask before it runs. */
export function asksFirst(action: ActionInfo): boolean {
  const properties: unknown = action.inputSchema?.properties;
  return typeof properties === 'object' && properties !== null && Object.keys(properties).length > 0;
}
