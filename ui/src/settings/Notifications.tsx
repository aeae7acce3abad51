import { useState } from 'react';

import { Button } from '../components/Button';
import { Checkbox, Field, Input, Select } from '../components/Field';
import { exactTime } from '../lib/time';
import { useNow } from '../lib/useNow';
import { Section } from './Section';

const BATCHES: readonly (readonly [number, string])[] = [
  [0, 'At once'],
  [5, 'Every 5 minutes'],
  [15, 'Every 15 minutes'],
  [30, 'Every 30 minutes'],
  [60, 'Every hour'],
];
const HOUR = 60 * 60 * 1000;

/** When the person is told outside of the window. What they are told of is said by splits and rules. */
export function Notifications({ settings, set }: { settings: Record<string, unknown>; set: (key: string, value: unknown) => void }) {
  const on = settings['notifications.enabled'] !== false;
  const batch = Number(settings['notifications.batchMinutes']);
  const choices = BATCHES.some(([minutes]) => minutes === batch) ? BATCHES : [...BATCHES, [batch, `Every ${batch} minutes`] as const];
  return (
    <Section title="Notifications">
      <Checkbox label="Show notifications" help="Of what comes into splits with [notify], and of what rules with Notify match." checked={on} onChange={(event) => set('notifications.enabled', event.target.checked)} />
      <div className="flex flex-wrap items-end gap-4">
        <Field id="notifications.batchMinutes" label="Show them">
          <Select id="notifications.batchMinutes" disabled={!on} value={String(batch)} onChange={(event) => set('notifications.batchMinutes', Number(event.target.value))} className="w-56">
            {choices.map(([minutes, name]) => (
              <option key={minutes} value={minutes}>
                {name}
              </option>
            ))}
          </Select>
        </Field>
        <QuietHours key={String(settings['notifications.quietHours'])} stored={String(settings['notifications.quietHours'] ?? '')} disabled={!on} onSave={(hours) => set('notifications.quietHours', hours)} />
      </div>
      <Pause until={settings['notifications.pausedUntil']} set={(until) => set('notifications.pausedUntil', until)} />
    </Section>
  );
}

/** Kept when the field is left, or with Enter: a half-written time is no setting. */
function QuietHours({ stored, disabled, onSave }: { stored: string; disabled: boolean; onSave: (hours: string) => void }) {
  const [text, setText] = useState(stored);
  const save = () => {
    if (text.trim() !== stored) onSave(text.trim());
  };
  return (
    <Field id="notifications.quietHours" label="Quiet hours" help="Such as 22:00-07:00 Europe/Berlin; empty for none.">
      <Input
        id="notifications.quietHours"
        aria-describedby="notifications.quietHours-help"
        disabled={disabled}
        value={text}
        placeholder="none"
        className="w-72"
        onChange={(event) => setText(event.target.value)}
        onBlur={save}
        onKeyDown={(event) => {
          if (event.key === 'Enter') save();
        }}
      />
    </Field>
  );
}

function Pause({ until, set }: { until: unknown; set: (until: string | null) => void }) {
  const now = useNow();
  const paused = typeof until === 'string' && Date.parse(until) > now;
  return (
    <p className="flex items-center gap-3">
      {paused ? (
        <>
          <span>Paused until {exactTime(until)}.</span>
          <Button onClick={() => set(null)}>Resume</Button>
        </>
      ) : (
        <Button onClick={() => set(new Date(Date.now() + HOUR).toISOString())}>Pause for 1 hour</Button>
      )}
    </p>
  );
}
