/** True in development and in the build made of made-up items; false in the app that ships. */
declare const __FAKE__: boolean;

interface Window {
  __TAURI_INTERNALS__?: unknown;
}
