import { useQuery } from '@tanstack/react-query';

import { useWrite } from '../api/mutations';
import { doctorQuery, engineQuery, settingsQuery } from '../api/queries';
import { Button } from '../components/Button';
import { ErrorNote } from '../components/ErrorNote';
import { Checkbox, Field, Select } from '../components/Field';
import { Icon } from '../components/Icon';
import { KeychainNote } from '../components/KeychainNote';
import { LoadingRows } from '../components/Loading';
import { readable } from '../keys/keymap';
import { KEYS_SETTING } from '../keys/remap';
import { exactTime } from '../lib/time';
import type { Verdict } from '../platform/wire';
import { appearanceFrom, showAppearance, ZOOMS } from './appearance';
import { KeySettings } from './KeySettings';
import { Notifications } from './Notifications';
import { Section } from './Section';

const SIZES = [90, 100, 110, 120, 130];

export default function SettingsPage() {
  const { data: settings, error, refetch } = useQuery(settingsQuery());
  return (
    <section aria-label="Settings" data-region="pane" className="min-h-0 flex-1 overflow-y-auto bg-bg1">
      <div className="flex max-w-[760px] flex-col gap-8 px-6 py-4">
        <h1 className="text-page font-semibold">Settings</h1>
        <KeychainNote />
        {error && !settings && <ErrorNote title="The settings could not be read" error={error} onRetry={() => void refetch()} />}
        {!settings && !error && <LoadingRows label="Loading settings" />}
        {settings && <Choices settings={settings} />}
        {settings && <KeySettings stored={settings[KEYS_SETTING]} />}
        <Doctor />
        <About />
      </div>
    </section>
  );
}

function Choices({ settings }: { settings: Record<string, unknown> }) {
  const write = useWrite('settings_set', 'The setting was not saved');
  const set = (key: string, value: unknown) => {
    // Seen at once; the engine's answer follows and wins.
    showAppearance(appearanceFrom({ ...settings, [key]: value }));
    write.mutate({ key, value });
  };
  const choice = (key: string, label: string, options: readonly (readonly [string, string])[]) => (
    <Field id={key} label={label}>
      <Select id={key} value={String(settings[key])} onChange={(event) => set(key, event.target.value)} className="w-56">
        {options.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </Select>
    </Field>
  );
  const percent = (key: string, label: string, sizes: readonly number[]) => (
    <Field id={key} label={label}>
      <Select id={key} value={String(settings[key])} onChange={(event) => set(key, Number(event.target.value))} className="w-56">
        {[...new Set([...sizes, Number(settings[key])])].sort((a, b) => a - b).map((size) => (
          <option key={size} value={size}>
            {size} %
          </option>
        ))}
      </Select>
    </Field>
  );
  return (
    <>
      <Section title="Appearance">
        <div className="flex flex-wrap gap-4">
          {choice('appearance.theme', 'Theme', [['system', 'As the system'], ['light', 'Light'], ['dark', 'Dark']])}
          {choice('appearance.density', 'List', [['compact', 'Compact, one line'], ['comfortable', 'Comfortable, two lines']])}
          {percent('appearance.textSize', 'Text size', SIZES)}
          {percent('appearance.zoom', 'Zoom', ZOOMS)}
        </div>
      </Section>
      <Section title="Inbox">
        {choice('inbox.afterTriage', 'After an item leaves, go to', [['next', 'the next item'], ['previous', 'the previous item'], ['stay', 'the same place']])}
        <Checkbox label="Single letters act as keys" help={`Off, only keys that write nothing act, such as arrows, Esc, F6 and ${readable('Mod+k')}.`} checked={settings['keys.single'] !== false} onChange={(event) => set('keys.single', event.target.checked)} />
      </Section>
      <Notifications settings={settings} set={set} />
      <Section title="Desktop">
        <Checkbox label="Closing the window leaves DevRig in the tray" help="Where there is no tray, closing the window ends DevRig." checked={settings['desktop.closeToTray'] !== false} onChange={(event) => set('desktop.closeToTray', event.target.checked)} />
        <Checkbox label="Start in the tray at login" checked={settings['desktop.autostart'] === true} onChange={(event) => set('desktop.autostart', event.target.checked)} />
      </Section>
    </>
  );
}

const GRADES: Record<Verdict['verdict'], { icon: 'check' | 'alert' | 'close'; colour: string; words: string }> = {
  ok: { icon: 'check', colour: 'text-ok', words: 'Fine' },
  warn: { icon: 'alert', colour: 'text-warn', words: 'Limited' },
  fail: { icon: 'close', colour: 'text-err', words: 'Failed' },
};

function Doctor() {
  const { data: verdicts, error, refetch, isFetching } = useQuery(doctorQuery());
  return (
    <Section
      title="Check-up"
      aside={
        <Button icon="retry" disabled={isFetching} onClick={() => void refetch()}>
          Check again
        </Button>
      }
    >
      {error && !verdicts && <ErrorNote title="The check-up failed" error={error} onRetry={() => void refetch()} />}
      {!verdicts && !error && <LoadingRows label="Checking" />}
      <ul>
        {verdicts?.map((verdict) => {
          const grade = GRADES[verdict.verdict];
          return (
            <li key={verdict.name} className="flex gap-3 border-t border-line py-2 first:border-0">
              <Icon name={grade.icon} label={grade.words} className={`mt-0.5 ${grade.colour}`} />
              <span className="w-24 shrink-0 font-medium">{verdict.name}</span>
              <span className="selectable min-w-0 flex-1">
                {verdict.message}
                {verdict.remedy && <span className="block text-t2">{verdict.remedy}</span>}
              </span>
            </li>
          );
        })}
      </ul>
    </Section>
  );
}

function About() {
  const { data: engine } = useQuery(engineQuery());
  if (!engine) return null;
  const rows: [string, string][] = [
    ['Version', engine.version],
    ['Home', engine.home],
    ['Run by', `${engine.owner}, process ${engine.ownerPid}`],
    ['Since', exactTime(engine.startedAt)],
  ];
  return (
    <Section title="About">
      <dl>
        {rows.map(([name, value]) => (
          <div key={name} className="flex h-6 items-center gap-3">
            <dt className="w-24 shrink-0 text-t2">{name}</dt>
            <dd className="selectable truncate font-mono text-sec">{value}</dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}
