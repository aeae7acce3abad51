import { CALLS } from './bindings';
import type { CallName } from './platform';
import type { Tag } from './wire';

const TAGS = new Map<string, readonly Tag[]>(CALLS.map((call) => [call.name, call.tags]));

/** What a read depends on, or a write makes stale, by the engine's list of calls. */
export function tagsOf(name: CallName): readonly Tag[] {
  return TAGS.get(name) ?? [];
}
