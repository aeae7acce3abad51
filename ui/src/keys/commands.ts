import { useEffect, useLayoutEffect, useRef } from 'react';

import { currentKeys, onKeysChange, singleKeysAct, useKeys } from './current';
import { isSingleKey, makeMatcher, pressed, type CommandId } from './keymap';

export type Handlers = Partial<Record<CommandId, () => void>>;

// What the screen offers now, the innermost last. A stack, because a page adds to what the shell can do.
const offered: { current: Handlers }[] = [];

/** Offers commands for as long as the component is mounted, and draws it again when their keys change: it shows them. */
export function useCommands(handlers: Handlers): void {
  useKeys();
  const latest = useRef(handlers);
  useLayoutEffect(() => {
    latest.current = handlers;
  });
  useEffect(() => {
    offered.push(latest);
    return () => {
      offered.splice(offered.indexOf(latest), 1);
    };
  }, []);
}

export function isOffered(id: CommandId): boolean {
  return offered.some((each) => each.current[id]);
}

/** Runs the innermost handler of a command; false when nothing on screen offers it. */
export function runCommand(id: CommandId): boolean {
  const handler = offered.findLast((each) => each.current[id])?.current[id];
  handler?.();
  return handler !== undefined;
}

/** Whether the element takes text, so that keys are its own. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'submit', 'range'].includes(target.type);
}

const EVEN_WHILE_TYPING: readonly CommandId[] = ['palette', 'nextRegion', 'previousRegion', 'zoomIn', 'zoomOut', 'zoomReset'];
/** Keys with a meaning of their own on these elements. */
const OWN_KEYS: Record<string, string> = {
  Enter: 'a, button, summary, [role=button], [role=link]',
  ' ': 'button, summary, input, [role=button]',
  ArrowDown: '[data-own-arrows] *, [data-own-arrows]',
  ArrowUp: '[data-own-arrows] *, [data-own-arrows]',
  Home: '[data-own-arrows] *, [data-own-arrows]',
  End: '[data-own-arrows] *, [data-own-arrows]',
  PageDown: '[data-own-arrows] *, [data-own-arrows]',
  PageUp: '[data-own-arrows] *, [data-own-arrows]',
};

/** Letters are the field's own, and so is the beginning of any chord. */
function whileTyping(key: string): CommandId | null {
  return EVEN_WHILE_TYPING.find((id) => currentKeys()[id].includes(key)) ?? null;
}

/** Listens on the window. */
export function listenToKeys(): () => void {
  let match = makeMatcher(currentKeys());
  const stopFollowing = onKeysChange(() => {
    match = makeMatcher(currentKeys());
  });
  const onKeyDown = (event: KeyboardEvent) => {
    const target = event.target instanceof Element ? event.target : null;
    const key = pressed(event);
    if (event.defaultPrevented || event.isComposing || key === null) return;
    if (target?.closest('[role=dialog], [role=menu]')) return;
    const typing = isTyping(target);
    if (!typing && target?.matches(OWN_KEYS[event.key] ?? ':not(*)')) return;
    if (isSingleKey(key) && (typing || !singleKeysAct())) return;
    const command = typing ? whileTyping(key) : match(key, event.timeStamp);
    if (command === null) return;
    if (command === 'pending') {
      event.preventDefault();
      return;
    }
    if (runCommand(command)) event.preventDefault();
  };
  window.addEventListener('keydown', onKeyDown);
  return () => {
    stopFollowing();
    window.removeEventListener('keydown', onKeyDown);
  };
}
