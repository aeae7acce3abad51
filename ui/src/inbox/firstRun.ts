import { useState } from 'react';

import { useWrite } from '../api/mutations';
import type { EngineInfo } from '../platform/wire';

export type Step = 'folders' | 'grant' | 'connect' | 'keys' | 'none';

/** Where a new person is. The steps go on once begun, though the first of them ends "nothing was set up". */
export function useFirstRun(engine: EngineInfo | undefined, settings: Record<string, unknown> | undefined) {
  const [begun, setBegun] = useState<Step | null>(null);
  const write = useWrite('settings_set');
  const fresh = engine?.firstRun === true && settings !== undefined && settings['onboarding.finished'] !== true;
  const step: Step = begun ?? (fresh ? 'folders' : 'none');
  return {
    step,
    go: (to: Step) => setBegun(to),
    finish: () => {
      setBegun('none');
      write.mutate({ key: 'onboarding.finished', value: true });
    },
  };
}
