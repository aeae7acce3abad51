import type { Calls, DevRigError, EngineEvent, KeychainStatus } from '../wire';
import type { Scenario } from './scenario';

/** What opens the made-up secrets where they are kept under a passphrase. */
export const PASSPHRASE = 'correct horse battery';

const READY = { state: 'ready', message: 'The secrets are open', hint: null } as const;
const CLOSED: Record<Exclude<Scenario['keychain'], 'ready'>, KeychainStatus> = {
  locked: { state: 'locked', keptIn: 'keychain', message: 'The keychain is locked', hint: 'Unlock it to let plugins use their secrets.' },
  absent: { state: 'absent', keptIn: 'keychain', message: 'No keychain is running on this system', hint: 'Install and start a Secret Service.' },
  passphrase: { state: 'locked', keptIn: 'passphrase', message: 'The secrets are locked with your passphrase', hint: 'Enter it to let plugins use their secrets.' },
};

const refused = (message: string, hint: string | null): DevRigError => ({ code: 'INVALID_INPUT', category: 'permanent', message, hint, retryable: false });

/** A keychain that may be locked or missing, and the passphrase in its place. */
export function keychain(start: Scenario['keychain'], emit: (event: EngineEvent) => void) {
  let status: KeychainStatus = start === 'ready' ? { ...READY, keptIn: 'keychain' } : CLOSED[start];
  let under = PASSPHRASE;
  const open = (keptIn: KeychainStatus['keptIn']) => {
    status = { ...READY, keptIn };
    setTimeout(() => emit({ type: 'keychainChanged', status }), 0);
    return status;
  };
  return {
    isReady: () => status.state === 'ready',
    calls: {
      keychain_status: () => status,
      keychain_unlock: ({ passphrase }) => {
        if (status.keptIn === 'passphrase' && passphrase !== under) throw refused('that is not the passphrase', 'Try again.');
        return status.state === 'absent' ? status : open(status.keptIn);
      },
      keychain_keep: ({ keptIn, passphrase }) => {
        if (keptIn === 'passphrase' && (passphrase ?? '').length < 12) throw refused('a passphrase has 12 to 1000 characters', null);
        under = passphrase ?? under;
        return open(keptIn);
      },
    } satisfies { [N in keyof Calls]?: (args: Parameters<Calls[N]>[0]) => ReturnType<Calls[N]> },
  };
}
