import { useLayoutEffect, useRef, useState, type KeyboardEvent, type RefObject } from 'react';

import { withChoice, type Choice, type Completion } from './complete';

type Field = HTMLInputElement | HTMLTextAreaElement;

/** The list as it stands: for which text and caret, and which choice is highlighted, if any. */
type Open = { text: string; caret: number; completion: Completion; at: number | null };

type Options<E> = {
  field: RefObject<E | null>;
  value: string;
  onChange: (text: string) => void;
  suggest: (text: string, caret: number) => Completion | null;
  /** Arrow down opens the list; a text of several lines needs the key itself. */
  arrowOpens: boolean;
};

/** A list of choices for the word under the caret of a text field, and the keys that move in it. */
export function useCompletion<E extends Field>({ field, value, onChange, suggest, arrowOpens }: Options<E>) {
  const [state, setState] = useState<Open | null>(null);
  // A text that came from elsewhere is not what the list was made for.
  const open = state !== null && state.text === value ? state : null;

  const caretTo = useRef<number | null>(null);
  useLayoutEffect(() => {
    if (caretTo.current === null) return;
    field.current?.setSelectionRange(caretTo.current, caretTo.current);
    caretTo.current = null;
  });

  const close = () => setState(null);
  const update = (text: string, caret: number, asked = false) => {
    const completion = suggest(text, caret);
    setState(completion && (completion.begun || asked) ? { text, caret, completion, at: null } : null);
  };
  const choose = (choice: Choice) => {
    if (!open) return;
    const next = withChoice(open.text, open.completion, choice);
    caretTo.current = next.caret;
    onChange(next.text);
    if (choice.opens) update(next.text, next.caret);
    else close();
  };
  const move = (by: 1 | -1) => {
    if (!open) return;
    const count = open.completion.choices.length;
    const from = open.at ?? (by === 1 ? -1 : count);
    setState({ ...open, at: (from + by + count) % count });
  };

  /** True when the key was the list's own. */
  const onKey = (event: KeyboardEvent<E>): boolean => {
    if (event.nativeEvent.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return false;
    const highlighted = open && open.at !== null ? open.completion.choices[open.at] : undefined;
    if (open && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) move(event.key === 'ArrowDown' ? 1 : -1);
    else if (!open && arrowOpens && event.key === 'ArrowDown') update(value, event.currentTarget.selectionEnd ?? value.length, true);
    else if (open && event.key === 'Escape') close();
    else if (highlighted && (event.key === 'Enter' || event.key === 'Tab')) choose(highlighted);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };

  return {
    open,
    choose,
    onKey,
    close,
    /** A little later: a dialog takes the focus back when a part of it goes while the focus is nowhere. */
    onLeave: () => setTimeout(close, 0),
    onText: (element: E) => {
      onChange(element.value);
      const caret = element.selectionEnd ?? element.value.length;
      if (element.selectionStart === element.selectionEnd) update(element.value, caret);
      else close();
    },
    /** The caret went elsewhere: an open list follows it, a closed one stays closed. */
    onCaret: (element: E) => {
      if (!open || element.selectionEnd === open.caret) return;
      if (element.selectionStart === element.selectionEnd) update(value, element.selectionEnd ?? 0);
      else close();
    },
  };
}
