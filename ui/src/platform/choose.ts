import type { Platform } from './platform';

/** The platform that this page runs on, or null where DevRig cannot run. */
export async function choosePlatform(): Promise<Platform | null> {
  if (window.__TAURI_INTERNALS__) return (await import('./tauri')).tauriPlatform();
  // The constant is false in the app that ships, so the made-up items are not even in its files.
  if (__FAKE__) {
    const { fakePlatform, scenarioFrom } = await import('./fake');
    return fakePlatform(scenarioFrom(window.location.search));
  }
  return null;
}
