import { MutationCache, QueryClient } from '@tanstack/react-query';

import type { DevRigError, Tag } from '../platform/wire';
import { toError, type CallArgs, type CallName, type CallResult, type Platform } from '../platform/platform';

declare module '@tanstack/react-query' {
  interface Register {
    defaultError: DevRigError;
    queryMeta: { tags?: readonly Tag[] };
    /** `failure` is the title of the toast when the write fails; without one the caller shows it. */
    mutationMeta: { failure?: string };
  }
}

let connected: Platform | null = null;

/** Says once, at the start, what the interface runs on. */
export function connect(platform: Platform): void {
  connected = platform;
}

export function platform(): Platform {
  if (!connected) throw new Error('connect() comes before the first render');
  return connected;
}

/** Makes a call of the engine. */
export async function call<N extends CallName>(name: N, args: CallArgs<N>): Promise<CallResult<N>> {
  try {
    return await platform().call(name, args);
  } catch (thrown) {
    throw toError(thrown);
  }
}

/** `onFailure` hears of writes that failed and have a title. */
export function makeQueryClient(onFailure: (title: string, error: DevRigError) => void): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // Events tell what is stale; the clock and the window's focus do not.
        staleTime: Number.POSITIVE_INFINITY,
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
        networkMode: 'always',
        retry: (count, error) => error.retryable && count < 2,
      },
      mutations: { networkMode: 'always' },
    },
    mutationCache: new MutationCache({
      onError: (error, _variables, _context, mutation) => {
        if (mutation.meta?.failure) onFailure(mutation.meta.failure, error);
      },
    }),
  });
}
