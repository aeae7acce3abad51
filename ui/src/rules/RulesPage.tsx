import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useState } from 'react';

import { useWrite } from '../api/mutations';
import { rulesQuery } from '../api/queries';
import { Button } from '../components/Button';
import { ErrorNote } from '../components/ErrorNote';
import { LoadingRows } from '../components/Loading';
import { Switch } from '../components/Switch';
import { toastDone } from '../components/toast';
import { agoInWords } from '../lib/time';
import { useNow } from '../lib/useNow';
import type { Rule } from '../platform/wire';
import { draftOf, EMPTY, formOf } from './draft';
import { RuleForm } from './RuleForm';

const route = getRouteApi('/rules');

/** What is done by itself with items that match a query. */
export default function RulesPage() {
  const { query } = route.useSearch();
  const navigate = route.useNavigate();
  const { data: rules, error, refetch } = useQuery(rulesQuery());
  const [editing, setEditing] = useState<Rule | 'new' | null>(query === undefined ? null : 'new');
  const close = () => {
    setEditing(null);
    if (query !== undefined) void navigate({ search: {}, replace: true });
  };
  return (
    <section aria-label="Rules" data-region="pane" className="min-h-0 flex-1 overflow-y-auto bg-bg1">
      <div className="flex max-w-[860px] flex-col gap-4 px-6 py-4">
        <header className="flex items-center gap-3">
          <h1 className="flex-1 text-page font-semibold">Rules</h1>
          <Button kind="primary" icon="plus" onClick={() => setEditing('new')}>
            New rule
          </Button>
        </header>
        <p className="text-t2">When a source brings or changes an item that matches, this is done by itself. The history says which rule did it, and takes it back.</p>
        {error && !rules && <ErrorNote title="The rules could not be read" error={error} onRetry={() => void refetch()} />}
        {!rules && !error && <LoadingRows label="Loading rules" />}
        {rules?.length === 0 && <p className="text-t2">There are no rules.</p>}
        <ul className="flex flex-col">
          {rules?.map((rule) => <Row key={rule.id} rule={rule} onEdit={() => setEditing(rule)} />)}
        </ul>
      </div>
      {editing !== null && <RuleForm rule={editing === 'new' ? null : editing} begin={editing === 'new' ? { ...EMPTY, query: query ?? '' } : formOf(editing)} onClose={close} />}
    </section>
  );
}

function Row({ rule, onEdit }: { rule: Rule; onEdit: () => void }) {
  const now = useNow();
  const save = useWrite('rule_save', 'The rule was not changed');
  const remove = useWrite('rule_delete', 'The rule was not deleted');
  const toggle = (enabled: boolean) => save.mutate({ id: rule.id, rule: { ...draftOf(formOf(rule)), enabled } });
  return (
    <li className="flex items-start gap-3 border-t border-line py-3">
      <Switch on={rule.enabled} label={`Rule ${rule.name}`} onChange={toggle} />
      <div className="min-w-0 flex-1">
        <p className="font-medium">{rule.name}</p>
        <p className="text-t2">
          {rule.words}
          <span className="text-t3">
            {' · '}
            {rule.applied === 0 ? 'nothing yet' : `${rule.applied.toLocaleString('en')} items`}
            {rule.appliedAt && `, last ${agoInWords(rule.appliedAt, now)}`}
          </span>
        </p>
        <p className="selectable mt-1 font-mono text-sec [overflow-wrap:anywhere] text-t2">{rule.query}</p>
      </div>
      <Button kind="quiet" aria-label={`Edit ${rule.name}`} onClick={onEdit}>
        Edit
      </Button>
      <Button kind="quiet" aria-label={`Delete ${rule.name}`} disabled={remove.isPending} onClick={() => remove.mutate({ id: rule.id }, { onSuccess: () => toastDone(`${rule.name} is deleted`) })}>
        Delete
      </Button>
    </li>
  );
}
