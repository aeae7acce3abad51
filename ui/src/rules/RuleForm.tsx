import { useQuery } from '@tanstack/react-query';
import { useId, useRef, useState } from 'react';

import { call } from '../api/client';
import { useWrite } from '../api/mutations';
import { checkQuery } from '../api/queries';
import { Button } from '../components/Button';
import { Checkbox, Field, Input, Select } from '../components/Field';
import { Layer } from '../components/Layer';
import { useDebounced } from '../lib/useDebounced';
import type { DevRigError, Rule, RuleDraft } from '../platform/wire';
import { QueryField } from '../query/QueryField';
import { draftOf, type Form } from './draft';

const PRIORITIES = ['urgent', 'high', 'normal', 'low'] as const;

/** Makes a rule or changes one; what it would have done is shown as it is written. */
export function RuleForm({ rule, begin, onClose }: { rule: Rule | null; begin: Form; onClose: () => void }) {
  const id = useId();
  const [form, setForm] = useState(begin);
  const [error, setError] = useState<DevRigError | null>(null);
  const save = useWrite('rule_save');
  const set = (change: Partial<Form>) => setForm({ ...form, ...change });
  const check = (key: 'done' | 'read' | 'star' | 'mute' | 'notify', label: string) => <Checkbox label={label} checked={form[key]} onChange={(event) => set({ [key]: event.target.checked })} />;
  const submit = () => save.mutate({ id: rule?.id ?? null, rule: draftOf(form) }, { onSuccess: onClose, onError: setError });
  return (
    <Layer title={rule ? `Rule: ${rule.name}` : 'New rule'} description="It applies to what sources bring or change from now on." wide onClose={onClose}>
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          setError(null);
          submit();
        }}
      >
        <Field id={`${id}-name`} label="Name">
          <Input id={`${id}-name`} value={form.name} onChange={(event) => set({ name: event.target.value })} className="w-full" />
        </Field>
        <QueryPart id={`${id}-query`} query={form.query} onQuery={(query) => set({ query })} />
        <fieldset className="flex flex-wrap items-center gap-x-5 gap-y-2">
          <legend className="mb-1 font-medium">Then</legend>
          {check('done', 'Done')}
          {check('read', 'Read')}
          {check('star', 'Star')}
          {check('mute', 'Mute the thread')}
          {check('notify', 'Notify')}
          <label className="flex items-center gap-2">
            Priority
            <Select value={form.priority} onChange={(event) => set({ priority: event.target.value as Form['priority'] })}>
              <option value="">as it is</option>
              {PRIORITIES.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </Select>
          </label>
          <label htmlFor={`${id}-labels`} className="flex items-center gap-2">
            Labels
            <Input id={`${id}-labels`} value={form.label} placeholder="none" onChange={(event) => set({ label: event.target.value })} className="w-32" />
          </label>
          <label htmlFor={`${id}-snooze`} className="flex items-center gap-2">
            Snooze
            <Input id={`${id}-snooze`} value={form.snooze} placeholder="2d, until new activity" onChange={(event) => set({ snooze: event.target.value })} className="w-44" />
          </label>
        </fieldset>
        <Trial form={form} />
        {error && (
          <p role="alert" className="text-err">
            {[error.message, error.hint].filter(Boolean).join('. ')}
          </p>
        )}
        <div className="flex gap-2">
          <Button type="submit" kind="primary" disabled={save.isPending}>
            Save rule
          </Button>
          <Button onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Layer>
  );
}

/** The query, with what is wrong with it below; what it offers hangs under both. */
function QueryPart({ id, query, onQuery }: { id: string; query: string; onQuery: (query: string) => void }) {
  const box = useRef<HTMLDivElement>(null);
  const settled = useDebounced(query, 250);
  const { data } = useQuery({ ...checkQuery(settled), enabled: settled !== '' });
  const error = settled !== '' && data?.error ? [data.error.message, data.error.hint].filter(Boolean).join('. ') : undefined;
  return (
    <div ref={box}>
      <Field id={id} label="When an item matches" help="As in the filter field, such as repo:a/b reason:subscribed. Without a place it means the inbox." error={error}>
        <QueryField
          id={id}
          value={query}
          aria-invalid={error !== undefined}
          aria-describedby={error === undefined ? `${id}-help` : `${id}-help ${id}-error`}
          below={box}
          onChange={onQuery}
          className="w-full font-mono"
        />
      </Field>
    </div>
  );
}

/** What the rule would do to the items that there are. */
function Trial({ form }: { form: Form }) {
  const draft = useDebounced(JSON.stringify({ ...draftOf(form), name: 'a trial' }), 250);
  const rule = JSON.parse(draft) as RuleDraft;
  const { data, error } = useQuery({ queryKey: ['rule_try', draft], queryFn: () => call('rule_try', { rule }), retry: false, gcTime: 0, enabled: rule.query !== '' });
  // What is wrong with the query is said below its field.
  if (rule.query === '' || error?.code === 'INVALID_QUERY') return null;
  return (
    <section aria-label="What it would do" aria-live="polite" className="rounded-ctl border border-line bg-bg0 px-3 py-2">
      {error && <p className="text-t2">{[error.message, error.hint].filter(Boolean).join('. ')}</p>}
      {!error && !data && <p className="text-t2">Looking through the items…</p>}
      {!error && data && (
        <>
          <p>
            It would change <strong className="tnum">{data.changing.toLocaleString('en')}</strong> of {data.matching.toLocaleString('en')} matching items: {data.words}
          </p>
          <ul className="mt-1">
            {data.items.slice(0, 8).map((item) => (
              <li key={item.id} className="flex gap-2 text-sec text-t2">
                <span className="w-36 shrink-0 truncate">{item.repo ?? item.actor}</span>
                <span className="truncate text-t1">{item.title}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
