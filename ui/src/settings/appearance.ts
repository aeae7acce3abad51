import { useSyncExternalStore } from 'react';

import { platform } from '../api/client';
import type { ThemeChoice } from '../platform/platform';

export type Appearance = { theme: ThemeChoice; density: 'compact' | 'comfortable'; textSize: number; zoom: number };

/** Percents that the keys step through. */
export const ZOOMS: readonly number[] = [80, 90, 100, 110, 125, 150, 175, 200];

const KEY = 'devrig.appearance';
const USUAL: Appearance = { theme: 'system', density: 'compact', textSize: 100, zoom: 100 };

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
  const zoom = Number(from.zoom);
  return {
    theme: from.theme === 'light' || from.theme === 'dark' ? from.theme : 'system',
    density: from.density === 'comfortable' ? 'comfortable' : 'compact',
    textSize: size >= 90 && size <= 130 ? size : 100,
    zoom: zoom >= 80 && zoom <= 200 ? zoom : 100,
  };
}

export function showAppearance(next: Appearance): void {
  const before = current;
  if ((Object.keys(next) as (keyof Appearance)[]).every((key) => next[key] === before[key])) return;
  current = next;
  localStorage.setItem(KEY, JSON.stringify(next));
  window.dispatchEvent(new Event('devrig:appearance'));
  if (next.theme !== before.theme) void platform().setTheme(next.theme);
  if (next.zoom !== before.zoom) void platform().setZoom(next.zoom);
  for (const listener of listeners) listener();
}

/** A window begins at its usual size, whatever the last one had. */
export function applyZoom(): void {
  if (current.zoom !== USUAL.zoom) void platform().setZoom(current.zoom);
}

/** The next zoom up or down from one, in percent. */
export function zoomed(zoom: number, step: 1 | -1): number {
  const next = step > 0 ? ZOOMS.find((each) => each > zoom) : ZOOMS.findLast((each) => each < zoom);
  return next ?? zoom;
}

/** From the engine's settings, which another window or the command line may have changed. */
export function appearanceFrom(settings: Record<string, unknown>): Appearance {
  return checked({ theme: settings['appearance.theme'], density: settings['appearance.density'], textSize: settings['appearance.textSize'], zoom: settings['appearance.zoom'] });
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
