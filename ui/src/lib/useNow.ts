import { useSyncExternalStore } from 'react';

// One timer for every time on screen, aligned to nothing: rows change together once a minute.
let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, 60_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The time to the minute, for showing ages. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}
