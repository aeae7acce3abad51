import { invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';

import type { EngineEvent } from './wire';
import { toError, type Platform } from './platform';

/** The desktop app. Nothing else imports Tauri. */
export function tauriPlatform(): Platform {
  return {
    async call(name, args) {
      try {
        return await invoke(name, { args });
      } catch (thrown) {
        throw toError(thrown);
      }
    },
    onEvent: (handler) => listen<EngineEvent>('engine-event', (event) => handler(event.payload)),
    onGo: (handler) => listen<string>('go', (event) => handler(event.payload)),
    async pickFolder(title) {
      const options = { directory: true, multiple: false, title };
      return await invoke<string | null>('plugin:dialog|open', { options });
    },
    async openUrl(url) {
      try {
        await invoke('open_url', { url });
      } catch (thrown) {
        throw toError(thrown);
      }
    },
    async setTheme(theme) {
      // Only the frame around the page: where the shell cannot, the page is still right.
      await invoke('set_theme', { theme }).catch(() => undefined);
    },
    async setZoom(percent) {
      await invoke('set_zoom', { percent }).catch(() => undefined);
    },
  };
}
