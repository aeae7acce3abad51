import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';

import { useWrite } from '../api/mutations';
import { pluginsQuery, settingsQuery, splitsQuery, statsQuery } from '../api/queries';
import { GROUPINGS } from '../inbox/grouping';
import { setGrouping, useGroupingChoice } from '../inbox/groupingChoice';
import { useItemActions } from '../inbox/itemActions';
import { splitViews } from '../inbox/splits';
import { fixedViews, sourceViews } from '../inbox/views';
import { isOffered, runCommand } from '../keys/commands';
import { KEYMAP, keyLabel, type CommandId, type Group } from '../keys/keymap';
import { appearanceFrom, showAppearance, ZOOMS } from '../settings/appearance';
import type { PaletteRow, Section } from './paletteRows';

/** Moves that are only worth their key, and the way in here. */
const HIDDEN: ReadonlySet<CommandId> = new Set<CommandId>([
  'palette', 'actions', 'next', 'previous', 'first', 'last', 'pageDown', 'pageUp', 'back', 'nextRegion', 'previousRegion', 'extendDown', 'extendUp',
]);
const SECTION_OF: Record<Group, Section> = { 'This item': 'This item', Outbox: 'This item', 'Go to': 'Go to', Move: 'Other', Select: 'Other', Window: 'Other' };

/** Everything that can be done here and now, in the order of the sections. */
export function usePaletteRows(): PaletteRow[] {
  const actions = useItemActions((state) => state.actions);
  const views = useViewRows();
  const settings = useSettingRows();
  const groupings = useGroupingRows();
  const commands = KEYMAP.filter((command) => !HIDDEN.has(command.id) && isOffered(command.id)).map(
    (command): PaletteRow => ({ id: command.id, section: SECTION_OF[command.group], label: command.label, keys: keyLabel(command.id), run: () => void runCommand(command.id) }),
  );
  const plugin = actions.map((action): PaletteRow => ({ id: `action:${action.id}`, section: 'This item', label: action.name, note: 'plugin', run: action.run }));
  return [...commands, ...plugin, ...views, ...groupings, ...settings];
}

/** The views of the sidebar; the inbox itself has a command. */
function useViewRows(): PaletteRow[] {
  const navigate = useNavigate();
  const { data: stats } = useQuery(statsQuery());
  const { data: plugins = [] } = useQuery(pluginsQuery());
  const { data: splits = [] } = useQuery(splitsQuery());
  const row = (note: string) => (view: { id: string; name: string }): PaletteRow => ({
    id: `view:${view.id}`, section: 'Go to', label: view.name, note, run: () => void navigate({ to: '/inbox', search: { view: view.id } }),
  });
  return [
    ...fixedViews(stats).filter((view) => view.id !== 'inbox').map(row('view')),
    ...splitViews(splits).map(row('split')),
    ...sourceViews(plugins, stats).map(row('source')),
  ];
}

/** How the view on screen can be grouped. */
function useGroupingRows(): PaletteRow[] {
  const { view, byView } = useGroupingChoice();
  if (view === null) return [];
  return GROUPINGS.map((by) => ({
    id: `group:${by}`, section: 'Other', label: by === 'none' ? 'Group by nothing' : `Group by ${by}`, ...((byView[view] ?? 'none') === by ? { note: 'now' } : {}), run: () => setGrouping(view, by),
  }));
}

/** Shows what a query finds, in the inbox. */
export function useSearchRow(): (query: string) => PaletteRow {
  const navigate = useNavigate();
  return (query) => ({ id: 'search', section: 'Search', label: `Search: ${query}`, keys: 'Enter', run: () => void navigate({ to: '/inbox', search: { q: query } }) });
}

const CHOICES: readonly { key: string; label: string; options: readonly (readonly [value: string | number | boolean, name: string])[] }[] = [
  { key: 'appearance.theme', label: 'Theme', options: [['light', 'light'], ['dark', 'dark'], ['system', 'as the system']] },
  { key: 'appearance.density', label: 'List', options: [['compact', 'compact, one line'], ['comfortable', 'comfortable, two lines']] },
  { key: 'appearance.textSize', label: 'Text size', options: [90, 100, 110, 120, 130].map((size) => [size, `${size} %`] as const) },
  { key: 'appearance.zoom', label: 'Zoom', options: ZOOMS.map((zoom) => [zoom, `${zoom} %`] as const) },
  { key: 'notifications.enabled', label: 'Notifications', options: [[true, 'on'], [false, 'off']] },
];

function useSettingRows(): PaletteRow[] {
  const { data: settings } = useQuery(settingsQuery());
  const write = useWrite('settings_set', 'The setting was not saved');
  if (!settings) return [];
  return CHOICES.flatMap(({ key, label, options }) =>
    options.map(([value, name]): PaletteRow => ({
      id: `${key}=${value}`, section: 'Settings', label: `${label}: ${name}`, ...(settings[key] === value ? { note: 'now' } : {}),
      run: () => {
        // Seen at once; the engine's answer follows and wins.
        showAppearance(appearanceFrom({ ...settings, [key]: value }));
        write.mutate({ key, value });
      },
    })),
  );
}
