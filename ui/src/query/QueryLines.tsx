import { useId, useRef, type ComponentProps } from 'react';

import { TextArea } from '../components/Field';
import { choiceId, Choices } from './Choices';
import { complete } from './complete';
import { useKnownValues } from './known';
import { useCompletion } from './useCompletion';

type Props = Omit<ComponentProps<'textarea'>, 'value' | 'onChange'> & {
  value: string;
  onChange: (text: string) => void;
  /** Where in the text the query under the caret lies; null where the caret is in none. */
  queryAt: (text: string, caret: number) => { from: number; to: number } | null;
};

/** A text with a query in each of its lines, which offers operators and values as they are typed. */
export function QueryLines({ value, onChange, queryAt, onKeyDown, ...rest }: Props) {
  const listId = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const known = useKnownValues();
  const line = useRef({ getBoundingClientRect: () => lineOf(field.current!) });
  const suggest = (text: string, caret: number) => {
    const query = queryAt(text, caret);
    return query && complete(text, caret, known(), query.from, query.to);
  };
  const completion = useCompletion({ field, value, onChange, suggest, arrowOpens: false });
  const { open } = completion;
  return (
    <>
      {/* A textarea may not have the role of a combobox; these tell the same of a text box. */}
      <TextArea
        {...rest}
        ref={field}
        wrap="off"
        aria-autocomplete="list"
        aria-haspopup="listbox"
        aria-controls={open ? listId : undefined}
        aria-activedescendant={open && open.at !== null ? choiceId(listId, open.at) : undefined}
        value={value}
        onChange={(event) => completion.onText(event.currentTarget)}
        onSelect={(event) => completion.onCaret(event.currentTarget)}
        onScroll={completion.close}
        onBlur={completion.onLeave}
        onKeyDown={(event) => {
          if (!completion.onKey(event)) onKeyDown?.(event);
        }}
      />
      {open && <Choices id={listId} below={line} choices={open.completion.choices} at={open.at} onChoose={completion.choose} />}
    </>
  );
}

/** Where the line under the caret is on screen; lines do not wrap. */
function lineOf(field: HTMLTextAreaElement): DOMRect {
  const { lineHeight, paddingTop } = getComputedStyle(field);
  const { x, y, width } = field.getBoundingClientRect();
  const height = Number.parseFloat(lineHeight) || 20;
  const above = field.value.slice(0, field.selectionEnd).split('\n').length - 1;
  return new DOMRect(x, y + (Number.parseFloat(paddingTop) || 0) + above * height - field.scrollTop, width, height);
}
