import { create } from 'zustand';

import { DEFAULT_KEYS, type KeysOf } from './defaults';

/** The keys in force, as the engine's settings last had them. */
const useKeysStore = create<{ keys: KeysOf }>(() => ({ keys: DEFAULT_KEYS }));

/** For what shows keys: it is drawn again when they change. */
export function useKeys(): KeysOf {
  return useKeysStore((state) => state.keys);
}

export function currentKeys(): KeysOf {
  return useKeysStore.getState().keys;
}

export function setKeys(keys: KeysOf): void {
  if (keys !== currentKeys()) useKeysStore.setState({ keys });
}

export function onKeysChange(listener: () => void): () => void {
  return useKeysStore.subscribe(listener);
}
