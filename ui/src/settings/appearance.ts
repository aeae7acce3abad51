import { useSyncExternalStore } from 'react';

import { platform } from '../api/client';
import type { ThemeChoice } from '../platform/platform';

export type Appearance = { theme: ThemeChoice; density: 'compact' | 'comfortable'; textSize: number };

const KEY = 'devrig.appearance';
const USUAL: Appearance = { theme: 'system', density: 'compact', textSize: 100 };

// The engine keeps these settings; this copy is what /theme.js reads before the first paint.
let current: Appearance = read();
const listeners = new Set<() => void>();

function read(): Appearance {
  try {
    return checked(JSON.parse(localStorage.getItem(KEY) ?? '{}'));
  } catch {
    return USUAL;
  }
}

/** What is usable of a stored or received value. */
export function checked(value: unknown): Appearance {
  const from = (typeof value === 'object' && value !== null ? value : {}) as Partial<Record<keyof Appearance, unknown>>;
  const size = Number(from.textSize);
  return {
    theme: from.theme === 'light' || from.theme === 'dark' ? from.theme : 'system',
    density: from.density === 'comfortable' ? 'comfortable' : 'compact',
    textSize: size >= 90 && size <= 130 ? size : 100,
  };
}

export function showAppearance(next: Appearance): void {
  if (next.theme === current.theme && next.density === current.density && next.textSize === current.textSize) return;
  current = next;
  localStorage.setItem(KEY, JSON.stringify(next));
  window.dispatchEvent(new Event('devrig:appearance'));
  void platform().setTheme(next.theme);
  for (const listener of listeners) listener();
}

/** From the engine's settings, which another window or the command line may have changed. */
export function appearanceFrom(settings: Record<string, unknown>): Appearance {
  return checked({ theme: settings['appearance.theme'], density: settings['appearance.density'], textSize: settings['appearance.textSize'] });
}

export function useAppearance(): Appearance {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}
