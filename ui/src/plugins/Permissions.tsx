import { useWrite } from '../api/mutations';
import { Button } from '../components/Button';
import { Chip } from '../components/Chip';
import { Icon } from '../components/Icon';
import type { AccountInfo, PluginInfo } from '../platform/wire';
import { Part } from './Account';

/** What the plugin asks for, in words, and what this account was granted of it. */
export function Permissions({ plugin, account }: { plugin: PluginInfo; account: AccountInfo }) {
  const grant = useWrite('account_grant', 'It was not granted');
  const revoke = useWrite('account_revoke', 'It was not revoked');
  const missing = plugin.permissions.filter((each) => !account.granted.includes(each.permission));
  const busy = grant.isPending || revoke.isPending;
  if (plugin.permissions.length === 0) return null;
  return (
    <Part
      title="Permissions"
      aside={
        missing.length > 0 && (
          <Button kind="primary" disabled={busy} onClick={() => grant.mutate({ id: account.id, permissions: null })}>
            Grant all
          </Button>
        )
      }
    >
      <ul className="flex flex-col">
        {plugin.permissions.map(({ permission, words, wide }) => {
          const granted = account.granted.includes(permission);
          return (
            <li key={permission} className="flex items-start gap-3 border-t border-line py-2">
              <Icon name={granted ? 'check' : 'shield'} label={granted ? 'Granted' : 'Not granted'} className={`mt-0.5 ${granted ? 'text-ok' : 'text-t3'}`} />
              <span className="min-w-0 flex-1">
                {words} {wide && <Chip tone="warn">wide</Chip>}
                <span className="selectable block truncate font-mono text-meta text-t3">{permission}</span>
              </span>
              {granted ? (
                <Button kind="quiet" disabled={busy} aria-label={`Revoke ${permission}`} onClick={() => revoke.mutate({ id: account.id, permission })}>
                  Revoke
                </Button>
              ) : (
                <Button disabled={busy} aria-label={`Grant ${permission}`} onClick={() => grant.mutate({ id: account.id, permissions: [permission] })}>
                  Grant
                </Button>
              )}
            </li>
          );
        })}
      </ul>
    </Part>
  );
}
