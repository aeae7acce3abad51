import { create } from 'zustand';

import { DEFAULT_KEYS, type KeysOf } from './defaults';

/** The keys in force, and whether those that write a character act, as the engine's settings last had them. */
const useKeysStore = create<{ keys: KeysOf; single: boolean }>(() => ({ keys: DEFAULT_KEYS, single: true }));

/** For what shows keys: it is drawn again when they change. */
export function useKeys(): KeysOf {
  useKeysStore((state) => state.single);
  return useKeysStore((state) => state.keys);
}

export function currentKeys(): KeysOf {
  return useKeysStore.getState().keys;
}

export function singleKeysAct(): boolean {
  return useKeysStore.getState().single;
}

export function setKeys(keys: KeysOf): void {
  if (keys !== currentKeys()) useKeysStore.setState({ keys });
}

export function setSingleKeys(single: boolean): void {
  if (single !== singleKeysAct()) useKeysStore.setState({ single });
}

export function onKeysChange(listener: () => void): () => void {
  return useKeysStore.subscribe(listener);
}
