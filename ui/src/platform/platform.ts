import type { Calls, DevRigError, EngineEvent } from './wire';

export type CallName = keyof Calls;
export type CallArgs<N extends CallName> = Parameters<Calls[N]>[0];
export type CallResult<N extends CallName> = ReturnType<Calls[N]>;
export type ThemeChoice = 'system' | 'light' | 'dark';

/** Everything that the interface asks of the world around it. */
export interface Platform {
  /** Makes one call of the engine; rejects with a {@link DevRigError}. */
  call<N extends CallName>(name: N, args: CallArgs<N>): Promise<CallResult<N>>;
  /** Hears events from now on; the answer stops it. */
  onEvent(handler: (event: EngineEvent) => void): Promise<() => void>;
  /** Hears where to go from outside of the window, as a path; the answer stops it. */
  onGo(handler: (path: string) => void): Promise<() => void>;
  /** Asks for a folder; null when the person changed their mind. */
  pickFolder(title: string): Promise<string | null>;
  /** Opens an http, https or mailto address outside of the window. */
  openUrl(url: string): Promise<void>;
  /** Colours what the system draws around the page. */
  setTheme(theme: ThemeChoice): Promise<void>;
  /** Enlarges everything, in percent. */
  setZoom(percent: number): Promise<void>;
}

/** Makes whatever was thrown the one shape that the interface shows. */
export function toError(thrown: unknown): DevRigError {
  if (isDevRigError(thrown)) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: 'INTERNAL', category: 'permanent', message, retryable: false };
}

function isDevRigError(value: unknown): value is DevRigError {
  if (typeof value !== 'object' || value === null) return false;
  return 'code' in value && 'message' in value && typeof value.message === 'string';
}
